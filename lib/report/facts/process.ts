// What /proc/PID says about one process, parsed. Formats: proc(5), fs/proc/array.c of the kernel.
import { decimal, lossy, splitNul, type ProcFiles } from "./proc_files.ts";
import type { Cgroup, ListedProcess, Mount, OpenFile, Stat } from "./facts.ts";

/** The name stands between the first `(` and the last `)`, since it may hold blanks and parentheses itself. */
export function parseStat(b: Uint8Array): Stat | undefined {
  const open = b.indexOf(40);
  const close = b.lastIndexOf(41);
  if (open < 0 || close < open) return undefined;
  const rest = lossy(b.subarray(close + 1))
    .trim()
    .split(/\s+/);
  const number = (field: number) => decimal(rest[field - 3]) ?? Number.NaN;
  const pid = decimal(lossy(b.subarray(0, open)).trim());
  const state = rest[0];
  if (pid === undefined || state === undefined || !/^[A-Za-z]$/.test(state)) return undefined;
  const ended = state === "Z" || state === "X" || state === "x";
  const stat = {
    pid,
    comm: b.slice(open + 1, close),
    state,
    ppid: number(4),
    pgrp: number(5),
    session: number(6),
    ttyNr: number(7),
    tpgid: number(8),
    utime: number(14),
    stime: number(15),
    cutime: number(16),
    cstime: number(17),
    priority: number(18),
    nice: number(19),
    threads: number(20),
    startTime: number(22),
  };
  // A line that was cut is no line: half of it would be zeros that nobody counted.
  for (const value of Object.values(stat)) if (typeof value === "number" && Number.isNaN(value)) return undefined;
  return { ...stat, waitStatus: ended ? decimal(rest[52 - 3]) : undefined };
}

export function readStat(files: ProcFiles, pid: number): Stat | undefined {
  const b = files.bytes(`${pid}/stat`);
  return b === undefined ? undefined : parseStat(b);
}

/** `Name:\tvalue` lines. */
export function readStatus(files: ProcFiles, pid: number): ReadonlyMap<string, string> | undefined {
  return colonLines(files.lines(`${pid}/status`));
}

export function colonLines(lines: readonly string[] | undefined): Map<string, string> | undefined {
  if (lines === undefined || lines.length === 0) return undefined;
  const values = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(":");
    if (colon <= 0) continue;
    const name = line.slice(0, colon);
    const value = line.slice(colon + 1).trim();
    // Descriptors of epoll and inotify have a line per thing watched.
    const before = values.get(name);
    values.set(name, before === undefined ? value : `${before}\n${value}`);
  }
  return values;
}

/** argv; empty for a zombie or a kernel thread, which is told as undefined. */
export function readCmdline(files: ProcFiles, pid: number): readonly Uint8Array[] | undefined {
  const b = files.bytes(`${pid}/cmdline`);
  return b === undefined || b.length === 0 ? undefined : splitNul(b);
}

export function readEnviron(files: ProcFiles, pid: number): readonly Uint8Array[] | undefined {
  const b = files.bytes(`${pid}/environ`);
  return b === undefined || b.length === 0 ? undefined : splitNul(b);
}

/** `comm` without its newline. */
export function readComm(files: ProcFiles, pid: number): Uint8Array | undefined {
  const b = files.bytes(`${pid}/comm`);
  if (b === undefined || b.length === 0) return undefined;
  return b[b.length - 1] === 10 ? b.slice(0, -1) : b;
}

function descriptors(files: ProcFiles, pid: number): number[] | undefined {
  return files
    .list(`${pid}/fd`)
    ?.flatMap((name) => decimal(name) ?? [])
    .sort((a, b) => a - b);
}

export function readFdCount(files: ProcFiles, pid: number): number | undefined {
  return descriptors(files, pid)?.length;
}

export function readFds(files: ProcFiles, pid: number): readonly OpenFile[] | undefined {
  const fds = descriptors(files, pid);
  // A zombie's folder is there and empty, and so is that of a program without descriptors: both have none.
  return fds?.flatMap((fd) => {
    const path = files.link(`${pid}/fd/${fd}`);
    const info = colonLines(files.lines(`${pid}/fdinfo/${fd}`));
    return path === undefined && info === undefined ? [] : [{ fd, info: info ?? new Map<string, string>(), path }];
  });
}

