// A query's text to tokens. Never throws; what is no token becomes an error with its place. The line editor uses the same
// tokens for its colours, so broken text also yields the tokens before the fault.
import { err, ok, type Result } from "neverthrow";
import type { Quantity, Span } from "./ast.ts";
import { queryError, type QueryError } from "./query_error.ts";

export type TokenKind = "word" | "number" | "text" | "regex" | "handle" | "operator" | "end";

export interface Token extends Span {
  readonly kind: TokenKind;
  /** Words and operators as they mean (`&&` is `and`); texts and regexes without their quotes. */
  readonly value: string;
  readonly number?: number;
  readonly quantity?: Quantity;
  /** Of a regex. */
  readonly flags?: string;
  /** A blank or the text's beginning stands before it. */
  readonly spaced: boolean;
}

/** Longer queries are refused. */
export const TEXT_LIMIT = 1 << 16;

const WORD = /[\p{L}_][\p{L}\p{N}_]*/uy;
const NUMBER = /\d[\d_]*(?:\.\d[\d_]*)?(?:[eE][+-]?\d+(?![\p{L}\p{N}_]))?/uy;
const UNIT = /[\p{L}]+/uy;
const OPERATOR = /==|!=|<>|<=|>=|!~|&&|\|\||[=<>~!|(),.+\-*/%]/y;
const SPELLED: Readonly<Record<string, string>> = { "&&": "and", "||": "or", "<>": "!=", "=": "=", "!": "not" };

const DURATIONS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  min: 60e9,
  h: 3600e9,
  d: 86400e9,
};
const SIZES: Readonly<Record<string, number>> = {
  B: 1,
  K: 1024,
  KB: 1024,
  KiB: 1024,
  M: 1024 ** 2,
  MB: 1024 ** 2,
  MiB: 1024 ** 2,
  G: 1024 ** 3,
  GB: 1024 ** 3,
  GiB: 1024 ** 3,
  T: 1024 ** 4,
  TB: 1024 ** 4,
  TiB: 1024 ** 4,
};

/** Words that a regex may follow although they are words. */
const BEFORE_OPERAND = new Set(["and", "or", "not", "in", "between", "like", "where", "by", "select", "sort"]);

export interface Lexed {
  readonly tokens: readonly Token[];
  readonly error: QueryError | undefined;
}

export function lex(text: string): Lexed {
  return new Lexer(text).run();
}

export function tokens(text: string): Result<readonly Token[], QueryError> {
  const { tokens, error } = lex(text);
  return error === undefined ? ok(tokens) : err(error);
}

class Lexer {
  private readonly text: string;
  private readonly tokens: Token[] = [];
  private at = 0;
  private spaced = true;
  private error: QueryError | undefined;

  constructor(text: string) {
    this.text = text;
  }

  run(): Lexed {
    const { text } = this;
    if (text.length > TEXT_LIMIT) {
      const error = queryError(
        { at: 0, length: 1 },
        `the query has ${text.length} characters, expected at most ${TEXT_LIMIT}`,
      );
      return { tokens: [this.token("end", 0, "")], error };
    }
    while (this.error === undefined && this.at < text.length) {
      const c = text[this.at]!;
      if (c === " " || c === "\t" || c === "\n" || c === "\r") {
        this.spaced = true;
        this.at++;
      } else if (c === "#") {
        const newline = text.indexOf("\n", this.at);
        this.at = newline < 0 ? text.length : newline;
        this.spaced = true;
      } else {
        this.one(c);
        this.spaced = false;
      }
    }
    this.spaced = true;
    if (this.error === undefined) this.tokens.push(this.token("end", 0, ""));
    return { tokens: this.tokens, error: this.error };
  }

  private token(kind: TokenKind, length: number, value: string, more: Partial<Token> = {}): Token {
    return { kind, at: this.at, length, value, spaced: this.spaced, ...more };
  }

  private push(token: Token): void {
    this.tokens.push(token);
    this.at += token.length;
  }

  private fail(length: number, message: string, hint?: string): void {
    this.error = queryError({ at: this.at, length }, message, [], hint);
  }

  private match(pattern: RegExp, at = this.at): string | undefined {
    pattern.lastIndex = at;
    return pattern.exec(this.text)?.[0];
  }

