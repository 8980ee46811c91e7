// A parsed query or condition to a plan: stage by stage, each seeing the columns that the one before it left.
import type { Result } from "neverthrow";
import { nearest } from "../base/nearest.ts";
import type { Expression, Item, Query, SortKey, Stage } from "./ast.ts";
import { Checker } from "./checker.ts";
import { catching, mistake, type Operand } from "./operand.ts";
import { FIELDS, isTable, TABLES, type TableName } from "./fields.ts";
import { parseExpression, parseQuery } from "./parser.ts";
import type { QueryError } from "./query_error.ts";
import { type ComputedColumn, type Scope, tableScope } from "./scope.ts";
import type { Aggregate, Condition, Plan, TypedItem, TypedKey, TypedStage } from "./typed.ts";
import type { ValueType } from "./value_type.ts";

export interface CheckOptions {
  /** The table of a query that names none, and of a condition. */
  readonly table: TableName;
}

export function compileQuery(text: string, options: CheckOptions): Result<Plan, QueryError> {
  return parseQuery(text).andThen((query) => checkQuery(query, options));
}

export function compileCondition(text: string, options: CheckOptions): Result<Condition, QueryError> {
  return parseExpression(text).andThen((expression) => checkCondition(expression, text, options));
}

export function checkCondition(
  expression: Expression,
  text: string,
  { table }: CheckOptions,
): Result<Condition, QueryError> {
  return catching(() => ({ text, table, bool: new Checker(tableScope(table)).condition(expression) }));
}

export function checkQuery(query: Query, options: CheckOptions): Result<Plan, QueryError> {
  return catching(() => new Pipeline(query, options).plan());
}

/** The scope in which a stage that follows `stages` stands; the last scope that could be made out, for completion. */
export function scopeAfter(query: Query, options: CheckOptions): Scope {
  const pipeline = new Pipeline(query, options);
  const done = catching(() => pipeline.plan());
  return done.isOk() || pipeline.table !== undefined ? pipeline.scope : tableScope(options.table);
}

class Pipeline {
  scope: Scope;
  table: TableName | undefined;
  private readonly query: Query;

  constructor(query: Query, options: CheckOptions) {
    this.query = query;
    const { table } = query;
    this.table = table === undefined ? options.table : isTable(table.name) ? table.name : undefined;
    this.scope = tableScope(this.table ?? options.table);
  }

  plan(): Plan {
    const { query, table } = this;
    if (table === undefined) {
      const { name } = query.table!;
      const names = [...TABLES];
      return mistake(
        query.table!,
        `there is no table '${name}'`,
        nearest(name, names),
        `the tables are ${names.join(", ")}`,
      );
    }
    const stages: TypedStage[] = [];
    for (const stage of query.stages) stages.push(...this.stage(stage));
    return { text: query.text, table, stages };
  }

  private stage(stage: Stage): TypedStage[] {
    const checker = new Checker(this.scope);
    switch (stage.stage) {
      case "where":
        return [{ stage: "where", condition: checker.condition(stage.condition) }];
      case "sort":
        return [{ stage: "sort", keys: stage.keys.map((key) => typedKey(checker, key)) }];
      case "limit": {
        const limit: TypedStage = { stage: "limit", count: stage.count };
        return stage.by === undefined ? [limit] : [{ stage: "sort", keys: [typedKey(checker, stage.by)] }, limit];
      }
      case "skip":
        return [{ stage: "skip", count: stage.count }];
      case "count":
        this.scope = { of: "columns", columns: [{ name: "count", type: "count" }] };
        return [{ stage: "count" }];
      case "select":
      case "distinct": {
        const items = stage.items.length > 0 ? this.items(stage.items, checker) : this.everything();
        this.leave(items);
        return [{ stage: "select", items, distinct: stage.stage === "distinct" }];
      }
      case "group":
        return [this.group(stage.keys, stage.aggregates, checker)];
    }
  }

  private leave(columns: readonly ComputedColumn[]): void {
    this.scope = { of: "columns", columns: columns.map(({ name, type }) => ({ name, type })) };
  }

  private items(items: readonly Item[], checker: Checker): TypedItem[] {
    const all = items.map((item) => typedItem(this.query.text, item, checker.value(item.expression)));
    this.unique(items, all);
    return all;
  }

