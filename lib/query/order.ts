// Rows in the order of values: stable, what is not known last, whichever way round.
import { orderByKeys } from "../base/key_order.ts";
import type { Values } from "./project.ts";

export interface OrderKey {
  readonly values: Values;
  readonly descending: boolean;
}

/** The first `most` places of the rows in order. */
export function orderOf(keys: readonly OrderKey[], rows: number, most: number): Int32Array {
  const columns = keys.map((key) => ascending(key, rows));
  const [first, ...more] = columns;
  if (first === undefined) return Int32Array.from({ length: Math.min(rows, most) }, (_, i) => i);
  if (most < rows / 4) {
    // Only what can be among the first is put in order.
    const limit = first.toSorted()[Math.max(0, most - 1)]!;
    const near: number[] = [];
    for (let row = 0; row < rows; row++) if (first[row]! <= limit) near.push(row);
    if (near.length < rows / 2) {
      const places = Int32Array.from(near);
      const picked = columns.map((c) => Float64Array.from(places, (row) => c[row]!));
      return sorted(picked, places.length)
        .map((i) => places[i]!)
        .subarray(0, most);
    }
  }
  return sorted([first, ...more], rows).subarray(0, most);
}

function sorted(columns: readonly Float64Array[], rows: number): Int32Array {
  const order = new Uint32Array(rows);
  const spare = new Uint32Array(rows);
  let first = columns[0]!;
  if (columns.length === 1) orderByKeys(first, new Float64Array(rows), rows, order, spare);
  for (let k = 1; k < columns.length; k++) {
    const second = columns[k]!;
    orderByKeys(first, second, rows, order, spare);
    if (k + 1 < columns.length) first = ranks(first, second, order);
  }
  return Int32Array.from(order);
}

/** By row: the same number for rows that are equal so far, larger numbers for later ones. */
function ranks(first: Float64Array, second: Float64Array, order: Uint32Array): Float64Array {
  const rank = new Float64Array(order.length);
  for (let i = 1, r = 0; i < order.length; i++) {
    const [a, b] = [order[i - 1]!, order[i]!];
    if (first[a] !== first[b] || second[a] !== second[b]) r++;
    rank[b] = r;
  }
  return rank;
}

/** Numbers that rise in the order that is asked for, without NaN. */
function ascending({ values: { values, pool }, descending }: OrderKey, rows: number): Float64Array {
  const out = new Float64Array(rows);
  const sign = descending ? -1 : 1;
  let place = (value: number) => value;
  if (pool !== undefined) {
    const used = [...new Set(values)].filter((key) => !Number.isNaN(key));
    const texts = used.map((key) => ({ key, text: pool.text(key) }));
    texts.sort((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : 0));
    const rank = new Map<number, number>();
    texts.forEach(({ key, text }, i) =>
      rank.set(key, i > 0 && texts[i - 1]!.text === text ? rank.get(texts[i - 1]!.key)! : i),
    );
    place = (key) => rank.get(key)!;
  }
  for (let row = 0; row < rows; row++) {
    const value = values[row]!;
    out[row] = Number.isNaN(value) ? Infinity : sign * place(value);
  }
  return out;
}
