// What was true at each moment of a recording, so that no key press has to look at all of it: the events one can stand on ("steps"),
// each process's own steps, who was alive, who had ended. One pass makes it; a moment is then a few binary searches.
//
//   step      0      1      2      3      4      5         an event of the table each, in time order
//   10        exec   fork                        exit      born 0, over 5
//   11               born   exec   exit                    born 1, over 3      steps of 11: 1 2 3, of 10: 0 1 5
//
// Lives are numbered by first event, so those born by a step are the numbers below a count. Who is alive is kept for some steps
// (checkpoints), never closer together than they are large: all of them take no more room than the events.
import { groupRows, Int32List } from "../base/columns.ts";
import type { Derived } from "../derive/derived.ts";
import { ENDED } from "../derive/processes.ts";
import { KIND } from "../model/event.ts";
import type { EventTable } from "../model/event_table.ts";
import { ABSENT } from "../model/ids.ts";

/** Of a life that had not ended when the recording did. */
export const NEVER = 0x7fffffff;

const CHECKPOINT = 4096;

export interface ProcessHistory {
  readonly derived: Derived;
  /** By step: the row of its event. */
  readonly rows: Uint32Array;
  /** By row: its step, ABSENT where one cannot stand on it. */
  readonly stepOfRow: Int32Array;
  /** By life, ascending: the step from which it is there. */
  readonly born: Int32Array;
  /** By life: the step that ended it, or NEVER. */
  readonly over: Int32Array;
  /** By image (as `Processes.imageRow`): the step from which it ran; ascending within a life. */
  readonly imageStep: Int32Array;
  /** Steps of life `p`, its birth and the forks it did included: `own[ownAt[p] .. ownAt[p + 1])`, ascending. */
  readonly ownAt: Int32Array;
  readonly own: Int32Array;
  /** Lives that ended, in the order of their ends. */
  readonly ends: Int32Array;
  /** Children of life `p` that ended, in the order of their ends: `childEnds[childEndsAt[p] .. childEndsAt[p + 1])`. */
  readonly childEndsAt: Int32Array;
  readonly childEnds: Int32Array;
  /** By place in `childEnds`: how many before it failed. One longer. */
  readonly failedBefore: Int32Array;
  /** Steps at which the living are known, and where each list begins in `living`. */
  readonly checkpointStep: Int32Array;
  readonly checkpointAt: Int32Array;
  readonly living: Int32Array;
}

/** Whether a player stops at it: acts of processes and what the recording says of itself, not the blocks of executed lines. */
function isStep(events: EventTable, row: number): boolean {
  switch (events.kind[row]) {
    case KIND.recording:
    case KIND.source:
    case KIND.line_block:
      return false;
    case KIND.exec_args:
    case KIND.exec_filename:
      // A part of an exec that is a step itself; alone it is all there is.
      return events.mate[row] === ABSENT;
    default:
      return true;
  }
}

/** Whether the process ended with a status other than 0, or by a signal. */
export function endedBadly(derived: Derived, life: number): boolean {
  const { events, exitRow } = derived.processes;
  const row = exitRow[life]!;
  return row !== ABSENT && (events.signal[row] !== 0 || events.code[row]! > 0);
}

export function deriveHistory(derived: Derived): ProcessHistory {
  const p = derived.processes;
  const { events, order, owner, parent, forkRow } = p;
  const { kind, ts } = events;
  const lives = p.length;

  const stepOfRow = new Int32Array(events.length).fill(ABSENT);
  const all = new Uint32Array(order.length);
  const born = new Int32Array(lives).fill(NEVER);
  const lifeOf = new Int32List(order.length);
  const ownStep = new Int32List(order.length);
  let steps = 0;
  for (let i = 0; i < order.length; i++) {
    const row = order[i]!;
    const life = owner[row]!;
    if (life >= 0 && born[life] === NEVER) born[life] = steps;
    if (!isStep(events, row)) continue;
    all[steps] = row;
    stepOfRow[row] = steps;
    if (kind[row] === KIND.fork && life >= 0 && forkRow[life] === row && parent[life]! >= 0) {
      const above = parent[life]!;
      if (born[above]! > steps) born[above] = steps;
      lifeOf.push(above);
      ownStep.push(steps);
    }
    if (life >= 0) {
      lifeOf.push(life);
      ownStep.push(steps);
    }
    steps++;
  }
  const rows = all.slice(0, steps);
  // Ascending, even where a parent is only known by a process that it is said to have made.
  for (let life = lives - 1, least = Math.max(0, steps - 1); life >= 0; life--) {
    least = Math.min(least, born[life]!);
    born[life] = least;
  }
  const grouped = groupRows(lifeOf.view(), lives);
  const own = grouped.items.map((i) => ownStep.get(i));

  const over = new Int32Array(lives).fill(NEVER);
  for (let life = 0; life < lives; life++) {
    if (p.ended[life] === ENDED.unseen) continue;
    const exit = p.exitRow[life]!;
    const step = exit === ABSENT ? stepFrom(rows, ts, p.end[life]!) : stepOfRow[exit]!;
    over[life] = Math.max(born[life]!, Math.min(step, steps - 1));
  }

  const imageStep = new Int32Array(p.imageRow.length);
  for (let life = 0; life < lives; life++) {
    let least = born[life]!;
    for (let i = p.imageAt[life]!; i < p.imageAt[life + 1]!; i++) {
      least = Math.max(least, stepOfRow[p.imageRow[i]!]!);
      imageStep[i] = least;
    }
  }

  const ends = groupRows(
    over.map((step) => (step === NEVER ? ABSENT : step)),
    steps,
  ).items;
  const byParent = groupRows(
    ends.map((life) => parent[life]!),
    lives,
  );
  const childEnds = byParent.items.map((i) => ends[i]!);
  const failedBefore = new Int32Array(childEnds.length + 1);
  for (let i = 0; i < childEnds.length; i++)
    failedBefore[i + 1] = failedBefore[i]! + (endedBadly(derived, childEnds[i]!) ? 1 : 0);

  return {
    derived,
    rows,
    stepOfRow,
    born,
    over,
    imageStep,
    ownAt: grouped.at,
    own,
    ends,
    childEndsAt: byParent.at,
    childEnds,
    failedBefore,
    ...checkpoints(born, over, ends, steps),
  };
}

