// A regex that cannot hang: an automaton over the bytes of UTF-8, whose states are made when a text first needs them. Every byte is
// looked at once, whatever the pattern; the states that are kept are bounded, and so is the pattern's program. Only whether a text
// matches is told, not where.
import { err, ok, type Result } from "neverthrow";
import { type Assertion, parseGlob, parseRegex, type RegexFault, type RegexNode } from "./regex_parser.ts";

/** Instructions of one pattern. */
const PROGRAM_LIMIT = 5000;
/** States that are kept; with more the automaton begins to build anew. */
const STATE_LIMIT = 2000;

const OP = { range: 0, split: 1, assert: 2, match: 3 } as const;

/** What stands before or behind a place between two bytes. */
const EDGE = 0;
const WORD = 1;
const NEWLINE = 2;
const OTHER = 3;
/** A byte within a character: nothing is asserted before it. */
const WITHIN = 4;

const UNKNOWN = -1;
const FOUND = -2;
const DEAD = -3;

class TooLarge extends Error {}

/** A program for the automaton: arrays, one instruction an index. */
class Program {
  readonly op: number[] = [];
  readonly x: number[] = [];
  readonly y: number[] = [];
  readonly next: number[] = [];
  asserts = false;

  add(op: number, x: number, y: number, next: number): number {
    if (this.op.length >= PROGRAM_LIMIT) throw new TooLarge();
    this.op.push(op);
    this.x.push(x);
    this.y.push(y);
    this.next.push(next);
    return this.op.length - 1;
  }
}

const ASSERTIONS: readonly Assertion[] = ["text-start", "text-end", "line-start", "line-end", "word", "not-word"];

/** Builds backwards: each function is told where to go on and says where it begins. */
function emit(p: Program, node: RegexNode, next: number): number {
  switch (node.node) {
    case "set":
      return emitSet(p, node.ranges, next);
    case "sequence": {
      let at = next;
      for (let i = node.parts.length - 1; i >= 0; i--) at = emit(p, node.parts[i]!, at);
      return at;
    }
    case "either": {
      let at = emit(p, node.branches.at(-1)!, next);
      for (let i = node.branches.length - 2; i >= 0; i--) at = p.add(OP.split, emit(p, node.branches[i]!, next), at, 0);
      return at;
    }
    case "repeat": {
      let at = next;
      if (node.most === Infinity) {
        const loop = p.add(OP.split, 0, next, 0);
        p.x[loop] = emit(p, node.part, loop);
        at = loop;
      } else for (let i = node.least; i < node.most; i++) at = p.add(OP.split, emit(p, node.part, at), next, 0);
      for (let i = 0; i < node.least; i++) at = emit(p, node.part, at);
      return at;
    }
    case "assert":
      p.asserts = true;
      return p.add(OP.assert, ASSERTIONS.indexOf(node.what), 0, next);
  }
}

function emitSet(p: Program, ranges: readonly (readonly [number, number])[], next: number): number {
  let at = -1;
  for (const [from, to] of ranges)
    for (const bytes of utf8Ranges(from, to)) {
      let start = next;
      for (let i = bytes.length - 1; i >= 0; i--) start = p.add(OP.range, bytes[i]![0], bytes[i]![1], start);
      at = at < 0 ? start : p.add(OP.split, start, at, 0);
    }
  // A set of nothing: a byte that does not exist.
  return at < 0 ? p.add(OP.range, 256, 256, next) : at;
}

type ByteRange = readonly [number, number];

