// What a breakpoint's words mean: `exec curl`, `exit != 0`, `wall > 100ms`, `failed and under 1234`. A small language for prompts; it gives
// the same `EventCondition` as any other, so that a larger one can stand in its place.
//
//   condition = all { "or" all }      all = one { "and" one }      one = "not" one | "(" condition ")" | word [value]
import { err, ok, type Result } from "neverthrow";
import { nearest } from "../base/nearest.ts";
import { printable } from "../base/text.ts";
import { eventCondition } from "../query/event_condition.ts";
import { findField } from "../query/fields.ts";
import { errorSentence } from "../query/query_error.ts";
import type { EventCondition } from "../derive/predicate.ts";
import { type Comparison, type Test, TESTS, type TestMaker, testNames } from "./condition_words.ts";

const OPERATORS: ReadonlyMap<string, Comparison> = new Map([
  ["=", "="],
  ["==", "="],
  ["!=", "!="],
  ["<", "<"],
  ["<=", "<="],
  [">", ">"],
  [">=", ">="],
]);
const JOINTS = new Map([
  ["and", "and"],
  ["&&", "and"],
  ["or", "or"],
  ["||", "or"],
  ["not", "not"],
  ["!", "not"],
  ["(", "("],
  [")", ")"],
]);

interface Token {
  readonly text: string;
  /** Was in quotes: a value, whatever it looks like. */
  readonly quoted: boolean;
}

const TOKEN = /\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([<>!=]=|&&|\|\||[()<>=]|!(?!=))|([^\s()<>=!&|"']+|[&|]))/y;

function split(text: string): Result<Token[], string> {
  const tokens: Token[] = [];
  const end = text.trimEnd().length;
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < end) {
    const at = TOKEN.lastIndex;
    const m = TOKEN.exec(text);
    if (m === null) return err(`a quote without its end at ${printable(text.slice(at).trim().slice(0, 20))}`);
    const quoted = m[1]?.replace(/\\(.)/g, "$1") ?? m[2];
    tokens.push(quoted === undefined ? { text: m[3] ?? m[4]!, quoted: false } : { text: quoted, quoted: true });
  }
  return ok(tokens);
}

/** Nesting beyond this is nobody's breakpoint. */
const DEEPEST = 100;

class Fault extends Error {}

class Parser {
  private at = 0;
  private depth = 0;
  private readonly tokens: readonly Token[];

  constructor(tokens: readonly Token[]) {
    this.tokens = tokens;
  }

  whole(): TestMaker {
    const made = this.any();
    const left = this.tokens[this.at];
    if (left !== undefined) throw new Fault(`${show(left)} is not understood here, expected and, or, or the end`);
    return made;
  }

  private joint(): string | undefined {
    const token = this.tokens[this.at];
    return token === undefined || token.quoted ? undefined : JOINTS.get(token.text.toLowerCase());
  }

  private any(): TestMaker {
    let made = this.all();
    while (this.joint() === "or") {
      this.at++;
      const [a, b] = [made, this.all()];
      made = (derived) => {
        const [x, y] = [a(derived), b(derived)];
        return (row) => x(row) || y(row);
      };
    }
    return made;
  }

  private all(): TestMaker {
    let made = this.one();
    while (this.joint() === "and") {
      this.at++;
      const [a, b] = [made, this.one()];
      made = (derived) => {
        const [x, y] = [a(derived), b(derived)];
        return (row) => x(row) && y(row);
      };
    }
    return made;
  }

  private one(): TestMaker {
    if (++this.depth > DEEPEST) throw new Fault("too many words within each other");
    const joint = this.joint();
    let made: TestMaker;
    if (joint === "not") {
      this.at++;
      const inner = this.one();
      made = (derived) => {
        const test: Test = inner(derived);
        return (row) => !test(row);
      };
    } else if (joint === "(") {
      this.at++;
      made = this.any();
      if (this.joint() !== ")") throw new Fault("a ( without its )");
      this.at++;
    } else made = this.word();
    this.depth--;
    return made;
  }

  private word(): TestMaker {
    const token = this.tokens[this.at];
    if (token === undefined || this.joint() !== undefined || OPERATORS.has(token.text))
      throw new Fault(`expected what to stop at, such as exec curl or exit != 0${token ? `, got ${show(token)}` : ""}`);
    this.at++;
    const name = token.text.toLowerCase();
    const entry = token.quoted ? undefined : TESTS.get(name);
    if (entry === undefined) throw new Fault(unknown(token));
    const operator = this.operator();
    const value = this.value(operator !== undefined);
    const made = entry.make(operator, value);
    if (made.isErr()) throw new Fault(`${name}: ${made.error}`);
    return made.value;
  }

  private operator(): Comparison | undefined {
    const token = this.tokens[this.at];
    const operator = token === undefined || token.quoted ? undefined : OPERATORS.get(token.text);
    if (operator !== undefined) this.at++;
    return operator;
  }

  private value(needed: boolean): string | undefined {
    const token = this.tokens[this.at];
    const isValue = token !== undefined && (token.quoted || this.joint() === undefined);
    if (!isValue || (!token.quoted && OPERATORS.has(token.text))) {
      if (needed) throw new Fault(`expected a value after ${show(this.tokens[this.at - 1]!)}`);
      return undefined;
    }
    this.at++;
    return token.text;
  }
}

const show = (token: Token) => JSON.stringify(token.text);

function unknown(token: Token): string {
  const near = nearest(token.text.toLowerCase(), testNames());
  const hint = near.length > 0 ? `did you mean ${near.join(" or ")}?` : `expected one of ${testNames().join(", ")}`;
  return `${show(token)} is not known, ${hint}`;
}

export function parseCondition(text: string): Result<EventCondition, string> {
  const shown = printable(text.trim().replace(/\s+/g, " "));
  return split(text).andThen((tokens) => {
    let made: TestMaker;
    try {
      made = new Parser(tokens).whole();
    } catch (fault) {
      if (fault instanceof Fault) return err(fault.message);
      throw fault;
    }
    const condition: EventCondition = { text: shown, over: (derived) => ({ text: shown, test: made(derived) }) };
    return ok(condition);
  });
}

/**
 * What a breakpoint is set at: these words or, when they are not, a condition of the query language, such as
 * `kind == exec and argv ~ /curl/`. Of two mistakes that of the language is told when the text begins with a field that only it has.
 */
export function parseBreakpoint(text: string): Result<EventCondition, string> {
  return parseCondition(text).orElse((words) =>
    eventCondition(text).mapErr((error) => (beginsWithField(text) ? printable(errorSentence(error)) : words)),
  );
}

function beginsWithField(text: string): boolean {
  const first = /^[\s(!]*(?:not\s+)?(\w+)/.exec(text)?.[1];
  return first !== undefined && !TESTS.has(first) && findField("events", first) !== undefined;
}
