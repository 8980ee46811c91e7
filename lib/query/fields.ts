// The tables of a recording and their fields: what each is, its type, and whether it may be unknown. Help, completion, docs/query.md
// and the checker read this list; `world.ts` has the column behind every name, and a law test compares the two.
import { nearest } from "../base/nearest.ts";
import type { KindName } from "../model/event.ts";
import type { Certainty } from "../lines/causes.ts";
import type { ValueType } from "./value_type.ts";

export const TABLES = ["procs", "events", "images", "lines", "reports"] as const;
export type TableName = (typeof TABLES)[number];

export const TABLE_SUMMARIES: Readonly<Record<TableName, string>> = {
  procs: "one row a process life: a pid that was used twice is two rows",
  events: "one row a line of the recording",
  images: "one row a successful exec: what a process ran, from when to when",
  lines: "one row a source line, its function and the thread that executed it, when lines were recorded",
  reports: "one row a report of tk exec",
};

export interface Field {
  readonly name: string;
  readonly type: ValueType;
  /** May be unknown (null) of some rows. */
  readonly nullable: boolean;
  /** One line, no final period. */
  readonly summary: string;
  /** Texts that it can only be, where they are few. */
  readonly values?: readonly string[];
  /** Shown when nothing is selected. */
  readonly usual?: boolean;
}

const known = (name: string, type: ValueType, summary: string, more: Partial<Field> = {}): Field => ({
  name,
  type,
  nullable: false,
  summary,
  ...more,
});
const maybe = (name: string, type: ValueType, summary: string, more: Partial<Field> = {}): Field => ({
  ...known(name, type, summary, more),
  nullable: true,
});

const usual = { usual: true };

export const EVENT_KINDS: readonly KindName[] = [
  "recording",
  "fork",
  "exec",
  "exec_failed",
  "exit",
  "setpgid",
  "setsid",
  "report",
  "source",
  "line_block",
  "lost",
  "end",
  "exec_args",
  "exec_filename",
  "unknown",
];

const CERTAINTIES: readonly Certainty[] = ["own line", "parent at fork", "one of several threads"];

const PROCS: readonly Field[] = [
  known("id", "proc", "the process life's handle", usual),
  known("pid", "id", "process id as the kernel said it; may be used again by another life", usual),
  maybe("ppid", "id", "pid of its creator"),
  maybe("parent", "proc", "the life of its creator; parent.exe and every other field of it"),
  maybe("exe", "text", "the program it ran last, by name; of a process that never called exec, its creator's", usual),
  maybe("argv", "text", "the words of its last exec, joined by blanks; null when it never called exec", usual),
  maybe("file", "text", "the file of its last exec"),
  maybe("cwd", "text", "the directory in which it called exec last"),
  known("start", "time", "its first event", usual),
  maybe("end", "time", "its end; null when none was seen"),
  maybe("wall", "duration", "from start to end; null when no end was seen", usual),
  maybe("cpu", "duration", "user and system time of its own, without its children's", usual),
  maybe("rss", "bytes", "peak memory of its own", usual),
  maybe("exit", "id", "its exit status; null when it was killed or not known", usual),
  maybe("signal", "signal", "the signal that killed it; null when none did", usual),
  known("core", "bool", "it dumped core"),
  known("failed", "bool", "it ended with a status other than 0, or by a signal"),
  known("ended", "bool", "its end was seen"),
  known("execs", "count", "successful execs"),
  known("probes", "count", "failed execs"),
  known("children", "count", "processes that it created"),
  known("descendants", "count", "processes below it, at any depth"),
  known("depth", "count", "creators above it; 0 for a root"),
  known("critical", "duration", "how long the end of the whole waited for it: its time on the critical path"),
  maybe("started_by", "text", "the script line that started it, such as /srv/build.sh:12, when lines were recorded"),
  maybe("started_by_sure", "text", "how that is known", { values: CERTAINTIES }),
];

