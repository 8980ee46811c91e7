// One pid's events, in time order, cut into process lives: the state machine under `processes.ts`. A pid is not an
// identity, clocks of two CPUs differ by microseconds, and events get lost; this file decides what each case means.
//
//   pid 11   fork──exec────exit      fork──exec─────────      born, ended; the same pid born again
//            └──── life A ────┘      └──── life B ────···
//
//   pid 11        exec──exit         no fork seen: the life begins with its first event
//                 └─ A ─┘
//   pid 11   fork──exec───────fork─  its exit was not seen: a new process has the pid, so the old one had ended
//            └────── A ──────┘└─ B
//   pid 11   exec─fork──exit         the fork came late (a parent's CPU, a call's return): one life, not two
//            └────── A ────┘
import { Float64List, Int32List } from "../base/columns.ts";
import type { EventTable } from "../model/event_table.ts";
import { KIND } from "../model/event.ts";
import { ABSENT } from "../model/ids.ts";

/** How far apart the clocks of two CPUs, or an act and its report, may be: 1 ms. Beyond it, order is believed. */
export const SKEW_NS = 1e6;

/** How many events one look backwards or forwards may pass over: bounds the work on hostile input. */
const MAX_SHIFT = 64;

/** How a life ended. */
export const ENDED = {
  /** No end was seen: it was alive when the recording ended, or its exit was lost. */
  unseen: 0,
  /** By an exit event. */
  exit: 1,
  /** No exit was seen, but its pid was given to a new process: it had ended by then. */
  replaced: 2,
} as const;

/** Lives under construction, in the order of pids; `processes.ts` renumbers them. */
export class Lives {
  readonly pid: Int32List;
  /** Time of the first event. */
  readonly start: Float64List;
  /** NaN while none is known. */
  readonly end: Float64List;
  readonly ended: Int32List;
  readonly forkRow: Int32List;
  readonly exitRow: Int32List;
  /** The smallest of its entries (see `entry`): lives are numbered by it. */
  readonly first: Float64List;
  /** Its successful execs, in order: rows, and which life each belongs to. */
  readonly imageRow: Int32List;
  readonly imageLife: Int32List;
  readonly failedRow = new Int32List();
  readonly failedLife = new Int32List();
  /** Lives that were ended by a new process with their pid. */
  replaced = 0;
  /** Forks that came after the child's own events. */
  lateForks = 0;

  /** `expected`: lives to make room for at first. */
  constructor(expected: number) {
    this.pid = new Int32List(expected);
    this.start = new Float64List(expected);
    this.end = new Float64List(expected);
    this.ended = new Int32List(expected);
    this.forkRow = new Int32List(expected);
    this.exitRow = new Int32List(expected);
    this.first = new Float64List(expected);
    this.imageRow = new Int32List(expected);
    this.imageLife = new Int32List(expected);
  }

  get length(): number {
    return this.pid.length;
  }

  begin(pid: number, start: number, forkRow: number, first: number): number {
    this.pid.push(pid);
    this.start.push(start);
    this.end.push(NaN);
    this.ended.push(ENDED.unseen);
    this.forkRow.push(forkRow);
    this.exitRow.push(ABSENT);
    this.first.push(first);
    return this.pid.length - 1;
  }
}

/**
 * An event seen from one process: its position in time order, and whether the process is the one that forks (0) or the
 * one the event is about (1). Of one fork the parent's comes first, so a parent is numbered before its child.
 */
export function entry(position: number, about: 0 | 1): number {
  return position * 2 + about;
}

/** What an event says about the life of its process. */
export const BORN = 0;
export const EXEC = 1;
export const EXIT = 2;
/** Only a living process does this. */
export const ACT = 3;
/** May be said of a process after its end: reports, blocks of lines, what we do not know. */
export const NOTE = 4;

/** By kind. */
export const ROLE = new Uint8Array(256).fill(NOTE);
ROLE[KIND.fork] = BORN;
ROLE[KIND.exec] = ROLE[KIND.exec_part] = EXEC;
ROLE[KIND.exit] = EXIT;
ROLE[KIND.exec_failed] = ROLE[KIND.setpgid] = ROLE[KIND.setsid] = ACT;

