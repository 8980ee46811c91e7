// Process lives cut in one pass over the events in time order: what nearly every process needs, which is forked, execs, exits and whose pid
// is used again later at most. A process of which an event comes where it must not (after its exit, before its fork, against the
// kernel's order) is odd: it is named here and left to `cutLives`, which sees all events of one pid together.
import { Float64List, groupRows, Int32List } from "../base/columns.ts";
import { KIND } from "../model/event.ts";
import type { EventTable } from "../model/event_table.ts";
import { ABSENT } from "../model/ids.ts";
import { ACT, BORN, ENDED, entry, EXEC, EXIT, Lives, NOTE, ROLE, SKEW_NS } from "./lives.ts";

/** By kind: 1 where an event says something about a process. */
const CONCERNS = new Uint8Array(256).fill(1);
for (const kind of [KIND.lost, KIND.end, KIND.recording, KIND.source]) CONCERNS[kind] = 0;

/** Linux gives pids up to 4,194,304; twice that for other systems. */
const REAL_PIDS = 1 << 23;

/** A place for everything that is known of one pid. Real pids are their own places, absurd ones are numbered behind them. */
export class PidSlots {
  readonly length: number;
  private readonly real: number;
  private readonly others = new Map<number, number>();

  constructor({ pid, ppid, length }: EventTable) {
    let highest = 0;
    for (let row = 0; row < length; row++) {
      if (pid[row]! > highest) highest = pid[row]!;
      if (ppid[row]! > highest) highest = ppid[row]!;
    }
    this.real = Math.min(highest + 1, REAL_PIDS);
    if (highest >= this.real)
      for (let row = 0; row < length; row++) {
        this.meet(pid[row]!);
        this.meet(ppid[row]!);
      }
    this.length = this.real + this.others.size;
  }

  private meet(pid: number): void {
    if (pid >= this.real && !this.others.has(pid)) this.others.set(pid, this.real + this.others.size);
  }

  /** Of a pid that occurs. */
  of(pid: number): number {
    return pid < this.real ? pid : this.others.get(pid)!;
  }
}

/** Lives under construction, and what events they have. */
export interface Cut {
  readonly events: EventTable;
  /** Rows in time order. */
  readonly order: Uint32Array;
  readonly roots: ReadonlySet<number>;
  readonly slots: PidSlots;
  readonly lives: Lives;
  /** By row: the life that the event is about, and of a fork the one that forked. */
  readonly owner: Int32Array;
  readonly creator: Int32Array;
}

/** Whether a fork is an entry of its parent too: whoever forked a recorded command is outside of the recording. */
function hasParent(parent: number, child: number, roots: ReadonlySet<number>): boolean {
  return parent >= 0 && parent !== child && !roots.has(child);
}

/** The odd processes: by slot, their numbers from 1; 0 for those that are not. Their lives so far are to be forgotten. */
export interface Odd {
  readonly numbers: Int32Array;
  readonly pids: readonly number[];
}

