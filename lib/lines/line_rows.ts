// The executed lines of one block as columns, and how lines between two time stamps get their times.
// A block is what can be understood alone: the frames that were open when it began, then every line in order.
//
//   row        0 .. snapshot-1     one per open frame, outermost first, all at `start`
//   row snapshot .. length-1       one per executed line
//
// Times are whole ticks of the recording's own clock; nothing here knows how long a tick is.

/** A place in a program as one number: `file * 65536 + line`. */
export const keyOf = (file: number, line: number): number => file * 65536 + line;
export const fileOf = (key: number): number => key >>> 16;
export const lineOf = (key: number): number => key & 0xffff;

export class LineRows {
  readonly key: Uint32Array;
  /** Frames on the stack while the line ran; the outermost frame has depth 1. */
  readonly depth: Uint16Array;
  readonly time: Float64Array;
  length = 0;
  /** Rows that stand for open frames instead of executed lines. */
  snapshot = 0;
  start = 0;
  /** When the last of the rows ended. */
  end = 0;

  constructor(capacity: number) {
    this.key = new Uint32Array(capacity);
    this.depth = new Uint16Array(capacity);
    this.time = new Float64Array(capacity);
  }

  clear(start: number): void {
    this.length = 0;
    this.snapshot = 0;
    this.start = start;
    this.end = start;
  }

  /** Rows `from .. length-1` happened between the stamps `a` and `b`: the first at `a`, the others evenly after it, none at `b`. */
  spread(from: number, a: number, b: number): void {
    const n = this.length - from;
    const step = (b - a) / n;
    for (let i = 0; i < n; i++) this.time[from + i] = Math.trunc(a + i * step);
  }
}
