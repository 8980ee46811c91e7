// Reads a recording and keeps its columns in the cache directory, for the bench `query-huge`: `bun scripts/bench/keep_index.ts FILE`.
import { Effect } from "effect";
import { indexStepsOf, readRecording } from "../../lib/pipeline/read.ts";

const [file = ""] = process.argv.slice(2);
await Effect.runPromise(
  Effect.scoped(
    Effect.map(readRecording(file, { keepIndex: true }), (recording) => {
      for (const _ of indexStepsOf(recording) ?? []);
    }),
  ),
);
