// One memory-full of lines: their bytes in one buffer, and per line two numbers to order by and where it is.
// It orders and hands out; where lines come from and go to is the sorter's business. A row is a line with its newline.
import { Buffer } from "node:buffer";
import { orderByKeys } from "../base/key_order.ts";

/** What a row costs besides its bytes: two keys, place, length, and two words for ordering. */
const ROW_BYTES = 8 + 8 + 4 + 4 + 4 + 4;

/** One memory-full at most: offsets have 32 bits. */
const MOST_BYTES = 3 * 2 ** 30;

/** Takes ranges of bytes that hold whole lines. */
export interface LineSink {
  bytes(b: Uint8Array, from: number, to: number): void;
}

export class SortBatch {
  bytes: Buffer;
  /** End of the bytes that are in use: those of the rows and, behind them, of a line that is not whole yet. */
  used = 0;
  /** Rows. */
  length = 0;
  readonly ts: Float64Array;
  readonly seq: Float64Array;
  readonly at: Uint32Array;
  readonly size: Uint32Array;
  readonly order: Uint32Array;
  private readonly spare: Uint32Array;
  private budget: number;
  /**
   * Rows, ascending, that have their key from a line which is no longer here: it cannot be found again from the bytes.
   */
  orphans: number[] = [];

  /** `budget`: bytes of memory for rows and columns together. What is not used is not touched, so it costs nothing. */
  constructor(budget: number) {
    this.budget = Math.min(budget, MOST_BYTES);
    const rows = Math.ceil(this.budget / (ROW_BYTES + 24));
    this.bytes = Buffer.allocUnsafeSlow(this.budget);
    this.ts = new Float64Array(rows);
    this.seq = new Float64Array(rows);
    this.at = new Uint32Array(rows);
    this.size = new Uint32Array(rows);
    this.order = new Uint32Array(rows);
    this.spare = new Uint32Array(rows);
  }

  get capacity(): number {
    return this.bytes.length;
  }

  /** Whether another row of usual size may not fit. */
  get full(): boolean {
    return this.length === this.ts.length || this.used + this.length * ROW_BYTES >= this.budget;
  }

  /** Room for bytes, without growing. */
  get room(): number {
    return Math.max(0, Math.min(this.bytes.length, this.budget - this.length * ROW_BYTES) - this.used);
  }

  /** For a line that is longer than the budget. */
  grow(size: number): void {
    const grown = Buffer.allocUnsafeSlow(size);
    this.bytes.copy(grown, 0, 0, this.used);
    this.bytes = grown;
    this.budget = size + this.length * ROW_BYTES + (1 << 20);
  }

  add(ts: number, seq: number, at: number, size: number): void {
    const n = this.length++;
    this.ts[n] = ts;
    this.seq[n] = seq;
    this.at[n] = at;
    this.size[n] = size;
  }

  /** Fills `order`. */
  sort(): void {
    orderByKeys(this.ts, this.seq, this.length, this.order, this.spare);
  }

  /** How many of the first ordered rows have keys before `(ts, seq)`. */
  countBefore(ts: number, seq: number): number {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const m = (low + high) >>> 1;
      const row = this.order[m]!;
      if (this.ts[row]! < ts || (this.ts[row] === ts && this.seq[row]! < seq)) low = m + 1;
      else high = m;
    }
    return low;
  }

  /** Hands out the ordered rows `[from, to)`, neighbours in one piece; `orphan` is called right before such a row's bytes. */
  emit(sink: LineSink, from: number, to: number, orphan?: (row: number) => void): void {
    const { order, at, size, bytes } = this;
    const orphans = orphan && this.orphans.length > 0 ? new Set(this.orphans) : undefined;
    let start = 0;
    let end = 0;
    for (let i = from; i < to; i++) {
      const row = order[i]!;
      const place = at[row]!;
      const known = orphans === undefined || !orphans.has(row);
      if (place !== end || !known) {
        if (end > start) sink.bytes(bytes, start, end);
        start = place;
        if (!known) orphan?.(row);
      }
      end = place + size[row]!;
    }
    if (end > start) sink.bytes(bytes, start, end);
  }

  /** Keeps only the ordered rows from `from` on, in input order, moved to the front; `tailFrom` is where the unfinished line begins. */
  keepFrom(from: number, tailFrom: number): void {
    const { order, spare, ts, seq, at, size, bytes } = this;
    const kept = this.length - from;
    for (let i = 0; i < kept; i++) spare[i] = order[from + i]!;
    const rows = spare.subarray(0, kept);
    rows.sort();
    const orphans: number[] = [];
    let next = 0;
    let used = 0;
    // The bytes of neighbours move together.
    let pieceAt = 0;
    let pieceEnd = 0;
    let pieceTo = 0;
    for (let i = 0; i < kept; i++) {
      const row = rows[i]!;
      while (next < this.orphans.length && this.orphans[next]! < row) next++;
      if (this.orphans[next] === row) orphans.push(i);
      const place = at[row]!;
      const length = size[row]!;
      if (place !== pieceEnd) {
        if (pieceEnd > pieceAt) bytes.copyWithin(pieceTo, pieceAt, pieceEnd);
        pieceAt = place;
        pieceTo = used;
      }
      pieceEnd = place + length;
      ts[i] = ts[row]!;
      seq[i] = seq[row]!;
      at[i] = used;
      size[i] = length;
      used += length;
    }
    if (pieceEnd > pieceAt) bytes.copyWithin(pieceTo, pieceAt, pieceEnd);
    bytes.copyWithin(used, tailFrom, this.used);
    this.used = used + (this.used - tailFrom);
    this.length = kept;
    this.orphans = orphans;
  }

  clear(): void {
    this.used = 0;
    this.length = 0;
    this.orphans = [];
  }
}
