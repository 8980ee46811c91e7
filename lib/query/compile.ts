// Typed nodes to functions over blocks of rows: each function owns the buffer that it fills, and calls the loops of `scan.ts` on those of
// its parts. Texts are looked at once per distinct text, and the right side of `and` and `or` only where the left one left it open.
import { Bug } from "../base/assert.ts";
import type { ResultColumn, TextPool } from "./result.ts";
import {
  ARITHMETIC,
  between,
  BLOCK,
  COMPARE,
  COMPARE_CONSTANT,
  type Frames,
  gatherBytes,
  gatherDoubles,
  gatherIntegers,
  gatherKeys,
  isKnown,
  isNotNegative,
  isTruthy,
} from "./scan.ts";
import { StringPool } from "./text_pool.ts";
import type { BoolNode, NumberNode, RowPath, TextNode } from "./typed.ts";
import type { TableName } from "./fields.ts";
import type { World } from "./world.ts";

export type NumberScan = (f: Frames, n: number) => Float64Array;
export type BoolScan = (f: Frames, n: number) => Uint8Array;
export type RowScan = (f: Frames, n: number) => Int32Array;

export interface TextScan {
  readonly pool: TextPool;
  /** Keys of the pool; negative is not known. */
  readonly keys: RowScan;
}

/** What nodes read: the columns of a recording, or those that a stage computed. */
export interface Ground {
  readonly world: World;
  readonly columns: readonly ResultColumn[] | undefined;
}

export function rowScan(ground: Ground, path: RowPath): RowScan {
  const { world } = ground;
  let start: RowScan;
  if (path.frame === -1) {
    const fixed = new Int32Array(BLOCK).fill(path.at);
    start = () => fixed;
  } else start = path.frame === 0 ? (f) => f.row : (f) => f.inner;
  let scan = start;
  for (const step of path.steps) {
    const before = scan;
    const link = world.link(step.table, step.column);
    const out = new Int32Array(BLOCK);
    scan = (f, n) => {
      gatherKeys(link, before(f, n), n, out);
      return out;
    };
  }
  return scan;
}

/** A row that a handle names and that there is not: nothing is known of it. */
function within(world: World, path: RowPath, table: TableName): RowPath {
  const first = path.steps[0]?.table ?? table;
  return path.frame === -1 && path.at >= world.lengthOf(first) ? { frame: -1, at: -1, steps: path.steps } : path;
}

export function numberScan(ground: Ground, node: NumberNode): NumberScan {
  const out = new Float64Array(BLOCK);
  switch (node.ir) {
    case "constant":
      out.fill(node.value);
      return () => out;
    case "field": {
      const { field } = node;
      const rows = rowScan(ground, within(ground.world, field.path, field.table));
      const column = ground.world.numbers(field.table, field.name);
      if (column instanceof Float64Array)
        return (f, n) => {
          gatherDoubles(column, rows(f, n), n, out);
          return out;
        };
      if (column instanceof Int32Array)
        return (f, n) => {
          gatherIntegers(column, rows(f, n), n, out);
          return out;
        };
      return (f, n) => {
        gatherBytes(column, rows(f, n), n, out);
        return out;
      };
    }
    case "column": {
      const { values } = computedColumn(ground, node.index);
      return (f, n) => {
        gatherDoubles(values, f.row, n, out);
        return out;
      };
    }
    case "arithmetic": {
      const left = numberScan(ground, node.left);
      const right = numberScan(ground, node.right);
      const loop = ARITHMETIC[node.op];
      return (f, n) => {
        loop(left(f, n), right(f, n), n, out);
        return out;
      };
    }
    case "negative": {
      const operand = numberScan(ground, node.operand);
      return (f, n) => {
        const a = operand(f, n);
        for (let i = 0; i < n; i++) out[i] = -a[i]!;
        return out;
      };
    }
    case "abs": {
      const operand = numberScan(ground, node.operand);
      return (f, n) => {
        const a = operand(f, n);
        for (let i = 0; i < n; i++) out[i] = Math.abs(a[i]!);
        return out;
      };
    }
    case "condition": {
      const operand = boolScan(ground, node.operand);
      return (f, n) => {
        const a = operand(f, n);
        for (let i = 0; i < n; i++) out[i] = a[i]!;
        return out;
      };
    }
    case "each":
      return eachScan(ground, node);
  }
}

