// The hot points of a recording's lines, or one of its files with what each line cost, in the form that the older tool's directories
// have: from the heads of blocks alone. Memory is that of the distinct lines (56 bytes each) and of one head.
import { thousands } from "../base/text.ts";
import { recursiveLines } from "../lines/hot_points.ts";
import { codeOfPlace, LineCosts } from "../lines/line_costs.ts";
import type { CostedTraces } from "../lines/line_track.ts";
import { splitLines } from "../lines/source_text.ts";
import { wantedLines } from "../trackexec/analyse_lines.ts";
import {
  chooseCosts,
  lineAnalysis,
  type LineAnalysis,
  type LineOptions,
  recursionNote,
} from "../trackexec/line_report.ts";
import type { SourceFile } from "../trackexec/sources.ts";

/** Undefined when no line of the file that was asked for was executed. */
export function analyseTraces(traces: CostedTraces, name: string, options: LineOptions): LineAnalysis | undefined {
  const costs = new LineCosts();
  traces.addCosts(costs);
  const chosen = chooseCosts(costs, options);
  if (options.fileId !== undefined && chosen.length === 0) return undefined;
  const sources = new Map<number, SourceFile>();
  for (const [file, lines] of wantedLines(chosen, options.fileId)) sources.set(file, sourceFile(traces, file, lines));
  const notes = [...traces.notes];
  const recursion = options.compatible ? undefined : recursionNote(recursiveLines(costs));
  if (recursion !== undefined) notes.push(recursion);
  if (costs.unplaced > 0)
    notes.push(
      `there are more than ${thousands(costs.length)} distinct lines: ${thousands(costs.unplaced)} executions of further ones are left out`,
    );
  let blocks = 0;
  let start: number | undefined;
  let end: number | undefined;
  for (const track of traces.tracks) {
    blocks += track.blocks;
    if (track.blocks === 0) continue;
    start = Math.min(start ?? Infinity, track.startOf(0));
    end = Math.max(end ?? -Infinity, track.endOf(track.blocks - 1));
  }
  const pids = new Set(traces.tracks.map((track) => track.pid));
  const pid = pids.size === 1 ? traces.tracks[0]?.pid : undefined;
  return lineAnalysis(
    options,
    chosen,
    sources,
    costs,
    { dir: name, pid, blocks, start, end, clock: traces.clock },
    notes,
  );
}

/** The first files that have lines, as `0 (/srv/app/main.py)`. */
export function filesOf(traces: CostedTraces): string[] {
  const named = traces.sources.slice(0, 5).map(({ path }, file) => `${file} (${path})`);
  return traces.sources.length > 5 ? [...named, `${traces.sources.length - 5} more`] : named;
}

function sourceFile(traces: CostedTraces, file: number, wanted: ReadonlySet<number> | "all"): SourceFile {
  if (file < 0) return { path: traces.codes[codeOfPlace(file)]?.name ?? "(no file)", length: 0, lines: new Map() };
  const source = traces.sources[file];
  const text = source?.text();
  const all = text === undefined ? [] : splitLines(text);
  const lines = new Map<number, string>();
  for (const number of wanted === "all" ? all.keys().map((i) => i + 1) : wanted) {
    const line = all[number - 1];
    if (line !== undefined) lines.set(number, line);
  }
  return { path: source?.path ?? `(file ${file})`, length: all.length, lines };
}
