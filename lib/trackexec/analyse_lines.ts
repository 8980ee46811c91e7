// `tk analyse DIR`: a trackexec log directory to its hot points, or to one of its files with what each line cost. Reads the blocks once,
// then the archive of sources for the lines that are shown.
import { Effect } from "effect";
import { count, thousands } from "../base/text.ts";
import { recursiveLines } from "../lines/hot_points.ts";
import { type LineCost, LineTotals } from "../lines/line_totals.ts";
import { Problems } from "../model/problem.ts";
import { makeTurn } from "../pipeline/turn.ts";
import { chooseCosts, lineAnalysis, type LineAnalysis, type LineOptions, recursionNote } from "./line_report.ts";
import { TRACKEXEC_CLOCK } from "./trackexec_lines.ts";
import { openTrackexec, type TrackexecLog } from "./log_directory.ts";
import { readSources, type SourceFile, type Wanted } from "./sources.ts";
import { TrackexecError, trackexecError } from "./trackexec_error.ts";

/** A table of more rows is meant to be whole: that it is not has to be said. */
const MANY_ROWS = 10_000;

/** Told after every map file. */
export type LineProgress = (done: number, blocks: number) => void;

/** `dir` as the user named it; what is wrong inside it goes to `problems`. */
export const analyseLines = (
  dir: string,
  options: LineOptions,
  problems: Problems,
  progress?: LineProgress,
): Effect.Effect<LineAnalysis, TrackexecError> =>
  Effect.scoped(
    Effect.gen(function* () {
      const log = yield* openTrackexec(dir, problems);
      return yield* Effect.tryPromise({
        try: (signal) => analyse(log, options, problems, signal, progress),
        catch: (cause) => (cause instanceof TrackexecError ? cause : trackexecError(dir, dir, cause)),
      });
    }),
  );

async function analyse(
  log: TrackexecLog,
  options: LineOptions,
  problems: Problems,
  signal: AbortSignal,
  progress?: LineProgress,
): Promise<LineAnalysis> {
  const { dir } = log;
  const turn = makeTurn(signal);
  const totals = new LineTotals();
  let start: number | undefined;
  let end: number | undefined;
  await log.eachBlock(
    (rows) => {
      totals.add(rows);
      start ??= rows.start;
      end = rows.end;
    },
    turn,
    (done) => progress?.(done, log.blocks),
  );
  const costs = chooseCosts(totals, options);
  if (options.fileId !== undefined && costs.length === 0) {
    const known = await knownFiles(log, totals, turn);
    throw new TrackexecError({ dir, reason: { _tag: "NoSuchFile", file: options.fileId, known } });
  }
  if (totals.events === 0)
    problems.add({ code: "empty", source: dir, line: 0, message: "no executed line is recorded in it" });
  const wanted = wantedLines(costs, options.fileId);
  const sources = wanted.size > 0 ? await readSources(dir, wanted, problems, turn) : new Map<number, SourceFile>();
  const notes: string[] = [];
  const note = options.compatible ? undefined : recursionNote(recursiveLines(totals));
  if (note !== undefined) notes.push(note);
  if (totals.unplaced > 0)
    notes.push(
      `there are more than ${thousands(totals.length)} distinct lines: ${thousands(totals.unplaced)} executions of further ones are left out`,
    );
  const left = totals.length - costs.length;
  if (options.fileId === undefined && left > 0 && costs.length > MANY_ROWS)
    notes.push(`${count(left, "line")} that cost less are left out (--num-items 0 gives all)`);
  return lineAnalysis(
    options,
    costs,
    sources,
    totals,
    { dir, pid: log.pid, blocks: log.blocks, start, end, clock: TRACKEXEC_CLOCK },
    notes,
  );
}

export function wantedLines(costs: readonly LineCost[], fileId: number | undefined): Map<number, Wanted> {
  if (fileId !== undefined) return new Map([[fileId, "all"]]);
  const wanted = new Map<number, Set<number>>();
  for (const { file, line } of costs) {
    const lines = wanted.get(file);
    if (lines === undefined) wanted.set(file, new Set([line]));
    else lines.add(line);
  }
  return wanted;
}

/** The first files that have lines, as `0 (/srv/app/main.py)`. */
async function knownFiles(log: TrackexecLog, totals: LineTotals, turn: () => Promise<void>): Promise<string[]> {
  const files = new Set<number>();
  for (let i = 0; i < totals.length; i++) files.add(totals.at(i).file);
  const first = [...files].sort((a, b) => a - b).slice(0, 5);
  const sources = await readSources(
    log.dir,
    new Map(first.map((file) => [file, new Set<number>()])),
    new Problems(),
    turn,
  );
  const named = first.map((file) => {
    const path = sources.get(file)?.path;
    return path === undefined ? String(file) : `${file} (${path})`;
  });
  return files.size > first.length ? [...named, `${files.size - first.length} more`] : named;
}
