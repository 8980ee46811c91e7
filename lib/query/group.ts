// Rows with equal values together, and what is computed of each group. Groups are numbers, in the order of their first rows.
import { groupRows } from "../base/columns.ts";
import type { Values } from "./project.ts";
import type { Aggregate, AggregateKind } from "./typed.ts";

export interface Grouping {
  /** By row: its group. */
  readonly group: Int32Array;
  readonly count: number;
  /** By group: its first row. */
  readonly first: Int32Array;
}

/** One group of all rows, which is there even when no row is. */
export function oneGroup(rows: number): Grouping {
  return { group: new Int32Array(rows), count: 1, first: new Int32Array(1) };
}

export function groupBy(keys: readonly Values[], rows: number): Grouping {
  let group: Int32Array = new Int32Array(rows);
  let count = rows === 0 ? 0 : 1;
  for (const key of keys) {
    const { code, codes } =
      key.pool === undefined ? codesOfNumbers(key.values) : codesOfTexts(key.values, key.pool.length);
    if (count <= 1) {
      group = code;
      count = codes;
      continue;
    }
    const pairs = new Map<number, number>();
    for (let row = 0; row < rows; row++) {
      const pair = group[row]! * codes + code[row]!;
      let id = pairs.get(pair);
      if (id === undefined) pairs.set(pair, (id = pairs.size));
      group[row] = id;
    }
    count = pairs.size;
  }
  const first = new Int32Array(count);
  for (let row = rows - 1; row >= 0; row--) first[group[row]!] = row;
  return { group, count, first };
}

function codesOfTexts(values: Float64Array, texts: number): { code: Int32Array; codes: number } {
  const code = new Int32Array(values.length);
  // The last place is that of what is not known.
  const seen = new Int32Array(texts + 1).fill(-1);
  let codes = 0;
  for (let row = 0; row < values.length; row++) {
    const value = values[row]!;
    const at = value >= 0 ? value : texts;
    if (seen[at]! < 0) seen[at] = codes++;
    code[row] = seen[at]!;
  }
  return { code, codes };
}

function codesOfNumbers(values: Float64Array): { code: Int32Array; codes: number } {
  const code = new Int32Array(values.length);
  const seen = new Map<number, number>();
  for (let row = 0; row < values.length; row++) {
    const value = values[row]!;
    let id = seen.get(value);
    if (id === undefined) seen.set(value, (id = seen.size));
    code[row] = id;
  }
  return { code, codes: seen.size };
}

const QUANTILES: Readonly<Partial<Record<AggregateKind, number>>> = { p50: 0.5, p90: 0.9, p95: 0.95, p99: 0.99 };

/** By group: the aggregate of the values of its rows; of what is not known nothing is counted. */
export function aggregated({ kind }: Aggregate, values: Values | undefined, grouping: Grouping): Float64Array {
  const { group, count } = grouping;
  const out = new Float64Array(count);
  if (values === undefined) {
    for (let row = 0; row < group.length; row++) out[group[row]!]!++;
    return out;
  }
  const of = values.values;
  switch (kind) {
    case "count":
      for (let row = 0; row < of.length; row++) out[group[row]!]! += of[row]!;
      return out;
    case "sum":
      for (let row = 0; row < of.length; row++) if (!Number.isNaN(of[row]!)) out[group[row]!]! += of[row]!;
      return out;
    case "avg": {
      const n = new Float64Array(count);
      for (let row = 0; row < of.length; row++) {
        if (Number.isNaN(of[row]!)) continue;
        out[group[row]!]! += of[row]!;
        n[group[row]!]!++;
      }
      for (let g = 0; g < count; g++) out[g] = n[g] === 0 ? NaN : out[g]! / n[g]!;
      return out;
    }
    case "min":
    case "max":
    case "first": {
      out.fill(NaN);
      for (let row = 0; row < of.length; row++) {
        const value = of[row]!;
        const so = out[group[row]!]!;
        if (Number.isNaN(value)) continue;
        if (Number.isNaN(so) || (kind === "min" && value < so) || (kind === "max" && value > so))
          out[group[row]!] = value;
      }
      return out;
    }
    case "distinct":
      return perGroup(of, grouping, (sorted) => {
        let n = 0;
        for (let i = 0; i < sorted.length; i++) if (i === 0 || sorted[i] !== sorted[i - 1]) n++;
        return n;
      });
    default: {
      const share = QUANTILES[kind]!;
      return perGroup(of, grouping, (sorted) => quantile(sorted, share));
    }
  }
}

/** The smallest value that at least this share of the values does not exceed; NaN of none. */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  return sorted.length === 0 ? NaN : sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)]!;
}

function perGroup(
  values: Float64Array,
  { group, count }: Grouping,
  compute: (sorted: Float64Array) => number,
): Float64Array {
  const known = new Int32Array(values.length);
  for (let row = 0; row < values.length; row++) known[row] = Number.isNaN(values[row]!) ? -1 : group[row]!;
  const { at, items } = groupRows(known, count);
  const together = Float64Array.from(items, (row) => values[row]!);
  const out = new Float64Array(count);
  for (let g = 0; g < count; g++) out[g] = compute(together.subarray(at[g]!, at[g + 1]!).sort());
  return out;
}
