// A query that has been checked: every name is a column, every comparison has one type, every pattern is an automaton. `checker.ts`
// makes it, `compile.ts` makes scans of it, and the naive evaluator of the tests walks it row by row.
import type { TableName } from "./fields.ts";
import type { Regex } from "./regex.ts";
import type { ValueType } from "./value_type.ts";

/** A step from a row to another: the column of a table that holds the number of a process life. */
export interface Step {
  readonly table: TableName;
  readonly column: string;
}

/**
 * The row that a field is read of. `frame` 0 is the row that is asked about, 1 the child or image inside any(), all() and the
 * like, -1 the row `at` itself, whoever asks.
 */
export interface RowPath {
  readonly frame: 0 | 1 | -1;
  readonly at: number;
  readonly steps: readonly Step[];
}

export interface FieldRef {
  readonly path: RowPath;
  readonly table: TableName;
  readonly name: string;
}

export type CompareOperator = "==" | "!=" | "<" | "<=" | ">" | ">=";
export type Quantifier = "any" | "all" | "count" | "sum" | "min" | "max" | "avg";

export type NumberNode = { readonly type: ValueType } & (
  | { readonly ir: "constant"; readonly value: number }
  | { readonly ir: "field"; readonly field: FieldRef }
  /** Of rows that were computed: the column at this place. */
  | { readonly ir: "column"; readonly index: number }
  | {
      readonly ir: "arithmetic";
      readonly op: "+" | "-" | "*" | "/" | "%";
      readonly left: NumberNode;
      readonly right: NumberNode;
    }
  | { readonly ir: "negative" | "abs"; readonly operand: NumberNode }
  | { readonly ir: "condition"; readonly operand: BoolNode }
  /** Over the children or images of row 0's process; `value` is undefined for counts and conditions. */
  | {
      readonly ir: "each";
      readonly quantifier: Quantifier;
      readonly over: "child" | "image";
      /** From row 0 to the process. */
      readonly process: RowPath;
      readonly condition: BoolNode | undefined;
      readonly value: NumberNode | undefined;
    }
);

export type TextNode =
  | { readonly ir: "text"; readonly value: string }
  | { readonly ir: "text-field"; readonly field: FieldRef }
  | { readonly ir: "text-column"; readonly index: number }
  | { readonly ir: "lower"; readonly operand: TextNode };

export type BoolNode =
  | { readonly ir: "true" | "false" }
  | { readonly ir: "and" | "or"; readonly left: BoolNode; readonly right: BoolNode }
  | { readonly ir: "not"; readonly operand: BoolNode }
  | { readonly ir: "compare"; readonly op: CompareOperator; readonly left: NumberNode; readonly right: NumberNode }
  | { readonly ir: "compare-text"; readonly op: CompareOperator; readonly left: TextNode; readonly right: TextNode }
  | { readonly ir: "between"; readonly left: NumberNode; readonly low: NumberNode; readonly high: NumberNode }
  | { readonly ir: "in"; readonly left: NumberNode; readonly values: readonly number[] }
  | { readonly ir: "in-text"; readonly left: TextNode; readonly values: readonly string[] }
  | { readonly ir: "match"; readonly left: TextNode; readonly regex: Regex }
  | { readonly ir: "known"; readonly operand: NumberNode }
  | { readonly ir: "known-text"; readonly operand: TextNode }
  /** Known, and not 0. */
  | { readonly ir: "truthy"; readonly operand: NumberNode }
  /** The process is one of `lives` or of those with `pids`, or below one. */
  | {
      readonly ir: "under";
      readonly process: RowPath;
      readonly lives: readonly number[];
      readonly pids: readonly number[];
    };

export type TypedValue =
  | { readonly kind: "bool"; readonly bool: BoolNode }
  | { readonly kind: "text"; readonly text: TextNode }
  | { readonly kind: "number"; readonly number: NumberNode };

export interface TypedItem {
  readonly name: string;
  readonly type: ValueType;
  readonly value: TypedValue;
}

export interface TypedKey {
  readonly value: TypedValue;
  readonly descending: boolean;
}

export type AggregateKind =
  | "count"
  | "sum"
  | "min"
  | "max"
  | "avg"
  | "p50"
  | "p90"
  | "p95"
  | "p99"
  | "distinct"
  | "first";

export interface Aggregate {
  readonly kind: AggregateKind;
  readonly type: ValueType;
  /** Undefined: rows are counted. */
  readonly value: TypedValue | undefined;
}

export type TypedStage =
  | { readonly stage: "where"; readonly condition: BoolNode }
  | { readonly stage: "sort"; readonly keys: readonly TypedKey[] }
  | { readonly stage: "limit"; readonly count: number }
  | { readonly stage: "skip"; readonly count: number }
  /** From here on rows are computed. */
  | { readonly stage: "select"; readonly items: readonly TypedItem[]; readonly distinct: boolean }
  | {
      readonly stage: "group";
      readonly keys: readonly TypedItem[];
      readonly aggregates: readonly Aggregate[];
      /** Over the columns keys + aggregates. */
      readonly items: readonly TypedItem[];
    }
  | { readonly stage: "count" };

export interface Plan {
  readonly text: string;
  readonly table: TableName;
  readonly stages: readonly TypedStage[];
}

export interface Condition {
  readonly text: string;
  readonly table: TableName;
  readonly bool: BoolNode;
}
