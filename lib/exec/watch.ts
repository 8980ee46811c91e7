// Whether the program still lives, and waiting for its end without costing anything. By a handle on the process, which
// stays true when its pid is used again; where the kernel has none, by looking at its start time now and then.
import { ERRNO } from "../host/errno.ts";
import { openKernel } from "../host/kernel.ts";
import { Block } from "../host/memory.ts";
import { NR } from "../host/syscalls.ts";
import { readStat } from "../report/facts/process.ts";
import { ProcFiles } from "../report/facts/proc_files.ts";

/** How long the end may go unseen without a handle. */
const LOOK_MS = 100;
const POLLIN = 1;

export class Watch {
  private readonly kernel = openKernel();
  private readonly pid: number;
  private readonly handle: number | undefined;
  private readonly startTime: number | undefined;
  private readonly poll = new Block(64);
  private readonly files = new ProcFiles();
  private seenToEnd = false;

  /** `startTime` of the program's stat, in ticks; undefined: whoever has the pid now. */
  constructor(pid: number, handle: number | undefined, startTime: number | undefined) {
    this.pid = pid;
    this.handle = handle;
    this.startTime = startTime ?? readStat(this.files, pid)?.startTime;
    if (handle === undefined && this.startTime === undefined) this.seenToEnd = true;
  }

  /** A program that has ended and is not yet waited for has ended. */
  get ended(): boolean {
    return this.look(0);
  }

  /** Waits for the program's end, at most `ms`, or until a signal comes. Blocks the thread. */
  wait(ms: number): void {
    const step = this.handle === undefined ? Math.min(ms, LOOK_MS) : ms;
    this.look(Math.max(0, step));
  }

  private look(ms: number): boolean {
    if (this.seenToEnd) return true;
    const { i32 } = this.poll;
    i32[0] = this.handle ?? -1;
    i32[1] = POLLIN;
    const timeout = 16;
    const whole = Math.floor(ms / 1000);
    this.poll.setWord(timeout, whole);
    this.poll.setWord(timeout + 8, Math.floor((ms - whole * 1000) * 1e6));
    const ready = this.kernel.call(NR.ppoll, this.poll.address, 1, this.poll.at(timeout), 0, 8);
    if (this.handle !== undefined) this.seenToEnd = ready > 0 && ready !== -ERRNO.EINTR;
    else {
      const stat = readStat(this.files, this.pid);
      this.seenToEnd = stat === undefined || stat.startTime !== this.startTime || /[ZXx]/.test(stat.state);
    }
    return this.seenToEnd;
  }
}
