// What the parser makes of a configuration: plain data. `at` is the offset of what an error about the node points at.
import type { SourceText } from "./source_text.ts";
import type { Type } from "./type.ts";
import type { Literal } from "./literal.ts";

interface Node {
  readonly at: number;
}

export type BinaryOperator = "or" | "and" | "!=" | "==" | ">=" | "<=" | ">" | "<" | "+" | "-" | "%" | "*" | "/";

export type Expression = Node &
  (
    | { readonly kind: "bool"; readonly value: boolean }
    | { readonly kind: "int"; readonly value: bigint }
    | { readonly kind: "float"; readonly value: number }
    | { readonly kind: "string"; readonly value: string }
    | { readonly kind: "char"; readonly value: string }
    | { readonly kind: "other"; readonly value: Literal }
    | { readonly kind: "name"; readonly name: string }
    | { readonly kind: "member"; readonly of: Expression; readonly name: string }
    | { readonly kind: "index"; readonly of: Expression; readonly index: Expression }
    | { readonly kind: "call"; readonly name: string; readonly args: readonly Expression[] }
    | { readonly kind: "list"; readonly items: readonly Expression[] }
    | { readonly kind: "dict"; readonly entries: readonly (readonly [Expression, Expression])[] }
    | { readonly kind: "tuple"; readonly items: readonly Expression[] }
    | { readonly kind: "type"; readonly type: Type }
    | { readonly kind: "callback"; readonly name: string; readonly type: Type | undefined }
    | { readonly kind: "not"; readonly of: Expression }
    | { readonly kind: "negate"; readonly of: Expression }
    | {
        readonly kind: "binary";
        readonly operator: BinaryOperator;
        readonly left: Expression;
        readonly right: Expression;
      }
  );

export type Body = readonly Statement[];

export interface PathStep {
  readonly name: string;
  readonly at: number;
}

export interface Formal {
  readonly name: string;
  readonly at: number;
  readonly type: Type | undefined;
}

export interface FunctionDefinition extends Node {
  readonly kind: "function";
  readonly name: string;
  readonly formals: readonly Formal[];
  readonly body: Body;
  readonly source: SourceText;
}

export interface ParameterStatement extends Node {
  readonly kind: "parameter";
  /** A dotted attribute, or one name after `var`. */
  readonly path: readonly PathStep[];
  readonly isVariable: boolean;
  readonly properties: ReadonlyMap<string, Expression>;
}

export interface AssignStatement extends Node {
  readonly kind: "assign";
  readonly path: readonly PathStep[];
  readonly value: Expression;
  readonly locked: boolean;
}

export interface SectionStatement extends Node {
  readonly kind: "section";
  readonly name: string;
  /** The object's name; undefined for a singleton. */
  readonly object: PathStep | undefined;
  readonly body: Body;
}

export interface UseStatement extends Node {
  readonly kind: "use";
  readonly name: string;
  /** Directory or URL; undefined is the directory of the file itself. */
  readonly from: string | undefined;
}

export type Statement =
  | AssignStatement
  | SectionStatement
  | (Node & { readonly kind: "set"; readonly names: readonly PathStep[]; readonly value: Expression })
  | (Node & {
      readonly kind: "if";
      readonly branches: readonly { readonly condition: Expression; readonly body: Body }[];
      readonly otherwise: Body | undefined;
    })
  | (Node & {
      readonly kind: "for";
      readonly index: string;
      readonly from: Expression;
      readonly to: Expression;
      readonly body: Body;
    })
  | (Node & { readonly kind: "break" | "continue" })
  | (Node & { readonly kind: "return"; readonly value: Expression | undefined })
  | (Node & {
      readonly kind: "var";
      readonly groups: readonly { readonly names: readonly PathStep[]; readonly type: Type }[];
    })
  | (Node & { readonly kind: "enum"; readonly names: readonly PathStep[] })
  | (Node & { readonly kind: "export"; readonly names: readonly PathStep[] })
  | FunctionDefinition
  | UseStatement
  | ParameterStatement
  | (Node & { readonly kind: "expression"; readonly value: Expression });

export interface Program {
  readonly source: SourceText;
  readonly body: Body;
}
