// What `tk sort` does once its words are understood.
import { Effect } from "effect";
import type { OutputError } from "../lib/host/out.ts";
import { Problems } from "../lib/model/problem.ts";
import { sortRecording } from "../lib/pipeline/sort_recording.ts";
import type { SourceError } from "../lib/pipeline/source.ts";
import { note, tellProblems } from "./tell.ts";

export interface SortCommand {
  readonly inputs: readonly string[];
  readonly output: string | undefined;
  readonly memory: number;
  readonly align: "own" | "wall";
  readonly strict: boolean;
}

export const run = (c: SortCommand): Effect.Effect<void, SourceError | OutputError> =>
  Effect.gen(function* () {
    const problems = new Problems();
    const result = yield* sortRecording({ ...c, problems }).pipe(
      Effect.ensuring(Effect.sync(() => (process.exitCode = tellProblems(problems, c.strict)))),
    );
    for (const sentence of result.notes) note(sentence);
  });
