// A plan over a recording: stage by stage, each leaving rows of a table or columns that it computed. Generators pause every few
// milliseconds, so that whoever drives one may stop it, show progress or let keys be heard.
import { boolScan, type Ground } from "./compile.ts";
import { Checker } from "./checker.ts";
import { FIELDS, type TableName } from "./fields.ts";
import { aggregated, groupBy, oneGroup } from "./group.ts";
import { orderOf } from "./order.ts";
import { asColumn, BLOCKS_A_TURN, columnsOf, inBlocks, type Values, valuesOf } from "./project.ts";
import type { ColumnHead, QueryResult, ResultColumn } from "./result.ts";
import { BLOCK, fillPlaces } from "./scan.ts";
import { tableScope } from "./scope.ts";
import type { BoolNode, Condition, Plan, TypedItem, TypedStage } from "./typed.ts";
import type { ValueType } from "./value_type.ts";
import type { World } from "./world.ts";

/** What a stage leaves: rows of the ground, in their order. */
interface Relation {
  readonly ground: Ground;
  readonly of: TableName | "result";
  readonly rows: Int32Array;
  readonly count?: number;
}

/** Rows of the plan's table to look at: places in rising order, or a byte a row. */
export type Within = Int32Array | Uint8Array;

export function* runQuery(plan: Plan, world: World, within?: Within): Generator<void, QueryResult> {
  const length = world.lengthOf(plan.table);
  yield;
  let relation: Relation = {
    ground: { world, columns: undefined },
    of: plan.table,
    rows: within instanceof Int32Array ? within : within === undefined ? allRows(length) : rowsOf(within),
  };
  for (let i = 0; i < plan.stages.length; i++) {
    const next = plan.stages[i + 1];
    relation = yield* step(relation, plan.stages[i]!, next?.stage === "limit" ? next.count : Infinity);
    yield;
  }
  return resultOf(relation);
}

export function runNow(plan: Plan, world: World, within?: Within): QueryResult {
  return finish(runQuery(plan, world, within));
}

