// The lines that cost most, out of the totals: what a line is ranked by, and which come into a table of N.
import { ascending } from "./ascending.ts";
import type { Costs } from "./line_costs.ts";
import type { LineCost } from "./line_totals.ts";

export const SORT_COLUMNS = ["cumulated-runtime", "average-runtime", "frequency", "self-runtime"] as const;
export type SortColumn = (typeof SORT_COLUMNS)[number];

/** How the time of a line that is open on several frames at once counts: the outermost only, or each of them. */
export type Recursion = "once" | "every-level";

/** Ticks that a line took, callees included. */
export const cumulatedOf = (cost: LineCost, recursion: Recursion): number =>
  recursion === "once" ? cost.cumulated : cost.everyLevel;

/** Cumulated ticks by executions: Infinity or NaN for a line that was only ever open, never executed. */
export const averageOf = (cost: LineCost, recursion: Recursion): number => cumulatedOf(cost, recursion) / cost.count;

export interface HotPointOptions {
  readonly by: SortColumn;
  /** At most this many; 0 is all. */
  readonly most: number;
  readonly recursion: Recursion;
}

/** Highest first. */
export function hotPoints(totals: Costs, options: HotPointOptions): LineCost[] {
  const { by, recursion } = options;
  const values = new Float64Array(totals.length);
  for (let i = 0; i < values.length; i++) {
    const cost = totals.at(i);
    if (by === "frequency") values[i] = cost.count;
    else if (by === "self-runtime") values[i] = cost.self;
    else values[i] = by === "average-runtime" ? averageOf(cost, recursion) : cumulatedOf(cost, recursion);
  }
  const order = ascending(values);
  const first = options.most === 0 ? 0 : Math.max(0, order.length - options.most);
  return Array.from(order.subarray(first).toReversed(), (i) => totals.at(i));
}

/** The lines of one file, by line. */
export function linesOfFile(totals: Costs, file: number): Map<number, LineCost> {
  const lines = new Map<number, LineCost>();
  for (let i = 0; i < totals.length; i++) {
    const cost = totals.at(i);
    if (cost.file === file) lines.set(cost.line, cost);
  }
  return lines;
}

/** Distinct lines that were open on several frames at once for some time. */
export function recursiveLines(totals: Costs): number {
  let n = 0;
  for (let i = 0; i < totals.length; i++) {
    const cost = totals.at(i);
    if (cost.everyLevel > cost.cumulated) n++;
  }
  return n;
}