  private one(c: string): void {
    if (c === '"' || c === "'") return this.quoted(c);
    if (c >= "0" && c <= "9") return this.numeral();
    if (c === "/" && !this.afterOperand()) return this.regex();
    const word = this.match(WORD);
    if (word !== undefined) {
      const handle = /^[pe]\d{1,15}$/.test(word);
      const more = handle ? { number: Number(word.slice(1)) } : {};
      return this.push(this.token(handle ? "handle" : "word", word.length, word, more));
    }
    const operator = this.match(OPERATOR);
    if (operator !== undefined)
      return this.push(this.token("operator", operator.length, SPELLED[operator] ?? operator));
    const shown = String.fromCodePoint(this.text.codePointAt(this.at)!);
    const afterNumber = this.tokens.at(-1)?.kind === "number";
    const hint =
      shown === ":" && afterNumber
        ? "a moment is written as the time since the recording began, such as 1.2s"
        : shown === "["
          ? 'values after in stand in parentheses, such as in ("cc1", "as")'
          : shown === "&" || shown === ";"
            ? "conditions are joined with and"
            : 'texts stand in quotes, such as "a b"';
    this.fail(shown.length, `'${shown}' has no meaning here`, hint);
  }

  /** Whether what stands before is a value, so that a `/` divides it. */
  private afterOperand(): boolean {
    const last = this.tokens.at(-1);
    if (last === undefined) return false;
    if (last.kind === "word") return !BEFORE_OPERAND.has(last.value);
    return last.kind !== "operator" || last.value === ")";
  }

  private quoted(quote: string): void {
    const { text } = this;
    let value = "";
    let i = this.at + 1;
    for (;;) {
      const c = text[i];
      if (c === undefined || c === "\n")
        return this.fail(i - this.at, "a text that begins here has no end", `expected a closing ${quote}`);
      if (c === quote) break;
      if (c !== "\\") {
        value += c;
        i++;
        continue;
      }
      const read = escapeAt(text, i + 1);
      if (read === undefined) {
        this.at = i;
        return this.fail(
          2,
          `'${text.slice(i, i + 2)}' is no escape`,
          "expected \\n, \\t, \\r, \\\\, \\\", \\', \\xNN or \\u{N}",
        );
      }
      value += read.value;
      i += 1 + read.length;
    }
    this.push(this.token("text", i + 1 - this.at, value));
  }

  private regex(): void {
    const { text } = this;
    let inClass = false;
    for (let i = this.at + 1; i < text.length && text[i] !== "\n"; i++) {
      const c = text[i];
      if (c === "\\") i++;
      else if (c === "[") inClass = true;
      else if (c === "]") inClass = false;
      else if (c === "/" && !inClass) {
        const flags = this.match(UNIT, i + 1) ?? "";
        // `\/` is only how a slash is written between slashes.
        const source = text.slice(this.at + 1, i).replaceAll("\\/", "/");
        return this.push(this.token("regex", i + 1 + flags.length - this.at, source, { flags }));
      }
    }
    const before = this.tokens.at(-1)?.value;
    const hint =
      before === "~" || before === "!~" ? "expected a closing /" : 'a path stands in quotes, such as "/usr/bin/cc"';
    this.fail(1, "a regex that begins here has no end", hint);
  }

  /** A number and its unit; durations may have several, as tk prints them: `2m03s`. */
  private numeral(): void {
    const start = this.at;
    let i = start;
    let total = 0;
    let quantity: Quantity = "number";
    for (let part = 0; ; part++) {
      const digits = this.match(NUMBER, i);
      if (digits === undefined) break;
      const unitAt = i + digits.length;
      const unit = this.match(UNIT, unitAt) ?? "";
      const value = Number(digits.replaceAll("_", ""));
      const ns = Object.hasOwn(DURATIONS, unit) ? DURATIONS[unit] : undefined;
      const size = Object.hasOwn(SIZES, unit) ? SIZES[unit] : undefined;
      const kind: Quantity = ns !== undefined ? "duration" : size !== undefined ? "bytes" : "number";
      if (unit !== "" && kind === "number") {
        this.at = unitAt;
        return this.fail(
          unit.length,
          `'${unit}' is no unit`,
          "units are ns, us, ms, s, m, h of time and B, K, M, G of memory",
        );
      }
      if (part > 0 && kind !== "duration") break;
      quantity = kind;
      total += value * (ns ?? size ?? 1);
      i = unitAt + unit.length;
      if (kind !== "duration") break;
    }
    if (quantity === "duration") total = Math.round(total);
    this.push(this.token("number", i - start, this.text.slice(start, i), { number: total, quantity }));
  }
}

const ESCAPES: Readonly<Record<string, string>> = {
  n: "\n",
  t: "\t",
  r: "\r",
  e: "\x1b",
  "\\": "\\",
  '"': '"',
  "'": "'",
  "/": "/",
};

function escapeAt(text: string, at: number): { value: string; length: number } | undefined {
  const c = text[at] ?? "";
  if (Object.hasOwn(ESCAPES, c)) return { value: ESCAPES[c]!, length: 1 };
  const code = /^(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|u\{([0-9a-fA-F]{1,6})\})/.exec(text.slice(at, at + 10));
  if (code === null) return undefined;
  const point = Number.parseInt(code[1] ?? code[2] ?? code[3]!, 16);
  return point > 0x10ffff ? undefined : { value: String.fromCodePoint(point), length: code[0].length };
}
