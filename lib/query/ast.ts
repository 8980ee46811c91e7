// A query as its text says it, before anybody knows which fields there are. Every node knows its place in the text, for
// the error that underlines it and for the colours of the line editor.

export interface Span {
  /** In UTF-16 units. */
  readonly at: number;
  readonly length: number;
}

/** What a number's unit says: durations in nanoseconds, sizes in bytes. */
export type Quantity = "number" | "duration" | "bytes";

export type BinaryOperator = "or" | "and" | "==" | "!=" | "<" | "<=" | ">" | ">=" | "+" | "-" | "*" | "/" | "%";

export type Expression = Span &
  (
    | { readonly node: "number"; readonly value: number; readonly quantity: Quantity }
    | { readonly node: "text"; readonly value: string }
    | { readonly node: "bool"; readonly value: boolean }
    | { readonly node: "null" }
    /** `p12`, `e400`. */
    | { readonly node: "handle"; readonly of: "proc" | "event"; readonly index: number; readonly field?: Name }
    /** `wall`, `parent.exe`; or a bare word that stands for text, such as `make`. */
    | { readonly node: "name"; readonly parts: readonly Name[] }
    | { readonly node: "unary"; readonly op: "not" | "-"; readonly operand: Expression }
    | { readonly node: "binary"; readonly op: BinaryOperator; readonly left: Expression; readonly right: Expression }
    | {
        readonly node: "match";
        readonly negated: boolean;
        readonly how: "regex" | "glob";
        readonly left: Expression;
        readonly pattern: Pattern;
      }
    | {
        readonly node: "in";
        readonly negated: boolean;
        readonly left: Expression;
        readonly items: readonly Expression[];
      }
    | {
        readonly node: "between";
        readonly negated: boolean;
        readonly left: Expression;
        readonly low: Expression;
        readonly high: Expression;
      }
    | { readonly node: "is-null"; readonly negated: boolean; readonly left: Expression }
    | { readonly node: "call"; readonly name: Name; readonly args: readonly Expression[] }
  );

export interface Name extends Span {
  readonly name: string;
}

export interface Pattern extends Span {
  readonly source: string;
  /** Letters after a regex: `i`, `m`, `s`. */
  readonly flags: string;
}

export interface SortKey extends Span {
  readonly expression: Expression;
  readonly descending: boolean;
}

/** A column of a result: `exe`, `x = cpu / wall`. */
export interface Item extends Span {
  readonly name: Name | undefined;
  readonly expression: Expression;
}

export type Stage = Span &
  (
    | { readonly stage: "where"; readonly condition: Expression }
    | { readonly stage: "sort"; readonly keys: readonly SortKey[] }
    | { readonly stage: "limit"; readonly count: number; readonly by: SortKey | undefined }
    | { readonly stage: "skip"; readonly count: number }
    | { readonly stage: "select"; readonly items: readonly Item[] }
    | { readonly stage: "distinct"; readonly items: readonly Item[] }
    /** Without `aggregates` the rows of each group are counted. */
    | { readonly stage: "group"; readonly keys: readonly Item[]; readonly aggregates: readonly Item[] }
    | { readonly stage: "count" }
  );

export interface Query extends Span {
  readonly text: string;
  /** Undefined: the table that is in force where the query was typed. */
  readonly table: Name | undefined;
  readonly stages: readonly Stage[];
}
