// Runs Python programs under the line recorder as tk injects it, without tk, and reads the raw streams back
// (docs/lines-python.md). Reads them by itself on purpose: the tests must not trust the collector that they help to test.
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { spawnSync } from "node:child_process";
import { inflateSync } from "node:zlib";
import { PYTHON_FILES } from "../../lib/recorders/recorders.ts";
import { PLAIN_ENV, temporaryFolder } from "./programs.ts";
import { type Ran, type RunOptions, run } from "./tk.ts";

export interface Python {
  readonly path: string;
  /** `3.11.2`. */
  readonly version: string;
  /** 311. */
  readonly number: number;
}

function look(): Python[] {
  const versions = join(homedir(), ".pyenv", "versions");
  const paths = existsSync(versions) ? readdirSync(versions).map((name) => join(versions, name, "bin", "python")) : [];
  const found: Python[] = [];
  // CI names those that it has unpacked (.ci/pythons).
  const named = process.env["TK_TEST_PYTHONS"]?.split(":") ?? [];
  for (const path of ["/usr/bin/python3", ...named, ...paths]) {
    if (!existsSync(path)) continue;
    const asked = spawnSync(path, ["-c", "import sys; sys.stdout.write(sys.version.split()[0])"], { encoding: "utf8" });
    const [major, minor] = asked.stdout.split(".").map(Number);
    if (major === undefined || minor === undefined) continue;
    found.push({ path, version: asked.stdout, number: major * 100 + minor });
  }
  return found.sort((a, b) => a.number - b.number);
}

/** Every CPython that is installed here. */
export const ALL_PYTHONS = look();
/** Those that are recorded. */
export const PYTHONS = ALL_PYTHONS.filter((python) => python.number >= 307);
/** One for each engine: the newest before 3.12, the newest. */
export const ENGINES = [
  PYTHONS.filter((p) => p.number < 312).at(-1),
  PYTHONS.filter((p) => p.number >= 312).at(-1),
].filter((p) => p !== undefined);

export interface Stream {
  readonly number: number;
  readonly name: string;
  readonly interpreter: number;
  readonly words: number[];
  readonly times: bigint[];
}

export interface Interpreter {
  readonly id: string;
  readonly pid: number;
  readonly ppid: number;
  readonly version: string;
  readonly name: string;
  readonly files: Map<number, { path: string; source: string }>;
  readonly codes: Map<number, { file: number; line: number; name: string }>;
  readonly streams: Stream[];
  readonly notes: string[];
  readonly lost: string[];
  readonly ended: boolean;
}

