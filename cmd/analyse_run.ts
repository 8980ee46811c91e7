// What `tk analyse` does once its words are understood: a recording to its report, and a directory of line logs to its own.
import { Effect } from "effect";
import { nearest } from "../lib/base/nearest.ts";
import { Analysis } from "../lib/analyse/analysis.ts";
import { writeCsv, writeJson, writeNdjson } from "../lib/analyse/machine.ts";
import { sectionsOf, wholeReport } from "../lib/analyse/registry.ts";
import { makeReport } from "../lib/analyse/report.ts";
import { columnNamed, plainName, type Section } from "../lib/analyse/section.ts";
import type { Column, Report } from "../lib/analyse/table.ts";
import { writeText } from "../lib/analyse/text_table.ts";
import type { CommandBy } from "../lib/derive/exec_keys.ts";
import type { OutputError } from "../lib/host/out.ts";
import { readRecordings } from "../lib/pipeline/read_recordings.ts";
import { attempt, openOutput, work } from "../lib/pipeline/sort_recording.ts";
import type { SourceError } from "../lib/pipeline/source.ts";
import type { TrackexecError } from "../lib/trackexec/trackexec_error.ts";
import { Problems } from "../lib/model/problem.ts";
import { isDirectory } from "../lib/traces/open_lines.ts";
import { openSpool } from "../lib/traces/spool_lines.ts";
import { isTrackexecLog } from "../lib/trackexec/trackexec_lines.ts";
import { recordingLines } from "../lib/traces/recording_lines.ts";
import { analyseDirectory, analyseRecordedLines } from "./analyse_lines.ts";
import { Progress } from "./progress.ts";
import { fitWidth, speaksUnicode, wantsColor } from "./screen.ts";
import { note, tellProblems } from "./tell.ts";
import { UsageError } from "./usage_error.ts";
import { filterOf } from "./where_filter.ts";

export interface AnalyseCommand {
  readonly inputs: readonly string[];
  readonly section: string | undefined;
  readonly by: CommandBy;
  readonly output: string | undefined;
  readonly format: "table" | "json" | "ndjson" | "csv";
  /** 0 is all. */
  readonly numItems: number | undefined;
  readonly sortColumn: string | undefined;
  readonly width: number | undefined;
  readonly color: "auto" | "always" | "never";
  readonly memory: number;
  readonly where: string | undefined;
  readonly strict: boolean;
  /** Of logs of executed lines. */
  readonly fileId: number | undefined;
  readonly self: boolean;
  readonly compatible: boolean;
}

const ROWS_OF_ONE = 20;
const ROWS_OF_REPORT = 10;

export const run = (
  c: AnalyseCommand,
): Effect.Effect<void, SourceError | OutputError | UsageError | TrackexecError> => {
  if (c.numItems !== undefined && c.numItems < 0)
    return Effect.fail(new UsageError(`--num-items: expected 0 (all) or more, got ${c.numItems}`));
  const directory = c.inputs.find(isDirectory);
  if (directory === undefined) return analyseProcesses(c);
  if (c.where !== undefined)
    return Effect.fail(new UsageError(`--where is for events of processes; '${directory}' is a log of executed lines`));
  if (c.inputs.length === 1)
    return isTrackexecLog(directory) ? analyseDirectory(directory, c) : analyseSpool(directory, c);
  return Effect.fail(new UsageError(`'${directory}' is a directory: a log of executed lines is analysed alone`));
};

/** Raw streams of tk's recorders; of any other directory the older tool's reader says what it expected. */
const analyseSpool = (directory: string, c: AnalyseCommand) =>
  Effect.suspend((): Effect.Effect<void, SourceError | OutputError | UsageError | TrackexecError> => {
    const problems = new Problems();
    const traces = openSpool(directory, problems);
    if (traces === undefined) return analyseDirectory(directory, c);
    if (c.section !== undefined && c.section !== "lines")
      return Effect.fail(
        new UsageError(`--section ${c.section} is for recordings of processes, '${directory}' holds executed lines`),
      );
    return analyseRecordedLines(traces, directory, c).pipe(
      Effect.ensuring(Effect.sync(() => (process.exitCode = tellProblems(problems, c.strict)))),
    );
  });

