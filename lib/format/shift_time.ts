// Moves the events of a recording along the time axis: of each line only the digits of its `timestamp` are rewritten (and of a
// LineBlock's `end`), every other byte stays. Lines without such a whole number, headers and lines that are not JSON objects pass as they are.
import { JsonBytes } from "../base/json_bytes.ts";
import { LineSplitter } from "./_lines.ts";
import { skipNumber, skipSpace, skipString, skipValue } from "./_json_scan.ts";
import type { Transcoder } from "./format.ts";

/** Where the number stands that `findTimestamp` found. */
let numberAt = 0;
let numberEnd = 0;
/** The same of a block's `end`; -1 when the line has none that counts. */
let blockEndAt = -1;
let blockEndEnd = 0;

/** The last `timestamp` of the object behind the line's first name, as in JSON.parse; false when there is none. */
function findTimestamp(b: Uint8Array, from: number, to: number): boolean {
  numberAt = -1;
  blockEndAt = -1;
  let p = skipSpace(b, from, to);
  if (p >= to || b[p] !== 123) return false;
  const tag = skipSpace(b, p + 1, to);
  p = skipString(b, tag, to);
  if (p < 0) return false;
  const isBlock = isName(b, tag, p, BLOCK);
  p = skipSpace(b, p, to);
  if (p >= to || b[p] !== 58) return false;
  p = skipSpace(b, p + 1, to);
  if (p >= to || b[p] !== 123) return false;
  p = skipSpace(b, p + 1, to);
  while (p < to && b[p] === 34) {
    const name = p;
    p = skipString(b, p, to);
    if (p < 0) return false;
    const isTime = isName(b, name, p, TIMESTAMP);
    const isEnd = isBlock && isName(b, name, p, END);
    p = skipSpace(b, p, to);
    if (p >= to || b[p] !== 58) return false;
    const value = skipSpace(b, p + 1, to);
    p = skipValue(b, value, to);
    if (p < 0) return false;
    if (isTime) {
      numberAt = skipNumber(b, value, to) === p ? value : -1;
      numberEnd = p;
    } else if (isEnd) {
      blockEndAt = skipNumber(b, value, to) === p ? value : -1;
      blockEndEnd = p;
    }
    p = skipSpace(b, p, to);
    if (p >= to || b[p] !== 44) break;
    p = skipSpace(b, p + 1, to);
  }
  return numberAt >= 0;
}

const encoder = new TextEncoder();
const TIMESTAMP = encoder.encode('"timestamp"');
const END = encoder.encode('"end"');
const BLOCK = encoder.encode('"LineBlock"');

function isName(b: Uint8Array, from: number, to: number, name: Uint8Array): boolean {
  if (to - from !== name.length) return false;
  for (let i = 0; i < name.length; i++) if (b[from + i] !== name[i]) return false;
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
    const moved = wholeNumber(b, numberAt, numberEnd) + this.delta;
    const end = blockEndAt < 0 ? 0 : wholeNumber(b, blockEndAt, blockEndEnd) + this.delta;
    if (!isTime(moved) || !isTime(end)) {
      this.outOfRange++;
      this.out.copy(b, from, to);
      return;
    }
    const endsFirst = blockEndAt >= 0 && blockEndAt < numberAt;
    let at = from;
    if (endsFirst) at = this.put(b, at, blockEndAt, blockEndEnd, end);
    at = this.put(b, at, numberAt, numberEnd, moved);
    if (blockEndAt >= 0 && !endsFirst) at = this.put(b, at, blockEndAt, blockEndEnd, end);
    this.out.copy(b, at, to);
  }

  /** Copies up to `from` and puts `value` in place of what stands there; returns where it ended. */
  private put(b: Uint8Array, at: number, from: number, to: number, value: number): number {
    this.out.copy(b, at, from);
    this.out.int(value);
    return to;
  }
}

const isTime = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;

/** NaN for what is a number but not whole. */
function wholeNumber(b: Uint8Array, from: number, to: number): number {
  let value = 0;
  for (let p = from; p < to; p++) {
    const digit = b[p]! - 48;
    if (digit < 0 || digit > 9) return NaN;
    value = value * 10 + digit;
  }
  return value;
}
