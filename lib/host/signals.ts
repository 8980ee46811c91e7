// Signals of this process while it waits in the kernel and cannot run JavaScript: what is ignored, what is handed on to
// another process at once by the machine code, what is noted for the loop to look at; and dying as another process did.
//
// The cell that the handler works on (see machine_code_*.s), in bytes:
//   0 signals that came, one bit each      8 pid to hand them to, 0 for nobody   16 which to hand on
//  24 which to hand on though the kernel itself sent them   32 timer   40 its itimerspec   128 + 64 * signal: its siginfo
import { ERRNO } from "./errno.ts";
import { openKernel, type Kernel } from "./kernel.ts";
import { Block } from "./memory.ts";
import { NR } from "./syscalls.ts";

export const SIG = {
  HUP: 1,
  INT: 2,
  QUIT: 3,
  TRAP: 5,
  KILL: 9,
  USR1: 10,
  USR2: 12,
  PIPE: 13,
  ALRM: 14,
  TERM: 15,
  CHLD: 17,
  CONT: 18,
  STOP: 19,
  TSTP: 20,
  TTIN: 21,
  TTOU: 22,
  URG: 23,
  XFSZ: 25,
} as const;

export type Disposition = "default" | "ignore" | "note";

const SIGACTION_SIZE = 32;
const MASK_SIZE = 8;

/** Writes a kernel sigaction: handler, flags, restorer, mask. */
function sigaction(kernel: Kernel, block: Block, at: number, disposition: Disposition): void {
  const SA_SIGINFO = 4;
  const SA_RESTORER = 0x04000000;
  const SA_ONSTACK = 0x08000000;
  const handler = disposition === "default" ? 0 : disposition === "ignore" ? 1 : kernel.handler;
  block.setWord(at, handler);
  // No SA_RESTART: a signal has to make wait4 return.
  block.setWord(at + 8, disposition === "note" ? SA_SIGINFO | SA_RESTORER | SA_ONSTACK : 0);
  block.setWord(at + 16, disposition === "note" ? kernel.restorer : 0);
  block.setWord(at + 24, disposition === "note" ? -1 : 0);
}

export function setDisposition(signal: number, disposition: Disposition): void {
  const kernel = openKernel();
  const block = new Block(SIGACTION_SIZE);
  sigaction(kernel, block, 0, disposition);
  kernel.call(NR.rt_sigaction, signal, block.address, 0, MASK_SIZE);
}

function unblock(signals: readonly number[]): void {
  const block = new Block(MASK_SIZE);
  for (const s of signals) block.u32[(s - 1) >> 5]! |= 1 << ((s - 1) & 31);
  const SIG_UNBLOCK = 1;
  openKernel().call(NR.rt_sigprocmask, SIG_UNBLOCK, block.address, 0, MASK_SIZE);
}

/** Who sent a signal, from its siginfo. */
export interface Sender {
  readonly code: number;
  readonly pid: number;
  readonly uid: number;
}

const FORWARD_PID = 8 >> 2;
const FORWARD_MASK = 16 >> 2;
const FORWARD_FROM_KERNEL = 24 >> 2;
const TIMER_ID = 32 >> 2;
const TIMER_SPEC = 40;
const SIGINFO = 128;
export const SIGINFO_SIZE = 48;

/** The signals of this thread while it blocks. One per process: there is one cell. */
export class SignalDesk {
  private readonly kernel = openKernel();
  private readonly cell: Int32Array;
  private readonly spec = new Block(32);
  private readonly noted: number[] = [];

  constructor() {
    const c = this.kernel.cell;
    this.cell = new Int32Array(c.buffer, c.byteOffset, c.byteLength >> 2);
    this.cell.fill(0);
    this.makeTimer();
  }

  /**
   * A timer that signals this very thread, to make wait4 return. SIGURG, because whoever sends or gets it by accident
   * is not harmed, and because no timer of it is inherited or visible to the command.
   */
  private makeTimer(): void {
    const SIGEV_THREAD_ID = 4;
    const CLOCK_MONOTONIC = 1;
    const event = new Block(80);
    event.i32[2] = SIG.URG;
    event.i32[3] = SIGEV_THREAD_ID;
    event.i32[4] = this.kernel.call(NR.gettid);
    const idAt = 64;
    this.kernel.call(NR.timer_create, CLOCK_MONOTONIC, event.address, event.at(idAt));
    this.cell[TIMER_ID] = event.i32[idAt >> 2]!;
    // After a signal the handler arms this: if the signal came just before wait4 began to block, the timer ends that wait.
    const c = new DataView(this.kernel.cell.buffer, this.kernel.cell.byteOffset);
    c.setBigInt64(TIMER_SPEC + 8, 20_000_000n, true);
    c.setBigInt64(TIMER_SPEC + 24, 2_000_000n, true);
    this.note(SIG.URG);
  }

