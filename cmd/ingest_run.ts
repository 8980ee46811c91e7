// What `tk ingest` does once its words are understood.
import { Effect } from "effect";
import type { OutputError } from "../lib/host/out.ts";
import { ingest, type IngestError } from "../lib/pipeline/ingest.ts";
import type { SourceError } from "../lib/pipeline/source.ts";
import { note, tellProblems } from "./tell.ts";

export interface IngestCommand {
  readonly inputs: readonly string[];
  readonly pid: number;
  /** From 1; the first life when undefined. */
  readonly life: number | undefined;
  readonly output: string | undefined;
  readonly memory: number;
  readonly strict: boolean;
}

export const run = (c: IngestCommand): Effect.Effect<void, SourceError | OutputError | IngestError> =>
  ingest({ ...c, life: c.life === undefined ? undefined : { nth: c.life } }).pipe(
    Effect.map(({ recording, notes }) => {
      process.exitCode = tellProblems(recording.problems, c.strict);
      for (const sentence of notes) note(sentence);
    }),
  );
