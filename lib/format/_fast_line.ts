// The fast path into a row: walks the bytes of a line in the compact form that tk and proctrace write, without making
// an object or a string. It checks the whole line; whatever it does not know for good it leaves to the careful path, which
// starts again from the line's beginning, so it must never accept what JSON.parse would not, or see it differently.
import { KIND } from "../model/event.ts";
import { skipString, skipValue } from "./_json_scan.ts";
import { ESSENTIAL, FIELD, fieldId, FIELDS_OF, LEAST, MOST, NUMERIC } from "./_fields.ts";
import type { Row } from "./_row.ts";
import { tagKind } from "./_tags.ts";

const TEXTUAL = (1 << FIELD.args) | (1 << FIELD.cmdline) | (1 << FIELD.filename);
const LISTS = (1 << FIELD.args) | (1 << FIELD.cmdline);

/** Kinds whose whole meaning is in the columns; of the others somebody has to look inside. */
const FAST = new Uint8Array(16);
for (const kind of [
  KIND.fork,
  KIND.exec,
  KIND.exec_failed,
  KIND.exit,
  KIND.setpgid,
  KIND.setsid,
  KIND.exec_part,
  KIND.exec_args,
  KIND.exec_filename,
  KIND.source,
  KIND.line_block,
])
  FAST[kind] = 1;

/** Where a list or object ends that starts at `at`; its line is bounded first, since newlines are white space to JSON. */
function skipNested(b: Uint8Array, at: number, to: number): number {
  const newline = b.indexOf(10, at);
  return skipValue(b, at, newline < 0 || newline > to ? to : newline, 2);
}

/** The array of strings at `at`; -1 where it is anything else. */
function skipWords(b: Uint8Array, at: number, to: number): number {
  let p = at + 1;
  if (b[p] === 93) return p + 1;
  for (;;) {
    p = quick(b, p, to);
    if (p < 0) return -1;
    const c = b[p];
    if (c === 93) return p + 1;
    if (c !== 44) return -1;
    p++;
  }
}

/** A string; the plain case is a loop of its own, since most are plain. */
function quick(b: Uint8Array, at: number, to: number): number {
  if (b[at] !== 34) return -1;
  let p = at + 1;
  let c = b[p]!;
  // In this form, and not `c < 32`, because it also ends at undefined, behind the last byte.
  while (c !== 34 && c !== 92 && c >= 32) c = b[++p]!;
  if (c === 34) return p + 1;
  return c === 92 ? skipString(b, at, to) : -1;
}

/**
 * Reads the line that begins at `start` into `row`; `b[to - 1]` is a newline, perhaps of a later line. Returns the
 * position of the line's own newline, or -1 when the line is not for this path (`row` then holds anything).
 */
export function fastLine(b: Uint8Array, start: number, to: number, row: Row): number {
  if (b[start] !== 123 || b[start + 1] !== 34) return -1;
  const tag = start + 2;
  let p = tag;
  while (p < to && b[p] !== 34) {
    if (p - tag > 12) return -1;
    p++;
  }
  const kind = tagKind(b, tag, p);
  if (FAST[kind] === 0 || b[p + 1] !== 58 || b[p + 2] !== 123) return -1;
  p += 3;
  row.clear(kind);
  const mine = FIELDS_OF[kind]!;
  let seen = 0;
  for (;;) {
    if (b[p] !== 34) return -1;
    const name = ++p;
    let c = b[p]!;
    while (c !== 34) {
      if (c === 92 || !(c >= 32)) return -1;
      c = b[++p]!;
    }
    const id = fieldId(b, name, p - name);
    const bit = (1 << id) & mine;
    if (bit & seen || b[p + 1] !== 58) return -1;
    seen |= bit;
    p += 2;
    c = b[p]!;
    if (c >= 48 && c <= 57) {
      const digits = p;
      let value = 0;
      while (c >= 48 && c <= 57) {
        value = value * 10 + (c - 48);
        c = b[++p]!;
      }
      // More than 15 digits may not be exact; "007" is not JSON; fractions and exponents end the digits and fail below.
      if (p - digits > 15 || (b[digits] === 48 && p - digits > 1)) return -1;
      if (bit !== 0) {
        if ((bit & NUMERIC) === 0 || value < LEAST[id]! || value > MOST[id]!) return -1;
        row.set(id, value);
      }
    } else if (c === 34) {
      if (bit !== 0 && (bit & TEXTUAL) === 0) return -1;
      p = quick(b, p, to);
      if (p < 0) return -1;
    } else if (c === 91 && bit !== 0) {
      if ((bit & LISTS) === 0) return -1;
      p = skipWords(b, p, to);
      if (p < 0) return -1;
      row.list = true;
    } else {
      if (id === FIELD.core_dumped && bit !== 0) {
        if (c !== 116) return -1;
        row.core = true;
      } else if (bit !== 0) return -1;
      p = skipNested(b, p, to);
      if (p < 0) return -1;
    }
    c = b[p]!;
    if (c === 125) break;
    if (c !== 44) return -1;
    p++;
  }
  if ((seen & ESSENTIAL[kind]!) !== ESSENTIAL[kind] || b[p + 1] !== 125) return -1;
  p += 2;
  if (b[p] === 13) p++;
  return b[p] === 10 ? p : -1;
}
