// `tk analyse` of executed lines alone: of a directory, which is a log as the older line tracer keeps it, and of a recording when one of the
// flags for lines is given.
import { Effect } from "effect";
import { writeCsv, writeJson, writeNdjson } from "../lib/analyse/machine.ts";
import type { OutputError } from "../lib/host/out.ts";
import { nearest } from "../lib/base/nearest.ts";
import { SORT_COLUMNS } from "../lib/lines/hot_points.ts";
import { Problems } from "../lib/model/problem.ts";
import type { CostedTraces } from "../lib/lines/line_track.ts";
import { analyseTraces, filesOf } from "../lib/traces/analyse_traces.ts";
import { attempt, openOutput } from "../lib/pipeline/sort_recording.ts";
import { analyseLines } from "../lib/trackexec/analyse_lines.ts";
import type { LineAnalysis, LineOptions } from "../lib/trackexec/line_report.ts";
import { writeLineText } from "../lib/trackexec/line_text.ts";
import type { SourceError } from "../lib/pipeline/source.ts";
import { TrackexecError } from "../lib/trackexec/trackexec_error.ts";
import type { AnalyseCommand } from "./analyse_run.ts";
import { Progress } from "./progress.ts";
import { speaksUnicode, wantsColor } from "./screen.ts";
import { note, tellProblems } from "./tell.ts";
import { UsageError } from "./usage_error.ts";

const ROWS = 20;
/** For programs every row, but not by accident so many that they fill the memory. */
const ROWS_FOR_PROGRAMS = 100_000;

export const analyseDirectory = (
  dir: string,
  c: AnalyseCommand,
): Effect.Effect<void, SourceError | OutputError | UsageError | TrackexecError> =>
  Effect.scoped(
    Effect.gen(function* () {
      if (c.section !== undefined)
        return yield* new UsageError(`--section is for recordings of processes, '${dir}' holds executed lines`);
      const options = yield* lineOptions(c, 65535);
      const problems = new Problems();
      const progress = new Progress();
      const analysis = yield* analyseLines(dir, options, problems, (done, blocks) =>
        progress.tell("reading block", done, blocks),
      ).pipe(
        Effect.ensuring(
          Effect.sync(() => {
            progress.clear();
            process.exitCode = tellProblems(problems, c.strict);
          }),
        ),
      );
      yield* write(analysis, c);
    }),
  );

/** The recording's lines in the form of a directory's; `traces` are undefined when it has none. */
export const analyseRecordedLines = (
  traces: CostedTraces | undefined,
  name: string,
  c: AnalyseCommand,
): Effect.Effect<void, SourceError | OutputError | UsageError | TrackexecError> =>
  Effect.scoped(
    Effect.gen(function* () {
      const options = yield* lineOptions(c, 2 ** 31 - 1);
      if (traces === undefined)
        return yield* new UsageError(
          `'${name}' has no executed lines, which --file-id, --self and --compatible are for`,
          "tk record --lines records them",
        );
      const analysis = analyseTraces(traces, name, options);
      if (analysis === undefined)
        return yield* new TrackexecError({
          dir: name,
          reason: { _tag: "NoSuchFile", file: options.fileId ?? 0, known: filesOf(traces) },
        });
      yield* write(analysis, c);
    }),
  );

const lineOptions = (c: AnalyseCommand, mostFile: number): Effect.Effect<LineOptions, UsageError> =>
  Effect.gen(function* () {
    if (c.fileId !== undefined && (c.fileId < 0 || c.fileId > mostFile))
      return yield* new UsageError(`--file-id: expected a number from 0 to ${mostFile}, got ${c.fileId}`);
    const asked = (c.sortColumn ?? "cumulated-runtime").toLowerCase();
    const sortColumn = SORT_COLUMNS.find((name) => name === asked);
    if (sortColumn === undefined) {
      const near = nearest(asked, [...SORT_COLUMNS]);
      const hint = near.length > 0 ? `, did you mean ${near.join(" or ")}?` : "";
      return yield* new UsageError(
        `--sort-column: there is no column ${JSON.stringify(c.sortColumn)}${hint}`,
        `lines are sorted by ${SORT_COLUMNS.join(", ")}`,
      );
    }
    if (c.fileId !== undefined && (c.sortColumn !== undefined || c.numItems !== undefined))
      return yield* new UsageError(
        "--file-id lists every line of the file in its order, without --sort-column or --num-items",
      );
    return {
      sortColumn,
      items: c.numItems ?? (c.format === "table" ? ROWS : ROWS_FOR_PROGRAMS),
      fileId: c.fileId,
      compatible: c.compatible,
      withSelf: c.self || (sortColumn === "self-runtime" && !c.compatible),
    };
  });

const write = (analysis: LineAnalysis, c: AnalyseCommand) =>
  Effect.gen(function* () {
    if (c.format === "table") for (const sentence of analysis.report.notes) note(sentence);
    const destination = yield* openOutput(c.output);
    const toTerminal = c.output === undefined && process.stdout.isTTY;
    // The older tool makes its heading bold wherever it goes.
    const color = (c.compatible && c.color === "auto") || wantsColor(c.color, toTerminal);
    yield* attempt(() => {
      const text = (s: string) => destination.out.text(s);
      if (c.format === "json") writeJson(analysis.report, text);
      else if (c.format === "ndjson") writeNdjson(analysis.report, text);
      else if (c.format === "csv") writeCsv(analysis.report.tables[0]!, text);
      else writeLineText(analysis, { color, unicode: !toTerminal || speaksUnicode() }, text);
      destination.commit();
    });
  });