  private unique(items: readonly Item[], typed: readonly TypedItem[]): void {
    const seen = new Set<string>();
    typed.forEach(({ name }, i) => {
      if (seen.has(name))
        mistake(items[i]!, `two columns are called '${name}'`, [], "give one another name: other = ...");
      seen.add(name);
    });
  }

  /** What `distinct` alone takes: the columns that are there, of a table the usual ones. */
  private everything(): TypedItem[] {
    const { scope } = this;
    const names =
      scope.of === "columns"
        ? scope.columns.map((c) => c.name)
        : FIELDS[scope.table].filter((f) => f.usual).map((f) => f.name);
    const checker = new Checker(scope);
    return names.map((name) => {
      const place = { at: 0, length: 1 };
      const parts =
        scope.of === "columns" ? [{ name, ...place }] : name.split(".").map((part) => ({ name: part, ...place }));
      return asItem(name, checker.value({ node: "name", parts, ...place }));
    });
  }

  private group(keys: readonly Item[], aggregates: readonly Item[], checker: Checker): TypedStage {
    const typedKeys = this.items(keys, checker);
    const columns: Aggregate[] = [];
    // Every sum(x) becomes a column behind the keys; what is around it is computed of those columns.
    const add = (aggregate: Aggregate): Operand => {
      const index = typedKeys.length + columns.length;
      columns.push(aggregate);
      const { type } = aggregate;
      if (type === "text") return { type, literal: false, value: { kind: "text", text: { ir: "text-column", index } } };
      const number = { ir: "column", index, type } as const;
      if (type === "bool")
        return { type, literal: false, value: { kind: "bool", bool: { ir: "truthy", operand: number } } };
      return { type, literal: false, value: { kind: "number", number } };
    };
    const over = new Checker(this.scope, add);
    const computed: TypedItem[] = aggregates.map((item) => {
      const operand = over.value(item.expression);
      if (!isOfAggregates(item.expression))
        mistake(
          item.expression,
          "this is a value of one row, not of a group of rows",
          [],
          "such as n = count() or total = sum(wall)",
        );
      return typedItem(this.query.text, item, operand);
    });
    if (aggregates.length === 0) computed.push(asItem("n", add({ kind: "count", type: "count", value: undefined })));
    const items = [...typedKeys.map((key, index) => keyColumn(key, index)), ...computed];
    this.unique([...keys, ...(aggregates.length === 0 ? keys.slice(0, 1) : aggregates)], items);
    this.leave(items);
    return { stage: "group", keys: typedKeys, aggregates: columns, items };
  }
}

function keyColumn(key: TypedItem, index: number): TypedItem {
  const { name, type } = key;
  if (type === "text") return { name, type, value: { kind: "text", text: { ir: "text-column", index } } };
  return { name, type, value: { kind: "number", number: { ir: "column", index, type } } };
}

/** Outside of its aggregates the expression names no field. */
function isOfAggregates(e: Expression): boolean {
  switch (e.node) {
    case "name":
      return false;
    case "unary":
      return isOfAggregates(e.operand);
    case "binary":
      return isOfAggregates(e.left) && isOfAggregates(e.right);
    case "match":
    case "is-null":
    case "in":
      return isOfAggregates(e.left);
    case "between":
      return isOfAggregates(e.left) && isOfAggregates(e.low) && isOfAggregates(e.high);
    case "call":
      return e.name.name === "abs" || e.name.name === "lower" || e.name.name === "known"
        ? e.args.every(isOfAggregates)
        : true;
    default:
      return true;
  }
}

function typedKey(checker: Checker, key: SortKey): TypedKey {
  const { type, value } = checker.value(key.expression);
  if (type === "null") return mistake(key, "null has no order");
  return { value, descending: key.descending };
}

function typedItem(text: string, item: Item, operand: Operand): TypedItem {
  const { expression } = item;
  const name = item.name?.name ?? text.slice(expression.at, expression.at + expression.length).replaceAll(/\s+/g, " ");
  if (operand.type === "null") return mistake(expression, "null is no column");
  return asItem(name, operand);
}

function asItem(name: string, operand: Operand): TypedItem {
  return { name, type: operand.type as ValueType, value: operand.value };
}
