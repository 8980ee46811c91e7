// The few values by which a line is ordered and grouped, taken out of its bytes without parsing the rest:
// what the sorter asks of every line. Takes event lines (JSON) and raw backend lines (`FORK: seq=3,ts=...`) alike.
// It looks at the whole of a line only when its start or its end has an unusual shape, so a fault in the middle
// of an ordinary line is left for the reader to find.
import { KIND, TAG_KIND } from "../model/event.ts";
import { ABSENT } from "../model/ids.ts";
import { skipNumber, skipSpace, skipString, skipValue } from "./_json_scan.ts";
import { makeRawFields, readRawLine } from "./_raw_line.ts";
import { tagKind } from "./_tags.ts";

/** What a line is. */
export const LINE = {
  /** A JSON object with one tag. */
  event: 0,
  /** A backend's own line, keys found. */
  raw: 1,
  /** Nothing but white space. */
  blank: 2,
  /** Neither. */
  broken: 3,
} as const;

export interface LineKeys {
  /** One of `KIND`; for raw lines that of the event it stands for. */
  kind: number;
  /** NaN where the line has none, or none that is a whole number from 0 to 2^53. */
  ts: number;
  /** ABSENT where the line has none. */
  seq: number;
  /** The process the event is about; of a fork, the child. ABSENT where the line has none. */
  pid: number;
}

export function makeLineKeys(): LineKeys {
  return { kind: KIND.unknown, ts: NaN, seq: ABSENT, pid: ABSENT };
}

const WORD = (s: string) => new TextEncoder().encode(s);
const SEQ = WORD('"seq":');
const TIMESTAMP = WORD('"timestamp":');
const PID = WORD('"pid":');
const PARENT_PID = WORD('"parent_pid":');
const CHILD_PID = WORD('"child_pid":');

/** Fills `out` from the line `b[from, to)`, without its newline; returns one of `LINE`. Never throws. */
export function scanKeys(b: Uint8Array, from: number, to: number, out: LineKeys): number {
  out.kind = KIND.unknown;
  out.ts = NaN;
  out.seq = ABSENT;
  out.pid = ABSENT;
  if (fastKeys(b, from, to, out)) return LINE.event;
  return slowKeys(b, from, to, out);
}

/** Behind the digits of the number at `numberAt`, which `numberValue` then holds; -1 when it is not an exact whole number. */
let numberValue = 0;
function wholeNumber(b: Uint8Array, at: number, to: number): number {
  let p = at;
  let v = 0;
  while (p < to) {
    const d = b[p]! - 48;
    if (d < 0 || d > 9) break;
    v = v * 10 + d;
    p++;
  }
  if (p === at || p - at > 15 || (b[at] === 48 && p - at > 1)) return -1;
  numberValue = v;
  return p;
}

function matches(b: Uint8Array, at: number, to: number, word: Uint8Array): boolean {
  if (at + word.length > to) return false;
  for (let i = 0; i < word.length; i++) if (b[at + i] !== word[i]) return false;
  return true;
}

/** The shapes that tk and proctrace write, field for field; false for every other. */
function fastKeys(b: Uint8Array, from: number, to: number, out: LineKeys): boolean {
  if (to - from < 24 || b[from] !== 123 || b[from + 1] !== 34 || b[to - 1] !== 125 || b[to - 2] !== 125) return false;
  const tag = from + 2;
  let p = tag;
  const tagEnd = Math.min(to - 4, tag + 16);
  while (p < tagEnd && b[p] !== 34) p++;
  if (b[p] !== 34 || b[p + 1] !== 58 || b[p + 2] !== 123) return false;
  const kind = tagKind(b, tag, p);
  // A report or a block may hold a second `timestamp` further on, and a tag we do not know anything: all of it is read.
  if (kind === KIND.unknown) return false;
  p += 3;
  let seq: number = ABSENT;
  if (matches(b, p, to, SEQ)) {
    p = wholeNumber(b, p + SEQ.length, to);
    if (p < 0 || b[p] !== 44) return false;
    seq = numberValue;
    p++;
  }
  if (!matches(b, p, to, TIMESTAMP)) return false;
  p = wholeNumber(b, p + TIMESTAMP.length, to);
  if (p < 0) return false;
  const ts = numberValue;
  let pid: number = ABSENT;
  if (b[p] === 44) {
    p++;
    if (kind === KIND.fork) {
      if (!matches(b, p, to, PARENT_PID)) return false;
      p = wholeNumber(b, p + PARENT_PID.length, to);
      if (p < 0 || b[p] !== 44 || !matches(b, p + 1, to, CHILD_PID)) return false;
      p = wholeNumber(b, p + 1 + CHILD_PID.length, to);
      if (p < 0) return false;
      pid = numberValue;
    } else if (kind !== KIND.lost && kind !== KIND.end) {
      if (!matches(b, p, to, PID)) return false;
      p = wholeNumber(b, p + PID.length, to);
      if (p < 0) return false;
      pid = numberValue;
    }
    if (b[p] !== 44 && b[p] !== 125) return false;
  } else if (b[p] !== 125) return false;
  out.kind = kind;
  out.ts = ts;
  out.seq = seq;
  out.pid = pid;
  return true;
}

