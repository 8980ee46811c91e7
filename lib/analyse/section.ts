// The contract of a section: one table of the report, with the columns that it may be sorted by. A new section is one file
// in sections/ and one line in registry.ts.
import type { Entry } from "../base/registry.ts";
import type { Analysis } from "./analysis.ts";
import type { Cell, Column, Table } from "./table.ts";

export interface SectionOptions {
  /** At most this many rows. */
  readonly limit: number;
  /** The column to sort by; the section's own order when undefined. */
  readonly sort: Column | undefined;
}

export interface Section extends Entry {
  /** The section that it is shown together with. */
  readonly group?: string;
  /** Part of the report that is shown when no section is asked for. */
  readonly brief: boolean;
  /** It says something only of recordings with executed lines: left out of other reports unless asked for. */
  readonly needsLines?: boolean;
  /** Shown to people only when asked for by its own name: its group has a drawing of it. */
  readonly machineOnly?: boolean;
  readonly columns: readonly Column[];
  table(analysis: Analysis, options: SectionOptions): Table;
}

/** A column by its id, or by its id without the unit: `total` for `total_ns`. */
export function columnNamed(columns: readonly Column[], name: string): Column | undefined {
  const id = name.toLowerCase().replaceAll("-", "_");
  return columns.find((c) => c.id === id) ?? columns.find((c) => plainName(c) === id);
}

/** What people type for a column. */
export function plainName(column: Column): string {
  return column.id.replace(/_(ns|bytes|percent)$/, "");
}

/**
 * The first `limit` of the items in the order of one column: numbers from the largest, moments from the earliest, texts from a to z;
 * unknown ones last, and ties as they came.
 */
export function ordered<T>(
  items: readonly T[],
  column: Column,
  value: (item: T) => Cell,
  limit: number,
): { readonly shown: readonly T[]; readonly omitted: number } {
  const rising = column.kind === "text" || column.kind === "time";
  const among = column.kind === "text" ? items : foremost(items, value, limit, rising ? -1 : 1);
  const keyed = among.map((item, at) => ({ item, at, key: value(item) }));
  keyed.sort((a, b) => compare(a.key, b.key, rising) || a.at - b.at);
  const shown = keyed.slice(0, limit).map((k) => k.item);
  return { shown, omitted: items.length - shown.length };
}

/** The `limit` items with the largest numbers (times `sign`), as they came: of millions only these become objects. */
function foremost<T>(items: readonly T[], value: (item: T) => Cell, limit: number, sign: number): readonly T[] {
  if (limit >= items.length || limit <= 0) return items;
  const keys = new Float64Array(items.length);
  for (let i = 0; i < items.length; i++) {
    const key = value(items[i]!);
    keys[i] = typeof key === "number" && !Number.isNaN(key) ? sign * key : -Infinity;
  }
  const least = keys.toSorted()[items.length - limit]!;
  let larger = 0;
  for (let i = 0; i < keys.length; i++) if (keys[i]! > least) larger++;
  let equal = limit - larger;
  return items.filter((_, i) => keys[i]! > least || (keys[i] === least && equal-- > 0));
}

function compare(a: Cell, b: Cell, rising: boolean): number {
  const known = (x: Cell) => x !== undefined && !Number.isNaN(x);
  if (!known(a) || !known(b)) return (known(b) ? 1 : 0) - (known(a) ? 1 : 0);
  const order = typeof a === "string" && typeof b === "string" ? (a < b ? -1 : a > b ? 1 : 0) : Number(a) - Number(b);
  return rising ? order : -order;
}

/** A table of one row an item, sorted and cut as asked for. */
export function tableOf<T>(
  about: Pick<Table, "id" | "title"> & Partial<Pick<Table, "lead" | "empty">>,
  columns: readonly Column[],
  items: readonly T[],
  cells: Readonly<Record<string, (item: T) => Cell>>,
  options: SectionOptions,
  own: string,
  rows: readonly [one: string, many: string],
): Table {
  const by = options.sort ?? columns.find((c) => c.id === own)!;
  const { shown, omitted } = ordered(items, by, cells[by.id]!, options.limit);
  return {
    ...about,
    columns,
    rows: shown.map((item) => columns.map((c) => cells[c.id]!(item))),
    omitted: omitted > 0 ? { count: omitted, one: `more ${rows[0]}`, many: `more ${rows[1]}` } : undefined,
  };
}