const plain = (field: string): string =>
  field.replace(/%([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));

function readStream(base: string, stream: Stream): void {
  for (let block = 0; ; block++) {
    const path = `${base}.${stream.number}.${block}`;
    let bytes: Buffer;
    if (existsSync(path)) bytes = readFileSync(path);
    else if (existsSync(`${path}.z`)) bytes = inflateSync(readFileSync(`${path}.z`));
    else return;
    if (bytes.toString("latin1", 0, 4) !== "TKL1" || bytes.readUInt32LE(4) !== 1)
      throw new Error(`${path}: bad header`);
    const capacity = bytes.readUInt32LE(8);
    if (bytes.length !== 64 + capacity * 12) throw new Error(`${path}: ${bytes.length} bytes for ${capacity} events`);
    for (let i = 0; i < capacity; i++) {
      const word = bytes.readInt32LE(64 + 4 * i);
      if (word === 0) break;
      stream.words.push(word);
      stream.times.push(bytes.readBigInt64LE(64 + 4 * capacity + 8 * i));
    }
  }
}

/** What a run directory holds, in the order in which the interpreters began. */
export function readRun(directory: string): Interpreter[] {
  const found: (Interpreter & { at: number })[] = [];
  for (const file of readdirSync(directory).filter((name) => name.endsWith(".meta"))) {
    const id = file.slice(0, -5);
    const records = readFileSync(join(directory, file), "utf8")
      .split("\n")
      .slice(0, -1)
      .map((line) => line.split("\t").map(plain));
    const of = (kind: string) => records.filter((r) => r[0] === kind);
    const first = records[0]!;
    if (first[0] !== "P" || first.length !== 9) throw new Error(`${file} begins with ${first.join(" ")}`);
    const streams = of("S").map((r) => ({
      number: Number(r[1]),
      name: r[3]!,
      interpreter: Number(r[4]),
      words: [],
      times: [],
    }));
    for (const stream of streams) readStream(join(directory, id), stream);
    found.push({
      id,
      at: Number(first[3]),
      pid: Number(first[1]),
      ppid: Number(first[2]),
      version: first[5]!,
      name: first[8]!,
      files: new Map(of("F").map((r) => [Number(r[1]), { path: r[2]!, source: r[3]! }])),
      codes: new Map(of("C").map((r) => [Number(r[1]), { file: Number(r[2]), line: Number(r[3]), name: r[4]! }])),
      streams,
      notes: of("N").map((r) => r[1]!),
      lost: of("L").map((r) => r[2]!),
      ended: of("E").length > 0,
    });
  }
  return found.sort((a, b) => a.at - b.at);
}

/** The stream as text: `f(` entering, `)` return, `~` suspended, `!` unwound, numbers of lines. */
export function asText(interpreter: Interpreter, stream: Stream): string {
  return stream.words
    .map((word) => {
      if (word > 0) return String(word);
      if (word > -4) return word === -1 ? ")" : word === -2 ? "~" : "!";
      return `${interpreter.codes.get(-4 - word)?.name ?? `?${-4 - word}`}(`;
    })
    .join(" ");
}

/** Names of the frames that are open at the end; throws when more was left than entered, or time goes back. */
export function openFrames(interpreter: Interpreter, stream: Stream): string[] {
  const open: string[] = [];
  let before = 0n;
  stream.words.forEach((word, i) => {
    const time = stream.times[i]!;
    if (time !== 0n && time < before) throw new Error(`${interpreter.id}: event ${i} is before the one before it`);
    if (time !== 0n) before = time;
    if (word <= -4) {
      const code = interpreter.codes.get(-4 - word);
      if (!code) throw new Error(`${interpreter.id}: event ${i} enters code ${-4 - word}, which nobody declared`);
      open.push(code.name);
    } else if (word < 0 && open.pop() === undefined)
      throw new Error(`${interpreter.id}: event ${i} leaves a frame that was not entered`);
    else if (word > 0 && open.length === 0) throw new Error(`${interpreter.id}: line ${word} outside of any frame`);
  });
  return open;
}

/** Executions of each line of one function, summed over all streams. */
export function lineCounts(interpreter: Interpreter, name: string): Map<number, number> {
  const counts = new Map<number, number>();
  for (const stream of interpreter.streams) {
    const open: string[] = [];
    for (const word of stream.words) {
      if (word <= -4) open.push(interpreter.codes.get(-4 - word)!.name);
      else if (word < 0) open.pop();
      else if (open.at(-1) === name) counts.set(word, (counts.get(word) ?? 0) + 1);
    }
  }
  return counts;
}

export interface Recorded extends Ran {
  readonly directory: string;
  readonly interpreters: Interpreter[];
}

export interface RecordOptions extends RunOptions {
  /** TK_LINES. */
  readonly lines?: string;
  /** The run directory, if it is not to be a new one. */
  readonly directory?: string;
  /** What stands in PYTHONPATH after the recorder's folder. */
  readonly pythonPath?: string;
}

export function newRun(directory = join(temporaryFolder(false), "run")): string {
  mkdirSync(join(directory, "py"), { recursive: true, mode: 0o700 });
  for (const file of PYTHON_FILES) writeFileSync(join(directory, "py", file.name), file.text);
  return directory;
}

/** The environment in which a Python records. */
export function recorderEnv(directory: string, options: RecordOptions = {}): Record<string, string> {
  return {
    ...PLAIN_ENV,
    ...options.env,
    TK_LINES_DIR: directory,
    TK_LINES: options.lines ?? "",
    PYTHONPATH: join(directory, "py") + (options.pythonPath === undefined ? "" : `:${options.pythonPath}`),
  };
}

export async function record(command: readonly string[], options: RecordOptions = {}): Promise<Recorded> {
  const directory = options.directory ?? newRun();
  const ran = await run(command, { ...options, env: recorderEnv(directory, options) });
  return { ...ran, directory, interpreters: existsSync(directory) ? readRun(directory) : [] };
}
