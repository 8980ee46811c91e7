// The columns of a large recording, kept in the user's cache directory so that it opens at once the next time. Every reader uses what
// is kept; only who says so (`tk repl`) keeps. Nothing depends on it: an index that is stale, damaged, unreadable or in the
// way is passed over without a word, and made again.
//
// An index belongs to a file by its device, inode, size, time of change and the checksums of parts of its text. A recording that was cut,
// replaced or written to has another of these. None is kept beside a recording: such a file could come from a stranger.
import { crc32 } from "node:zlib";
import {
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  statfsSync,
  statSync,
  unlinkSync,
  utimesSync,
  writeSync,
} from "node:fs";
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import { VERSION } from "../base/version.ts";
import { type Processes, processesOf, rememberProcesses } from "../derive/processes.ts";
import { KIND } from "../model/event.ts";
import { eventAt } from "../model/event_at.ts";
import { EventTable } from "../model/event_table.ts";
import type { Problem, ProblemCode, Problems } from "../model/problem.ts";
import type { Recording, TextStore } from "../model/recording.ts";
import { readFully } from "../host/spool.ts";
import { type Column, type ColumnFile, describe, sizeOf, writeColumns } from "./column_file.ts";

/** Smaller recordings are read as fast as an index is. */
export const INDEX_FROM = 32 * 1024 * 1024;

/** All indexes of a user together; the longest unused go first. */
const MOST_BYTES = 4 * 2 ** 30;

/** What a recording's file is known by. */
interface Fingerprint {
  readonly dev: number;
  readonly ino: number;
  readonly size: number;
  readonly mtimeMs: number;
  readonly sample: number;
}

interface Facts {
  readonly version: string;
  readonly file: Fingerprint;
  readonly rows: number;
  readonly lost: number;
  readonly headerRow: number;
  readonly endRow: number;
  readonly problems: { readonly total: number; readonly counts: [ProblemCode, number][]; readonly kept: Problem[] };
  readonly processes: Record<string, number>;
}

const EVENT_COLUMNS = [
  "ts",
  "seq",
  "kind",
  "pid",
  "ppid",
  "pgid",
  "sid",
  "code",
  "signal",
  "mate",
  "at",
  "len",
] as const satisfies readonly (keyof EventTable)[];

const PROCESS_COLUMNS = [
  "order",
  "owner",
  "pid",
  "parent",
  "start",
  "end",
  "ended",
  "forkRow",
  "exitRow",
  "imageAt",
  "imageRow",
  "imageStart",
  "failedAt",
  "failedRow",
] as const satisfies readonly (keyof Processes)[];

const PROCESS_NUMBERS = [
  "length",
  "firstTime",
  "lastTime",
  "replaced",
  "lateForks",
  "brokenLinks",
] as const satisfies readonly (keyof Processes)[];

/** Absolute; undefined for a user without a home. */
function cacheDirectory(): string | undefined {
  const named = process.env["XDG_CACHE_HOME"];
  if (named !== undefined && isAbsolute(named)) return join(named, "tk", "index");
  try {
    const home = process.env["HOME"] ?? homedir();
    return isAbsolute(home) ? join(home, ".cache", "tk", "index") : undefined;
  } catch {
    return undefined;
  }
}

const nameOf = ({ dev, ino }: Fingerprint) => `${dev.toString(16)}-${ino.toString(16)}.columns`;

const SAMPLES = 16;
const SAMPLE = 4096;

function fingerprintOf(fd: number): Fingerprint {
  const { dev, ino, size, mtimeMs } = fstatSync(fd);
  const bytes = new Uint8Array(SAMPLE);
  let sample = 0;
  for (let i = 0; i <= SAMPLES; i++) {
    const at = Math.max(0, Math.floor(((size - SAMPLE) * i) / SAMPLES));
    sample = crc32(bytes.subarray(0, readFully(fd, bytes, 0, SAMPLE, at)), sample);
  }
  return { dev, ino, size, mtimeMs, sample };
}

const isSame = (a: Fingerprint, b: Fingerprint) =>
  a.dev === b.dev && a.ino === b.ino && a.size === b.size && a.mtimeMs === b.mtimeMs && a.sample === b.sample;

/** Opened only when it is this user's own, and nobody else can write to it. */
function openOwn(path: string): number {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  const { uid, mode } = fstatSync(fd);
  if (uid === process.geteuid?.() && (mode & 0o022) === 0) return fd;
  closeSync(fd);
  throw new Error("somebody else's");
}

/** The recording in the open file, as it was read before; undefined when that is not known any more. */
export function indexedRecording(
  fd: number,
  size: number,
  name: string,
  text: TextStore,
  problems: Problems,
): Recording | undefined {
  const directory = cacheDirectory();
  if (directory === undefined || size < INDEX_FROM) return undefined;
  let index: number | undefined;
  try {
    const file = fingerprintOf(fd);
    const path = join(directory, nameOf(file));
    index = openOwn(path);
    const found = describe(index, fstatSync(index).size);
    const facts = found?.facts as Facts | undefined;
    if (found === undefined || facts === undefined) return undefined;
    if (facts.version !== VERSION || file.size !== size || !isSame(facts.file, file)) return undefined;
    const opened = found.open();
    if (opened === undefined) return undefined;
    utimesSync(path, new Date(), new Date());
    return recordingFrom(opened, facts, name, text, problems);
  } catch {
    return undefined; // There is none, or none that can be used.
  } finally {
    if (index !== undefined) closeSync(index);
  }
}

