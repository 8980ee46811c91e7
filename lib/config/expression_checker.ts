// The type of every expression, found before anything is evaluated, so that a mistake in a branch that is rarely taken is told as well.
// Errors are collected; an expression with an error has a type that fits everywhere, so that one mistake is told once.
import { nearest } from "../base/nearest.ts";
import type { BinaryOperator, Expression } from "./ast.ts";
import { signatureOf } from "./builtin.ts";
import { builtinNames, findBuiltins, whyRefused } from "./builtins/registry.ts";
import { type Diagnostics, type Spot, suggestion } from "./diagnostic.ts";
import { findPath, placesOf, typeOf } from "./schema.ts";
import type { Scope } from "./scope.ts";
import {
  BOOL,
  CHAR,
  dictOf,
  DURATION,
  FLOAT,
  freshVariable,
  instantiate,
  INT,
  isOpen,
  listOf,
  printType,
  resolve,
  simpleType,
  sizeOfType,
  STRING,
  type Type,
  unify,
  unifyAll,
  VOID,
} from "./type.ts";
import { findEnum, findExport, findFunction, type FunctionInfo, type Unit } from "./unit.ts";

/** Parts of one type; a hostile file makes types that double with every line. */
const MAX_TYPE = 300;

const ORDERED: ReadonlySet<string> = new Set([
  "int",
  "float",
  "string",
  "char",
  "Duration",
  "Size",
  "Date",
  "Time",
  "DateTime",
  "IPAddr",
  "CIDR",
]);
const OPERANDS: Readonly<Partial<Record<BinaryOperator, ReadonlySet<string>>>> = {
  "+": new Set(["int", "float", "char", "string", "Duration", "Size"]),
  "-": new Set(["int", "float", "Duration", "Size"]),
  "*": new Set(["int", "float"]),
  "/": new Set(["int", "float"]),
  "%": new Set(["int"]),
  "<": ORDERED,
  ">": ORDERED,
  "<=": ORDERED,
  ">=": ORDERED,
};
const KEYS: ReadonlySet<string> = new Set(["string", "int", "bool", "variable"]);

export interface Variable {
  readonly type: Type;
  /** The index of a loop, which cannot be assigned. */
  readonly isIndex: boolean;
}

/** `a.b.c` as names; undefined when it begins with something else than a name. */
export function dottedNames(expression: Expression): string[] | undefined {
  const names: string[] = [];
  let e = expression;
  while (e.kind === "member") {
    names.push(e.name);
    e = e.of;
  }
  if (e.kind !== "name") return undefined;
  names.push(e.name);
  return names.toReversed();
}

function rootOf(expression: Expression): Expression {
  let e = expression;
  while (e.kind === "member") e = e.of;
  return e;
}

export abstract class ExpressionChecker {
  protected readonly unit: Unit;
  protected readonly problems: Diagnostics;
  protected scope: Scope<Variable>;
  /** Path of the section in which the statement stands. */
  protected section: readonly string[] = [];

  constructor(unit: Unit, problems: Diagnostics, scope: Scope<Variable>) {
    this.unit = unit;
    this.problems = problems;
    this.scope = scope;
  }

  /** Checks a function's body if that was not done yet. */
  protected abstract ensureChecked(info: FunctionInfo): void;

  protected spot(at: number): Spot {
    return { source: this.unit.program.source, at };
  }

  protected error(at: number, message: string): Type {
    this.problems.error(this.spot(at), message);
    return freshVariable();
  }

  protected expect(e: Expression, expected: Type, what: string, hint = ""): void {
    const type = this.typeOf(e);
    if (!unify(expected, type))
      this.error(e.at, `${what} is ${printType(type)}, expected ${printType(expected)}${hint}`);
  }

  typeOf(e: Expression): Type {
    switch (e.kind) {
      case "bool":
        return BOOL;
      case "int":
        return INT;
      case "float":
        return FLOAT;
      case "string":
        return STRING;
      case "char":
        return CHAR;
      case "other":
        return simpleType(e.value.kind)!;
      case "type":
        return { kind: "typespec", of: e.type };
      case "name":
        return this.name(e.name, e.at);
      case "member":
        return this.member(e);
      case "index":
        return this.index(e);
      case "call":
        return this.bounded(this.call(e), e.at);
      case "list":
        return this.bounded(this.list(e.items), e.at);
      case "dict":
        return this.bounded(this.dict(e.entries), e.at);
      case "tuple":
        return this.bounded({ kind: "tuple", items: e.items.map((item) => this.typeOf(item)) }, e.at);
      case "callback":
        return this.callback(e);
      case "not":
        this.expect(e.of, BOOL, "the operand of 'not'", "; bool(x) converts");
        return BOOL;
      case "negate":
        return this.negate(e);
      case "binary":
        return this.binary(e);
    }
  }