/** The kernel writes blank, tab, newline and backslash in paths as three octal digits. */
function unescapeOctal(text: string): string {
  return text.replace(/\\([0-3][0-7]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

export function parseMount(line: string): Mount | undefined {
  const parts = line.split(" ");
  const dash = parts.indexOf("-", 6);
  const [mountId, parentId, device, root, mountPoint, options] = parts;
  if (dash < 0 || options === undefined) return undefined;
  const [major, minor] = (device ?? "").split(":");
  const numbers = [mountId, parentId, major, minor].map(decimal);
  if (numbers.some((n) => n === undefined)) return undefined;
  return {
    mountId: numbers[0]!,
    parentId: numbers[1]!,
    major: numbers[2]!,
    minor: numbers[3]!,
    root: unescapeOctal(root!),
    mountPoint: unescapeOctal(mountPoint!),
    options: options.split(","),
    tags: parts.slice(6, dash),
    fsType: unescapeOctal(parts[dash + 1] ?? ""),
    source: unescapeOctal(parts[dash + 2] ?? ""),
    superOptions: (parts[dash + 3] ?? "").split(",").filter((o) => o !== ""),
  };
}

export function readMounts(files: ProcFiles, pid: number): readonly Mount[] | undefined {
  const lines = files.lines(`${pid}/mountinfo`);
  return lines === undefined || lines.length === 0 ? undefined : lines.flatMap((line) => parseMount(line) ?? []);
}

export function readNamespaces(files: ProcFiles, pid: number): ReadonlyMap<string, string> | undefined {
  const names = files.list(`${pid}/ns`)?.sort();
  if (names === undefined) return undefined;
  const found = new Map<string, string>();
  for (const name of names) {
    const link = files.link(`${pid}/ns/${name}`);
    if (link !== undefined) found.set(name, lossy(link));
  }
  return found.size === 0 ? undefined : found;
}

/** Files of a cgroup that bound what the program may use: version 2, then version 1 with the controller they belong to. */
const LIMITS_V2 = ["memory.max", "memory.high", "memory.current", "cpu.max", "cpu.weight", "pids.max"];
const LIMITS_V1: readonly (readonly [controller: string, file: string])[] = [
  ["memory", "memory.limit_in_bytes"],
  ["memory", "memory.usage_in_bytes"],
  ["cpu", "cpu.cfs_quota_us"],
  ["cpu", "cpu.cfs_period_us"],
  ["cpu", "cpu.shares"],
  ["pids", "pids.max"],
];

export function readCgroup(files: ProcFiles, pid: number, sys: ProcFiles): Cgroup | undefined {
  const lines = files.lines(`${pid}/cgroup`);
  if (lines === undefined || lines.length === 0) return undefined;
  const unified = lines.find((line) => line.startsWith("0::"))?.slice(3);
  const controllers = new Map<string, string>();
  for (const line of lines) {
    const [, names, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    for (const name of (names ?? "").split(",")) if (name !== "") controllers.set(name, path!);
  }
  const limits = new Map<string, string>();
  const add = (name: string, ...paths: readonly string[]) => {
    for (const path of paths) {
      // A path with `..` leads out of our part of the tree, where nothing is ours to read.
      const text = path.includes("..") || limits.has(name) ? undefined : sys.text(`fs/cgroup/${path}`)?.trim();
      if (text !== undefined && text !== "") limits.set(name, text);
    }
  };
  if (unified !== undefined)
    for (const file of LIMITS_V2) add(file, `${unified}/${file}`, `unified/${unified}/${file}`);
  for (const [controller, file] of LIMITS_V1) {
    const path = controllers.get(controller);
    if (path !== undefined) add(file, `${controller}/${path}/${file}`);
  }
  return { path: unified ?? lines[0]!.replace(/^\d+:[^:]*:/, ""), lines, limits };
}

/** `Max open files  1024  4096  files` lines, by name. */
export function readLimits(
  files: ProcFiles,
  pid: number,
): ReadonlyMap<string, readonly [soft: string, hard: string]> | undefined {
  const lines = files.lines(`${pid}/limits`);
  if (lines === undefined) return undefined;
  const limits = new Map<string, readonly [string, string]>();
  for (const line of lines) {
    const [, name, soft, hard] = /^(Max .*?)\s{2,}(unlimited|\d+)\s+(unlimited|\d+)\b/.exec(line) ?? [];
    if (name !== undefined) limits.set(name, [soft!, hard!]);
  }
  return limits.size === 0 ? undefined : limits;
}

export function readIo(files: ProcFiles, pid: number): ReadonlyMap<string, number> | undefined {
  const lines = colonLines(files.lines(`${pid}/io`));
  if (lines === undefined) return undefined;
  const numbers = new Map<string, number>();
  for (const [name, text] of lines) {
    const n = decimal(text);
    if (n !== undefined) numbers.set(name, n);
  }
  return numbers;
}

export function readOom(
  files: ProcFiles,
  pid: number,
): { readonly score: number | undefined; readonly adjustment: number | undefined } | undefined {
  const score = decimal(files.text(`${pid}/oom_score`)?.trim());
  const adjustment = decimal(files.text(`${pid}/oom_score_adj`)?.trim());
  return score === undefined && adjustment === undefined ? undefined : { score, adjustment };
}

/** More threads than this are not walked on every heartbeat. */
const MANY_THREADS = 2000;

/** Children of all threads; undefined where the kernel keeps no such list. */
export function readChildren(files: ProcFiles, pid: number): number | undefined {
  const tasks = files.list(`${pid}/task`);
  if (tasks === undefined || tasks.length > MANY_THREADS) return undefined;
  let count: number | undefined;
  for (const task of tasks) {
    const text = files.text(`${pid}/task/${task}/children`);
    if (text !== undefined) count = (count ?? 0) + text.split(" ").filter((word) => word.trim() !== "").length;
  }
  return count;
}

/** No more generations than this: a recorded tree may have a circle. */
const MANY_ANCESTORS = 64;

/** argv of the parent of `pid`, of its parent, and so on. */
export function readAncestors(files: ProcFiles, pid: number): readonly (readonly Uint8Array[])[] | undefined {
  const found: (readonly Uint8Array[])[] = [];
  let parent = readStat(files, pid)?.ppid;
  if (parent === undefined) return undefined;
  for (let i = 0; i < MANY_ANCESTORS && parent !== undefined && parent > 0; i++) {
    const argv = readCmdline(files, parent);
    if (argv !== undefined) found.push(argv);
    parent = readStat(files, parent)?.ppid;
  }
  return found;
}

/** Every process that can be seen. */
export function readProcesses(files: ProcFiles): readonly ListedProcess[] | undefined {
  return files.list(".")?.flatMap((name) => {
    const pid = decimal(name);
    const stat = pid === undefined ? undefined : readStat(files, pid);
    if (pid === undefined || stat === undefined) return [];
    return [
      {
        stat,
        status: readStatus(files, pid),
        cmdline: readCmdline(files, pid),
        comm: readComm(files, pid),
        cwd: files.link(`${pid}/cwd`),
        exe: files.link(`${pid}/exe`),
      },
    ];
  });
}
