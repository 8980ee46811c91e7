// What tests of reports share: a run that never changes, recorded /proc trees, and a live program with a bit of everything.
import { spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { DEFAULT_SETTINGS, type Settings } from "../../lib/config/settings.ts";
import { collectFacts } from "../../lib/report/facts/collect.ts";
import type { Facts } from "../../lib/report/facts/facts.ts";
import { buildReport } from "../../lib/report/build.ts";
import type { ReportContext } from "../../lib/report/key.ts";
import type { RunIdentity } from "../../lib/report/run.ts";
import { resolveTemplate, templateProblemText, type EnabledKeys } from "../../lib/report/template.ts";
import { temporaryFolder } from "./programs.ts";

export const RUN: RunIdentity = {
  execId: "0123456789abcdef",
  startedUnixMs: 1_709_667_322_781,
  startedMonotonicMs: 5000.75,
  toolPid: 100,
  toolPath: "/opt/tk/bin/tk",
  words: ["exec", "--heartbeat", "--", "ls", "-la"],
  positional: ["ls", "-la"],
  flags: ["--heartbeat=true"],
};

export const GONE: Facts = { pid: 4711, unixMs: 1_709_667_332_781, monotonicNs: 15_000_750_000, life: "gone" };

export function context(more: Partial<ReportContext> = {}): ReportContext {
  return {
    operation: "exec",
    run: RUN,
    facts: GONE,
    actionId: "fedcba9876543210",
    settings: DEFAULT_SETTINGS,
    ...more,
  };
}

/** Settings in which template `name` has these keys on or off. */
export function withTemplate(
  name: string,
  keys: Readonly<Record<string, boolean | undefined>>,
  copiesFrom: readonly string[] = [],
  base: Settings = DEFAULT_SETTINGS,
): Settings {
  const entries = Object.entries(keys).map(
    ([id, use]) => [id, { use, order: undefined, objectStore: undefined }] as const,
  );
  const template = { name, doc: "", keys: new Map(entries), copiesFrom };
  return { ...base, reportTemplates: new Map([...base.reportTemplates, [name, template]]) };
}

export function template(name: string, settings: Settings = DEFAULT_SETTINGS): EnabledKeys {
  const resolved = resolveTemplate(name, settings);
  if (resolved.isErr()) throw new Error(templateProblemText(resolved.error));
  return resolved.value;
}

type Row = Record<string, unknown>;

/** A report of everything as plain JSON, with the element of `_CHALKS` apart. */
export function fullReport(more: Partial<ReportContext> = {}, name = "report_all"): { host: Row; artifact: Row } {
  const host = JSON.parse(JSON.stringify(buildReport(context(more), template(name)))) as Row;
  return { host, artifact: (host["_CHALKS"] as Row[] | undefined)?.[0] ?? {} };
}

export function everything(pid: number, toolPid = process.pid): Facts {
  return collectFacts({ pid, toolPid, facts: template("report_all").facts });
}

/** A folder that looks like /proc: text or bytes are files, `{ link }` is a symbolic link. */
export function recordedProc(tree: Readonly<Record<string, string | Uint8Array | { link: string | Buffer }>>): string {
  const root = temporaryFolder();
  for (const [path, content] of Object.entries(tree)) {
    const full = join(root, path);
    mkdirSync(dirname(full), { recursive: true });
    if (typeof content === "string" || content instanceof Uint8Array) writeFileSync(full, content);
    else symlinkSync(content.link, full);
  }
  return root;
}

/** A live program; `ready` when it has printed its first line. */
export class LiveProgram {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly ready: Promise<string>;

  constructor(command: string, args: readonly string[], options: { cwd?: string; env?: Record<string, string> } = {}) {
    this.child = spawn(command, args, {
      stdio: ["pipe", "pipe", "inherit"],
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      env: options.env ?? process.env,
    });
    this.pid = this.child.pid ?? -1;
    this.ready = new Promise((resolve, reject) => {
      let text = "";
      this.child.stdout!.on("data", (b: Buffer) => {
        text += b.toString();
        const end = text.indexOf("\n");
        if (end >= 0) resolve(text.slice(0, end));
      });
      this.child.on("exit", () => reject(new Error("the program ended before it was ready")));
      this.child.on("error", reject);
    });
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.child.once("exit", resolve));
    this.child.kill("SIGKILL");
    await ended;
  }
}
