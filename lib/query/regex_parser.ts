// The text of a regex or of a glob to a tree. The syntax is the usual one of JavaScript and of RE2, without what cannot be matched in
// linear time: no references back and no looking around. Never throws; nesting and repetition are bounded.
import { err, ok, type Result } from "neverthrow";

/** Code points `[from, to]`, in pairs. */
export type Ranges = readonly (readonly [from: number, to: number])[];

export type RegexNode =
  | { readonly node: "set"; readonly ranges: Ranges }
  | { readonly node: "sequence"; readonly parts: readonly RegexNode[] }
  | { readonly node: "either"; readonly branches: readonly RegexNode[] }
  /** `most` Infinity: without a limit. */
  | { readonly node: "repeat"; readonly part: RegexNode; readonly least: number; readonly most: number }
  | { readonly node: "assert"; readonly what: Assertion };

export type Assertion = "text-start" | "text-end" | "line-start" | "line-end" | "word" | "not-word";

export interface RegexFault {
  /** Where in the pattern, in UTF-16 units. */
  readonly at: number;
  readonly length: number;
  readonly message: string;
}

const LAST = 0x10ffff;
const DEPTH_LIMIT = 100;
const REPEAT_LIMIT = 1000;

const DIGIT: Ranges = [[48, 57]];
const WORD: Ranges = [
  [48, 57],
  [65, 90],
  [95, 95],
  [97, 122],
];
/** What JavaScript's `\s` is. */
const SPACE: Ranges = [
  [9, 13],
  [32, 32],
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
  [0xfeff, 0xfeff],
];

/** Sorted, joined where they touch. */
export function normalRanges(ranges: Ranges): Ranges {
  const sorted = ranges.toSorted((a, b) => a[0] - b[0]);
  const out: [number, number][] = [];
  for (const [from, to] of sorted) {
    const last = out.at(-1);
    if (last !== undefined && from <= last[1] + 1) last[1] = Math.max(last[1], to);
    else out.push([from, to]);
  }
  return out;
}

function inverted(ranges: Ranges): Ranges {
  const out: [number, number][] = [];
  let from = 0;
  for (const [a, b] of normalRanges(ranges)) {
    if (a > from) out.push([from, a - 1]);
    from = b + 1;
  }
  if (from <= LAST) out.push([from, LAST]);
  return out;
}

/** Wider ranges are taken as they are: `[\s\S]` has no letters to fold. */
const FOLD_LIMIT = 2000;

/** With the other case of every letter, as far as that is one code point. */
function folded(ranges: Ranges): Ranges {
  const out: [number, number][] = ranges.map(([a, b]) => [a, b]);
  for (const [from, to] of ranges) {
    if (to - from > FOLD_LIMIT) continue;
    for (let c = from; c <= to; c++) {
      const text = String.fromCodePoint(c);
      for (const other of [text.toLowerCase(), text.toUpperCase()]) {
        const code = other.codePointAt(0)!;
        if (other !== text && other.length === String.fromCodePoint(code).length) out.push([code, code]);
      }
    }
  }
  return normalRanges(out);
}

class Fault extends Error {
  readonly fault: RegexFault;
  constructor(fault: RegexFault) {
    super(fault.message);
    this.fault = fault;
  }
}

export function parseRegex(source: string, flags = ""): Result<RegexNode, RegexFault> {
  for (const [i, flag] of [...flags].entries())
    if (!"ims".includes(flag))
      return err({
        at: source.length + 1 + i,
        length: 1,
        message: `'${flag}' is no flag of a regex, expected i (any case), m (^ and $ at lines) or s (. takes newlines)`,
      });
  try {
    return ok(new RegexParser(source, flags).run());
  } catch (error) {
    if (error instanceof Fault) return err(error.fault);
    throw error;
  }
}

class RegexParser {
  private readonly source: string;
  private readonly anyCase: boolean;
  private readonly lines: boolean;
  private readonly dotAll: boolean;
  private at = 0;
  private depth = 0;

  constructor(source: string, flags: string) {
    this.source = source;
    this.anyCase = flags.includes("i");
    this.lines = flags.includes("m");
    this.dotAll = flags.includes("s");
  }

  private fail(at: number, length: number, message: string): never {
    throw new Fault({ at, length, message });
  }

  run(): RegexNode {
    const node = this.either();
    if (this.at < this.source.length) this.fail(this.at, 1, "a ) that closes nothing; a real one is written \\)");
    return node;
  }

