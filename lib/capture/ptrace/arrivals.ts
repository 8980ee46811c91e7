// How processes and threads come to be known: by their parent's report, or without it when the parent was killed inside
// fork. Writes the forks; resuming is the tracer's, which is told of each first stop that was held back.
import type { RecordingWriter } from "../../format/recording_writer.ts";
import { openKernel } from "../../host/kernel.ts";
import { parentOf } from "../../host/proc.ts";
import { NR } from "../../host/syscalls.ts";
import { ABSENT } from "../../model/ids.ts";
import { decodeWaitStatus } from "../../model/status.ts";
import type { EarlyBirds, Overdue } from "./early_birds.ts";
import { EVENT } from "./request.ts";
import type { Process, Task, Tasks } from "./tasks.ts";

/** The kernel's word on the process group; false when it has none any more, because the process has been reaped. */
export function readGroup(process: Process): boolean {
  const pgid = openKernel().call(NR.getpgid, process.pid);
  if (pgid >= 0) process.pgid = pgid;
  return pgid >= 0;
}

export class Arrivals {
  private readonly kernel = openKernel();
  private readonly tasks: Tasks;
  private readonly early: EarlyBirds;
  private readonly writer: RecordingWriter;
  private readonly firstStop: (task: Task, status: number) => void;
  private readonly letGo: (tid: number) => void;

  constructor(
    tasks: Tasks,
    early: EarlyBirds,
    writer: RecordingWriter,
    firstStop: (task: Task, status: number) => void,
    letGo: (tid: number) => void,
  ) {
    this.tasks = tasks;
    this.early = early;
    this.writer = writer;
    this.firstStop = firstStop;
    this.letGo = letGo;
  }

  /** A traced thread has reported a child. */
  announce(parent: Task, child: number, event: number, timestamp: number): void {
    // A child of clone(2) may be a thread or, with an exit signal other than SIGCHLD, a process: the kernel knows.
    const thread =
      event === EVENT.CLONE &&
      (this.early.hasEnded(child, timestamp) || this.kernel.call(NR.tgkill, parent.process.pid, child, 0) === 0);
    if (thread) {
      if (this.early.takeEnded(child) !== undefined) return;
      this.tasks.addThread(child, parent.process);
    } else {
      const parentPgid = this.kernel.call(NR.getpgid, parent.process.pid);
      const ended = this.early.hasEnded(child, timestamp) ? this.early.takeEnded(child) : undefined;
      if (ended !== undefined) {
        this.writeEarly(child, parent.process.pid, parentPgid, ended.status, ended.timestamp);
        return;
      }
      this.addProcess(child, parent.process, parentPgid, event, timestamp);
    }
    const held = this.early.release(child);
    if (held !== undefined) this.firstStop(this.tasks.get(child)!, held);
  }

  private addProcess(child: number, creator: Process, creatorPgid: number, event: number, timestamp: number): void {
    if (creatorPgid >= 0) creator.pgid = creatorPgid;
    // Only clone(2) can make a sibling (CLONE_PARENT); its parent is then not its creator.
    const real = event === EVENT.CLONE ? parentOf(child) : undefined;
    const isChild = real === undefined || real === creator.pid;
    const parent = isChild ? creator : this.tasks.get(real)?.process;
    const process = this.tasks.addProcess(child, isChild ? creator.pid : real, parent).process;
    readGroup(process);
    if (process.pgid === ABSENT) process.pgid = creator.pgid;
    this.writer.fork(timestamp, creator.pid, child, creatorPgid >= 0 ? creatorPgid : ABSENT);
  }

  /** A process that had ended before its parent reported it, or that nobody ever reported. */
  writeEarly(pid: number, parent: number, parentPgid: number, status: number, timestamp: number): void {
    const { writer } = this;
    this.tasks.total++;
    writer.fork(timestamp, parent, pid, parentPgid >= 0 ? parentPgid : ABSENT);
    const ended = decodeWaitStatus(status);
    const signal = ended.how === "signaled" ? ended.signal : 0;
    const core = ended.how === "signaled" && ended.coreDumped;
    writer.exit(timestamp, pid, parent, ABSENT, ended.how === "exited" ? ended.code : 0, signal, core, undefined);
  }

  /** A held thread whose parent can no longer report it, because it was killed inside fork. */
  adopt({ tid, tgid, ppid, killedParent, status }: Overdue, timestamp: number): void {
    const leader = this.tasks.get(tgid);
    if (tgid !== tid) {
      // Without its process nothing of it can be told; its next stop asks again.
      if (leader === undefined) return this.letGo(tid);
      this.tasks.addThread(tid, leader.process);
    } else {
      const parent = this.tasks.get(ppid)?.process;
      const process = this.tasks.addProcess(tid, ppid, parent).process;
      readGroup(process);
      const creator = parent === undefined && killedParent > 0 ? killedParent : ppid;
      this.writer.fork(timestamp, creator, tid, parent?.pgid ?? ABSENT);
    }
    this.firstStop(this.tasks.get(tid)!, status);
  }

  /**
   * The children that an ended process could not report any more are told as its own, before its end. `groups`: those
   * that it may have been in.
   */
  claimOrphans(ended: Process, groups: readonly number[], timestamp: number): void {
    const lives = (pid: number) => this.tasks.get(pid) !== undefined;
    for (const o of this.early.orphans(ended.pid, groups, timestamp, lives)) {
      if (o.endedAt !== undefined) {
        this.writeEarly(o.tid, ended.pid, ended.pgid, o.status, o.endedAt);
        continue;
      }
      const process = this.tasks.addProcess(o.tid, o.ppid, this.tasks.get(o.ppid)?.process).process;
      readGroup(process);
      this.writer.fork(timestamp, ended.pid, o.tid, ended.pgid);
      this.firstStop(this.tasks.get(o.tid)!, o.status);
    }
  }
}