function recordingFrom(
  { columns }: ColumnFile,
  facts: Facts,
  name: string,
  text: TextStore,
  problems: Problems,
): Recording {
  const events = new EventTable();
  const take = (key: string) => {
    const column = columns.get(key);
    if (column === undefined) throw new Error(`no column ${key}`);
    return column;
  };
  Object.assign(events, Object.fromEntries(EVENT_COLUMNS.map((key) => [key, take(`events.${key}`)])));
  events.length = facts.rows;
  const numbers: Record<string, number> = facts.processes;
  const derived = {
    ...Object.fromEntries(PROCESS_NUMBERS.map((key) => [key, numbers[key]])),
    ...Object.fromEntries(PROCESS_COLUMNS.map((key) => [key, take(`processes.${key}`)])),
    events,
  };
  rememberProcesses(events, derived as unknown as Processes);
  problems.total += facts.problems.total;
  for (const [code, n] of facts.problems.counts) problems.counts.set(code, (problems.counts.get(code) ?? 0) + n);
  for (const problem of facts.problems.kept) problems.kept.push({ ...problem, source: name });
  const rows = { events, text };
  const header = facts.headerRow < 0 ? undefined : eventAt(rows, facts.headerRow);
  const end = facts.endRow < 0 ? undefined : eventAt(rows, facts.endRow);
  return {
    name,
    header: header?.kind === "recording" ? header.header : undefined,
    end: end?.kind === "end" ? end.end : undefined,
    events,
    text,
    problems,
    lost: facts.lost,
  };
}

/** Of a recording that was read from a plain file: where its columns may be kept. */
export interface Keepable {
  /** Open for as long as the recording's scope. */
  readonly fd: number;
  readonly size: number;
}

/**
 * Keeps the recording's columns, a few milliseconds at a time; the caller lets other things happen between two steps and may
 * stop at any. Never throws: where it cannot be kept it is not.
 */
export function* keepIndex(recording: Recording, { fd, size }: Keepable): Generator<void, void> {
  const directory = cacheDirectory();
  if (directory === undefined || size < INDEX_FROM) return;
  let path: string | undefined;
  let out: number | undefined;
  try {
    const file = fingerprintOf(fd);
    // It grew or shrank while it was read: what is in memory is not what is in the file.
    if (file.size !== size) return;
    const processes = processesOf(recording);
    yield;
    const columns = columnsOf(recording, processes);
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    makeRoom(directory, sizeOf(columns));
    const { bavail, bsize } = statfsSync(directory);
    if (bavail * bsize < 2 * sizeOf(columns)) return;
    path = join(directory, `${nameOf(file)}.${process.pid}`);
    out = openSync(path, "wx", 0o600);
    yield* writeColumns(columns, factsOf(recording, processes, file), (bytes, at) => putAll(out!, bytes, at));
    renameSync(path, path.slice(0, path.lastIndexOf(".")));
    path = undefined;
  } catch {
    // Without it everything works as it did.
  } finally {
    if (out !== undefined) closeSync(out);
    if (path !== undefined && out !== undefined) unlinkQuietly(path);
  }
}

function putAll(fd: number, bytes: Uint8Array, at: number): void {
  for (let n = 0; n < bytes.length;) n += writeSync(fd, bytes, n, bytes.length - n, at + n);
}

function columnsOf({ events }: Recording, processes: Processes): Map<string, Column> {
  const columns = new Map<string, Column>();
  for (const key of EVENT_COLUMNS) columns.set(`events.${key}`, events[key].subarray(0, events.length));
  for (const key of PROCESS_COLUMNS) columns.set(`processes.${key}`, processes[key]);
  return columns;
}

function factsOf({ events, lost, problems }: Recording, processes: Processes, file: Fingerprint): Facts {
  const { kind, length } = events;
  const rowOf = (row: number) => (row < length ? row : -1);
  return {
    version: VERSION,
    file,
    rows: length,
    lost,
    headerRow: rowOf(kind.subarray(0, length).indexOf(KIND.recording)),
    endRow: rowOf(kind.subarray(0, length).lastIndexOf(KIND.end)),
    problems: { total: problems.total, counts: [...problems.counts], kept: problems.kept },
    processes: Object.fromEntries(PROCESS_NUMBERS.map((key) => [key, processes[key]])),
  };
}

/** Lets the longest unused go until `more` bytes fit under the limit, and what a stopped writer left behind. */
function makeRoom(directory: string, more: number): void {
  const kept: { path: string; size: number; used: number }[] = [];
  const hour = 3_600_000;
  for (const name of readdirSync(directory)) {
    const path = join(directory, name);
    const { size, mtimeMs } = statSync(path);
    if (/\.columns\.\d+$/.test(name) && Date.now() - mtimeMs > hour) unlinkQuietly(path);
    else if (name.endsWith(".columns")) kept.push({ path, size, used: mtimeMs });
  }
  let total = kept.reduce((n, { size }) => n + size, more);
  for (const { path, size } of kept.sort((a, b) => a.used - b.used)) {
    if (total <= MOST_BYTES) return;
    unlinkQuietly(path);
    total -= size;
  }
}

function unlinkQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Gone, or not ours to remove.
  }
}