/** Where two events of one process are closer than `SKEW_NS`, the kernel's order outranks the clock. Sorts in place. */
function trustSeq(entries: Uint32Array, from: number, to: number, order: Uint32Array, events: EventTable): void {
  const { ts, seq } = events;
  for (let i = from + 1; i < to; i++) {
    const e = entries[i]!;
    const row = order[e >>> 1]!;
    const s = seq[row]!;
    if (s === ABSENT) continue;
    const t = ts[row]!;
    let j = i;
    while (j > from && i - j < MAX_SHIFT) {
      const before = order[entries[j - 1]! >>> 1]!;
      const bs = seq[before]!;
      if (bs === ABSENT || bs <= s || t - ts[before]! > SKEW_NS) break;
      entries[j] = entries[j - 1]!;
      j--;
    }
    entries[j] = e;
  }
}

/**
 * Cuts the entries `[from, to)` of one pid into lives. Writes, for each event about the process, its life into `owner`
 * and, for each fork it did, its life into `creator` (both by row).
 */
export function cutLives(
  pid: number,
  entries: Uint32Array,
  from: number,
  to: number,
  order: Uint32Array,
  events: EventTable,
  lives: Lives,
  owner: Int32Array,
  creator: Int32Array,
): void {
  trustSeq(entries, from, to, order, events);
  const { ts, kind } = events;
  let life = -1;
  let open = false;
  for (let i = from; i < to; i++) {
    const e = entries[i]!;
    const row = order[e >>> 1]!;
    const t = ts[row]!;
    const about = (e & 1) === 1;
    const what = about ? ROLE[kind[row]!]! : ACT;

    let begins = life < 0;
    if (!begins) {
      const unborn = lives.forkRow.get(life) === ABSENT;
      if (what === BORN) {
        const late = unborn && t - lives.start.get(life) <= SKEW_NS;
        const again = !unborn && open && isSameFork(events, lives.forkRow.get(life), row);
        if (again) {
          // The same fork told twice (two tracepoints, or one file given twice).
        } else if (late && (open || !goesOn(entries, i, to, order, kind))) {
          lives.lateForks++;
          lives.forkRow.set(life, row);
        } else {
          if (open) {
            lives.ended.set(life, ENDED.replaced);
            lives.end.set(life, Math.max(t, lives.start.get(life)));
            lives.replaced++;
          }
          begins = true;
        }
      } else if (!open && what !== NOTE) {
        // After its exit: late by the clocks of two CPUs, or another process whose fork was not seen.
        const near = t - ts[lives.exitRow.get(life)]! <= SKEW_NS;
        begins = !near || (what === EXEC && exitFollows(entries, i, to, order, kind));
      }
    }

    if (begins) {
      open = true;
      life = lives.begin(pid, t, what === BORN ? row : ABSENT, e);
    } else {
      if (t < lives.start.get(life)) lives.start.set(life, t);
      if (e < lives.first.get(life)) lives.first.set(life, e);
    }
    if (!about) {
      creator[row] = life;
      continue;
    }
    owner[row] = life;
    if (what === EXEC) {
      lives.imageRow.push(row);
      lives.imageLife.push(life);
    } else if (kind[row] === KIND.exec_failed) {
      lives.failedRow.push(row);
      lives.failedLife.push(life);
    } else if (what === EXIT && open) {
      open = false;
      lives.ended.set(life, ENDED.exit);
      lives.exitRow.set(life, row);
      lives.end.set(life, Math.max(t, lives.start.get(life)));
    }
  }
}

function isSameFork({ ts, seq, ppid }: EventTable, a: number, b: number): boolean {
  return ts[a] === ts[b] && ppid[a] === ppid[b] && seq[a] === seq[b];
}

/** Whether the process that entry `i` says was born then does anything before the next birth. */
function goesOn(entries: Uint32Array, i: number, to: number, order: Uint32Array, kind: Uint8Array): boolean {
  if (i + 1 >= to) return false;
  const next = entries[i + 1]!;
  return (next & 1) === 0 || ROLE[kind[order[next >>> 1]!]!]! !== BORN;
}

/** Whether the next birth or exit of this pid after entry `i` is an exit. */
function exitFollows(entries: Uint32Array, i: number, to: number, order: Uint32Array, kind: Uint8Array): boolean {
  for (let j = i + 1; j < to && j <= i + MAX_SHIFT; j++) {
    const e = entries[j]!;
    if ((e & 1) === 0) continue;
    const what = ROLE[kind[order[e >>> 1]!]!]!;
    if (what === EXIT) return true;
    if (what === BORN) return false;
  }
  return false;
}
