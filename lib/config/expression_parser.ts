// Expressions and types of the c4m language. Operators associate to the left and bind as everywhere; where the original
// (all operators to the right, `not` up to the end) would mean something else, a warning says so.
import type { BinaryOperator, Expression } from "./ast.ts";
import { type Diagnostics, fault } from "./diagnostic.ts";
import { parseLiteral } from "./literal.ts";
import type { Token } from "./token.ts";
import type { TokenStream } from "./token_stream.ts";
import { parseType, startsType } from "./type_parser.ts";

const BINDING: ReadonlyMap<string, readonly [number, BinaryOperator]> = new Map([
  ["or", [1, "or"]],
  ["||", [1, "or"]],
  ["and", [2, "and"]],
  ["&&", [2, "and"]],
  ["==", [4, "=="]],
  ["is", [4, "=="]],
  ["!=", [4, "!="]],
  ["<", [5, "<"]],
  [">", [5, ">"]],
  ["<=", [5, "<="]],
  [">=", [5, ">="]],
  ["+", [6, "+"]],
  ["-", [6, "-"]],
  ["*", [7, "*"]],
  ["/", [7, "/"]],
  ["%", [7, "%"]],
]);

/** `not` takes comparisons with it, but neither `and` nor `or`. */
const NOT_BINDING = 3;

/** Operators or accesses in a row; more is nobody's configuration and would exhaust the stack. */
const MAX_CHAIN = 500;

export class ExpressionParser {
  protected readonly stream: TokenStream;
  protected readonly problems: Diagnostics;

  constructor(stream: TokenStream, problems: Diagnostics) {
    this.stream = stream;
    this.problems = problems;
  }

  expression(): Expression {
    return this.binary(1);
  }

  private binary(floor: number): Expression {
    const { stream } = this;
    let left = stream.nested(() => (floor <= NOT_BINDING ? this.maybeNot() : this.unary()));
    for (let length = 0; ; length++) {
      const token = stream.peek();
      const binding = token.kind === "operator" || token.kind === "keyword" ? BINDING.get(token.text) : undefined;
      if (binding === undefined || binding[0] < floor) return left;
      if (length > MAX_CHAIN) throw fault(stream.spot(token.at), "the expression is too long");
      stream.take();
      const right = this.binary(binding[0] + 1);
      this.tellAssociativity(binding[1], left, token);
      left = { kind: "binary", operator: binding[1], left, right, at: token.at };
    }
  }

  /** `10 - 3 - 2` and `8 / 4 / 2` have another value in the original. */
  private tellAssociativity(operator: BinaryOperator, left: Expression, token: Token): void {
    if ((operator === "-" || operator === "/") && left.kind === "binary" && left.operator === operator)
      this.problems.info(
        this.stream.spot(token.at),
        `a ${operator} b ${operator} c is read as (a ${operator} b) ${operator} c; chalk reads a ${operator} (b ${operator} c)`,
      );
  }

  private maybeNot(): Expression {
    const { stream } = this;
    if (!stream.is("not") && !stream.is("!")) return this.unary();
    const { at } = stream.take();
    const of = this.binary(NOT_BINDING);
    for (const word of ["and", "&&", "or", "||"])
      if (stream.is(word))
        this.problems.warn(
          stream.spot(at),
          `'not' applies to what stands before '${word}' here, but in chalk to everything up to the end; add parentheses`,
        );
    return { kind: "not", of, at };
  }

  private unary(): Expression {
    const { stream } = this;
    if (stream.is("not") || stream.is("!")) return this.maybeNot();
    const token = stream.peek();
    if (stream.takeIf("+")) return stream.nested(() => this.unary());
    if (stream.takeIf("-")) return { kind: "negate", of: stream.nested(() => this.unary()), at: token.at };
    return this.access();
  }

  private access(): Expression {
    const { stream } = this;
    let value = this.primary();
    for (let length = 0; ; length++) {
      const { at } = stream.peek();
      if (length > MAX_CHAIN) throw fault(stream.spot(at), "the expression is too long");
      if (stream.takeIf(".")) {
        const name = this.memberName();
        value = stream.is("(")
          ? { kind: "call", name: name.text, args: [value, ...this.args()], at: name.at }
          : { kind: "member", of: value, name: name.text, at: name.at };
      } else if (stream.is("[")) {
        stream.take();
        stream.enterBrackets();
        const index = this.expression();
        stream.leaveBrackets("]", "']' after the index");
        value = { kind: "index", of: value, index, at };
      } else return value;
    }
  }

