// The fields that become columns: their names as bytes, which of them each kind has, and the range of each.
import { KIND } from "../model/event.ts";

export const FIELD = {
  seq: 0,
  timestamp: 1,
  pid: 2,
  ppid: 3,
  pgid: 4,
  sid: 5,
  parent_pid: 6,
  child_pid: 7,
  parent_pgid: 8,
  exit_code: 9,
  errno: 10,
  signal: 11,
  core_dumped: 12,
  count: 13,
  args: 14,
  cmdline: 15,
  filename: 16,
} as const;

export type FieldName = keyof typeof FIELD;

export const FIELD_NAMES = Object.keys(FIELD) as FieldName[];

/** No column: the field is checked as JSON and passed over. */
export const OTHER = 31;

interface Name {
  readonly bytes: Uint8Array;
  readonly id: number;
}

const byLength: Name[][] = Array.from({ length: 16 }, () => []);
for (const name of FIELD_NAMES) {
  const bytes = new TextEncoder().encode(name);
  byLength[bytes.length]!.push({ bytes, id: FIELD[name] });
}

/**
 * The names as they stand in a line, `"timestamp":`, for a comparison of four bytes at a time: their length with quotes and colon, and the
 * words at the places 0, 4, 8 and at the end (places beyond the last word are drawn back to it).
 */
export const KEY_LENGTH = new Uint8Array(32);
export const KEY_WORDS = new Int32Array(32 * 4);
/** Names that tk writes often and that no column has: only their places on the way through a line are known. */
const PASSED_OVER = ["cwd", "utime_ns", "stime_ns", "max_rss_kb"];
[...FIELD_NAMES, ...PASSED_OVER].forEach((name, id) => {
  const bytes = new TextEncoder().encode(`"${name}":`);
  const view = new DataView(bytes.buffer);
  KEY_LENGTH[id] = bytes.length;
  for (let word = 0; word < 4; word++)
    KEY_WORDS[id * 4 + word] = view.getInt32(
      word === 3 ? bytes.length - 4 : Math.min(word * 4, bytes.length - 4),
      true,
    );
});
PASSED_OVER.forEach((name, i) => {
  const bytes = new TextEncoder().encode(name);
  byLength[bytes.length]!.push({ bytes, id: FIELD_NAMES.length + i });
});

/** The field named `b[at, at + length)`; OTHER, or a number that no kind has a column for, when it is none. */
export function fieldId(b: Uint8Array, at: number, length: number): number {
  const list = byLength[length];
  if (list === undefined) return OTHER;
  next: for (let i = 0; i < list.length; i++) {
    const name = list[i]!;
    const bytes = name.bytes;
    for (let j = 0; j < length; j++) if (bytes[j] !== b[at + j]) continue next;
    return name.id;
  }
  return OTHER;
}

function mask(...names: FieldName[]): number {
  let bits = 0;
  for (const name of names) bits |= 1 << FIELD[name];
  return bits;
}

/** By kind, as bits: the fields that count; all others of the same name mean something else there. */
export const FIELDS_OF = new Int32Array(16);
/** By kind, as bits: the fields without which the event cannot be placed. */
export const ESSENTIAL = new Int32Array(16);

const stamp = ["seq", "timestamp"] as const;
const process = [...stamp, "pid", "ppid", "pgid"] as const;
const placed = mask("timestamp", "pid");

FIELDS_OF[KIND.unknown] = mask(...stamp);
FIELDS_OF[KIND.fork] = mask(...stamp, "parent_pid", "child_pid", "parent_pgid");
ESSENTIAL[KIND.fork] = mask("timestamp", "child_pid");
FIELDS_OF[KIND.exec] = mask(...process, "sid", "args", "filename");
FIELDS_OF[KIND.exec_failed] = mask(...process, "errno", "args", "filename");
FIELDS_OF[KIND.exit] = mask(...process, "exit_code", "signal", "core_dumped");
FIELDS_OF[KIND.setpgid] = mask(...process);
FIELDS_OF[KIND.setsid] = mask(...process, "sid");
FIELDS_OF[KIND.exec_part] = mask(...process, "cmdline");
FIELDS_OF[KIND.exec_args] = mask(...stamp, "pid", "args");
FIELDS_OF[KIND.exec_filename] = mask(...stamp, "pid", "filename");
for (const kind of [
  KIND.exec,
  KIND.exec_failed,
  KIND.exit,
  KIND.setpgid,
  KIND.setsid,
  KIND.exec_part,
  KIND.exec_args,
  KIND.exec_filename,
])
  ESSENTIAL[kind] = placed;
FIELDS_OF[KIND.report] = mask(...stamp, "pid");
ESSENTIAL[KIND.report] = mask("timestamp");
FIELDS_OF[KIND.line_block] = mask(...stamp, "pid");
ESSENTIAL[KIND.line_block] = mask("timestamp");
FIELDS_OF[KIND.lost] = mask(...stamp, "count");
for (const kind of [KIND.end, KIND.recording, KIND.source]) FIELDS_OF[kind] = mask(...stamp);

const INT32_MAX = 0x7fffffff;

/** By field: the smallest and the largest number it may have. */
export const LEAST = new Float64Array(32);
export const MOST = new Float64Array(32).fill(INT32_MAX);
LEAST[FIELD.pid] = 1;
LEAST[FIELD.child_pid] = 1;
MOST[FIELD.seq] = Number.MAX_SAFE_INTEGER;
MOST[FIELD.timestamp] = Number.MAX_SAFE_INTEGER;
MOST[FIELD.count] = Number.MAX_SAFE_INTEGER;
MOST[FIELD.signal] = 127;

/** Fields that are numbers. */
export const NUMERIC = mask(
  "seq",
  "timestamp",
  "pid",
  "ppid",
  "pgid",
  "sid",
  "parent_pid",
  "child_pid",
  "parent_pgid",
  "exit_code",
  "errno",
  "signal",
  "count",
);
