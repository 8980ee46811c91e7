// While the command runs under bpftrace: reads what bpftrace prints, waits for the command's end, stops and goes on with
// it (job control), and knows when the recording is over. Touches the command in no other way than to hand on signals.
import { ERRNO } from "../../host/errno.ts";
import { openKernel } from "../../host/kernel.ts";
import { Block } from "../../host/memory.ts";
import { exists, SIG, type SignalDesk } from "../../host/signals.ts";
import { NR } from "../../host/syscalls.ts";
import { decodeWaitStatus, UNKNOWN_STATUS, type ExitStatus } from "../../model/status.ts";
import { FORWARDED } from "../ptrace/echo_filter.ts";
import { stopToo } from "../ptrace/mirror_stop.ts";
import type { BpftraceChild } from "./child.ts";
import type { EventFlow } from "./event_flow.ts";

export interface WatchOptions {
  readonly root: number;
  readonly child: BpftraceChild;
  readonly flow: EventFlow;
  readonly desk: SignalDesk;
  readonly until: "tree" | "root";
  /** Takes what bpftrace printed, before the flow does. */
  readonly take: (bytes: Uint8Array) => void;
  /** To be called often: writes what can be written. */
  readonly write: () => void;
  readonly awaiting: (living: readonly number[]) => void;
  readonly rootEnded: () => void;
}

export interface Watched {
  readonly status: ExitStatus;
  /** Processes that lived on when the recording ended. */
  readonly left: number;
  /** bpftrace ended before it was asked to. */
  readonly toolEnded: boolean;
}

const LOOK_MS = 50;
/** From the command's end to the line that says so. */
const LAST_LINE_MS = 3000;
const AWAIT_MS = 1000;
const CHECK_MS = 1000;

export class Watch {
  private readonly options: WatchOptions;
  private readonly kernel = openKernel();
  private readonly block = new Block(16);
  private status: ExitStatus | undefined;
  private endedAt = Infinity;
  private told = false;
  private checkAt = Infinity;
  private suspects: readonly number[] = [];

  constructor(options: WatchOptions) {
    this.options = options;
  }

  /** Comes back when the recording is over; bpftrace may still have something to say. */
  run(): Watched {
    const { child, flow } = this.options;
    let toolEnded = false;
    while (!this.over()) {
      if (child.ended) {
        toolEnded = true;
        if (this.status !== undefined) break;
        this.kernel.call(NR.ppoll, 0, 0, this.pause(), 0, 8);
      } else {
        // Between the line that tells of the root's end and its corpse there is no more than a moment.
        const bytes = child.read(flow.rootEnded && this.status === undefined ? 1 : LOOK_MS);
        if (bytes.length > 0) {
          this.options.take(bytes);
          flow.push(bytes);
        }
      }
      this.options.write();
      this.lookAtRoot();
      if (this.status !== undefined) this.lookAtRest();
    }
    return { status: this.status ?? UNKNOWN_STATUS, left: flow.living().length, toolEnded };
  }

  private pause(): number {
    this.block.setWord(0, 0);
    this.block.setWord(8, LOOK_MS * 1e6);
    return this.block.address;
  }

  private over(): boolean {
    if (this.status === undefined) return false;
    const { flow, until } = this.options;
    if (!flow.rootEnded) {
      if (performance.now() < this.endedAt + LAST_LINE_MS) return false;
      flow.giveUp(this.options.root);
    }
    return until === "root" || flow.living().length === 0 || this.askedToEnd();
  }

  /** Ctrl-C and its like, after the command has ended: they are for the recording. */
  private askedToEnd(): boolean {
    let asked = false;
    for (const s of [SIG.INT, SIG.QUIT, SIG.TERM, SIG.HUP]) if (this.options.desk.took(s)) asked = true;
    return asked;
  }

  private lookAtRoot(): void {
    if (this.status !== undefined) return;
    const { root, desk } = this.options;
    const WNOHANG = 1;
    const WUNTRACED = 2;
    const answer = this.kernel.call(NR.wait4, root, this.block.address, WNOHANG | WUNTRACED, 0);
    if (answer === -ERRNO.ECHILD) this.rootIsGone(UNKNOWN_STATUS);
    if (answer !== root) return;
    const word = this.block.i32[0]!;
    if ((word & 0xff) !== 0x7f) return this.rootIsGone(decodeWaitStatus(word));
    if (!stopToo((word >> 8) & 0xff, desk)) return;
    // The shell that continued us continued our group. The command may have moved to a group of its own.
    const group = this.kernel.call(NR.getpgid, root);
    const own = this.kernel.call(NR.getpgid, 0);
    this.kernel.call(NR.kill, group <= 0 || group === own ? root : -group, SIG.CONT);
  }

  private rootIsGone(status: ExitStatus): void {
    this.status = status;
    this.endedAt = performance.now();
    this.checkAt = this.endedAt + CHECK_MS;
    this.options.desk.forwardTo(0);
    // What came while the command lived was for the command.
    for (const s of FORWARDED) this.options.desk.took(s);
    this.options.rootEnded();
  }

  /** Tells once what is awaited, and notices processes whose end was lost. */
  private lookAtRest(): void {
    const { flow, awaiting, until } = this.options;
    const now = performance.now();
    if (!flow.rootEnded || until === "root") return;
    if (!this.told && now > this.endedAt + AWAIT_MS) {
      this.told = true;
      awaiting(flow.living());
    }
    if (now < this.checkAt) return;
    this.checkAt = now + CHECK_MS;
    const gone = flow.living().filter((pid) => !exists(pid));
    for (const pid of gone) if (this.suspects.includes(pid)) flow.giveUp(pid);
    this.suspects = gone;
  }
}
