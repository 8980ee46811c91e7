// Machine code of lib/host/machine_code.ts for arm64; see there for what the parts are for and how to assemble this file.
.text
// long sys(nr, a0, a1, a2, a3, a4, a5): one system call, -errno on failure, no thread-local errno involved
sys:
  mov x8, x0
  mov x0, x1
  mov x1, x2
  mov x2, x3
  mov x3, x4
  mov x4, x5
  mov x5, x6
  svc #0
  ret
  .org 0x40
// long spawn(clone_flags, child_stack_top, script): the child walks the script and never returns.
// An operation is 8 words: { nr, a0..a5, result }.  nr < 0 is a jump: { -1, value, mask, target }, taken when (last result & mask) == value.
spawn:
  mov x9, x2
  mov x2, #0
  mov x3, #0
  mov x4, #0
  mov x8, #220
  svc #0
  cbz x0, child
  ret
child:
  mov x19, x9
step:
  ldr x8, [x19]
  tbnz x8, #63, jump
  ldp x0, x1, [x19, #8]
  ldp x2, x3, [x19, #24]
  ldp x4, x5, [x19, #40]
  svc #0
  str x0, [x19, #56]
  mov x20, x0
next:
  add x19, x19, #64
  b step
jump:
  ldp x1, x2, [x19, #8]
  and x2, x20, x2
  cmp x2, x1
  b.ne next
  ldr x19, [x19, #24]
  cbnz x19, step
  ldp x19, x20, [sp], #16
  ret
  .org 0xd0
// void run(script): walks the script in this very thread; comes back only by a jump to 0, which a child must not make.
run:
  stp x19, x20, [sp, #-16]!
  mov x19, x0
  b step
  .org 0x100
// handler(sig, siginfo, ucontext): notes the signal in the cell, keeps its siginfo, hands it on, makes wait4 return
handler:
  adr x9, cell
  sxtw x10, w0
  sub x11, x10, #1
  mov x12, #1
  lsl x12, x12, x11
again:
  ldaxr x13, [x9]
  orr x13, x13, x12
  stlxr w14, x13, [x9]
  cbnz w14, again
  ldr w13, [x1, #8]
  cmn w13, #2
  b.eq done
  add x14, x9, x10, lsl #6
  ldp x15, x16, [x1]
  stp x15, x16, [x14, #0x80]
  ldp x15, x16, [x1, #16]
  stp x15, x16, [x14, #0x90]
  ldp x15, x16, [x1, #32]
  stp x15, x16, [x14, #0xa0]
  ldr x15, [x9, #16]
  tst x15, x12
  b.eq wake
  cmp w13, #0x80
  b.ne forward
  ldr x15, [x9, #24]
  tst x15, x12
  b.eq wake
forward:
  ldr x0, [x9, #8]
  cbz x0, wake
  mov x1, x10
  mov x8, #129
  svc #0
wake:
  ldr x0, [x9, #32]
  mov x1, #0
  add x2, x9, #40
  mov x3, #0
  mov x8, #110
  svc #0
done:
  ret
  .org 0x1c0
restorer:
  mov x8, #139
  svc #0
  .org 0x10000
cell:
