// Gives expressions their values. The checker has passed the file, so types fit; what only values can show (a missing key,
// a division by zero, an attribute without a value) ends the evaluation with a place.
import type { BinaryOperator, Expression, FunctionDefinition } from "./ast.ts";
import type { Builtin, Call } from "./builtin.ts";
import { signatureOf } from "./builtin.ts";
import { findBuiltins } from "./builtins/registry.ts";
import { fault, type Spot } from "./diagnostic.ts";
import { dottedNames } from "./expression_checker.ts";
import { type Found, placesOf } from "./schema.ts";
import type { Scope } from "./scope.ts";
import { MAX_CALLS, type Session } from "./session.ts";
import { fallbackOf } from "./fallback.ts";
import { findEnum, findExport, findFunction, type FunctionInfo, type Unit } from "./unit.ts";
import { char, compare, equal, isDict, isKey, isList, type Key, kindOf, print, type Value } from "./value.ts";

/** A variable; without a value it was only declared. */
export interface Slot {
  value: Value | undefined;
}

export abstract class ExpressionEvaluator {
  protected readonly unit: Unit;
  protected readonly session: Session;
  protected scope: Scope<Slot>;
  protected section: readonly string[] = [];

  constructor(unit: Unit, session: Session, scope: Scope<Slot>) {
    this.unit = unit;
    this.session = session;
    this.scope = scope;
  }

  /** Runs a function's body; undefined when it gives nothing. */
  protected abstract callFunction(info: FunctionInfo, args: readonly Value[]): Value | undefined;

  protected spot(at: number): Spot {
    return { source: this.unit.program.source, at };
  }

  protected fail(at: number, message: string): never {
    throw fault(this.spot(at), message);
  }

  value(e: Expression): Value {
    return this.maybeValue(e) ?? this.fail(e.at, "the function gives no value");
  }

  /** Undefined for a call that gives nothing. */
  maybeValue(e: Expression): Value | undefined {
    this.session.step(this.spot(e.at));
    switch (e.kind) {
      case "bool":
      case "int":
      case "float":
      case "string":
      case "other":
        return e.value;
      case "char":
        return char(e.value);
      case "type":
        return { kind: "type", type: e.type };
      case "name":
      case "member": {
        const names = dottedNames(e) ?? this.fail(e.at, "not the name of an attribute");
        return this.named(names, e.at);
      }
      case "index":
        return this.index(e);
      case "call":
        return this.call(e);
      case "list":
        return this.made(
          e.items.map((item) => this.value(item)),
          e.at,
        );
      case "dict":
        return this.dict(e);
      case "tuple":
        return this.made({ kind: "tuple", items: e.items.map((item) => this.value(item)) }, e.at);
      case "callback":
        return this.callback(e.name, e.at);
      case "not":
        return !this.bool(e.of);
      case "negate":
        return this.negate(e);
      case "binary":
        return this.binary(e);
    }
  }

  protected made(value: Value, at: number): Value {
    return this.session.made(value, this.spot(at));
  }

  protected bool(e: Expression): boolean {
    const value = this.value(e);
    return typeof value === "boolean" ? value : this.fail(e.at, `found a ${kindOf(value)}, expected a bool`);
  }

  protected int(e: Expression): bigint {
    const value = this.value(e);
    return typeof value === "bigint" ? value : this.fail(e.at, `found a ${kindOf(value)}, expected an int`);
  }

  private variable(name: string): Value | undefined {
    const slot = this.scope.find(name) ?? findExport(this.unit, name);
    return slot === undefined ? findEnum(this.unit, name) : slot.value;
  }

  private named(names: readonly string[], at: number): Value {
    const [name] = names;
    if (names.length === 1) {
      const value = this.variable(name!);
      if (value !== undefined) return value;
      if (this.scope.find(name!) !== undefined || findExport(this.unit, name!) !== undefined)
        this.fail(at, `'${name}' has no value yet`);
    }
    return this.attribute(names) ?? this.fail(at, `'${names.join(".")}' has no value`);
  }

