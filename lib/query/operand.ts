// The pieces of the checker that know nothing of scopes: operands, what types come of arithmetic, what a mistake is.
import { err, ok, type Result } from "neverthrow";
import type { Expression, Pattern, Span } from "./ast.ts";
import { queryError, type QueryError } from "./query_error.ts";
import { INNER } from "./scope.ts";
import type { BoolNode, NumberNode, RowPath, TextNode, TypedValue } from "./typed.ts";
import type { ValueType } from "./value_type.ts";

/** Carries the first mistake out of the recursion; never leaves this folder. */
export class Mistake extends Error {
  readonly error: QueryError;
  constructor(error: QueryError) {
    super(error.message);
    this.error = error;
  }
}

export function catching<T>(check: () => T): Result<T, QueryError> {
  try {
    return ok(check());
  } catch (error) {
    if (error instanceof Mistake) return err(error.error);
    throw error;
  }
}

export function mistake(span: Span, message: string, near: readonly string[] = [], hint?: string): never {
  throw new Mistake(queryError(span, message, near, hint));
}

/** A value and what is known of it. */
export interface Operand {
  readonly type: ValueType | "null";
  readonly value: TypedValue;
  /** It stands in the text as it is: its unit may still become that of the other side. */
  readonly literal: boolean;
  /** Texts that a field can only be. */
  readonly values?: readonly string[] | undefined;
  /** Of a process: where it is read from. */
  readonly path?: RowPath | undefined;
}

const NUMBERS: readonly ValueType[] = ["number", "count", "id"];
export const isPlain = (type: ValueType | "null") => (NUMBERS as readonly string[]).includes(type);

export const number = (type: ValueType, node: NumberNode, literal = false): Operand => ({
  type,
  value: { kind: "number", number: node },
  literal,
});
export const constant = (type: ValueType, value: number): Operand =>
  number(type, { ir: "constant", type, value }, true);
export const condition = (node: BoolNode): Operand => ({
  type: "bool",
  value: { kind: "bool", bool: node },
  literal: false,
});
export const text = (node: TextNode, literal = false, values?: readonly string[]): Operand => ({
  type: "text",
  value: { kind: "text", text: node },
  literal,
  values,
});

export function pidOf(path: RowPath): Operand {
  return number("id", { ir: "field", type: "id", field: { path, table: "procs", name: "pid" } });
}

export function asNumber(value: TypedValue): NumberNode | undefined {
  if (value.kind === "number") return value.number;
  return value.kind === "bool" ? { ir: "condition", type: "bool", operand: value.bool } : undefined;
}

export function isZero(operand: Operand): boolean {
  return (
    operand.type === "number" &&
    operand.literal &&
    operand.value.kind === "number" &&
    operand.value.number.ir === "constant" &&
    operand.value.number.value === 0
  );
}

/** The bare word that an expression is: `make`, `libtool.sh`. */
export function wordOf(e: Expression): string | undefined {
  if (e.node === "name") return e.parts.map((p) => p.name).join(".");
  return e.node === "handle" && e.field === undefined ? (e.of === "proc" ? "p" : "e") + e.index : undefined;
}

/** `child` or `image` when an expression speaks of one. */
export function innerOf(e: Expression): "child" | "image" | undefined {
  switch (e.node) {
    case "name":
      return Object.hasOwn(INNER, e.parts[0]!.name) ? INNER[e.parts[0]!.name] : undefined;
    case "unary":
      return innerOf(e.operand);
    case "binary":
      return innerOf(e.left) ?? innerOf(e.right);
    case "match":
    case "is-null":
      return innerOf(e.left);
    case "in":
      return innerOf(e.left) ?? e.items.map(innerOf).find((i) => i !== undefined);
    case "between":
      return innerOf(e.left) ?? innerOf(e.low) ?? innerOf(e.high);
    case "call":
      return e.args.map(innerOf).find((i) => i !== undefined);
    default:
      return undefined;
  }
}

export function placeIn(pattern: Pattern, fault: { readonly at: number; readonly length: number }): Span {
  // One for the quote or slash before it; escapes may have moved what follows, so the place stays within the pattern.
  const at = Math.min(pattern.at + 1 + fault.at, pattern.at + pattern.length - 1);
  return { at, length: Math.max(1, Math.min(fault.length, pattern.at + pattern.length - at)) };
}

export function resultType(op: string, left: Operand, right: Operand): ValueType | undefined {
  const a = left.type as ValueType;
  const b = right.type as ValueType;
  const [plainA, plainB] = [isPlain(a), isPlain(b)];
  switch (op) {
    case "+":
      if (plainA && plainB) return a === "count" && b === "count" ? "count" : "number";
      if (a === b && a !== "time") return a;
      return (a === "time" && b === "duration") || (a === "duration" && b === "time") ? "time" : undefined;
    case "-":
      if (plainA && plainB) return "number";
      if (a === "time" && b === "time") return "duration";
      if (a === "time" && b === "duration") return "time";
      return a === b ? a : undefined;
    case "*":
      if (plainA && plainB) return "number";
      if (plainA && b !== "time") return b;
      return plainB && a !== "time" ? a : undefined;
    case "/":
      if (plainA && plainB) return "number";
      if (a === b) return "number";
      return plainB && a !== "time" ? a : undefined;
    default:
      return plainA && plainB ? "number" : undefined;
  }
}

export function computed(op: string, a: number, b: number): number {
  switch (op) {
    case "+":
      return a + b;
    case "-":
      return a - b;
    case "*":
      return a * b;
    case "/":
      // Nothing is known of a division by nothing.
      return b === 0 ? NaN : a / b;
    default:
      return b === 0 ? NaN : a % b;
  }
}

export function unitHint(a: string, b: string): string | undefined {
  const pair = [a, b];
  if (!pair.some((type) => isPlain(type as ValueType)))
    return pair.includes("text") ? "texts are compared with texts" : undefined;
  if (pair.includes("duration") || pair.includes("time")) return "write a unit, such as 10ms or 1.5s";
  if (pair.includes("bytes")) return "write a unit, such as 64K or 10M";
  return undefined;
}
