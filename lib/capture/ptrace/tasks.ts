// The threads that are traced and the processes they belong to, as the tracer knows them. Facts only: no system calls.
import { ABSENT } from "../../model/ids.ts";
import { CALL } from "./seccomp_filter.ts";

/** One process life. */
export interface Process {
  readonly pid: number;
  /** Who is to be told as parent; what it was at the fork, until that process has ended. */
  ppid: number;
  /** The life of the parent; undefined for the root, where the parent is not traced, and once this process has ended. */
  parent: Process | undefined;
  pgid: number;
  sid: number;
  threads: number;
  /** It has had more than one thread. */
  threaded: boolean;
  ended: boolean;
}

/** One thread. In complete mode it remembers the call that it is in. */
export interface Task {
  readonly tid: number;
  readonly process: Process;
  call: number;
  readonly words: [number, number, number];
}

export class Tasks {
  private readonly byTid = new Map<number, Task>();
  /** Processes that have not ended. */
  alive = 0;
  /** Processes ever seen. */
  total = 0;

  get(tid: number): Task | undefined {
    return this.byTid.get(tid);
  }

  addProcess(pid: number, ppid: number, parent: Process | undefined): Task {
    this.alive++;
    this.total++;
    return this.addThread(pid, {
      pid,
      ppid,
      parent,
      pgid: ABSENT,
      sid: ABSENT,
      threads: 0,
      threaded: false,
      ended: false,
    });
  }

  addThread(tid: number, process: Process): Task {
    process.threads++;
    if (process.threads > 1) process.threaded = true;
    const task: Task = { tid, process, call: CALL.none, words: [0, 0, 0] };
    this.byTid.set(tid, task);
    return task;
  }

  /** The thread has ended; true when its process has ended with it. */
  remove(task: Task): boolean {
    this.byTid.delete(task.tid);
    task.process.threads--;
    if (task.tid !== task.process.pid) return false;
    task.process.ended = true;
    this.alive--;
    return true;
  }

  /** An exec has ended every other thread of the process. */
  keepOnly(task: Task): void {
    if (task.process.threads > 1)
      for (const [tid, other] of this.byTid)
        if (other.process === task.process && other !== task) this.byTid.delete(tid);
    task.process.threads = 1;
  }

  /** Processes that have not ended, in the order in which they began. */
  *living(): Generator<Process> {
    for (const task of this.byTid.values()) if (task.tid === task.process.pid) yield task.process;
  }
}