  /** What is stored, in the nearest section first, else the default. */
  private attribute(names: readonly string[]): Value | undefined {
    const places = placesOf(this.section, names);
    for (const place of places) {
      const stored = this.session.tree.get(pathOf(place));
      if (stored !== undefined) return stored.value;
    }
    for (const place of places) if (place.kind === "attribute") return fallbackOf(place.path, place.spec, this.session);
    return undefined;
  }

  private index(e: Extract<Expression, { readonly kind: "index" }>): Value {
    const of = this.value(e.of);
    const index = this.value(e.index);
    if (isDict(of))
      return (
        (isKey(index) ? of.get(index) : undefined) ??
        this.fail(e.index.at, `the dictionary has no key ${print(index, true)}`)
      );
    const items = isList(of)
      ? of
      : typeof of === "string"
        ? Array.from(of)
        : typeof of === "object" && "items" in of
          ? of.items
          : this.fail(e.at, `a ${kindOf(of)} has no elements`);
    if (typeof index !== "bigint") this.fail(e.index.at, `found a ${kindOf(index)}, expected an int`);
    this.session.step(this.spot(e.at), typeof of === "string" ? of.length >> 6 : 0);
    const found = items[Number(index)] ?? this.fail(e.index.at, `no element ${index}, there are ${items.length}`);
    return typeof of === "string" ? char(found as string) : found;
  }

  private dict(e: Extract<Expression, { readonly kind: "dict" }>): Value {
    const dict = new Map<Key, Value>();
    for (const [k, v] of e.entries) {
      const key = this.value(k);
      if (!isKey(key)) this.fail(k.at, `a key is a ${kindOf(key)}, expected string, int or bool`);
      if (dict.has(key)) this.session.problems.warn(this.spot(k.at), `a second value for the key ${print(key, true)}`);
      dict.set(key, this.value(v));
    }
    return this.made(dict, e.at);
  }

  private callback(name: string, at: number): Value {
    const info = findFunction(this.unit, name) ?? this.fail(at, `no function '${name}'`);
    return { kind: "callback", name, call: (args) => this.callFunction(info, args) };
  }

  private call(e: Extract<Expression, { readonly kind: "call" }>): Value | undefined {
    const args = e.args.map((arg) => this.value(arg));
    const info = findFunction(this.unit, e.name);
    if (info !== undefined) return this.callFunction(info, args);
    const entry =
      this.overload(e.name, args) ?? this.fail(e.at, `no function '${e.name}' for ${args.map(kindOf).join(", ")}`);
    const spot = this.spot(e.at);
    let cost = 1;
    for (const arg of args) cost += this.session.sizeOf(arg) >> 6;
    this.session.step(spot, cost);
    const value = entry.run(args, this.callContext(spot));
    return value === undefined ? undefined : this.session.made(value, spot);
  }

  private overload(name: string, args: readonly Value[]): Builtin | undefined {
    const group = findBuiltins(name);
    if (group.length === 1) return group[0];
    return group.find((entry) => {
      const { formals, variadic } = signatureOf(entry);
      return (
        variadic || (formals.length === args.length && formals.every((formal, i) => fitsShallow(args[i]!, formal.kind)))
      );
    });
  }

  private callContext(spot: Spot): Call {
    return {
      session: this.session,
      problems: this.session.problems,
      spot,
      unit: this.unit,
      lookUp: (dotted) => {
        const names = dotted.split(".");
        return (names.length === 1 ? this.variable(dotted) : undefined) ?? this.attribute(names);
      },
      isBuiltin: (name) => findBuiltins(name).length > 0,
      fail: (message) => {
        throw fault(spot, message);
      },
    };
  }

  private negate(e: Extract<Expression, { readonly kind: "negate" }>): Value {
    const value = this.value(e.of);
    if (typeof value === "bigint") return this.whole(-value, e.at);
    return typeof value === "number" ? -value : this.fail(e.at, `'-' before a ${kindOf(value)}, expected a number`);
  }

  private whole(value: bigint, at: number): bigint {
    return BigInt.asIntN(64, value) === value ? value : this.fail(at, "the number does not fit into 64 bits");
  }

