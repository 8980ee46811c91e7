# Machine code of lib/container/loader_prologue.ts for x86_64; see there for what it is for and how to assemble this file.
# The kernel starts a loader with the stack { argc, argv..., 0, envp..., 0, auxv... }; no register holds anything.
.intel_syntax noprefix
.text
  mov rcx, [rsp]
  lea rsi, [rsp+rcx*8+16]
each:
  mov rdi, [rsi]
  test rdi, rdi
  jz done
  cmp word ptr [rdi], 0x444c
  jne next
  cmp byte ptr [rdi+2], 0x5f
  jne next
  inc qword ptr [rsi]
next:
  add rsi, 8
  jmp each
done:
# What follows in the file: jmp rel32 to where the loader began.
