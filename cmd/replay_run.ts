// What `tk replay` does once its words are understood: a recording or a directory of lines, as players on the screen.
import { Data, Effect, type Scope } from "effect";
import { readFileSync, statSync } from "node:fs";
import type { Processes } from "../lib/derive/processes.ts";
import type { OutputError } from "../lib/host/out.ts";
import { LineCosts } from "../lib/lines/line_costs.ts";
import type { CostedTraces } from "../lib/lines/line_track.ts";
import { formatProblem, Problems } from "../lib/model/problem.ts";
import { followRecording } from "../lib/pipeline/follow_recording.ts";
import type { SourceError } from "../lib/pipeline/source.ts";
import { firstTrack } from "../lib/replay/first_track.ts";
import { GrowingProcesses } from "../lib/replay/growing.ts";
import { LinePlayer, tracksInOrder } from "../lib/replay/line_player.ts";
import { LineView } from "../lib/replay/line_view.ts";
import { ProcessView } from "../lib/replay/process_view.ts";
import type { Moment, View } from "../lib/replay/view.ts";
import { isDirectory, type NoLinesError, openDirectory } from "../lib/traces/open_lines.ts";
import { RecordingLines, recordingLines } from "../lib/traces/recording_lines.ts";
import type { TtyError } from "../lib/tty/tty.ts";
import { Progress } from "./progress.ts";
import { filteredReplay } from "./replay_filter.ts";
import { placeInLog, placeInRecording } from "./replay_place.ts";
import type { PlayCommand, PlayError } from "./replay_pipe_run.ts";
import { showScreen } from "./replay_screen.ts";
import { speaksUnicode, wantsColor } from "./screen.ts";
import { note, tellProblems } from "./tell.ts";
import { UsageError } from "./usage_error.ts";

export interface ReplayCommand extends PlayCommand {
  readonly noTui: boolean;
  /** Which player is shown first; undefined: lines where there are any. */
  readonly view: "lines" | "processes" | undefined;
}

/** The recording could be read, and there is nothing in it that a player could show. */
class NothingToReplay extends Data.TaggedError("NothingToReplay")<{ readonly message: string }> {}

type ReplayError = PlayError | UsageError | NothingToReplay | NoLinesError | TtyError;

/** A log directory of this many blocks is read for heat without being asked: each has at most 4094 lines. */
const CHEAP_BLOCKS = 2048;

/** Adding up what lines cost takes at most one part in so many of the time. */
const HEAT_PAUSE = 10;
/** Milliseconds of it after which keys are looked at. */
const HEAT_SLICE = 10;

/** A source that the recording has not kept is read as it is now, up to this size. */
const MOST_SOURCE = 16 << 20;

interface Opened {
  readonly views: readonly View[];
  readonly lines: () => LineView | undefined;
  readonly traces: CostedTraces | undefined;
  readonly problems: Problems;
  readonly growing: boolean;
  /** Where to begin; undefined: where the first view does by itself. */
  readonly at: Moment | undefined;
  /** A view of what was not there at first. */
  readonly more?: () => View | undefined;
  /** Sentences for the user. */
  readonly notes: readonly string[];
}

export const run = (c: ReplayCommand): Effect.Effect<void, ReplayError> =>
  Effect.scoped(
    Effect.gen(function* () {
      if (c.noTui || !process.stdout.isTTY) {
        const { play } = yield* Effect.promise(() => import("./replay_pipe_run.ts"));
        return yield* play(c);
      }
      if (c.at !== undefined && c.follow)
        return yield* new UsageError("--at and --follow both say where to begin", "leave one of them out");
      const opened = yield* isDirectory(c.recording) ? openLineDirectory(c.recording, c.at) : openRecording(c);
      const told = { problems: 0 };
      yield* showScreen({
        views: opened.views,
        ability: { unicode: speaksUnicode(), color: wantsColor(c.color, true) },
        growing: opened.growing,
        at: opened.at,
        follow: c.follow,
        more: opened.more,
        idle: heatFor(opened),
        news: () => {
          const { total, kept } = opened.problems;
          if (total === told.problems) return undefined;
          told.problems = total;
          const last = kept.at(-1);
          return last === undefined ? undefined : formatProblem(last);
        },
      }).pipe(
        Effect.ensuring(
          Effect.sync(() => {
            process.exitCode = tellProblems(opened.problems, c.strict);
            for (const sentence of opened.notes) note(sentence);
          }),
        ),
      );
    }),
  );

