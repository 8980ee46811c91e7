// Names to fields and types to operators, before anything runs. The first mistake ends the check; its message says what is wrong, what
// would be right, and the nearest names. Nothing here looks at a recording.
import { nearest } from "../base/nearest.ts";
import type { Expression, Name } from "./ast.ts";
import { FUNCTIONS } from "./fields.ts";
import { compileGlob, compileRegex } from "./regex.ts";
import { resolve, resolveFrom, type Scope, scopeNames, toProcess } from "./scope.ts";
import type { Aggregate, AggregateKind, BoolNode, CompareOperator, NumberNode, Quantifier, RowPath } from "./typed.ts";
import {
  asNumber,
  computed,
  condition,
  constant,
  innerOf,
  isPlain,
  isZero,
  Mistake,
  mistake,
  number,
  type Operand,
  pidOf,
  placeIn,
  resultType,
  text,
  unitHint,
  wordOf,
} from "./operand.ts";
import { ERRNO_NUMBERS, SIGNAL_NUMBERS, TYPE_WORDS, type ValueType } from "./value_type.ts";

export class Checker {
  private readonly scope: Scope;
  /** Set where sum(x) and the like are computed over rows: each call becomes a column. */
  private readonly onAggregate: ((aggregate: Aggregate) => Operand) | undefined;

  constructor(scope: Scope, onAggregate?: (aggregate: Aggregate) => Operand) {
    this.scope = scope;
    this.onAggregate = onAggregate;
  }

  condition(e: Expression): BoolNode {
    const operand = this.value(e);
    return this.asCondition(operand, e);
  }

  private asCondition({ value, type }: Operand, e: Expression): BoolNode {
    if (type === "null") return mistake(e, "null is no condition", [], "write 'x is null'");
    switch (value.kind) {
      case "bool":
        return value.bool;
      case "text":
        if (value.text.ir === "text")
          return mistake(e, "a text is no condition", [], `such as exe == ${value.text.value}`);
        return { ir: "known-text", operand: value.text };
      case "number":
        if (value.number.ir === "constant") return mistake(e, "a number is no condition", [], "such as wall > 10ms");
        return { ir: "truthy", operand: value.number };
    }
  }

  value(e: Expression): Operand {
    switch (e.node) {
      case "number":
        return constant(e.quantity === "number" ? "number" : e.quantity, e.value);
      case "text":
        return text({ ir: "text", value: e.value }, true);
      case "bool":
        return condition({ ir: e.value ? "true" : "false" });
      case "null":
        return { type: "null", value: { kind: "bool", bool: { ir: "false" } }, literal: true };
      case "handle":
        return this.handle(e);
      case "name":
        return this.name(e.parts);
      case "unary":
        return e.op === "not"
          ? condition({ ir: "not", operand: this.condition(e.operand) })
          : this.negative(e.operand, e);
      case "binary":
        return this.binary(e);
      case "match":
        return this.match(e);
      case "in":
        return this.inList(e);
      case "between": {
        const left = this.value(e.left);
        const [, low] = this.paired(left, e.left, e.low);
        const [same, high] = this.paired(left, e.left, e.high);
        if (same.value.kind !== "number" || low.value.kind !== "number" || high.value.kind !== "number")
          return mistake(
            e,
            `between is for numbers, durations, moments and sizes; this is ${TYPE_WORDS[left.type as ValueType] ?? "null"}`,
          );
        return this.negatable(e.negated, {
          ir: "between",
          left: same.value.number,
          low: low.value.number,
          high: high.value.number,
        });
      }
      case "is-null":
        return this.negatable(!e.negated, this.known(e.left));
      case "call":
        return this.call(e);
    }
  }

  private negatable(negated: boolean, node: BoolNode): Operand {
    return condition(negated ? { ir: "not", operand: node } : node);
  }

  private known(e: Expression): BoolNode {
    const { value, type } = this.value(e);
    if (type === "null") return { ir: "false" };
    if (value.kind === "number") return { ir: "known", operand: value.number };
    return value.kind === "text" ? { ir: "known-text", operand: value.text } : { ir: "true" };
  }

