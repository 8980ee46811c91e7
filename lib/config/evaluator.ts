// Runs a checked file: its statements from top to bottom, functions when they are called, used files where they are named.
import type { AssignStatement, Body, ParameterStatement, PathStep, SectionStatement, Statement } from "./ast.ts";
import { fault } from "./diagnostic.ts";
import { ExpressionEvaluator, type Slot } from "./expression_evaluator.ts";
import { parseLiteralAs, type LiteralKind, LITERAL_PARSERS } from "./literal.ts";
import { findPath, typeOf } from "./schema.ts";
import { Scope } from "./scope.ts";
import type { Session } from "./session.ts";
import { printType, type Type } from "./type.ts";
import { findExport, type FunctionInfo, type Unit } from "./unit.ts";
import { fits, fromPlain, kindOf, print, type Value } from "./value.ts";

/** Why a block ended before its end. */
type Outcome = "on" | "break" | "continue" | "return";

/** Rounds that a single loop may have. */
const MAX_ROUNDS = 100_000n;

export function evaluateUnit(unit: Unit, session: Session): void {
  if (unit.state === "evaluating" || unit.state === "evaluated") return;
  unit.state = "evaluating";
  new Evaluator(unit, session, new Scope<Slot>()).run(unit.program.body);
  unit.state = "evaluated";
}

class Evaluator extends ExpressionEvaluator {
  private result: Value | undefined;

  run(body: Body): Outcome {
    for (const statement of body) {
      const outcome = this.statement(statement);
      if (outcome !== "on") return outcome;
    }
    return "on";
  }

  private block(body: Body): Outcome {
    const outer = this.scope;
    this.scope = new Scope(outer);
    const outcome = this.run(body);
    this.scope = outer;
    return outcome;
  }

  private statement(s: Statement): Outcome {
    this.session.step(this.spot(s.at));
    switch (s.kind) {
      case "assign":
        this.assign(s);
        return "on";
      case "section":
        return this.sectionStatement(s);
      case "set":
        this.set(s.names, this.value(s.value), s.at);
        return "on";
      case "if":
        for (const { condition, body } of s.branches) if (this.bool(condition)) return this.block(body);
        return s.otherwise === undefined ? "on" : this.block(s.otherwise);
      case "for":
        return this.loop(s);
      case "break":
      case "continue":
        return s.kind;
      case "return":
        if (s.value !== undefined) this.result = this.value(s.value);
        return "return";
      case "var":
        for (const { names } of s.groups)
          for (const { name } of names)
            if (this.scope.find(name) === undefined && !this.unit.exports.has(name))
              this.scope.define(name, { value: undefined });
        return "on";
      case "use": {
        const used = this.unit.uses.get(s);
        if (used !== undefined) evaluateUnit(used, this.session);
        return "on";
      }
      case "parameter":
        this.parameter(s);
        return "on";
      case "expression":
        this.maybeValue(s.value);
        return "on";
      case "enum":
      case "export":
      case "function":
        return "on";
    }
  }

  private assign(s: AssignStatement): void {
    const names = [...this.section, ...s.path.map((step) => step.name)];
    this.store(names, this.value(s.value), s.value.at, s.at, s.locked);
  }

  private store(names: readonly string[], value: Value, valueAt: number, at: number, locked: boolean): void {
    const found = findPath(names, "attribute");
    if (found.kind === "unknown") return;
    const expected = typeOf(found);
    // Checked already, but for values whose type is known only now, such as parsed JSON.
    if (expected !== undefined && !fits(value, expected))
      this.fail(valueAt, `'${found.path.join(".")}' gets a ${kindOf(value)}, expected ${printType(expected)}`);
    this.session.tree.set(found.path, value, this.spot(at), locked);
  }

  private sectionStatement(s: SectionStatement): Outcome {
    const outer = this.section;
    this.section = [...outer, s.name, ...(s.object === undefined ? [] : [s.object.name])];
    this.session.tree.enter(this.section, this.spot(s.at));
    const outcome = this.block(s.body);
    this.section = outer;
    return outcome;
  }

  private set(names: readonly PathStep[], value: Value, at: number): void {
    if (names.length === 1) return this.setOne(names[0]!.name, value);
    const items = typeof value === "object" && "items" in value ? value.items : undefined;
    if (items?.length !== names.length) this.fail(at, `found a ${kindOf(value)}, expected a tuple of ${names.length}`);
    names.forEach(({ name }, i) => this.setOne(name, items![i]!));
  }

