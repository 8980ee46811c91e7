// Two groups of recordings, place by place: what is new, gone, slower or faster, by the median of each group, and whether the difference
// is more than what recordings of one group differ by among themselves.
import { Covered } from "../derive/covered.ts";
import { drawnEnd, exitStatusOf, type Processes } from "../derive/processes.ts";
import { ABSENT } from "../model/ids.ts";
import { shellStatus } from "../model/status.ts";
import type { Aligned, Place, Side } from "./align.ts";

/** What the values of one group say together. */
export interface Group {
  /** Recordings in which the place is taken. */
  readonly taken: number;
  /** NaN when there is none. */
  readonly median: number;
  /** From the least to the greatest; 0 with fewer than two. */
  readonly spread: number;
}

export interface Measure {
  readonly base: Group;
  readonly fresh: Group;
  /** Median to median; what is not there counts as 0. */
  readonly change: number;
  /** The larger spread of both groups; NaN when no group has two recordings. */
  readonly noise: number;
}

export type Kind = "new" | "gone" | "slower" | "faster" | "same" | "status";

export interface Difference {
  readonly place: Place;
  readonly kind: Kind;
  readonly wall: Measure;
  /** Without the time in which children of it ran: where the change itself is. */
  readonly own: Measure;
  /** Of new and gone places: with everything below them. */
  readonly processes: number;
  /** How it ended in either group, when that is not the same: as a shell's `$?`; undefined when not known. */
  readonly statusBase: number | undefined;
  readonly statusFresh: number | undefined;
}

export interface Comparison {
  readonly aligned: Aligned;
  /** How many of the sides are the base; the rest is compared to it. */
  readonly base: number;
  readonly total: Measure;
  /** Processes per recording, by median. */
  readonly processes: { readonly base: number; readonly fresh: number };
  /** Every place that is new, gone, slower, faster or ends in another way. */
  readonly differences: readonly Difference[];
  /** Places that are neither. */
  readonly alike: number;
}

export interface CompareOptions {
  /** Changes of less are none, nanoseconds. */
  readonly least: number;
  /** Parts of the base below which a change is none, such as 0.02. */
  readonly leastPart: number;
}

export function compare(aligned: Aligned, base: number, options: CompareOptions): Comparison {
  const { sides, places } = aligned;
  const own = sides.map(ownTimes);
  const wall = sides.map(
    ({ processes: p }) =>
      (life: number) =>
        drawnEnd(p, life) - p.start[life]!,
  );
  const measure = (place: Place, of: readonly ((life: number) => number)[]): Measure => {
    const values = (from: number, to: number) => {
      const out: number[] = [];
      for (let s = from; s < to; s++) if (place.lives[s] !== ABSENT) out.push(of[s]!(place.lives[s]!));
      return out;
    };
    return measureOf(values(0, base), values(base, sides.length));
  };
  const ownOf = own.map((times) => (life: number) => times[life]!);
  const differences: Difference[] = [];
  let alike = 0;
  const sizes = sizesOf(aligned, base);
  const hidden = new Uint8Array(places.length);
  for (const place of places) {
    const w = measure(place, wall);
    const o = measure(place, ownOf);
    const kind = kindOf(w, o, options);
    // What stands below a new or gone place is new or gone with it, and told with it.
    const inside = place.parent !== ABSENT && hidden[place.parent] === 1;
    const parentKind = place.parent !== ABSENT && (hidden[place.parent] === 1 || hidden[place.parent] === 2);
    if (kind === "new" || kind === "gone") hidden[place.index] = 1;
    if (inside) hidden[place.index] = 1;
    if (inside && parentKind) continue;
    const [statusBase, statusFresh] = statuses(aligned, place, base);
    const ended = kind !== "new" && kind !== "gone" && statusBase !== statusFresh;
    if (kind === "same" && !ended) {
      alike++;
      continue;
    }
    differences.push({
      place,
      kind: kind === "same" ? "status" : kind,
      wall: w,
      own: o,
      processes: sizes[place.index]!,
      statusBase: ended ? statusBase : undefined,
      statusFresh: ended ? statusFresh : undefined,
    });
  }
  const totals = sides.map(totalOf);
  const counts = sides.map((s) => s.processes.length);
  return {
    aligned,
    base,
    total: measureOf(totals.slice(0, base), totals.slice(base)),
    processes: { base: medianOf(counts.slice(0, base)), fresh: medianOf(counts.slice(base)) },
    differences,
    alike,
  };
}

