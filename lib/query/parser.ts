// Tokens to a query or an expression: recursive descent with precedence climbing. It knows words and order but no fields;
// those are the checker's. Nesting is bounded, so that hostile text cannot overflow the stack.
import { err, ok, type Result } from "neverthrow";
import { nearest } from "../base/nearest.ts";
import type { BinaryOperator, Expression, Item, Name, Pattern, Query, SortKey, Span, Stage } from "./ast.ts";
import { tokens, type Token } from "./lexer.ts";
import { queryError, type QueryError } from "./query_error.ts";

/** Parentheses, calls and `not` within one another. */
export const DEPTH_LIMIT = 100;

/** Stages of a pipeline and what they are for. `top` is `limit`. */
export const STAGES: ReadonlyMap<string, string> = new Map([
  ["where", "keep the rows of which a condition is true"],
  ["sort", "order by one or more values; -value from the largest"],
  ["top", "the first N rows; `top N by value` the N with the largest value"],
  ["limit", "the first N rows"],
  ["skip", "without the first N rows"],
  ["select", "choose and compute columns: select pid, exe, idle = wall - cpu"],
  ["distinct", "each combination of values once"],
  ["group", "rows with equal values together; `agg` says what is computed of them"],
  ["agg", "what is computed of each group, or of all rows: n=count(), total=sum(wall)"],
  ["count", "how many rows there are"],
]);

/** Words of expressions that are no names. */
export const KEYWORDS: ReadonlySet<string> = new Set([
  "and",
  "or",
  "not",
  "in",
  "between",
  "like",
  "is",
  "null",
  "true",
  "false",
]);

/** How tightly operators bind; `not` stands between `and` and the comparisons. */
const POWER: ReadonlyMap<string, number> = new Map([
  ["or", 1],
  ["and", 2],
  ["==", 4],
  ["=", 4],
  ["!=", 4],
  ["<", 4],
  ["<=", 4],
  [">", 4],
  [">=", 4],
  ["~", 4],
  ["!~", 4],
  ["like", 4],
  ["in", 4],
  ["between", 4],
  ["is", 4],
  ["not", 4],
  ["+", 5],
  ["-", 5],
  ["*", 6],
  ["/", 6],
  ["%", 6],
]);
const COMPARE = 4;
const UNARY = 7;

/** Carries the first error out of the recursion; never leaves this file. */
class Fault extends Error {
  readonly fault: QueryError;
  constructor(fault: QueryError) {
    super(fault.message);
    this.fault = fault;
  }
}

export function parseQuery(text: string): Result<Query, QueryError> {
  return parseWith(text, (p) => p.query(text));
}

export function parseExpression(text: string): Result<Expression, QueryError> {
  return parseWith(text, (p) => p.whole());
}

function parseWith<T>(text: string, parse: (parser: Parser) => T): Result<T, QueryError> {
  return tokens(text).andThen((list): Result<T, QueryError> => {
    try {
      return ok(parse(new Parser(list)));
    } catch (error) {
      if (error instanceof Fault) return err(error.fault);
      throw error;
    }
  });
}

class Parser {
  private readonly tokens: readonly Token[];
  private i = 0;
  private depth = 0;

  constructor(list: readonly Token[]) {
    this.tokens = list;
  }

  private get next(): Token {
    return this.tokens[this.i]!;
  }

  private peek(ahead: number): Token | undefined {
    return this.tokens[this.i + ahead];
  }

  private take(): Token {
    const token = this.next;
    if (token.kind !== "end") this.i++;
    return token;
  }

  private fail(span: Span, message: string, near: readonly string[] = [], hint?: string): never {
    throw new Fault(queryError(span, message, near, hint));
  }

  private isWord(word: string, token: Token | undefined = this.next): boolean {
    return token?.kind === "word" && token.value === word;
  }

  private isOperator(op: string, token: Token | undefined = this.next): boolean {
    return token?.kind === "operator" && token.value === op;
  }

  private accept(op: string): boolean {
    const is = this.isOperator(op);
    if (is) this.i++;
    return is;
  }

