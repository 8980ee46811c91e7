// `--where` for verbs that look at a whole recording: what it leaves of one. The language is loaded only when the flag is given.
import { Effect } from "effect";
import type { OutputError } from "../lib/host/out.ts";
import type { Recording } from "../lib/model/recording.ts";
import type { SourceError } from "../lib/pipeline/source.ts";
import type { UsageError } from "./usage_error.ts";

type Filter = (recording: Recording) => Effect.Effect<Recording, SourceError | OutputError>;

export const filterOf = (text: string | undefined): Effect.Effect<Filter, UsageError> =>
  Effect.gen(function* () {
    if (text === undefined) return (recording: Recording) => Effect.succeed(recording);
    const { conditionOf } = yield* Effect.promise(() => import("./where_condition.ts"));
    const { filterRecording } = yield* Effect.promise(() => import("../lib/pipeline/filter_recording.ts"));
    const { linesOf } = yield* Effect.promise(() => import("./where_lines.ts"));
    const condition = yield* conditionOf(text);
    return (recording: Recording) => filterRecording(recording, condition, linesOf);
  });
