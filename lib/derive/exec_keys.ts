// Which execs ran the same command: a small number for each exec's program, file or whole argv, straight from the bytes of
// its line. Lines in the form that tk writes are read in place; every other goes through the event as an object, and both
// ways give the same number for the same command.
import { ByteKeys } from "../base/byte_keys.ts";
import { programName } from "../model/argv.ts";
import type { Argv } from "../model/event.ts";
import { KIND } from "../model/event.ts";
import { argvOf, filenameOf, type Rows } from "../model/event_at.ts";
import { ABSENT } from "../model/ids.ts";

/** What makes two runs the same command. */
export type CommandBy = "program" | "argv" | "exe";

export interface ExecKeys {
  /** By event row: the key of an exec, ABSENT for every other row. */
  readonly ofRow: Int32Array;
  /** By key: the first row that has it, from which its text can be made. */
  readonly sampleRow: Int32Array;
  readonly length: number;
}

/** Told now and then how many rows are done. */
export type Watch = (done: number, total: number) => void;

const encoder = new TextEncoder();
const ARGS = encoder.encode('"args":[');
const FILE = encoder.encode('"filename":"');
const EXACT = encoder.encode('_b64":');
const QUOTE = 34;
const BACKSLASH = 92;
const SLASH = 47;
const COMMA = 44;
const BRACE = 123;
const BRACKET_END = 93;

/** Rows between two calls of a watch. */
const STEP = 1 << 15;

export function deriveExecKeys(recording: Rows, by: CommandBy, watch?: Watch): ExecKeys {
  const { events, text } = recording;
  const { kind, mate, at, len, length } = events;
  const ofRow = new Int32Array(length).fill(ABSENT);
  let samples = new Int32Array(1024);
  const keys = new ByteKeys();
  const feed = by === "program" ? feedProgram : by === "exe" ? feedFile : feedArgv;
  // In the order of the text, which may have to be read from a file.
  for (let row = 0; row < length; row++) {
    if (watch !== undefined && row % STEP === 0) watch(row, length);
    if (kind[row] !== KIND.exec && kind[row] !== KIND.exec_part) continue;
    keys.begin();
    const line = mate[row] === ABSENT ? text.read(at[row]!, len[row]!) : undefined;
    if (line === undefined || !feed(keys, line)) {
      keys.begin();
      feedSlowly(keys, recording, row, by);
    }
    const known = keys.length;
    const key = keys.key();
    if (key === known) {
      if (key === samples.length) {
        const grown = new Int32Array(key * 2);
        grown.set(samples);
        samples = grown;
      }
      samples[key] = row;
    }
    ofRow[row] = key;
  }
  return { ofRow, sampleRow: samples.slice(0, keys.length), length: keys.length };
}

/**
 * Where the value of a field of the event itself begins; -1 when the field is not there or its place is not certain. A
 * key's two quotes cannot stand inside a string without a backslash, so it is enough to see no third brace before it.
 */
export function valueAt(line: Uint8Array, name: Uint8Array): number {
  let braces = 0;
  const last = line.length - name.length;
  for (let i = 0; i <= last; i++) {
    const c = line[i]!;
    if (c === BRACE) {
      if (++braces > 2) return -1;
    } else if (c === QUOTE && line[i + 1] === name[1] && startsWith(line, i, name)) return i + name.length;
  }
  return -1;
}

function startsWith(line: Uint8Array, at: number, name: Uint8Array): boolean {
  for (let k = 2; k < name.length; k++) if (line[at + k] !== name[k]) return false;
  return true;
}

/** Position of the quote that ends the string whose text begins at `from`; -1 when it holds an escape. */
export function endOfPlain(line: Uint8Array, from: number): number {
  for (let i = from; i < line.length; i++) {
    const c = line[i]!;
    if (c === QUOTE) return i;
    if (c === BACKSLASH) return -1;
  }
  return -1;
}

/** Start of a path's last part. */
function baseAt(line: Uint8Array, from: number, to: number): number {
  for (let i = to - 1; i >= from; i--) if (line[i] === SLASH) return i + 1;
  return from;
}

function feedProgram(keys: ByteKeys, line: Uint8Array): boolean {
  const list = valueAt(line, ARGS);
  if (list < 0 || line[list] !== QUOTE) return false;
  const end = endOfPlain(line, list + 1);
  if (end < 0) return false;
  const from = baseAt(line, list + 1, end);
  // No name, or a folder's: the careful way knows what stands for it.
  if (from === end) return false;
  keys.bytes(line, from, end);
  return true;
}

function feedFile(keys: ByteKeys, line: Uint8Array): boolean {
  const from = valueAt(line, FILE);
  if (from < 0) return false;
  const end = endOfPlain(line, from);
  if (end <= from) return false;
  keys.bytes(line, from, end);
  return true;
}

function feedArgv(keys: ByteKeys, line: Uint8Array): boolean {
  const list = valueAt(line, ARGS);
  if (list < 0) return false;
  let i = list;
  for (;;) {
    if (line[i] !== QUOTE) return false;
    const end = endOfPlain(line, i + 1);
    if (end < 0) return false;
    keys.bytes(line, i + 1, end);
    keys.border();
    i = end + 1;
    if (line[i] === BRACKET_END) break;
    if (line[i] !== COMMA) return false;
    i++;
  }
  // Words that are not UTF-8 follow as base64.
  for (; i < line.length; i++)
    if (line[i] === EXACT[0] && line[i + 1] === EXACT[1] && startsWith(line, i, EXACT)) return false;
  return true;
}

/** The key of a line in any form, from what it means. */
function feedSlowly(keys: ByteKeys, recording: Rows, row: number, by: CommandBy): void {
  const text = (s: string) => {
    const bytes = encoder.encode(s);
    keys.bytes(bytes, 0, bytes.length);
  };
  if (by === "exe") {
    text(filenameOf(recording, row)?.text ?? "");
    return;
  }
  const argv = argvOf(recording, row);
  if (by === "program") {
    text(programOf(argv, () => filenameOf(recording, row)?.text));
    return;
  }
  if (argv === undefined || argv.words.length === 0) {
    text(filenameOf(recording, row)?.text ?? "");
    return;
  }
  argv.words.forEach((word, i) => {
    const exact = argv.bytes?.get(i);
    if (exact === undefined) text(word);
    else keys.bytes(exact, 0, exact.length);
    keys.border();
  });
}

/** A program's name from its words or, without any, from its file; empty when neither is known. */
export function programOf(argv: Argv | undefined, filename: () => string | undefined): string {
  const name = argv === undefined ? "" : programName(argv);
  if (name !== "") return name;
  return programName({ words: [filename() ?? ""], joined: false });
}
