// A configuration's tokens to statements. An error costs the statement that has it; what follows is still looked at,
// so that several errors are told at once.
import type { AssignStatement, Body, Expression, Formal, PathStep, Program, Statement } from "./ast.ts";
import { ConfigFault, type Diagnostics, fault } from "./diagnostic.ts";
import { ExpressionParser } from "./expression_parser.ts";
import { lex } from "./lexer.ts";
import type { SourceText } from "./source_text.ts";
import type { Token } from "./token.ts";
import { TokenStream } from "./token_stream.ts";
import type { Type } from "./type.ts";
import { parseType } from "./type_parser.ts";

/** Longer files are refused unread. */
export const MAX_FILE_SIZE = 1 << 20;

export function parse(source: SourceText, problems: Diagnostics): Program {
  if (source.text.length > MAX_FILE_SIZE) {
    problems.error(
      { source, at: 0 },
      `the file has ${source.text.length} characters, expected at most ${MAX_FILE_SIZE}`,
    );
    return { source, body: [] };
  }
  return new Parser(new TokenStream(source, lex(source, problems)), problems).program();
}

const TOP_LEVEL: ReadonlySet<string> = new Set(["enum", "func", "export"]);

class Parser extends ExpressionParser {
  private depth = 0;

  program(): Program {
    const statements: Statement[] = [];
    for (;;) {
      this.statements(statements);
      const token = this.stream.peek();
      if (token.kind === "end") break;
      this.problems.error(this.stream.spot(token.at), "'}' closes nothing");
      this.stream.take();
    }
    return { source: this.stream.source, body: statements };
  }

  /** Up to the `}` that closes the block, or the end. */
  private statements(into: Statement[]): void {
    const { stream } = this;
    const { level } = stream;
    const { depth } = this;
    for (;;) {
      stream.skipEnds();
      if (stream.peek().kind === "end" || stream.is("}")) return;
      if (this.problems.isFull) return stream.skipAll();
      try {
        into.push(this.statement());
      } catch (error) {
        if (!(error instanceof ConfigFault)) throw error;
        this.problems.add(error.diagnostic);
        this.depth = depth;
        stream.recover(level);
      }
    }
  }

  private block(expected: string): Body {
    const { stream } = this;
    const open = stream.expect("{", expected);
    const body: Statement[] = [];
    this.depth++;
    stream.nested(() => this.statements(body));
    this.depth--;
    if (!stream.is("}")) throw fault(stream.spot(open.at), "the block does not end, expected '}'");
    stream.take();
    return body;
  }

  private statement(): Statement {
    const { stream } = this;
    const token = stream.peek();
    if (stream.is("~")) {
      stream.take();
      return this.assignment(true);
    }
    if (token.kind === "keyword") return this.keywordStatement(token);
    if (token.kind === "name") return this.nameStatement(token);
    return this.expressionStatement();
  }

  private expressionStatement(): Statement {
    const { at } = this.stream.peek();
    const value = this.expression();
    this.stream.expectEnd();
    return { kind: "expression", value, at };
  }

  private nameStatement(token: Token): Statement {
    const { stream } = this;
    const next = stream.peek(1);
    if (token.text === "use" && (next.kind === "name" || next.kind === "string")) return this.use();
    if (token.text === "parameter" && (next.kind === "name" || stream.is("var", 1))) return this.parameter();
    if (stream.is(":", 1) || stream.is("=", 1) || stream.is(".", 1)) return this.assignment(false);
    if (stream.is(":=", 1) || stream.is(",", 1)) return this.set();
    if (next.kind === "name" || next.kind === "string" || next.kind === "char" || next.kind === "other")
      return this.section(token);
    if (stream.is("{", 1)) return this.section(token);
    if (stream.is("-", 1) && this.looksHyphenated(token)) {
      throw fault(stream.spot(next.at), "a name has no hyphen, expected letters, digits and '_'");
    }
    return this.expressionStatement();
  }

