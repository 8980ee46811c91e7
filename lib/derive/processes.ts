// Process lives of a recording, as columns: one row per life (its index is the identity), numbered by first event. Everything
// else that is derived starts here. Input order does not matter; nothing here is an error, every odd case has a meaning
// (`lives.ts` says which). It must stay O(n log n) and free of objects per event: two million processes are normal.
//
//   time ───▶
//   10  exec sh──fork 11──────────────────exit 0     life 0   parent none   images: sh
//   11           fork──exec cc──exec as───exit 1     life 1   parent 0      images: cc, as
//   12                  (exec seen, no fork)──···    life 2   parent by its recorded ppid, end unseen
import { type Groups, groupRows } from "../base/columns.ts";
import { KIND } from "../model/event.ts";
import { eventAt, exitStatusAt, type Rows } from "../model/event_at.ts";
import type { EventTable } from "../model/event_table.ts";
import { ABSENT } from "../model/ids.ts";
import { type ExitStatus, UNKNOWN_STATUS } from "../model/status.ts";
import { cutLives, Lives, SKEW_NS } from "./lives.ts";
import { type Cut, cutInOrder, entriesOf, PidSlots } from "./lives_in_order.ts";
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

/** Whether `processesOf` has its answer already. */
export function isDerived({ events }: Rows): boolean {
  return known.get(events)?.rows === events.length;
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

  const slots = new PidSlots(events);
  // Fork, exec and exit: at least so many events a life, as a rule. Room that is not used costs nothing.
  const lives = new Lives(Math.ceil(length / 2));
  const owner = new Int32Array(length).fill(ABSENT);
  const creator = new Int32Array(length).fill(ABSENT);
  const cut = { events, order, roots, slots, lives, owner, creator };
  const odd = cutInOrder(cut);
  const inOrder = lives.length;
  const { at, entries } = entriesOf(cut, odd);
  for (let g = 0; g < odd.pids.length; g++)
    cutLives(odd.pids[g]!, entries, at[g]!, at[g + 1]!, order, events, lives, owner, creator);
  // What was known of odd processes before they were found out does not count.
  const forgotten = new Uint8Array(lives.length);
  if (odd.pids.length > 0)
    for (let life = 0; life < inOrder; life++) if (odd.numbers[slots.of(lives.pid.get(life))]! > 0) forgotten[life] = 1;

  const parents = findParents(cut, forgotten);
  const brokenLinks = breakCycles(parents, lives);

  // Number the lives by first event: `rank` is the final number of a life, `byRank` its inverse.
  const byRank = orderByFirst(cut, inOrder, forgotten);
  const count = byRank.length;
  const rank = ranksOf(byRank, lives.length);
  if (odd.pids.length > 0) renumber(owner, rank);

  const start = pickTimes(lives.start.view(), byRank);
  const end = pickTimes(lives.end.view(), byRank);
  const parent = pick(parents, byRank);
  renumber(parent, rank);
  const images = rowsByLife(lives.imageLife.view(), lives.imageRow.view(), rank, count);
  const failed = rowsByLife(lives.failedLife.view(), lives.failedRow.view(), rank, count);

  return {
    length: count,
    events,
    order,
    owner,
    firstTime: n > 0 ? ts[order[0]!]! : 0,
    lastTime: n > 0 ? ts[order[n - 1]!]! : 0,
    pid: pick(lives.pid.view(), byRank),
    parent,
    start,
    end,
    ended: Uint8Array.from(pick(lives.ended.view(), byRank)),
    forkRow: pick(lives.forkRow.view(), byRank),
    exitRow: pick(lives.exitRow.view(), byRank),
    imageAt: images.at,
    imageRow: images.rows,
    imageStart: imageStarts(images.at, images.rows, start, end, ts),
    failedAt: failed.at,
    failedRow: failed.rows,
    replaced: lives.replaced,
    lateForks: lives.lateForks,
    brokenLinks,
  };
}

// Each of these loops is a function of its own: the engine then soon makes good code of it, which of a long function it does late.

function ranksOf(byRank: Int32Array, lives: number): Int32Array {
  const rank = new Int32Array(lives).fill(ABSENT);
  for (let p = 0; p < byRank.length; p++) rank[byRank[p]!] = p;
  return rank;
}

function renumber(lives: Int32Array, rank: Int32Array): void {
  for (let i = 0; i < lives.length; i++) if (lives[i]! >= 0) lives[i] = rank[lives[i]!]!;
}

function pick(from: Int32Array, byRank: Int32Array): Int32Array {
  const out = new Int32Array(byRank.length);
  for (let p = 0; p < out.length; p++) out[p] = from[byRank[p]!]!;
  return out;
}