  private binary(e: Extract<Expression, { readonly kind: "binary" }>): Value {
    const { operator } = e;
    if (operator === "and") return this.bool(e.left) && this.bool(e.right);
    if (operator === "or") return this.bool(e.left) || this.bool(e.right);
    const left = this.value(e.left);
    const right = this.value(e.right);
    switch (operator) {
      case "==":
        return equal(left, right);
      case "!=":
        return !equal(left, right);
      case "<":
      case ">":
      case "<=":
      case ">=": {
        const order =
          compare(left, right) ?? this.fail(e.at, `'${operator}' cannot compare ${kindOf(left)} and ${kindOf(right)}`);
        return operator === "<"
          ? order < 0
          : operator === ">"
            ? order > 0
            : operator === "<="
              ? order <= 0
              : order >= 0;
      }
      default:
        return this.arithmetic(operator, left, right, e.at);
    }
  }

  private arithmetic(operator: BinaryOperator, left: Value, right: Value, at: number): Value {
    if (operator === "/" && typeof left !== typeof right && isNumber(left) && isNumber(right))
      return this.arithmetic(operator, Number(left), Number(right), at);
    if (typeof left === "bigint" && typeof right === "bigint") {
      if ((operator === "/" || operator === "%") && right === 0n) this.fail(at, "a division by zero");
      if (operator === "/") return Number(left) / Number(right);
      return this.whole(
        operator === "+"
          ? left + right
          : operator === "-"
            ? left - right
            : operator === "*"
              ? left * right
              : left % right,
        at,
      );
    }
    if (typeof left === "number" && typeof right === "number") {
      if (operator === "/" && right === 0) this.fail(at, "a division by zero");
      const value =
        operator === "+"
          ? left + right
          : operator === "-"
            ? left - right
            : operator === "*"
              ? left * right
              : left / right;
      return operator === "%" || !Number.isFinite(value) ? this.fail(at, "the number is too large for a float") : value;
    }
    if (operator === "+") {
      const [a, b] = [textOf(left), textOf(right)];
      if (a !== undefined && b !== undefined) return this.made(a + b, at);
    }
    if (typeof left === "object" && typeof right === "object" && "us" in left && "us" in right) {
      const us = operator === "+" ? left.us + right.us : left.us - right.us;
      if (us < 0n) this.fail(at, "the duration would be negative");
      return { kind: "Duration", us: this.whole(us, at) };
    }
    if (typeof left === "object" && typeof right === "object" && "bytes" in left && "bytes" in right) {
      const bytes = operator === "+" ? left.bytes + right.bytes : left.bytes - right.bytes;
      if (bytes < 0n) this.fail(at, "the size would be negative");
      return { kind: "Size", bytes: this.whole(bytes, at) };
    }
    return this.fail(at, `'${operator}' between ${kindOf(left)} and ${kindOf(right)}`);
  }

  /** Counts calls inside of calls; `body` runs one deeper. */
  protected deeper<T>(definition: FunctionDefinition, body: () => T): T {
    const { session } = this;
    if (session.calls >= MAX_CALLS)
      throw fault(
        { source: definition.source, at: definition.at },
        `'${definition.name}' is called more than ${MAX_CALLS} calls deep`,
      );
    session.calls++;
    try {
      return body();
    } finally {
      session.calls--;
    }
  }
}

function isNumber(value: Value): value is number | bigint {
  return typeof value === "number" || typeof value === "bigint";
}

function pathOf(found: Found): readonly string[] {
  return found.kind === "unknown" ? [] : found.path;
}

function textOf(value: Value): string | undefined {
  if (typeof value === "string") return value;
  return typeof value === "object" && "kind" in value && value.kind === "char" ? value.text : undefined;
}

/** Overloads differ in the outermost type, so looking at that one is enough. */
function fitsShallow(value: Value, kind: string): boolean {
  if (kind === "variable") return true;
  if (kind === "typespec") return kindOf(value) === "type";
  if (kind === "func") return kindOf(value) === "callback";
  return kindOf(value) === kind;
}
