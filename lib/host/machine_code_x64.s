# Machine code of lib/host/machine_code.ts for x86_64; see there for what the parts are for and how to assemble this file.
.intel_syntax noprefix
.text
# long sys(nr, a0, a1, a2, a3, a4, a5): one system call, -errno on failure, no thread-local errno involved
sys:
  mov rax, rdi
  mov rdi, rsi
  mov rsi, rdx
  mov rdx, rcx
  mov r10, r8
  mov r8,  r9
  mov r9,  [rsp+8]
  syscall
  ret
  .org 0x40
# long spawn(clone_flags, child_stack_top, script): the child walks the script and never returns.
# An operation is 8 words: { nr, a0..a5, result }.  nr < 0 is a jump: { -1, value, mask, target }, taken when (last result & mask) == value.
spawn:
  push rbx
  mov rbx, rdx
  mov eax, 56
  xor edx, edx
  xor r10d, r10d
  xor r8d, r8d
  syscall
  test rax, rax
  jz step
  pop rbx
  ret
step:
  mov rax, [rbx]
  test rax, rax
  js jump
  mov rdi, [rbx+8]
  mov rsi, [rbx+16]
  mov rdx, [rbx+24]
  mov r10, [rbx+32]
  mov r8,  [rbx+40]
  mov r9,  [rbx+48]
  syscall
  mov [rbx+56], rax
  mov r12, rax
next:
  add rbx, 64
  jmp step
jump:
  mov rcx, r12
  and rcx, [rbx+16]
  cmp rcx, [rbx+8]
  jne next
  mov rbx, [rbx+24]
  test rbx, rbx
  jnz step
  pop r12
  pop rbx
  ret
  .org 0xd0
# void run(script): walks the script in this very thread; comes back only by a jump to 0, which a child must not make.
run:
  push rbx
  push r12
  mov rbx, rdi
  jmp step
  .org 0x100
# handler(sig, siginfo, ucontext): notes the signal in the cell, keeps its siginfo, hands it on, makes wait4 return
handler:
  lea r8, [rip+cell]
  movsxd r12, edi
  lea rax, [r12-1]
  lock bts qword ptr [r8], rax
  cmp dword ptr [rsi+8], -2
  je done
  mov rcx, r12
  shl rcx, 6
  lea r9, [r8+rcx+0x80]
  xor ecx, ecx
copy:
  mov rdx, [rsi+rcx]
  mov [r9+rcx], rdx
  add ecx, 8
  cmp ecx, 48
  jne copy
  bt qword ptr [r8+16], rax
  jnc wake
  cmp dword ptr [rsi+8], 0x80
  jne forward
  bt qword ptr [r8+24], rax
  jnc wake
forward:
  mov rdi, [r8+8]
  test rdi, rdi
  jz wake
  mov rsi, r12
  mov eax, 62
  syscall
wake:
  lea r8, [rip+cell]
  mov rdi, [r8+32]
  xor esi, esi
  lea rdx, [r8+40]
  xor r10d, r10d
  mov eax, 223
  syscall
done:
  ret
  .org 0x1c0
restorer:
  mov eax, 15
  syscall
  .org 0x10000
cell:
