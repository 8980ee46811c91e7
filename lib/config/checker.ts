// Checks a whole file before it is evaluated: names, types, attributes against the schema, functions, and the files it uses.
import type {
  Body,
  Expression,
  ParameterStatement,
  PathStep,
  SectionStatement,
  Statement,
  UseStatement,
} from "./ast.ts";
import { findBuiltins } from "./builtins/registry.ts";
import { ConfigFault, type Spot } from "./diagnostic.ts";
import { ExpressionChecker, type Variable } from "./expression_checker.ts";
import { findPath, type Found, typeOf } from "./schema.ts";
import { Scope } from "./scope.ts";
import type { Session } from "./session.ts";
import type { SourceText } from "./source_text.ts";
import { BOOL, freshVariable, instantiate, INT, printType, resolve, STRING, type Type, unify } from "./type.ts";
import { parse } from "./parser.ts";
import { findFunction, type FunctionInfo, type Unit } from "./unit.ts";

/** Parses and checks a file and those that it uses; the errors are the session's. */
export function checkFile(source: SourceText, session: Session, spot: Spot = { source, at: 0 }): Unit {
  return session.unitOf(source, spot, () => {
    const { body } = parse(source, session.problems);
    const unit = session.register(source, body);
    new Checker(unit, session, new Scope<Variable>()).checkAll();
    unit.state = "checked";
    return unit;
  });
}

const RESERVED = "result";

/** Deeper chains of calls would exhaust the stack. */
const MAX_DEPTH = 100;

class Checker extends ExpressionChecker {
  private readonly session: Session;
  private inFunction: FunctionInfo | undefined;
  private loops = 0;
  /** How many functions are being checked because the one before calls them. */
  private depth = 0;

  constructor(unit: Unit, session: Session, scope: Scope<Variable>) {
    super(unit, session.problems, scope);
    this.session = session;
  }

  checkAll(): void {
    const { body } = this.unit.program;
    for (const statement of body) this.hoist(statement);
    this.body(body);
    for (const info of this.unit.functions.values()) this.ensureChecked(info);
  }

  private hoist(statement: Statement): void {
    const { unit } = this;
    switch (statement.kind) {
      case "function": {
        if (unit.functions.has(statement.name)) {
          this.error(statement.at, `a second function '${statement.name}'`);
          return;
        }
        const formals = statement.formals.map((f) => (f.type === undefined ? freshVariable() : instantiate(f.type)));
        unit.functions.set(statement.name, {
          definition: statement,
          unit,
          formals,
          result: freshVariable(),
          state: "new",
          returns: false,
        });
        return;
      }
      case "enum":
        statement.names.forEach(({ name, at }, i) => {
          if (unit.enums.has(name)) this.error(at, `a second '${name}' in an enum`);
          else unit.enums.set(name, BigInt(i));
        });
        return;
      case "export":
        for (const { name } of statement.names)
          if (!unit.exports.has(name)) unit.exports.set(name, { type: freshVariable(), value: undefined });
        return;
      default:
    }
  }

  protected ensureChecked(info: FunctionInfo): void {
    if (info.state !== "new") return;
    if (info.unit !== this.unit) return;
    info.state = "checking";
    if (this.depth > MAX_DEPTH) {
      this.error(info.definition.at, `functions that call each other more than ${MAX_DEPTH} deep`);
      info.state = "done";
      return;
    }
    const scope = new Scope<Variable>();
    scope.define(RESERVED, { type: info.result, isIndex: false });
    const seen = new Set<string>();
    info.definition.formals.forEach(({ name, at }, i) => {
      if (seen.has(name)) this.error(at, `a second argument '${name}'`);
      if (name === RESERVED) this.error(at, `'${RESERVED}' is the name of a function's value`);
      seen.add(name);
      scope.define(name, { type: info.formals[i]!, isIndex: false });
    });
    const inner = new Checker(this.unit, this.session, scope);
    inner.inFunction = info;
    inner.depth = this.depth + 1;
    inner.body(info.definition.body);
    info.state = "done";
  }

  private body(body: Body): void {
    for (const statement of body)
      try {
        if (this.problems.isFull) return;
        this.statement(statement);
      } catch (error) {
        if (!(error instanceof ConfigFault)) throw error;
        this.problems.add(error.diagnostic);
      }
  }

  private block(body: Body, define?: (scope: Scope<Variable>) => void): void {
    const outer = this.scope;
    this.scope = new Scope(outer);
    define?.(this.scope);
    this.body(body);
    this.scope = outer;
  }

