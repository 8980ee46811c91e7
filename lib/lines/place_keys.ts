// Which lines were executed in a block: sorted pairs of file and line, to be asked by halving. Blocks of a loop have the same lines one after
// the other, and share them.
import type { HeadTotals } from "./block_head.ts";
import type { LineCode } from "./line_track.ts";

export class PlaceKeys {
  readonly file: Int32Array;
  readonly line: Int32Array;

  constructor(file: Int32Array, line: Int32Array) {
    this.file = file;
    this.line = line;
  }

  has(file: number, line: number): boolean {
    let low = 0;
    let high = this.file.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const f = this.file[middle]!;
      if (f < file || (f === file && this.line[middle]! < line)) low = middle + 1;
      else high = middle;
    }
    return this.file[low] === file && this.line[low] === line;
  }
}

/** Those of a block's head; `before` itself when they are the same. */
export function placeKeys(
  totals: HeadTotals,
  codeAt: Int32Array,
  codes: readonly LineCode[],
  before: PlaceKeys | undefined,
): PlaceKeys {
  const order: number[] = [];
  for (let i = 0; i < totals.length; i++) if (totals.count[i]! > 0) order.push(i);
  const fileAt = (i: number) => codes[codeAt[totals.code[i]!]!]!.file;
  order.sort((a, b) => fileAt(a) - fileAt(b) || totals.line[a]! - totals.line[b]!);
  const file = Int32Array.from(order, fileAt);
  const line = Int32Array.from(order, (i) => totals.line[i]!);
  if (before !== undefined && same(before.file, file) && same(before.line, line)) return before;
  return new PlaceKeys(file, line);
}

function same(a: Int32Array, b: Int32Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
