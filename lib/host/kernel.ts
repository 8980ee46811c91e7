// System calls without a native addon: a page of machine code that makes them raw. They answer -errno, so there is no
// thread-local errno to lose, and one entry serves every call. The same page holds what must run where JavaScript
// cannot: the child between clone and exec, and the handler of signals that come while wait4(2) blocks.
//
// The code is machine_code_x64.s and machine_code_arm64.s beside this file, assembled with
//   llvm-mc -triple=x86_64 (or aarch64) -filetype=obj FILE -o o && llvm-objcopy -O binary -j .text o bin
// and cut at 0x1c8 (the rest is room up to the cell). tests/unit/host_kernel.test.ts does it again and compares.
import { bytesAt, openLibrary, procedureAt, type Procedure } from "#platform";
import { IS_ARM64, NR } from "./syscalls.ts";

export const MACHINE_CODE = {
  x64: "4889f84889f74889d64889ca4d89c24d89c84c8b4c24080f05c30000000000000000000000000000000000000000000000000000000000000000000000000000534889d3b83800000031d24531d24531c00f054885c074025bc3488b034885c07827488b7b08488b7310488b53184c8b53204c8b43284c8b4b300f05488943384989c44883c340ebd14c89e148234b10483b4b0875ed488b5b184885db75bb415c5bc30000000000000000000000000000000000000000000000000000000000000000000000000000000000000000005341544889fbeb82000000000000000000000000000000000000000000000000000000000000000000000000000000004c8d05f9fe00004c63e7498d4424fff0490fab00837e08fe74664c89e148c1e1064d8d8c088000000031c9488b140e4989140983c10883f93075f0490fa340107323817e08800000007507490fa340187313498b78084885ff740a4c89e6b83e0000000f054c8d0594fe0000498b782031f6498d50284531d2b8df0000000f05c3000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000b80f0000000f0500",
  arm64:
    "e80300aae00301aae10302aae20303aae30304aae40305aae50306aa010000d4c0035fd600000000000000000000000000000000000000000000000000000000e90302aa020080d2030080d2040080d2881b80d2010000d4400000b4c0035fd6f30309aa680240f92801f8b7608640a9628e41a9649642a9010000d4601e00f9f40300aa73020191f7ffff17618a40a98202028a5f0001eb61ffff54730e40f933feffb5f353c1a8c0035fd6000000000000000000000000000000000000000000000000000000000000000000000000f353bfa9f30300aae3ffff1700000000000000000000000000000000000000000000000000000000000000000000000009f807100a7c40934b0500d12c0080d28c21cb9a2dfd5fc8ad010caa2dfd0ec8aeffff352d0840b9bf090031600300542e190a8b2f4040a9cf4108a92f4041a9cf4109a92f4042a9cf410aa92f0940f9ff010cea60010054bf010271810000542f0d40f9ff010ceac0000054200540f9800000b4e1030aaa281080d2010000d4201140f9010080d222a10091030080d2c80d80d2010000d4c0035fd6000000000000000000000000000000000000000000000000000000000000000000000000681180d2010000d4",
} as const;

const SPAWN_AT = 0x40;
const RUN_AT = 0xd0;
const HANDLER_AT = 0x100;
const RESTORER_AT = 0x1c0;
/** The cell lies this far behind the code: more than the largest page, so that both can have their own protection. */
const CELL_AT = 0x10000;
const MAP_SIZE = 0x20000;
const CELL_SIZE = 0x2000;

/** Why system calls cannot be made here, as facts; the folder that needs them turns it into its own error. */
export class NoKernel extends Error {
  override readonly name = "NoKernel";
  readonly what: "platform" | "arch" | "libc" | "executable-memory";

  constructor(what: NoKernel["what"], detail: string) {
    super(detail);
    this.what = what;
  }
}

export interface Kernel {
  /** Six argument words; the result, or -errno. */
  readonly call: Procedure;
  /** clone(2) whose child runs a script of system calls on `stackTop` and never comes back; the pid, or -errno. */
  readonly spawn: (flags: number, stackTop: number, script: number) => number;
  /** Walks a script of system calls in this very thread; comes back when the script jumps to 0. */
  readonly run: (script: number) => number;
  /** For rt_sigaction: a handler that only touches the cell, and what returns from it. */
  readonly handler: number;
  readonly restorer: number;
  /** Memory that the handler reads and writes; its layout is told in lib/host/signals.ts. */
  readonly cell: Uint8Array;
  /** libc's localtime_r(3): the one thing asked of it that is not a system call. */
  readonly localtime: Procedure;
}

let opened: Kernel | undefined;

/** The kernel of this process. Throws `NoKernel` where tk has no machine code or may not run it. */
export function openKernel(): Kernel {
  return (opened ??= load());
}

function load(): Kernel {
  if (process.platform !== "linux") throw new NoKernel("platform", `this is ${process.platform}, not Linux`);
  if (process.arch !== "x64" && process.arch !== "arm64") throw new NoKernel("arch", `this machine is ${process.arch}`);
  const code = fromHex(MACHINE_CODE[process.arch]);
  const { syscall, localtime_r } = openLibc();
  const readWrite = 3;
  const privateAnonymous = 0x22;
  const base = syscall(NR.mmap, 0, MAP_SIZE, readWrite, privateAnonymous, -1, 0);
  if (base <= 0) throw new NoKernel("executable-memory", "mmap was refused");
  bytesAt(base, code.length).set(code);
  const readExecute = 5;
  if (syscall(NR.mprotect, base, CELL_AT, readExecute, 0, 0, 0) !== 0)
    throw new NoKernel("executable-memory", "this system does not let a program make memory executable");
  const enter = procedureAt(base, 7);
  return {
    call: (nr, a = 0, b = 0, c = 0, d = 0, e = 0, f = 0) => enter(nr, a, b, c, d, e, f),
    spawn: procedureAt(base + SPAWN_AT, 3) as Kernel["spawn"],
    run: procedureAt(base + RUN_AT, 1) as Kernel["run"],
    handler: base + HANDLER_AT,
    restorer: base + RESTORER_AT,
    cell: bytesAt(base + CELL_AT, CELL_SIZE),
    localtime: localtime_r,
  };
}

function openLibc(): Readonly<Record<"syscall" | "localtime_r", Procedure>> {
  // The first is loaded already, so opening it reads no file; a bare name that is not loaded would be looked for in
  // the current directory, so the others are paths.
  const names = ["libc.so.6", IS_ARM64 ? "/lib/ld-musl-aarch64.so.1" : "/lib/ld-musl-x86_64.so.1"];
  let why = "";
  for (const name of names) {
    try {
      return openLibrary(name, { syscall: 7, localtime_r: 2 });
    } catch (error) {
      why ||= error instanceof Error ? error.message : String(error);
    }
  }
  throw new NoKernel("libc", `the C library cannot be opened (${why})`);
}

function fromHex(hex: string): Uint8Array {
  const out = new Uint8Array(hex.length / 2);
  for (let i = 0; i < out.length; i++) out[i] = Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16);
  return out;
}
