// The events of a recording as columns: one row an event, in the order of the input, 50 bytes a row.
// Text (argv, paths, reports) stays where it was read from; `at` and `len` say where the row's line is.
import { ABSENT } from "./ids.ts";

export class EventTable {
  length = 0;
  /** Nanoseconds since the recording began; NaN where the line has none (header, sources). */
  ts: Float64Array;
  /** Order of the kernel; ABSENT where the input has none. */
  seq: Float64Array;
  /** One of `KIND`. */
  kind: Uint8Array;
  /** The process the event is about; of a fork, the child. */
  pid: Int32Array;
  /** Its parent; ABSENT when not recorded. */
  ppid: Int32Array;
  /** Its process group (of a fork: the parent's group; of setpgid: the new one). */
  pgid: Int32Array;
  sid: Int32Array;
  /** exit: exit code, ABSENT when killed or unknown. exec_failed: errno, ABSENT when unknown. */
  code: Int32Array;
  /** exit: the signal, 0 for none; bit 7 (128) set when core was dumped. */
  signal: Uint8Array;
  /**
   * Of an exec that was recorded in parts (proctrace): the row of the next part, the last part pointing back to the
   * exec, so with two parts each points to the other. Else ABSENT.
   */
  mate: Int32Array;
  /** Byte offset and length of the event's line in the recording's text, without its newline. */
  at: Float64Array;
  len: Int32Array;

  constructor(capacity = 1024) {
    const n = Math.max(16, capacity);
    this.ts = new Float64Array(n);
    this.seq = new Float64Array(n);
    this.kind = new Uint8Array(n);
    this.pid = new Int32Array(n);
    this.ppid = new Int32Array(n);
    this.pgid = new Int32Array(n);
    this.sid = new Int32Array(n);
    this.code = new Int32Array(n);
    this.signal = new Uint8Array(n);
    this.mate = new Int32Array(n);
    this.at = new Float64Array(n);
    this.len = new Int32Array(n);
  }

  /** Makes room for one more row, which holds anything; the caller fills every column, then counts `length` up. */
  room(): number {
    const row = this.length;
    if (row === this.ts.length) this.grow(row * 2);
    return row;
  }

  /** Makes room for one more row and clears it; the caller fills it, then counts `length` up. */
  prepare(): number {
    const row = this.room();
    this.ts[row] = NaN;
    this.seq[row] = ABSENT;
    this.kind[row] = 0;
    this.pid[row] = ABSENT;
    this.ppid[row] = ABSENT;
    this.pgid[row] = ABSENT;
    this.sid[row] = ABSENT;
    this.code[row] = ABSENT;
    this.signal[row] = 0;
    this.mate[row] = ABSENT;
    return row;
  }

  private grow(n: number): void {
    const f64 = (a: Float64Array) => {
      const b = new Float64Array(n);
      b.set(a);
      return b;
    };
    const i32 = (a: Int32Array) => {
      const b = new Int32Array(n);
      b.set(a);
      return b;
    };
    const u8 = (a: Uint8Array) => {
      const b = new Uint8Array(n);
      b.set(a);
      return b;
    };
    this.ts = f64(this.ts);
    this.seq = f64(this.seq);
    this.kind = u8(this.kind);
    this.pid = i32(this.pid);
    this.ppid = i32(this.ppid);
    this.pgid = i32(this.pgid);
    this.sid = i32(this.sid);
    this.code = i32(this.code);
    this.signal = u8(this.signal);
    this.mate = i32(this.mate);
    this.at = f64(this.at);
    this.len = i32(this.len);
  }
}
