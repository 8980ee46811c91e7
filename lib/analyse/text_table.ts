// Reports for people: aligned columns that fit the width they are given. Whatever the cells hold, what comes out is safe to
// print, and no line is wider than asked for.
import { count, cutEnd, cutMiddle, displayWidth, padEnd, padStart, printable, thousands, wrap } from "../base/text.ts";
import { formatDuration, NS_PER_S } from "../model/time.ts";
import { paint } from "../render/paint.ts";
import type { Cell, Column, Report, Table } from "./table.ts";

export interface TextOptions {
  /** Columns of the terminal, Infinity when the output is none. */
  readonly width: number;
  readonly color: boolean;
  readonly unicode: boolean;
}

const GAP = 2;
/** Text columns are not cut to less, and to less than `GOOD_TEXT` only when no column is left that yields. */
const LEAST_TEXT = 12;
const GOOD_TEXT = 32;
/** Nobody reads more of one cell, however wide the terminal. */
const MOST_TEXT = 4096;

/** A value as people read it; `-` when it is not known. */
export function cellText(column: Column, value: Cell, unicode: boolean): string {
  if (value === undefined || (typeof value === "number" && !Number.isFinite(value))) return "-";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "string") return printable(value.slice(0, MOST_TEXT), unicode);
  if (column.format !== undefined) return column.format(value);
  switch (column.kind) {
    case "text":
      return String(value);
    case "count":
      return thousands(Math.round(value));
    case "number":
      return value.toFixed(2);
    case "duration":
      return formatDuration(value);
    case "percent":
      return value.toFixed(1) + "%";
    case "time":
      return (value / NS_PER_S).toFixed(6);
    case "bytes":
      return formatBytes(value);
  }
}

/** Three significant digits, powers of 1024: `512B`, `1.50KiB`, `23.4MiB`. */
export function formatBytes(n: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
  let value = n;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  if (unit === 0) return `${Math.round(value)}B`;
  return (value >= 99.95 ? value.toFixed(0) : value >= 9.995 ? value.toFixed(1) : value.toFixed(2)) + units[unit]!;
}

export function writeText(report: Report, options: TextOptions, text: (s: string) => void): void {
  const on = paint(options.color);
  const dots = options.unicode ? "…" : "...";
  for (const line of report.headline) text(on.strong(cutEnd(line, options.width, dots)) + "\n");
  for (const note of report.notes) for (const line of wrap(`! ${note}`, options.width, "  ")) text(on.odd(line) + "\n");
  let first = report.headline.length === 0 && report.notes.length === 0;
  for (const table of report.tables) {
    if (!first) text("\n");
    first = false;
    writeTable(table, options, text);
  }
}

function writeTable(table: Table, options: TextOptions, text: (s: string) => void): void {
  const on = paint(options.color);
  const dots = options.unicode ? "…" : "...";
  const { width } = options;
  if (table.title !== "") text(on.strong(cutEnd(printable(table.title, options.unicode), width, dots)) + "\n");
  for (const line of table.lead ?? []) for (const part of wrap(line, width, "  ")) text(part + "\n");
  if (table.rows.length === 0) {
    if (table.empty !== undefined) text(on.dim(cutEnd(table.empty, width, dots)) + "\n");
  } else {
    const columns = layOut(table, options);
    const line = (cells: readonly string[]) => cutEnd(cells.join(" ".repeat(GAP)).trimEnd(), width, dots) + "\n";
    text(on.dim(line(columns.map((c, i) => align(c, c.column.title, i === columns.length - 1))).trimEnd()) + "\n");
    for (const row of table.rows)
      text(
        line(
          columns.map((c, i) => {
            const whole = cellText(c.column, row[c.at], options.unicode);
            const fits = c.column.shorten === undefined || displayWidth(whole) <= c.width;
            const cell = fits ? whole : (c.column.shorten?.(whole, dots) ?? whole);
            const cut = c.column.cut === "middle" ? cutMiddle(cell, c.width, dots) : cutEnd(cell, c.width, dots);
            return align(c, cut, i === columns.length - 1);
          }),
        ),
      );
  }
  if (table.omitted !== undefined && table.omitted.count > 0) {
    const { one, many } = table.omitted;
    const more = count(table.omitted.count, one, many);
    text(on.dim(cutEnd(`${dots} and ${more}`, width, dots)) + "\n");
  }
}

interface LaidOut {
  readonly column: Column;
  /** Index of the column in the rows. */
  readonly at: number;
  width: number;
}

function align(c: LaidOut, cell: string, last: boolean): string {
  if (c.column.kind !== "text") return padStart(cell, c.width);
  return last ? cell : padEnd(cell, c.width);
}

/** Columns and their widths: those that yield go first, then the widest texts are narrowed. */
function layOut(table: Table, options: TextOptions): LaidOut[] {
  let columns: LaidOut[] = [];
  table.columns.forEach((column, at) => {
    if (column.machineOnly === true) return;
    // A column of which nothing is known says nothing.
    if (table.rows.every((row) => row[at] === undefined)) return;
    let width = displayWidth(column.title);
    for (const row of table.rows) width = Math.max(width, displayWidth(cellText(column, row[at], options.unicode)));
    columns.push({ column, at, width });
  });
  const atLeast = (c: LaidOut, text: number) =>
    c.column.kind === "text" && c.column.cut !== "never" ? Math.min(c.width, text) : c.width;
  const least = (c: LaidOut) => atLeast(c, LEAST_TEXT);
  const sum = (widthOf: (c: LaidOut) => number) =>
    columns.reduce((total, c) => total + widthOf(c), GAP * Math.max(0, columns.length - 1));
  while (sum((c) => atLeast(c, GOOD_TEXT)) > options.width) {
    const most = Math.max(...columns.map((c) => c.column.yields ?? 0));
    if (most === 0) break;
    columns = columns.filter((c) => c.column.yields !== most);
  }
  for (let over = sum((c) => c.width) - options.width; over > 0; over = sum((c) => c.width) - options.width) {
    const widest = columns
      .filter((c) => c.width > least(c))
      .reduce<LaidOut | undefined>((a, c) => (a === undefined || c.width > a.width ? c : a), undefined);
    if (widest === undefined) break;
    widest.width = Math.max(least(widest), widest.width - over);
  }
  return columns;
}
