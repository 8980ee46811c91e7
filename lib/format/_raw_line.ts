// The raw lines that proctrace's bpftrace script prints, one event a line:
//
//   FORK: seq=3,ts=825507751,parent_pid=2837748,child_pid=2837764,parent_pgid=2837747
//   EXEC_ARGS: seq=2,ts=825573691,pid=2837764,bash ./demo_script.sh
//
// The generation of 2024-08 has no `seq`. The grammar is one for all tags: numbers as `name=digits` with commas
// between; EXEC_FILENAME and EXEC_ARGS end in text, which may hold anything. Source: proctrace 0.2,
// proctrace/assets/proctrace.bt and proctrace/src/ingest.rs.
import { KIND } from "../model/event.ts";
import { ABSENT } from "../model/ids.ts";

/** What a raw line tells, whichever tag it has; ABSENT or NaN where it does not. */
export interface RawFields {
  kind: number;
  ts: number;
  seq: number;
  pid: number;
  ppid: number;
  pgid: number;
  sid: number;
  /** Where the text begins that ends the line; -1 where the tag has none. */
  textAt: number;
}

export function makeRawFields(): RawFields {
  return { kind: KIND.unknown, ts: NaN, seq: ABSENT, pid: ABSENT, ppid: ABSENT, pgid: ABSENT, sid: ABSENT, textAt: -1 };
}

interface RawTag {
  readonly bytes: Uint8Array;
  readonly kind: number;
}

const encode = (s: string) => new TextEncoder().encode(s);

const TAGS: readonly RawTag[] = [
  { bytes: encode("FORK: "), kind: KIND.fork },
  { bytes: encode("EXEC: "), kind: KIND.exec_part },
  { bytes: encode("EXEC_FILENAME: "), kind: KIND.exec_filename },
  { bytes: encode("EXEC_ARGS: "), kind: KIND.exec_args },
  { bytes: encode("BADEXEC: "), kind: KIND.exec_failed },
  { bytes: encode("EXIT: "), kind: KIND.exit },
  { bytes: encode("SETSID: "), kind: KIND.setsid },
  { bytes: encode("SETPGID: "), kind: KIND.setpgid },
];

const FILENAME = encode("filename=");

/** Field names by what they mean; names that are not here are numbers of a later generation and are passed over. */
const FIELD_NAMES = ["seq", "ts", "pid", "ppid", "pgid", "sid", "parent_pid", "child_pid", "parent_pgid"] as const;
type FieldName = (typeof FIELD_NAMES)[number];
const FIELDS: readonly { readonly bytes: Uint8Array; readonly name: FieldName }[] = FIELD_NAMES.map((name) => ({
  bytes: encode(name),
  name,
}));

function isAt(b: Uint8Array, at: number, to: number, word: Uint8Array): boolean {
  if (at + word.length > to) return false;
  for (let i = 0; i < word.length; i++) if (b[at + i] !== word[i]) return false;
  return true;
}

/** Whether `b[from, to)` begins with a raw tag. */
export function isRawLine(b: Uint8Array, from: number, to: number): boolean {
  for (let i = 0; i < TAGS.length; i++) if (isAt(b, from, to, TAGS[i]!.bytes)) return true;
  return false;
}

/** Reads the raw line `b[from, to)`; false when it is none, or has no time or no pid. Never throws. */
export function readRawLine(b: Uint8Array, from: number, to: number, out: RawFields): boolean {
  out.kind = KIND.unknown;
  out.ts = NaN;
  out.seq = ABSENT;
  out.pid = ABSENT;
  out.ppid = ABSENT;
  out.pgid = ABSENT;
  out.sid = ABSENT;
  out.textAt = -1;
  let p = -1;
  for (let i = 0; i < TAGS.length; i++) {
    const tag = TAGS[i]!;
    if (!isAt(b, from, to, tag.bytes)) continue;
    out.kind = tag.kind;
    p = from + tag.bytes.length;
    break;
  }
  if (p < 0) return false;
  while (p < to) {
    if (out.kind === KIND.exec_filename && isAt(b, p, to, FILENAME)) {
      out.textAt = p + FILENAME.length;
      break;
    }
    // The words follow the pid without a name.
    if (out.kind === KIND.exec_args && out.pid !== ABSENT) {
      out.textAt = p;
      break;
    }
    const name = p;
    while (p < to && b[p] !== 61) p++;
    const nameEnd = p;
    p++;
    let sign = 1;
    if (p < to && b[p] === 45) {
      sign = -1;
      p++;
    }
    const digits = p;
    let value = 0;
    while (p < to && b[p]! >= 48 && b[p]! <= 57) value = value * 10 + (b[p++]! - 48);
    if (p === digits || !Number.isSafeInteger(value)) return false;
    if (p < to && b[p] !== 44) return false;
    put(b, name, nameEnd, sign * value, out);
    p++;
  }
  // An exec with no words at all ends right behind its pid.
  if (out.kind === KIND.exec_args && out.textAt < 0) out.textAt = to;
  if (out.kind === KIND.exec_filename && out.textAt < 0) return false;
  return out.ts >= 0 && out.pid !== ABSENT;
}

function put(b: Uint8Array, from: number, to: number, value: number, out: RawFields): void {
  for (let i = 0; i < FIELDS.length; i++) {
    const field = FIELDS[i]!;
    if (field.bytes.length !== to - from || !isAt(b, from, to, field.bytes)) continue;
    switch (field.name) {
      case "seq":
        out.seq = value;
        break;
      case "ts":
        out.ts = value;
        break;
      case "pid":
      case "child_pid":
        out.pid = value;
        break;
      case "ppid":
      case "parent_pid":
        out.ppid = value;
        break;
      case "pgid":
      case "parent_pgid":
        out.pgid = value;
        break;
      case "sid":
        out.sid = value;
        break;
    }
    return;
  }
}
