// The rows of a table in time order: by timestamp, then seq, then input order. Rows without a timestamp are left out.
// It sorts indices, never the table, and costs one pass when the input is in order already (it nearly always is).
import type { EventTable } from "../model/event_table.ts";

/** Row indices, earliest first; only of the rows from `from` on. */
export function timeOrder(events: EventTable, from = 0): Uint32Array {
  const { ts, seq, length } = events;
  let rows = new Uint32Array(Math.max(0, length - from));
  let n = 0;
  for (let row = from; row < length; row++) if (!Number.isNaN(ts[row]!)) rows[n++] = row;
  rows = rows.subarray(0, n);

  if (insertLate(rows, ts, seq)) return rows;
  // Natural merge sort: runs that are in order stay as they are, then neighbours are merged until one is left.
  let runs = [0];
  for (let i = 1; i < n; i++) {
    const a = rows[i - 1]!;
    const b = rows[i]!;
    if (ts[b]! < ts[a]! || (ts[b] === ts[a] && seq[b]! < seq[a]!)) runs.push(i);
  }
  if (runs.length === 1) return rows;
  let spare = new Uint32Array(n);
  while (runs.length > 1) {
    const merged: number[] = [];
    for (let r = 0; r < runs.length; r += 2) {
      const from = runs[r]!;
      const middle = runs[r + 1] ?? n;
      const to = runs[r + 2] ?? n;
      merged.push(from);
      let i = from;
      let j = middle;
      let k = from;
      while (i < middle && j < to) {
        const a = rows[i]!;
        const b = rows[j]!;
        // Left first when equal: that is what makes it stable.
        if (ts[b]! < ts[a]! || (ts[b] === ts[a] && seq[b]! < seq[a]!)) {
          spare[k++] = b;
          j++;
        } else {
          spare[k++] = a;
          i++;
        }
      }
      while (i < middle) spare[k++] = rows[i++]!;
      while (j < to) spare[k++] = rows[j++]!;
    }
    runs = merged;
    const done = spare;
    spare = rows;
    rows = done;
  }
  return rows;
}

/**
 * Puts rows that came a little late where they belong, as several CPUs tell them. Gives up, and says false, when that is more work than
 * merging would be; what it has done until then keeps equal rows in their order.
 */
function insertLate(rows: Uint32Array, ts: Float64Array, seq: Float64Array): boolean {
  const n = rows.length;
  let budget = n * 2;
  for (let i = 1; i < n; i++) {
    const row = rows[i]!;
    const t = ts[row]!;
    let at = i;
    while (at > 0) {
      const before = rows[at - 1]!;
      const u = ts[before]!;
      if (u < t || (u === t && seq[before]! <= seq[row]!)) break;
      rows[at] = before;
      at--;
      if (--budget < 0) {
        rows[at] = row;
        return false;
      }
    }
    rows[at] = row;
  }
  return true;
}
