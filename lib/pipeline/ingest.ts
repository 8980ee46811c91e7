// `tk ingest`: one process tree out of raw backend lines or out of any recording: a process, everything it started, and
// nothing else. Lines are kept byte for byte, in order, with their times unchanged. The header is told of the new root; an
// End is written when the recording had one, or the root's exit was seen.
//
// A pid may have had several lives: the first is taken unless another is asked for. It looks at the whole recording,
// of which only the columns are in memory (about 100 bytes an event), not the text.
import { Buffer } from "node:buffer";
import { Effect } from "effect";
import { VERSION } from "../base/version.ts";
import { deriveProcesses, exitStatusOf, type Processes } from "../derive/processes.ts";
import { FORMAT_VERSION, RecordingWriter } from "../format/recording_writer.ts";
import type { Out, OutputError } from "../host/out.ts";
import { type Argv, KIND } from "../model/event.ts";
import { argvOf, lineAt } from "../model/event_at.ts";
import { asFields, type Fields } from "../model/fields.ts";
import { ABSENT } from "../model/ids.ts";
import type { Recording } from "../model/recording.ts";
import { formatDuration } from "../model/time.ts";
import { followTree } from "../stage/follow.ts";
import { rowsInOrder, writeLine } from "./by_process.ts";
import { readRecordings, type ReadRecordingsOptions } from "./read_recordings.ts";
import { attempt, openOutput, work } from "./sort_recording.ts";
import type { SourceError } from "./source.ts";
import type { Turn } from "./turn.ts";

/** Which of the lives of a pid: the n-th from 1, or the one at a time. */
export type LifeChoice = { readonly nth: number } | { readonly at: number };

export interface IngestOptions extends ReadRecordingsOptions {
  readonly pid: number;
  /** The first when undefined. */
  readonly life?: LifeChoice | undefined;
  /** Undefined and `-`: standard output. May be one of the inputs. */
  readonly output?: string | undefined;
}

export interface IngestResult {
  readonly recording: Recording;
  readonly lines: number;
  readonly processes: number;
  /** Lives of the pid in the whole recording. */
  readonly lives: number;
  readonly closed: boolean;
  readonly notes: readonly string[];
}

/** There is no such process in the recording. */
export class IngestError extends Error {
  readonly _tag = "IngestError";
  override readonly name = "IngestError";
  readonly hint: string | undefined;

  constructor(message: string, hint: string | undefined) {
    super(message);
    this.hint = hint;
  }
}

export const ingest = (options: IngestOptions): Effect.Effect<IngestResult, SourceError | OutputError | IngestError> =>
  Effect.scoped(
    Effect.gen(function* () {
      const destination = yield* openOutput(options.output);
      const { recording, notes } = yield* readRecordings(options);
      const processes = deriveProcesses(recording.events);
      const lives = livesOf(processes, options.pid);
      const root = chooseLife(processes, lives, options.life);
      if (root === undefined) return yield* Effect.fail(noSuchProcess(recording, processes, lives, options));
      const member = followTree(processes.parent, root);
      const lines = yield* work((turn) => writeTree(recording, processes, root, member, destination.out, turn));
      const { closed } = destination.out;
      yield* attempt(() => destination.commit());
      const told = lives.length > 1 ? [...notes, reuseNote(processes, lives, root)] : notes;
      const count = member.reduce((sum, m) => sum + m, 0);
      return { recording, lines, processes: count, lives: lives.length, closed, notes: told };
    }),
  );

function livesOf(p: Processes, pid: number): number[] {
  const lives: number[] = [];
  for (let life = 0; life < p.length; life++) if (p.pid[life] === pid) lives.push(life);
  return lives;
}

function chooseLife(p: Processes, lives: readonly number[], choice: LifeChoice = { nth: 1 }): number | undefined {
  if ("nth" in choice) return lives[choice.nth - 1];
  return lives.find((life) => {
    const end = p.end[life]!;
    return p.start[life]! <= choice.at && (Number.isNaN(end) || choice.at <= end);
  });
}

function reuseNote(p: Processes, lives: readonly number[], root: number): string {
  const which = lives.indexOf(root) + 1;
  return (
    `pid ${p.pid[root]} was used ${lives.length} times in this recording; ` +
    `this is number ${which}, begun at ${formatDuration(p.start[root]!)}`
  );
}

/** How many pids a message names. */
const NEAREST = 3;

function noSuchProcess(
  recording: Recording,
  p: Processes,
  lives: readonly number[],
  { pid, life }: IngestOptions,
): IngestError {
  const name = `'${recording.name}'`;
  if (lives.length > 0) {
    const times = lives.slice(0, NEAREST).map((l) => `from ${formatDuration(p.start[l]!)}`);
    const asked = life !== undefined && "at" in life ? `at ${formatDuration(life.at)}` : `number ${life?.nth}`;
    return new IngestError(
      `There is no process ${pid} ${asked} in ${name}`,
      `the pid was used ${lives.length === 1 ? "once" : `${lives.length} times`}: ${times.join(", ")}${lives.length > NEAREST ? ", ..." : ""}`,
    );
  }
  const pids = [...new Set(p.pid)];
  if (pids.length === 0)
    return new IngestError(`There is no process ${pid} in ${name}: it holds no process`, undefined);
  const near = pids.toSorted((a, b) => Math.abs(a - pid) - Math.abs(b - pid) || a - b).slice(0, NEAREST);
  const root = recording.header?.root_pid;
  const rootHint = root !== undefined && pids.includes(root) ? `; the recorded command is ${root}` : "";
  return new IngestError(
    `There is no process ${pid} in ${name}`,
    pids.length === 1
      ? `the only one there is ${pids[0]}`
      : `the nearest of the ${pids.length} that are there: ${near.join(", ")}${rootHint}`,
  );
}

