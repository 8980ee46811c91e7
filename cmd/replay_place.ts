// Moments on the command line of `tk replay`: where a recording, or a log of executed lines, lies in time, and what `--at` means in it.
import { Effect } from "effect";
import { ok, type Result } from "neverthrow";
import { processesOf } from "../lib/derive/processes.ts";
import type { LineTraces } from "../lib/lines/line_track.ts";
import type { Recording } from "../lib/model/recording.ts";
import type { Extent } from "../lib/replay/jump.ts";
import { parsePlace } from "../lib/replay/place.ts";
import { beginningOf, clockOf, endingOf } from "../lib/replay/recording_clock.ts";
import type { Moment } from "../lib/replay/view.ts";
import { UsageError } from "./usage_error.ts";

export function extentOf(recording: Recording): Extent {
  return { start: beginningOf(recording), end: endingOf(recording), clock: clockOf(recording) };
}

export function extentOfLog(traces: LineTraces | undefined): Extent {
  const tracks = traces?.tracks.filter(({ blocks }) => blocks > 0) ?? [];
  const ns = nsPerTick(traces);
  const start = Math.min(...tracks.map((track) => track.startOf(0) * ns));
  const end = Math.max(...tracks.map((track) => track.endOf(track.blocks - 1) * ns));
  const clock = { ticksPerSecond: 1e9, unixZero: (traces?.clock.unixZero ?? 0) * ns };
  return tracks.length === 0 ? { start: 0, end: 0, clock } : { start, end, clock };
}

const nsPerTick = (traces: LineTraces | undefined): number => 1e9 / (traces?.clock.ticksPerSecond ?? 1e9);

/** `--at` in a recording; nanoseconds. */
export const placeInRecording = (
  text: string | undefined,
  recording: Recording,
): Effect.Effect<Moment | undefined, UsageError> =>
  understood("--at", text, (typed) => parsePlace(typed, extentOf(recording), processesOf(recording)));

/** `--at` in a log of executed lines; on the clock of its lines. */
export const placeInLog = (
  text: string | undefined,
  traces: LineTraces,
): Effect.Effect<Moment | undefined, UsageError> =>
  understood("--at", text, (typed) =>
    parsePlace(typed, extentOfLog(traces), undefined).map(({ time }) => ({ time: time / nsPerTick(traces) })),
  );

/** The value of an option, or what was expected instead. */
export function understood<A>(
  name: string,
  text: string | undefined,
  parse: (text: string) => Result<A, string>,
): Effect.Effect<A | undefined, UsageError> {
  const parsed: Result<A | undefined, string> = text === undefined ? ok(undefined) : parse(text);
  return parsed.match(
    (value) => Effect.succeed(value),
    (expected) => Effect.fail(new UsageError(`${name}: got ${JSON.stringify(text)}: ${expected}`)),
  );
}