  private looksHyphenated(token: Token): boolean {
    const hyphen = this.stream.peek(1);
    return hyphen.at === token.end && this.stream.peek(2).kind === "name";
  }

  private assignment(locked: boolean): AssignStatement {
    const { stream } = this;
    const path = this.path();
    const end = stream.peek();
    if (stream.is("("))
      throw fault(
        stream.spot(path[0]!.at),
        "a call cannot be a statement in this form, expected name(arguments), or name: value",
      );
    if (!stream.takeIf(":") && !stream.takeIf("=")) {
      if (stream.is("-") && stream.peek().at === end.at && stream.peek(1).kind === "name")
        throw fault(stream.spot(end.at), "a name has no hyphen, expected letters, digits and '_'");
      if (stream.is(":="))
        throw fault(stream.spot(end.at), "':=' sets variables, expected ':' or '=' after the name of an attribute");
      throw stream.unexpected("':' or '=' after the name of an attribute");
    }
    const value = this.expression();
    stream.expectEnd();
    return { kind: "assign", path, value, locked, at: path[0]!.at };
  }

  private path(): PathStep[] {
    const { stream } = this;
    const first = stream.expectName("the name of an attribute");
    const path: PathStep[] = [{ name: first.text, at: first.at }];
    while (stream.takeIf(".")) {
      const step = this.memberName();
      path.push({ name: step.text, at: step.at });
      if (path.length > 50) throw fault(stream.spot(step.at), "the name has too many parts");
    }
    return path;
  }

  private names(expected: string): PathStep[] {
    const { stream } = this;
    const names: PathStep[] = [];
    do {
      const { text, at } = stream.expectName(expected);
      names.push({ name: text, at });
    } while (stream.takeIf(","));
    return names;
  }

  private set(): Statement {
    const { at } = this.stream.peek();
    const names = this.names("the name of a variable");
    this.stream.expect(":=", "':=' and a value");
    const value = this.expression();
    this.stream.expectEnd();
    return { kind: "set", names, value, at };
  }

  private section(name: Token): Statement {
    const { stream } = this;
    stream.take();
    let object: PathStep | undefined;
    if (!stream.is("{")) {
      const token = stream.take();
      object = { name: token.text, at: token.at };
      if (token.kind === "name" && stream.is("-"))
        throw fault(stream.spot(stream.peek().at), `a name has no hyphen; put it in double quotes: ${name.text} "..."`);
      if (object.name === "") throw fault(stream.spot(token.at), `an empty name for '${name.text}'`);
    }
    if (!stream.is("{")) {
      const end = stream.peek();
      if (end.kind !== "eos" && end.kind !== "end" && !stream.is("}"))
        throw stream.unexpected("'{' or the end of the statement");
      stream.expectEnd();
      if (stream.peek().kind === "operator" && stream.is("{"))
        throw fault(
          stream.spot(stream.peek().at),
          `'{' stands on a line of its own, expected it on the line of '${name.text}'`,
        );
      return { kind: "section", name: name.text, object, body: [], at: name.at };
    }
    const body = this.block("'{'");
    return { kind: "section", name: name.text, object, body, at: name.at };
  }

  private keywordStatement(token: Token): Statement {
    const { stream } = this;
    if (TOP_LEVEL.has(token.text) && this.depth > 0)
      throw fault(stream.spot(token.at), `'${token.text}' inside a block, expected it at the top level of the file`);
    switch (token.text) {
      case "if":
        return this.ifStatement();
      case "for":
        return this.forStatement();
      case "break":
      case "continue":
        stream.take();
        stream.expectEnd();
        return { kind: token.text, at: token.at };
      case "return": {
        stream.take();
        const next = stream.peek();
        const value = next.kind === "eos" || next.kind === "end" || stream.is("}") ? undefined : this.expression();
        stream.expectEnd();
        return { kind: "return", value, at: token.at };
      }
      case "var":
        return this.declaration();
      case "enum":
      case "export": {
        stream.take();
        const names = this.names(`a name after '${token.text}'`);
        stream.expectEnd();
        return { kind: token.text, names, at: token.at };
      }
      case "func":
        return this.functionDefinition();
      case "elif":
      case "else":
        throw fault(stream.spot(token.at), `'${token.text}' without an 'if' before it on the line of its '}'`);
      default:
        return this.expressionStatement();
    }
  }

