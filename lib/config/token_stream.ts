// The tokens of a configuration with a place in them: looking ahead, expecting, and the errors that follow.
// Inside brackets line ends do not count; the parser says when it is inside.
import { printable } from "../base/text.ts";
import { type ConfigFault, fault, type Spot } from "./diagnostic.ts";
import type { SourceText } from "./source_text.ts";
import type { Token } from "./token.ts";

/** Deeper nesting is nobody's configuration and would exhaust the stack. */
export const MAX_NESTING = 100;

/** What a token is called in an error. */
export function describeToken(token: Token): string {
  switch (token.kind) {
    case "end":
      return "the end of the file";
    case "eos":
      return token.text === ";" ? "';'" : "the end of the line";
    case "string":
      return "a text";
    case "char":
      return "a character";
    case "other":
      return "a literal";
    default: {
      const text = printable(token.text);
      return `'${text.length > 40 ? text.slice(0, 40) + "..." : text}'`;
    }
  }
}

export class TokenStream {
  readonly source: SourceText;
  private readonly tokens: readonly Token[];
  private next = 0;
  private brackets = 0;
  private nesting = 0;

  constructor(source: SourceText, tokens: readonly Token[]) {
    this.source = source;
    this.tokens = tokens;
  }

  /** The token that comes, or the one after it with `ahead` 1. */
  peek(ahead = 0): Token {
    const { tokens } = this;
    if (this.brackets > 0) while (this.isLineEnd(tokens[this.next]!)) this.next++;
    let at = this.next;
    for (let left = ahead; left > 0; left--) {
      if (at < tokens.length - 1) at++;
      if (this.brackets > 0) while (this.isLineEnd(tokens[at]!)) at++;
    }
    return tokens[at]!;
  }

  private isLineEnd(token: Token): boolean {
    return token.kind === "eos" && token.text !== ";";
  }

  take(): Token {
    const token = this.peek();
    if (token.kind !== "end") this.next++;
    return token;
  }

  spot(at: number): Spot {
    return { source: this.source, at };
  }

  is(text: string, ahead = 0): boolean {
    const token = this.peek(ahead);
    return (token.kind === "operator" || token.kind === "keyword") && token.text === text;
  }

  /** Takes the token when it is `text`. */
  takeIf(text: string): boolean {
    if (!this.is(text)) return false;
    this.next++;
    return true;
  }

  unexpected(expected: string): ConfigFault {
    const token = this.peek();
    return fault(this.spot(token.at), `found ${describeToken(token)}, expected ${expected}`);
  }

  expect(text: string, expected = `'${text}'`): Token {
    if (!this.is(text)) throw this.unexpected(expected);
    return this.take();
  }

  expectName(expected: string): Token {
    if (this.peek().kind !== "name") throw this.unexpected(expected);
    return this.take();
  }

  /** The end of a statement: a line end, `;`, or what closes the block. */
  expectEnd(): void {
    const token = this.peek();
    if (token.kind === "eos") this.next++;
    else if (token.kind !== "end" && !this.is("}")) throw this.unexpected("the end of the statement");
  }

  skipEnds(): void {
    while (this.peek().kind === "eos") this.next++;
  }

  /** To the end of the file. */
  skipAll(): void {
    this.next = this.tokens.length - 1;
  }

  enterBrackets(): void {
    this.brackets++;
  }

  /** Takes the closing bracket; what follows it may be a line end that counts. */
  leaveBrackets(close: string, expected: string): void {
    this.expect(close, expected);
    this.brackets--;
  }

  /** Runs `parse` one level deeper; refuses when that is too deep. */
  nested<T>(parse: () => T): T {
    if (this.nesting >= MAX_NESTING) throw fault(this.spot(this.peek().at), "nested too deeply");
    this.nesting++;
    const result = parse();
    this.nesting--;
    return result;
  }

  /** After an error: behind the statement that had it, whole blocks included. */
  recover(levels: number): void {
    this.brackets = 0;
    this.nesting = levels;
    for (let depth = 0; ;) {
      const token = this.peek();
      if (token.kind === "end") return;
      if (this.is("{")) depth++;
      if (this.is("}")) {
        if (depth === 0) return;
        depth--;
      }
      this.next++;
      if (token.kind === "eos" && depth === 0) return;
    }
  }

  /** How deep it is now, for `recover`. */
  get level(): number {
    return this.nesting;
  }
}