function computedColumn(ground: Ground, index: number): ResultColumn {
  const column = ground.columns?.[index];
  if (column === undefined) throw new Bug(`no computed column ${index}`);
  return column;
}

export function textScan(ground: Ground, node: TextNode): TextScan {
  const { world } = ground;
  const out = new Int32Array(BLOCK);
  switch (node.ir) {
    case "text":
      return { pool: new StringPool([node.value]), keys: () => out };
    case "text-field": {
      const { field } = node;
      const rows = rowScan(ground, within(world, field.path, field.table));
      const { keys, pool } = world.texts(field.table, field.name);
      return {
        pool,
        keys: (f, n) => {
          gatherKeys(keys, rows(f, n), n, out);
          return out;
        },
      };
    }
    case "text-column": {
      const { values, pool } = computedColumn(ground, node.index);
      return {
        pool: pool ?? new StringPool(),
        keys: (f, n) => {
          for (let i = 0; i < n; i++) {
            const key = values[f.row[i]!]!;
            out[i] = Number.isNaN(key) ? -1 : key;
          }
          return out;
        },
      };
    }
    case "lower": {
      const operand = textScan(ground, node.operand);
      const pool = new StringPool();
      const lowered = new Int32Array(operand.pool.length).fill(-1);
      return {
        pool,
        keys: (f, n) => {
          const keys = operand.keys(f, n);
          for (let i = 0; i < n; i++) {
            const key = keys[i]!;
            if (key < 0) out[i] = -1;
            else {
              if (lowered[key]! < 0) lowered[key] = pool.key(operand.pool.text(key).toLowerCase());
              out[i] = lowered[key]!;
            }
          }
          return out;
        },
      };
    }
  }
}

/** A condition of one text, asked once per distinct text. */
function perText(text: TextScan, holds: (key: number) => boolean): BoolScan {
  const out = new Uint8Array(BLOCK);
  /** 0 not asked yet, 1 no, 2 yes. */
  let known = new Uint8Array(text.pool.length);
  return (f, n) => {
    const keys = text.keys(f, n);
    if (known.length < text.pool.length) {
      const grown = new Uint8Array(text.pool.length * 2);
      grown.set(known);
      known = grown;
    }
    for (let i = 0; i < n; i++) {
      const key = keys[i]!;
      if (key < 0) out[i] = 0;
      else {
        let answer = known[key]!;
        if (answer === 0) known[key] = answer = holds(key) ? 2 : 1;
        out[i] = answer - 1;
      }
    }
    return out;
  };
}

const sameBytes = (a: Uint8Array, b: Uint8Array) => {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
};

const encoder = new TextEncoder();

function compareTexts(ground: Ground, node: BoolNode & { readonly ir: "compare-text" }): BoolScan {
  const left = textScan(ground, node.left);
  const { op } = node;
  if (node.right.ir === "text") {
    const { value } = node.right;
    if (op === "==" || op === "!=") {
      const bytes = encoder.encode(value);
      return perText(left, (key) => sameBytes(left.pool.bytes(key), bytes) === (op === "=="));
    }
    return perText(left, (key) => ordered(op, left.pool.text(key), value));
  }
  const right = textScan(ground, node.right);
  const out = new Uint8Array(BLOCK);
  const same = left.pool === right.pool;
  return (f, n) => {
    const a = left.keys(f, n);
    const b = right.keys(f, n);
    for (let i = 0; i < n; i++) {
      const [x, y] = [a[i]!, b[i]!];
      if (x < 0 || y < 0) out[i] = 0;
      else if (same && (op === "==" || op === "!=")) out[i] = (x === y) === (op === "==") ? 1 : 0;
      else out[i] = ordered(op, left.pool.text(x), right.pool.text(y)) ? 1 : 0;
    }
    return out;
  };
}

