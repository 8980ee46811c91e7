// Hot points and annotated files as trackexec's own analyser prints them: the same columns in the same order, the same digits, the same
// alignment. Differs where text of strangers would steer the terminal: that is made visible here. Pure.
import { displayWidth, printable } from "../base/text.ts";
import { averageOf, cumulatedOf } from "../lines/hot_points.ts";
import type { LineCost } from "../lines/line_totals.ts";
import { shortLine, shortPlace, threeDecimals } from "../lines/source_text.ts";
import { type LineAnalysis, type LineRow, sourceOf } from "./line_report.ts";

export interface LineTextOptions {
  readonly color: boolean;
  readonly unicode: boolean;
}

interface TextColumn {
  readonly title: string;
  readonly right: boolean;
  readonly cell: (row: LineRow) => string;
}

export function writeLineText(analysis: LineAnalysis, screen: LineTextOptions, text: (s: string) => void): void {
  const { options } = analysis;
  const table = () => writeColumns(columnsOf(analysis, screen), analysis.rows, options.compatible, text);
  if (options.fileId !== undefined) {
    table();
    return text("\n");
  }
  const [on, off] = screen.color ? ["\x1b[1m", "\x1b[0m"] : ["", ""];
  text(`\n${on}Hottest source points regarding execution time (estimated):\n${off}\n`);
  table();
  text("\n\n\n");
}

function columnsOf(analysis: LineAnalysis, screen: LineTextOptions): TextColumn[] {
  const { options, recursion, sources } = analysis;
  const safe = (text: string) => safeText(text, options.compatible, screen.unicode);
  /** A line that only ever stood on the stack has no numbers in a listing, whatever its time. */
  const cost = (f: (cost: LineCost) => string) => (row: LineRow) =>
    row.cost === undefined || (options.fileId !== undefined && row.cost.count === 0) ? "" : f(row.cost);
  const seconds = (ticks: (cost: LineCost) => number) =>
    cost((c) => threeDecimals(ticks(c) / analysis.ticksPerSecond) + "s");
  const source = (row: LineRow) => sourceOf(analysis, row) ?? "";
  const place = (row: LineRow) => {
    const path = sources.get(row.file)?.path;
    return path === undefined ? `file ${row.file}:${row.line}` : shortPlace(path, row.line);
  };
  const costs: TextColumn[] = [
    { title: "Cumulated runtime", right: true, cell: seconds((c) => cumulatedOf(c, recursion)) },
    { title: "Average runtime", right: true, cell: seconds((c) => averageOf(c, recursion)) },
    ...(options.withSelf ? [{ title: "Self runtime", right: true, cell: seconds((c) => c.self) }] : []),
    { title: "Code path frequency", right: true, cell: cost((c) => `seen ${c.count} times`) },
  ];
  if (options.fileId !== undefined)
    return [
      { title: "", right: true, cell: (row) => String(row.line) },
      ...costs,
      { title: "Source code", right: false, cell: (row) => safe(source(row)) },
    ];
  return [
    { title: "File ID", right: false, cell: (row) => String(row.file) },
    { title: "Source code location", right: false, cell: (row) => safe(place(row)) },
    { title: "Source code", right: false, cell: (row) => safe(shortLine(source(row))) },
    ...costs,
  ];
}

/** No text of a source or a path steers a terminal. Tabs become blanks, but stay where the older tool's bytes are asked for. */
function safeText(text: string, compatible: boolean, unicode: boolean): string {
  const parts = text.split("\t").map((part) => printable(part, unicode));
  if (compatible) return parts.join("\t");
  let line = parts[0]!;
  for (const part of parts.slice(1)) line += " ".repeat(8 - (displayWidth(line) % 8)) + part;
  return line;
}

function writeColumns(
  columns: readonly TextColumn[],
  rows: readonly LineRow[],
  compatible: boolean,
  text: (s: string) => void,
): void {
  // The older tool counts code points; columns that line up on a terminal count what it shows.
  const widthOf = (cell: string) => (compatible ? Array.from(cell).length : displayWidth(cell));
  const widths = columns.map((c) => widthOf(c.title));
  for (const row of rows)
    columns.forEach((c, i) => {
      widths[i] = Math.max(widths[i]!, widthOf(c.cell(row)));
    });
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => {
        const blanks = " ".repeat(widths[i]! - widthOf(cell));
        return columns[i]!.right ? blanks + cell : cell + blanks;
      })
      .join("  ");
  text(line(columns.map((c) => c.title)) + "\n" + line(widths.map((n) => "-".repeat(n))));
  for (const row of rows) text("\n" + line(columns.map((c) => c.cell(row))));
}