  private handle(e: Expression & { readonly node: "handle" }): Operand {
    const name = (e.of === "proc" ? "p" : "e") + e.index;
    // A column may be called p95.
    if (this.scope.of === "columns" && this.scope.columns.some((c) => c.name === name))
      return this.name([{ name, at: e.at, length: e.length }]);
    const limit = 0x7fffffff;
    if (e.index > limit) return mistake(e, `there is no ${TYPE_WORDS[e.of]} ${name}`);
    if (e.field === undefined) return constant(e.of, e.index);
    const path: RowPath = { frame: -1, at: e.index, steps: [] };
    return this.resolved(resolveFrom(path, e.of === "proc" ? "procs" : "events", [e.field]));
  }

  private name(parts: readonly Name[]): Operand {
    return this.resolved(resolve(this.scope, parts));
  }

  private resolved(found: ReturnType<typeof resolve>): Operand {
    if ("_tag" in found) throw new Mistake(found);
    const { type } = found;
    if (found.is === "column") {
      const { index } = found;
      if (type === "text") return text({ ir: "text-column", index });
      const node: NumberNode = { ir: "column", index, type };
      return type === "bool" ? condition({ ir: "truthy", operand: node }) : number(type, node);
    }
    const { field } = found;
    if (type === "text") return text({ ir: "text-field", field }, false, found.values);
    const node: NumberNode = { ir: "field", field, type };
    if (type === "bool") return condition({ ir: "truthy", operand: node });
    if (type !== "proc") return number(type, node);
    const steps =
      field.name === "id" ? field.path.steps : [...field.path.steps, { table: field.table, column: field.name }];
    return { ...number(type, node), path: { ...field.path, steps } };
  }

  /** The operand as a number with a unit; for arithmetic. */
  private measured(e: Expression): Operand & { readonly value: { readonly kind: "number" } } {
    const operand = this.value(e);
    const { value, type } = operand;
    if (
      type === "null" ||
      value.kind !== "number" ||
      type === "proc" ||
      type === "event" ||
      type === "errno" ||
      type === "signal"
    )
      return mistake(
        e,
        `expected a number, a duration or a size, this is ${type === "null" ? "null" : TYPE_WORDS[type]}`,
      );
    return { ...operand, value };
  }

  private negative(operand: Expression, e: Expression): Operand {
    const of = this.measured(operand);
    const type = of.type as ValueType;
    if (of.value.number.ir === "constant") return constant(type, -of.value.number.value);
    if (type === "time") return mistake(e, "a moment cannot be negative");
    return number(type === "id" ? "number" : type, { ir: "negative", type, operand: of.value.number });
  }

  private binary(e: Expression & { readonly node: "binary" }): Operand {
    switch (e.op) {
      case "and":
      case "or":
        return condition({ ir: e.op, left: this.condition(e.left), right: this.condition(e.right) });
      case "+":
      case "-":
      case "*":
      case "/":
      case "%":
        return this.arithmetic(e, e.op);
      default:
        return this.compare(e, e.op);
    }
  }

  private arithmetic(e: Expression & { readonly node: "binary" }, op: "+" | "-" | "*" | "/" | "%"): Operand {
    const left = this.measured(e.left);
    const right = this.measured(e.right);
    const type = resultType(op, left, right);
    if (type === undefined) {
      const [a, b] = [TYPE_WORDS[left.type as ValueType], TYPE_WORDS[right.type as ValueType]];
      return mistake(e, `${a} ${op} ${b} has no meaning`, [], unitHint(left.type, right.type));
    }
    const node: NumberNode = { ir: "arithmetic", op, type, left: left.value.number, right: right.value.number };
    if (left.value.number.ir === "constant" && right.value.number.ir === "constant") {
      const value = computed(op, left.value.number.value, right.value.number.value);
      if (!Number.isNaN(value)) return constant(type, value);
    }
    return number(type, node);
  }