  private bounded(type: Type, at: number): Type {
    return sizeOfType(type, MAX_TYPE) >= MAX_TYPE ? this.error(at, "the type of the value is too large") : type;
  }

  private name(name: string, at: number): Type {
    const variable = this.scope.find(name);
    if (variable !== undefined) return variable.type;
    const exported = findExport(this.unit, name);
    if (exported !== undefined) return exported.type;
    if (findEnum(this.unit, name) !== undefined) return INT;
    return this.attribute([name], at);
  }

  private member(e: Extract<Expression, { readonly kind: "member" }>): Type {
    const names = dottedNames(e);
    if (names === undefined) {
      return this.error(
        e.at,
        `a ${printType(this.typeOf(rootOf(e)))} has no '${e.name}', expected the name of an attribute`,
      );
    }
    const variable = this.scope.find(names[0]!) ?? findExport(this.unit, names[0]!);
    if (variable !== undefined)
      return this.error(e.at, `'${names[0]}' is a variable (${printType(variable.type)}) and has no '${names[1]}'`);
    return this.attribute(names, rootOf(e).at);
  }

  private attribute(names: readonly string[], at: number): Type {
    const places = placesOf(this.section, names);
    const [first] = places;
    if (first !== undefined) return typeOf(first) ?? freshVariable();
    const found = findPath(names);
    const dotted = names.join(".");
    if (found.kind === "section") return this.error(at, `'${dotted}' is a section, expected an attribute of it`);
    const known = names.length === 1 ? [...this.scope.known(), ...this.unit.enums.keys()] : [];
    const close = nearest(dotted, known);
    const isFunction = findFunction(this.unit, dotted) !== undefined || findBuiltins(dotted).length > 0;
    if (isFunction) return this.error(at, `'${dotted}' is a function, expected ${dotted}(...) or func ${dotted}`);
    if (names.length > 1 && found.kind === "unknown") return this.error(at, found.message);
    const hint =
      close.length > 0 ? suggestion(close) : found.kind === "unknown" ? /; did you.*$/.exec(found.message) : "";
    return this.error(at, `'${dotted}' is used before it is defined, and is no attribute${String(hint ?? "")}`);
  }

  private index(e: Extract<Expression, { readonly kind: "index" }>): Type {
    const of = resolve(this.typeOf(e.of));
    if (of.kind === "dict") {
      this.expect(e.index, of.key, "the key");
      return of.value;
    }
    if (of.kind === "tuple") {
      this.expect(e.index, INT, "the index");
      if (e.index.kind !== "int")
        return this.error(e.index.at, "the index of a tuple is not a number, expected 0, 1, ...");
      return (
        of.items[Number(e.index.value)] ??
        this.error(e.index.at, `no element ${e.index.value} in a tuple of ${of.items.length}`)
      );
    }
    if (of.kind === "string" || of.kind === "list") {
      this.expect(e.index, INT, "the index");
      return of.kind === "list" ? of.of : CHAR;
    }
    const index = this.typeOf(e.index);
    if (of.kind !== "variable") return this.error(e.at, `a ${printType(of)} has no elements`);
    // Only what is used as an argument can be open here; what the index is tells what the argument must be.
    if (resolve(index).kind === "string") {
      const value = freshVariable();
      unify(of, dictOf(STRING, value));
      return value;
    }
    return freshVariable();
  }

  private list(items: readonly Expression[]): Type {
    const of = freshVariable();
    for (const item of items) {
      const type = this.typeOf(item);
      if (!unify(of, type))
        return this.error(item.at, `a ${printType(type)} in a list of ${printType(of)}, expected elements of one type`);
    }
    return listOf(of);
  }

  private dict(entries: readonly (readonly [Expression, Expression])[]): Type {
    const key = freshVariable();
    const value = freshVariable();
    for (const [k, v] of entries) {
      const keyType = this.typeOf(k);
      if (!unify(key, keyType))
        return this.error(k.at, `a ${printType(keyType)} among keys of ${printType(key)}, expected keys of one type`);
      const valueType = this.typeOf(v);
      if (!unify(value, valueType))
        return this.error(
          v.at,
          `a ${printType(valueType)} among values of ${printType(value)}, expected values of one type`,
        );
    }
    if (!KEYS.has(resolve(key).kind))
      return this.error(entries[0]![0].at, `a key is ${printType(key)}, expected string, int or bool`);
    return dictOf(key, value);
  }

  private callback(e: Extract<Expression, { readonly kind: "callback" }>): Type {
    const info = findFunction(this.unit, e.name);
    if (info === undefined) {
      if (findBuiltins(e.name).length > 0)
        return this.error(e.at, `'${e.name}' is built in, expected a function of the configuration`);
      return this.error(e.at, `no function '${e.name}'${this.functionHint(e.name)}`);
    }
    const type = this.functionType(info);
    if (e.type !== undefined && !unify(instantiate(e.type), type))
      return this.error(e.at, `'${e.name}' is ${printType(type)}, expected ${printType(e.type)}`);
    return type;
  }

