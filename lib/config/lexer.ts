// A configuration's text to tokens. Never throws: what is no token becomes an error and is skipped.
// Rules: the reference of chalk's language con4m (September 2024), section 6.2; differences are in docs/configuration.md.
import { printable } from "../base/text.ts";
import type { Diagnostics } from "./diagnostic.ts";
import { readEscape } from "./escape.ts";
import type { SourceText } from "./source_text.ts";
import { CONTINUES, KEYWORDS, OPERATORS, type Token, type TokenKind } from "./token.ts";

const NAME = /[\p{L}_$][\p{L}\p{N}_$]*/uy;
/** The same in ASCII: quicker, and enough for nearly every name. */
const ASCII_NAME = /[A-Za-z_$][\w$]*/y;
const FLOAT = /\d+(?:\.\d+(?:[eE][+-]?\d+)?|[eE][+-]?\d+)/y;
const INT = /\d+/y;
/** A bare address (two dots or more) or time of day (two colons): no number looks like that. */
const BARE = /\d+(?:\.\d+){2,}(?:\/\d+)?|\d+:\d+:\d+(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?/y;

const MAX_INT = (1n << 63n) - 1n;

export function lex(source: SourceText, problems: Diagnostics): Token[] {
  return new Lexer(source, problems).run();
}

class Lexer {
  private readonly source: SourceText;
  private readonly text: string;
  private readonly problems: Diagnostics;
  private readonly tokens: Token[] = [];
  private at = 0;

  constructor(source: SourceText, problems: Diagnostics) {
    this.source = source;
    this.text = source.text;
    this.problems = problems;
  }

  run(): Token[] {
    const { text } = this;
    if (text.charCodeAt(0) === 0xfeff) this.at = 1;
    while (this.at < text.length) this.step();
    this.push("end", "", text.length);
    return this.tokens;
  }

  private push(kind: TokenKind, text: string, from: number): void {
    this.tokens.push({ kind, text, at: from, end: this.at });
  }

  private error(at: number, message: string): void {
    this.problems.error({ source: this.source, at }, message);
  }

  private step(): void {
    const { text, at } = this;
    const c = text[at]!;
    switch (c) {
      case " ":
      case "\t":
        this.at++;
        return;
      case "\r":
        if (text[at + 1] !== "\n") this.error(at, "a carriage return without a line feed, expected a line end");
        this.at++;
        return;
      case "\n":
        this.at++;
        this.endOfStatement(at);
        return;
      case ";":
        this.at++;
        this.push("eos", ";", at);
        return;
      case "#":
        this.skipLine();
        return;
      case '"':
        this.string();
        return;
      case "'":
        this.character();
        return;
    }
    if (text.startsWith("//", at)) return this.skipLine();
    if (text.startsWith("/*", at)) return this.skipComment();
    if (text.startsWith("<<", at)) return this.other();
    const code = text.charCodeAt(at);
    if (code >= 48 && code <= 57) return this.number();
    const name = this.name();
    if (name !== undefined) {
      this.at += name.length;
      this.push(KEYWORDS.has(name) ? "keyword" : "name", name, at);
      return;
    }
    for (const operator of OPERATORS)
      if (text.startsWith(operator, at)) {
        this.at += operator.length;
        this.push("operator", operator, at);
        return;
      }
    const found = String.fromCodePoint(text.codePointAt(at)!);
    this.error(at, `'${printable(found)}' means nothing here, expected a name, a value or an operator`);
    this.at += found.length;
    // A file of noise is told about once per line, not once per character.
    const lineEnd = text.indexOf("\n", this.at);
    if (this.problems.errors > 5) this.at = lineEnd < 0 ? text.length : lineEnd;
  }

  private match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    return pattern.exec(this.text)?.[0];
  }

  private name(): string | undefined {
    const ascii = this.match(ASCII_NAME);
    const next = this.text.charCodeAt(this.at + (ascii?.length ?? 0));
    return next >= 128 ? this.match(NAME) : ascii;
  }

  private endOfStatement(at: number): void {
    const last = this.tokens.at(-1);
    if (last === undefined || last.kind === "eos") return;
    if ((last.kind === "operator" || last.kind === "keyword") && CONTINUES.has(last.text)) return;
    this.push("eos", "\n", at);
  }

  private skipLine(): void {
    const end = this.text.indexOf("\n", this.at);
    this.at = end < 0 ? this.text.length : end;
  }

  private skipComment(): void {
    const end = this.text.indexOf("*/", this.at + 2);
    if (end < 0) this.error(this.at, "the comment does not end, expected */");
    this.at = end < 0 ? this.text.length : end + 2;
  }

  private other(): void {
    const from = this.at;
    const end = this.text.indexOf(">>", from + 2);
    if (end < 0) {
      this.error(from, "the literal does not end, expected >>");
      this.skipLine();
      this.push("other", "", from);
      return;
    }
    this.at = end + 2;
    this.push("other", this.text.slice(from + 2, end).trim(), from);
  }

  private number(): void {
    const from = this.at;
    const bare = this.match(BARE);
    if (bare !== undefined) {
      this.at += bare.length;
      this.push("other", bare, from);
      return;
    }
    const float = this.match(FLOAT);
    if (float !== undefined) {
      this.at += float.length;
      if (!Number.isFinite(Number(float))) this.error(from, "the number is too large for a float");
      this.push("float", float, from);
    } else {
      const digits = this.match(INT)!;
      this.at += digits.length;
      const tooLarge = digits.length > 19 || BigInt(digits) > MAX_INT;
      if (tooLarge) this.error(from, "the number is too large, expected at most 9223372036854775807");
      this.push("int", tooLarge ? "0" : digits, from);
    }
    const unit = this.name();
    if (unit !== undefined) {
      this.at += unit.length;
      this.error(
        from,
        `'${printable(this.text.slice(from, this.at))}' is neither a number nor a name; a duration or a size stands in << >>`,
      );
    }
  }

  private string(): void {
    const { text } = this;
    const from = this.at;
    const long = text.startsWith('"""', from);
    const quote = long ? '"""' : '"';
    this.at += quote.length;
    let value = "";
    let run = this.at;
    for (;;) {
      const c = text[this.at];
      if (c === undefined || (c === "\n" && !long)) {
        this.error(from, `the text does not end${long ? "" : " on its line"}, expected ${quote}`);
        break;
      }
      if (text.startsWith(quote, this.at)) break;
      if (c === "\\") {
        value += text.slice(run, this.at) + this.escape();
        run = this.at;
      } else this.at++;
    }
    value += text.slice(run, this.at);
    if (text.startsWith(quote, this.at)) this.at += quote.length;
    this.push("string", value, from);
  }

  private escape(): string {
    const from = this.at;
    const escape = readEscape(this.text, from);
    this.at = escape.end;
    if (escape.error !== undefined) this.error(from, escape.error);
    return escape.text;
  }

  private character(): void {
    const { text } = this;
    const from = this.at;
    const end = /'|\n/g;
    end.lastIndex = from + 1;
    this.at = from + 1;
    let value = "";
    if (text[this.at] === "\\") value = this.escape();
    else if (this.at < text.length && text[this.at] !== "'" && text[this.at] !== "\n") {
      value = String.fromCodePoint(text.codePointAt(this.at)!);
      this.at += value.length;
    }
    if (text[this.at] === "'" && value !== "") this.at++;
    else {
      end.lastIndex = this.at;
      const close = end.exec(text);
      this.at = close === null ? text.length : close[0] === "'" ? close.index + 1 : close.index;
      this.error(from, "expected one character between ' and '; a text stands in double quotes");
      if (value === "") value = " ";
    }
    this.push("char", value, from);
  }
}