/** Any JSON line: its structure is checked to the end, and of repeated fields the last counts, as in JSON.parse. */
function slowKeys(b: Uint8Array, from: number, to: number, out: LineKeys): number {
  let p = skipSpace(b, from, to);
  if (p === to) return LINE.blank;
  if (b[p] !== 123) return rawKeys(b, p, to, out);
  p = skipSpace(b, p + 1, to);
  if (p < to && b[p] === 125) return skipSpace(b, p + 1, to) === to ? LINE.event : LINE.broken;
  const tag = p;
  let tagEnd = -1;
  let severalTags = false;
  for (;;) {
    const nameEnd = skipString(b, p, to);
    if (nameEnd < 0) return LINE.broken;
    if (tagEnd < 0) {
      tagEnd = nameEnd;
      out.kind = nameKind(b, p, nameEnd);
    } else if (!sameBytes(b, tag, tagEnd, p, nameEnd)) severalTags = true;
    p = skipSpace(b, nameEnd, to);
    if (p >= to || b[p] !== 58) return LINE.broken;
    p = skipSpace(b, p + 1, to);
    out.ts = NaN;
    out.seq = ABSENT;
    out.pid = ABSENT;
    p = p < to && b[p] === 123 ? bodyKeys(b, p, to, out) : skipValue(b, p, to, 1);
    if (p < 0) return LINE.broken;
    p = skipSpace(b, p, to);
    if (p >= to) return LINE.broken;
    if (b[p] === 125) break;
    if (b[p] !== 44) return LINE.broken;
    p = skipSpace(b, p + 1, to);
  }
  if (severalTags) {
    out.kind = KIND.unknown;
    out.ts = NaN;
    out.seq = ABSENT;
    out.pid = ABSENT;
  }
  return skipSpace(b, p + 1, to) === to ? LINE.event : LINE.broken;
}

const raw = makeRawFields();

function rawKeys(b: Uint8Array, from: number, to: number, out: LineKeys): number {
  if (!readRawLine(b, from, to, raw)) return LINE.broken;
  out.kind = raw.kind;
  out.ts = raw.ts;
  out.seq = raw.seq;
  out.pid = raw.pid;
  return LINE.raw;
}

function sameBytes(b: Uint8Array, from: number, to: number, at: number, end: number): boolean {
  if (to - from !== end - at) return false;
  for (let i = from, j = at; i < to; i++, j++) if (b[i] !== b[j]) return false;
  return true;
}

const decoder = new TextDecoder();

/** The text of a quoted name; names with escapes are rare and go through JSON.parse. */
function nameText(b: Uint8Array, from: number, to: number): string {
  const text = decoder.decode(b.subarray(from, to));
  if (!text.includes("\\")) return text.slice(1, -1);
  const value: unknown = JSON.parse(text);
  return typeof value === "string" ? value : "";
}

function nameKind(b: Uint8Array, from: number, to: number): number {
  for (let i = from; i < to; i++) if (b[i] === 92) return TAG_KIND.get(nameText(b, from, to)) ?? KIND.unknown;
  return tagKind(b, from + 1, to - 1);
}

/** The fields of the object behind the tag, whose brace is at `at`; -1 when its structure is broken. */
function bodyKeys(b: Uint8Array, at: number, to: number, out: LineKeys): number {
  let p = skipSpace(b, at + 1, to);
  if (p < to && b[p] === 125) return p + 1;
  for (;;) {
    const name = p;
    const nameEnd = skipString(b, p, to);
    if (nameEnd < 0) return -1;
    p = skipSpace(b, nameEnd, to);
    if (p >= to || b[p] !== 58) return -1;
    const value = skipSpace(b, p + 1, to);
    p = skipValue(b, value, to, 2);
    if (p < 0) return -1;
    // The longest name that matters is "timestamp"; with every letter as an escape it has 56 bytes.
    if (nameEnd - name <= 56) takeField(b, nameText(b, name, nameEnd), value, p, out);
    p = skipSpace(b, p, to);
    if (p >= to) return -1;
    if (b[p] === 125) return p + 1;
    if (b[p] !== 44) return -1;
    p = skipSpace(b, p + 1, to);
  }
}

function takeField(b: Uint8Array, name: string, from: number, to: number, out: LineKeys): void {
  if (name === "timestamp") out.ts = numberOr(b, from, to, NaN);
  else if (name === "seq") out.seq = numberOr(b, from, to, ABSENT);
  else if (name === (out.kind === KIND.fork ? "child_pid" : "pid")) out.pid = numberOr(b, from, to, ABSENT);
}

/** A whole number from 0 to 2^53 - 1; otherwise what stands for none. */
function numberOr(b: Uint8Array, from: number, to: number, none: number): number {
  if (skipNumber(b, from, to) !== to) return none;
  const value = Number(decoder.decode(b.subarray(from, to)));
  return Number.isSafeInteger(value) && value >= 0 ? value : none;
}
