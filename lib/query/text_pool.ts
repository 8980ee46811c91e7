// Columns of texts: a small number by row, and the distinct texts behind the numbers. Patterns are matched once per distinct text, groups
// are made of numbers, and a text becomes a string only when somebody reads it.
import { ByteKeys } from "../base/byte_keys.ts";
import { ABSENT } from "../model/ids.ts";
import type { TextPool } from "./result.ts";

export interface TextColumn {
  /** By row; negative is not known. */
  readonly keys: Int32Array;
  readonly pool: TextPool;
}

const encoder = new TextEncoder();

/** Texts that are strings already: names of kinds, texts of a query. */
export class StringPool implements TextPool {
  private readonly all: string[];
  private readonly numbers: Map<string, number>;

  constructor(texts: readonly string[] = []) {
    this.all = [...texts];
    this.numbers = new Map(this.all.map((text, key) => [text, key]));
  }

  get length(): number {
    return this.all.length;
  }

  key(text: string): number {
    const known = this.numbers.get(text);
    if (known !== undefined) return known;
    this.numbers.set(text, this.all.length);
    return this.all.push(text) - 1;
  }

  text(key: number): string {
    return this.all[key] ?? "";
  }

  bytes(key: number): Uint8Array {
    return encoder.encode(this.text(key));
  }
}

/** Puts the texts of one column together. */
export interface TextSource {
  /** The text of a row in UTF-8, valid until the next call; undefined when there is none. */
  bytesOf(row: number): Uint8Array | undefined;
}

const decoder = new TextDecoder();

/** Texts that stay where they are: of each only a row that has it is kept. */
export class SourcePool implements TextPool {
  private readonly source: TextSource;
  private readonly sample: Int32Array;
  private readonly strings = new Map<number, string>();

  constructor(source: TextSource, sample: Int32Array) {
    this.source = source;
    this.sample = sample;
  }

  get length(): number {
    return this.sample.length;
  }

  text(key: number): string {
    let text = this.strings.get(key);
    if (text === undefined) {
      text = decoder.decode(this.bytes(key));
      // What is looked at again is a name; of a million command lines none is.
      if (this.strings.size < MOST_STRINGS) this.strings.set(key, text);
    }
    return text;
  }

  bytes(key: number): Uint8Array {
    const row = this.sample[key];
    return (row === undefined ? undefined : this.source.bytesOf(row)) ?? NOTHING;
  }
}

const NOTHING = new Uint8Array(0);
const MOST_STRINGS = 20_000;

/** The column of the rows for which `has` says so; `length` rows in all. */
export function textColumn(source: TextSource, length: number, has: (row: number) => boolean): TextColumn {
  const keys = new Int32Array(length).fill(ABSENT);
  let sample = new Int32Array(1024);
  const known = new ByteKeys();
  for (let row = 0; row < length; row++) {
    if (!has(row)) continue;
    const bytes = source.bytesOf(row);
    if (bytes === undefined) continue;
    known.begin();
    known.bytes(bytes, 0, bytes.length);
    const before = known.length;
    const key = known.key();
    if (key === before) {
      if (key === sample.length) {
        const grown = new Int32Array(key * 2);
        grown.set(sample);
        sample = grown;
      }
      sample[key] = row;
    }
    keys[row] = key;
  }
  return { keys, pool: new SourcePool(source, sample.slice(0, known.length)) };
}

/** The column of other rows of the same texts: row `i` has what row `from[i]` has. */
export function gatheredTexts(column: TextColumn, from: Int32Array): TextColumn {
  const keys = new Int32Array(from.length);
  for (let i = 0; i < from.length; i++) {
    const row = from[i]!;
    keys[i] = row < 0 ? ABSENT : column.keys[row]!;
  }
  return { keys, pool: column.pool };
}
