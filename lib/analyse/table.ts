// What an analysis hands out: tables of typed columns, and the few facts and sentences around them. The writers beside
// this file turn it into text, JSON, NDJSON or CSV; nothing here knows where the numbers come from.

/**
 * What a number is. In memory and in every machine format durations and times are whole nanoseconds, bytes are bytes,
 * percents run from 0 to 100; a time is nanoseconds since the recording began.
 */
export type ColumnKind = "text" | "count" | "number" | "duration" | "bytes" | "percent" | "time";

export interface Column {
  /** Key in JSON and CSV: snake_case with the unit, such as `total_ns`. */
  readonly id: string;
  /** Over the column, for people; `TOTAL`. */
  readonly title: string;
  readonly kind: ColumnKind;
  /** Text for people in place of the kind's own, for views that must keep another tool's digits. */
  readonly format?: (value: number) => string;
  /** Of text: where it is cut when the table is too wide; `end` if omitted. Text that says `never` keeps its width. */
  readonly cut?: "end" | "middle" | "never";
  /** A shorter text for people, tried before a text is cut. */
  readonly shorten?: (text: string, mark: string) => string;
  /** Left out of the text view where there is no room: the highest number first. 0 and absent: never. */
  readonly yields?: number;
  /** In machine formats only. */
  readonly machineOnly?: boolean;
}

/** Undefined is "not known", which is never 0 and never an empty text. */
export type Cell = string | number | boolean | undefined;

export interface Table {
  /** Kebab-case: what `--section` calls it. */
  readonly id: string;
  /** A line over the table, for people. */
  readonly title: string;
  readonly columns: readonly Column[];
  /** One cell a column. */
  readonly rows: readonly (readonly Cell[])[];
  /** Sentences or drawings between title and columns, for people. */
  readonly lead?: readonly string[];
  /** Rows that were left out, and what they are called: `12 more commands`. */
  readonly omitted?: { readonly count: number; readonly one: string; readonly many: string } | undefined;
  /** What stands in place of the columns when there is no row, for people. */
  readonly empty?: string;
}

/** One value about the whole, such as `wall_ns`. */
export interface Fact {
  readonly id: string;
  readonly value: Cell;
}

export interface Report {
  /** Above everything, for people. */
  readonly headline: readonly string[];
  /** The headline as values, for programs. */
  readonly facts: readonly Fact[];
  /** What the reader must know before believing the rest. */
  readonly notes: readonly string[];
  readonly tables: readonly Table[];
}
