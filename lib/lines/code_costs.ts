// What each line of each function cost in one thread: as LineCosts, but a line that two functions share (a lambda in a call) keeps them apart.
import { Float64List, Int32List } from "../base/columns.ts";
import type { HeadTotals } from "./block_head.ts";
import type { CostSink, LineCode } from "./line_track.ts";

/** More than any line's number. */
const LINES = 2 ** 31;

export class CodeCosts implements CostSink {
  readonly code = new Int32List(64);
  readonly line = new Int32List(64);
  readonly count = new Float64List(64);
  /** In ticks of the traces' clock. */
  readonly self = new Float64List(64);
  readonly cumulated = new Float64List(64);
  private readonly places = new Map<number, number>();

  get length(): number {
    return this.code.length;
  }

  addBlock(totals: HeadTotals, codeAt: Int32Array, codes: readonly LineCode[]): void {
    for (let i = 0; i < totals.length; i++) {
      const code = codeAt[totals.code[i]!]!;
      // As everywhere: a function that has not come to its first line stands at that of its definition.
      const line = totals.line[i]! || codes[code]!.firstLine;
      const key = code * LINES + line;
      const place = this.places.get(key);
      if (place === undefined) {
        this.places.set(key, this.code.length);
        this.code.push(code);
        this.line.push(line);
        this.count.push(totals.count[i]!);
        this.self.push(totals.self[i]!);
        this.cumulated.push(totals.cumulated[i]!);
      } else {
        this.count.set(place, this.count.get(place) + totals.count[i]!);
        this.self.set(place, this.self.get(place) + totals.self[i]!);
        this.cumulated.set(place, this.cumulated.get(place) + totals.cumulated[i]!);
      }
    }
  }
}
