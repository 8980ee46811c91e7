// What a query gives: columns, typed and with names; no object per row. Values are made when they are asked for, a page of rows at a time,
// so that the first fifty of a million rows cost fifty. `toTable` makes a page into a table of lib/analyse, whose writers make text,
// JSON, NDJSON and CSV of it.
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

export interface ColumnHead {
  /** As it was written: `wall`, `n`. */
  readonly name: string;
  readonly type: ValueType;
}

export interface ResultColumn extends ColumnHead {
  /** By row: NaN is not known; of texts and handles the number, of conditions 0 or 1. */
  readonly values: Float64Array;
  /** Of texts. */
  readonly pool?: TextPool;
}

export interface QueryResult {
  /** What the rows are: a table's name, or `result` when they were computed. */
  readonly of: TableName | "result";
  readonly length: number;
  readonly heads: readonly ColumnHead[];
  /** By row of the result: its row in the table it is `of`; undefined when rows were computed. */
  readonly rows: Int32Array | undefined;
  /** The one number, when the query was a count. */
  readonly count?: number;
  /** The values of the rows `[from, to)`; row 0 of a page is row `from`. */
  page(from: number, to: number): readonly ResultColumn[];
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

/** How the writers are told about a column. */
export function columnOf({ name, type }: ColumnHead): Column {
  const kind = COLUMN_KINDS[type];
  const base: Column = { id: withUnit(name, type), title: name.toUpperCase(), kind };
  if (type === "id") return { ...base, format: plain };
  if (type !== "text") return kind === "text" ? { ...base, cut: "never" } : base;
  return { ...base, cut: name.endsWith("argv") ? "end" : "middle" };
}

/** Rows `[from, to)` as a table. */
export function toTable(result: QueryResult, from = 0, to = result.length): Table {
  const end = Math.min(to, result.length);
  const columns = result.page(from, end);
  const rows: Cell[][] = [];
  for (let row = 0; row < end - from; row++) rows.push(columns.map((c) => cellAt(c, row)));
  const left = result.length - (end - from);
  return {
    id: result.of,
    title: "",
    columns: result.heads.map(columnOf),
    rows,
    omitted: left > 0 ? { count: left, one: "more row", many: "more rows" } : undefined,
    empty: "no rows",
  };
}
