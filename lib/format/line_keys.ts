// The few values by which a line is ordered and grouped, taken out of its bytes without parsing the rest:
// what the sorter asks of every line. Takes event lines (JSON) and raw backend lines (`FORK: seq=3,ts=...`) alike.
// A line is an event here exactly when it is one JSON object; whether its fields make sense is left to the reader.
import { KIND, TAG_KIND } from "../model/event.ts";
import { ABSENT } from "../model/ids.ts";
import { fastLine } from "./_fast_line.ts";
import { skipNumber, skipSpace, skipString, skipValue } from "./_json_scan.ts";
import { makeRawFields, readRawLine } from "./_raw_line.ts";
import { Row } from "./_row.ts";
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

/**
 * Fills `out` from the line `b[from, to)`, without its newline; returns one of `LINE`. Never throws. Fast where the newline
 * stands at `b[to]`.
 */
export function scanKeys(b: Uint8Array, from: number, to: number, out: LineKeys): number {
  out.kind = KIND.unknown;
  out.ts = NaN;
  out.seq = ABSENT;
  out.pid = ABSENT;
  if (fastKeys(b, from, to, out)) return LINE.event;
  return slowKeys(b, from, to, out);
}

const row = new Row();

/** A whole line in the form that tk and proctrace write, its newline included; false for every other. */
function fastKeys(b: Uint8Array, from: number, to: number, out: LineKeys): boolean {
  if (b[to] !== 10 || fastLine(b, from, to + 1, row) < 0) return false;
  out.kind = row.kind;
  out.ts = row.ts;
  out.seq = row.seq;
  out.pid = row.pid;
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