function kindOf(wall: Measure, own: Measure, options: CompareOptions): Kind {
  const { base, fresh } = wall;
  if (base.taken === 0) return "new";
  if (fresh.taken === 0) return "gone";
  const least = Math.max(options.least, options.leastPart * base.median);
  // Own time counts even where the whole did not change: two changes may hide one another.
  const counts = [wall, own].some(
    (m) => Math.abs(m.change) >= least && (Number.isNaN(m.noise) || Math.abs(m.change) > m.noise),
  );
  if (!counts) return "same";
  const change = Math.abs(own.change) >= least ? own.change : wall.change;
  return change > 0 ? "slower" : "faster";
}

function measureOf(base: readonly number[], fresh: readonly number[]): Measure {
  const b = groupOf(base);
  const f = groupOf(fresh);
  const zero = (x: number) => (Number.isNaN(x) ? 0 : x);
  return {
    base: b,
    fresh: f,
    change: zero(f.median) - zero(b.median),
    noise: base.length > 1 || fresh.length > 1 ? Math.max(b.spread, f.spread) : NaN,
  };
}

function groupOf(values: readonly number[]): Group {
  const spread = values.length > 1 ? Math.max(...values) - Math.min(...values) : 0;
  return { taken: values.length, median: medianOf(values), spread };
}

export function medianOf(values: readonly number[]): number {
  if (values.length === 0) return NaN;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function ownTimes({ processes: p, tree }: Side): Float64Array {
  const own = new Float64Array(p.length);
  const covered = new Covered(p, tree);
  for (let life = 0; life < p.length; life++) {
    const from = p.start[life]!;
    const to = drawnEnd(p, life);
    own[life] = to - from - covered.of(life).within(from, to);
  }
  return own;
}

/** From the start of the recorded command to its end; of a recording without one, from the first event to the last. */
function totalOf({ processes: p, recording, tree }: Side): number {
  const root = recording.header?.root_pid;
  const life = tree.roots.find((r) => p.pid[r] === root) ?? (tree.roots.length === 1 ? tree.roots[0]! : ABSENT);
  return life === ABSENT ? p.lastTime - p.firstTime : drawnEnd(p, life) - p.start[life]!;
}

/** How many processes stand at and below each place, in the group that has more of them. */
function sizesOf({ sides, places }: Aligned, base: number): Int32Array {
  const sizes = new Int32Array(places.length);
  for (const place of places) {
    const of = (from: number, to: number) => {
      const values: number[] = [];
      for (let s = from; s < to; s++) if (place.lives[s] !== ABSENT) values.push(sides[s]!.tree.size[place.lives[s]!]!);
      return values.length === 0 ? 0 : Math.round(medianOf(values));
    };
    sizes[place.index] = Math.max(of(0, base), of(base, sides.length));
  }
  return sizes;
}

/** The status that all of each group have; undefined where they differ or it is not known. */
function statuses({ sides }: Aligned, place: Place, base: number): [number | undefined, number | undefined] {
  const of = (from: number, to: number) => {
    let all: number | undefined;
    for (let s = from; s < to; s++) {
      const life = place.lives[s]!;
      if (life === ABSENT) continue;
      const status = statusOf(sides[s]!.processes, life);
      if (status === undefined || (all !== undefined && all !== status)) return undefined;
      all = status;
    }
    return all;
  };
  const [b, f] = [of(0, base), of(base, sides.length)];
  return b === undefined || f === undefined ? [undefined, undefined] : [b, f];
}

const statusOf = (p: Processes, life: number) => shellStatus(exitStatusOf(p, life));