  private statement(s: Statement): void {
    switch (s.kind) {
      case "assign":
        return this.assign(s.path, s.value, s.at);
      case "section":
        return this.sectionStatement(s);
      case "set":
        return this.set(s.names, s.value);
      case "if":
        for (const { condition, body } of s.branches) {
          this.condition(condition);
          this.block(body);
        }
        if (s.otherwise !== undefined) this.block(s.otherwise);
        return;
      case "for":
        this.expect(s.from, INT, "the begin of the range");
        this.expect(s.to, INT, "the end of the range");
        this.loops++;
        this.block(s.body, (scope) => scope.define(s.index, { type: INT, isIndex: true }));
        this.loops--;
        return;
      case "break":
      case "continue":
        if (this.loops === 0) this.error(s.at, `'${s.kind}' outside of a loop`);
        return;
      case "return":
        return this.returnStatement(s.value, s.at);
      case "var":
        for (const { names, type } of s.groups) {
          const own = instantiate(type);
          for (const { name, at } of names) this.declare(name, own, at);
        }
        return;
      case "use":
        return this.use(s);
      case "parameter":
        return this.parameter(s);
      case "expression":
        this.typeOf(s.value);
        return;
      case "enum":
      case "export":
      case "function":
    }
  }

  private condition(condition: Expression): void {
    this.expect(condition, BOOL, "the condition", "; bool(x) converts");
  }

  private declare(name: string, type: Type, at: number): void {
    const known = this.scope.find(name) ?? this.unit.exports.get(name);
    if (known === undefined) this.scope.define(name, { type, isIndex: false });
    else if (!unify(known.type, type))
      this.error(at, `'${name}' is ${printType(known.type)} already, not ${printType(type)}`);
  }

  private returnStatement(value: Expression | undefined, at: number): void {
    const info = this.inFunction;
    if (info === undefined) {
      this.error(at, "'return' outside of a function");
      return;
    }
    if (value === undefined) return;
    info.returns = true;
    this.expect(value, info.result, "the value");
  }

  private set(names: readonly PathStep[], value: Expression): void {
    const type = this.typeOf(value);
    if (names.length === 1) return this.setOne(names[0]!, type);
    const parts = names.map(() => freshVariable());
    if (!unify({ kind: "tuple", items: parts }, type))
      this.error(value.at, `${printType(type)} for ${names.length} variables, expected a tuple of ${names.length}`);
    names.forEach((name, i) => this.setOne(name, parts[i]!));
  }

  private setOne({ name, at }: PathStep, type: Type): void {
    const info = this.inFunction;
    if (name === RESERVED && info !== undefined) {
      info.returns = true;
      if (!unify(info.result, type))
        this.error(at, `'${RESERVED}' is ${printType(info.result)}, not ${printType(type)}`);
      return;
    }
    if (resolve(type).kind === "void") {
      this.error(at, `'${name}' would have no value: the function gives none`);
      return;
    }
    const variable = this.scope.find(name);
    const known = variable ?? this.unit.exports.get(name);
    if (variable?.isIndex === true) this.error(at, `'${name}' is the index of the loop and cannot be set`);
    else if (known === undefined) this.define(name, type, at);
    else if (!unify(known.type, type))
      this.error(at, `'${name}' is ${printType(known.type)}, and cannot become ${printType(type)}`);
  }

  private define(name: string, type: Type, at: number): void {
    if (findFunction(this.unit, name) !== undefined) this.error(at, `'${name}' is a function, expected another name`);
    const attribute = findPath([name]);
    if (attribute.kind === "attribute" && this.scope.find(name) === undefined && this.inFunction === undefined)
      this.problems.warn(
        this.spot(at),
        `':=' sets a variable '${name}', not the attribute of that name; ':' or '=' would`,
      );
    this.scope.define(name, { type, isIndex: false });
  }

  private assign(path: readonly PathStep[], value: Expression, at: number): void {
    const type = this.typeOf(value);
    const names = [...this.section, ...path.map((step) => step.name)];
    const found = findPath(names, "attribute");
    if (found.kind === "unknown") {
      const step = path[found.step - this.section.length] ?? path[0]!;
      this.error(step.at, this.explain(found, names));
      return;
    }
    if (found.kind === "section") {
      const dotted = names.join(".");
      this.error(at, `'${dotted}' is a section, expected ${dotted} { ... } or an attribute of it`);
      return;
    }
    this.noteUnused(found, at);
    const expected = typeOf(found);
    if (expected !== undefined && !unify(expected, type))
      this.error(
        value.at,
        `'${found.path.join(".")}' gets ${printType(type)}, expected ${printType(expected)}${conversion(expected, type)}`,
      );
  }

