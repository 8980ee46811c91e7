// The fast path into a row: walks the bytes of a line in the compact form that tk and proctrace write, without making
// an object or a string. It checks the whole line; whatever it does not know for good it leaves to the careful path, which
// starts again from the line's beginning, so it must never accept what JSON.parse would not, or see it differently.
import { KIND, TAG_KIND } from "../model/event.ts";
import { skipString, skipValue } from "./_json_scan.ts";
import { ESSENTIAL, FIELD, fieldId, FIELDS_OF, KEY_LENGTH, KEY_WORDS, LEAST, MOST, NUMERIC, OTHER } from "./_fields.ts";
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

/**
 * By kind and the field before (OTHER: none): the field that came next the last time. Lines of one writer name their fields in the same
 * order, so nearly every name is compared with one guess, four bytes at a time, and never looked for.
 */
const NEXT = new Uint8Array(16 * 32).fill(OTHER);

/** Tags as they stand in a line, `"Fork":{`, the most frequent first: words at the places 0, 4 and at the end. */
const TAGS = [KIND.fork, KIND.exec, KIND.exit, KIND.exec_failed];
const TAG_TEXTS = TAGS.map((kind) => {
  const name = [...TAG_KIND].find((entry) => entry[1] === kind)![0];
  return new TextEncoder().encode(`"${name}":{`);
});
const TAG_WORDS = Int32Array.from(
  TAG_TEXTS.flatMap((text) => {
    const words = new DataView(text.buffer);
    return [words.getInt32(0, true), words.getInt32(4, true), words.getInt32(text.length - 4, true)];
  }),
);
const TAG_LENGTH = Int32Array.from(TAG_TEXTS, (text) => text.length);

/** A zero that the engine knows to be a double: code made for small numbers would be thrown away at the first time beyond 2^31 ns. */
const ZERO = new Float64Array(1);

const HIGH_BITS = 0x80808080 | 0;

const NO_BYTES = new Uint8Array(0);
let viewed: Uint8Array = NO_BYTES;
let view = new DataView(NO_BYTES.buffer);

/** Lets go of the bytes that were read last. */
export function forgetBytes(): void {
  viewed = NO_BYTES;
  view = new DataView(NO_BYTES.buffer);
}

/** Which of `TAGS` stands at `p`; -1 when another does. */
function tagAt(p: number): number {
  if (p + 16 > view.byteLength) return -1;
  const first = view.getInt32(p, true);
  for (let i = 0; i < TAGS.length; i++)
    if (
      first === TAG_WORDS[i * 3] &&
      view.getInt32(p + 4, true) === TAG_WORDS[i * 3 + 1] &&
      view.getInt32(p + TAG_LENGTH[i]! - 4, true) === TAG_WORDS[i * 3 + 2]
    )
      return i;
  return -1;
}

/** Whether the name of field `id`, with quotes and colon, stands at `p`. */
function isKey(p: number, id: number): boolean {
  const length = KEY_LENGTH[id]!;
  const last = p + length - 4;
  if (length === 0 || last + 4 > view.byteLength) return false;
  const at = id * 4;
  if (view.getInt32(p, true) !== KEY_WORDS[at] || view.getInt32(last, true) !== KEY_WORDS[at + 3]) return false;
  if (length <= 8) return true;
  if (view.getInt32(p + 4, true) !== KEY_WORDS[at + 1]) return false;
  return length <= 12 || view.getInt32(p + 8, true) === KEY_WORDS[at + 2];
}

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

/** The number that the four digits at `p` are; -1 where they are not. */
function fourDigits(p: number): number {
  const four = view.getInt32(p, true) ^ 0x30303030;
  if ((((four + 0x76767676) | four) & HIGH_BITS) !== 0) return -1;
  const pairs = Math.imul(four, 10) + (four >>> 8);
  return (pairs & 0xff) * 100 + ((pairs >>> 16) & 0xff);
}

/** A string; the plain case is a loop of its own, since most are plain. */
function quick(b: Uint8Array, at: number, to: number): number {
  if (b[at] !== 34) return -1;
  const words = view.byteLength - 4;
  let p = at + 1;
  // Four bytes at a time up to the first that is a quote, a backslash or a control character: it is the lowest bit that is left.
  while (p <= words) {
    const word = view.getInt32(p, true);
    const quote = word ^ 0x22222222;
    const slash = word ^ 0x5c5c5c5c;
    const found =
      (((quote - 0x01010101) & ~quote) | ((slash - 0x01010101) & ~slash) | ((word - 0x20202020) & ~word)) & HIGH_BITS;
    if (found !== 0) {
      p += (31 - Math.clz32(found & -found)) >>> 3;
      break;
    }
    p += 4;
  }
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
  if (b !== viewed) {
    viewed = b;
    view = new DataView(b.buffer as ArrayBuffer, b.byteOffset, b.byteLength);
  }
  let p = start + 2;
  let kind: number;
  const usual = tagAt(start + 1);
  if (usual >= 0) {
    kind = TAGS[usual]!;
    p = start + 1 + TAG_LENGTH[usual]!;
  } else {
    const tag = p;
    while (p < to && b[p] !== 34) {
      if (p - tag > 12) return -1;
      p++;
    }
    kind = tagKind(b, tag, p);
    if (FAST[kind] === 0 || b[p + 1] !== 58 || b[p + 2] !== 123) return -1;
    p += 3;
  }
  row.clear(kind);
  const mine = FIELDS_OF[kind]!;
  const words = to - 4;
  let seen = 0;
  let before = (kind << 5) | OTHER;
  for (;;) {
    let id = NEXT[before]!;
    if (isKey(p, id)) p += KEY_LENGTH[id]!;
    else {
      if (b[p] !== 34) return -1;
      const name = ++p;
      let c = b[p]!;
      while (c !== 34) {
        if (c === 92 || !(c >= 32)) return -1;
        c = b[++p]!;
      }
      id = fieldId(b, name, p - name);
      NEXT[before] = id;
      if (b[p + 1] !== 58) return -1;
      p += 2;
    }
    before = (kind << 5) | id;
    const bit = (1 << id) & mine;
    if (bit & seen) return -1;
    seen |= bit;
    let c = b[p]!;
    if (c >= 48 && c <= 57) {
      const digits = p;
      let small = 0;
      // Up to nine digits are a small number to the engine; those after them are added to what it knows to be a double.
      const first = p <= words ? fourDigits(p) : -1;
      if (first >= 0) {
        small = first;
        p += 4;
        const second = p <= words ? fourDigits(p) : -1;
        if (second >= 0) {
          small = small * 10000 + second;
          p += 4;
        }
      }
      c = b[p]!;
      while (c >= 48 && c <= 57 && p - digits < 9) {
        small = small * 10 + (c - 48);
        c = b[++p]!;
      }
      let value = ZERO[0]! + small;
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
