// Process lives of a recording, as columns: one row per life (its index is the identity), numbered by first event. Everything
// else that is derived starts here. Input order does not matter; nothing here is an error, every odd case has a meaning
// (`lives.ts` says which). It must stay O(n log n) and free of objects per event: two million processes are normal.
//
//   time ───▶
//   10  exec sh──fork 11──────────────────exit 0     life 0   parent none   images: sh
//   11           fork──exec cc──exec as───exit 1     life 1   parent 0      images: cc, as
//   12                  (exec seen, no fork)──···    life 2   parent by its recorded ppid, end unseen
import { groupRows, Int32List } from "../base/columns.ts";
import { KIND } from "../model/event.ts";
import { eventAt, exitStatusAt, type Rows } from "../model/event_at.ts";
import type { EventTable } from "../model/event_table.ts";
import { ABSENT } from "../model/ids.ts";
import { type ExitStatus, UNKNOWN_STATUS } from "../model/status.ts";
import { cutLives, entry, Lives, SKEW_NS } from "./lives.ts";
import { timeOrder } from "./time_order.ts";

export { ENDED } from "./lives.ts";

export interface Processes {
  /** Lives. A life is its index, a number below this. */
  readonly length: number;
  readonly events: EventTable;
  /** Rows of `events` in time order; rows without a timestamp are missing. */
  readonly order: Uint32Array;
  /** By event row: the life the event belongs to (of a fork: the child's), ABSENT for none. */
  readonly owner: Int32Array;
  /** Times of the earliest and latest event; 0 both when there is none. */
  readonly firstTime: number;
  readonly lastTime: number;

  readonly pid: Int32Array;
  /** Life of its creator, ABSENT when not recorded. Adoption changes nothing here. */
  readonly parent: Int32Array;
  /** First event of the life: its fork when that was seen. */
  readonly start: Float64Array;
  /** NaN when no end was seen. Never before `start`. */
  readonly end: Float64Array;
  /** One of `ENDED`. */
  readonly ended: Uint8Array;
  /** Row of its fork, ABSENT when not seen: it began before the recording or the event was lost. */
  readonly forkRow: Int32Array;
  /** Row of its exit, ABSENT when not seen. */
  readonly exitRow: Int32Array;
  /** Successful execs: those of life `p` are `[imageAt[p], imageAt[p + 1])`. */
  readonly imageAt: Int32Array;
  /** Row of each successful exec. */
  readonly imageRow: Int32Array;
  /** When each image began: in order, within the life. It lasts until the next one or the life's end. */
  readonly imageStart: Float64Array;
  /** Failed execs: those of life `p` are rows `failedRow[failedAt[p] .. failedAt[p + 1])`. */
  readonly failedAt: Int32Array;
  readonly failedRow: Int32Array;

  /** Lives whose exit was not seen but whose pid was taken by a new process. */
  readonly replaced: number;
  /** Forks that were told after events of the child. */
  readonly lateForks: number;
  /** Parent links that were dropped because they led back to the life itself (impossible data). */
  readonly brokenLinks: number;
}

export interface ProcessesOptions {
  /** Pid of the recorded command (of each, when several recordings were merged): whoever forked it is outside the recording and gets no life for that alone. */
  readonly rootPid?: number | readonly number[] | undefined;
}

/** Pids of the recorded commands, one of each header that names one. */
export function rootPidsOf(recording: Rows): number[] {
  const { kind, length } = recording.events;
  const pids: number[] = [];
  for (let row = kind.indexOf(KIND.recording); row >= 0 && row < length; row = kind.indexOf(KIND.recording, row + 1)) {
    const event = eventAt(recording, row);
    if (event.kind === "recording" && event.header.root_pid !== undefined) pids.push(event.header.root_pid);
    if (pids.length >= MOST_ROOTS) break;
  }
  return pids;
}

/** A file with more headers than this is no merge of recordings. */
const MOST_ROOTS = 1000;

/** By table, for as long as it has not grown. */
const known = new WeakMap<EventTable, { readonly rows: number; readonly processes: Processes }>();

/** What `processesOf` will answer for the table as it is now. */
export function rememberProcesses(events: EventTable, processes: Processes): void {
  known.set(events, { rows: events.length, processes });
}

/** The processes of a recording as it was read; derived once. */
export function processesOf(recording: Rows): Processes {
  const { events } = recording;
  const before = known.get(events);
  if (before !== undefined && before.rows === events.length) return before.processes;
  const processes = deriveProcesses(events, { rootPid: rootPidsOf(recording) });
  rememberProcesses(events, processes);
  return processes;
}

