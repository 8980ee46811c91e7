// What `tk render` does once its words are understood.
import { Effect } from "effect";
import { processesOf } from "../lib/derive/processes.ts";
import { causesOf } from "../lib/lines/causes.ts";
import type { Recording } from "../lib/model/recording.ts";
import { isDirectory, type NoLinesError, openDirectory } from "../lib/traces/open_lines.ts";
import { recordingLines } from "../lib/traces/recording_lines.ts";
import type { OutputError } from "../lib/host/out.ts";
import { Problems } from "../lib/model/problem.ts";
import { renderByProcess } from "../lib/pipeline/by_process.ts";
import { readRecordings } from "../lib/pipeline/read_recordings.ts";
import { attempt, openOutput, sortRecording, work } from "../lib/pipeline/sort_recording.ts";
import type { SourceError } from "../lib/pipeline/source.ts";
import { renderers } from "../lib/render/registry.ts";
import type { DocumentRenderer, RenderOptions, TraceRenderer } from "../lib/render/renderer.ts";
import { fitWidth, speaksUnicode, wantsColor } from "./screen.ts";
import { sortFiltered } from "./sort_run.ts";
import { note, tellProblems } from "./tell.ts";
import { UsageError } from "./usage_error.ts";
import { filterOf } from "./where_filter.ts";

export interface RenderCommand {
  readonly inputs: readonly string[];
  readonly mode: string;
  readonly output: string | undefined;
  readonly limit: number | undefined;
  readonly format: "text" | "ndjson";
  readonly full: boolean;
  readonly width: number | undefined;
  readonly color: "auto" | "always" | "never";
  readonly memory: number;
  readonly where: string | undefined;
  readonly strict: boolean;
}

export const run = (c: RenderCommand): Effect.Effect<void, SourceError | OutputError | UsageError | NoLinesError> =>
  Effect.suspend(() => {
    const directory = c.inputs.find(isDirectory);
    // Directories hold nothing but executed lines.
    const mode = directory !== undefined && c.mode === "multiplexed" ? "lines" : c.mode;
    const renderer = renderers.find(mode)._unsafeUnwrap();
    if (renderer.shape === "traces") return renderTraces(renderer, c, directory);
    if (directory !== undefined) return notDrawn(directory);
    if (c.format !== "text") return Effect.fail(new UsageError(`--format ${c.format} is for -d lines`));
    if (renderer.shape === "document") return renderDocument(renderer, c);
    return renderer.group === "process" ? renderGrouped(c) : renderOrdered(c);
  });

const renderOrdered = Effect.fnUntraced(function* (c: RenderCommand) {
  if (c.where !== undefined) return yield* sortFiltered(c, c.where);
  const problems = new Problems();
  const { notes } = yield* sortRecording({ ...c, problems }).pipe(
    Effect.ensuring(Effect.sync(() => (process.exitCode = tellProblems(problems, c.strict)))),
  );
  for (const sentence of notes) note(sentence);
});

const renderGrouped = Effect.fnUntraced(function* (c: RenderCommand) {
  const filter = yield* filterOf(c.where);
  const { recording, notes } = yield* renderByProcess({ ...c, filter });
  process.exitCode = tellProblems(recording.problems, c.strict);
  for (const sentence of notes) note(sentence);
});

/** A directory in a mode for processes: whether it holds lines decides what is said. */
const notDrawn = (directory: string): Effect.Effect<never, UsageError | NoLinesError> =>
  openDirectory(directory, new Problems()).pipe(
    Effect.andThen(
      new UsageError(
        `'${directory}' is a directory of executed lines, which has no processes to draw`,
        "render it with -d lines or -d heat",
      ),
    ),
  );

const renderTraces = (renderer: TraceRenderer, c: RenderCommand, directory: string | undefined) =>
  Effect.scoped(
    Effect.gen(function* () {
      if (c.format === "ndjson" && renderer.id !== "lines")
        return yield* new UsageError(`--format ndjson is for -d lines, not for -d ${renderer.id}`);
      if (directory !== undefined && c.inputs.length > 1)
        return yield* new UsageError(`'${directory}' is a directory: executed lines of a directory are shown alone`);
      const problems = new Problems();
      const opened = yield* directory === undefined
        ? Effect.map(readRecordings(c), ({ recording, notes }) => {
            problems.takeOver(recording.problems);
            return { traces: recordingLines(recording, problems), notes, name: recording.name };
          })
        : Effect.map(openDirectory(directory, problems), (traces) => ({
            traces,
            notes: traces.notes,
            name: directory,
          }));
      for (const sentence of opened.notes) note(sentence);
      const { traces } = opened;
      if (traces === undefined) {
        process.exitCode = tellProblems(problems, c.strict);
        return note(`there are no executed lines in '${opened.name}' (tk record --lines records them)`);
      }
      const destination = yield* openOutput(c.output);
      const toTerminal = c.output === undefined && process.stdout.isTTY;
      const options = { ...screenOf(c, toTerminal), ndjson: c.format === "ndjson" };
      yield* work(async (turn) => {
        for (const _ of renderer.render(traces, options, destination.out)) {
          if (destination.out.closed) break;
          await turn();
        }
      }).pipe(Effect.ensuring(Effect.sync(() => (process.exitCode = tellProblems(problems, c.strict)))));
      yield* attempt(() => destination.commit());
    }),
  );

const screenOf = (c: RenderCommand, toTerminal: boolean) => ({
  width: fitWidth(c.width, toTerminal),
  color: wantsColor(c.color, toTerminal),
  unicode: !toTerminal || speaksUnicode(),
  limit: c.limit === 0 ? Infinity : c.limit,
  full: c.full,
});

/** Which line started each process, as the tree shows it; undefined of recordings without lines. */
function causeTexts(recording: Recording): RenderOptions["causeOf"] {
  const traces = recordingLines(recording, recording.problems);
  if (traces === undefined) return undefined;
  const causes = causesOf(processesOf(recording), traces);
  return (life) => {
    const cause = causes.causeOfLife(life);
    if (cause === undefined) return undefined;
    const path = traces.sources[cause.file]?.path ?? "?";
    return { place: `${path}:${cause.line}`, sure: cause.certainty !== "one of several threads" };
  };
}

const renderDocument = (renderer: DocumentRenderer, c: RenderCommand) =>
  Effect.scoped(
    Effect.gen(function* () {
      const filter = yield* filterOf(c.where);
      const read = yield* readRecordings(c);
      const { notes } = read;
      const recording = yield* filter(read.recording);
      for (const sentence of notes) note(sentence);
      const causeOf = causeTexts(recording);
      process.exitCode = tellProblems(recording.problems, c.strict);
      const destination = yield* openOutput(c.output);
      const toTerminal = c.output === undefined && process.stdout.isTTY;
      yield* attempt(() => {
        renderer.render(recording, { ...screenOf(c, toTerminal), causeOf }, destination.out);
        destination.commit();
      });
    }),
  );