/** The code points `[from, to]` as sequences of byte ranges. */
function utf8Ranges(from: number, to: number): ByteRange[][] {
  const out: ByteRange[][] = [];
  const cut = (a: number, b: number) => {
    if (a > b) return;
    for (const limit of [0x7f, 0x7ff, 0xffff])
      if (a <= limit && b > limit) {
        cut(a, limit);
        cut(limit + 1, b);
        return;
      }
    // Surrogates have no bytes.
    if (a <= 0xdfff && b >= 0xd800) {
      cut(a, 0xd7ff);
      cut(0xe000, b);
      return;
    }
    if (b <= 0x7f) {
      out.push([[a, b]]);
      return;
    }
    for (let i = 1; i < 4; i++) {
      const mask = (1 << (6 * i)) - 1;
      if (a >> (6 * i) === b >> (6 * i)) continue;
      if ((a & mask) !== 0) {
        cut(a, a | mask);
        cut((a | mask) + 1, b);
        return;
      }
      if ((b & mask) !== mask) {
        cut(a, (b & ~mask) - 1);
        cut(b & ~mask, b);
        return;
      }
    }
    const x = encoded(a);
    const y = encoded(b);
    out.push(x.map((byte, i) => [byte, y[i]!] as const));
  };
  cut(from, to);
  return out;
}

function encoded(c: number): number[] {
  if (c <= 0x7ff) return [0xc0 | (c >> 6), 0x80 | (c & 63)];
  if (c <= 0xffff) return [0xe0 | (c >> 12), 0x80 | ((c >> 6) & 63), 0x80 | (c & 63)];
  return [0xf0 | (c >> 18), 0x80 | ((c >> 12) & 63), 0x80 | ((c >> 6) & 63), 0x80 | (c & 63)];
}

function kindOf(byte: number): number {
  if (byte === 10) return NEWLINE;
  if (byte >= 0x80 && byte <= 0xbf) return WITHIN;
  const word = (byte >= 48 && byte <= 57) || (byte >= 65 && byte <= 90) || byte === 95 || (byte >= 97 && byte <= 122);
  return word ? WORD : OTHER;
}

interface State {
  /** Instructions that stand before the next byte, not followed yet. */
  readonly kernel: Int32Array;
  readonly before: number;
  /** Whether the text may end here; UNKNOWN while nobody asked. */
  atEnd: number;
}

export class Regex {
  private readonly p: Program;
  private readonly start: number;
  /** By byte: its class; bytes of one class do the same in every state. */
  private readonly classOf = new Uint8Array(256);
  /** By class: one of its bytes. */
  private readonly sample: number[] = [];
  private states: State[] = [];
  private byKey = new Map<string, number>();
  private moves = new Int32Array(0);
  private readonly marks: Uint32Array;
  private mark = 0;
  private readonly stack: number[] = [];

  constructor(p: Program, start: number) {
    this.p = p;
    this.start = start;
    this.marks = new Uint32Array(p.op.length);
    this.findClasses();
    this.clear();
  }

  private findClasses(): void {
    const { p } = this;
    const border = new Uint8Array(257);
    for (let i = 0; i < p.op.length; i++)
      if (p.op[i] === OP.range && p.x[i]! < 256) {
        border[p.x[i]!] = 1;
        border[p.y[i]! + 1] = 1;
      }
    let last = -1;
    for (let byte = 0; byte < 256; byte++) {
      const changes = p.asserts && byte > 0 && kindOf(byte) !== kindOf(byte - 1);
      if (byte === 0 || border[byte] === 1 || changes) {
        last++;
        this.sample.push(byte);
      }
      this.classOf[byte] = last;
    }
  }

  private clear(): void {
    this.states = [];
    this.byKey = new Map();
    this.moves = new Int32Array(64 * this.sample.length).fill(UNKNOWN);
    this.stateOf([this.start], EDGE);
  }

  private stateOf(kernel: number[], before: number): number {
    const sorted = kernel.toSorted((a, b) => a - b);
    const key = `${before}:${sorted.join(",")}`;
    const known = this.byKey.get(key);
    if (known !== undefined) return known;
    const id = this.states.length;
    this.states.push({ kernel: Int32Array.from(sorted), before, atEnd: UNKNOWN });
    this.byKey.set(key, id);
    const width = this.sample.length;
    if ((id + 1) * width > this.moves.length) {
      const grown = new Int32Array(this.moves.length * 2).fill(UNKNOWN);
      grown.set(this.moves);
      this.moves = grown;
    }
    return id;
  }

