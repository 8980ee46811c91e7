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

/** More than any line's number. */
const LINES = 2 ** 31;

/** Those of a block's head; `before` itself when they are the same. */
export function placeKeys(
  totals: HeadTotals,
  codeAt: Int32Array,
  codes: readonly LineCode[],
  before: PlaceKeys | undefined,
): PlaceKeys {
  // As numbers in the order of file and line: a sort with a comparison took half of the time of opening a recording.
  const keys = new Float64Array(totals.length);
  let n = 0;
  for (let i = 0; i < totals.length; i++)
    if (totals.count[i]! > 0) keys[n++] = codes[codeAt[totals.code[i]!]!]!.file * LINES + totals.line[i]!;
  const sorted = keys.subarray(0, n).sort();
  if (before !== undefined && same(before, sorted)) return before;
  const file = new Int32Array(n);
  const line = new Int32Array(n);
  for (let i = 0; i < n; i++) {
    file[i] = Math.floor(sorted[i]! / LINES);
    line[i] = sorted[i]! - file[i]! * LINES;
  }
  return new PlaceKeys(file, line);
}

function same({ file, line }: PlaceKeys, keys: Float64Array): boolean {
  if (file.length !== keys.length) return false;
  for (let i = 0; i < keys.length; i++) if (file[i]! * LINES + line[i]! !== keys[i]) return false;
  return true;
}
