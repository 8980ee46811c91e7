// proctrace reports one exec in up to three events: `Exec`, `ExecArgs` and `ExecFilename`. This joins the rows that belong
// together; which words count is decided when somebody looks (lib/model/event_at.ts). Knows no text and no files.
//
// The parts stand next to each other among their pid's events. 2024-08 writes the Exec first, 0.2 last:
//
//   2024-08   Exec──ExecArgs                 the same timestamp
//   2024-09   Exec──ExecArgs──ExecArgs       the same; the words once from the call, once from /proc
//   0.2 raw   ExecFilename──ExecArgs──Exec   all with the time of the call; or BadExec, when the call failed
import type { EventTable } from "../model/event_table.ts";
import { KIND } from "../model/event.ts";
import { ABSENT } from "../model/ids.ts";

/** The unfinished exec of one pid, as rows. */
interface Pending {
  /** An Exec or BadExec that may still be given parts. */
  exec: number;
  /** How many ExecArgs it has. */
  args: number;
  hasFilename: boolean;
  /** Parts that wait for their Exec, as rows. */
  waitingArgs: number;
  waitingFilename: number;
}

/** More than proctrace ever writes for one exec; bounds what a look at an exec costs. */
const MOST_ARGS = 4;

function takesArgs(pending: Pending, atOnce: boolean): boolean {
  return pending.args === 0 || (atOnce && pending.args < MOST_ARGS);
}

/**
 * Joins in place: an `Exec` becomes an exec whose `mate` leads through its parts and back, and the parts keep their
 * kinds. `orphan` is told the row of every part that belongs to nothing, in no particular order.
 */
export function joinExecs(events: EventTable, orphan: (row: number) => void): void {
  const rows = relevantRows(events);
  if (rows.length === 0) return;
  const pendings = new Map<number, Pending>();
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!;
    const pid = events.pid[row]!;
    let pending = pendings.get(pid);
    if (pending === undefined) {
      pending = { exec: ABSENT, args: 0, hasFilename: false, waitingArgs: ABSENT, waitingFilename: ABSENT };
      pendings.set(pid, pending);
    }
    step(events, row, pending, orphan);
  }
  for (const pending of pendings.values()) abandon(pending, orphan);
}

/**
 * Takes joined rows apart, so that they can be joined again with what has come since. `wholes`: the rows that were `Exec` before
 * they were joined.
 */
export function unjoinExecs(events: EventTable, wholes: Iterable<number>): void {
  events.mate.fill(ABSENT, 0, events.length);
  for (const row of wholes) events.kind[row] = KIND.exec_part;
}

/** The rows that matter here in time order, each pid's next to each other in its own order; none when nothing is in parts. */
function relevantRows(events: EventTable): Uint32Array {
  const { kind, ts, seq, length } = events;
  const kinds = kind.subarray(0, length);
  if (![KIND.exec_part, KIND.exec_args, KIND.exec_filename].some((part) => kinds.includes(part)))
    return new Uint32Array(0);
  let count = 0;
  let sorted = true;
  let last = -1;
  for (let row = 0; row < length; row++) {
    if (!isRelevant(kind[row]!)) continue;
    count++;
    if (last >= 0 && compare(ts, seq, last, row) > 0) sorted = false;
    last = row;
  }
  const rows = new Uint32Array(count);
  for (let row = 0, n = 0; row < length; row++) if (isRelevant(kind[row]!)) rows[n++] = row;
  if (!sorted) rows.sort((a, b) => compare(ts, seq, a, b) || a - b);
  return rows;
}

function compare(ts: Float64Array, seq: Float64Array, a: number, b: number): number {
  return ts[a]! - ts[b]! || seq[a]! - seq[b]!;
}

function isPart(kind: number): boolean {
  return kind === KIND.exec_part || kind === KIND.exec_args || kind === KIND.exec_filename;
}

function isRelevant(kind: number): boolean {
  return isPart(kind) || kind === KIND.exec_failed || kind === KIND.exec || kind === KIND.exit;
}

function step(events: EventTable, row: number, pending: Pending, orphan: (row: number) => void): void {
  const { kind, ts } = events;
  switch (kind[row]) {
    case KIND.exec_args:
      if (
        pending.exec !== ABSENT &&
        pending.waitingFilename === ABSENT &&
        takesArgs(pending, ts[pending.exec] === ts[row])
      ) {
        pending.args++;
        link(events, pending.exec, row);
        return;
      }
      if (pending.waitingArgs !== ABSENT) orphan(pending.waitingArgs);
      pending.waitingArgs = row;
      return;
    case KIND.exec_filename:
      // Of 2024-08 there is none, so it begins a new exec, unless it came late.
      if (pending.exec !== ABSENT && !pending.hasFilename && ts[pending.exec] === ts[row]) {
        pending.hasFilename = true;
        link(events, pending.exec, row);
        return;
      }
      if (pending.waitingFilename !== ABSENT) orphan(pending.waitingFilename);
      pending.waitingFilename = row;
      pending.exec = ABSENT;
      return;
    case KIND.exec_part:
    case KIND.exec_failed: {
      const whole = kind[row] === KIND.exec_part;
      if (whole) kind[row] = KIND.exec;
      pending.exec = whole ? row : ABSENT;
      pending.args = pending.waitingArgs === ABSENT ? 0 : 1;
      pending.hasFilename = pending.waitingFilename !== ABSENT;
      if (pending.waitingArgs !== ABSENT) link(events, row, pending.waitingArgs);
      if (pending.waitingFilename !== ABSENT) link(events, row, pending.waitingFilename);
      pending.waitingArgs = ABSENT;
      pending.waitingFilename = ABSENT;
      return;
    }
    default:
      abandon(pending, orphan);
  }
}

/** The process did something else, or ended: what waits belongs to nothing. */
function abandon(pending: Pending, orphan: (row: number) => void): void {
  if (pending.waitingArgs !== ABSENT) orphan(pending.waitingArgs);
  if (pending.waitingFilename !== ABSENT) orphan(pending.waitingFilename);
  pending.exec = ABSENT;
  pending.args = 0;
  pending.hasFilename = false;
  pending.waitingArgs = ABSENT;
  pending.waitingFilename = ABSENT;
}

/** Puts `part` into the ring of `exec`, behind what is there. */
function link(events: EventTable, exec: number, part: number): void {
  const { mate } = events;
  let last = exec;
  while (mate[last] !== ABSENT && mate[last] !== exec) last = mate[last]!;
  mate[last] = part;
  mate[part] = exec;
}
