// The whole program of stay.ts for arm64; see there what it is for. Assembled as lib/host/machine_code_arm64.s is.
.text
  adr x9, poll
  ldr x9, [x9]
  str x9, [sp, #-16]!
again:
  mov x0, sp
  mov x1, #1
  mov x2, #0
  mov x3, #0
  mov x4, #8
  mov x8, #73 // ppoll
  svc #0
  cmn w0, #4 // EINTR
  b.eq again
  mov x0, #0
  mov x8, #94 // exit_group
  svc #0
  .balign 8
poll: // struct pollfd: the descriptor is filled in, events is POLLIN
  .int 0
  .int 1
