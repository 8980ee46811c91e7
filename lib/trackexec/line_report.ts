// Hot points and annotated files as data: which rows, and what stands in them. Times are ticks here (of 2^-20 s in the older tool's logs, of
// 1 ns in tk's recordings) and whole nanoseconds in the report for programs; the older tool's own text is line_text.ts. Pure.
import type { Column, Report, Table } from "../analyse/table.ts";
import { count } from "../base/text.ts";
import {
  averageOf,
  cumulatedOf,
  hotPoints,
  linesOfFile,
  type Recursion,
  type SortColumn,
} from "../lines/hot_points.ts";
import type { Costs } from "../lines/line_costs.ts";
import type { LineCost } from "../lines/line_totals.ts";
import type { LineClock } from "../lines/line_track.ts";
import type { SourceFile } from "./sources.ts";

const nanosOf = (ticks: number, perSecond: number): number | undefined =>
  Number.isFinite(ticks) ? Math.round((ticks * 1e9) / perSecond) : undefined;

export interface LineOptions {
  readonly sortColumn: SortColumn;
  /** Rows of the table of hot points; 0 is all. */
  readonly items: number;
  /** The file whose every line is listed, instead of hot points. */
  readonly fileId: number | undefined;
  /** The older tool's numbers and text, recursion counted on every level. */
  readonly compatible: boolean;
  /** The time of each line alone is shown too. */
  readonly withSelf: boolean;
}

/** A row of either table; a line of a listing that never ran has no cost. */
export interface LineRow {
  readonly file: number;
  readonly line: number;
  readonly cost: LineCost | undefined;
}

export interface LineAnalysis {
  readonly options: LineOptions;
  readonly recursion: Recursion;
  readonly rows: readonly LineRow[];
  readonly sources: ReadonlyMap<number, SourceFile>;
  readonly ticksPerSecond: number;
  readonly report: Report;
}

/** What is known about the log as a whole. */
export interface LogFacts {
  readonly dir: string;
  readonly pid: number | undefined;
  readonly blocks: number;
  /** In ticks; undefined when there is no block. */
  readonly start: number | undefined;
  readonly end: number | undefined;
  readonly clock: LineClock;
}

export const recursionOf = (options: LineOptions): Recursion => (options.compatible ? "every-level" : "once");

/** The lines of the chosen table that cost something, before sources are known. */
export function chooseCosts(totals: Costs, options: LineOptions): LineCost[] {
  if (options.fileId !== undefined) return [...linesOfFile(totals, options.fileId).values()];
  return hotPoints(totals, { by: options.sortColumn, most: options.items, recursion: recursionOf(options) });
}

export function lineAnalysis(
  options: LineOptions,
  costs: readonly LineCost[],
  sources: ReadonlyMap<number, SourceFile>,
  totals: Costs,
  log: LogFacts,
  notes: readonly string[],
): LineAnalysis {
  const { fileId } = options;
  const rows = fileId === undefined ? costs.map(hotRow) : listing(fileId, costs, sources.get(fileId));
  const recursion = recursionOf(options);
  const { ticksPerSecond, unixZero } = log.clock;
  const analysis = { options, recursion, rows, sources, ticksPerSecond };
  const span = log.start === undefined || log.end === undefined ? undefined : log.end - log.start;
  const report: Report = {
    headline: [],
    facts: [
      { id: "recording", value: log.dir },
      { id: "pid", value: log.pid },
      { id: "started_unix_s", value: log.start === undefined ? undefined : (log.start - unixZero) / ticksPerSecond },
      { id: "wall_ns", value: span === undefined ? undefined : nanosOf(span, ticksPerSecond) },
      { id: "blocks", value: log.blocks },
      { id: "line_events", value: totals.events },
      { id: "distinct_lines", value: totals.length },
      { id: "recursion", value: recursion },
    ],
    notes,
    tables: [fileId === undefined ? hotTable(analysis, totals) : fileTable(analysis)],
  };
  return { ...analysis, report };
}

const hotRow = (cost: LineCost): LineRow => ({ file: cost.file, line: cost.line, cost });

/** A row per line of the file, and for places the recording has that the file has not. */
function listing(file: number, costs: readonly LineCost[], source: SourceFile | undefined): LineRow[] {
  const byLine = new Map(costs.map((cost) => [cost.line, cost]));
  const lines = new Set(byLine.keys());
  for (let line = 1; line <= (source?.length ?? 0); line++) lines.add(line);
  return [...lines].sort((a, b) => a - b).map((line) => ({ file, line, cost: byLine.get(line) }));
}

/** The text of a line; undefined when it is not known. Line 0 is a frame that has not come to its first line. */
export function sourceOf(analysis: Omit<LineAnalysis, "report">, row: LineRow): string | undefined {
  if (row.line === 0 && !analysis.options.compatible) return undefined;
  return analysis.sources.get(row.file)?.lines.get(row.line);
}

const COSTS: readonly Column[] = [
  { id: "cumulated_ns", title: "CUMULATED", kind: "duration" },
  { id: "average_ns", title: "AVERAGE", kind: "duration" },
  { id: "self_ns", title: "SELF", kind: "duration" },
  { id: "count", title: "COUNT", kind: "count" },
  { id: "every_level_ns", title: "EVERY LEVEL", kind: "duration", machineOnly: true },
];

function costCells(cost: LineCost | undefined, recursion: Recursion, perSecond: number) {
  if (cost === undefined) return [0, undefined, 0, 0, 0];
  return [
    nanosOf(cumulatedOf(cost, recursion), perSecond),
    nanosOf(averageOf(cost, recursion), perSecond),
    nanosOf(cost.self, perSecond),
    cost.count,
    nanosOf(cost.everyLevel, perSecond),
  ];
}

function hotTable(analysis: Omit<LineAnalysis, "report">, totals: Costs): Table {
  const { rows, recursion, sources, ticksPerSecond } = analysis;
  return {
    id: "hot-points",
    title: "hot points",
    columns: [
      { id: "file_id", title: "FILE", kind: "number" },
      { id: "path", title: "PATH", kind: "text" },
      { id: "line", title: "LINE", kind: "number" },
      { id: "source", title: "SOURCE", kind: "text" },
      ...COSTS,
    ],
    rows: rows.map((row) => [
      row.file,
      sources.get(row.file)?.path,
      row.line,
      sourceOf(analysis, row),
      ...costCells(row.cost, recursion, ticksPerSecond),
    ]),
    omitted: { count: totals.length - rows.length, one: "more line", many: "more lines" },
    empty: "no line was executed",
  };
}

function fileTable(analysis: Omit<LineAnalysis, "report">): Table {
  const { rows, recursion, ticksPerSecond } = analysis;
  return {
    id: "lines",
    title: "lines",
    columns: [{ id: "line", title: "LINE", kind: "number" }, ...COSTS, { id: "source", title: "SOURCE", kind: "text" }],
    rows: rows.map((row) => [row.line, ...costCells(row.cost, recursion, ticksPerSecond), sourceOf(analysis, row)]),
    empty: "no line was executed",
  };
}

/** Why numbers differ from the older tool's; undefined when they do not. */
export function recursionNote(recursive: number): string | undefined {
  if (recursive === 0) return undefined;
  return (
    `${count(recursive, "line was", "lines were")} open on several levels at once (recursion): that time counts once here, ` +
    "on every level in the older tool (--compatible gives its numbers)"
  );
}
