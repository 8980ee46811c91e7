// The events of a recording of which a condition is true: as a recording to draw and analyse, or written as lines. The lines are those that were
// read, byte for byte and in order; header, end and lost events stay, so what is written is again a recording.
import { Effect } from "effect";
import type { HeadTraces } from "../lines/line_track.ts";
import { KIND } from "../model/event.ts";
import type { Recording } from "../model/recording.ts";
import type { OutputError } from "../host/out.ts";
import { maskOf } from "../query/run.ts";
import type { Condition } from "../query/typed.ts";
import { World } from "../query/world.ts";
import { keepRows } from "../stage/keep_rows.ts";
import { rowsInOrder, writeLine } from "./by_process.ts";
import { readRecordings, type ReadRecordingsOptions } from "./read_recordings.ts";
import { attempt, openOutput, work } from "./sort_recording.ts";
import type { SourceError } from "./source.ts";
import type { Turn } from "./turn.ts";
import type { Out } from "../host/out.ts";

/** The executed lines of a recording: whoever filters knows where they are, we only hand them on to what a condition asks. */
export type LinesOf = (recording: Recording) => HeadTraces | undefined;

/** What of the recording passes the condition, which is one about events. */
export const filterRecording = (
  recording: Recording,
  condition: Condition,
  linesOf: LinesOf,
): Effect.Effect<Recording, SourceError | OutputError> =>
  work(async (turn) => {
    const steps = maskOf(condition, new World(recording, { lines: () => linesOf(recording) }));
    for (;;) {
      const step = steps.next();
      if (step.done === true) return keepRows(recording, step.value);
      await turn();
    }
  });

export interface WriteFilteredOptions extends ReadRecordingsOptions {
  readonly where: Condition;
  readonly linesOf: LinesOf;
  /** Undefined and `-`: standard output. May be one of the inputs. */
  readonly output?: string | undefined;
}

export interface WrittenFiltered {
  /** As it was read, with all its problems. */
  readonly recording: Recording;
  readonly notes: readonly string[];
}

/** Reads, filters, writes in the order of time. */
export const writeFiltered = (
  options: WriteFilteredOptions,
): Effect.Effect<WrittenFiltered, SourceError | OutputError> =>
  Effect.scoped(
    Effect.gen(function* () {
      const destination = yield* openOutput(options.output);
      const { recording, notes } = yield* readRecordings(options);
      const filtered = yield* filterRecording(recording, options.where, options.linesOf);
      yield* work((turn) => writeInOrder(filtered, destination.out, turn));
      yield* attempt(() => destination.commit());
      return { recording, notes };
    }),
  );

/** Lines between two turns. */
const TURN_LINES = 1 << 15;

/** The lines of a recording in order, its header first and its end last. */
export async function writeInOrder(recording: Recording, out: Out, turn: Turn): Promise<void> {
  const { kind } = recording.events;
  let written = 0;
  for (const place of [0, 1, 2]) {
    const rows = rowsInOrder(recording.events, (row) => placeOf(kind[row]!) === place);
    for (let i = 0; i < rows.length && !out.closed; i++) {
      writeLine(recording, rows[i]!, out);
      if (++written % TURN_LINES === 0) await turn();
    }
  }
}

function placeOf(kind: number): number {
  return kind === KIND.recording ? 0 : kind === KIND.end ? 2 : 1;
}
