// `tk render -d by-process`: the lines of each process together, byte for byte, a blank line between processes. Processes
// come in the order of their first events, a fork belongs to the child, a pid that is used again is another process.
// Headers are the first block, so that the result is still a recording; what belongs to no process
// (sources, lost events, the end, unknown lines without a pid) is the last.
import { Effect } from "effect";
import { Float64List, Int32List } from "../base/columns.ts";
import { orderByKeys } from "../base/key_order.ts";
import { processesOf, type Processes } from "../derive/processes.ts";
import type { Out, OutputError } from "../host/out.ts";
import { KIND } from "../model/event.ts";
import type { EventTable } from "../model/event_table.ts";
import { ABSENT } from "../model/ids.ts";
import type { Recording } from "../model/recording.ts";
import { readRecordings, type ReadRecordingsOptions } from "./read_recordings.ts";
import { openOutput, work, attempt } from "./sort_recording.ts";
import type { SourceError } from "./source.ts";
import type { Turn } from "./turn.ts";

export interface ByProcessOptions extends ReadRecordingsOptions {
  /** Undefined and `-`: standard output. May be one of the inputs. */
  readonly output?: string | undefined;
  /** What of the recording is shown; all when undefined. */
  readonly filter?: (recording: Recording) => Effect.Effect<Recording, SourceError | OutputError>;
}

export interface ByProcessResult {
  readonly recording: Recording;
  readonly processes: number;
  readonly closed: boolean;
  readonly notes: readonly string[];
}

export const renderByProcess = (options: ByProcessOptions): Effect.Effect<ByProcessResult, SourceError | OutputError> =>
  Effect.scoped(
    Effect.gen(function* () {
      const destination = yield* openOutput(options.output);
      const { recording: all, notes } = yield* readRecordings(options);
      const recording = options.filter === undefined ? all : yield* options.filter(all);
      const processes = processesOf(recording);
      yield* work((turn) => writeByProcess(recording, processes, destination.out, turn));
      const { closed } = destination.out;
      yield* attempt(() => destination.commit());
      return { recording, processes: processes.length, closed, notes };
    }),
  );

/** Lines between two turns. */
const TURN_LINES = 1 << 15;

export async function writeByProcess(recording: Recording, processes: Processes, out: Out, turn: Turn): Promise<void> {
  const { kind } = recording.events;
  const { owner, length } = processes;
  const lives = rowsByLife(processes);
  const block = (b: number): Uint32Array => {
    if (b === 0) return rowsInOrder(recording.events, (row) => kind[row] === KIND.recording);
    if (b <= length) return lives.rows.subarray(lives.at[b - 1], lives.at[b]);
    return rowsInOrder(recording.events, (row) => owner[row]! < 0 && kind[row] !== KIND.recording);
  };
  let first = true;
  let sinceTurn = 0;
  for (let b = 0; b < length + 2 && !out.closed; b++) {
    const rows = block(b);
    if (rows.length === 0) continue;
    if (!first) out.newline();
    first = false;
    for (let i = 0; i < rows.length; i++) {
      writeLine(recording, rows[i]!, out);
      if (++sinceTurn < TURN_LINES) continue;
      sinceTurn = 0;
      await turn();
    }
  }
}

/** Some rows as the sorter would order them: by time and seq, those without a time behind their predecessor. */
export function rowsInOrder(events: EventTable, belongs: (row: number) => boolean): Uint32Array {
  const rows = new Int32List();
  const ts = new Float64List();
  const seq = new Float64List();
  let lastTs = -Infinity;
  let lastSeq: number = ABSENT;
  for (let row = 0; row < events.length; row++) {
    if (!Number.isNaN(events.ts[row]!)) {
      lastTs = events.ts[row]!;
      lastSeq = events.seq[row]!;
    }
    if (!belongs(row)) continue;
    rows.push(row);
    ts.push(lastTs);
    seq.push(lastSeq);
  }
  const order = new Uint32Array(rows.length);
  orderByKeys(ts.view(), seq.view(), rows.length, order, new Uint32Array(rows.length));
  for (let i = 0; i < order.length; i++) order[i] = rows.get(order[i]!);
  return order;
}

/** The line of a row, as it was recorded. A line that cannot be read any more is left out. */
export function writeLine(recording: Recording, row: number, out: Out): void {
  const { at, len } = recording.events;
  const line = recording.text.read(at[row]!, len[row]!);
  if (line.length < len[row]!) return;
  out.bytes(line, 0, line.length);
  out.newline();
}

/** Rows of each life in time order: those of life `p` are `rows[at[p] .. at[p + 1])`. */
function rowsByLife(processes: Processes): { at: Uint32Array; rows: Uint32Array } {
  const { order, owner, length } = processes;
  const at = new Uint32Array(length + 1);
  for (let i = 0; i < order.length; i++) {
    const life = owner[order[i]!]!;
    if (life >= 0) at[life + 1]!++;
  }
  for (let life = 0; life < length; life++) at[life + 1]! += at[life]!;
  const rows = new Uint32Array(at[length]!);
  const next = at.slice();
  for (let i = 0; i < order.length; i++) {
    const life = owner[order[i]!]!;
    if (life >= 0) rows[next[life]!++] = order[i]!;
  }
  return { at, rows };
}