function pickTimes(from: Float64Array, byRank: Int32Array): Float64Array {
  const out = new Float64Array(byRank.length);
  for (let p = 0; p < out.length; p++) out[p] = from[byRank[p]!]!;
  return out;
}

/** Rows of each life, in their order: those of life `p` are `[at[p], at[p + 1])`. */
function rowsByLife(
  lives: Int32Array,
  rowsOf: Int32Array,
  rank: Int32Array,
  count: number,
): { readonly at: Int32Array; readonly rows: Int32Array } {
  const { at, items } = groupRows(pick(rank, lives), count);
  return { at, rows: pick(rowsOf, items) };
}

function imageStarts(
  at: Int32Array,
  rows: Int32Array,
  start: Float64Array,
  end: Float64Array,
  ts: Float64Array,
): Float64Array {
  const out = new Float64Array(rows.length);
  for (let p = 0; p < start.length; p++) {
    let earliest = start[p]!;
    for (let i = at[p]!; i < at[p + 1]!; i++) {
      let t = Math.max(earliest, ts[rows[i]!]!);
      if (t > end[p]!) t = end[p]!;
      out[i] = earliest = t;
    }
  }
  return out;
}

/** Who created each life: whoever forked it or, when that was not seen, the process it named as its parent. */
function findParents(cut: Cut, forgotten: Uint8Array): Int32Array {
  const { events, order, owner, creator, lives, slots } = cut;
  const { ts, ppid } = events;
  const parents = new Int32Array(lives.length).fill(ABSENT);
  const settled = new Uint8Array(lives.length);
  let left = 0;
  for (let life = 0; life < lives.length; life++) {
    const fork = lives.forkRow.get(life);
    if (fork !== ABSENT && forgotten[life] === 0) parents[life] = creator[fork]!;
    if (parents[life]! >= 0 || forgotten[life] === 1) settled[life] = 1;
    else left++;
  }
  let livesOf: Groups | undefined;
  for (let i = 0; i < order.length && left > 0; i++) {
    const row = order[i]!;
    const life = owner[row]!;
    if (life < 0 || settled[life] === 1 || ppid[row]! < 0) continue;
    parents[life] = lifeAt(ppid[row]!, ts[row]!, life);
    settled[life] = 1;
    left--;
  }
  return parents;

  /** The life of `of` at time `t`, give or take the clocks; not `self`. */
  function lifeAt(of: number, t: number, self: number): number {
    livesOf ??= livesBySlot(slots, lives, forgotten);
    const { at, items } = livesOf;
    const slot = slots.of(of);
    let low = at[slot]!;
    let high = at[slot + 1]!;
    const from = low;
    const to = high;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (lives.start.get(items[middle]!) <= t) low = middle + 1;
      else high = middle;
    }
    const near = (life: number) => {
      const end = lives.end.get(life);
      return life !== self && (Number.isNaN(end) || end + SKEW_NS >= t) && lives.start.get(life) <= t + SKEW_NS;
    };
    // The one that had begun by then, else the next one if it begins in a moment.
    if (low > from && near(items[low - 1]!)) return items[low - 1]!;
    if (low < to && near(items[low]!)) return items[low]!;
    return ABSENT;
  }
}

/** The lives of each pid, in their order. */
function livesBySlot(slots: PidSlots, lives: Lives, forgotten: Uint8Array): Groups {
  const slotOf = new Int32Array(lives.length);
  for (let life = 0; life < lives.length; life++)
    slotOf[life] = forgotten[life] === 1 ? ABSENT : slots.of(lives.pid.get(life));
  return groupRows(slotOf, slots.length);
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

/** Lives in the order of their first entries, which are all different; the first `inOrder` of them are in it. */
function orderByFirst({ lives, order, owner, creator }: Cut, inOrder: number, forgotten: Uint8Array): Int32Array {
  const { length, first } = lives;
  const others = new Uint32Array(length - inOrder);
  for (let i = 0; i < others.length; i++) others[i] = first.get(inOrder + i);
  others.sort();
  const byRank = new Int32Array(length);
  let p = 0;
  let next = 0;
  for (let life = 0; life <= inOrder; life++) {
    if (life < inOrder && forgotten[life] === 1) continue;
    const until = life < inOrder ? first.get(life) : Infinity;
    for (; next < others.length && others[next]! < until; next++) {
      const row = order[others[next]! >>> 1]!;
      byRank[p++] = ((others[next]! & 1) === 1 ? owner : creator)[row]!;
    }
    if (life < inOrder) byRank[p++] = life;
  }
  return byRank.subarray(0, p);
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
