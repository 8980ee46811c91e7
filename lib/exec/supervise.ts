// tk stays the program's parent: signals are handed on, stops are mirrored, orphans of a container are waited for, and the
// program's end becomes tk's own, once the reporter has delivered.
import type { Inherited } from "../capture/launch/inherited.ts";
import type { HeldCommand } from "../capture/launch/start_held.ts";
import { stopToo } from "../capture/ptrace/mirror_stop.ts";
import { ERRNO } from "../host/errno.ts";
import { openKernel } from "../host/kernel.ts";
import { Block } from "../host/memory.ts";
import { setDisposition, SIG, SignalDesk } from "../host/signals.ts";
import { NR } from "../host/syscalls.ts";
import { decodeWaitStatus, UNKNOWN_STATUS, type ExitStatus } from "../model/status.ts";

const SIGABRT = 6;
const SIGVTALRM = 26;
const SIGWINCH = 28;
const SIGIO = 29;
const FIRST_REALTIME = 34;
const LAST_SIGNAL = 64;

/**
 * Everything that can be caught and that people and programs send to tell a program something. Not those that report a
 * fault of tk itself, nor those that stop it: job control is mirrored.
 */
const HANDED_ON: readonly number[] = [
  SIG.HUP,
  SIG.INT,
  SIG.QUIT,
  SIGABRT,
  SIG.USR1,
  SIG.USR2,
  SIG.ALRM,
  SIG.TERM,
  SIG.TSTP,
  SIGVTALRM,
  SIGWINCH,
  SIGIO,
  ...Array.from({ length: LAST_SIGNAL - FIRST_REALTIME + 1 }, (_, i) => FIRST_REALTIME + i),
];

const ENDS: ReadonlySet<number> = new Set([SIG.HUP, SIG.INT, SIG.QUIT, SIG.TERM]);

/** How long the reporter may take to deliver after the program has ended. */
const DELIVERY_MS = 15_000;

const WALL = 0x40000000;
const WNOHANG = 1;
const WUNTRACED = 2;
const WCONTINUED = 8;
const CONTINUED = 0xffff;

/** Before the program exists, so that no signal that is meant for it is missed. */
export function openProgramDesk(inherited: Inherited): SignalDesk {
  const kernel = openKernel();
  const desk = new SignalDesk();
  const leadsSession = kernel.call(NR.getsid, 0) === kernel.call(NR.getpid);
  for (const s of HANDED_ON) {
    // What was ignored when we were started (nohup) stays so, here as in the program.
    if (inherited.ignored.has(s)) continue;
    // The terminal signals the program itself, as a member of the same process group; but its hang-up only the
    // session's leader. An alarm that was set before tk took this process's place was meant for the program.
    desk.forward(s, s === SIG.ALRM || (s === SIG.HUP && leadsSession));
    desk.note(s);
  }
  desk.note(SIG.CONT);
  // Where it is ignored, nobody learns how a child ended; what the program inherits is put back before it starts.
  setDisposition(SIG.CHLD, "default");
  for (const s of [SIG.TTIN, SIG.TTOU, SIG.PIPE, SIG.XFSZ]) setDisposition(s, "ignore");
  return desk;
}

export class Supervisor {
  private readonly kernel = openKernel();
  private readonly block = new Block(64);
  private readonly desk: SignalDesk;
  private readonly program: HeldCommand;
  private readonly inherited: Inherited;
  /** 0 when there is none, or none any more. */
  private reporter: number;
  private status: ExitStatus | undefined;
  private giveUpAt = Infinity;

  constructor(program: HeldCommand, reporter: number, desk: SignalDesk, inherited: Inherited) {
    this.program = program;
    this.reporter = reporter;
    this.desk = desk;
    this.inherited = inherited;
  }

  /** Lets the program go and waits for its end, and then for the reporter's. */
  run(): ExitStatus {
    const { desk, program } = this;
    desk.forwardTo(program.pid);
    // What came while there was nobody to hand it to.
    for (const s of HANDED_ON) if (desk.took(s)) this.kernel.call(NR.kill, program.pid, s);
    program.release();
    while (this.status === undefined || this.reporter !== 0) if (!this.step()) break;
    desk.close();
    return this.status ?? UNKNOWN_STATUS;
  }

  private wait(pid: number, flags: number): number {
    return this.kernel.call(NR.wait4, pid, this.block.address, WALL | flags, 0);
  }

  /** False when there is nothing more to wait for. */
  private step(): boolean {
    const pid = this.wait(-1, WUNTRACED);
    if (pid === -ERRNO.ECHILD) return false;
    if (pid === -ERRNO.EINTR) return this.interrupted();
    const status = this.block.i32[0]!;
    const hasStopped = (status & 0xff) === 0x7f;
    if (pid === this.program.pid) {
      if (hasStopped) this.stopped((status >> 8) & 0xff);
      else this.ended(decodeWaitStatus(status));
    } else if (pid === this.reporter && !hasStopped) this.reporter = 0;
    return true;
  }

  private interrupted(): boolean {
    const { desk } = this;
    desk.rest();
    desk.took(SIG.URG);
    const took = HANDED_ON.filter((s) => desk.took(s));
    // While the program lives, a signal is for the program alone; then it means that nobody wants to wait any longer.
    if (this.status === undefined) return true;
    const rest = this.giveUpAt - performance.now();
    if (rest <= 0 || took.some((s) => ENDS.has(s))) return false;
    desk.wakeAfter(rest);
    return true;
  }

  private ended(status: ExitStatus): void {
    this.status = status;
    this.desk.forwardTo(0);
    // Ctrl-Z now stops tk as it would any program that waits.
    for (const s of [SIG.TSTP, SIG.TTIN]) if (!this.inherited.ignored.has(s)) setDisposition(s, "default");
    if (this.reporter === 0) return;
    for (const s of HANDED_ON) this.desk.took(s);
    this.giveUpAt = performance.now() + DELIVERY_MS;
    this.desk.wakeAfter(DELIVERY_MS);
  }

  /** Stops tk as well, so that the shell notices; when tk goes on, the program does. */
  private stopped(signal: number): void {
    if (!stopToo(signal, this.desk)) return;
    const { pid } = this.program;
    // A shell continues the whole group, the program included: then there is nothing to do.
    const word = this.wait(pid, WNOHANG | WCONTINUED) === pid ? this.block.i32[0]! : 0;
    if (word === CONTINUED) return;
    const group = this.kernel.call(NR.getpgid, pid);
    const own = this.kernel.call(NR.getpgid, 0);
    this.kernel.call(NR.kill, group <= 0 || group === own ? pid : -group, SIG.CONT);
  }
}
