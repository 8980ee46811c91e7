// The lists that `help fields` and docs/query.md show, from the registry of fields: one source for both.
import type { Cell, Column, Table } from "../analyse/table.ts";
import { FIELDS, FUNCTIONS, TABLE_SUMMARIES, type TableName } from "./fields.ts";
import { STAGES } from "./parser.ts";
import { TYPE_UNITS, TYPE_WORDS } from "./value_type.ts";

const text = (id: string, cut: "end" | "never"): Column => ({ id, title: id.toUpperCase(), kind: "text", cut });

const FIELD_COLUMNS: readonly Column[] = [
  text("field", "never"),
  text("type", "never"),
  text("unit", "end"),
  text("null", "never"),
  text("meaning", "end"),
];

/** The fields of a table with their types and units. */
export function fieldsTable(table: TableName): Table {
  return {
    id: `fields-of-${table}`,
    title: `${table}: ${TABLE_SUMMARIES[table]}`,
    columns: FIELD_COLUMNS,
    rows: FIELDS[table].map((f): Cell[] => [
      f.name,
      TYPE_WORDS[f.type].replace(/^an? /, ""),
      TYPE_UNITS[f.type],
      f.nullable ? "null" : "",
      f.values === undefined ? f.summary : `${f.summary}: ${f.values.join(", ")}`,
    ]),
  };
}

export function functionsTable(): Table {
  return {
    id: "functions",
    title: "functions",
    columns: [text("function", "never"), text("meaning", "end")],
    rows: FUNCTIONS.map((f): Cell[] => [f.usage, f.summary]),
  };
}

export function stagesTable(): Table {
  return {
    id: "stages",
    title: "stages, separated by |",
    columns: [text("stage", "never"), text("meaning", "end")],
    rows: [...STAGES].map(([name, summary]): Cell[] => [name, summary]),
  };
}
