// What each line cost, added up block by block: how often it ran, how long it and what it called took, and how long it alone.
// Memory grows with the number of distinct lines (48 bytes each, and 8 to 16 to find it), never with the length of the recording.
//
// A row lasts until the first later row that is not deeper. So `cumulated` includes callees, and a line that is open on several
// frames at once (recursion) is open several times: `cumulated` counts only the outermost of them, `everyLevel` each.
// A row alone (`self`) lasts until the very next row.
import { Int32List } from "../base/columns.ts";
import { type LineRows, fileOf, lineOf } from "./line_rows.ts";

/** What is known of one line; times in ticks. */
export interface LineCost {
  readonly file: number;
  readonly line: number;
  readonly count: number;
  readonly cumulated: number;
  readonly everyLevel: number;
  readonly self: number;
}

/** Distinct lines beyond this many are added up in one place together. */
const MOST_LINES = 1 << 22;

/** Where a line stands in the order of first appearance: it has none yet, or it gets one when this block is over. */
const UNSEEN = -1;
const BY_TIME = -2;
const BY_EVENT = -3;

export class LineTotals {
  /** Executed lines so far. */
  events = 0;
  private readonly most: number;
  // By slot. Slot 0 is for all lines beyond `most`.
  private keys = new Uint32Array(1024);
  private count = new Float64Array(1024);
  private cumulated = new Float64Array(1024);
  private everyLevel = new Float64Array(1024);
  private self = new Float64Array(1024);
  private open = new Int32Array(1024);
  private rank = new Int32Array(1024);
  private slots = 1;
  /** Slot of a key by open addressing; 0 is a free place. */
  private places = new Int32Array(4096);
  private shift = 32 - 12;
  /** Slots in the order in which the lines first cost anything. */
  private readonly ranked = new Int32List();
  private fresh: number[] = [];
  private timed: number[] = [];
  // Of the block that is being added: the slot of each row, and the rows that are still open.
  private rowSlot = new Int32Array(0);
  private stack = new Int32Array(0);

  constructor(most = MOST_LINES) {
    this.most = most;
  }

  /** Distinct lines that have a place of their own. */
  get length(): number {
    return this.ranked.length;
  }

  /** Executed lines that share one place because there were too many distinct ones. */
  get unplaced(): number {
    return this.count[0]!;
  }

  /** In the order of first appearance: by block, within a block executed lines first, each by file and line. */
  at(index: number): LineCost {
    const slot = this.ranked.get(index);
    const key = this.keys[slot]!;
    return {
      file: fileOf(key),
      line: lineOf(key),
      count: this.count[slot]!,
      cumulated: this.cumulated[slot]!,
      everyLevel: this.everyLevel[slot]!,
      self: this.self[slot]!,
    };
  }

  add(rows: LineRows): void {
    const { key, depth, time, length, snapshot, end } = rows;
    if (this.rowSlot.length < length) {
      this.rowSlot = new Int32Array(key.length);
      this.stack = new Int32Array(key.length);
    }
    this.reserve(length);
    const { rowSlot, stack, count, self, open, rank } = this;
    let top = -1;
    for (let row = 0; row < length; row++) {
      const now = time[row]!;
      const d = depth[row]!;
      const slot = this.slotOf(key[row]!);
      while (top >= 0 && depth[stack[top]!]! >= d) this.close(stack[top--]!, time, now);
      if (row > 0) self[rowSlot[row - 1]!]! += now - time[row - 1]!;
      rowSlot[row] = slot;
      stack[++top] = row;
      open[slot]!++;
      if (row < snapshot) continue;
      count[slot]!++;
      if (rank[slot]! < 0 && rank[slot] !== BY_EVENT) {
        rank[slot] = BY_EVENT;
        this.fresh.push(slot);
      }
    }
    if (length > 0) self[rowSlot[length - 1]!]! += end - time[length - 1]!;
    while (top >= 0) this.close(stack[top--]!, time, end);
    this.events += length - snapshot;
    if (this.fresh.length > 0 || this.timed.length > 0) this.settle();
  }

  private close(row: number, time: Float64Array, now: number): void {
    const slot = this.rowSlot[row]!;
    const ticks = now - time[row]!;
    this.everyLevel[slot]! += ticks;
    if (--this.open[slot]! === 0) this.cumulated[slot]! += ticks;
    if (ticks > 0 && this.rank[slot] === UNSEEN) {
      this.rank[slot] = BY_TIME;
      this.timed.push(slot);
    }
  }

  /** Gives a rank to the lines that this block showed for the first time. */
  private settle(): void {
    const { rank, keys } = this;
    const byKey = (a: number, b: number) => keys[a]! - keys[b]!;
    for (const slot of this.fresh.sort(byKey)) {
      rank[slot] = this.ranked.length;
      this.ranked.push(slot);
    }
    for (const slot of this.timed.sort(byKey)) {
      if (rank[slot] !== BY_TIME) continue; // It was executed later in the same block.
      rank[slot] = this.ranked.length;
      this.ranked.push(slot);
    }
    this.fresh = [];
    this.timed = [];
  }

  private slotOf(key: number): number {
    const { places, keys } = this;
    const mask = places.length - 1;
    for (let p = Math.imul(key, 0x9e3779b1) >>> this.shift; ; p = (p + 1) & mask) {
      const slot = places[p]!;
      if (slot === 0) return this.newSlot(key, p);
      if (keys[slot] === key) return slot;
    }
  }

  private newSlot(key: number, place: number): number {
    if (this.slots > this.most) return 0;
    const slot = this.slots++;
    this.keys[slot] = key;
    this.rank[slot] = UNSEEN;
    this.places[place] = slot;
    return slot;
  }

  /** Makes room for as many new lines as a block can bring, so that the columns stay where they are while it is added. */
  private reserve(rows: number): void {
    const need = Math.min(this.slots + rows, this.most + 1);
    if (need > this.keys.length) {
      const size = Math.min(Math.max(this.keys.length * 2, need), this.most + 1 + rows);
      const grown = <T extends Uint32Array | Int32Array | Float64Array>(to: T, from: T): T => {
        to.set(from);
        return to;
      };
      this.keys = grown(new Uint32Array(size), this.keys);
      this.count = grown(new Float64Array(size), this.count);
      this.cumulated = grown(new Float64Array(size), this.cumulated);
      this.everyLevel = grown(new Float64Array(size), this.everyLevel);
      this.self = grown(new Float64Array(size), this.self);
      this.open = grown(new Int32Array(size), this.open);
      this.rank = grown(new Int32Array(size), this.rank);
    }
    if (need * 2 > this.places.length) {
      while (need * 2 > 2 ** (32 - this.shift)) this.shift--;
      this.places = new Int32Array(2 ** (32 - this.shift));
      const mask = this.places.length - 1;
      for (let slot = 1; slot < this.slots; slot++) {
        let p = Math.imul(this.keys[slot]!, 0x9e3779b1) >>> this.shift;
        while (this.places[p] !== 0) p = (p + 1) & mask;
        this.places[p] = slot;
      }
    }
  }
}