  private either(): RegexNode {
    if (++this.depth > DEPTH_LIMIT) this.fail(this.at, 1, `a regex nested more than ${DEPTH_LIMIT} levels deep`);
    const branches = [this.sequence()];
    while (this.source[this.at] === "|") {
      this.at++;
      branches.push(this.sequence());
    }
    this.depth--;
    return branches.length === 1 ? branches[0]! : { node: "either", branches };
  }

  private sequence(): RegexNode {
    const parts: RegexNode[] = [];
    for (;;) {
      const c = this.source[this.at];
      if (c === undefined || c === "|" || c === ")") break;
      parts.push(this.repeated());
    }
    return parts.length === 1 ? parts[0]! : { node: "sequence", parts };
  }

  private repeated(): RegexNode {
    const start = this.at;
    let part = this.atom();
    for (;;) {
      const from = this.at;
      const bounds = this.bounds();
      if (bounds === undefined) return part;
      // Lazy or not finds the same texts.
      if (this.source[this.at] === "?") this.at++;
      const [least, most] = bounds;
      if (most < least) this.fail(from, this.at - from, "the upper bound of a repetition is below the lower one");
      if (least > REPEAT_LIMIT || (most !== Infinity && most > REPEAT_LIMIT))
        this.fail(from, this.at - from, `a repetition of more than ${REPEAT_LIMIT}`);
      if (++this.depth > DEPTH_LIMIT) this.fail(start, 1, `a regex nested more than ${DEPTH_LIMIT} levels deep`);
      part = { node: "repeat", part, least, most };
    }
  }

  private bounds(): [number, number] | undefined {
    const c = this.source[this.at];
    if (c === "*" || c === "+" || c === "?") {
      this.at++;
      return c === "*" ? [0, Infinity] : c === "+" ? [1, Infinity] : [0, 1];
    }
    if (c !== "{") return undefined;
    const m = /^\{(\d{1,6})(?:(,)(\d{1,6})?)?\}/.exec(this.source.slice(this.at, this.at + 20));
    if (m === null) return undefined;
    this.at += m[0].length;
    const least = Number(m[1]);
    return [least, m[2] === undefined ? least : m[3] === undefined ? Infinity : Number(m[3])];
  }

  private set(ranges: Ranges): RegexNode {
    return { node: "set", ranges: this.anyCase ? folded(ranges) : ranges };
  }

  private atom(): RegexNode {
    const start = this.at;
    const code = this.source.codePointAt(start)!;
    const c = String.fromCodePoint(code);
    this.at += c.length;
    switch (c) {
      case "(":
        return this.group(start);
      case "[":
        return this.set(this.bracket(start));
      case ".":
        return {
          node: "set",
          ranges: this.dotAll
            ? [[0, LAST]]
            : inverted([
                [10, 10],
                [13, 13],
                [0x2028, 0x2029],
              ]),
        };
      case "^":
        return { node: "assert", what: this.lines ? "line-start" : "text-start" };
      case "$":
        return { node: "assert", what: this.lines ? "line-end" : "text-end" };
      case "\\":
        return this.escape(start);
      case "*":
      case "+":
      case "?":
        return this.fail(start, 1, `nothing stands before ${c} to repeat; a real one is written \\${c}`);
    }
    if (code >= 0xd800 && code <= 0xdfff) return this.set([[0xfffd, 0xfffd]]);
    return this.set([[code, code]]);
  }

  private group(start: number): RegexNode {
    if (this.source[this.at] === "?") {
      const m = /^\?(?::|<[A-Za-z_]\w*>)/.exec(this.source.slice(this.at, this.at + 64));
      if (m === null) this.fail(start, 3, "looking ahead or behind is not supported: regexes here run in linear time");
      this.at += m![0].length;
    }
    const inner = this.either();
    if (this.source[this.at] !== ")") this.fail(start, 1, "a ( without its ); a real one is written \\(");
    this.at++;
    return inner;
  }

  private escape(start: number): RegexNode {
    const c = this.source[this.at];
    if (c === "b" || c === "B") {
      this.at++;
      return { node: "assert", what: c === "b" ? "word" : "not-word" };
    }
    if (c !== undefined && /[1-9k]/.test(c))
      this.fail(start, 2, "a reference back is not supported: regexes here run in linear time");
    return this.set(this.escaped(start));
  }

