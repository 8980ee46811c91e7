// What a command says: for people as text that fits the terminal, for programs as JSON, NDJSON or CSV with every row, and events as the
// recording's own lines, so that what was filtered is a recording again. Written piece by piece: between two pieces the loop looks for Ctrl-C.
import { cutEnd, displayWidth, padEnd, printable } from "../base/text.ts";
import { csvLine, jsonText } from "../analyse/machine.ts";
import type { Report, Table } from "../analyse/table.ts";
import { writeText } from "../analyse/text_table.ts";
import { paint, type Paint } from "../render/paint.ts";
import { type QueryResult, toTable } from "../query/result.ts";
import type { Format } from "./line.ts";

export interface View {
  /** Infinity where the output is no terminal. */
  readonly width: number;
  readonly color: boolean;
  readonly unicode: boolean;
  readonly paint: Paint;
}

export function makeView(width: number, color: boolean, unicode: boolean): View {
  return { width, color, unicode, paint: paint(color) };
}

export interface Output {
  /** For people: pieces of text, each ending a line. */
  text(view: View): Iterable<string>;
  /** For programs; one table or several with their facts. */
  readonly report: () => Report;
  /** A query's rows, too many for a report. */
  readonly result?: QueryResult;
  /** Rows of events: NDJSON is their lines. */
  readonly events?: Int32Array;
}

const EMPTY_REPORT: Report = { headline: [], facts: [], notes: [], tables: [] };

/** Rows of a table that people are shown; programs get all. */
export const MOST_SHOWN = 10_000;
const ROWS_AT_ONCE = 4096;

/** Whole lines of text; `id` is what they are called in the formats for programs. */
export function lines(id: string, all: readonly string[], styled?: (view: View) => readonly string[]): Output {
  return {
    *text(view) {
      for (const line of styled?.(view) ?? all) yield line + "\n";
    },
    report: () => ({
      ...EMPTY_REPORT,
      tables: [{ id, title: "", columns: [{ id: "text", title: "TEXT", kind: "text" }], rows: all.map((l) => [l]) }],
    }),
  };
}

export function tables(report: Partial<Report>): Output {
  const whole: Report = { ...EMPTY_REPORT, ...report };
  return {
    *text(view) {
      const parts: string[] = [];
      writeText(whole, view, (s) => parts.push(s));
      yield* parts;
    },
    report: () => whole,
  };
}

/** Names and what they are, without a heading; `lead` stands before them. */
export function pairsOutput(id: string, lead: readonly string[], rows: readonly (readonly [string, string])[]): Output {
  const columns = [
    { id: "name", title: "NAME", kind: "text" },
    { id: "what", title: "WHAT", kind: "text" },
  ] as const;
  return {
    *text(view) {
      for (const line of lead) yield cutEnd(line, view.width, view.unicode ? "…" : "...") + "\n";
      const safe = rows.map(([name, what]) => [printable(name, view.unicode), printable(what, view.unicode)] as const);
      const width = Math.min(Math.max(0, ...safe.map(([name]) => displayWidth(name))), Math.floor(view.width / 2), 40);
      for (const [name, what] of safe)
        yield cutEnd(`  ${padEnd(name, width)}  ${what}`.trimEnd(), view.width, view.unicode ? "…" : "...") + "\n";
    },
    report: () => ({ ...EMPTY_REPORT, tables: [{ id, title: "", columns, rows }] }),
  };
}

/** The answer to a query. `events`: its rows as lines of the recording. */
export function answer(result: QueryResult, events?: Int32Array): Output {
  const output: Output = {
    *text(view) {
      if (result.count !== undefined) {
        yield `${result.count}\n`;
        return;
      }
      const parts: string[] = [];
      writeText({ ...EMPTY_REPORT, tables: [toTable(result, 0, MOST_SHOWN)] }, view, (s) => parts.push(s));
      yield* parts;
    },
    report: () => ({ ...EMPTY_REPORT, tables: [toTable(result)] }),
    result,
  };
  return events === undefined ? output : { ...output, events };
}

/** The output in a format for programs. `linesOf` gives the recording's lines of event rows. */
export function* machine(
  output: Output,
  format: Exclude<Format, "table">,
  linesOf: (rows: Int32Array) => Iterable<Uint8Array>,
): Iterable<string | Uint8Array> {
  if (format === "ndjson" && output.events !== undefined) {
    yield* linesOf(output.events);
    return;
  }
  if (output.result !== undefined) {
    yield* rowsOf(output.result, format);
    return;
  }
  const report = output.report();
  const [only] = report.tables;
  if (format === "json" && report.tables.length === 1 && report.facts.length === 0) yield* jsonArray(only!);
  else if (format === "json") yield* jsonReport(report);
  else if (format === "csv") {
    if (only !== undefined) yield* csv(only);
  } else for (const table of report.tables) for (const line of objects(table)) yield line + "\n";
}

function* rowsOf(result: QueryResult, format: "json" | "ndjson" | "csv"): Iterable<string> {
  if (format === "json") yield "[";
  for (let from = 0; from === 0 || from < result.length; from += ROWS_AT_ONCE) {
    const table = toTable(result, from, from + ROWS_AT_ONCE);
    if (format === "csv") yield [...csv(table)].slice(from === 0 ? 0 : 1).join("");
    else if (format === "ndjson") yield [...objects(table)].map((o) => o + "\n").join("");
    else yield [...objects(table)].map((o, i) => (from + i === 0 ? "\n " : ",\n ") + o).join("");
  }
  if (format === "json") yield result.length === 0 ? "]\n" : "\n]\n";
}

function* objects(table: Table): Iterable<string> {
  const keys = table.columns.map((c) => c.id);
  for (const row of table.rows) yield jsonText(keys, row);
}

function* jsonArray(table: Table): Iterable<string> {
  let first = true;
  yield "[";
  for (const object of objects(table)) {
    yield (first ? "\n " : ",\n ") + object;
    first = false;
  }
  yield first ? "]\n" : "\n]\n";
}

function* jsonReport(report: Report): Iterable<string> {
  yield "{";
  let first = true;
  const key = (name: string) => {
    const start = (first ? "\n " : ",\n ") + JSON.stringify(name) + ": ";
    first = false;
    return start;
  };
  for (const fact of report.facts) yield key(fact.id) + jsonText(["v"], [fact.value]).slice(5, -1);
  for (const table of report.tables) {
    yield key(table.id.replaceAll("-", "_")) + "[" + [...objects(table)].join(",\n  ") + "]";
  }
  yield "\n}\n";
}

function* csv(table: Table): Iterable<string> {
  yield csvLine(table.columns.map((c) => c.id));
  for (const row of table.rows) yield csvLine(row);
}