  private explain(found: Extract<Found, { readonly kind: "unknown" }>, names: readonly string[]): string {
    if (this.scope.find(names[names.length - 1]!) !== undefined && names.length === 1)
      return `'${names[0]}' is a variable, expected ':=' to set it`;
    return found.message;
  }

  private noteUnused(found: Found, at: number): void {
    if (found.kind === "open" && found.open === "unused")
      this.session.noteUnused(found.path.slice(0, found.path[0] === "docker" ? 2 : 1).join("."), this.spot(at));
    if (found.kind === "attribute" && found.spec.unused === true)
      this.session.noteUnused(found.path.join("."), this.spot(at));
  }

  private sectionStatement(s: SectionStatement): void {
    const names = [...this.section, s.name];
    const path = s.object === undefined ? names : [...names, s.object.name];
    const found = findPath(path, "section");
    if (found.kind === "unknown" || found.kind === "attribute" || (found.kind === "open" && found.open !== "unused")) {
      this.error(s.at, this.wrongSection(s, names, found));
      return;
    }
    this.noteUnused(found, s.at);
    const outer = this.section;
    this.section = path;
    this.block(s.body);
    this.section = outer;
  }

  private wrongSection(s: SectionStatement, names: readonly string[], found: Found): string {
    const plain = findPath(names, "section");
    if (s.object !== undefined && plain.kind === "section")
      return `'${s.name}' takes no name, expected ${s.name} { ... }`;
    if (findBuiltins(s.name).length > 0) return `'${s.name}' is a function, expected ${s.name}(...)`;
    const attribute = findPath(names, "attribute");
    if (attribute.kind === "attribute" || attribute.kind === "open")
      return `'${names.join(".")}' is an attribute or unknown, expected ':' or '=' and a value`;
    return found.kind === "unknown" ? found.message : `unknown section '${s.name}'`;
  }

  private use(s: UseStatement): void {
    const { unit, session } = this;
    const source = session.component(s, unit.program.source);
    unit.uses.set(s, checkFile(source, session, this.spot(s.at)));
  }

  private parameter(s: ParameterStatement): void {
    const type = this.parameterType(s);
    for (const [name, value] of s.properties)
      switch (name) {
        case "doc":
        case "shortdoc":
          this.expect(value, STRING, `'${name}'`);
          break;
        case "sensitive":
          this.expect(value, BOOL, `'${name}'`);
          break;
        case "default": {
          const given = this.typeOf(value);
          const fits = unify(type, given) || unify({ kind: "func", formals: [], variadic: false, result: type }, given);
          if (!fits) this.error(value.at, `the default is ${printType(given)}, expected ${printType(type)}`);
          break;
        }
        case "validator":
          this.expect(value, { kind: "func", formals: [type], variadic: false, result: STRING }, "the validator");
          break;
        default:
          this.error(value.at, `a parameter has no '${name}', expected doc, shortdoc, default, validator or sensitive`);
      }
  }

  private parameterType(s: ParameterStatement): Type {
    if (s.isVariable) {
      const type = freshVariable();
      if (s.path.length > 1) this.error(s.at, "the name of a variable has no '.'");
      else this.declare(s.path[0]!.name, type, s.at);
      return type;
    }
    const found = findPath(
      s.path.map((step) => step.name),
      "attribute",
    );
    if (found.kind === "unknown") return this.error(s.path[found.step]?.at ?? s.at, found.message);
    if (found.kind === "section") return this.error(s.at, "the parameter is a section, expected an attribute");
    return typeOf(found) ?? freshVariable();
  }
}

/** What would make a value fit. */
function conversion(expected: Type, type: Type): string {
  if (expected.kind === "Duration")
    return type.kind === "string" || type.kind === "int" ? ", such as <<10 seconds>>" : "";
  if (expected.kind === "Size") return type.kind === "string" || type.kind === "int" ? ", such as <<10 mb>>" : "";
  if (expected.kind === "list" && unify(expected.of, type)) return "; put it in [ ]";
  if (expected.kind === "string" && type.kind === "char") return "; a text stands in double quotes";
  return expected.kind === "string" ? "; $(x) makes a text of anything" : "";
}
