// Values of the c4m language while a configuration is evaluated, and their way out into plain JavaScript.
//
//   bool boolean · int bigint · float number · string string · char {kind} · list array · dict Map · the rest by `kind`
import type { FieldValue } from "./field_value.ts";
import { compareLiterals, type Literal, printLiteral } from "./literal.ts";
import { printType, type Type } from "./type.ts";

export type Key = string | bigint | boolean;

export type Value =
  | boolean
  | bigint
  | number
  | string
  | readonly Value[]
  | ReadonlyMap<Key, Value>
  | Literal
  | { readonly kind: "char"; readonly text: string }
  | { readonly kind: "tuple"; readonly items: readonly Value[] }
  | { readonly kind: "callback"; readonly name: string; readonly call: (args: readonly Value[]) => Value | undefined }
  | { readonly kind: "type"; readonly type: Type };

/** A value that is an object with a `kind`. */
export type Kinded = Extract<Value, { readonly kind: string }>;

export function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

export function isDict(value: Value): value is ReadonlyMap<Key, Value> {
  return value instanceof Map;
}

function isKinded(value: Value): value is Kinded {
  return typeof value === "object" && !isList(value) && !isDict(value);
}

export function kindOf(value: Value): string {
  switch (typeof value) {
    case "boolean":
      return "bool";
    case "bigint":
      return "int";
    case "number":
      return "float";
    case "string":
      return "string";
    default:
      return isList(value) ? "list" : isDict(value) ? "dict" : isKinded(value) ? value.kind : "value";
  }
}

export function char(text: string): Value {
  return { kind: "char", text };
}

export function isKey(value: Value): value is Key {
  return typeof value === "string" || typeof value === "bigint" || typeof value === "boolean";
}

/** How deep values are looked into; deeper ones are nobody's. */
const MAX_DEPTH = 50;

export function equal(a: Value, b: Value, depth = 0): boolean {
  if (a === b) return true;
  if (depth > MAX_DEPTH || typeof a !== "object" || typeof b !== "object") return false;
  const all = (x: readonly Value[], y: readonly Value[]) =>
    x.length === y.length && x.every((item, i) => equal(item, y[i]!, depth + 1));
  if (isList(a)) return isList(b) && all(a, b);
  if (isDict(a)) {
    if (!isDict(b) || a.size !== b.size) return false;
    for (const [key, value] of a) {
      const other = b.get(key);
      if (other === undefined || !equal(value, other, depth + 1)) return false;
    }
    return true;
  }
  if (!isKinded(a) || !isKinded(b) || a.kind !== b.kind) return false;
  if (a.kind === "tuple") return b.kind === "tuple" && all(a.items, b.items);
  if (a.kind === "char") return b.kind === "char" && a.text === b.text;
  if (a.kind === "callback") return b.kind === "callback" && a.name === b.name;
  if (a.kind === "type") return b.kind === "type" && printType(a.type) === printType(b.type);
  return b.kind !== "tuple" && b.kind !== "char" && b.kind !== "callback" && b.kind !== "type"
    ? compareLiterals(a, b) === 0
    : false;
}

/** Below 0, 0 or above 0; undefined when the two have no order. */
export function compare(a: Value, b: Value): number | undefined {
  if (
    (typeof a === "bigint" && typeof b === "bigint") ||
    (typeof a === "number" && typeof b === "number") ||
    (typeof a === "string" && typeof b === "string")
  )
    return a < b ? -1 : a > b ? 1 : 0;
  if (!isKinded(a) || !isKinded(b) || a.kind !== b.kind) return undefined;
  switch (a.kind) {
    case "char":
      return b.kind === "char" ? compare(a.text, b.text) : undefined;
    case "tuple":
    case "callback":
    case "type":
      return undefined;
    default:
      return b.kind === "tuple" || b.kind === "char" || b.kind === "callback" || b.kind === "type"
        ? undefined
        : compareLiterals(a, b);
  }
}

export function printFloat(value: number): string {
  const text = String(value);
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}

/** Characters that a printed value may have; what does not fit ends with `...`. */
const MAX_PRINTED = 1 << 16;

/** What `$(x)` gives: the bare text at the top, quoted inside of containers. */
export function print(value: Value, inside = false, depth = 0): string {
  switch (typeof value) {
    case "boolean":
      return value ? "true" : "false";
    case "bigint":
      return String(value);
    case "number":
      return printFloat(value);
    case "string":
      return inside ? JSON.stringify(value) : value;
    default:
      return printObject(value, inside, depth);
  }
}

