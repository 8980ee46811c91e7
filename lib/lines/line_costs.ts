// What each line cost, added up over blocks, threads and processes: places are added by file and line, without any limit of their
// numbers. Memory grows with the number of distinct lines (56 bytes each), never with the length of the recording.
import type { HeadTotals } from "./block_head.ts";
import type { LineCost } from "./line_totals.ts";
import type { LineCode } from "./line_track.ts";

/** Costs of lines in the order of their first appearance. */
export interface Costs {
  readonly length: number;
  /** Executed lines. */
  readonly events: number;
  /** Executions of lines that have no place of their own because there are too many. */
  readonly unplaced: number;
  at(index: number): LineCost;
}

/** Distinct lines beyond this many are left out and counted. */
const MOST_LINES = 1 << 22;

/** The `file` of a cost of a function that has no file (`<idle>`), and back. */
export const placeOfCode = (code: number): number => -1 - code;
export const codeOfPlace = (file: number): number => -1 - file;

export class LineCosts implements Costs {
  length = 0;
  events = 0;
  unplaced = 0;
  private readonly most: number;
  private file = new Int32Array(256);
  private line = new Int32Array(256);
  private count = new Float64Array(256);
  private cumulated = new Float64Array(256);
  private everyLevel = new Float64Array(256);
  private self = new Float64Array(256);
  /** Place + 1 by file and line; 0 is free. */
  private places = new Int32Array(512);

  constructor(most = MOST_LINES) {
    this.most = most;
  }

  at(index: number): LineCost {
    return {
      file: this.file[index]!,
      line: this.line[index]!,
      count: this.count[index]!,
      cumulated: this.cumulated[index]!,
      everyLevel: this.everyLevel[index]!,
      self: this.self[index]!,
    };
  }

  /**
   * Adds a block's costs. `codeAt` gives the index in `codes` of each function in the block's table. Time of a function that has not come
   * to its first line counts for the line of its definition.
   */
  addBlock(totals: HeadTotals, codeAt: Int32Array, codes: readonly LineCode[]): void {
    for (let i = 0; i < totals.length; i++) {
      const index = codeAt[totals.code[i]!]!;
      const code = codes[index]!;
      const line = totals.line[i]! || code.firstLine;
      const file = code.file < 0 ? placeOfCode(index) : code.file;
      this.add(file, line, totals.count[i]!, totals.cumulated[i]!, totals.everyLevel[i]!, totals.self[i]!);
    }
  }

  add(file: number, line: number, count: number, cumulated: number, everyLevel: number, self: number): void {
    this.events += count;
    const place = this.placeOf(file, line);
    if (place < 0) {
      this.unplaced += count;
      return;
    }
    this.count[place]! += count;
    this.cumulated[place]! += cumulated;
    this.everyLevel[place]! += everyLevel;
    this.self[place]! += self;
  }

  /** What one line cost; undefined when it is not known. */
  find(file: number, line: number): LineCost | undefined {
    const place = this.places[this.slotOf(file, line)]! - 1;
    return place < 0 ? undefined : this.at(place);
  }

  private slotOf(file: number, line: number): number {
    const mask = this.places.length - 1;
    const h = Math.imul(file, 0x9e3779b1) ^ Math.imul(line, 0x85ebca6b);
    let slot = (h ^ (h >>> 15)) & mask;
    for (;;) {
      const place = this.places[slot]! - 1;
      if (place < 0 || (this.file[place] === file && this.line[place] === line)) return slot;
      slot = (slot + 1) & mask;
    }
  }

  private placeOf(file: number, line: number): number {
    const slot = this.slotOf(file, line);
    const known = this.places[slot]! - 1;
    if (known >= 0) return known;
    if (this.length >= this.most) return -1;
    const place = this.length++;
    if (place === this.file.length) this.grow();
    this.file[place] = file;
    this.line[place] = line;
    this.places[this.slotOf(file, line)] = place + 1;
    return place;
  }

  private grow(): void {
    const size = this.file.length * 2;
    const ints = (a: Int32Array) => {
      const b = new Int32Array(size);
      b.set(a);
      return b;
    };
    const floats = (a: Float64Array) => {
      const b = new Float64Array(size);
      b.set(a);
      return b;
    };
    const known = this.length - 1;
    this.file = ints(this.file);
    this.line = ints(this.line);
    this.count = floats(this.count);
    this.cumulated = floats(this.cumulated);
    this.everyLevel = floats(this.everyLevel);
    this.self = floats(this.self);
    this.places = new Int32Array(size * 2);
    for (let place = 0; place < known; place++)
      this.places[this.slotOf(this.file[place]!, this.line[place]!)] = place + 1;
  }
}
