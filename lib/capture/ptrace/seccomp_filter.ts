// The filter of complete mode: execve, execveat, setpgid and setsid stop for the tracer, every other call runs at full
// speed. Fork and clone need no filter. A foreign architecture's numbers (32-bit programs, x32) are filtered as well.
import { IS_ARM64, NR } from "../../host/syscalls.ts";

/** What the filter says was called (SECCOMP_RET_DATA). */
export const CALL = { none: 0, execve: 1, execveat: 2, setpgid: 3, setsid: 4 } as const;

type Numbers = readonly (readonly [number: number, call: number])[];

const LOAD = 0x20;
const JUMP_EQUAL = 0x15;
const RETURN = 0x06;
const ALLOW = 0x7fff0000;
const TRACE = 0x7ff00000;
/** Offsets in struct seccomp_data. */
const DATA_NR = 0;
const DATA_ARCH = 4;

const NATIVE: Numbers = [
  [NR.execve, CALL.execve],
  [NR.execveat, CALL.execveat],
  [NR.setpgid, CALL.setpgid],
  [NR.setsid, CALL.setsid],
];

/** Numbers of the x32 ABI, which shares x86_64's architecture. */
const X32_BIT = 0x40000000;
const X32: Numbers = [
  [X32_BIT + 520, CALL.execve],
  [X32_BIT + 545, CALL.execveat],
  [X32_BIT + 109, CALL.setpgid],
  [X32_BIT + 112, CALL.setsid],
];

const AUDIT_ARCH = { x86_64: 0xc000003e, i386: 0x40000003, aarch64: 0xc00000b7, arm: 0x40000028 } as const;

const I386: Numbers = [
  [11, CALL.execve],
  [358, CALL.execveat],
  [57, CALL.setpgid],
  [66, CALL.setsid],
];

const ARM: Numbers = [
  [11, CALL.execve],
  [387, CALL.execveat],
  [57, CALL.setpgid],
  [66, CALL.setsid],
];

/** An array of struct sock_filter. */
export function seccompFilter(): Uint8Array {
  const architectures: readonly (readonly [number, Numbers])[] = IS_ARM64
    ? [
        [AUDIT_ARCH.aarch64, NATIVE],
        [AUDIT_ARCH.arm, ARM],
      ]
    : [
        [AUDIT_ARCH.x86_64, [...NATIVE, ...X32]],
        [AUDIT_ARCH.i386, I386],
      ];
  const program: (readonly [code: number, ifTrue: number, ifFalse: number, k: number])[] = [[LOAD, 0, 0, DATA_ARCH]];
  for (const [arch, numbers] of architectures) {
    const body = numbers.flatMap(([nr, call]) => [
      [JUMP_EQUAL, 0, 1, nr] as const,
      [RETURN, 0, 0, (TRACE | call) >>> 0] as const,
    ]);
    const length = body.length + 2;
    program.push([JUMP_EQUAL, 0, length, arch], [LOAD, 0, 0, DATA_NR], ...body, [RETURN, 0, 0, ALLOW]);
  }
  program.push([RETURN, 0, 0, ALLOW]);
  const out = new Uint8Array(program.length * 8);
  const view = new DataView(out.buffer);
  program.forEach(([code, ifTrue, ifFalse, k], i) => {
    view.setUint16(8 * i, code, true);
    view.setUint8(8 * i + 2, ifTrue);
    view.setUint8(8 * i + 3, ifFalse);
    view.setUint32(8 * i + 4, k >>> 0, true);
  });
  return out;
}