/** Fields of a process that a row about it has too, where it has none of its own with that name. */
const OF_ITS_PROCESS = new Set([
  "ppid",
  "parent",
  "exe",
  "argv",
  "file",
  "cwd",
  "start",
  "end",
  "wall",
  "cpu",
  "rss",
  "exit",
  "signal",
  "core",
  "failed",
  "ended",
  "execs",
  "probes",
  "children",
  "descendants",
  "depth",
  "critical",
  "started_by",
  "started_by_sure",
]);

const EVENTS: readonly Field[] = [
  known("id", "event", "the event's handle: its place in the recording", usual),
  maybe("ts", "time", "when it happened; null for what has no time, such as the header", usual),
  known("kind", "text", "what happened", { values: EVENT_KINDS, usual: true }),
  maybe("pid", "id", "the process it is about; of a fork, the child", usual),
  maybe("ppid", "id", "the parent's pid as this event says it"),
  maybe("pgid", "id", "the process group: of a fork the parent's, of setpgid the new one"),
  maybe("sid", "id", "the session"),
  maybe("seq", "count", "the event's number in the order of the kernel"),
  maybe("proc", "proc", "the life it belongs to; proc.start and every other field of it"),
  maybe("exe", "text", "of an exec the program by name; else what its process ran at that time", usual),
  maybe("argv", "text", "of an exec or a failed exec: its words, joined by blanks", usual),
  maybe("file", "text", "of an exec or a failed exec: the file"),
  maybe("cwd", "text", "of an exec: the directory"),
  maybe("errno", "errno", "of a failed exec: why", usual),
  known("failed", "bool", "a failed exec, or an exit with a status other than 0 or by a signal"),
  maybe("started_by", "text", "of a fork, exec or failed exec: the script line that made it, when lines were recorded"),
];

const IMAGES: readonly Field[] = [
  known("id", "event", "the handle of its exec event", usual),
  maybe("proc", "proc", "the life that ran it; proc.start and every other field of it", usual),
  known("pid", "id", "process id", usual),
  known("nth", "count", "1 for the first exec of its process", usual),
  maybe("exe", "text", "the program by name", usual),
  maybe("argv", "text", "the words, joined by blanks", usual),
  maybe("file", "text", "the file"),
  maybe("cwd", "text", "the directory in which exec was called"),
  known("start", "time", "when it was loaded", usual),
  maybe("end", "time", "the next exec or the end of the process; null when neither was seen"),
  maybe("wall", "duration", "from start to end", usual),
  known("last", "bool", "its process ran nothing after it"),
];

const LINES: readonly Field[] = [
  maybe("file", "text", "the source file", usual),
  known("line", "id", "line number", usual),
  maybe(
    "function",
    "text",
    "the function that it ran in; <module> outside of any, <idle> while an event loop waited",
    usual,
  ),
  maybe("source", "text", "the line itself, as it was when recorded; null when it was not kept", usual),
  known("count", "count", "how often it was executed; 0 of one that was only waited in", usual),
  known("self", "duration", "time in the line itself, without what it called", usual),
  known(
    "cumulated",
    "duration",
    "time in the line and in what it called; of a line that is open several times counted once, for the outermost function",
    usual,
  ),
  maybe("proc", "proc", "the life that executed it; proc.exe and every other field of it", usual),
  maybe("pid", "id", "process id"),
  maybe("tid", "id", "the kernel's id of the thread"),
  known("thread", "text", "the name of the thread, of a script its own", usual),
];

const REPORTS: readonly Field[] = [
  known("id", "event", "the handle of its event", usual),
  maybe("ts", "time", "when it was made", usual),
  maybe("pid", "id", "the process it is about", usual),
  maybe("proc", "proc", "the life of that process"),
  maybe("operation", "text", "exec, heartbeat or postexec", usual),
  known("size", "bytes", "length of its line", usual),
  maybe("report", "text", "the report as JSON"),
];

