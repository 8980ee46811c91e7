// The tracer: one thread that starts nothing, waits for stops of the traced threads, writes what they mean and lets
// them go on. The rules and why they are so: docs/recording.md and the ptrace(2) manual. It must never leave a stopped
// thread behind, must not allocate or decide more than a stop needs, and must not end while a filter needs it.
import { ERRNO } from "../../host/errno.ts";
import { openKernel } from "../../host/kernel.ts";
import { Block } from "../../host/memory.ts";
import { parentOf } from "../../host/proc.ts";
import { NR } from "../../host/syscalls.ts";
import { SIG, type SignalDesk } from "../../host/signals.ts";
import { sleepMs, type Clock } from "../../host/clock.ts";
import type { ExitUsage } from "../../format/recording_writer.ts";
import { ABSENT } from "../../model/ids.ts";
import { decodeWaitStatus, UNKNOWN_STATUS, type ExitStatus } from "../../model/status.ts";
import type { HeldCommand } from "../launch/start_held.ts";
import type { RecordingOutput } from "../recording_output.ts";
import { Arrivals, readGroup } from "./arrivals.ts";
import { CallStops } from "./call_stops.ts";
import { EarlyBirds } from "./early_birds.ts";
import { EchoFilter, FORWARDED } from "./echo_filter.ts";
import { ExecWords } from "./exec_words.ts";
import { isStopSignal, mirrorStop } from "./mirror_stop.ts";
import { EVENT, INFO, PTRACE, SYSCALL_STOP, USAGE, WAIT_FLAGS, WNOHANG } from "./request.ts";
import { CALL } from "./seccomp_filter.ts";
import { Tasks, type Process, type Task } from "./tasks.ts";
import { TraceeMemory } from "./tracee_memory.ts";

export interface TracerOptions {
  readonly command: HeldCommand;
  readonly output: RecordingOutput;
  readonly clock: Clock;
  readonly desk: SignalDesk;
  readonly until: "tree" | "root";
  /** Whether the loop may end while processes live on (events mode): they are let go unharmed. */
  readonly mayLeave: boolean;
  /** The command has ended and these have not, for a second by now, or again when a signal asks. */
  readonly awaiting: (living: readonly Process[]) => void;
  /** Called once, when the root has ended. */
  readonly rootEnded: () => void;
  /** Children of ours that are no part of the command; their end is not recorded. */
  readonly companions: readonly number[];
  /** Writes what they have sent; never waits. Called when there is nothing else to do. */
  readonly takeReports?: () => void;
  /** A process has become another program, and stands still until this returns. */
  readonly executed?: (pid: number, timestamp: number) => void;
  readonly processEnded?: (pid: number, timestamp: number) => void;
}

export interface TraceResult {
  readonly status: ExitStatus;
  /** The command never came to run: its errno, else 0. */
  readonly execErrno: number;
  readonly processes: number;
  /** Processes that were let go while they lived. */
  readonly left: number;
}

/** How long after the root's end the user is told what is awaited. */
const AWAIT_MS = 1000;

export class Tracer {
  private readonly kernel = openKernel();
  private readonly options: TracerOptions;
  private readonly root: number;
  private readonly tasks = new Tasks();
  private readonly early = new EarlyBirds();
  private readonly echoes: EchoFilter;
  private readonly arrivals: Arrivals;
  private readonly memory = new TraceeMemory();
  private readonly words: ExecWords;
  private readonly calls: CallStops;
  private readonly block = new Block(1024);
  private readonly status = this.block.reserve(16);
  private readonly usage = this.block.reserve(USAGE.SIZE);
  private readonly message = this.block.reserve(16);
  private readonly info = this.block.reserve(INFO.SIZE);
  private readonly link = new Block(8192);
  private readonly exitUsage: ExitUsage = { utime_ns: 0, stime_ns: 0, max_rss_kb: 0 };
  private readonly now: () => number;
  /** Events before the first exec belong to the starter, not to the command. */
  private started = false;
  private rootStatus: ExitStatus = UNKNOWN_STATUS;
  private execErrno = 0;
  private rootAlive = true;
  private finished = false;
  private awaitAt = Infinity;

