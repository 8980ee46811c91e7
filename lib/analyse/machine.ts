// Reports for programs: JSON, NDJSON, CSV. Numbers are exact and in base units; what is not known is null or an empty field.
// Nothing that steers a terminal leaves here unescaped, since these formats are looked at in terminals too.
import { isPrintable, printable } from "../base/text.ts";
import type { Cell, Column, Report, Table } from "./table.ts";

/** JSON text with every character that a terminal would obey written as an escape; parses to the same value. */
function json(value: string): string {
  const text = JSON.stringify(value);
  if (isPrintable(text)) return text;
  let out = "";
  for (const c of text) {
    if (isPrintable(c)) out += c;
    else for (let i = 0; i < c.length; i++) out += "\\u" + c.charCodeAt(i).toString(16).padStart(4, "0");
  }
  return out;
}

function jsonCell(value: Cell): string {
  if (value === undefined) return "null";
  if (typeof value === "string") return json(value);
  if (typeof value === "boolean") return String(value);
  return Number.isFinite(value) ? String(value) : "null";
}

/** One row as an object. */
export function jsonText(keys: readonly string[], cells: readonly Cell[]): string {
  let out = "{";
  for (let i = 0; i < keys.length; i++) out += (i === 0 ? "" : ",") + json(keys[i]!) + ":" + jsonCell(cells[i]);
  return out + "}";
}

const idsOf = (columns: readonly Column[]) => columns.map((c) => c.id);

function summaryObject(report: Report): string {
  return jsonText(
    report.facts.map((f) => f.id),
    report.facts.map((f) => f.value),
  );
}

/** A table's id as a key: `critical_path`. */
const keyOf = (table: Table) => table.id.replaceAll("-", "_");

/** One object: the summary, the notes, and each table as an array of objects. */
export function writeJson(report: Report, text: (s: string) => void): void {
  text(`{\n  "summary": ${summaryObject(report)},\n  "notes": [${report.notes.map(json).join(", ")}]`);
  for (const table of report.tables) {
    const ids = idsOf(table.columns);
    text(`,\n  ${json(keyOf(table))}: [`);
    table.rows.forEach((row, i) => text((i === 0 ? "\n    " : ",\n    ") + jsonText(ids, row)));
    text(table.rows.length > 0 ? "\n  ]" : "]");
  }
  text("\n}\n");
}

/** One object a line, tagged with what it is as in a recording: `{"summary":{...}}`, `{"note":"..."}`, `{"commands":{...}}`. */
export function writeNdjson(report: Report, text: (s: string) => void): void {
  text(`{"summary":${summaryObject(report)}}\n`);
  for (const note of report.notes) text(`{"note":${json(note)}}\n`);
  for (const table of report.tables) {
    const ids = idsOf(table.columns);
    for (const row of table.rows) text(`{${json(keyOf(table))}:${jsonText(ids, row)}}\n`);
  }
}

/** What a spreadsheet would run as a formula. */
const FORMULA = /^[=+\-@\t\r]/;

/**
 * RFC 4180, one table, lines ending in CR LF. A text that a spreadsheet would take for a formula has an apostrophe before it;
 * numbers stand as they are. Exact texts are JSON's to give.
 */
export function writeCsv(table: Table, text: (s: string) => void): void {
  text(csvLine(idsOf(table.columns)));
  for (const row of table.rows) text(csvLine(table.columns.map((_, i) => row[i])));
}

/** One line with its end. */
export function csvLine(cells: readonly Cell[]): string {
  return cells.map(csvCell).join(",") + "\r\n";
}

function csvCell(value: Cell): string {
  if (value === undefined) return "";
  if (typeof value === "string") return csvText(value);
  if (typeof value === "boolean") return String(value);
  return Number.isFinite(value) ? String(value) : "";
}

function csvText(value: string): string {
  const safe = printable(FORMULA.test(value) ? "'" + value : value);
  return /[",]|^\s|\s$/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