  protected memberName(): Token {
    const token = this.stream.peek();
    if (token.kind !== "name" && token.kind !== "keyword") throw this.stream.unexpected("a name after '.'");
    return this.stream.take();
  }

  private args(): Expression[] {
    this.stream.expect("(");
    return this.items(")", "',' or ')' after an argument");
  }

  /** Behind the opening bracket, up to and with the closing one. A comma before it is tolerated. */
  private items(close: string, expected: string): Expression[] {
    const { stream } = this;
    const items: Expression[] = [];
    stream.enterBrackets();
    while (!stream.is(close)) {
      items.push(this.expression());
      if (!stream.takeIf(",")) break;
    }
    stream.leaveBrackets(close, expected);
    return items;
  }

  private primary(): Expression {
    const { stream } = this;
    const token = stream.peek();
    const { at } = token;
    switch (token.kind) {
      case "int":
        stream.take();
        return { kind: "int", value: BigInt(token.text), at };
      case "float":
        stream.take();
        return { kind: "float", value: Number(token.text), at };
      case "string":
        stream.take();
        return { kind: "string", value: token.text, at };
      case "char":
        stream.take();
        return { kind: "char", value: token.text, at };
      case "other":
        return this.literal();
      case "name":
        return this.nameOrCall();
      case "keyword":
        return this.keyword();
      case "operator":
        return this.bracketed();
      default:
        throw stream.unexpected("a value");
    }
  }

  private literal(): Expression {
    const token = this.stream.take();
    const value = parseLiteral(token.text);
    if (value !== undefined) return { kind: "other", value, at: token.at };
    this.problems.error(
      this.stream.spot(token.at),
      `invalid literal <<${token.text.slice(0, 60)}>>, expected a duration (<<10 seconds>>), a size (<<10 mb>>), a date, a time or an address`,
    );
    return { kind: "other", value: { kind: "Duration", us: 0n }, at: token.at };
  }

  private nameOrCall(): Expression {
    const { stream } = this;
    if (startsType(stream)) return { kind: "type", at: stream.peek().at, type: parseType(stream) };
    const name = stream.take();
    if (!stream.is("(")) return { kind: "name", name: name.text, at: name.at };
    return { kind: "call", name: name.text, args: this.args(), at: name.at };
  }

  private keyword(): Expression {
    const { stream } = this;
    const token = stream.peek();
    switch (token.text) {
      case "true":
      case "True":
      case "false":
      case "False":
        stream.take();
        return { kind: "bool", value: token.text.toLowerCase() === "true", at: token.at };
      case "func":
        if (stream.is("(", 1)) return { kind: "type", at: token.at, type: parseType(stream) };
        stream.take();
        return this.callback(token.at);
      default:
        throw stream.unexpected("a value");
    }
  }

  private callback(at: number): Expression {
    const { stream } = this;
    const name = stream.expectName("the name of a function after 'func'");
    return { kind: "callback", name: name.text, type: stream.is("(") ? parseType(stream) : undefined, at };
  }

  private bracketed(): Expression {
    const { stream } = this;
    const { at } = stream.peek();
    if (stream.is("`")) return { kind: "type", at, type: parseType(stream) };
    if (stream.takeIf("[")) return { kind: "list", items: this.items("]", "',' or ']' in a list"), at };
    if (stream.takeIf("(")) {
      const items = this.items(")", "',' or ')' after a value in parentheses");
      if (items.length === 0) throw fault(stream.spot(at), "nothing between ( and ), expected a value");
      return items.length === 1 ? items[0]! : { kind: "tuple", items, at };
    }
    if (stream.takeIf("{")) return this.dict(at);
    throw stream.unexpected("a value");
  }

  private dict(at: number): Expression {
    const { stream } = this;
    const entries: [Expression, Expression][] = [];
    stream.enterBrackets();
    while (!stream.is("}")) {
      const key = this.expression();
      stream.expect(":", "':' after a key");
      entries.push([key, this.expression()]);
      if (!stream.takeIf(",")) break;
    }
    stream.leaveBrackets("}", "',' or '}' in a dictionary");
    return { kind: "dict", entries, at };
  }
}