  constructor(options: TracerOptions) {
    this.options = options;
    this.root = options.command.pid;
    this.now = () => options.clock.now();
    this.words = new ExecWords(this.memory, options.output.writer);
    this.calls = new CallStops(this.words, options.output.writer);
    this.echoes = new EchoFilter(options.desk);
    this.arrivals = new Arrivals(
      this.tasks,
      this.early,
      options.output.writer,
      (task, status) => this.firstOrGroupStop(task, status),
      (tid) => this.resume(tid),
    );
  }

  /** The root is seized and held; it is let go here. */
  run(): TraceResult {
    const { command, output, desk } = this.options;
    const own = this.kernel.call(NR.getpid);
    const root = this.tasks.addProcess(this.root, own, undefined).process;
    readGroup(root);
    const group = this.kernel.call(NR.getpgid, 0);
    desk.forwardTo(this.root);
    // What came while there was nobody to hand it to.
    for (const s of FORWARDED) if (desk.took(s)) this.kernel.call(NR.kill, this.root, s);
    // The command's life begins when it is let go: what came before is tk's own start.
    output.writer.fork(this.now(), own, this.root, group);
    command.release();
    this.loop();
    for (const b of this.early.rest()) this.arrivals.writeEarly(b.pid, b.parent, ABSENT, b.status, b.timestamp);
    desk.forwardTo(0);
    return {
      status: this.rootStatus,
      execErrno: this.execErrno,
      processes: this.tasks.total,
      left: this.tasks.alive,
    };
  }

  private loop(): void {
    const { output } = this.options;
    const statusAt = this.block.at(this.status);
    const usageAt = this.block.at(this.usage);
    const wait = (flags: number) => this.kernel.call(NR.wait4, -1, statusAt, WAIT_FLAGS | flags, usageAt);
    let idle = false;
    while (this.tasks.alive > 0 && !this.finished) {
      const mayBlock = !this.early.holding && (idle || !output.pending);
      const pid = wait(mayBlock ? 0 : WNOHANG);
      if (pid > 0) {
        idle = false;
        this.handle(pid, this.block.i32[this.status >> 2]!);
        output.spill(this.now);
      } else if (pid === 0) {
        // Nothing to do: the moment to write. While a child waits for its parent's word, look again soon.
        this.options.takeReports?.();
        output.flush(this.now);
        if (this.early.holding) this.pause();
        else idle = true;
      } else if (pid === -ERRNO.EINTR) {
        this.interrupted();
        idle = false;
      } else if (pid === -ERRNO.ECHILD) return this.lostTrack();
    }
  }

  /** The kernel says that nobody is left, though not everybody was seen to end. */
  private lostTrack(): void {
    const { writer } = this.options.output;
    writer.lost(this.now(), this.tasks.alive, "the end of these processes was not reported by the kernel");
  }

  private pause(): void {
    this.early.lookAround();
    sleepMs(1);
    for (const b of this.early.overdue(this.now(), (pid) => this.tasks.get(pid) !== undefined))
      this.arrivals.adopt(b, this.now());
  }

  /** A signal of ours came; the machine code has handed it on to the command where that is its meaning. */
  private interrupted(): void {
    const { desk } = this.options;
    desk.rest();
    if (desk.took(SIG.URG)) this.options.takeReports?.();
    // While the command lives, a signal is for the command alone.
    if (this.rootAlive) return this.echoes.forget();
    const asked = this.askedToEnd();
    if (asked && this.options.mayLeave) this.finished = true;
    else if (asked || this.now() >= this.awaitAt) {
      this.awaitAt = Infinity;
      this.options.awaiting([...this.tasks.living()]);
    } else if (this.awaitAt !== Infinity) desk.wakeAfter((this.awaitAt - this.now()) / 1e6);
  }

  private askedToEnd(): boolean {
    const { desk } = this.options;
    let asked = false;
    for (const s of [SIG.INT, SIG.QUIT, SIG.TERM, SIG.HUP]) if (desk.took(s)) asked = true;
    return asked;
  }

