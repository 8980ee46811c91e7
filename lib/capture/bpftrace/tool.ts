// The bpftrace of this machine: where it is, which version, what it needs to be run with, and what would stop it.
// Looks only; nothing is started but `bpftrace --version`.
import { spawnSync } from "node:child_process";
import { accessSync, constants, readFileSync, statSync } from "node:fs";
import { cpus } from "node:os";
import { isAbsolute, resolve } from "node:path";
import { readLink, latin1, readSmallFile } from "../../host/descriptors.ts";
import { openKernel } from "../../host/kernel.ts";
import { hasBit, readText, statusMask } from "../../host/proc.ts";
import { NR } from "../../host/syscalls.ts";
import type { KernelTypes } from "./script.ts";

/** `%rh`, the hex that every string is printed in, came with this one. */
export const OLDEST = "0.17";

export interface Version {
  readonly major: number;
  readonly minor: number;
  readonly text: string;
}

/** Directories that an ordinary user may not have in PATH. */
const MORE_PLACES = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** The file that a program's name means, PATH first; undefined when there is none. */
export function findProgram(name: string): string | undefined {
  if (name.includes("/")) {
    const path = isAbsolute(name) ? name : resolve(name);
    return isProgram(path) ? path : undefined;
  }
  // Only absolute directories: what is found here may be run as root.
  const places = [...(process.env.PATH ?? "").split(":").filter((d) => isAbsolute(d)), ...MORE_PLACES];
  for (const place of places) if (isProgram(`${place}/${name}`)) return `${place}/${name}`;
  return undefined;
}

export function parseVersion(said: string): Version | undefined {
  const m = /\bv?(\d+)\.(\d+)(?:\.\d+)?[-\w.]*/.exec(said);
  return m === null ? undefined : { major: Number(m[1]), minor: Number(m[2]), text: m[0].replace(/^v/, "") };
}

/** Undefined when it does not say. */
export function askVersion(path: string): Version | undefined {
  const { stdout, stderr } = spawnSync(path, ["--version"], { timeout: 10_000, encoding: "utf8" });
  return parseVersion(`${stdout ?? ""} ${stderr ?? ""}`);
}

export function isAtLeast(version: Version, text: string): boolean {
  const [major, minor] = text.split(".").map(Number);
  return version.major > major! || (version.major === major && version.minor >= minor!);
}

export function runsAsRoot(): boolean {
  return openKernel().call(NR.geteuid) === 0;
}

const CAP_SYS_ADMIN = 21;
const CAP_PERFMON = 38;
const CAP_BPF = 39;

/** Whether this process, if it is root, has what loading and attaching BPF programs takes. */
export function hasCapabilities(): boolean {
  const mask = statusMask(readText("/proc/self/status") ?? "", "CapEff");
  return hasBit(mask, CAP_SYS_ADMIN) || (hasBit(mask, CAP_BPF) && hasBit(mask, CAP_PERFMON));
}

/** The inode of the first pid namespace; the kernel's PROC_PID_INIT_INO. */
const FIRST_NAMESPACE = "pid:[4026531836]";

/** bpftrace sees the pids of the first namespace; in another one they are not the ones that we know. */
export function seesOwnPids(): boolean {
  const link = readLink("/proc/self/ns/pid");
  return link === undefined || latin1(link) === FIRST_NAMESPACE;
}

/** Where the tracing file system is mounted; undefined when it is not. */
export function tracingMount(): string | undefined {
  const mounts = readSmallFile("/proc/self/mounts");
  if (mounts === undefined) return undefined;
  let found: string | undefined;
  for (const line of new TextDecoder().decode(mounts).split("\n")) {
    const [, place, type] = line.split(" ");
    if (type === "tracefs" && (place === "/sys/kernel/tracing" || place === "/sys/kernel/debug/tracing")) return place;
    // It is mounted below debugfs by itself when it is first asked for.
    if (type === "debugfs" && place === "/sys/kernel/debug") found = "/sys/kernel/debug/tracing";
  }
  return found;
}

/** Whether bpftrace can be given a mount of its own. */
export function canMountTracing(): boolean {
  return findProgram("unshare") !== undefined && findProgram("mount") !== undefined;
}

/** Whether the kernel tells how its structures are laid out. */
export function hasTypeInformation(): boolean {
  try {
    accessSync("/sys/kernel/btf/vmlinux", constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

/** What a kernel that is locked down forbids: reading its memory. */
export function isLockedDown(): boolean {
  return /\[confidentiality\]/.test(readText("/sys/kernel/security/lockdown") ?? "");
}

/** Ways to read the kernel's structures, the likeliest first; the last works everywhere. */
export function likelyTypes(): KernelTypes[] {
  if (!hasTypeInformation()) return ["none"];
  const release = parseVersion(readText("/proc/sys/kernel/osrelease") ?? "");
  const flexible = release === undefined || isAtLeast(release, "6.5");
  return flexible ? ["flexible-pid", "array-pid", "none"] : ["array-pid", "flexible-pid", "none"];
}

/** From the kernel's own table for this process. */
export function pageKb(): number {
  const AT_PAGESZ = 6;
  try {
    const auxv = readFileSync("/proc/self/auxv");
    for (let at = 0; at + 16 <= auxv.length; at += 16)
      if (auxv.readUInt32LE(at) === AT_PAGESZ) return auxv.readUInt32LE(at + 8) / 1024;
  } catch {
    // Every Linux on x86_64 has 4 KiB.
  }
  return 4;
}

/** Processes that can live at once before the tree's map in the kernel is full. */
export const MOST_LIVING = 65_536;
const BUFFER_PAGES = 16_384;

/** The settings of a version, as environment variables. */
export function settings(version: Version, chunk: number): Record<string, string> {
  const newNames = isAtLeast(version, "0.20");
  let pages = 64;
  // For each CPU up to 0.18; 64 MiB over all of them is much on no machine.
  while (pages * 2 * cpus().length <= BUFFER_PAGES && pages < 2048) pages *= 2;
  return {
    [newNames ? "BPFTRACE_MAX_STRLEN" : "BPFTRACE_STRLEN"]: String(chunk),
    [newNames ? "BPFTRACE_MAX_MAP_KEYS" : "BPFTRACE_MAP_KEYS_MAX"]: String(MOST_LIVING),
    BPFTRACE_PERF_RB_PAGES: String(pages),
  };
}