/** Adds up what lines cost, some tracks at a time. */
function heatFor({ lines, traces }: Opened): (() => boolean | undefined) | undefined {
  if (traces === undefined) return undefined;
  const isCheap = traces.tracks.every(({ kind, blocks }) => kind !== "trackexec" || blocks <= CHEAP_BLOCKS);
  let costs = new LineCosts();
  let next = 0;
  let spent = 0;
  let done = -Infinity;
  return () => {
    const view = lines();
    if (view?.wantsCosts(isCheap) !== true) return undefined;
    const began = performance.now();
    // Of a recording that grows everything is added up again, but most of the time is for the user.
    if (next === 0) {
      if (began - done < HEAT_PAUSE * spent) return undefined;
      spent = 0;
    }
    while (next < traces.tracks.length) {
      traces.addCosts(costs, next++);
      if (performance.now() - began < HEAT_SLICE) continue;
      spent += performance.now() - began;
      return false;
    }
    spent += performance.now() - began;
    view.useCosts(costs);
    done = performance.now();
    costs = new LineCosts();
    next = 0;
    return true;
  };
}

const openLineDirectory = (
  dir: string,
  where: string | undefined,
): Effect.Effect<Opened, UsageError | NothingToReplay | NoLinesError> =>
  Effect.gen(function* () {
    const problems = new Problems();
    const traces = yield* openDirectory(dir, problems);
    const lines = lineView(traces);
    if (lines === undefined)
      return yield* new NothingToReplay({ message: `There is nothing to replay in '${dir}': no line was executed` });
    return {
      at: yield* placeInLog(where, traces),
      views: [lines],
      lines: () => lines,
      traces,
      problems,
      growing: isRecent(`${dir}/log_index`) || isRecent(dir),
      notes: traces.notes,
    };
  });

const openRecording = ({
  recording: name,
  view,
  where,
  at: place,
}: ReplayCommand): Effect.Effect<Opened, SourceError | OutputError | UsageError | NothingToReplay, Scope.Scope> =>
  Effect.gen(function* () {
    const progress = new Progress();
    const ticking = setInterval(() => progress.tell("reading"), 200);
    const growing = yield* followRecording(name).pipe(
      Effect.flatMap((whole) => filteredReplay(whole, where)),
      Effect.ensuring(
        Effect.sync(() => {
          clearInterval(ticking);
          progress.clear();
        }),
      ),
    );
    const { recording, isOver } = growing;
    const { problems } = recording;
    const traces =
      isOver || growing.file === undefined
        ? recordingLines(recording, problems)
        : new RecordingLines(recording, problems, growing.file);
    const source = new GrowingProcesses(growing, () => performance.now(), traces);
    let lines = traces === undefined ? undefined : lineView(traces, source.history().derived.processes);
    const views: View[] = [];
    if (lines !== undefined) views.push(lines);
    if (source.history().rows.length > 0) views.push(new ProcessView(source));
    if (views.length === 0)
      return yield* new NothingToReplay({
        message: `There is nothing to replay in '${name}': it has no processes and no executed lines`,
      });
    const at = yield* placeInRecording(place, recording);
    const first = view ?? (at === undefined || hasLines(traces, at) ? undefined : "processes");
    if (first !== undefined) {
      const index = views.findIndex(({ id }) => id === first);
      if (index < 0) return yield* new UsageError(`--view ${first}: there are no ${first} in '${name}'`);
      views.unshift(...views.splice(index, 1));
    }
    // Of a recording that has just begun: lines may come later.
    const more = () => {
      if (lines !== undefined || traces === undefined || !traces.refresh()) return undefined;
      lines = lineView(traces, source.history().derived.processes);
      return lines;
    };
    return { at, views, lines: () => lines, traces, problems, growing: !isOver, more, notes: traces?.notes ?? [] };
  });

/** Whether the process at a place executed any lines; where none is named the view is a matter of the user's. */
const hasLines = (traces: CostedTraces | undefined, { pid }: Moment): boolean =>
  pid === undefined || traces?.tracks.some((track) => track.pid === pid && track.events > 0) === true;

function lineView(traces: CostedTraces, processes?: Processes): LineView | undefined {
  const track = firstTrack(tracksInOrder(traces), processes);
  return track === undefined ? undefined : new LineView(new LinePlayer(traces, track, { sourceNow }));
}

function sourceNow(path: string): string | undefined {
  try {
    const stat = statSync(path);
    return stat.isFile() && stat.size <= MOST_SOURCE ? readFileSync(path, "utf8") : undefined;
  } catch {
    return undefined;
  }
}

/** Written to not long ago: somebody may still be writing. */
function isRecent(path: string): boolean {
  try {
    return Date.now() - statSync(path).mtimeMs < 3_600_000;
  } catch {
    return false;
  }
}
