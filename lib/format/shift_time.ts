// Moves the events of a recording along the time axis: of each line only the digits of its `timestamp` are rewritten, every other
// byte stays. Lines without such a whole number, headers and lines that are not JSON objects pass as they are.
import { JsonBytes } from "../base/json_bytes.ts";
import { LineSplitter } from "./_lines.ts";
import { skipNumber, skipSpace, skipString, skipValue } from "./_json_scan.ts";
import type { Transcoder } from "./format.ts";

/** Where the number stands that `findTimestamp` found. */
let numberAt = 0;
let numberEnd = 0;

/** The last `timestamp` of the object behind the line's first name, as in JSON.parse; false when there is none. */
function findTimestamp(b: Uint8Array, from: number, to: number): boolean {
  numberAt = -1;
  let p = skipSpace(b, from, to);
  if (p >= to || b[p] !== 123) return false;
  p = skipString(b, skipSpace(b, p + 1, to), to);
  if (p < 0) return false;
  p = skipSpace(b, p, to);
  if (p >= to || b[p] !== 58) return false;
  p = skipSpace(b, p + 1, to);
  if (p >= to || b[p] !== 123) return false;
  p = skipSpace(b, p + 1, to);
  while (p < to && b[p] === 34) {
    const name = p;
    p = skipString(b, p, to);
    if (p < 0) return false;
    const isTime = isTimestamp(b, name, p);
    p = skipSpace(b, p, to);
    if (p >= to || b[p] !== 58) return false;
    const value = skipSpace(b, p + 1, to);
    p = skipValue(b, value, to);
    if (p < 0) return false;
    if (isTime) {
      numberAt = skipNumber(b, value, to) === p ? value : -1;
      numberEnd = p;
    }
    p = skipSpace(b, p, to);
    if (p >= to || b[p] !== 44) break;
    p = skipSpace(b, p + 1, to);
  }
  return numberAt >= 0;
}

const NAME = new TextEncoder().encode('"timestamp"');

function isTimestamp(b: Uint8Array, from: number, to: number): boolean {
  if (to - from !== NAME.length) return false;
  for (let i = 0; i < NAME.length; i++) if (b[from + i] !== NAME[i]) return false;
  return true;
}

export class TimeShift implements Transcoder {
  private readonly delta: number;
  private readonly out = new JsonBytes(1 << 16);
  private readonly splitter: LineSplitter;
  /** Lines whose time cannot be moved without leaving the range of exact whole numbers. */
  outOfRange = 0;

  /** `delta`: whole nanoseconds that are added. */
  constructor(delta: number) {
    this.delta = delta;
    this.splitter = new LineSplitter({
      lines: (b, from, to) => {
        for (let at = from; at < to;) {
          const end = b.indexOf(10, at) + 1;
          this.one(b, at, end);
          at = end;
        }
      },
      last: (b, from, to) => this.one(b, from, to),
      // An empty line in its place keeps the numbers of the lines behind it.
      tooLong: () => this.out.raw("\n"),
    });
  }

  push(chunk: Uint8Array): Uint8Array {
    this.out.clear();
    this.splitter.push(chunk);
    return this.out.view();
  }

  end(): Uint8Array {
    this.out.clear();
    this.splitter.end();
    return this.out.view();
  }

  private one(b: Uint8Array, from: number, to: number): void {
    if (!findTimestamp(b, from, to)) {
      this.out.copy(b, from, to);
      return;
    }
    let value = 0;
    for (let p = numberAt; p < numberEnd; p++) {
      const digit = b[p]! - 48;
      if (digit < 0 || digit > 9) value = NaN;
      value = value * 10 + digit;
    }
    const moved = value + this.delta;
    if (!Number.isSafeInteger(moved) || moved < 0) {
      this.outOfRange++;
      this.out.copy(b, from, to);
      return;
    }
    this.out.copy(b, from, numberAt);
    this.out.int(moved);
    this.out.copy(b, numberEnd, to);
  }
}
