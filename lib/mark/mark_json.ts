// Reads one JSON value out of a file that a stranger made: strict JSON, bounded in depth and size, integers kept exact, members
// in a Map so that no name means anything. It stops at the end of the value and does not care what follows.
import { err, ok, type Result } from "neverthrow";
import { emptyObject, type Json } from "../base/json_value.ts";

/** Integers are bigints; what has a point or an exponent is a `Float` with the text it came from. */
export type MarkValue = null | boolean | string | bigint | Float | readonly MarkValue[] | MarkObject;
export type MarkObject = ReadonlyMap<string, MarkValue>;

export class Float {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }
}

export interface MarkFault {
  /** Offset in the text. */
  readonly at: number;
  readonly what: string;
}

const MAX_DEPTH = 64;
/** More digits than any integer of a mark has; the conversion of a million digits would take minutes. */
const MAX_DIGITS = 40;

const NUMBER = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;
const LITERALS: readonly (readonly [text: string, value: null | boolean])[] = [
  ["true", true],
  ["false", false],
  ["null", null],
];

class Stop extends Error {
  readonly at: number;

  constructor(at: number, what: string) {
    super(what);
    this.at = at;
  }
}

class Reader {
  readonly text: string;
  at: number;

  constructor(text: string, at: number) {
    this.text = text;
    this.at = at;
  }

  private blanks(): void {
    for (;;) {
      const c = this.text.charCodeAt(this.at);
      if (c !== 32 && c !== 9 && c !== 10 && c !== 13) return;
      this.at++;
    }
  }

  private take(c: string): boolean {
    this.blanks();
    if (this.text[this.at] !== c) return false;
    this.at++;
    return true;
  }

  private expect(c: string): void {
    if (!this.take(c)) throw new Stop(this.at, `expected '${c}'`);
  }

  value(depth: number): MarkValue {
    this.blanks();
    if (depth > MAX_DEPTH) throw new Stop(this.at, `more than ${MAX_DEPTH} levels`);
    const c = this.text[this.at];
    if (c === "{") return this.object(depth);
    if (c === "[") return this.array(depth);
    if (c === '"') return this.string();
    for (const [word, value] of LITERALS)
      if (this.text.startsWith(word, this.at)) {
        this.at += word.length;
        return value;
      }
    return this.number();
  }

  private object(depth: number): MarkObject {
    this.at++;
    const members = new Map<string, MarkValue>();
    if (this.take("}")) return members;
    do {
      this.blanks();
      if (this.text[this.at] !== '"') throw new Stop(this.at, "expected a name in quotes");
      const name = this.string();
      this.expect(":");
      members.set(name, this.value(depth + 1));
    } while (this.take(","));
    this.expect("}");
    return members;
  }

  private array(depth: number): readonly MarkValue[] {
    this.at++;
    const items: MarkValue[] = [];
    if (this.take("]")) return items;
    do items.push(this.value(depth + 1));
    while (this.take(","));
    this.expect("]");
    return items;
  }

  private string(): string {
    const from = this.at;
    for (let i = from + 1; i < this.text.length; i++) {
      const c = this.text.charCodeAt(i);
      if (c === 92) i++;
      else if (c < 32) throw new Stop(i, "a control character in a text");
      else if (c === 34) {
        this.at = i + 1;
        try {
          return JSON.parse(this.text.slice(from, i + 1)) as string;
        } catch {
          throw new Stop(from, "a text with a broken escape");
        }
      }
    }
    throw new Stop(from, "a text without its end");
  }

  private number(): MarkValue {
    NUMBER.lastIndex = this.at;
    const match = NUMBER.exec(this.text);
    if (match === null) throw new Stop(this.at, "expected a value");
    const from = this.at;
    this.at = NUMBER.lastIndex;
    if (match[1] !== undefined || match[2] !== undefined) {
      const value = Number(match[0]);
      if (!Number.isFinite(value)) throw new Stop(from, "a number that is too large");
      return new Float(value);
    }
    if (match[0].length > MAX_DIGITS) throw new Stop(from, `an integer of more than ${MAX_DIGITS} digits`);
    return BigInt(match[0]);
  }
}

/** The value that begins at `from`, and where it ends. */
export function readJson(text: string, from: number): Result<{ value: MarkValue; end: number }, MarkFault> {
  const reader = new Reader(text, from);
  try {
    const value = reader.value(0);
    return ok({ value, end: reader.at });
  } catch (error) {
    if (error instanceof Stop) return err({ at: error.at, what: error.message });
    throw error;
  }
}

/** As plain JSON; an integer that a number cannot hold exactly becomes its digits. */
export function plainJson(value: MarkValue): Json {
  if (typeof value === "bigint") {
    const n = Number(value);
    return Number.isSafeInteger(n) ? n : value.toString();
  }
  if (value instanceof Float) return value.value;
  if (value instanceof Map) {
    const object = emptyObject<Json>();
    for (const [name, member] of value as MarkObject) object[name] = plainJson(member);
    return object;
  }
  if (Array.isArray(value)) return value.map(plainJson);
  return value as Json;
}
