// What `tk diff` does once its words are understood: both groups are read, laid over one another, compared and told.
import { Effect } from "effect";
import { writeCsv, writeJson, writeNdjson } from "../lib/analyse/machine.ts";
import { writeText } from "../lib/analyse/text_table.ts";
import { align, Keys, makeSide } from "../lib/diff/align.ts";
import { compare } from "../lib/diff/compare.ts";
import { diffReport } from "../lib/diff/diff_report.ts";
import { parseChange, parseSpan, tooSlow } from "../lib/diff/limit.ts";
import type { OutputError } from "../lib/host/out.ts";
import type { Recording } from "../lib/model/recording.ts";
import { formatDuration } from "../lib/model/time.ts";
import { readRecording } from "../lib/pipeline/read.ts";
import { attempt, openOutput } from "../lib/pipeline/sort_recording.ts";
import type { SourceError } from "../lib/pipeline/source.ts";
import { EXIT } from "./exit.ts";
import { Progress } from "./progress.ts";
import { fitWidth, speaksUnicode, wantsColor } from "./screen.ts";
import { note, tellProblems } from "./tell.ts";
import { UsageError } from "./usage_error.ts";

export interface DiffCommand {
  readonly base: readonly string[];
  readonly recordings: readonly string[];
  readonly failOver: string | undefined;
  readonly least: string;
  readonly format: "table" | "json" | "ndjson" | "csv";
  /** 0 is all. */
  readonly numItems: number | undefined;
  readonly output: string | undefined;
  readonly width: number | undefined;
  readonly color: "auto" | "always" | "never";
  readonly strict: boolean;
}

const ROWS = 30;
/** Changes of less than this part of what there was are none. */
const LEAST_PART = 0.02;

/** Which recordings are the base, and which are compared to it. */
function sidesOf(c: DiffCommand): { base: readonly string[]; fresh: readonly string[] } | UsageError {
  if (c.base.length > 0) {
    if (c.recordings.length > 0) return { base: c.base, fresh: c.recordings };
    return new UsageError("expected the recordings that are compared to the base", "tk diff a.prof b.prof");
  }
  if (c.recordings.length === 2) return { base: c.recordings.slice(0, 1), fresh: c.recordings.slice(1) };
  return new UsageError(
    `expected two recordings, got ${c.recordings.length}`,
    "with several on a side `--` stands between them: tk diff a1.prof a2.prof -- b1.prof b2.prof",
  );
}

export const run = (c: DiffCommand): Effect.Effect<void, SourceError | OutputError | UsageError> =>
  Effect.scoped(
    Effect.gen(function* () {
      const sides = sidesOf(c);
      if (sides instanceof UsageError) return yield* sides;
      const limit = c.failOver === undefined ? undefined : parseChange(c.failOver);
      if (c.failOver !== undefined && limit === undefined)
        return yield* new UsageError(`--fail-over: expected such as 10% or 500ms, got '${c.failOver}'`);
      const least = parseSpan(c.least);
      if (least === undefined) return yield* new UsageError(`--least: expected a time such as 5ms, got '${c.least}'`);
      const progress = new Progress();
      const recordings: Recording[] = [];
      const names = [...sides.base, ...sides.fresh];
      let status: number = EXIT.ok;
      for (const name of names) {
        progress.tell("reading", recordings.length, names.length);
        const recording = yield* readRecording(name);
        status = Math.max(status, tellProblems(recording.problems, c.strict));
        recordings.push(recording);
      }
      progress.tell("comparing");
      const keys = new Keys();
      const aligned = align(
        recordings.map((recording) => makeSide(recording, keys)),
        keys,
      );
      const comparison = compare(aligned, sides.base.length, { least, leastPart: LEAST_PART });
      progress.clear();
      const machine = c.format !== "table";
      const toTerminal = c.output === undefined && process.stdout.isTTY;
      const unicode = machine || !toTerminal || speaksUnicode();
      const items = c.numItems ?? (machine ? 0 : ROWS);
      const report = diffReport(comparison, {
        unicode,
        full: machine,
        limit: items === 0 ? Infinity : items,
        base: nameOf(sides.base),
        fresh: nameOf(sides.fresh),
      });
      const destination = yield* openOutput(c.output);
      yield* attempt(() => {
        const text = (s: string) => destination.out.text(s);
        if (c.format === "json") writeJson(report, text);
        else if (c.format === "ndjson") writeNdjson(report, text);
        else if (c.format === "csv") writeCsv(report.tables[0]!, text);
        else
          writeText(
            report,
            { width: fitWidth(c.width, toTerminal), color: wantsColor(c.color, toTerminal), unicode },
            text,
          );
        destination.commit();
      });
      process.exitCode = status;
      if (limit !== undefined && tooSlow(comparison.total, limit)) {
        const { change, base } = comparison.total;
        note(
          `slower by ${formatDuration(change)} (${((change / base.median) * 100).toFixed(1)}%), more than ${c.failOver}`,
        );
        process.exitCode = EXIT.slower;
      }
    }),
  );

function nameOf(files: readonly string[]): string {
  return files.length === 1 ? files[0]! : `${files[0]} and ${files.length - 1} more`;
}