  private compare(e: Expression & { readonly node: "binary" }, op: CompareOperator): Operand {
    const left = this.value(e.left);
    if (e.right.node === "null" || left.type === "null") {
      const what = left.type === "null" ? e.right : e.left;
      if (op !== "==" && op !== "!=")
        return mistake(e, `null cannot be compared with ${op}`, [], "write 'x is null' or 'x is not null'");
      return this.negatable(op === "==", this.known(what));
    }
    const [a, b] = this.paired(left, e.left, e.right);
    if (a.value.kind === "text" && b.value.kind === "text")
      return condition({ ir: "compare-text", op, left: a.value.text, right: b.value.text });
    const x = asNumber(a.value);
    const y = asNumber(b.value);
    if (x === undefined || y === undefined) return mistake(e, "these cannot be compared");
    const ordered = op !== "==" && op !== "!=";
    if (ordered && (a.type === "bool" || a.type === "errno" || a.type === "signal" || a.type === "proc"))
      return mistake(e, `${TYPE_WORDS[a.type]} is equal or not, but has no order`, [], "write == or !=");
    return condition({ ir: "compare", op, left: x, right: y });
  }

  /** Both sides with the same type: a bare word becomes a text, a number gets the other's unit where it needs none. */
  private paired(left: Operand, leftAt: Expression, rightAt: Expression): [Operand, Operand] {
    const wordy = left.type === "text" || left.type === "errno" || left.type === "signal";
    let right: Operand;
    const word = wordOf(rightAt);
    if (wordy && word !== undefined && !this.isField(rightAt, left)) right = text({ ir: "text", value: word }, true);
    else right = this.value(rightAt);
    if (right.type === "null")
      return mistake(rightAt, "null is not compared", [], "write 'x is null' or 'x is not null'");
    const [a, b] = [left.type, right.type];
    if (left.values !== undefined && right.value.kind === "text" && right.value.text.ir === "text") {
      const { value } = right.value.text;
      if (!left.values.includes(value))
        return mistake(
          rightAt,
          `'${value}' is none of its values`,
          nearest(value, left.values),
          `they are ${left.values.join(", ")}`,
        );
    }
    if (a === b) return [left, right];
    if (isPlain(a) && isPlain(b)) return [left, right];
    if (a === "errno" || a === "signal") return [left, this.named(a, right, rightAt)];
    if (b === "errno" || b === "signal") return [this.named(b, left, leftAt), right];
    if (a === "proc" && isPlain(b) && left.path !== undefined) return [pidOf(left.path), right];
    if (b === "proc" && isPlain(a) && right.path !== undefined) return [left, pidOf(right.path)];
    // Moments are written as durations since the recording began.
    if (a === "time" && b === "duration" && right.literal) return [left, { ...right, type: "time" }];
    if (b === "time" && a === "duration" && left.literal) return [{ ...left, type: "time" }, right];
    if (isZero(left) && b !== "text" && b !== "bool") return [{ ...left, type: b }, right];
    if (isZero(right) && a !== "text" && a !== "bool") return [left, { ...right, type: a as ValueType }];
    const said = `${TYPE_WORDS[a as ValueType]} is compared with ${TYPE_WORDS[b]}`;
    return mistake({ at: leftAt.at, length: rightAt.at + rightAt.length - leftAt.at }, said, [], unitHint(a, b));
  }

  /** Whether a bare word on the right of a comparison is meant as a field: it names one that can be compared. */
  private isField(e: Expression, left: Operand): boolean {
    if (e.node !== "name") return true;
    const found = resolve(this.scope, e.parts);
    if ("_tag" in found) return e.parts.length > 1 && this.startsAtLink(e.parts);
    // `kind == exit`: where a field has few values, these are meant.
    return left.values === undefined || !left.values.includes(e.parts.map((p) => p.name).join("."));
  }

  private startsAtLink(parts: readonly Name[]): boolean {
    const first = resolve(this.scope, parts.slice(0, 1));
    return !("_tag" in first) && first.type === "proc";
  }