  private expect(op: string, after: string): Token {
    if (!this.isOperator(op)) this.fail(this.next, `expected ${op} ${after}, got ${shown(this.next)}`);
    return this.take();
  }

  private spanFrom(from: Span): Span {
    const last = this.tokens[this.i - 1] ?? this.next;
    return { at: from.at, length: Math.max(1, last.at + last.length - from.at) };
  }

  private deeper<T>(at: Span, parse: () => T): T {
    if (++this.depth > DEPTH_LIMIT) this.fail(at, `nested more than ${DEPTH_LIMIT} levels deep`);
    const result = parse();
    this.depth--;
    return result;
  }

  // Queries.

  query(text: string): Query {
    const first = this.next;
    const stages: Stage[] = [];
    let table: Name | undefined;
    if (this.beginsWithTable()) {
      const word = this.take();
      table = { name: word.value, at: word.at, length: word.length };
      if (this.next.kind === "word" && STAGES.has(this.next.value)) stages.push(...this.stage());
    } else if (this.isStage(first)) stages.push(...this.stage());
    else if (first.kind === "end")
      this.fail(first, "the query is empty", [], "expected a table such as procs, or a condition such as wall > 10ms");
    else {
      const condition = this.expression();
      stages.push({ stage: "where", condition, at: condition.at, length: condition.length });
    }
    while (this.accept("|")) stages.push(...this.stage());
    this.end("| and a stage");
    return { text, table, stages, ...this.spanFrom(first) };
  }

  /** `count` begins a stage, `count(` an expression. */
  private isStage(token: Token): boolean {
    return token.kind === "word" && STAGES.has(token.value) && !this.isOperator("(", this.peek(1));
  }

  /** A word alone, or before a stage: the name of a table, whether there is such a table or not. */
  private beginsWithTable(): boolean {
    const { next } = this;
    if (next.kind !== "word" || STAGES.has(next.value) || KEYWORDS.has(next.value)) return false;
    const after = this.peek(1)!;
    return after.kind === "end" || this.isOperator("|", after) || (after.kind === "word" && STAGES.has(after.value));
  }

  private end(expected: string): void {
    const { next } = this;
    if (next.kind === "end") return;
    const near =
      next.kind === "word" && next.value.length > 1 ? nearest(next.value, [...STAGES.keys(), ...KEYWORDS]) : [];
    const before = this.tokens[this.i - 1];
    const habit = habitHint(next, before);
    const hint =
      habit !== undefined
        ? habit
        : next.kind === "word" && STAGES.has(next.value)
          ? `stages are separated by |, as in '| ${next.value}'`
          : before?.kind === "word" && (next.kind === "word" || this.isOperator("+") || next.kind === "number")
            ? "a text of several words stands in quotes"
            : undefined;
    this.fail(next, `expected ${expected} or the end, got ${shown(next)}`, habit === undefined ? near : [], hint);
  }

