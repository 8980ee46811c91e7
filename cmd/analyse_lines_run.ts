// What `tk analyse DIR` does once its words are understood: the hot points of a trackexec log directory, or one of its files with what each line cost.
import { Data, Effect } from "effect";
import { statSync } from "node:fs";
import { writeCsv, writeJson, writeNdjson } from "../lib/analyse/machine.ts";
import { nearest } from "../lib/base/nearest.ts";
import type { OutputError } from "../lib/host/out.ts";
import { SORT_COLUMNS, type SortColumn } from "../lib/lines/hot_points.ts";
import { Problems } from "../lib/model/problem.ts";
import { attempt, openOutput } from "../lib/pipeline/sort_recording.ts";
import type { SourceError } from "../lib/pipeline/source.ts";
import { analyseLines } from "../lib/trackexec/analyse_lines.ts";
import type { LineAnalysis, LineOptions } from "../lib/trackexec/line_report.ts";
import { writeLineText } from "../lib/trackexec/line_text.ts";
import type { TrackexecError } from "../lib/trackexec/trackexec_error.ts";
import { EXIT } from "./exit.ts";
import { Progress } from "./progress.ts";
import { speaksUnicode, wantsColor } from "./screen.ts";
import { note, tellProblems } from "./tell.ts";

export interface LinesCommand {
  readonly inputs: readonly string[];
  readonly output: string | undefined;
  readonly format: "table" | "json" | "ndjson" | "csv";
  /** 20 when undefined; 0 is all. */
  readonly numItems: number | undefined;
  readonly sortColumn: string | undefined;
  readonly fileId: number | undefined;
  readonly compatible: boolean;
  readonly self: boolean;
  readonly color: "auto" | "always" | "never";
  readonly strict: boolean;
  /** Options that only mean something for processes, as the user wrote them. */
  readonly misplaced: readonly string[];
}

/** The words are understood one by one, but do not go together. */
export class LinesUsageError extends Data.TaggedError("LinesUsageError")<{
  readonly message: string;
  readonly hint?: string;
}> {
  readonly exitStatus = EXIT.usage;
}

/** Whether one of the inputs is a directory: then lines are to be analysed, not processes. */
export const namesDirectory = (inputs: readonly string[]): boolean =>
  inputs.some((input) => {
    try {
      return input !== "-" && statSync(input).isDirectory();
    } catch {
      return false; // Whoever opens it says why.
    }
  });

export const run = (
  c: LinesCommand,
): Effect.Effect<void, TrackexecError | OutputError | SourceError | LinesUsageError> =>
  Effect.scoped(
    Effect.gen(function* () {
      const options = yield* optionsOf(c);
      const problems = new Problems();
      const progress = new Progress();
      const told = (done: number, blocks: number) => progress.tell("blocks", done, blocks);
      const analysis = yield* analyseLines(c.inputs[0]!, options, problems, told).pipe(
        Effect.ensuring(
          Effect.sync(() => {
            progress.clear();
            process.exitCode = tellProblems(problems, c.strict);
          }),
        ),
      );
      for (const sentence of analysis.report.notes) note(sentence);
      const destination = yield* openOutput(c.output);
      yield* attempt(() => {
        write(c, analysis, (text) => destination.out.text(text));
        destination.commit();
      });
    }),
  );

function write(c: LinesCommand, analysis: LineAnalysis, text: (s: string) => void): void {
  const { report } = analysis;
  if (c.format === "json") return writeJson(report, text);
  if (c.format === "ndjson") return writeNdjson(report, text);
  if (c.format === "csv") return writeCsv(report.tables[0]!, text);
  const toTerminal = c.output === undefined && process.stdout.isTTY;
  // The older tool makes its heading bold wherever it goes.
  const color = (c.compatible && c.color === "auto") || wantsColor(c.color, toTerminal);
  writeLineText(analysis, { color, unicode: !toTerminal || speaksUnicode() }, text);
}

function optionsOf(c: LinesCommand): Effect.Effect<LineOptions, LinesUsageError> {
  const fail = (message: string, hint?: string) =>
    Effect.fail(new LinesUsageError(hint === undefined ? { message } : { message, hint }));
  if (c.inputs.length > 1)
    return fail("Cannot analyse a directory together with other recordings: expected one directory alone");
  if (c.misplaced.length > 0)
    return fail(`${c.misplaced.join(", ")} is about processes, and '${c.inputs[0]!}' is a directory of executed lines`);
  if (c.fileId !== undefined && (c.numItems !== undefined || c.sortColumn !== undefined))
    return fail("--file-id lists every line of one file in order: it does not go with --num-items or --sort-column");
  if (c.numItems !== undefined && c.numItems < 0) return fail(`--num-items ${c.numItems}: expected 0 (all) or more`);
  if (c.fileId !== undefined && (c.fileId < 0 || c.fileId > 65535))
    return fail(`--file-id ${c.fileId}: expected a number from 0 to 65535`);
  const typed = c.sortColumn?.toLowerCase() ?? "cumulated-runtime";
  const sortColumn = SORT_COLUMNS.find((column) => column === typed);
  if (sortColumn === undefined) {
    const near = nearest(typed, SORT_COLUMNS);
    return fail(
      `--sort-column ${c.sortColumn}: expected one of ${SORT_COLUMNS.join(", ")}`,
      near.length > 0 ? `did you mean ${near.join(" or ")}?` : undefined,
    );
  }
  return Effect.succeed({
    sortColumn,
    items: c.numItems ?? 20,
    fileId: c.fileId,
    compatible: c.compatible,
    withSelf: c.self || ownColumn(sortColumn),
  });
}

/** Sorted by a column that the older tool does not have: it is shown. */
const ownColumn = (column: SortColumn): boolean => column === "self-runtime";