  private setOne(name: string, value: Value): void {
    const slot = this.scope.find(name) ?? this.unit.exports.get(name);
    if (slot === undefined) this.scope.define(name, { value });
    else slot.value = value;
  }

  private loop(s: Extract<Statement, { readonly kind: "for" }>): Outcome {
    const from = this.int(s.from);
    const to = this.int(s.to);
    const isUp = from <= to;
    const rounds = isUp ? to - from : from - to;
    if (rounds > MAX_ROUNDS) this.fail(s.at, `the loop has ${rounds} rounds, expected at most ${MAX_ROUNDS}`);
    const outer = this.scope;
    for (let round = 0n; round < rounds; round++) {
      this.session.step(this.spot(s.at));
      this.scope = new Scope(outer);
      this.scope.define(s.index, { value: isUp ? from + round : from - 1n - round });
      const outcome = this.run(s.body);
      this.scope = outer;
      if (outcome === "break") break;
      if (outcome === "return") return outcome;
    }
    return "on";
  }

  protected callFunction(info: FunctionInfo, args: readonly Value[]): Value | undefined {
    const { definition } = info;
    return this.deeper(definition, () => {
      const scope = new Scope<Slot>();
      const own: Slot = { value: undefined };
      scope.define("result", own);
      definition.formals.forEach(({ name }, i) => scope.define(name, { value: args[i] }));
      const inner = new Evaluator(info.unit, this.session, scope);
      inner.run(definition.body);
      const value = inner.result ?? own.value;
      if (value === undefined && info.returns)
        throw fault(
          { source: definition.source, at: definition.at },
          `'${definition.name}' ended without a value, expected 'return' or 'result := ...' on every way through it`,
        );
      return value;
    });
  }

  private parameter(s: ParameterStatement): void {
    const { session } = this;
    const dotted = s.path.map((step) => step.name).join(".");
    const property = (name: string) => {
      const e = s.properties.get(name);
      return e === undefined ? undefined : this.value(e);
    };
    const text = (name: string) => {
      const value = property(name);
      return typeof value === "string" ? value : "";
    };
    let fallback = property("default");
    if (typeof fallback === "object" && "call" in fallback) fallback = fallback.call([]);
    const given = session.host.parameter(s.isVariable ? `var ${dotted}` : dotted);
    const value = given === undefined ? fallback : this.answer(given, this.parameterType(s), fallback, dotted, s.at);
    session.parameters.push({
      path: dotted,
      isVariable: s.isVariable,
      doc: text("doc").trim(),
      shortdoc: text("shortdoc"),
      sensitive: property("sensitive") === true,
      value,
      hasDefault: fallback !== undefined,
      spot: this.spot(s.at),
    });
    if (value === undefined) return;
    if (given !== undefined) this.validate(s, value, dotted);
    if (s.isVariable) this.setOne(dotted, value);
    else this.store(dotted.split("."), value, s.at, s.at, false);
  }

  private parameterType(s: ParameterStatement): Type | undefined {
    if (s.isVariable) return findExport(this.unit, s.path[0]!.name)?.type;
    return typeOf(
      findPath(
        s.path.map((step) => step.name),
        "attribute",
      ),
    );
  }

  /** What was answered when the file was loaded, as a value of the right type. */
  private answer(plain: unknown, type: Type | undefined, fallback: Value | undefined, path: string, at: number): Value {
    const kind =
      type === undefined || type.kind === "variable"
        ? fallback === undefined
          ? "string"
          : kindOf(fallback)
        : type.kind;
    const refuse = () => this.fail(at, `the answer for parameter '${path}' is no ${kind}`);
    if (kind === "float" && typeof plain === "number") return plain;
    if (typeof plain === "string" && kind in LITERAL_PARSERS)
      return parseLiteralAs(kind as LiteralKind, plain) ?? refuse();
    const value = fromPlain(plain) ?? refuse();
    const isFitting = type === undefined || type.kind === "variable" ? kindOf(value) === kind : fits(value, type);
    return isFitting ? value : refuse();
  }

  private validate(s: ParameterStatement, value: Value, path: string): void {
    const e = s.properties.get("validator");
    if (e === undefined) return;
    const validator = this.value(e);
    if (typeof validator !== "object" || !("call" in validator)) return;
    const complaint = validator.call([value]);
    if (typeof complaint === "string" && complaint !== "")
      this.fail(s.at, `the answer for parameter '${path}' is refused: ${print(complaint)}`);
  }
}