  /** Follows everything that takes no byte; calls `take` with each instruction that wants one. True when the pattern is found. */
  private follow(state: State, after: number, take: (pc: number) => void): boolean {
    const { p, marks, stack } = this;
    const mark = ++this.mark;
    let found = false;
    for (const pc of state.kernel) stack.push(pc);
    while (stack.length > 0) {
      const pc = stack.pop()!;
      if (marks[pc] === mark) continue;
      marks[pc] = mark;
      switch (p.op[pc]) {
        case OP.match:
          found = true;
          break;
        case OP.split:
          stack.push(p.y[pc]!, p.x[pc]!);
          break;
        case OP.assert:
          if (holds(p.x[pc]!, state.before, after)) stack.push(p.next[pc]!);
          break;
        default:
          take(pc);
      }
    }
    return found;
  }

  /** Where `state` goes on bytes of a class. */
  private move(id: number, byteClass: number): number {
    const { p } = this;
    const byte = this.sample[byteClass]!;
    const kind = p.asserts ? kindOf(byte) : OTHER;
    const kernel = new Set<number>();
    const found = this.follow(this.states[id]!, kind, (pc) => {
      if (byte >= p.x[pc]! && byte <= p.y[pc]!) kernel.add(p.next[pc]!);
    });
    if (found) return this.remember(id, byteClass, FOUND);
    // The pattern may begin behind any byte.
    kernel.add(this.start);
    if (this.states.length >= STATE_LIMIT) {
      this.clear();
      return this.stateOf([...kernel], kind);
    }
    return this.remember(id, byteClass, this.stateOf([...kernel], kind));
  }

  private remember(id: number, byteClass: number, to: number): number {
    this.moves[id * this.sample.length + byteClass] = to;
    return to;
  }

  private endsIn(id: number): boolean {
    const state = this.states[id]!;
    if (state.atEnd === UNKNOWN) state.atEnd = this.follow(state, EDGE, () => {}) ? FOUND : DEAD;
    return state.atEnd === FOUND;
  }

  /** Whether the pattern is anywhere in `b[from, to)`. */
  test(b: Uint8Array, from = 0, to = b.length): boolean {
    const { classOf } = this;
    const width = this.sample.length;
    let state = 0;
    let { moves } = this;
    for (let i = from; i < to; i++) {
      const byteClass = classOf[b[i]!]!;
      let next = moves[state * width + byteClass]!;
      if (next < 0) {
        if (next === UNKNOWN) next = this.move(state, byteClass);
        if (next === FOUND) return true;
        moves = this.moves;
      }
      state = next;
    }
    return this.endsIn(state);
  }
}

function holds(assertion: number, before: number, after: number): boolean {
  if (after === WITHIN) return false;
  switch (assertion) {
    case 0:
      return before === EDGE;
    case 1:
      return after === EDGE;
    case 2:
      return before === EDGE || before === NEWLINE;
    case 3:
      return after === EDGE || after === NEWLINE;
    case 4:
      return (before === WORD) !== (after === WORD);
    default:
      return (before === WORD) === (after === WORD);
  }
}

function build(node: RegexNode, length: number): Result<Regex, RegexFault> {
  const program = new Program();
  try {
    const start = emit(program, node, program.add(OP.match, 0, 0, 0));
    return ok(new Regex(program, start));
  } catch (error) {
    if (error instanceof TooLarge)
      return err({
        at: 0,
        length,
        message: `the pattern is too large: its repetitions come to more than ${PROGRAM_LIMIT} steps`,
      });
    throw error;
  }
}

export function compileRegex(source: string, flags = ""): Result<Regex, RegexFault> {
  return parseRegex(source, flags).andThen((node) => build(node, source.length));
}

export function compileGlob(pattern: string): Result<Regex, RegexFault> {
  return parseGlob(pattern).andThen((node) => build(node, pattern.length));
}
