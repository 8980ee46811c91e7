// Children whose first stop or end comes before their parent's report of the fork (two in five forks on two
// processors). Keeps them until the parent speaks, and knows when it never will. Reads /proc, resumes nobody.
import { parentOf, readText, statusNumber } from "../../host/proc.ts";
import { openKernel } from "../../host/kernel.ts";
import { NR } from "../../host/syscalls.ts";

/** Microseconds, normally. For ever, when the parent was killed inside fork. */
const PATIENCE_NS = 50e6;
/** An end that nobody asked about for so long belongs to an earlier life of a pid that is in use again. */
const STALE_NS = 5e9;

/** How many process groups are remembered whose members were killed. */
const MOST_GROUPS = 256;

interface Held {
  readonly status: number;
  readonly since: number;
  /** Its process group, which is its parent's. */
  readonly pgid: number;
  /** It leads a thread group, so it is a process. */
  readonly leads: boolean;
  /** From /proc; undefined until looked up. */
  tgid: number | undefined;
  ppid: number;
}

interface Ended {
  readonly status: number;
  readonly timestamp: number;
  /** Its parent, as far as it could be seen; 0 when not. */
  readonly ppid: number;
  readonly pgid: number;
  /** Known to have been a process of its own. */
  readonly process: boolean;
}

/** A process whose parent can no longer report it. */
export interface Orphan {
  readonly tid: number;
  readonly ppid: number;
  /** Of its first stop, or of its end. */
  readonly status: number;
  /** Undefined while it lives. */
  readonly endedAt: number | undefined;
}

/** A thread or process that has waited too long for its parent's report. */
export interface Overdue {
  readonly tid: number;
  readonly tgid: number;
  readonly ppid: number;
  /** The member of its process group that was killed last; 0 when nobody was. */
  readonly killedParent: number;
  /** Of its first stop. */
  readonly status: number;
}

export class EarlyBirds {
  private readonly kernel = openKernel();
  private readonly held = new Map<number, Held>();
  private readonly gone = new Map<number, Ended>();
  /** Taken over without the report of a parent that lives, by whom it may still come, late. */
  private readonly adopted = new Map<number, number>();
  /** By process group: its member that was killed last, and so perhaps inside fork. */
  private readonly killed = new Map<number, number>();

  /** Somebody waits for a word of its parent. */
  get holding(): boolean {
    return this.held.size > 0;
  }

  hold(tid: number, status: number, now: number): void {
    const leads = this.kernel.call(NR.tgkill, tid, tid, 0) === 0;
    const pgid = this.kernel.call(NR.getpgid, tid);
    this.held.set(tid, { status, since: now, pgid, leads, tgid: undefined, ppid: 0 });
  }

  /** The parent has spoken: the status of the first stop, if it is being held. */
  release(tid: number): number | undefined {
    const held = this.held.get(tid);
    this.held.delete(tid);
    return held?.status;
  }

  /** An unknown thread has ended. */
  ended(tid: number, status: number, now: number): void {
    const held = this.held.get(tid);
    this.held.delete(tid);
    const process = held?.leads === true;
    const ppid = process ? held.ppid || (parentOf(tid) ?? 0) : 0;
    this.gone.set(tid, { status, timestamp: now, process, ppid, pgid: held?.pgid ?? 0 });
  }

  hasEnded(tid: number, now: number): boolean {
    const gone = this.gone.get(tid);
    return gone !== undefined && !this.held.has(tid) && now - gone.timestamp < STALE_NS;
  }

  takeEnded(tid: number): Ended | undefined {
    const gone = this.gone.get(tid);
    this.gone.delete(tid);
    return gone;
  }

  /** Remembers the parents of those who wait, while the parents may still be there. */
  lookAround(): void {
    for (const [tid, held] of this.held) {
      if (held.tgid !== undefined) continue;
      const status = readText(`/proc/${tid}/status`);
      if (status === undefined) continue;
      held.tgid = statusNumber(status, "Tgid") ?? tid;
      held.ppid = statusNumber(status, "PPid") ?? 0;
    }
  }

  /**
   * A process has ended that may have been killed inside fork: processes that wait, are of its group and whose parent is
   * nobody who lives are its children, and so are those that were killed while they waited. They are given up here, as
   * in `overdue`.
   */
  orphans(ended: number, groups: readonly number[], now: number, lives: (pid: number) => boolean): Orphan[] {
    for (const pgid of groups) {
      this.killed.delete(pgid);
      this.killed.set(pgid, ended);
      if (this.killed.size > MOST_GROUPS) this.killed.delete(this.killed.keys().next().value ?? 0);
    }
    const out: Orphan[] = [];
    for (const [tid, held] of this.held) {
      if (!held.leads || !groups.includes(held.pgid)) continue;
      const ppid = parentOf(tid);
      if (ppid === undefined || (lives(ppid) && held.ppid !== ended)) continue;
      this.held.delete(tid);
      out.push({ tid, ppid, status: held.status, endedAt: undefined });
    }
    for (const [tid, gone] of this.gone) {
      if (!gone.process) {
        // A thread whose process was killed before it could report it.
        if (now - gone.timestamp > STALE_NS) this.gone.delete(tid);
        continue;
      }
      if (!groups.includes(gone.pgid) || (lives(gone.ppid) && gone.ppid !== ended)) continue;
      this.gone.delete(tid);
      out.push({ tid, ppid: gone.ppid, status: gone.status, endedAt: gone.timestamp });
    }
    return out;
  }

  /** Those who have waited too long; they are given up here, and a late report of them is to be ignored. */
  overdue(now: number, lives: (pid: number) => boolean): Overdue[] {
    const out: Overdue[] = [];
    for (const [tid, held] of this.held) {
      if (now - held.since < PATIENCE_NS) continue;
      this.held.delete(tid);
      // The process that forked, or the one whose thread this is, may merely have been kept from running.
      const creator = held.leads ? held.ppid : (held.tgid ?? 0);
      if (lives(creator)) this.adopted.set(tid, creator);
      const killedParent = this.killed.get(held.pgid) ?? 0;
      out.push({ tid, tgid: held.tgid ?? tid, ppid: held.ppid, killedParent, status: held.status });
    }
    return out;
  }

  /** Whether this report comes late: the child was taken over without it (and may have ended since). */
  isLate(child: number, creator: number): boolean {
    const awaited = this.adopted.get(child);
    this.adopted.delete(child);
    return awaited === creator;
  }

  /** No report of this process can come any more. */
  forget(creator: number): void {
    for (const [tid, of] of this.adopted) if (of === creator) this.adopted.delete(tid);
  }

  /**
   * Processes that were seen held, ended, and were never reported. Others that ended unseen are threads, or children
   * that this process had before it became tk.
   */
  rest(): { pid: number; parent: number; status: number; timestamp: number }[] {
    const out: { pid: number; parent: number; status: number; timestamp: number }[] = [];
    for (const [pid, gone] of this.gone)
      if (gone.process) out.push({ pid, parent: this.killed.get(gone.pgid) ?? 0, ...gone });
    return out;
  }
}