  /** From now on the signal is only noted (see `take`), and handed on if `forward` says so. */
  note(signal: number): void {
    setDisposition(signal, "note");
    unblock([signal]);
    this.noted.push(signal);
  }

  /** Which noted signals go on to the process of `forwardTo`; `fromKernel`: also those that a terminal or timer sent. */
  forward(signal: number, fromKernel: boolean): void {
    const word = (signal - 1) >> 5;
    const bit = 1 << ((signal - 1) & 31);
    this.cell[FORWARD_MASK + word]! |= bit;
    if (fromKernel) this.cell[FORWARD_FROM_KERNEL + word]! |= bit;
  }

  /** 0: nobody, signals are noted only. */
  forwardTo(pid: number): void {
    Atomics.store(this.cell, FORWARD_PID, pid);
  }

  /** Whether the signal came since it was last asked about. */
  took(signal: number): boolean {
    const word = (signal - 1) >> 5;
    const bit = 1 << ((signal - 1) & 31);
    return (Atomics.and(this.cell, word, ~bit) & bit) !== 0;
  }

  /** Who sent the last of these signals. */
  sender(signal: number): Sender {
    const at = (SIGINFO + 64 * signal) >> 2;
    return { code: this.cell[at + 2]!, pid: this.cell[at + 4]!, uid: this.cell[at + 5]! };
  }

  /** The last such signal's siginfo, as the kernel gave it. */
  siginfo(signal: number): Uint8Array {
    return this.kernel.cell.subarray(SIGINFO + 64 * signal, SIGINFO + 64 * signal + SIGINFO_SIZE);
  }

  /** Makes the next blocking wait end after `ms`, and again every 20 ms until `rest`. */
  wakeAfter(ms: number): void {
    this.spec.setWord(8, 20_000_000);
    this.spec.setWord(16, Math.floor(ms / 1000));
    this.spec.setWord(24, Math.max(1, Math.round((ms % 1000) * 1e6)));
    this.kernel.call(NR.timer_settime, this.cell[TIMER_ID]!, 0, this.spec.address, 0);
  }

  /** No more waking. */
  rest(): void {
    this.spec.bytes.fill(0);
    this.kernel.call(NR.timer_settime, this.cell[TIMER_ID]!, 0, this.spec.address, 0);
  }

  /** Nothing is noted or handed on any more; the signals do what they do by default. */
  close(): void {
    this.forwardTo(0);
    this.rest();
    for (const s of this.noted) setDisposition(s, "default");
    this.noted.length = 0;
  }
}

/** Stops or signals this thread of this process; comes back when it has been continued. */
export function signalSelf(signal: number): void {
  const kernel = openKernel();
  kernel.call(NR.tgkill, kernel.call(NR.getpid), kernel.call(NR.gettid), signal);
}

/** How another process ended; `ExitStatus` of lib/model is one. */
export type Ending =
  | { readonly how: "exited"; readonly code: number }
  | { readonly how: "signaled"; readonly signal: number }
  | { readonly how: "unknown" };

/**
 * Ends this process the way another one ended: with its code, or by its signal and without a core file of our own.
 * Not by process.exit: Bun would put the terminal back into the modes that it found when tk started, also from the
 * background, where the terminal is another program's by now (seen: a shell left without echo).
 */
export function dieLike(status: Ending): never {
  const kernel = openKernel();
  if (status.how === "signaled") {
    const RLIMIT_CORE = 4;
    kernel.call(NR.prlimit64, 0, RLIMIT_CORE, new Block(16).address, 0);
    if (status.signal !== SIG.KILL && status.signal !== SIG.STOP) setDisposition(status.signal, "default");
    unblock([status.signal]);
    signalSelf(status.signal);
    kernel.call(NR.exit_group, 128 + status.signal);
  }
  kernel.call(NR.exit_group, status.how === "exited" ? status.code : 1);
  throw new Error("exit_group came back");
}

/** Whether a process can be signalled by us; false when it has gone. */
export function exists(pid: number): boolean {
  return openKernel().call(NR.kill, pid, 0) !== -ERRNO.ESRCH;
}
