// `tk replay` without a screen: words to plain options, the recording or directory opened, one call into the player for pipes.
import { Effect, type Scope } from "effect";
import type { OutputError } from "../lib/host/out.ts";
import type { LineTraces } from "../lib/lines/line_track.ts";
import { followRecording } from "../lib/pipeline/follow_recording.ts";
import { playRecording } from "../lib/pipeline/play_recording.ts";
import type { SourceError } from "../lib/pipeline/source.ts";
import { decodeRecording, readRecording } from "../lib/pipeline/read.ts";
import type { GrowingRecording } from "../lib/replay/growing.ts";
import { processesOf } from "../lib/derive/processes.ts";
import { parseMoment } from "../lib/replay/jump.ts";
import { parsePlace } from "../lib/replay/place.ts";
import { parseIdle, parseSpeed } from "../lib/replay/pace.ts";
import { isDirectory, type NoLinesError, openDirectory } from "../lib/traces/open_lines.ts";
import { RecordingLines, recordingLines } from "../lib/traces/recording_lines.ts";
import { filteredReplay } from "./replay_filter.ts";
import { extentOf, extentOfLog, understood } from "./replay_place.ts";
import { speaksUnicode, wantsColor } from "./screen.ts";
import { note, tellProblems } from "./tell.ts";
import { UsageError } from "./usage_error.ts";

export interface PlayCommand {
  readonly recording: string;
  readonly color: "auto" | "always" | "never";
  readonly strict: boolean;
  readonly format: "text" | "ndjson";
  readonly speed: string | undefined;
  readonly maxIdle: string | undefined;
  readonly from: string | undefined;
  readonly until: string | undefined;
  /** Where to begin: a moment, or a handle. */
  readonly at: string | undefined;
  readonly follow: boolean;
  /** Only the events of which this is true. */
  readonly where: string | undefined;
}

export type PlayError = SourceError | OutputError | UsageError | NoLinesError;

interface Opened {
  readonly growing: GrowingRecording;
  readonly traces: LineTraces | undefined;
}

export const play = (c: PlayCommand): Effect.Effect<void, PlayError, Scope.Scope> =>
  Effect.gen(function* () {
    const speed = yield* understood("--speed", c.speed, parseSpeed);
    const maxIdle = yield* understood("--max-idle", c.maxIdle, parseIdle);
    const isLog = isDirectory(c.recording);
    if (c.where !== undefined && (isLog || c.follow))
      return yield* new UsageError(
        isLog
          ? `--where is for events of processes; '${c.recording}' is a log of executed lines`
          : "--where with --follow: whether an event belongs may depend on what comes after it",
        "leave one of them out",
      );
    if (c.at !== undefined && c.from !== undefined)
      return yield* new UsageError("--at and --from both say where to begin", "leave one of them out");
    if (isLog && c.format === "ndjson")
      return yield* new UsageError(
        `--format ndjson prints a recording's own lines, and '${c.recording}' is a directory`,
        "tk render makes a recording's lines of a log of executed lines",
      );
    const opened = yield* isLog ? openLog(c.recording) : openRecording(c);
    const { growing, traces } = opened;
    const { recording } = growing;
    const { problems } = recording;
    const extent = isLog ? extentOfLog(traces) : extentOf(recording);
    const moment = (text: string) => parseMoment(text, extent);
    const processes = isLog || c.at === undefined ? undefined : processesOf(recording);
    const at = yield* understood("--at", c.at, (text) => parsePlace(text, extent, processes));
    const from = at?.time ?? (yield* understood("--from", c.from, moment));
    const until = yield* understood("--until", c.until, moment);
    const toTerminal = process.stdout.isTTY;
    yield* playRecording({
      growing,
      traces,
      format: c.format,
      speed: speed ?? 1,
      maxIdle: maxIdle ?? Infinity,
      from: from ?? -Infinity,
      until: until ?? Infinity,
      start: extent.start,
      follow: c.follow,
      unicode: !toTerminal || speaksUnicode(),
      color: wantsColor(c.color, toTerminal),
    }).pipe(
      Effect.ensuring(
        Effect.sync(() => {
          process.exitCode = tellProblems(problems, c.strict);
          for (const sentence of traces?.notes ?? []) note(sentence);
          if (growing.note !== undefined) note(growing.note);
        }),
      ),
    );
  });

const openRecording = (c: PlayCommand): Effect.Effect<Opened, SourceError | OutputError | UsageError, Scope.Scope> =>
  c.follow ? openGrowing(c) : openWhole(c);

const openWhole = (c: PlayCommand): Effect.Effect<Opened, SourceError | OutputError | UsageError, Scope.Scope> =>
  readRecording(c.recording).pipe(
    Effect.map((recording) => ({ recording, isOver: true, note: undefined, refresh: () => false })),
    Effect.flatMap((growing) => filteredReplay(growing, c.where)),
    Effect.map((growing) => {
      const { recording } = growing;
      return { growing, traces: c.format === "text" ? recordingLines(recording, recording.problems) : undefined };
    }),
  );

const openGrowing = (c: PlayCommand): Effect.Effect<Opened, SourceError | OutputError | UsageError, Scope.Scope> =>
  followRecording(c.recording, { stream: true }).pipe(
    Effect.tap(untilItBegins),
    Effect.map((growing) => {
      const { recording, file } = growing;
      if (growing.isOver && recording.end === undefined)
        note(`${recording.name}: what is compressed or in a foreign format cannot be followed; this is what there is`);
      if (c.format !== "text") return { growing, traces: undefined };
      const traces =
        file === undefined
          ? recordingLines(recording, recording.problems)
          : new RecordingLines(recording, recording.problems, file);
      return { growing, traces };
    }),
  );

/** What the first line says (the clock, the directory) is needed before anything is shown. */
const untilItBegins = (growing: GrowingRecording) =>
  Effect.gen(function* () {
    while (growing.recording.events.length === 0 && !growing.isOver) {
      yield* Effect.sleep("20 millis");
      growing.refresh();
    }
  });

/** A directory has executed lines only. */
const openLog = (directory: string): Effect.Effect<Opened, NoLinesError> =>
  Effect.suspend(() => {
    const recording = decodeRecording(new Uint8Array(0), directory);
    const growing = { recording, isOver: false, note: undefined, refresh: () => false };
    return openDirectory(directory, recording.problems).pipe(Effect.map((traces) => ({ growing, traces })));
  });
