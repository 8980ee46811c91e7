// The text beside an interpreter's raw streams (`ID.meta`): processes, files, functions, threads. One record a line, written whole; a last
// line without its end is not there yet. Whoever wrote it may have been killed, or may be a stranger. Pure.
import { err, ok, type Result } from "neverthrow";

export type MetaRecord =
  | {
      readonly tag: "P";
      readonly pid: number;
      readonly ppid: number;
      /** CLOCK_MONOTONIC, and the wall clock at the same moment, nanoseconds. */
      readonly at: bigint;
      readonly wall: bigint;
      readonly version: string;
      readonly executable: string;
      readonly engine: string;
      readonly name: string;
    }
  | { readonly tag: "F"; readonly file: number; readonly path: Uint8Array; readonly key: string }
  | {
      readonly tag: "C";
      readonly code: number;
      readonly file: number;
      readonly firstLine: number;
      readonly name: string;
    }
  | { readonly tag: "S"; readonly stream: number; readonly tid: number; readonly name: string }
  | { readonly tag: "X"; readonly stream: number; readonly at: bigint }
  | { readonly tag: "L"; readonly count: number; readonly reason: string }
  | { readonly tag: "N"; readonly sentence: string }
  | { readonly tag: "E"; readonly at: bigint };

const decoder = new TextDecoder();

/** `%XX` stands for a byte; anything else for itself. */
export function fieldBytes(field: Uint8Array): Uint8Array {
  if (!field.includes(37)) return field;
  const out = new Uint8Array(field.length);
  let n = 0;
  for (let i = 0; i < field.length; i++) {
    const hex = field[i] === 37 ? hexByte(field, i + 1) : -1;
    out[n++] = hex < 0 ? field[i]! : hex;
    if (hex >= 0) i += 2;
  }
  return out.subarray(0, n);
}

function hexByte(b: Uint8Array, at: number): number {
  const high = hexDigit(b[at]);
  const low = hexDigit(b[at + 1]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

function hexDigit(c: number | undefined): number {
  if (c === undefined) return -1;
  if (c >= 48 && c <= 57) return c - 48;
  const lower = c | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

function splitTabs(line: Uint8Array): Uint8Array[] {
  const fields: Uint8Array[] = [];
  let from = 0;
  for (let tab = line.indexOf(9); tab >= 0; tab = line.indexOf(9, from)) {
    fields.push(line.subarray(from, tab));
    from = tab + 1;
  }
  fields.push(line.subarray(from));
  return fields;
}

class Fields {
  /** The first field that was not what it has to be. */
  wrong = "";
  private readonly fields: readonly Uint8Array[];

  constructor(fields: readonly Uint8Array[]) {
    this.fields = fields;
  }

  bytes(i: number): Uint8Array {
    return fieldBytes(this.fields[i] ?? new Uint8Array());
  }

  text(i: number): string {
    return decoder.decode(this.bytes(i));
  }

  number(i: number, name: string, least = 0): number {
    const text = decoder.decode(this.fields[i]);
    const value = /^-?\d{1,10}$/.test(text) ? Number(text) : NaN;
    if (value >= least && value <= 0x7fffffff) return value;
    this.wrong ||= `${name} is ${JSON.stringify(text.slice(0, 40))}, expected a number from ${least} to 2147483647`;
    return 0;
  }

  time(i: number, name: string): bigint {
    const text = decoder.decode(this.fields[i]);
    if (/^\d{1,19}$/.test(text)) return BigInt(text);
    this.wrong ||= `${name} is ${JSON.stringify(text.slice(0, 40))}, expected nanoseconds`;
    return 0n;
  }
}

/** One line without its newline; undefined for a kind that a later recorder may have. */
export function parseMetaLine(line: Uint8Array): Result<MetaRecord | undefined, string> {
  const f = new Fields(splitTabs(line));
  const record = recordOf(f.text(0), f);
  return f.wrong === "" ? ok(record) : err(f.wrong);
}

function recordOf(tag: string, f: Fields): MetaRecord | undefined {
  switch (tag) {
    case "P":
      return {
        tag,
        pid: f.number(1, "pid", 1),
        ppid: f.number(2, "ppid"),
        at: f.time(3, "perf_ns"),
        wall: f.time(4, "wall_ns"),
        version: f.text(5),
        executable: f.text(6),
        engine: f.text(7),
        name: f.text(8),
      };
    case "F":
      return { tag, file: f.number(1, "file_id"), path: f.bytes(2).slice(), key: f.text(3) };
    case "C":
      return {
        tag,
        code: f.number(1, "code_id"),
        file: f.number(2, "file_id", -1),
        firstLine: f.number(3, "first_line"),
        name: f.text(4),
      };
    case "S":
      return { tag, stream: f.number(1, "stream"), tid: f.number(2, "tid"), name: f.text(3) };
    case "X":
      return { tag, stream: f.number(1, "stream"), at: f.time(2, "perf_ns") };
    case "L":
      return { tag, count: f.number(1, "count"), reason: f.text(2) };
    case "N":
      return { tag, sentence: f.text(1) };
    case "E":
      return { tag, at: f.time(1, "perf_ns") };
    default:
      if (!/^[A-Z]$/.test(tag)) f.wrong ||= `it begins with ${JSON.stringify(tag.slice(0, 20))}, expected a letter`;
      return undefined;
  }
}

/** A line may be this long; a longer one is no record of ours. */
const MOST_LINE = 1 << 20;

/** Cuts text that grows into lines. */
export class LineCutter {
  private rest = new Uint8Array();

  /** Calls `take` with each whole line; false when a line is longer than any. */
  push(bytes: Uint8Array, take: (line: Uint8Array) => void): boolean {
    let text = bytes;
    if (this.rest.length > 0) {
      text = new Uint8Array(this.rest.length + bytes.length);
      text.set(this.rest);
      text.set(bytes, this.rest.length);
    }
    let from = 0;
    for (let end = text.indexOf(10); end >= 0; end = text.indexOf(10, from)) {
      take(text.subarray(from, end));
      from = end + 1;
    }
    this.rest = text.slice(from);
    if (this.rest.length <= MOST_LINE) return true;
    this.rest = new Uint8Array();
    return false;
  }
}
