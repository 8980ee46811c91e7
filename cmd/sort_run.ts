// What `tk sort` does once its words are understood.
import { Effect } from "effect";
import type { OutputError } from "../lib/host/out.ts";
import { Problems } from "../lib/model/problem.ts";
import { sortRecording } from "../lib/pipeline/sort_recording.ts";
import type { SourceError } from "../lib/pipeline/source.ts";
import { note, tellProblems } from "./tell.ts";
import type { UsageError } from "./usage_error.ts";

export interface SortCommand {
  readonly inputs: readonly string[];
  readonly output: string | undefined;
  readonly memory: number;
  readonly align: "own" | "wall";
  readonly where: string | undefined;
  readonly strict: boolean;
}

export const run = (c: SortCommand): Effect.Effect<void, SourceError | OutputError | UsageError> =>
  Effect.gen(function* () {
    if (c.where !== undefined) return yield* sortFiltered(c, c.where);
    const problems = new Problems();
    const result = yield* sortRecording({ ...c, problems }).pipe(
      Effect.ensuring(Effect.sync(() => (process.exitCode = tellProblems(problems, c.strict)))),
    );
    for (const sentence of result.notes) note(sentence);
  });

/** What is filtered has to be known as a whole: whether a process matters may be told after its events. */
export const sortFiltered = Effect.fnUntraced(function* (c: Omit<SortCommand, "align">, text: string) {
  const { conditionOf } = yield* Effect.promise(() => import("./where_condition.ts"));
  const { writeFiltered } = yield* Effect.promise(() => import("../lib/pipeline/filter_recording.ts"));
  const { linesOf } = yield* Effect.promise(() => import("./where_lines.ts"));
  const where = yield* conditionOf(text);
  const { recording, notes } = yield* writeFiltered({ ...c, where, linesOf });
  process.exitCode = tellProblems(recording.problems, c.strict);
  for (const sentence of notes) note(sentence);
});
