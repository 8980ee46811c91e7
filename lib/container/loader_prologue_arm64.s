// Machine code of lib/container/loader_prologue.ts for arm64; see there for what it is for and how to assemble this file.
// The kernel starts a loader with the stack { argc, argv..., 0, envp..., 0, auxv... }; no register holds anything.
.text
  ldr x9, [sp]
  add x10, sp, #16
  add x10, x10, x9, lsl #3
each:
  ldr x11, [x10]
  cbz x11, done
  ldrb w12, [x11]
  cmp w12, #0x4c
  b.ne next
  ldrb w12, [x11, #1]
  cmp w12, #0x44
  b.ne next
  ldrb w12, [x11, #2]
  cmp w12, #0x5f
  b.ne next
  add x11, x11, #1
  str x11, [x10]
next:
  add x10, x10, #8
  b each
done:
// What follows in the file: b imm26 to where the loader began.