  /** `ENOENT`, `KILL`, `2` as the number of an error or signal. */
  private named(type: "errno" | "signal", operand: Operand, e: Expression): Operand {
    const numbers = type === "errno" ? ERRNO_NUMBERS : SIGNAL_NUMBERS;
    if (operand.value.kind === "text" && operand.value.text.ir === "text") {
      const word = operand.value.text.value.toUpperCase();
      const value = numbers.get(word);
      if (value !== undefined) return constant(type, value);
      return mistake(
        e,
        `'${operand.value.text.value}' is no ${type === "errno" ? "error" : "signal"}`,
        nearest(word, [...numbers.keys()]),
      );
    }
    if (operand.type === "number" && operand.literal) return { ...operand, type };
    const said = operand.type === "null" ? "null" : TYPE_WORDS[operand.type];
    return mistake(
      e,
      `expected ${type === "errno" ? "an error such as ENOENT" : "a signal such as SIGKILL"}, this is ${said}`,
    );
  }

  private inList(e: Expression & { readonly node: "in" }): Operand {
    const left = this.value(e.left);
    const texts: string[] = [];
    const numbers: number[] = [];
    let subject: Operand = left;
    for (const item of e.items) {
      const [same, right] = this.paired(left, e.left, item);
      subject = same;
      if (right.value.kind === "text" && right.value.text.ir === "text") texts.push(right.value.text.value);
      else if (right.value.kind === "number" && right.value.number.ir === "constant")
        numbers.push(right.value.number.value);
      else
        mistake(
          item,
          "the values after in are texts or numbers as they are",
          [],
          "compare fields with == and join them with or",
        );
    }
    if (subject.value.kind === "text")
      return this.negatable(e.negated, { ir: "in-text", left: subject.value.text, values: texts });
    const value = asNumber(subject.value);
    if (value === undefined) return mistake(e.left, "a condition is not looked for in a list");
    return this.negatable(e.negated, { ir: "in", left: value, values: numbers });
  }

  private match(e: Expression & { readonly node: "match" }): Operand {
    const left = this.value(e.left);
    if (left.value.kind !== "text") {
      const what = left.type === "null" ? "null" : TYPE_WORDS[left.type];
      return mistake(e.left, `${e.how === "glob" ? "like" : "~"} is for texts, this is ${what}`);
    }
    const { pattern } = e;
    const compiled = e.how === "glob" ? compileGlob(pattern.source) : compileRegex(pattern.source, pattern.flags);
    if (compiled.isErr()) return mistake(placeIn(pattern, compiled.error), compiled.error.message);
    return this.negatable(e.negated, { ir: "match", left: left.value.text, regex: compiled.value });
  }

  private call(e: Expression & { readonly node: "call" }): Operand {
    const { name } = e.name;
    const only = (): Expression => {
      if (e.args.length !== 1) mistake(e, `${name} takes one value, got ${e.args.length}`);
      return e.args[0]!;
    };
    switch (name) {
      case "under":
        return this.under(e);
      case "known":
        return condition(this.known(only()));
      case "abs": {
        const of = this.measured(only());
        const type = of.type as ValueType;
        return number(type, { ir: "abs", type, operand: of.value.number });
      }
      case "lower": {
        const of = this.value(only());
        if (of.value.kind !== "text")
          return mistake(e, `lower is for texts, this is ${TYPE_WORDS[of.type as ValueType] ?? "null"}`);
        return text({ ir: "lower", operand: of.value.text });
      }
    }
    if (!FUNCTIONS.some((f) => f.name === name)) {
      const names = FUNCTIONS.map((f) => f.name);
      return mistake(
        e.name,
        `there is no function '${name}'`,
        nearest(name, names),
        `functions are ${names.join(", ")}`,
      );
    }
    if (name === "any" || name === "all" || e.args.some((arg) => innerOf(arg) !== undefined)) return this.each(e);
    if (this.onAggregate === undefined)
      return mistake(
        e,
        `${name} is computed of groups of rows, not of one`,
        [],
        `write '| agg x = ${name}(...)', or of children: ${name}(child.wall)`,
      );
    return this.aggregate(e, this.onAggregate);
  }