const analyseProcesses = Effect.fnUntraced(function* (c: AnalyseCommand) {
  const linesAlone = c.fileId !== undefined || c.self || c.compatible;
  if (linesAlone && c.section !== undefined && c.section !== "lines")
    return yield* new UsageError(
      "--file-id, --self and --compatible are for executed lines, not for --section " + c.section,
    );
  const machine = c.format !== "table";
  const chosen = linesAlone ? NOTHING_CHOSEN : yield* choose(c);
  const filter = yield* filterOf(c.where);
  const progress = new Progress();
  yield* Effect.scoped(
    Effect.gen(function* () {
      const ticking = setInterval(() => progress.tell("reading"), 200);
      const { recording: all, notes } = yield* readRecordings(c).pipe(
        Effect.ensuring(
          Effect.sync(() => {
            clearInterval(ticking);
            progress.clear();
          }),
        ),
      );
      const recording = yield* filter(all);
      const lines = recordingLines(recording, recording.problems);
      for (const sentence of notes) note(sentence);
      const told = Effect.sync(() => (process.exitCode = tellProblems(recording.problems, c.strict)));
      if (linesAlone) return yield* analyseRecordedLines(lines, recording.name, c).pipe(Effect.ensuring(told));
      const destination = yield* openOutput(c.output);
      const toTerminal = c.output === undefined && process.stdout.isTTY;
      const unicode = machine || !toTerminal || speaksUnicode();
      const report = yield* work(async (turn): Promise<Report> => {
        progress.tell("analysing");
        await turn();
        const analysis = new Analysis(recording, {
          by: c.by,
          unicode,
          full: machine,
          lines,
          watch: (stage, done, total) => progress.tell(`analysing: ${stage}`, done, total),
        });
        const steps = makeReport(analysis, chosen);
        for (;;) {
          const step = steps.next();
          if (step.done === true) return step.value;
          await turn();
        }
      }).pipe(
        Effect.ensuring(
          Effect.andThen(
            Effect.sync(() => progress.clear()),
            told,
          ),
        ),
      );
      yield* attempt(() => {
        writeReport(report, c, unicode, toTerminal, (s) => destination.out.text(s));
        destination.commit();
      });
    }),
  );
});

function writeReport(
  report: Report,
  c: AnalyseCommand,
  unicode: boolean,
  toTerminal: boolean,
  text: (s: string) => void,
): void {
  if (c.format === "json") writeJson(report, text);
  else if (c.format === "ndjson") writeNdjson(report, text);
  else if (c.format === "csv") writeCsv(report.tables[0]!, text);
  else
    writeText(report, { width: fitWidth(c.width, toTerminal), color: wantsColor(c.color, toTerminal), unicode }, text);
}

interface Chosen {
  readonly sections: readonly Section[];
  readonly limit: number;
  readonly sort: Column | undefined;
  readonly asked: boolean;
}

const NOTHING_CHOSEN: Chosen = { sections: [], limit: 0, sort: undefined, asked: false };

/** What the older tool calls columns of executed lines. */
const LINE_COLUMNS: ReadonlyMap<string, string> = new Map([
  ["cumulated-runtime", "cumulated"],
  ["average-runtime", "average"],
  ["self-runtime", "self"],
  ["frequency", "count"],
]);

/** Which sections, how many rows, sorted by what; found out before anything is read. */
function choose(c: AnalyseCommand): Effect.Effect<Chosen, UsageError> {
  const machine = c.format !== "table";
  const lineColumn = c.sortColumn === undefined ? undefined : LINE_COLUMNS.get(c.sortColumn.toLowerCase());
  // Their names alone say that it is lines that are meant.
  const section = c.section ?? (lineColumn === undefined ? undefined : "lines");
  const sortColumn = section === "lines" ? (lineColumn ?? c.sortColumn) : c.sortColumn;
  const sections = section === undefined ? wholeReport(!machine) : sectionsOf(section, !machine);
  if (c.format === "csv" && section === undefined)
    return Effect.fail(
      new UsageError("--format csv holds one table: name it with --section, such as --section commands"),
    );
  const first = sections[0]!;
  const sort = sortColumn === undefined ? undefined : columnNamed(first.columns, sortColumn);
  if (c.sortColumn !== undefined && sort === undefined) {
    const names = first.columns.map(plainName);
    const near = nearest(c.sortColumn, names);
    const hint = near.length > 0 ? `, did you mean ${near.join(" or ")}?` : "";
    return Effect.fail(
      new UsageError(
        `--sort-column: ${first.id} has no column ${JSON.stringify(c.sortColumn)}${hint}`,
        `its columns are ${names.join(", ")}`,
      ),
    );
  }
  const usual = machine ? 0 : section === undefined ? ROWS_OF_REPORT : ROWS_OF_ONE;
  const items = c.numItems ?? usual;
  return Effect.succeed({
    sections: c.format === "csv" ? sections.slice(0, 1) : sections,
    limit: items === 0 ? Infinity : items,
    sort,
    asked: section !== undefined,
  });
}