  private request(request: number, tid: number, data = 0): number {
    return this.kernel.call(NR.ptrace, request, tid, 0, data);
  }

  /** A failure means that the thread is dying, which wait4 will report. */
  private resume(tid: number, signal = 0): void {
    this.request(PTRACE.CONT, tid, signal);
  }

  private eventMessage(tid: number): number {
    this.block.setWord(this.message, 0);
    this.request(PTRACE.GETEVENTMSG, tid, this.block.at(this.message));
    return this.block.word(this.message);
  }

  private readInfo(tid: number): boolean {
    return this.kernel.call(NR.ptrace, PTRACE.GET_SYSCALL_INFO, tid, INFO.SIZE, this.block.at(this.info)) > 0;
  }

  private handle(tid: number, status: number): void {
    if ((status & 0x7f) !== 0x7f) return this.ended(tid, status);
    const task = this.tasks.get(tid);
    if (task === undefined) {
      // The child was quicker than its parent's report. It waits here, so that its fork is written before what it does.
      this.early.hold(tid, status, this.now());
      return;
    }
    const signal = (status >> 8) & 0xff;
    switch (status >>> 16) {
      case EVENT.NONE:
        if (signal === SYSCALL_STOP) this.callEnded(task);
        else this.resume(tid, task.process.pid === this.root ? this.echoes.deliver(tid, signal, this.now()) : signal);
        return;
      case EVENT.FORK:
      case EVENT.VFORK:
      case EVENT.CLONE:
        return this.forked(task, status >>> 16);
      case EVENT.EXEC:
        return this.executed(task);
      case EVENT.SECCOMP:
        if (this.readInfo(tid)) this.calls.begin(task, this.block, this.info);
        this.request(PTRACE.SYSCALL, tid);
        return;
      case EVENT.STOP:
        return this.firstOrGroupStop(task, status);
      default:
        this.resume(tid);
    }
  }

  private callEnded(task: Task): void {
    const call = task.call;
    if (call !== CALL.none && this.started && this.readInfo(task.tid)) {
      const moved = this.calls.end(task, this.block, this.info, this.now(), (pid) => this.tasks.get(pid)?.process);
      if (moved !== undefined) this.writeGroupChange(moved, call);
    }
    task.call = CALL.none;
    this.resume(task.tid);
  }

  private writeGroupChange(moved: Process, call: number): void {
    readGroup(moved);
    const { writer } = this.options.output;
    if (call === CALL.setsid)
      writer.setsid(this.now(), moved.pid, this.parentPid(moved), moved.pgid, this.kernel.call(NR.getsid, moved.pid));
    else writer.setpgid(this.now(), moved.pid, this.parentPid(moved), moved.pgid);
  }

  private firstOrGroupStop(task: Task, status: number): void {
    const signal = (status >> 8) & 0xff;
    if (status >>> 16 !== EVENT.STOP) return this.resume(task.tid, status >>> 16 === EVENT.NONE ? signal : 0);
    if (!isStopSignal(signal)) return this.resume(task.tid);
    // Stays stopped, but tells us when it is continued.
    this.request(PTRACE.LISTEN, task.tid);
    if (task.tid !== this.root) return;
    this.options.output.flush(this.now);
    const after = mirrorStop(this.root, signal, this.options.desk, this.block, this.status, this.usage);
    if (after !== undefined) this.handle(this.root, after);
  }

  private forked(parent: Task, event: number): void {
    const child = this.eventMessage(parent.tid);
    const timestamp = this.now();
    if (child > 0 && !this.early.isLate(child, parent.process.pid)) {
      const known = this.tasks.get(child);
      if (known === undefined) this.arrivals.announce(parent, child, event, timestamp);
    }
    this.resume(parent.tid);
  }

