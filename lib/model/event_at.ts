// One event as an object, decoded from its line when somebody looks at it. For the edges: loops over all events
// use the columns. Lines may hold anything, and the file may have changed since it was read: what cannot be decoded
// is left out, and nothing throws.
import { KIND, type Argv, type ProcEvent, type Text } from "./event.ts";
import type { EventTable } from "./event_table.ts";
import { argvField, asFields, bytesField, countField, endOf, headerOf, textField, type Fields } from "./fields.ts";
import { ABSENT } from "./ids.ts";
import type { Recording } from "./recording.ts";
import { type ExitStatus, UNKNOWN_STATUS } from "./status.ts";

const decoder = new TextDecoder();

/** What a recording has of a row: the table and the text behind it. */
export type Rows = Pick<Recording, "events" | "text">;

interface Tagged {
  readonly tag: string;
  readonly body: unknown;
}

const NOTHING: Tagged = { tag: "", body: undefined };
const NO_FIELDS: Fields = {};

/** The line of a row as text, without its newline. */
export function lineAt(recording: Rows, row: number): string {
  const { at, len } = recording.events;
  return decoder.decode(recording.text.read(at[row]!, len[row]!));
}

function taggedAt(recording: Rows, row: number): Tagged {
  let value: unknown;
  try {
    value = JSON.parse(lineAt(recording, row));
  } catch {
    return NOTHING;
  }
  const fields = asFields(value);
  if (fields === undefined) return NOTHING;
  const names = Object.keys(fields);
  const tag = names[0];
  return tag === undefined || names.length !== 1 ? NOTHING : { tag, body: fields[tag] };
}

function fieldsAt(recording: Rows, row: number): Fields {
  return asFields(taggedAt(recording, row).body) ?? NO_FIELDS;
}

/** Rows of the other parts of an exec that was recorded in parts. */
function* parts(events: EventTable, row: number): Generator<number> {
  // A ring is short (lib/stage/join_exec.ts); a damaged one must not hold us.
  for (let next = events.mate[row]!, i = 0; next !== ABSENT && next !== row && i < 8; i++) {
    yield next;
    next = events.mate[next]!;
  }
}

interface Words {
  argv: Argv | undefined;
  filename: Text | undefined;
}

function wordsOf(fields: Fields): Words {
  return { argv: argvField(fields, "args") ?? argvField(fields, "cmdline"), filename: bytesField(fields, "filename") };
}

/** The words of an exec and of its parts: an array rather than a string, and of two strings the longer. */
function joinedWords(recording: Rows, row: number, fields: Fields): Words {
  const words = wordsOf(fields);
  for (const part of parts(recording.events, row)) {
    const other = wordsOf(fieldsAt(recording, part));
    words.argv = betterArgv(words.argv, other.argv);
    words.filename ??= other.filename;
  }
  return words;
}

function betterArgv(a: Argv | undefined, b: Argv | undefined): Argv | undefined {
  // An empty array is proctrace's way of saying that it came too late to look.
  if (a === undefined || a.words.length === 0) return b ?? a;
  if (b === undefined || b.words.length === 0) return a;
  if (a.joined !== b.joined) return a.joined ? b : a;
  if (!a.joined) return a;
  return b.words[0]!.length > a.words[0]!.length ? b : a;
}

/** The words of the exec (or failed exec) in `row`; undefined when they were not recorded. */
export function argvOf(recording: Rows, row: number): Argv | undefined {
  return joinedWords(recording, row, fieldsAt(recording, row)).argv;
}

/** The file that the exec in `row` loaded, or tried to. */
export function filenameOf(recording: Rows, row: number): Text | undefined {
  return joinedWords(recording, row, fieldsAt(recording, row)).filename;
}

/** How the process of an exit row ended, from the columns alone. */
export function exitStatusAt(events: EventTable, row: number): ExitStatus {
  const signal = events.signal[row]!;
  if (signal !== 0) return { how: "signaled", signal: signal & 0x7f, coreDumped: (signal & 0x80) !== 0 };
  const code = events.code[row]!;
  return code === ABSENT ? UNKNOWN_STATUS : { how: "exited", code };
}

function present(value: number): number | undefined {
  return value === ABSENT || Number.isNaN(value) ? undefined : value;
}

/** The event in `row` with everything that its line tells. */
export function eventAt(recording: Rows, row: number): ProcEvent {
  const e = recording.events;
  const stamp = { ts: present(e.ts[row]!), seq: present(e.seq[row]!) };
  const process = { ...stamp, pid: e.pid[row]!, ppid: present(e.ppid[row]!), pgid: present(e.pgid[row]!) };
  const { tag, body } = taggedAt(recording, row);
  const fields = asFields(body) ?? NO_FIELDS;
  switch (e.kind[row]) {
    case KIND.fork:
      return { kind: "fork", ...process };
    case KIND.exec:
    case KIND.exec_part:
      return {
        kind: "exec",
        ...process,
        sid: present(e.sid[row]!),
        ...joinedWords(recording, row, fields),
        cwd: bytesField(fields, "cwd"),
      };
    case KIND.exec_failed:
      return {
        kind: "exec_failed",
        ...process,
        ...joinedWords(recording, row, fields),
        errno: present(e.code[row]!),
        error: textField(fields, "error"),
      };
    case KIND.exec_args:
      return { kind: "exec_args", ...stamp, pid: process.pid, ...wordsOf(fields) };
    case KIND.exec_filename:
      return { kind: "exec_filename", ...stamp, pid: process.pid, ...wordsOf(fields) };
    case KIND.exit:
      return {
        kind: "exit",
        ...process,
        status: exitStatusAt(e, row),
        utime: countField(fields, "utime_ns"),
        stime: countField(fields, "stime_ns"),
        maxRssKb: countField(fields, "max_rss_kb"),
      };
    case KIND.setpgid:
      return { kind: "setpgid", ...process };
    case KIND.setsid:
      return { kind: "setsid", ...process, sid: present(e.sid[row]!) };
    case KIND.lost:
      return {
        kind: "lost",
        ...stamp,
        count: countField(fields, "count") ?? 0,
        reason: textField(fields, "reason") ?? "",
      };
    case KIND.recording:
      return { kind: "recording", ...stamp, header: headerOf(fields) };
    case KIND.end:
      return { kind: "end", ...stamp, end: endOf(fields) };
    default:
      return { kind: OPAQUE.get(e.kind[row]!) ?? "unknown", ...stamp, pid: present(process.pid), tag, body };
  }
}

const OPAQUE: ReadonlyMap<number, "report" | "source" | "line_block"> = new Map([
  [KIND.report, "report"],
  [KIND.source, "source"],
  [KIND.line_block, "line_block"],
]);
