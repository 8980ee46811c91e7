// What the lines of one block cost while it is being built: a place for each code and line, found by hashing, and for each file and line
// how many frames it is open on. Cleared and used again for every block.
import type { HeadTotals } from "./block_head.ts";

/** Places at first; both tables grow to what a block needs. */
const SMALL = 1024;

export class CostTable {
  count = new Float64Array(SMALL);
  self = new Float64Array(SMALL);
  private length = 0;
  private code = new Int32Array(SMALL);
  private lineAt = new Int32Array(SMALL);
  private cumulated = new Float64Array(SMALL);
  private everyLevel = new Float64Array(SMALL);
  /** By place: that of the same file and line which was there first; it counts the open frames for all of them. */
  private twin = new Int32Array(SMALL);
  private open = new Int32Array(SMALL);
  // Open addressing: place + 1, 0 is free. One by code and line, one by file and line.
  private byCode = new Int32Array(SMALL * 2);
  private byFile = new Int32Array(SMALL * 2);
  private source = new Int32Array(SMALL);

  clear(): void {
    const { length } = this;
    this.count.fill(0, 0, length);
    this.self.fill(0, 0, length);
    this.cumulated.fill(0, 0, length);
    this.everyLevel.fill(0, 0, length);
    this.open.fill(0, 0, length);
    this.byCode.fill(0);
    this.byFile.fill(0);
    this.length = 0;
  }

  /** The place of a line of a function; `source` is its file in the block, -1 for none. */
  place(code: number, source: number, line: number): number {
    const { byCode } = this;
    const mask = byCode.length - 1;
    for (let p = hash(code, line) & mask; ; p = (p + 1) & mask) {
      const place = byCode[p]! - 1;
      if (place < 0) return this.newPlace(code, source, line, p);
      if (this.code[place] === code && this.lineAt[place] === line) return place;
    }
  }

  opened(place: number): void {
    this.open[this.twin[place]!]!++;
  }

  closed(place: number, time: number): void {
    this.everyLevel[place]! += time;
    if (--this.open[this.twin[place]!]! === 0) this.cumulated[place]! += time;
  }

  /** By code and line. */
  sorted(): HeadTotals {
    const { length, code, lineAt } = this;
    const order = Int32Array.from({ length }, (_, i) => i).sort(
      (a, b) => code[a]! - code[b]! || lineAt[a]! - lineAt[b]!,
    );
    const pick = (from: Float64Array) => Float64Array.from(order, (i) => from[i]!);
    return {
      length,
      code: order.map((i) => code[i]!),
      line: order.map((i) => lineAt[i]!),
      count: pick(this.count),
      self: pick(this.self),
      cumulated: pick(this.cumulated),
      everyLevel: pick(this.everyLevel),
    };
  }

  private newPlace(code: number, source: number, line: number, free: number): number {
    let at = free;
    if (this.length === this.code.length) {
      this.grow();
      const mask = this.byCode.length - 1;
      for (at = hash(code, line) & mask; this.byCode[at] !== 0; at = (at + 1) & mask);
    }
    const place = this.length++;
    this.code[place] = code;
    this.source[place] = source;
    this.lineAt[place] = line;
    this.byCode[at] = place + 1;
    this.twin[place] = this.twinOf(place, code, source, line);
    return place;
  }

  private twinOf(place: number, code: number, source: number, line: number): number {
    // What has no file is itself alone.
    const file = source < 0 ? -2 - code : source;
    const { byFile } = this;
    const mask = byFile.length - 1;
    for (let p = hash(file, line) & mask; ; p = (p + 1) & mask) {
      const other = byFile[p]! - 1;
      if (other < 0) {
        byFile[p] = place + 1;
        return place;
      }
      const otherFile = this.source[other]! < 0 ? -2 - this.code[other]! : this.source[other]!;
      if (otherFile === file && this.lineAt[other] === line) return other;
    }
  }

  private grow(): void {
    const size = this.code.length * 2;
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
    this.code = ints(this.code);
    this.lineAt = ints(this.lineAt);
    this.source = ints(this.source);
    this.twin = ints(this.twin);
    this.open = ints(this.open);
    this.count = floats(this.count);
    this.self = floats(this.self);
    this.cumulated = floats(this.cumulated);
    this.everyLevel = floats(this.everyLevel);
    this.byCode = new Int32Array(size * 2);
    this.byFile = new Int32Array(size * 2);
    const mask = size * 2 - 1;
    for (let place = 0; place < this.length; place++) {
      let p = hash(this.code[place]!, this.lineAt[place]!) & mask;
      while (this.byCode[p] !== 0) p = (p + 1) & mask;
      this.byCode[p] = place + 1;
      if (this.twin[place] !== place) continue;
      const file = this.source[place]! < 0 ? -2 - this.code[place]! : this.source[place]!;
      p = hash(file, this.lineAt[place]!) & mask;
      while (this.byFile[p] !== 0) p = (p + 1) & mask;
      this.byFile[p] = place + 1;
    }
  }
}

function hash(a: number, b: number): number {
  const h = Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca6b);
  return (h ^ (h >>> 15)) >>> 0;
}