  private functionType(info: FunctionInfo): Extract<Type, { readonly kind: "func" }> {
    this.ensureChecked(info);
    const type: Type = {
      kind: "func",
      formals: info.formals,
      variadic: false,
      result: info.returns ? info.result : VOID,
    };
    return (info.state === "done" ? instantiate(type) : type) as Extract<Type, { readonly kind: "func" }>;
  }

  private functionHint(name: string): string {
    const names = [...this.unit.functions.keys(), ...builtinNames()];
    for (const used of this.unit.uses.values()) names.push(...used.functions.keys());
    return suggestion(nearest(name, names));
  }

  private call(e: Extract<Expression, { readonly kind: "call" }>): Type {
    const types = e.args.map((arg) => this.typeOf(arg));
    const info = findFunction(this.unit, e.name);
    if (info !== undefined) return this.callFunction(e, info, types);
    const why = whyRefused(e.name);
    if (why !== undefined) return this.error(e.at, `${e.name}() cannot be called: ${why}`);
    const group = findBuiltins(e.name);
    if (group.length === 0) return this.error(e.at, `no function '${e.name}'${this.functionHint(e.name)}`);
    const results: { readonly type: Type; readonly undo: () => void }[] = [];
    for (const entry of group) {
      const signature = signatureOf(entry);
      const formals = signature.variadic ? types : signature.formals;
      const trail = unifyAll(formals, types);
      if (trail === undefined) continue;
      // Types that are known decide at once; open ones may fit several.
      if (!types.some(isOpen) || group.length === 1) return signature.result;
      results.push({ type: signature.result, undo: () => trail.undo() });
      trail.undo();
    }
    const [first] = results;
    if (first !== undefined) {
      const isAgreed = results.every((r) => resolve(r.type).kind === resolve(first.type).kind);
      return isAgreed && resolve(first.type).kind !== "variable" && !isOpen(first.type) ? first.type : freshVariable();
    }
    const given = types.map(printType).join(", ");
    const forms = group.map((entry) => entry.name + entry.signature).join(", or ");
    return this.error(e.at, `${e.name}(${given}) does not fit, expected ${forms}`);
  }

  private callFunction(
    e: Extract<Expression, { readonly kind: "call" }>,
    info: FunctionInfo,
    types: readonly Type[],
  ): Type {
    const type = this.functionType(info);
    if (type.formals.length !== types.length)
      return this.error(e.at, `${e.name} with ${types.length} arguments, expected ${type.formals.length}`);
    type.formals.forEach((formal, i) => {
      if (!unify(formal, types[i]!))
        this.error(
          e.args[i]!.at,
          `argument ${i + 1} of ${e.name} is ${printType(types[i]!)}, expected ${printType(formal)}`,
        );
    });
    return type.result;
  }

  private negate(e: Extract<Expression, { readonly kind: "negate" }>): Type {
    const type = resolve(this.typeOf(e.of));
    if (type.kind === "int" || type.kind === "float" || type.kind === "variable") return type;
    return this.error(e.at, `'-' before a ${printType(type)}, expected a number`);
  }

  private binary(e: Extract<Expression, { readonly kind: "binary" }>): Type {
    const { operator } = e;
    if (operator === "and" || operator === "or") {
      for (const side of [e.left, e.right])
        this.expect(side, BOOL, `an operand of '${operator}'`, "; bool(x) converts");
      return BOOL;
    }
    const left = this.typeOf(e.left);
    const right = this.typeOf(e.right);
    // The one operator that takes both kinds of numbers: its value is a float either way.
    const isQuotient = operator === "/" && [left, right].every((t) => OPERANDS["/"]!.has(resolve(t).kind));
    if (!isQuotient && !unify(left, right)) {
      const numbers = new Set([resolve(left).kind, resolve(right).kind]);
      const hint =
        numbers.has("int") && numbers.has("float")
          ? "; float(x) or int(x) converts"
          : operator === "+" && numbers.has("string")
            ? "; $(x) makes a text of anything"
            : "";
      return this.error(
        e.at,
        `'${operator}' between ${printType(left)} and ${printType(right)}, expected one type on both sides${hint}`,
      );
    }
    const { kind } = resolve(left);
    if (operator === "==" || operator === "!=") {
      if (kind === "list" || kind === "dict" || kind === "func" || kind === "void")
        return this.error(e.at, `'${operator}' cannot compare ${printType(left)}`);
      return BOOL;
    }
    const allowed = OPERANDS[operator]!;
    if (kind !== "variable" && !allowed.has(kind))
      return this.error(e.at, `'${operator}' on ${printType(left)}, expected ${[...allowed].join(", ")}`);
    if (allowed === ORDERED) return BOOL;
    if (operator === "/") return FLOAT;
    return operator === "+" && kind === "char" ? STRING : operator === "-" && kind === "Duration" ? DURATION : left;
  }
}