function printObject(value: Extract<Value, object>, inside: boolean, depth: number): string {
  if (depth > MAX_DEPTH) return "...";
  const joined = (items: Iterable<Value>, open: string, close: string) => {
    let text = open;
    for (const item of items) {
      if (text.length > MAX_PRINTED) return text + ", ..." + close;
      text += (text === open ? "" : ", ") + print(item, true, depth + 1);
    }
    return text + close;
  };
  if (isList(value)) return joined(value, "[", "]");
  if (isDict(value)) {
    let text = "{";
    for (const [key, item] of value) {
      if (text.length > MAX_PRINTED) return text + ", ...}";
      text += `${text === "{" ? "" : ", "}${print(key, true)} : ${print(item, true, depth + 1)}`;
    }
    return text + "}";
  }
  const v = value as Kinded;
  switch (v.kind) {
    case "char":
      return inside ? `'${v.text}'` : v.text;
    case "tuple":
      return joined(v.items, "(", ")");
    case "callback":
      return `func ${v.name}`;
    case "type":
      return printType(v.type);
    default:
      return inside ? `<<${printLiteral(v)}>>` : printLiteral(v);
  }
}

/** As it would be written in a configuration. */
export function printSource(value: Value): string {
  return print(value, true);
}

/** Plain JavaScript: durations in milliseconds, sizes in bytes, integers as numbers where exact, tuples as lists. */
export function toFieldValue(value: Value, depth = 0): FieldValue | undefined {
  if (depth > MAX_DEPTH) return undefined;
  switch (typeof value) {
    case "bigint":
      return toNumber(value);
    case "boolean":
    case "number":
    case "string":
      return value;
    default:
      break;
  }
  const all = (items: readonly Value[]) =>
    items.map((item) => toFieldValue(item, depth + 1)).filter((item) => item !== undefined);
  if (isList(value)) return all(value);
  if (isDict(value)) {
    const entries: [string, FieldValue][] = [];
    for (const [key, item] of value) {
      const plain = toFieldValue(item, depth + 1);
      if (plain !== undefined) entries.push([String(key), plain]);
    }
    return Object.fromEntries(entries);
  }
  const v = value as Kinded;
  switch (v.kind) {
    case "tuple":
      return all(v.items);
    case "callback":
      return undefined;
    case "Duration":
      return Number(v.us) / 1000;
    case "Size":
      return toNumber(v.bytes);
    default:
      return print(v);
  }
}

function toNumber(value: bigint): number | string {
  const n = Number(value);
  return Number.isSafeInteger(n) ? n : String(value);
}

/** Plain data, such as parsed JSON or a value that was stored, as a value of the language. `null` becomes an empty text. */
export function fromPlain(plain: unknown, depth = 0): Value | undefined {
  if (depth > MAX_DEPTH) return undefined;
  if (plain === null) return "";
  if (typeof plain === "number") return Number.isSafeInteger(plain) ? BigInt(plain) : plain;
  if (typeof plain === "boolean" || typeof plain === "string" || typeof plain === "bigint") return plain;
  if (Array.isArray(plain)) {
    const items = plain.map((item) => fromPlain(item, depth + 1));
    return items.every((item) => item !== undefined) ? items : undefined;
  }
  if (typeof plain !== "object") return undefined;
  const dict = new Map<Key, Value>();
  for (const [key, item] of Object.entries(plain)) {
    const value = fromPlain(item, depth + 1);
    if (value === undefined) return undefined;
    dict.set(key, value);
  }
  return dict;
}

/** Whether a value is of a type, looked at from outside; used where nothing was checked before, as for parsed JSON. */
export function fits(value: Value, type: Type, depth = 0): boolean {
  if (depth > MAX_DEPTH) return false;
  const t = type.kind === "variable" ? (type.bound ?? type) : type;
  switch (t.kind) {
    case "variable":
      return true;
    case "list":
      return isList(value) && value.every((item) => fits(item, t.of, depth + 1));
    case "dict":
      return isDict(value) && [...value].every(([k, v]) => fits(k, t.key, depth + 1) && fits(v, t.value, depth + 1));
    case "tuple":
      return (
        kindOf(value) === "tuple" &&
        (value as { readonly items: readonly Value[] }).items.length === t.items.length &&
        t.items.every((item, i) => fits((value as { readonly items: readonly Value[] }).items[i]!, item, depth + 1))
      );
    case "or":
      return t.choices.some((choice) => fits(value, choice, depth + 1));
    case "func":
      return kindOf(value) === "callback";
    case "typespec":
      return kindOf(value) === "type";
    default:
      return kindOf(value) === t.kind;
  }
}