export const FIELDS: Readonly<Record<TableName, readonly Field[]>> = {
  procs: PROCS,
  events: EVENTS,
  images: IMAGES,
  lines: LINES,
  reports: REPORTS,
};

const byName = new Map<TableName, ReadonlyMap<string, Field>>(
  TABLES.map((table) => [table, new Map(FIELDS[table].map((f) => [f.name, f]))]),
);

export function isTable(name: string): name is TableName {
  return (TABLES as readonly string[]).includes(name);
}

export interface FoundField {
  readonly field: Field;
  /** It is its process's, not the row's own. */
  readonly ofProcess: boolean;
}

export function findField(table: TableName, name: string): FoundField | undefined {
  const own = byName.get(table)!.get(name);
  if (own !== undefined) return { field: own, ofProcess: false };
  if (table === "procs" || !OF_ITS_PROCESS.has(name)) return undefined;
  const field = byName.get("procs")!.get(name);
  return field === undefined ? undefined : { field: { ...field, nullable: true }, ofProcess: true };
}

/** Every name that an expression over the table may begin with. */
export function fieldNames(table: TableName): string[] {
  const own = FIELDS[table].map((f) => f.name);
  return table === "procs" ? own : [...own, ...[...OF_ITS_PROCESS].filter((name) => !own.includes(name))];
}

/** Fields whose rows are processes: what may stand before a dot. */
export function linkTable(field: Field): TableName | undefined {
  return field.type === "proc" && field.name !== "id" ? "procs" : undefined;
}

export function nearestFields(table: TableName, typed: string): string[] {
  return nearest(typed, fieldNames(table));
}

export interface FunctionHelp {
  readonly name: string;
  readonly usage: string;
  readonly summary: string;
  readonly role: "row" | "each" | "aggregate";
}

/** Everything that is called like a function. */
export const FUNCTIONS: readonly FunctionHelp[] = [
  {
    name: "under",
    usage: "under(p12)",
    summary: "the row's process is p12 or below it; a pid stands for every life that had it",
    role: "row",
  },
  { name: "any", usage: "any(child.exit != 0)", summary: "true of at least one child (or image)", role: "each" },
  {
    name: "all",
    usage: "all(child.exit == 0)",
    summary: "true of every child (or image); also when there is none",
    role: "each",
  },
  { name: "abs", usage: "abs(x)", summary: "without its sign", role: "row" },
  { name: "lower", usage: "lower(exe)", summary: "a text in lower case", role: "row" },
  { name: "known", usage: "known(wall)", summary: "the value is known; `wall is not null` is the same", role: "row" },
  {
    name: "count",
    usage: "count()",
    summary: "rows; count(child) the children of a process, count(x) the rows of which x is known or true",
    role: "aggregate",
  },
  { name: "sum", usage: "sum(wall)", summary: "sum of what is known", role: "aggregate" },
  { name: "min", usage: "min(start)", summary: "the smallest", role: "aggregate" },
  { name: "max", usage: "max(wall)", summary: "the largest", role: "aggregate" },
  { name: "avg", usage: "avg(wall)", summary: "mean of what is known", role: "aggregate" },
  { name: "median", usage: "median(wall)", summary: "the middle one; p50 is the same", role: "aggregate" },
  { name: "p50", usage: "p50(wall)", summary: "half are at most this", role: "aggregate" },
  { name: "p90", usage: "p90(wall)", summary: "nine tenths are at most this", role: "aggregate" },
  { name: "p95", usage: "p95(wall)", summary: "95 of 100 are at most this", role: "aggregate" },
  { name: "p99", usage: "p99(wall)", summary: "99 of 100 are at most this", role: "aggregate" },
  { name: "distinct", usage: "distinct(exe)", summary: "how many different values", role: "aggregate" },
  { name: "first", usage: "first(exe)", summary: "the value of the first row of which it is known", role: "aggregate" },
];
