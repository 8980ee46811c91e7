# A 32-bit program under a 64-bit recorder: forks, changes its group, fails to exec, execs; pointers of four bytes.
# gcc -m32 -nostdlib -static -no-pie; needs nothing of a 32-bit library.
.globl _start
_start:
  mov $2, %eax            # fork
  int $0x80
  test %eax, %eax
  jnz parent
  mov $11, %eax           # execve of what is not there
  mov $missing, %ebx
  mov $argv, %ecx
  mov $0, %edx
  int $0x80
  mov $11, %eax           # execve of a 64-bit program
  mov $tiny, %ebx
  mov $argv, %ecx
  mov $0, %edx
  int $0x80
  mov $1, %eax            # exit 9
  mov $9, %ebx
  int $0x80
parent:
  mov $57, %eax           # setpgid(0, 0)
  mov $0, %ebx
  mov $0, %ecx
  int $0x80
  mov $7, %eax            # waitpid(-1, 0, 0)
  mov $-1, %ebx
  mov $0, %ecx
  mov $0, %edx
  int $0x80
  mov $1, %eax            # exit 7
  mov $7, %ebx
  int $0x80
.data
missing: .string "./missing-32"
tiny: .string "./tiny"
first: .string "word 32"
second: .byte 0xff, 0xfe, 0
argv: .long first, second, 0