export function deriveProcesses(events: EventTable, options: ProcessesOptions = {}): Processes {
  const order = timeOrder(events);
  const { length, ts } = events;
  const roots = new Set(typeof options.rootPid === "number" ? [options.rootPid] : options.rootPid);
  const n = order.length;

  // Every event is an entry of its process, every fork one of its parent too.
  const { index: pidIndex, pids, group, above } = numberPids(events, order, roots);
  const at = new Uint32Array(pids.length + 1);
  for (let i = 0; i < n; i++) {
    if (group[i]! >= 0) at[group[i]! + 1]!++;
    if (above[i]! >= 0) at[above[i]! + 1]!++;
  }
  for (let g = 0; g < pids.length; g++) at[g + 1]! += at[g]!;
  const entries = new Uint32Array(at[pids.length]!);
  const next = at.slice();
  for (let i = 0; i < n; i++) {
    if (above[i]! >= 0) entries[next[above[i]!]!++] = entry(i, 0);
    if (group[i]! >= 0) entries[next[group[i]!]!++] = entry(i, 1);
  }

  const lives = new Lives();
  const owner = new Int32Array(length).fill(ABSENT);
  const creator = new Int32Array(length).fill(ABSENT);
  const livesAt = new Int32Array(pids.length + 1);
  for (let g = 0; g < pids.length; g++) {
    cutLives(pids[g]!, entries, at[g]!, at[g + 1]!, order, events, lives, owner, creator);
    livesAt[g + 1] = lives.length;
  }

  const parents = findParents(events, order, owner, lives, creator, pidIndex, livesAt);
  const brokenLinks = breakCycles(parents, lives);

  // Number the lives by first event: `rank` is the final number of a life, `byRank` its inverse.
  const count = lives.length;
  const byRank = orderByFirst(lives, n);
  const rank = new Int32Array(count);
  for (let p = 0; p < count; p++) rank[byRank[p]!] = p;
  for (let row = 0; row < length; row++) if (owner[row]! >= 0) owner[row] = rank[owner[row]!]!;

  const pick = <A extends Int32Array | Float64Array | Uint8Array>(out: A, from: ArrayLike<number>): A => {
    for (let p = 0; p < count; p++) out[p] = from[byRank[p]!]!;
    return out;
  };
  const parent = new Int32Array(count);
  for (let p = 0; p < count; p++) {
    const above = parents[byRank[p]!]!;
    parent[p] = above < 0 ? ABSENT : rank[above]!;
  }
  const start = pick(new Float64Array(count), lives.start.view());
  const end = pick(new Float64Array(count), lives.end.view());

  const ranks = (of: Int32Array) => of.map((life) => rank[life]!);
  const images = groupRows(ranks(lives.imageLife.view()), count);
  const failed = groupRows(ranks(lives.failedLife.view()), count);
  const imageRow = images.items.map((i) => lives.imageRow.get(i));
  const imageStart = new Float64Array(imageRow.length);
  for (let p = 0; p < count; p++) {
    let earliest = start[p]!;
    for (let i = images.at[p]!; i < images.at[p + 1]!; i++) {
      let t = Math.max(earliest, ts[imageRow[i]!]!);
      if (t > end[p]!) t = end[p]!;
      imageStart[i] = earliest = t;
    }
  }

  return {
    length: count,
    events,
    order,
    owner,
    firstTime: n > 0 ? ts[order[0]!]! : 0,
    lastTime: n > 0 ? ts[order[n - 1]!]! : 0,
    pid: pick(new Int32Array(count), lives.pid.view()),
    parent,
    start,
    end,
    ended: pick(new Uint8Array(count), lives.ended.view()),
    forkRow: pick(new Int32Array(count), lives.forkRow.view()),
    exitRow: pick(new Int32Array(count), lives.exitRow.view()),
    imageAt: images.at,
    imageRow,
    imageStart,
    failedAt: failed.at,
    failedRow: failed.items.map((i) => lives.failedRow.get(i)),
    replaced: lives.replaced,
    lateForks: lives.lateForks,
    brokenLinks,
  };
}

/** By kind: 1 where an event says something about a process. */
const CONCERNS = new Uint8Array(256).fill(1);
for (const kind of [KIND.lost, KIND.end, KIND.recording, KIND.source]) CONCERNS[kind] = 0;

interface Numbered {
  /** The number of a pid, negative when it does not occur. */
  readonly index: (pid: number) => number;
  readonly pids: Int32Array;
  /** By place in time order: the number of the event's pid; of a fork's parent, where that is a process of the recording. */
  readonly group: Int32Array;
  readonly above: Int32Array;
}