  private stage(): Stage[] {
    const word = this.next;
    if (word.kind !== "word" || !STAGES.has(word.value)) {
      const habit = habitHint(word, undefined);
      const near = word.kind === "word" && habit === undefined ? nearest(word.value, [...STAGES.keys()]) : [];
      this.fail(
        word,
        `expected a stage, got ${shown(word)}`,
        near,
        habit ?? `stages are ${[...STAGES.keys()].join(", ")}`,
      );
    }
    this.take();
    switch (word.value) {
      case "where": {
        const condition = this.expression();
        return [{ stage: "where", condition, ...this.spanFrom(word) }];
      }
      case "sort": {
        if (this.isWord("by")) this.take();
        const keys = this.list(() => this.sortKey());
        return [{ stage: "sort", keys, ...this.spanFrom(word) }];
      }
      case "top":
      case "limit": {
        const count = this.wholeNumber(word);
        let by: SortKey | undefined;
        if (word.value === "top" && this.isWord("by")) {
          this.take();
          const key = this.sortKey();
          // The largest are asked for: a minus turns it round.
          by = { ...key, descending: !key.descending };
        }
        return [{ stage: "limit", count, by, ...this.spanFrom(word) }];
      }
      case "skip": {
        const count = this.wholeNumber(word);
        return [{ stage: "skip", count, ...this.spanFrom(word) }];
      }
      case "select": {
        const items = this.list(() => this.item());
        return [{ stage: "select", items, ...this.spanFrom(word) }];
      }
      case "distinct": {
        const items = this.next.kind === "end" || this.isOperator("|") ? [] : this.list(() => this.item());
        return [{ stage: "distinct", items, ...this.spanFrom(word) }];
      }
      case "agg": {
        const aggregates = this.list(() => this.item());
        return [{ stage: "group", keys: [], aggregates, ...this.spanFrom(word) }];
      }
      case "group": {
        if (this.isWord("by")) this.take();
        const keys = this.list(() => this.item());
        let aggregates: Item[] = [];
        if (this.isWord("agg") || (this.isOperator("|") && this.isWord("agg", this.peek(1)))) {
          this.accept("|");
          this.take();
          aggregates = this.list(() => this.item());
        }
        return [{ stage: "group", keys, aggregates, ...this.spanFrom(word) }];
      }
      default:
        return [{ stage: "count", ...this.spanFrom(word) }];
    }
  }

  private wholeNumber(stage: Token): number {
    const token = this.take();
    if (token.kind !== "number" || token.quantity !== "number" || !Number.isSafeInteger(token.number))
      this.fail(
        token,
        `expected a whole number after ${stage.value}, got ${shown(token)}`,
        [],
        `such as '${stage.value} 10'`,
      );
    return token.number!;
  }

  private list<T>(one: () => T): T[] {
    const all = [one()];
    while (this.accept(",")) all.push(one());
    return all;
  }

  private sortKey(): SortKey {
    const first = this.next;
    const minus = this.accept("-");
    const expression = this.expression();
    const word = this.next;
    let descending = minus;
    if (this.isWord("desc") || this.isWord("asc")) {
      this.take();
      descending = (word.value === "desc") !== minus;
    }
    return { expression, descending, ...this.spanFrom(first) };
  }

  private item(): Item {
    const first = this.next;
    let name: Name | undefined;
    const named = (first.kind === "word" && !KEYWORDS.has(first.value)) || first.kind === "handle";
    if (named && this.isOperator("=", this.peek(1))) {
      name = { name: first.value, at: first.at, length: first.length };
      this.i += 2;
    }
    const expression = this.expression();
    return { name, expression, ...this.spanFrom(first) };
  }

  // Expressions.

  whole(): Expression {
    if (this.next.kind === "end") this.fail(this.next, "the condition is empty", [], "such as wall > 10ms");
    const expression = this.expression();
    this.end("an operator");
    return expression;
  }

  private expression(power = 0): Expression {
    return this.deeper(this.next, () => {
      const first = this.next;
      let left = this.operand();
      for (;;) {
        const op = this.next;
        if (op.kind !== "operator" && op.kind !== "word") return left;
        const binds = POWER.get(op.value);
        if (binds === undefined || binds <= power) return left;
        if (
          op.value === "not" &&
          !(
            this.isWord("in", this.peek(1)) ||
            this.isWord("like", this.peek(1)) ||
            this.isWord("between", this.peek(1))
          )
        )
          return left;
        if (binds === COMPARE && isComparison(left) && !this.parenthesised)
          this.fail(op, "comparisons cannot be chained", [], "join them with and, or write 'x between 1 and 2'");
        this.take();
        left = this.infix(first, left, op, binds);
        this.parenthesised = false;
      }
    });
  }

  /** The operand that was read last stood in parentheses. */
  private parenthesised = false;