  private ifStatement(): Statement {
    const { stream } = this;
    const { at } = stream.peek();
    const branches: { condition: Expression; body: Body }[] = [];
    do {
      stream.take();
      const condition = this.expression();
      branches.push({ condition, body: this.block("'{' after the condition") });
      this.joinElse();
    } while (stream.is("elif"));
    const otherwise = stream.takeIf("else") ? this.block("'{' after 'else'") : undefined;
    return { kind: "if", branches, otherwise, at };
  }

  /** `else` may stand on the line after the `}`. */
  private joinElse(): void {
    const { stream } = this;
    let ahead = 0;
    while (stream.peek(ahead).kind === "eos" && ahead < 1000) ahead++;
    if (ahead > 0 && (stream.is("elif", ahead) || stream.is("else", ahead))) stream.skipEnds();
  }

  private forStatement(): Statement {
    const { stream } = this;
    const { at } = stream.take();
    const index = stream.expectName("the name of the index after 'for'").text;
    stream.expect("from");
    const from = this.expression();
    stream.expect("to", "'to' and the end of the range");
    const to = this.expression();
    return { kind: "for", index, from, to, body: this.block("'{' after the range"), at };
  }

  private declaration(): Statement {
    const { stream } = this;
    const { at } = stream.take();
    const groups: { names: PathStep[]; type: Type }[] = [];
    do {
      const names = this.names("the name of a variable after 'var'");
      stream.expect(":", "':' and a type");
      groups.push({ names, type: parseType(stream) });
    } while (stream.takeIf(","));
    stream.expectEnd();
    return { kind: "var", groups, at };
  }

  private functionDefinition(): Statement {
    const { stream } = this;
    stream.take();
    const name = stream.expectName("the name of the function after 'func'");
    stream.expect("(", "'(' and the names of the arguments");
    stream.enterBrackets();
    const formals: Formal[] = [];
    while (!stream.is(")")) {
      const formal = stream.expectName("the name of an argument");
      formals.push({ name: formal.text, at: formal.at, type: stream.takeIf(":") ? parseType(stream) : undefined });
      if (!stream.takeIf(",")) break;
    }
    stream.leaveBrackets(")", "',' or ')' after an argument");
    const body = this.block("'{' after the arguments");
    return { kind: "function", name: name.text, formals, body, source: stream.source, at: name.at };
  }

  private use(): Statement {
    const { stream } = this;
    const { at } = stream.take();
    const name = stream.take().text;
    let from: string | undefined;
    if (stream.takeIf("from")) {
      if (stream.peek().kind !== "string") throw stream.unexpected("a directory or an address in double quotes");
      from = stream.take().text;
    }
    stream.expectEnd();
    return { kind: "use", name, from, at };
  }

  private parameter(): Statement {
    const { stream } = this;
    const { at } = stream.take();
    const isVariable = stream.takeIf("var");
    const path = this.path();
    stream.expect("{", "'{' after the name of the parameter");
    const properties = new Map<string, Expression>();
    for (stream.skipEnds(); !stream.is("}"); stream.skipEnds()) {
      const name = stream.expectName("doc, shortdoc, default, validator or sensitive");
      if (!stream.takeIf(":") && !stream.takeIf("=") && !stream.takeIf(":="))
        throw stream.unexpected("':' and a value");
      properties.set(name.text, this.expression());
      stream.expectEnd();
    }
    stream.take();
    return { kind: "parameter", path, isVariable, properties, at };
  }
}
