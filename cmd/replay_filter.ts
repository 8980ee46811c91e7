// `tk replay --where`: what a condition leaves of a recording, to be replayed as it is now. What comes later may change which of the earlier events
// belong (how long a process ran is told at its end), so a filtered recording does not grow.
import { Effect } from "effect";
import type { OutputError } from "../lib/host/out.ts";
import type { SourceError } from "../lib/pipeline/source.ts";
import type { GrowingRecording } from "../lib/replay/growing.ts";
import type { UsageError } from "./usage_error.ts";
import { filterOf } from "./where_filter.ts";

export const filteredReplay = <G extends GrowingRecording>(
  growing: G,
  where: string | undefined,
): Effect.Effect<G, SourceError | OutputError | UsageError> =>
  where === undefined
    ? Effect.succeed(growing)
    : filterOf(where).pipe(
        Effect.flatMap((filter) => filter(growing.recording)),
        Effect.map((recording) => ({ ...growing, recording, isOver: true, note: growing.note, refresh: () => false })),
      );