type Checkpoints = Pick<ProcessHistory, "checkpointStep" | "checkpointAt" | "living">;

function checkpoints(born: Int32Array, over: Int32Array, ends: Int32Array, steps: number): Checkpoints {
  const stepList = new Int32List();
  const atList = new Int32List();
  const living = new Int32List();
  let now = new Int32Array(0);
  let births = 0;
  let gone = 0;
  let last = 0;
  for (let step = 0; step < steps; step += CHECKPOINT) {
    // Births and ends since the last look change the size by their number at most.
    while (births < born.length && born[births]! <= step) births++;
    while (gone < ends.length && over[ends[gone]!]! <= step) gone++;
    const size = births - gone;
    if (step > 0 && step - last < size) continue;
    const from = stepList.length === 0 ? 0 : lowerBound(born, last + 1);
    const next = new Int32Array(size);
    let n = 0;
    for (const life of now) if (over[life]! > step) next[n++] = life;
    for (let life = from; life < births; life++) if (over[life]! > step) next[n++] = life;
    now = next;
    last = step;
    stepList.push(step);
    atList.push(living.length);
    for (const life of now) living.push(life);
  }
  atList.push(living.length);
  return {
    checkpointStep: stepList.view().slice(),
    checkpointAt: atList.view().slice(),
    living: living.view().slice(),
  };
}

/** First index whose value is at least `value`. */
export function lowerBound(values: Int32Array | Uint32Array, value: number, from = 0, to = values.length): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (values[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** First step at or after a time. */
function stepFrom(rows: Uint32Array, ts: Float64Array, time: number): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ts[rows[middle]!]! < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Last step whose time is early enough (a claim that holds up to some time); 0 when there is none. */
export function lastStepWhere({ rows, derived }: ProcessHistory, isEarly: (time: number) => boolean): number {
  const { ts } = derived.processes.events;
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isEarly(ts[rows[middle]!]!)) low = middle + 1;
    else high = middle;
  }
  return Math.max(0, low - 1);
}

/** Last step at or before a time; 0 when there is none. */
export function stepAtTime(history: ProcessHistory, time: number): number {
  return lastStepWhere(history, (t) => t <= time);
}

/** How many lives had begun. They are those with the numbers below. */
export function bornBy(history: ProcessHistory, step: number): number {
  return lowerBound(history.born, step + 1);
}

/** How many of `ends` had happened. */
export function endedBy({ ends, over }: ProcessHistory, step: number): number {
  let low = 0;
  let high = ends.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (over[ends[middle]!]! <= step) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The lives that had begun and not ended, in order of their numbers. */
export function livingAt(history: ProcessHistory, step: number): Int32Array {
  const { checkpointStep, checkpointAt, living, born, over } = history;
  const c = lowerBound(checkpointStep, step + 1) - 1;
  if (c < 0) return new Int32Array(0);
  const from = lowerBound(born, checkpointStep[c]! + 1);
  const to = bornBy(history, step);
  const out = new Int32List(checkpointAt[c + 1]! - checkpointAt[c]! + to - from);
  for (let i = checkpointAt[c]!; i < checkpointAt[c + 1]!; i++) if (over[living[i]!]! > step) out.push(living[i]!);
  for (let life = from; life < to; life++) if (over[life]! > step) out.push(life);
  return out.view();
}

/** Children of `life` that had ended: their range in `childEnds`. */
export function endedChildren(history: ProcessHistory, life: number, step: number): { from: number; to: number } {
  const { childEndsAt, childEnds, over } = history;
  const from = childEndsAt[life]!;
  let low = from;
  let high = childEndsAt[life + 1]!;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (over[childEnds[middle]!]! <= step) low = middle + 1;
    else high = middle;
  }
  return { from, to: low };
}

/** The image that `life` ran: index in `Processes.imageRow`, ABSENT before its first exec. */
export function imageAtStep(history: ProcessHistory, life: number, step: number): number {
  const { imageAt } = history.derived.processes;
  const from = imageAt[life]!;
  const at = lowerBound(history.imageStep, step + 1, from, imageAt[life + 1]!);
  return at > from ? at - 1 : ABSENT;
}

/** The process that did what happened in a step: of a fork the one that forked. ABSENT for events of no process. */
export function actorOf(history: ProcessHistory, step: number): number {
  const { processes } = history.derived;
  const row = history.rows[step];
  if (row === undefined) return ABSENT;
  const life = processes.owner[row]!;
  if (life < 0 || processes.events.kind[row] !== KIND.fork || processes.forkRow[life] !== row) return life;
  return processes.parent[life] === ABSENT ? life : processes.parent[life]!;
}