/** Small numbers for the pids that occur, in order of appearance. Real pids index a table; absurd ones go through a map. */
function numberPids(events: EventTable, order: Uint32Array, roots: ReadonlySet<number>): Numbered {
  const { pid, ppid, kind, length } = events;
  let highest = 0;
  for (let row = 0; row < length; row++) {
    if (pid[row]! > highest) highest = pid[row]!;
    if (ppid[row]! > highest) highest = ppid[row]!;
  }
  // Linux gives at most 4,194,304; twice that for other systems.
  const real = Math.min(highest + 1, 1 << 23);
  const table = new Int32Array(real).fill(-1);
  const others = new Map<number, number>();
  const pids = new Int32List();
  const meet = (p: number): number => {
    const known = p < real ? table[p]! : (others.get(p) ?? -1);
    if (known >= 0) return known;
    const number = pids.length;
    pids.push(p);
    if (p < real) table[p] = number;
    else others.set(p, number);
    return number;
  };
  const group = new Int32Array(order.length).fill(-1);
  const above = new Int32Array(order.length).fill(-1);
  for (let i = 0; i < order.length; i++) {
    const row = order[i]!;
    const p = pid[row]!;
    if (p < 0 || CONCERNS[kind[row]!] === 0) continue;
    const g = p < real ? table[p]! : -1;
    group[i] = g >= 0 ? g : meet(p);
    if (kind[row] !== KIND.fork) continue;
    const parent = ppid[row]!;
    if (parent < 0) continue;
    const a = meet(parent);
    // Whoever forked a recorded command is outside of the recording.
    if (parent !== p && !roots.has(p)) above[i] = a;
  }
  const index = (p: number): number => (p < real ? table[p]! : (others.get(p) ?? -1));
  return { index, pids: pids.view(), group, above };
}

/** Who created each life: whoever forked it or, when that was not seen, the process it named as its parent. */
function findParents(
  events: EventTable,
  order: Uint32Array,
  owner: Int32Array,
  lives: Lives,
  creator: Int32Array,
  pidIndex: (pid: number) => number,
  livesAt: Int32Array,
): Int32Array {
  const { ts, ppid } = events;
  const parents = new Int32Array(lives.length).fill(ABSENT);
  const settled = new Uint8Array(lives.length);
  for (let i = 0; i < order.length; i++) {
    const row = order[i]!;
    const life = owner[row]!;
    if (life < 0 || settled[life] === 1) continue;
    const fork = lives.forkRow.get(life);
    if (fork !== ABSENT && creator[fork]! >= 0) {
      parents[life] = creator[fork]!;
      settled[life] = 1;
    } else if (ppid[row]! >= 0) {
      parents[life] = lifeAt(ppid[row]!, ts[row]!, life);
      settled[life] = 1;
    }
  }
  return parents;

  /** The life of `pid` at time `t`, give or take the clocks; not `self`. */
  function lifeAt(pid: number, t: number, self: number): number {
    const g = pidIndex(pid);
    if (g < 0) return ABSENT;
    let low = livesAt[g]!;
    let high = livesAt[g + 1]!;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (lives.start.get(middle) <= t) low = middle + 1;
      else high = middle;
    }
    const near = (life: number) => {
      const end = lives.end.get(life);
      return life !== self && (Number.isNaN(end) || end + SKEW_NS >= t) && lives.start.get(life) <= t + SKEW_NS;
    };
    // The one that had begun by then, else the next one if it begins in a moment.
    if (low > livesAt[g]! && near(low - 1)) return low - 1;
    if (low < livesAt[g + 1]! && near(low)) return low;
    return ABSENT;
  }
}

/** Cuts, in each ring of parents, the link of the life that began first. */
function breakCycles(parents: Int32Array, lives: Lives): number {
  const walk = new Int32Array(parents.length);
  let broken = 0;
  for (let from = 0; from < parents.length; from++) {
    if (walk[from] !== 0) continue;
    let life = from;
    while (life >= 0 && walk[life] === 0) {
      walk[life] = from + 1;
      life = parents[life]!;
    }
    if (life < 0 || walk[life] !== from + 1) continue;
    let first = life;
    for (let at = parents[life]!; at !== life; at = parents[at]!) {
      if (lives.first.get(at) < lives.first.get(first)) first = at;
    }
    parents[first] = ABSENT;
    broken++;
  }
  return broken;
}

/** Lives in the order of their first entries, which are all different. */
function orderByFirst(lives: Lives, positions: number): Int32Array {
  const taken = new Int32Array(positions * 2).fill(-1);
  for (let life = 0; life < lives.length; life++) taken[lives.first.get(life)] = life;
  const byRank = new Int32Array(lives.length);
  let p = 0;
  for (let e = 0; e < taken.length; e++) if (taken[e]! >= 0) byRank[p++] = taken[e]!;
  return byRank;
}

/** When the life is drawn to end: its end or, when none was seen, the end of the recording. */
export function drawnEnd(p: Processes, life: number): number {
  const end = p.end[life]!;
  return Number.isNaN(end) ? Math.max(p.lastTime, p.start[life]!) : end;
}

/** When image `i` of `life` is drawn to end. */
export function imageEnd(p: Processes, life: number, i: number): number {
  return i + 1 < p.imageAt[life + 1]! ? p.imageStart[i + 1]! : drawnEnd(p, life);
}

/** How it ended; unknown when no exit was seen, or the exit says nothing of it. */
export function exitStatusOf(p: Processes, life: number): ExitStatus {
  const row = p.exitRow[life]!;
  return row === ABSENT ? UNKNOWN_STATUS : exitStatusAt(p.events, row);
}