/** Drives a generator to its end. */
export function finish<T>(steps: Generator<void, T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

function allRows(length: number): Int32Array {
  const rows = new Int32Array(length);
  fillPlaces(rows, 0, length);
  return rows;
}

/** The rows whose byte is not 0. */
export function rowsOf(mask: Uint8Array): Int32Array {
  let n = 0;
  for (let row = 0; row < mask.length; row++) if (mask[row] !== 0) n++;
  const rows = new Int32Array(n);
  n = 0;
  for (let row = 0; row < mask.length; row++) if (mask[row] !== 0) rows[n++] = row;
  return rows;
}

function* step(relation: Relation, stage: TypedStage, most: number): Generator<void, Relation> {
  const { ground, rows } = relation;
  switch (stage.stage) {
    case "where":
      return { ...relation, rows: yield* kept(ground, stage.condition, rows) };
    case "sort": {
      const keys: { values: Values; descending: boolean }[] = [];
      for (const { value, descending } of stage.keys)
        keys.push({ values: yield* valuesOf(ground, value, rows), descending });
      return { ...relation, rows: orderOf(keys, rows.length, most).map((i) => rows[i]!) };
    }
    case "limit":
      return { ...relation, rows: rows.subarray(0, stage.count) };
    case "skip":
      return { ...relation, rows: rows.subarray(Math.min(stage.count, rows.length)) };
    case "count": {
      const column: ResultColumn = { name: "count", type: "count", values: Float64Array.of(rows.length) };
      return { ...computed(ground.world, [column], 1), count: rows.length };
    }
    case "select": {
      const columns = yield* columnsOf(ground, stage.items, rows);
      if (!stage.distinct) return computed(ground.world, columns, rows.length);
      const { first } = groupBy(columns.map(asValues), rows.length);
      return { ...computed(ground.world, columns, rows.length), rows: first };
    }
    case "group": {
      const keys = yield* columnsOf(ground, stage.keys, rows);
      const grouping = keys.length === 0 ? oneGroup(rows.length) : groupBy(keys.map(asValues), rows.length);
      const columns = keys.map((key): ResultColumn => ({
        ...key,
        values: Float64Array.from(grouping.first, (row) => key.values[row]!),
      }));
      for (const aggregate of stage.aggregates) {
        const { value, type } = aggregate;
        const values = value === undefined ? undefined : yield* valuesOf(ground, value, rows);
        const column = {
          values: aggregated(aggregate, values, grouping),
          pool: type === "text" ? values?.pool : undefined,
        };
        columns.push(asColumn("", type, column));
        yield;
      }
      const grouped: Ground = { world: ground.world, columns };
      const items = yield* columnsOf(grouped, stage.items, allRows(grouping.count));
      return computed(ground.world, items, grouping.count);
    }
  }
}

const asValues = ({ values, pool }: ResultColumn): Values => ({ values, pool });

function computed(world: World, columns: readonly ResultColumn[], length: number): Relation {
  return { ground: { world, columns }, of: "result", rows: allRows(length) };
}

function* kept(ground: Ground, condition: BoolNode, rows: Int32Array): Generator<void, Int32Array> {
  const scan = boolScan(ground, condition);
  const out = new Int32Array(rows.length);
  let n = 0;
  yield* inBlocks(rows, (f, length) => {
    const holds = scan(f, length);
    for (let i = 0; i < length; i++) {
      out[n] = f.row[i]!;
      n += holds[i]!;
    }
  });
  return n < out.length / 2 ? out.slice(0, n) : out.subarray(0, n);
}

/** By row of the condition's table: 1 where it is true. */
export function* maskOf(condition: Condition, world: World): Generator<void, Uint8Array> {
  const length = world.lengthOf(condition.table);
  const mask = new Uint8Array(length);
  const scan = boolScan({ world, columns: undefined }, condition.bool);
  const row = new Int32Array(BLOCK);
  const inner = new Int32Array(BLOCK);
  for (let at = 0, blocks = 1; at < length; at += BLOCK, blocks++) {
    const n = Math.min(BLOCK, length - at);
    fillPlaces(row, at, n);
    mask.set(scan({ row, inner }, n).subarray(0, n), at);
    if (blocks % BLOCKS_A_TURN === 0) yield;
  }
  return mask;
}

/** Whether the condition holds of one row: for breakpoints, which ask as they go. */
export function rowTest(condition: Condition, world: World): (row: number) => boolean {
  const scan = boolScan({ world, columns: undefined }, condition.bool);
  const row = new Int32Array(BLOCK);
  const inner = new Int32Array(BLOCK);
  const length = world.lengthOf(condition.table);
  return (at) => {
    if (at < 0 || at >= length) return false;
    row[0] = at;
    return scan({ row, inner }, 1)[0] === 1;
  };
}

function usualItems(table: TableName): TypedItem[] {
  const checker = new Checker(tableScope(table));
  return FIELDS[table]
    .filter((f) => f.usual === true)
    .map((f): TypedItem => {
      const place = { at: 0, length: 1 };
      const { value, type } = checker.value({ node: "name", parts: [{ name: f.name, ...place }], ...place });
      return { name: f.name, type: type as ValueType, value };
    });
}

function resultOf({ ground, of, rows, count }: Relation): QueryResult {
  const shared = { of, length: rows.length, ...(count === undefined ? {} : { count }) };
  if (of !== "result") {
    const items = usualItems(of);
    const page = (from: number, to: number) => finish(columnsOf(ground, items, rows.subarray(from, to)));
    return { ...shared, heads: items.map(headOf), rows, page };
  }
  const columns = ground.columns ?? [];
  const page = (from: number, to: number) => {
    const chosen = rows.subarray(from, to);
    return columns.map((c) => ({ ...c, values: Float64Array.from(chosen, (row) => c.values[row]!) }));
  };
  return { ...shared, heads: columns.map(headOf), rows: undefined, page };
}

const headOf = ({ name, type }: ColumnHead): ColumnHead => ({ name, type });