  private executed(task: Task): void {
    const process = task.process;
    this.tasks.keepOnly(task);
    task.call = CALL.none;
    this.started = true;
    readGroup(process);
    const { writer } = this.options.output;
    const sid = this.kernel.call(NR.getsid, process.pid);
    process.sid = sid >= 0 ? sid : process.sid;
    const timestamp = this.now();
    writer.beginExec(timestamp, process.pid, this.parentPid(process), process.pgid, process.sid);
    if (this.readInfo(task.tid)) {
      const stack = this.block.word(this.info + INFO.stackPointer);
      const wide = (this.block.u32[(this.info + INFO.arch) >> 2]! & 0x80000000) !== 0 && stack >= 4294967296;
      this.words.writeFresh(task.tid, stack, wide ? 8 : 4);
    }
    this.writeWorkingDirectory(process.pid);
    writer.finish();
    this.options.executed?.(process.pid, timestamp);
    // Not its exit stop: that an exec succeeded is known.
    this.resume(task.tid);
  }

  private writeWorkingDirectory(pid: number): void {
    const path = `/proc/${pid}/cwd`;
    const { bytes } = this.link;
    for (let i = 0; i < path.length; i++) bytes[i] = path.charCodeAt(i);
    bytes[path.length] = 0;
    const at = 64;
    const atCwd = -100;
    const n = this.kernel.call(NR.readlinkat, atCwd, this.link.address, this.link.at(at), bytes.length - at);
    if (n > 0) this.options.output.writer.cwd(bytes, at, at + n);
  }

  private ended(tid: number, status: number): void {
    const timestamp = this.now();
    const task = this.tasks.get(tid);
    // What it has sent last is taken now: nothing else would wake us for it.
    if (task === undefined && this.options.companions.includes(tid)) return this.options.takeReports?.();
    if (task === undefined) return this.early.ended(tid, status, timestamp);
    if (!this.tasks.remove(task)) return;
    const process = task.process;
    // Its parent may have reaped it already. Whoever changed its group unseen has made it, most likely, the leader of one.
    const groups = readGroup(process) ? [process.pgid] : [process.pgid, tid];
    this.early.forget(tid);
    const how = decodeWaitStatus(status);
    // Only a process that is killed, or ended by another of its threads, can end inside fork.
    if (how.how === "signaled" || process.threaded) this.arrivals.claimOrphans(process, groups, timestamp);
    const { block, usage, exitUsage } = this;
    exitUsage.utime_ns = block.word(usage + USAGE.utimeSeconds) * 1e9 + block.word(usage + USAGE.utimeMicros) * 1e3;
    exitUsage.stime_ns = block.word(usage + USAGE.stimeSeconds) * 1e9 + block.word(usage + USAGE.stimeMicros) * 1e3;
    exitUsage.max_rss_kb = block.word(usage + USAGE.maxRss);
    this.options.output.writer.exit(
      timestamp,
      tid,
      this.parentPid(process),
      process.pgid,
      how.how === "exited" ? how.code : 0,
      how.how === "signaled" ? how.signal : 0,
      how.how === "signaled" && how.coreDumped,
      exitUsage,
    );
    this.options.processEnded?.(tid, timestamp);
    // A chain of daemons that fork and end must not keep every generation in memory.
    process.parent = undefined;
    if (tid === this.root) this.rootHasEnded(how);
  }

  private rootHasEnded(status: ExitStatus): void {
    this.rootAlive = false;
    this.rootStatus = status;
    if (!this.started && status.how === "exited") this.execErrno = this.options.command.execErrno();
    this.options.desk.forwardTo(0);
    this.echoes.forget();
    this.options.rootEnded();
    if (this.options.until === "root") this.finished = true;
    else if (this.tasks.alive > 0) {
      this.awaitAt = this.now() + AWAIT_MS * 1e6;
      this.options.desk.wakeAfter(AWAIT_MS);
    }
  }

  /** A process whose parent has ended has been given to another; who that is, only /proc knows. */
  private parentPid(process: Process): number {
    if (process.parent?.ended === true) {
      process.ppid = parentOf(process.pid) ?? process.ppid;
      process.parent = this.tasks.get(process.ppid)?.process;
    }
    return process.ppid;
  }
}
