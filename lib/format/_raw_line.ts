// The raw lines that proctrace's bpftrace script prints, one event a line:
//
//   FORK: seq=3,ts=825507751,parent_pid=2837748,child_pid=2837764,parent_pgid=2837747
//   EXEC_ARGS: seq=2,ts=825573691,pid=2837764,bash ./demo_script.sh
//
// The generation of 2024-08 has no `seq`. The grammar is one for all tags: numbers as `name=digits` with commas
// between; EXEC_FILENAME and EXEC_ARGS end in text, which may hold anything. Source: proctrace 0.2,
// proctrace/assets/proctrace.bt and proctrace/src/ingest.rs.
//
// tk's own script (lib/capture/bpftrace/script.ts) prints the same tags with more numbers, and text in pieces of hex, so
// that every byte of it survives; the pieces come before the event that they belong to and have its `ts` and `pid`:
//
//   EXEC_FILENAME: seq=9,ts=825573691,pid=2837764,at=0,hex=2f 62 69 6e 2f 6c 73 00
//   EXEC_WORDS: seq=9,ts=825573691,pid=2837764,at=0,hex=6c 73 00 2d 6c 00
//   EXEC: seq=9,ts=825573691,pid=2837764,ppid=2837748,pgid=2837764,sid=2837700,argv_bytes=6
//
// EXEC_WORDS has argv as one run of NUL-ended words, EXEC_WORD (of a failed exec) one word by its `index`.
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
  /** One of `PIECE`: what the hex at `hexAt` is a part of. */
  piece: number;
  hexAt: number;
  /** Which word, and where in the text the piece belongs. */
  index: number;
  at: number;
  /** Of an exec: length of the words together. */
  argvBytes: number;
  /** 1 when there were more words than were printed. */
  more: number;
  /** Of a failed exec: the negative errno. */
  ret: number;
  /** Of an exit: the status as wait4(2) has it, and the peak memory. */
  status: number;
  maxRssKb: number;
  /** Of a fork or exit: 1 when it is of the recorded command, 0 when of another process of the system. */
  mine: number;
}

/** What a piece of hex belongs to. */
export const PIECE = { none: 0, filename: 1, words: 2, word: 3 } as const;

export function makeRawFields(): RawFields {
  const fields = {
    kind: 0,
    ts: 0,
    seq: 0,
    pid: 0,
    ppid: 0,
    pgid: 0,
    sid: 0,
    textAt: 0,
    piece: 0,
    hexAt: 0,
    index: 0,
    at: 0,
    argvBytes: 0,
    more: 0,
    ret: 0,
    status: 0,
    maxRssKb: 0,
    mine: 0,
  };
  clear(fields);
  return fields;
}

function clear(out: RawFields): void {
  out.kind = KIND.unknown;
  out.ts = NaN;
  out.seq = ABSENT;
  out.pid = ABSENT;
  out.ppid = ABSENT;
  out.pgid = ABSENT;
  out.sid = ABSENT;
  out.textAt = -1;
  out.piece = PIECE.none;
  out.hexAt = -1;
  out.index = 0;
  out.at = 0;
  out.argvBytes = ABSENT;
  out.more = ABSENT;
  out.ret = 0;
  out.status = ABSENT;
  out.maxRssKb = ABSENT;
  out.mine = ABSENT;
}

interface RawTag {
  readonly bytes: Uint8Array;
  readonly kind: number;
  /** What its hex is a part of. */
  readonly piece: number;
}

const encode = (s: string) => new TextEncoder().encode(s);

const TAGS: readonly RawTag[] = [
  { bytes: encode("FORK: "), kind: KIND.fork, piece: PIECE.none },
  { bytes: encode("EXEC: "), kind: KIND.exec_part, piece: PIECE.none },
  { bytes: encode("EXEC_FILENAME: "), kind: KIND.exec_filename, piece: PIECE.filename },
  { bytes: encode("EXEC_WORDS: "), kind: KIND.exec_args, piece: PIECE.words },
  { bytes: encode("EXEC_WORD: "), kind: KIND.exec_args, piece: PIECE.word },
  { bytes: encode("EXEC_ARGS: "), kind: KIND.exec_args, piece: PIECE.none },
  { bytes: encode("BADEXEC: "), kind: KIND.exec_failed, piece: PIECE.none },
  { bytes: encode("EXIT: "), kind: KIND.exit, piece: PIECE.none },
  { bytes: encode("SETSID: "), kind: KIND.setsid, piece: PIECE.none },
  { bytes: encode("SETPGID: "), kind: KIND.setpgid, piece: PIECE.none },
];

const FILENAME = encode("filename=");
const HEX = encode("hex=");

/** Field names by what they mean; names that are not here are numbers of a later generation and are passed over. */
const FIELD_NAMES = [
  "seq",
  "ts",
  "pid",
  "ppid",
  "pgid",
  "sid",
  "parent_pid",
  "child_pid",
  "parent_pgid",
  "at",
  "index",
  "argv_bytes",
  "more",
  "ret",
  "status",
  "max_rss_kb",
  "mine",
] as const;
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
  const c = b[from]!;
  // B, E, F, S: most lines that are asked about are none.
  if (c !== 66 && c !== 69 && c !== 70 && c !== 83) return false;
  for (let i = 0; i < TAGS.length; i++) if (isAt(b, from, to, TAGS[i]!.bytes)) return true;
  return false;
}

/** Reads the raw line `b[from, to)`; false when it is none, or has no time or no pid. Never throws. */
export function readRawLine(b: Uint8Array, from: number, to: number, out: RawFields): boolean {
  clear(out);
  let p = -1;
  let piece: number = PIECE.none;
  for (let i = 0; i < TAGS.length; i++) {
    const tag = TAGS[i]!;
    if (!isAt(b, from, to, tag.bytes)) continue;
    out.kind = tag.kind;
    piece = tag.piece;
    p = from + tag.bytes.length;
    break;
  }
  if (p < 0) return false;
  while (p < to) {
    if (out.kind === KIND.exec_filename && isAt(b, p, to, FILENAME)) {
      out.textAt = p + FILENAME.length;
      break;
    }
    if (piece !== PIECE.none && isAt(b, p, to, HEX)) {
      out.piece = piece;
      out.hexAt = p + HEX.length;
      break;
    }
    // The words follow the pid without a name.
    if (piece === PIECE.none && out.kind === KIND.exec_args && out.pid !== ABSENT) {
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
  if (piece === PIECE.none && out.kind === KIND.exec_args && out.textAt < 0) out.textAt = to;
  if (piece !== PIECE.none && out.textAt < 0 && out.hexAt < 0) return false;
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
      case "at":
        out.at = value;
        break;
      case "index":
        out.index = value;
        break;
      case "argv_bytes":
        out.argvBytes = value;
        break;
      case "more":
        out.more = value;
        break;
      case "ret":
        out.ret = value;
        break;
      case "status":
        out.status = value;
        break;
      case "max_rss_kb":
        out.maxRssKb = value;
        break;
      case "mine":
        out.mine = value;
        break;
    }
    return;
  }
}