/** Texts in the order of their UTF-16 units, as JavaScript has it. */
export function ordered(op: string, a: string, b: string): boolean {
  switch (op) {
    case "==":
      return a === b;
    case "!=":
      return a !== b;
    case "<":
      return a < b;
    case "<=":
      return a <= b;
    case ">":
      return a > b;
    default:
      return a >= b;
  }
}

export function boolScan(ground: Ground, node: BoolNode): BoolScan {
  const out = new Uint8Array(BLOCK);
  switch (node.ir) {
    case "true":
      out.fill(1);
      return () => out;
    case "false":
      return () => out;
    case "and":
    case "or":
      return bothScan(ground, node);
    case "not": {
      const operand = boolScan(ground, node.operand);
      return (f, n) => {
        const a = operand(f, n);
        for (let i = 0; i < n; i++) out[i] = a[i]! ^ 1;
        return out;
      };
    }
    case "compare": {
      const left = numberScan(ground, node.left);
      if (node.right.ir === "constant") {
        const loop = COMPARE_CONSTANT[node.op];
        const { value } = node.right;
        return (f, n) => {
          loop(left(f, n), value, n, out);
          return out;
        };
      }
      const right = numberScan(ground, node.right);
      const loop = COMPARE[node.op];
      return (f, n) => {
        loop(left(f, n), right(f, n), n, out);
        return out;
      };
    }
    case "compare-text":
      return compareTexts(ground, node);
    case "between": {
      const [left, low, high] = [node.left, node.low, node.high].map((part) => numberScan(ground, part));
      return (f, n) => {
        between(left!(f, n), low!(f, n), high!(f, n), n, out);
        return out;
      };
    }
    case "in": {
      const left = numberScan(ground, node.left);
      const values = new Set(node.values);
      return (f, n) => {
        const a = left(f, n);
        for (let i = 0; i < n; i++) out[i] = values.has(a[i]!) ? 1 : 0;
        return out;
      };
    }
    case "in-text": {
      const left = textScan(ground, node.left);
      const values = new Set(node.values);
      return perText(left, (key) => values.has(left.pool.text(key)));
    }
    case "match": {
      const left = textScan(ground, node.left);
      return perText(left, (key) => node.regex.test(left.pool.bytes(key)));
    }
    case "known": {
      const operand = numberScan(ground, node.operand);
      return (f, n) => {
        isKnown(operand(f, n), n, out);
        return out;
      };
    }
    case "known-text": {
      const operand = textScan(ground, node.operand);
      return (f, n) => {
        isNotNegative(operand.keys(f, n), n, out);
        return out;
      };
    }
    case "truthy": {
      const operand = numberScan(ground, node.operand);
      return (f, n) => {
        isTruthy(operand(f, n), n, out);
        return out;
      };
    }
    case "under": {
      const rows = rowScan(ground, node.process);
      const member = membersUnder(ground.world, node.lives, node.pids);
      return (f, n) => {
        const lives = rows(f, n);
        for (let i = 0; i < n; i++) out[i] = lives[i]! < 0 ? 0 : member[lives[i]!]!;
        return out;
      };
    }
  }
}

/** By life: 1 when it is one of those or below one. */
export function membersUnder(world: World, lives: readonly number[], pids: readonly number[]): Uint8Array {
  const { tree } = world;
  const n = world.processes.length;
  const member = new Uint8Array(n);
  for (const life of [...lives, ...pids.flatMap((pid) => world.livesOf(pid))]) {
    if (life >= n) continue;
    const from = tree.position[life]!;
    const to = from + tree.size[life]!;
    for (let i = from; i < to; i++) member[tree.preorder[i]!] = 1;
  }
  return member;
}

