// Chunks to whole lines, wherever the chunks were cut: lines inside a chunk are handed on where they are, only a line that
// crosses a border is copied. Knows nothing of what the lines hold.

/** Longest line that is kept, without its newline. */
export const LINE_LIMIT = 256 * 1024 * 1024;

export interface LineSink {
  /** One or more whole lines `b[from, to)`, newlines included; `offset` is where `b[from]` stands in the stream. */
  lines(b: Uint8Array, from: number, to: number, offset: number): void;
  /** The last line, when it has no newline. */
  last(b: Uint8Array, from: number, to: number, offset: number): void;
  /** A line of `length` bytes, over the limit, was passed over. */
  tooLong(length: number, offset: number): void;
}

/** A carry buffer beyond this is given back after its line. */
const KEEP = 1 << 22;

export class LineSplitter {
  private readonly sink: LineSink;
  private readonly limit: number;
  private carry = new Uint8Array(0);
  private carried = 0;
  /** Bytes of the line that is being passed over; -1 when none is. */
  private dropped = -1;
  /** Where the next chunk begins in the stream. */
  private offset = 0;

  constructor(sink: LineSink, limit = LINE_LIMIT) {
    this.sink = sink;
    this.limit = limit;
  }

  /** The chunk may be used again afterwards. */
  push(chunk: Uint8Array): void {
    let from = 0;
    if (this.carried > 0 || this.dropped >= 0) {
      const newline = chunk.indexOf(10);
      if (newline < 0) {
        this.keep(chunk, 0, chunk.length);
        this.offset += chunk.length;
        return;
      }
      this.keep(chunk, 0, newline);
      from = newline + 1;
      if (this.dropped >= 0) {
        this.sink.tooLong(this.dropped, this.offset + newline - this.dropped);
        this.dropped = -1;
      } else {
        const start = this.offset - (this.carried - newline);
        this.room(1);
        this.carry[this.carried] = 10;
        this.sink.lines(this.carry, 0, this.carried + 1, start);
        this.release();
      }
    }
    const end = chunk.lastIndexOf(10) + 1;
    if (end > from) {
      if (end - from <= this.limit) this.sink.lines(chunk, from, end, this.offset + from);
      else this.oneByOne(chunk, from, end);
      from = end;
    }
    if (from < chunk.length) this.keep(chunk, from, chunk.length);
    this.offset += chunk.length;
  }

  end(): void {
    if (this.dropped >= 0) this.sink.tooLong(this.dropped, this.offset - this.dropped);
    else if (this.carried > 0) this.sink.last(this.carry, 0, this.carried, this.offset - this.carried);
    this.dropped = -1;
    this.release();
  }

  /** A chunk that is longer than a line may be: each line is measured. */
  private oneByOne(chunk: Uint8Array, from: number, end: number): void {
    for (let at = from; at < end;) {
      const next = chunk.indexOf(10, at) + 1;
      const length = next - 1 - at;
      if (length > this.limit) this.sink.tooLong(length, this.offset + at);
      else this.sink.lines(chunk, at, next, this.offset + at);
      at = next;
    }
  }

  private keep(chunk: Uint8Array, from: number, to: number): void {
    const n = to - from;
    if (this.dropped >= 0) {
      this.dropped += n;
      return;
    }
    if (this.carried + n > this.limit) {
      this.dropped = this.carried + n;
      this.release();
      return;
    }
    this.room(n);
    this.carry.set(chunk.subarray(from, to), this.carried);
    this.carried += n;
  }

  private room(n: number): void {
    const need = this.carried + n;
    if (need <= this.carry.length) return;
    const grown = new Uint8Array(Math.max(4096, Math.min(need * 2, this.limit + 1), need));
    grown.set(this.carry.subarray(0, this.carried));
    this.carry = grown;
  }

  private release(): void {
    this.carried = 0;
    if (this.carry.length > KEEP) this.carry = new Uint8Array(0);
  }
}