/** Cuts the lives of all processes that are not odd; they come in the order of their first entries. */
export function cutInOrder(cut: Cut): Odd {
  const { events, order, roots, slots, lives, owner, creator } = cut;
  const { ts, seq, kind, pid, ppid } = events;
  const numbers = new Int32Array(slots.length);
  const pids: number[] = [];
  // By slot, 0 for none: one more than its life, than the row of the entry that the kernel puts last, and than that of the last entry
  // of which the order matters; what a process does besides may come in any order while it lives.
  const current = new Int32Array(slots.length);
  const latest = new Int32Array(slots.length);
  const weighty = new Int32Array(slots.length);

  for (let i = 0; i < order.length; i++) {
    const row = order[i]!;
    const p = pid[row]!;
    const k = kind[row]!;
    if (p < 0 || CONCERNS[k] === 0) continue;
    const t = ts[row]!;
    const s = seq[row]!;
    if (k === KIND.fork && hasParent(ppid[row]!, p, roots)) {
      const slot = slots.of(ppid[row]!);
      if (numbers[slot] === 0) {
        const life = current[slot]! - 1;
        const late = isLate(latest[slot]! - 1, t, s, ts, seq);
        if ((life >= 0 && lives.exitRow.get(life) !== ABSENT) || (late && isLate(weighty[slot]! - 1, t, s, ts, seq)))
          numbers[slot] = pids.push(ppid[row]!);
        else {
          if (!late) latest[slot] = row + 1;
          if (life >= 0) creator[row] = life;
          else {
            weighty[slot] = row + 1;
            creator[row] = lives.begin(ppid[row]!, t, ABSENT, entry(i, 0));
            current[slot] = creator[row]! + 1;
          }
        }
      }
    }
    const slot = slots.of(p);
    if (numbers[slot] !== 0) continue;
    const what = ROLE[k]!;
    let life = current[slot]! - 1;
    const light = life >= 0 && (k === KIND.setpgid || k === KIND.setsid);
    const late = isLate(latest[slot]! - 1, t, s, ts, seq);
    let odd = late && (!light || isLate(weighty[slot]! - 1, t, s, ts, seq));
    let begins = life < 0;
    if (!begins) {
      const over = lives.exitRow.get(life) !== ABSENT;
      if (what === BORN) {
        // A fork behind the child's own events, told twice, or of a pid whose process has not ended.
        begins = over && (lives.forkRow.get(life) !== ABSENT || t - lives.start.get(life) > SKEW_NS);
        if (!begins) odd = true;
      } else if (over && what !== NOTE) odd = true;
    }
    if (odd) {
      numbers[slot] = pids.push(p);
      continue;
    }
    if (!late) latest[slot] = row + 1;
    if (!light) weighty[slot] = row + 1;
    if (begins) {
      life = lives.begin(p, t, what === BORN ? row : ABSENT, entry(i, 1));
      current[slot] = life + 1;
    }
    owner[row] = life;
    if (what === EXEC) {
      lives.imageRow.push(row);
      lives.imageLife.push(life);
    } else if (what === EXIT) {
      lives.ended.set(life, ENDED.exit);
      lives.exitRow.set(life, row);
      lives.end.set(life, t);
    } else if (what === ACT && k === KIND.exec_failed) {
      lives.failedRow.push(row);
      lives.failedLife.push(life);
    }
  }
  return { numbers, pids };
}

/** Whether the kernel's order puts an entry before the one that the clock puts last, in row `before`. */
function isLate(before: number, t: number, s: number, ts: Float64Array, seq: Float64Array): boolean {
  return before >= 0 && s < seq[before]! && s !== ABSENT && t - ts[before]! <= SKEW_NS;
}

/** All entries of the odd processes, those of one after the other: of number `g` (from 0) they are `[at[g], at[g + 1])`. */
export function entriesOf(cut: Cut, odd: Odd): { readonly at: Int32Array; readonly entries: Uint32Array } {
  const { events, order, roots, slots } = cut;
  const { pid, ppid, kind } = events;
  const { numbers, pids } = odd;
  const group = new Int32List();
  const found = new Float64List();
  for (let i = 0; i < order.length && pids.length > 0; i++) {
    const row = order[i]!;
    const p = pid[row]!;
    const k = kind[row]!;
    if (p < 0 || CONCERNS[k] === 0) continue;
    if (k === KIND.fork && hasParent(ppid[row]!, p, roots)) {
      const g = numbers[slots.of(ppid[row]!)]!;
      if (g > 0) {
        group.push(g - 1);
        found.push(entry(i, 0));
      }
    }
    const g = numbers[slots.of(p)]!;
    if (g > 0) {
      group.push(g - 1);
      found.push(entry(i, 1));
    }
  }
  const { at, items } = groupRows(group.view(), pids.length);
  return { at, entries: Uint32Array.from(items, (i) => found.get(i)) };
}