  /** What an escape stands for, in and out of brackets; `at` is behind the backslash. */
  private escaped(start: number): Ranges {
    const rest = this.source.slice(this.at, this.at + 10);
    const c = String.fromCodePoint(this.source.codePointAt(this.at) ?? 0);
    if (rest === "") this.fail(start, 1, "a \\ at the end; a real one is written \\\\");
    const code = /^(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|u\{([0-9a-fA-F]{1,6})\})/.exec(rest);
    if (code !== null) {
      const point = Number.parseInt(code[1] ?? code[2] ?? code[3]!, 16);
      if (point > LAST) this.fail(start, 1 + code[0].length, "a code point beyond 10FFFF");
      this.at += code[0].length;
      return [[point, point]];
    }
    this.at += c.length;
    switch (c) {
      case "d":
        return DIGIT;
      case "D":
        return inverted(DIGIT);
      case "w":
        return WORD;
      case "W":
        return inverted(WORD);
      case "s":
        return SPACE;
      case "S":
        return inverted(SPACE);
      case "n":
        return [[10, 10]];
      case "r":
        return [[13, 13]];
      case "t":
        return [[9, 9]];
      case "f":
        return [[12, 12]];
      case "v":
        return [[11, 11]];
      case "0":
        return [[0, 0]];
    }
    if (/[A-Za-z0-9]/.test(c)) this.fail(start, 2, `\\${c} has no meaning here`);
    const point = c.codePointAt(0)!;
    return [[point, point]];
  }

  private bracket(start: number): Ranges {
    const not = this.source[this.at] === "^";
    if (not) this.at++;
    const ranges: (readonly [number, number])[] = [];
    for (;;) {
      const c = this.source[this.at];
      if (c === undefined) this.fail(start, 1, "a [ without its ]; a real one is written \\[");
      if (c === "]") break;
      const from = this.at;
      const low = this.member();
      const dash = this.source[this.at] === "-" && this.source[this.at + 1] !== "]" && this.at + 1 < this.source.length;
      if (!dash) {
        ranges.push(...low);
        continue;
      }
      this.at++;
      const high = this.member();
      const [a, b] = [low[0]!, high[0]!];
      if (low.length !== 1 || high.length !== 1 || a[0] !== a[1] || b[0] !== b[1] || a[0] > b[0])
        this.fail(from, this.at - from, "a range in [ ] from a larger to a smaller character, or of classes");
      ranges.push([a[0], b[0]]);
    }
    this.at++;
    // Inverted after folding, so that [^a] with i is without both.
    return not ? inverted(this.anyCase ? folded(ranges) : ranges) : normalRanges(ranges);
  }

  private member(): Ranges {
    const start = this.at;
    const code = this.source.codePointAt(start)!;
    this.at += code > 0xffff ? 2 : 1;
    if (code !== 92) return [[code, code]];
    if (this.source[this.at] === "b") {
      this.at++;
      return [[8, 8]];
    }
    if (this.source[this.at] === "-") {
      this.at++;
      return [[45, 45]];
    }
    return this.escaped(start);
  }
}

/** `*`, `?`, `[abc]`, `[!a-z]` and `\` before any of them; the whole text has to match. */
export function parseGlob(pattern: string): Result<RegexNode, RegexFault> {
  const parts: RegexNode[] = [{ node: "assert", what: "text-start" }];
  const any: RegexNode = { node: "set", ranges: [[0, LAST]] };
  for (let i = 0; i < pattern.length;) {
    const code = pattern.codePointAt(i)!;
    const c = String.fromCodePoint(code);
    i += c.length;
    if (c === "*") parts.push({ node: "repeat", part: any, least: 0, most: Infinity });
    else if (c === "?") parts.push(any);
    else if (c === "[") {
      const close = pattern.indexOf("]", i + 1 + (pattern[i] === "!" ? 1 : 0));
      if (close < 0) return err({ at: i - 1, length: 1, message: "a [ without its ]; a real one is written \\[" });
      const not = pattern[i] === "!" || pattern[i] === "^";
      const ranges: [number, number][] = [];
      const members = Array.from(pattern.slice(not ? i + 1 : i, close), (m) => m.codePointAt(0)!);
      for (let k = 0; k < members.length; k++) {
        const from = members[k]!;
        if (members[k + 1] === 45 && k + 2 < members.length) {
          if (members[k + 2]! < from)
            return err({
              at: i - 1,
              length: close - i + 2,
              message: "a range in [ ] from a larger to a smaller character",
            });
          ranges.push([from, members[k + 2]!]);
          k += 2;
        } else ranges.push([from, from]);
      }
      parts.push({ node: "set", ranges: not ? inverted(ranges) : normalRanges(ranges) });
      i = close + 1;
    } else if (c === "\\" && i < pattern.length) {
      const next = pattern.codePointAt(i)!;
      parts.push({ node: "set", ranges: [[next, next]] });
      i += next > 0xffff ? 2 : 1;
    } else parts.push({ node: "set", ranges: [[code, code]] });
  }
  parts.push({ node: "assert", what: "text-end" });
  return ok({ node: "sequence", parts });
}
