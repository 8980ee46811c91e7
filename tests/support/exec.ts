// Runs `tk exec` in a home of its own and reads the reports that come of it, with JSON.parse and nothing of tk's.
import { existsSync, readFileSync, readlinkSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PLAIN_ENV, temporaryFolder } from "./programs.ts";
import { run, start, TK, type Ran, type RunOptions, type Running } from "./tk.ts";

export type ReportObject = Readonly<Record<string, unknown>>;

/** Reports come from a process beside the program: so long they may take on a busy machine. */
const PATIENCE_MS = 15_000;

export class ExecBench {
  /** HOME and working directory of what runs here. */
  readonly home = temporaryFolder();

  get log(): string {
    return join(this.home, ".local/state/tk/reports.log");
  }

  file(name: string, text: string): string {
    const path = join(this.home, name);
    writeFileSync(path, text);
    return path;
  }

  private options(options: RunOptions): RunOptions {
    return { cwd: this.home, ...options, env: { ...PLAIN_ENV, HOME: this.home, ...options.env } };
  }

  /** `tk exec WORDS`. */
  exec(words: readonly string[], options: RunOptions = {}): Promise<Ran> {
    return run([TK, "exec", ...words], this.options(options));
  }

  start(words: readonly string[], options: RunOptions = {}): Running {
    return start([TK, "exec", ...words], this.options(options));
  }

  run(command: readonly string[], options: RunOptions = {}): Promise<Ran> {
    return run(command, this.options(options));
  }

  /** The whole lines of a report file so far, each an array with one report; the last may just be being written. */
  reports(path = this.log): ReportObject[] {
    if (!existsSync(path)) return [];
    const text = readFileSync(path, "utf8");
    return readReports(text.slice(0, text.lastIndexOf("\n") + 1));
  }

  /** Waits until `enough` says so. */
  async waitFor(enough: (reports: readonly ReportObject[]) => boolean, path = this.log): Promise<ReportObject[]> {
    return waitUntil(
      () => {
        const reports = this.reports(path);
        return enough(reports) ? reports : undefined;
      },
      () => `reports in ${path}: ${JSON.stringify(this.reports(path)).slice(0, 2000)}`,
    );
  }

  count(n: number, path = this.log): Promise<ReportObject[]> {
    return this.waitFor((reports) => reports.length >= n, path);
  }
}

export function readReports(text: string): ReportObject[] {
  if (text !== "" && !text.endsWith("\n")) throw new Error(`the last line is cut: ${text.slice(-200)}`);
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const value: unknown = JSON.parse(line);
      if (!Array.isArray(value) || value.length !== 1) throw new Error(`not an array of one: ${line.slice(0, 200)}`);
      return value[0] as ReportObject;
    });
}

export async function waitUntil<T>(look: () => T | undefined, told: () => string = () => ""): Promise<T> {
  const until = performance.now() + PATIENCE_MS;
  for (;;) {
    const found = look();
    if (found !== undefined) return found;
    if (performance.now() > until) throw new Error(`waited ${PATIENCE_MS} ms in vain; ${told()}`);
    await Bun.sleep(10);
  }
}

/** The element of `_CHALKS`. */
export function chalk(report: ReportObject | undefined): ReportObject {
  const list = report?.["_CHALKS"];
  if (!Array.isArray(list) || list.length !== 1) throw new Error(`no _CHALKS: ${JSON.stringify(report)}`);
  return list[0] as ReportObject;
}

export const operations = (reports: readonly ReportObject[]): unknown[] => reports.map((r) => r["_OPERATION"]);

/**
 * Waits until nothing of tk runs in this home. A reporter is still a copy of the tk that started it, with its command line,
 * when a short program has already ended: to look for the reporter's own command line is too early then.
 */
export const noTkIn = (home: string): Promise<true> =>
  waitUntil(() => (processes().some((pid) => isTkIn(home, pid)) ? undefined : true));

function isTkIn(home: string, pid: number): boolean {
  try {
    if (readlinkSync(`/proc/${pid}/exe`) !== realpathSync(TK)) return false;
    const environment = readFileSync(`/proc/${pid}/environ`, "latin1");
    // In the middle of its execve a process has none: it may be ours.
    return environment === "" || environment.split("\0").includes(`HOME=${home}`);
  } catch {
    return false;
  }
}

/** Pids of the reporters whose program is `pid`, or all of this bench's by their home. */
export function reportersIn(home: string): number[] {
  return processes().filter((pid) => {
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, "latin1").split("\0");
      if (!words.includes("exec-reporter")) return false;
      return readFileSync(`/proc/${pid}/environ`, "latin1").split("\0").includes(`HOME=${home}`);
    } catch {
      return false;
    }
  });
}

function processes(): number[] {
  return [...new Bun.Glob("[0-9]*").scanSync({ cwd: "/proc", onlyFiles: false })].map(Number);
}