  private infix(first: Span, left: Expression, op: Token, binds: number): Expression {
    switch (op.value) {
      case "~":
      case "!~": {
        const pattern = this.pattern();
        return { node: "match", how: "regex", negated: op.value === "!~", left, pattern, ...this.spanFrom(first) };
      }
      case "not":
        return this.negatable(first, left, this.take(), true);
      case "like":
      case "in":
      case "between":
        return this.negatable(first, left, op, false);
      case "is": {
        const negated = this.isWord("not");
        if (negated) this.take();
        if (!this.isWord("null")) this.fail(this.next, `expected null after is, got ${shown(this.next)}`);
        this.take();
        return { node: "is-null", negated, left, ...this.spanFrom(first) };
      }
      default: {
        const right = this.expression(binds);
        const operator = (op.value === "=" ? "==" : op.value) as BinaryOperator;
        return { node: "binary", op: operator, left, right, ...this.spanFrom(first) };
      }
    }
  }

  private negatable(first: Span, left: Expression, op: Token, negated: boolean): Expression {
    if (op.value === "like") {
      const token = this.take();
      if (token.kind !== "text")
        this.fail(token, `expected a pattern in quotes after like, got ${shown(token)}`, [], 'such as like "*.c"');
      // In SQL % is what * is here: without a word about it such a pattern is true of nothing.
      if (/%/.test(token.value) && !/[*?[\\]/.test(token.value))
        this.fail(
          token,
          "patterns of like are those of a shell: * is any text",
          [],
          `such as like "${token.value.replaceAll("%", "*")}"; a % itself is compared with ==`,
        );
      const pattern: Pattern = { source: token.value, flags: "", at: token.at, length: token.length };
      return { node: "match", how: "glob", negated, left, pattern, ...this.spanFrom(first) };
    }
    if (op.value === "in") {
      this.expect("(", "after in");
      const items = this.list(() => this.expression());
      this.expect(")", "after the values");
      return { node: "in", negated, left, items, ...this.spanFrom(first) };
    }
    // Values only: the `and` belongs to between.
    const low = this.expression(COMPARE);
    if (!this.isWord("and"))
      this.fail(this.next, `expected and after the lower bound of between, got ${shown(this.next)}`);
    this.take();
    const high = this.expression(COMPARE);
    return { node: "between", negated, left, low, high, ...this.spanFrom(first) };
  }

  private pattern(): Pattern {
    const token = this.take();
    const { at, length } = token;
    if (token.kind === "regex") return { source: token.value, flags: token.flags ?? "", at, length };
    if (token.kind === "text") return { source: token.value, flags: "", at, length };
    const such =
      token.kind === "word" && /^\w+$/.test(token.value) ? `~ /${token.value.slice(0, 40)}/` : "~ /^gcc/ or ~ /make/i";
    return this.fail(token, `expected a regex after ~, got ${shown(token)}`, [], `such as ${such}`);
  }

  private operand(): Expression {
    const token = this.take();
    const { at, length } = token;
    this.parenthesised = false;
    switch (token.kind) {
      case "number":
        return { node: "number", value: token.number!, quantity: token.quantity!, at, length };
      case "text":
        return { node: "text", value: token.value, at, length };
      case "handle":
        return this.handle(token);
      case "word":
        return this.word(token);
      case "regex":
        return this.fail(token, "a regex stands after ~", [], `such as argv ~ /${token.value}/`);
      case "end":
        return this.fail(token, "the text ends where a value was expected");
      case "operator":
        break;
    }
    if (token.value === "(") {
      const inner = this.expression();
      this.expect(")", "to close the parenthesis");
      this.parenthesised = true;
      return { ...inner, ...this.spanFrom(token) };
    }
    if (token.value === "-") {
      const operand = this.expression(UNARY);
      return { node: "unary", op: "-", operand, ...this.spanFrom(token) };
    }
    if (token.value === "not") return this.negation(token);
    const before = this.tokens[this.i - 2];
    const hint =
      token.value === "~" && this.isOperator("=", before)
        ? "a regex follows ~ alone: argv ~ /curl/"
        : token.value === "=" && this.isOperator("==", before)
          ? "== is the longest: exe == make"
          : token.value === "*" && this.isWord("select", before)
            ? "without select all columns are shown"
            : undefined;
    return this.fail(token, `expected a value, got ${shown(token)}`, [], hint);
  }

  private negation(token: Token): Expression {
    const operand = this.expression(COMPARE - 1);
    return { node: "unary", op: "not", operand, ...this.spanFrom(token) };
  }

  private handle(token: Token): Expression {
    if (this.isOperator("(")) return this.call(token);
    const of = token.value.startsWith("p") ? "proc" : "event";
    const index = token.number!;
    if (this.isOperator(".") && !this.next.spaced) {
      this.take();
      const field = this.take();
      if (field.kind !== "word") this.fail(field, `expected a field after '${token.value}.', got ${shown(field)}`);
      const name: Name = { name: field.value, at: field.at, length: field.length };
      return { node: "handle", of, index, field: name, ...this.spanFrom(token) };
    }
    return { node: "handle", of, index, at: token.at, length: token.length };
  }

  private word(token: Token): Expression {
    const { at, length } = token;
    switch (token.value) {
      case "not":
        return this.negation(token);
      case "true":
      case "false":
        return { node: "bool", value: token.value === "true", at, length };
      case "null":
        return { node: "null", at, length };
    }
    if (KEYWORDS.has(token.value)) this.fail(token, `expected a value, got ${shown(token)}`);
    if (inCapitals(token.value))
      this.fail(token, `expected a value, got ${shown(token)}`, [], habitHint(token, undefined));
    if (this.isOperator("(")) return this.call(token);
    const parts: Name[] = [{ name: token.value, at, length }];
    while (this.isOperator(".") && !this.next.spaced) {
      this.take();
      const part = this.next;
      if ((part.kind !== "word" && part.kind !== "handle") || part.spaced)
        this.fail(part, `expected a name after '.', got ${shown(part)}`);
      this.take();
      parts.push({ name: part.value, at: part.at, length: part.length });
    }
    return { node: "name", parts, ...this.spanFrom(token) };
  }

  private call(token: Token): Expression {
    this.take();
    const args = this.isOperator(")") ? [] : this.list(() => this.expression());
    this.expect(")", `after what ${token.value} is given`);
    const name: Name = { name: token.value, at: token.at, length: token.length };
    return { node: "call", name, args, ...this.spanFrom(token) };
  }
}

function isComparison(e: Expression): boolean {
  if (e.node === "binary") return POWER.get(e.op) === COMPARE;
  return e.node === "match" || e.node === "in" || e.node === "between" || e.node === "is-null";
}

function shown(token: Token): string {
  if (token.kind === "end") return "the end";
  if (token.kind === "text") return "a text";
  if (token.kind === "regex") return "a regex";
  return `'${token.value.length > 40 ? token.value.slice(0, 40) + "..." : token.value}'`;
}

/** A word of the language as SQL is often written. */
const inCapitals = (word: string): boolean =>
  word.length > 1 && word === word.toUpperCase() && KEYWORDS.has(word.toLowerCase());

/** What those who know SQL or another language have probably meant, and how it is written here. */
const HABITS: ReadonlyMap<string, string> = new Map([
  ["order", "it is written '| sort wall', or '| sort -wall' from the largest"],
  ["from", "the table stands first: procs where wall > 1s | select pid, exe"],
  ["having", "a condition about groups is a stage of its own: | where n > 1"],
  ["contains", 'part of a text is found with ~ /text/ or like "*text*"'],
  ["matches", "a regex is matched with ~ /text/"],
  ["startswith", 'the beginning of a text is found with ~ /^text/ or like "text*"'],
  ["endswith", 'the end of a text is found with ~ /text$/ or like "*text"'],
  ["equals", "equality is =="],
]);

function habitHint(token: Token, before: Token | undefined): string | undefined {
  if (token.kind !== "word") return undefined;
  const lower = token.value.toLowerCase();
  if (
    before?.kind === "number" &&
    before.quantity === "number" &&
    /^(ns|us|ms|s|min|h|kb|mb|gb|kib|mib|gib)$/.test(lower)
  )
    return `a unit stands right behind its number: ${before.value.slice(0, 20)}${token.value}`;
  if (lower !== token.value && (KEYWORDS.has(lower) || STAGES.has(lower)))
    return `words of the language are written in lower case: ${lower}`;
  return HABITS.get(lower);
}
