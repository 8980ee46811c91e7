// By what a line of a recording is ordered: timestamp, then seq. A header belongs before everything; a line without a time
// stays behind the line it came after, by having its key. One KeyScan follows one stream of lines.
import { LINE, makeLineKeys, scanKeys } from "../format/line_keys.ts";
import { KIND } from "../model/event.ts";
import { ABSENT } from "../model/ids.ts";

/** Headers have no time; among the lines before all time they come first. */
const HEADER_SEQ = -2;

export class KeyScan {
  /** Key of the line that was looked at last. */
  ts = -Infinity;
  seq: number = ABSENT;
  /** Whether its key is that of the line before it. */
  inherited = false;
  /** Whether it is a header. */
  header = false;
  private readonly keys = makeLineKeys();

  /** A new stream, or a line whose predecessor is elsewhere. */
  set(ts = -Infinity, seq: number = ABSENT): void {
    this.ts = ts;
    this.seq = seq;
    this.header = false;
  }

  /** Looks at `b[from, to)`, a line without its newline; one of `LINE`, and only of an event the key is taken. */
  next(b: Uint8Array, from: number, to: number): number {
    const keys = this.keys;
    const what = scanKeys(b, from, to, keys);
    if (what !== LINE.event) return what;
    if (keys.kind === KIND.recording) {
      this.ts = -Infinity;
      this.seq = HEADER_SEQ;
      this.header = true;
      this.inherited = false;
      return what;
    }
    if (Number.isNaN(keys.ts)) {
      // Nothing follows a header closer than the next header.
      if (this.header) this.seq = ABSENT;
      this.header = false;
      this.inherited = true;
      return what;
    }
    this.ts = keys.ts;
    this.seq = keys.seq;
    this.header = false;
    this.inherited = false;
    return what;
  }
}