/** The right side is asked where the left one does not decide: of those rows alone when they are few. */
function bothScan(ground: Ground, node: BoolNode & { readonly ir: "and" | "or" }): BoolScan {
  const out = new Uint8Array(BLOCK);
  const left = boolScan(ground, node.left);
  const right = boolScan(ground, node.right);
  /** What of the left side decides alone. */
  const closed = node.ir === "and" ? 0 : 1;
  const some: Frames = { row: new Int32Array(BLOCK), inner: new Int32Array(BLOCK) };
  const place = new Int32Array(BLOCK);
  return (f, n) => {
    out.set(left(f, n).subarray(0, n));
    let m = 0;
    // Without a branch that the processor could guess wrong.
    for (let i = 0; i < n; i++) {
      place[m] = i;
      m += out[i]! ^ closed;
    }
    if (m === 0) return out;
    if (m === n) {
      out.set(right(f, n).subarray(0, n));
      return out;
    }
    for (let k = 0; k < m; k++) {
      some.row[k] = f.row[place[k]!]!;
      some.inner[k] = f.inner[place[k]!]!;
    }
    const b = right(some, m);
    for (let k = 0; k < m; k++) out[place[k]!] = b[k]!;
    return out;
  };
}

/** Pairs of a row and one of its children or images, a block at a time, folded into one value a row. */
function eachScan(ground: Ground, node: NumberNode & { readonly ir: "each" }): NumberScan {
  const { world } = ground;
  const out = new Float64Array(BLOCK);
  const counts = new Float64Array(BLOCK);
  const processes = rowScan(ground, node.process);
  const { at, items } =
    node.over === "child"
      ? { at: world.tree.childAt, items: world.tree.child }
      : { at: world.processes.imageAt, items: undefined };
  const condition = node.condition === undefined ? undefined : boolScan(ground, node.condition);
  const value = node.value === undefined ? undefined : numberScan(ground, node.value);
  const pairs: Frames = { row: new Int32Array(BLOCK), inner: new Int32Array(BLOCK) };
  const owner = new Int32Array(BLOCK);
  const { quantifier } = node;

  const fold = (m: number) => {
    if (condition !== undefined) {
      const holds = condition(pairs, m);
      for (let k = 0; k < m; k++) counts[owner[k]!]! += holds[k]!;
    } else if (value !== undefined) {
      const values = value(pairs, m);
      for (let k = 0; k < m; k++) {
        const x = values[k]!;
        if (Number.isNaN(x)) continue;
        const i = owner[k]!;
        const first = counts[i]!++ === 0;
        if (quantifier === "min" || quantifier === "max") {
          if (first || (quantifier === "min" ? x < out[i]! : x > out[i]!)) out[i] = x;
        } else out[i]! += x;
      }
    }
  };

  return (f, n) => {
    const lives = processes(f, n);
    out.fill(0, 0, n);
    counts.fill(0, 0, n);
    let m = 0;
    if (condition !== undefined || value !== undefined)
      for (let i = 0; i < n; i++) {
        const life = lives[i]!;
        if (life < 0) continue;
        for (let k = at[life]!; k < at[life + 1]!; k++) {
          if (m === BLOCK) {
            fold(m);
            m = 0;
          }
          owner[m] = i;
          pairs.row[m] = f.row[i]!;
          pairs.inner[m++] = items === undefined ? k : items[k]!;
        }
      }
    fold(m);
    for (let i = 0; i < n; i++) {
      const life = lives[i]!;
      if (life < 0) {
        out[i] = NaN;
        continue;
      }
      const all = at[life + 1]! - at[life]!;
      switch (quantifier) {
        case "any":
          out[i] = counts[i]! > 0 ? 1 : 0;
          break;
        case "all":
          out[i] = counts[i] === all ? 1 : 0;
          break;
        case "count":
          out[i] = condition === undefined ? all : counts[i]!;
          break;
        case "avg":
          out[i] = counts[i] === 0 ? NaN : out[i]! / counts[i]!;
          break;
        case "min":
        case "max":
          if (counts[i] === 0) out[i] = NaN;
          break;
        case "sum":
          break;
      }
    }
    return out;
  };
}