/** Lines between two turns. */
const TURN_LINES = 1 << 15;

async function writeTree(
  recording: Recording,
  p: Processes,
  root: number,
  member: Uint8Array,
  out: Out,
  turn: Turn,
): Promise<number> {
  const { kind, ts, seq } = recording.events;
  const { owner } = p;
  const isOfTree = membersByPid(p, member);
  const rows = rowsInOrder(recording.events, (row) => {
    const life = owner[row]!;
    if (life >= 0) return member[life] === 1;
    // Lost events may have been of this tree; sources are what its blocks of lines refer to.
    if (kind[row] === KIND.lost || kind[row] === KIND.source) return true;
    return kind[row] === KIND.unknown && isOfTree(bodyOf(recording, row)?.pid, ts[row]!);
  });
  const writer = new RecordingWriter();
  writer.header(headerOfTree(recording, p, root));
  out.bytes(writer.out.view());
  let lost = 0;
  for (let i = 0; i < rows.length && !out.closed; i++) {
    const row = rows[i]!;
    if (kind[row] === KIND.lost) lost += lostCount(recording, row);
    writeLine(recording, row, out);
    if (i % TURN_LINES === TURN_LINES - 1) await turn();
  }
  if (recording.end === undefined && p.exitRow[root] === ABSENT) return rows.length + 1;
  let lastTime = recording.end?.timestamp ?? 0;
  let lastSeq = -1;
  for (const row of rows) {
    if (ts[row]! > lastTime) lastTime = ts[row]!;
    if (seq[row]! > lastSeq) lastSeq = seq[row]!;
  }
  writeEnd(out, p, root, {
    seq: lastSeq + 1,
    timestamp: lastTime,
    events: rows.length,
    processes: member.reduce((sum, m) => sum + m, 0),
    lost,
  });
  return rows.length + 2;
}

/**
 * For lines whose tag tk does not know: whether the `pid` in them was one of the tree's at that time. A process that has
 * ended keeps its pid until another begins with it, since things may be said of it afterwards.
 */
function membersByPid(p: Processes, member: Uint8Array): (pid: unknown, time: number) => boolean {
  let lives: Map<unknown, number[]> | undefined;
  return (pid, time) => {
    if (lives === undefined) {
      lives = new Map();
      for (let life = 0; life < p.length; life++) {
        const known = lives.get(p.pid[life]!);
        if (known === undefined) lives.set(p.pid[life]!, [life]);
        else known.push(life);
      }
    }
    const known = lives.get(pid);
    const at = known?.findLast((life) => Number.isNaN(time) || p.start[life]! <= time) ?? known?.[0];
    return at !== undefined && member[at] === 1;
  };
}

function writeEnd(out: Out, p: Processes, root: number, end: Record<string, number>): void {
  const status = exitStatusOf(p, root);
  const how =
    status.how === "exited" ? { exit_code: status.code } : status.how === "signaled" ? { signal: status.signal } : {};
  out.text(JSON.stringify({ End: { ...end, ...how } }) + "\n");
}

function lostCount(recording: Recording, row: number): number {
  const count = bodyOf(recording, row)?.count;
  return typeof count === "number" && count > 0 ? count : 0;
}

/** The fields of a row's line. */
function bodyOf(recording: Recording, row: number): Fields | undefined {
  try {
    const line: unknown = JSON.parse(lineAt(recording, row));
    const tagged = asFields(line);
    return tagged === undefined ? undefined : asFields(Object.values(tagged)[0]);
  } catch {
    return undefined;
  }
}

/** As the recorder writes them: the exact bytes beside words that are not UTF-8. */
function commandFields({ words, bytes }: Argv): Fields {
  if (bytes === undefined) return { command: words };
  const exact = words.map((_, i) => {
    const word = bytes.get(i);
    return word === undefined ? null : Buffer.from(word).toString("base64");
  });
  return { command: words, command_b64: exact };
}

/** The recording's own header with another root, and what it was cut from; a new one for what had none. */
function headerOfTree(recording: Recording, p: Processes, root: number): Fields {
  const pid = p.pid[root]!;
  const headerRow = recording.events.kind.subarray(0, recording.events.length).indexOf(KIND.recording);
  const before = headerRow < 0 ? undefined : bodyOf(recording, headerRow);
  const isWhole = before?.root_pid === pid && p.parent[root] === ABSENT;
  if (before !== undefined && isWhole) return before;
  const argv = p.imageAt[root] === p.imageAt[root + 1] ? undefined : argvOf(recording, p.imageRow[p.imageAt[root]!]!);
  const { command, command_b64, ...rest } = before ?? { version: FORMAT_VERSION, generator: `tk ${VERSION}` };
  return {
    ...rest,
    root_pid: pid,
    ...(argv !== undefined && argv.words.length > 0 ? commandFields(argv) : {}),
    cut_from: {
      recording: recording.name,
      ...(before?.root_pid === undefined ? {} : { root_pid: before.root_pid }),
      ...(command === undefined ? {} : { command }),
      ...(command_b64 === undefined ? {} : { command_b64 }),
    },
  };
}
