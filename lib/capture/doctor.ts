// What `tk doctor` says: what can be recorded on this machine, with which backend, what stands in the way, and which
// command mends it. Looks and tries, and leaves everything as it was. The table and the JSON tell the same.
import { printable } from "../base/text.ts";
import { latin1, readLink, readSmallFile } from "../host/descriptors.ts";
import { NoKernel, openKernel } from "../host/kernel.ts";
import { readText } from "../host/proc.ts";
import { NR } from "../host/syscalls.ts";
import type { Check, PreflightOptions } from "./backend.ts";
import { ownSeccompFilters } from "./ptrace/refusal.ts";
import { backends } from "./registry.ts";

export interface BackendReport {
  readonly id: string;
  readonly summary: string;
  /** `limited`: it records, but not all that it could. */
  readonly state: "works" | "limited" | "cannot";
  readonly checks: readonly Check[];
}

export interface Diagnosis {
  readonly generator: string;
  readonly system: {
    readonly os: string;
    readonly kernel: string;
    readonly arch: string;
    readonly user: string;
    /** Signs that this is a container or a sandbox. */
    readonly container: readonly string[];
  };
  readonly backends: readonly BackendReport[];
  /** What `tk record` uses without --backend; null when nothing works. */
  readonly auto: string | null;
}

/** The order in which `--backend auto` takes them. */
const PREFERENCE = ["ptrace", "bpftrace"];

export async function diagnose(generator: string, options: PreflightOptions = {}): Promise<Diagnosis> {
  const reports: BackendReport[] = [];
  for (const id of PREFERENCE) {
    const backend = backends.entries.find((entry) => entry.id === id);
    if (backend === undefined) continue;
    const checks = await backend.preflight(options);
    reports.push({ id, summary: backend.summary, state: stateOf(checks), checks });
  }
  const auto = reports.find((report) => report.state !== "cannot")?.id ?? null;
  return { generator, system: describeSystem(), backends: reports, auto };
}

/** The exit status of `tk doctor`. */
export function canRecord(d: Diagnosis): boolean {
  return d.auto !== null;
}

export function stateOf(checks: readonly Check[]): BackendReport["state"] {
  const modes = checks.filter((check) => check.name.startsWith("mode "));
  const needs = checks.filter((check) => !check.name.startsWith("mode "));
  if (needs.some((check) => check.state === "missing")) return "cannot";
  if (modes.length > 0 && modes.every((check) => check.state === "missing")) return "cannot";
  return checks.every((check) => check.state === "ok") ? "works" : "limited";
}

function describeSystem(): Diagnosis["system"] {
  const linux = process.platform === "linux";
  return {
    os: process.platform,
    kernel: linux ? (readText("/proc/sys/kernel/osrelease") ?? "").trim() : "",
    arch: process.arch,
    user: userText(),
    container: linux && hasKernel() ? containerSigns() : [],
  };
}

function hasKernel(): boolean {
  try {
    openKernel();
    return true;
  } catch (error) {
    if (error instanceof NoKernel) return false;
    throw error;
  }
}

function userText(): string {
  const uid = process.geteuid?.();
  if (uid === undefined) return "unknown";
  return uid === 0 ? "root" : `uid ${uid}`;
}

function containerSigns(): string[] {
  const signs: string[] = [];
  const kernel = openKernel();
  const isThere = (path: string) => readSmallFile(path) !== undefined;
  if (isThere("/.dockerenv")) signs.push("Docker (/.dockerenv)");
  if (isThere("/run/.containerenv")) signs.push("Podman (/run/.containerenv)");
  const group = /docker|kubepods|containerd|lxc|libpod/.exec(readText("/proc/1/cgroup") ?? "");
  if (group !== null) signs.push(`a control group called ${group[0]}`);
  if (kernel.call(NR.getpid) > 0 && namespaceIsOwn("pid", 4026531836)) signs.push("process ids of its own");
  if (namespaceIsOwn("user", 4026531837)) signs.push("user ids of its own");
  const filters = ownSeccompFilters();
  if (filters > 0) signs.push(`${filters} seccomp filter${filters === 1 ? "" : "s"} on tk itself`);
  return signs;
}

/** Whether this process is in another namespace than the first of its kind, which has a fixed number. */
function namespaceIsOwn(kind: string, first: number): boolean {
  const link = readLink(`/proc/self/ns/${kind}`);
  return link !== undefined && latin1(link) !== `${kind}:[${first}]`;
}

const WORDS: Readonly<Record<BackendReport["state"], string>> = {
  works: "works",
  limited: "works, with limits",
  cannot: "cannot record here",
};

/** The table for people; the last line says what `tk record` will do. */
export function diagnosisTable(d: Diagnosis): string {
  const { system } = d;
  const where = system.container.length === 0 ? "no sign of a container" : `container: ${system.container.join(", ")}`;
  const lines = [`${d.generator} on ${system.os} ${system.kernel} ${system.arch}, as ${system.user}; ${where}`];
  const wide = Math.max(...d.backends.flatMap((b) => b.checks.map((check) => check.name.length)));
  for (const backend of d.backends) {
    lines.push("", `${backend.id}: ${WORDS[backend.state]}`, `  ${backend.summary}`);
    for (const check of backend.checks) {
      lines.push(`  ${check.state.padEnd(8)} ${check.name.padEnd(wide)}  ${check.found}`);
      if (check.fix !== undefined) lines.push(`  ${"".padEnd(8)} ${"".padEnd(wide)}  -> ${check.fix}`);
    }
  }
  lines.push("", verdict(d));
  return lines.map((line) => printable(line.trimEnd())).join("\n") + "\n";
}

function verdict(d: Diagnosis): string {
  if (d.auto === null) return "tk record cannot record here; the lines with -> say what would help";
  const chosen = d.backends.find((b) => b.id === d.auto)!;
  const others = d.backends.filter((b) => b.id !== d.auto && b.state !== "cannot").map((b) => `--backend ${b.id}`);
  const more = others.length > 0 ? `; ${others.join(" and ")} would work, too` : "";
  return `tk record will use ${chosen.id}${more}`;
}
