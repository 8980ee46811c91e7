// What a query gives: columns, typed and with names; no object per row. `toTable` makes the rows that are to be shown into a table of
// lib/analyse, whose writers make text, JSON, NDJSON and CSV of it.
import type { Cell, Column, Table } from "../analyse/table.ts";
import { signalName } from "../model/status.ts";
import type { TableName } from "./fields.ts";
import { COLUMN_KINDS, errnoName, type ValueType, withUnit } from "./value_type.ts";

/** Distinct texts by number. */
export interface TextPool {
  readonly length: number;
  text(key: number): string;
  /** The text in UTF-8; valid until the pool is asked again. */
  bytes(key: number): Uint8Array;
}

export interface ResultColumn {
  /** As it was written: `wall`, `n`. */
  readonly name: string;
  readonly type: ValueType;
  /** By row: NaN is not known; of texts and handles the number, of conditions 0 or 1. */
  readonly values: Float64Array;
  /** Of texts. */
  readonly pool?: TextPool;
}

export interface QueryResult {
  /** What the rows are: a table's name, or `result` when they were computed. */
  readonly of: TableName | "result";
  readonly length: number;
  readonly columns: readonly ResultColumn[];
  /** By row of the result: its row in the table it is `of`; undefined when rows were computed. */
  readonly rows: Int32Array | undefined;
  /** The one number, when the query was a count. */
  readonly count?: number;
}

/** A value as an object: what lib/analyse prints. */
export function cellAt(column: ResultColumn, row: number): Cell {
  const value = column.values[row]!;
  if (Number.isNaN(value)) return undefined;
  switch (column.type) {
    case "bool":
      return value !== 0;
    case "text":
      return column.pool!.text(value);
    case "errno":
      return errnoName(value);
    case "signal":
      return signalName(value);
    case "proc":
      return `p${value}`;
    case "event":
      return `e${value}`;
    default:
      return value;
  }
}

const plain = (value: number) => String(value);

export function columnOf(column: ResultColumn): Column {
  const kind = COLUMN_KINDS[column.type];
  const base: Column = { id: withUnit(column.name, column.type), title: column.name.toUpperCase(), kind };
  if (column.type === "id") return { ...base, format: plain };
  if (column.type !== "text") return kind === "text" ? { ...base, cut: "never" } : base;
  return { ...base, cut: column.name === "argv" || column.name.endsWith(".argv") ? "end" : "middle" };
}

/** Rows `[from, to)` as a table. */
export function toTable(result: QueryResult, from = 0, to = result.length): Table {
  const end = Math.min(to, result.length);
  const rows: Cell[][] = [];
  for (let row = from; row < end; row++) rows.push(result.columns.map((c) => cellAt(c, row)));
  const left = result.length - (end - from);
  return {
    id: result.of,
    title: "",
    columns: result.columns.map(columnOf),
    rows,
    omitted: left > 0 ? { count: left, one: "more row", many: "more rows" } : undefined,
    empty: "no rows",
  };
}
