// Runs the compiled `tk` as a user would, and reads what it recorded back as plain objects.
// Reads NDJSON with JSON.parse on purpose: the tests must not trust the readers that they help to test.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { PLAIN_ENV } from "./programs.ts";
import { signalNumber } from "./signals.ts";

const ROOT = join(import.meta.dir, "..", "..");

/** The binary under test: `dist/tk`, or `TK_BIN`. */
export const TK = process.env.TK_BIN ?? join(ROOT, "dist", "tk");

export function requireTk(): void {
  if (!existsSync(TK)) throw new Error(`${TK} is missing: run scripts/build first`);
}

/** An ordinary user without an entry in /etc/passwd, as in many containers. */
export const ORDINARY_UID = 4711;

export const isRoot = process.getuid?.() === 0;

/** The same command as the ordinary user, with no capabilities left; as it is when the tests do not run as root. */
export function asOrdinaryUser(command: readonly string[]): string[] {
  if (!isRoot) return [...command];
  const id = String(ORDINARY_UID);
  return ["setpriv", `--reuid=${id}`, `--regid=${id}`, "--clear-groups", "--inh-caps=-all", ...command];
}

export interface Ran {
  readonly status: number | null;
  readonly signal: string | null;
  /** As a shell would put it into `$?`. */
  readonly shell: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly ms: number;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  readonly user?: "root" | "ordinary";
  /** Milliseconds until the test gives up; the process that was started is killed then. */
  readonly limit?: number;
}

/** A process and all that came of it, as far as /proc still knows: for a test that has failed, so that nothing spins on. */
function killTree(root: number): void {
  const children = new Map<number, number[]>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const ppid = Number(/^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${name}/status`, "utf8"))?.[1]);
      children.set(ppid, [...(children.get(ppid) ?? []), Number(name)]);
    } catch {
      // It has just ended.
    }
  }
  const all = [root];
  for (let i = 0; i < all.length; i++) all.push(...(children.get(all[i]!) ?? []));
  for (const pid of all) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has just ended.
    }
  }
}

export interface Running {
  readonly pid: number;
  readonly done: Promise<Ran>;
  kill(signal: NodeJS.Signals): void;
}

/** Starts a command in the group and session of the tests, everything captured. */
export function start(command: readonly string[], options: RunOptions = {}): Running {
  const words = options.user === "ordinary" ? asOrdinaryUser(command) : [...command];
  const began = performance.now();
  const child = Bun.spawn(words, {
    cwd: options.cwd ?? "/",
    env: { ...(options.env ?? PLAIN_ENV) },
    stdin: options.stdin === undefined ? "ignore" : new TextEncoder().encode(options.stdin),
    stdout: "pipe",
    stderr: "pipe",
  });
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    killTree(child.pid);
  }, options.limit ?? 60_000);
  const done = (async (): Promise<Ran> => {
    const [stdout, stderr] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ]);
    clearTimeout(timer);
    const signal: string | null = child.signalCode === null ? null : String(child.signalCode);
    if (late)
      throw new Error(`still running after ${options.limit ?? 60_000} ms: ${words.join(" ")}\n${stdout}\n${stderr}`);
    return {
      status: child.exitCode,
      signal,
      shell: signal === null ? (child.exitCode ?? -1) : 128 + signalNumber(signal),
      stdout,
      stderr,
      ms: performance.now() - began,
    };
  })();
  return { pid: child.pid, done, kill: (signal) => child.kill(signal) };
}

export function run(command: readonly string[], options: RunOptions = {}): Promise<Ran> {
  return start(command, options).done;
}

/** One line of a recording: its tag and its fields. */
export interface Line {
  readonly tag: string;
  readonly f: Readonly<Record<string, unknown>>;
}

function isFields(v: unknown): v is Record<string, unknown> {
  return typeof v === "object" && v !== null && !Array.isArray(v);
}

export function parseLines(text: string): Line[] {
  const lines: Line[] = [];
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const value: unknown = JSON.parse(line);
    if (!isFields(value)) throw new Error(`not an object: ${line.slice(0, 200)}`);
    const [tag, ...rest] = Object.keys(value);
    if (tag === undefined || rest.length > 0) throw new Error(`not one tag: ${line.slice(0, 200)}`);
    const f = value[tag];
    if (!isFields(f)) throw new Error(`no fields: ${line.slice(0, 200)}`);
    lines.push({ tag, f });
  }
  return lines;
}

export function readRecording(path: string): Line[] {
  return parseLines(readFileSync(path, "utf8"));
}

export function number(line: Line, key: string): number {
  const v = line.f[key];
  if (typeof v !== "number") throw new Error(`${line.tag}.${key}: expected a number, found ${JSON.stringify(v)}`);
  return v;
}

/** The exact bytes of a text field, `<key>_b64` first; undefined when the field is absent. */
export function bytesOf(line: Line, key: string): Buffer | undefined {
  const exact = line.f[`${key}_b64`];
  if (typeof exact === "string") return Buffer.from(exact, "base64");
  const text = line.f[key];
  return typeof text === "string" ? Buffer.from(text, "utf8") : undefined;
}

/** The exact bytes of each word of `args`; undefined when the field is absent. */
export function argsOf(line: Line): Buffer[] | undefined {
  const args = line.f.args;
  if (!Array.isArray(args)) return undefined;
  const exact: unknown = line.f.args_b64;
  return args.map((word: unknown, i) => {
    const b: unknown = Array.isArray(exact) ? exact[i] : null;
    if (typeof b === "string") return Buffer.from(b, "base64");
    if (typeof word !== "string") throw new Error(`args[${i}] is not a string`);
    return Buffer.from(word, "utf8");
  });
}

export function withTag(lines: readonly Line[], tag: string): Line[] {
  return lines.filter((l) => l.tag === tag);
}

export type Mode = "events" | "complete";

/** The words of `tk record` for one command. */
export function recording(path: string, mode: Mode, command: readonly string[], ...options: string[]): string[] {
  return [TK, "record", "-o", path, "--mode", mode, ...options, "--", ...command];
}