  private under(e: Expression & { readonly node: "call" }): Operand {
    if (this.scope.of !== "table") return mistake(e, "under is asked of rows of a table, before select, group and agg");
    if (e.args.length === 0) mistake(e, "under takes a process", [], "such as under(p12) or, by pid, under(4711)");
    const lives: number[] = [];
    const pids: number[] = [];
    for (const arg of e.args) {
      if (arg.node === "name") mistake(arg, "under takes a handle or a pid", [], "such as under(p12) or under(4711)");
      const { type, value, literal } = this.value(arg);
      if (
        !literal ||
        value.kind !== "number" ||
        value.number.ir !== "constant" ||
        (type !== "proc" && type !== "number")
      )
        return mistake(arg, "under takes a handle or a pid", [], "such as under(p12) or under(4711)");
      (type === "proc" ? lives : pids).push(value.number.value);
    }
    const process: RowPath = { frame: 0, at: 0, steps: toProcess(this.scope.table) };
    return condition({ ir: "under", process, lives, pids });
  }

  /** any(child.exit != 0), count(child), sum(child.wall). */
  private each(e: Expression & { readonly node: "call" }): Operand {
    const { name } = e.name;
    if (this.scope.of !== "table")
      return mistake(e, `${name} over children is asked of rows of a table, before select, group and agg`);
    if (this.scope.inner !== undefined)
      return mistake(e, "any(), all() and sums over children do not stand in one another");
    if (e.args.length !== 1) mistake(e, `${name} takes one value, got ${e.args.length}`);
    const arg = e.args[0]!;
    const inner = innerOf(arg);
    if (inner === undefined)
      return mistake(e, `${name} asks about children or images, none is named`, [], `such as ${name}(child.exit != 0)`);
    const quantifier = name as Quantifier;
    if (!["any", "all", "count", "sum", "min", "max", "avg"].includes(name))
      return mistake(e.name, `${name} is not computed of children`, [], "any, all, count, sum, min, max and avg are");
    const checker = new Checker({ ...this.scope, inner });
    const process: RowPath = { frame: 0, at: 0, steps: toProcess(this.scope.table) };
    const make = (type: ValueType, value: NumberNode | undefined, of: BoolNode | undefined): NumberNode => ({
      ir: "each",
      quantifier,
      over: inner,
      process,
      type,
      condition: of,
      value,
    });
    if (name === "any" || name === "all") {
      const node = make("bool", undefined, checker.condition(arg));
      return condition({ ir: "truthy", operand: node });
    }
    if (name === "count") {
      const bare = arg.node === "name" && arg.parts.length === 1;
      return number("count", make("count", undefined, bare ? undefined : checker.condition(arg)));
    }
    const value = checker.measured(arg);
    const type = value.type as ValueType;
    if (name === "sum" && type === "time")
      return mistake(arg, "moments are not added up", [], "sum durations, such as child.wall");
    return number(name === "avg" && isPlain(type) ? "number" : type, make(type, value.value.number, undefined));
  }

  private aggregate(e: Expression & { readonly node: "call" }, add: (aggregate: Aggregate) => Operand): Operand {
    const { name } = e.name;
    const kind = (name === "median" ? "p50" : name) as AggregateKind;
    if (kind === "count" && e.args.length === 0) return add({ kind, type: "count", value: undefined });
    if (e.args.length !== 1) mistake(e, `${name} takes one value, got ${e.args.length}`);
    const arg = e.args[0]!;
    const inner = new Checker(this.scope);
    if (kind === "count" || kind === "distinct" || kind === "first") {
      const of = inner.value(arg);
      if (of.type === "null") mistake(arg, "null has no values");
      const value = kind === "count" ? ({ kind: "bool", bool: inner.asCondition(of, arg) } as const) : of.value;
      return add({ kind, type: kind === "first" ? (of.type as ValueType) : "count", value });
    }
    const of = inner.measured(arg);
    const type = of.type as ValueType;
    if (kind === "sum" && type === "time") mistake(arg, "moments are not added up", [], "sum durations, such as wall");
    return add({ kind, type: kind === "avg" && isPlain(type) ? "number" : type, value: of.value });
  }

  /** What may be typed where a name stands. */
  names(): string[] {
    return scopeNames(this.scope);
  }
}
