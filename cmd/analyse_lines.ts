// `tk analyse` of a directory: a log of executed lines, as the older line tracer keeps it.
import { Effect } from "effect";
import { writeCsv, writeJson, writeNdjson } from "../lib/analyse/machine.ts";
import type { OutputError } from "../lib/host/out.ts";
import { nearest } from "../lib/base/nearest.ts";
import { SORT_COLUMNS } from "../lib/lines/hot_points.ts";
import { Problems } from "../lib/model/problem.ts";
import { attempt, openOutput } from "../lib/pipeline/sort_recording.ts";
import { analyseLines } from "../lib/trackexec/analyse_lines.ts";
import { writeLineText } from "../lib/trackexec/line_text.ts";
import type { SourceError } from "../lib/pipeline/source.ts";
import type { TrackexecError } from "../lib/trackexec/trackexec_error.ts";
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
      if (c.fileId !== undefined && (c.fileId < 0 || c.fileId > 65535))
        return yield* new UsageError(`--file-id: expected a number from 0 to 65535, got ${c.fileId}`);
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
      const machine = c.format !== "table";
      const problems = new Problems();
      const progress = new Progress();
      const options = {
        sortColumn,
        items: c.numItems ?? (machine ? ROWS_FOR_PROGRAMS : ROWS),
        fileId: c.fileId,
        compatible: c.compatible,
        withSelf: c.self || (sortColumn === "self-runtime" && !c.compatible),
      };
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
      if (!machine) for (const sentence of analysis.report.notes) note(sentence);
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
    }),
  );
