// Values of chosen rows: an item of a query as a column. Texts of few rows are read one by one, since putting all texts of a recording
// into a pool would cost more than what is shown.
import { type Ground, numberScan, boolScan, rowScan, textScan } from "./compile.ts";
import type { ResultColumn, TextPool } from "./result.ts";
import { BLOCK, type Frames } from "./scan.ts";
import { StringPool } from "./text_pool.ts";
import type { FieldRef, TypedItem, TypedValue } from "./typed.ts";
import type { ValueType } from "./value_type.ts";

/** Nothing stands beside a row outside of any() and the like. */
const NO_INNER = new Int32Array(BLOCK);

/** Calls `each` with the rows, a block at a time. */
export function* inBlocks(rows: Int32Array, each: (f: Frames, n: number, at: number) => void): Generator<void> {
  for (let at = 0, blocks = 0; at < rows.length; at += BLOCK) {
    const row = rows.subarray(at, at + BLOCK);
    each({ row, inner: NO_INNER }, row.length, at);
    if (++blocks % BLOCKS_A_TURN === 0) yield;
  }
}

/** Blocks between two moments at which a query may be given up. */
export const BLOCKS_A_TURN = 64;

export interface Values {
  readonly values: Float64Array;
  readonly pool: TextPool | undefined;
}

export function* valuesOf(ground: Ground, value: TypedValue, rows: Int32Array): Generator<void, Values> {
  const values = new Float64Array(rows.length);
  if (value.kind === "text") {
    const few = value.text.ir === "text-field" ? fewTexts(ground, value.text.field, rows) : undefined;
    if (few !== undefined) return few;
    const { keys, pool } = textScan(ground, value.text);
    yield* inBlocks(rows, (f, n, at) => {
      const block = keys(f, n);
      for (let i = 0; i < n; i++) values[at + i] = block[i]! < 0 ? NaN : block[i]!;
    });
    return { values, pool };
  }
  const scan = value.kind === "number" ? numberScan(ground, value.number) : boolScan(ground, value.bool);
  yield* inBlocks(rows, (f, n, at) => values.set(scan(f, n).subarray(0, n), at));
  return { values, pool: undefined };
}

/** More than one row in this many: then all texts are put into a pool. */
const FEW = 20;

function fewTexts(ground: Ground, field: FieldRef, rows: Int32Array): Values | undefined {
  const { world } = ground;
  const read = world.textReader(field.table, field.name);
  if (read === undefined || rows.length > 1000 + world.lengthOf(field.table) / FEW) return undefined;
  const scan = rowScan(ground, field.path);
  const pool = new StringPool();
  const values = new Float64Array(rows.length);
  for (let at = 0; at < rows.length; at += BLOCK) {
    const block = rows.subarray(at, at + BLOCK);
    const from = scan({ row: block, inner: NO_INNER }, block.length);
    for (let i = 0; i < block.length; i++) {
      const text = from[i]! < 0 ? undefined : read(from[i]!);
      values[at + i] = text === undefined ? NaN : pool.key(text);
    }
  }
  return { values, pool };
}

export function asColumn(name: string, type: ValueType, { values, pool }: Values): ResultColumn {
  return pool === undefined ? { name, type, values } : { name, type, values, pool };
}

export function* columnsOf(
  ground: Ground,
  items: readonly TypedItem[],
  rows: Int32Array,
): Generator<void, ResultColumn[]> {
  const columns: ResultColumn[] = [];
  for (const { name, type, value } of items) columns.push(asColumn(name, type, yield* valuesOf(ground, value, rows)));
  return columns;
}
