// The program as a process, in the original's keys. All of them stand in `_CHALKS`.
import { readFileSync } from "node:fs";
import { endianness } from "node:os";
import { emptyObject, type Json } from "../../base/json_value.ts";
import type { FactName, Facts, ListedProcess, Mount, OpenFile, Stat } from "../facts/facts.ts";
import { decimal, lossy } from "../facts/proc_files.ts";
import type { ReportContext, ReportKey } from "../key.ts";

const SINCE = "0.1.0";

const STATES: Readonly<Record<string, string>> = {
  R: "Running",
  S: "Sleeping",
  D: "Waiting",
  Z: "Zombie",
  T: "Stopped",
  t: "Tracing stop",
  X: "Dead",
  x: "Dead",
  K: "Wakekill",
  W: "Waking",
  P: "Parked",
  I: "Idle",
};

/** Clock ticks per second as the kernel told us at our start (AT_CLKTCK); 100 on every machine that tk runs on. */
let ticks: number | undefined;

export function ticksPerSecond(): number {
  if (ticks !== undefined) return ticks;
  const AT_CLKTCK = 17n;
  ticks = 100;
  try {
    const auxv = readFileSync("/proc/self/auxv");
    const view = new DataView(auxv.buffer, auxv.byteOffset, auxv.length);
    const little = endianness() === "LE";
    for (let at = 0; at + 16 <= auxv.length; at += 16)
      if (view.getBigUint64(at, little) === AT_CLKTCK) ticks = Number(view.getBigUint64(at + 8, little)) || 100;
  } catch {
    // Hidden /proc: the default holds.
  }
  return ticks;
}

const seconds = (clockTicks: number) => clockTicks / ticksPerSecond();

export function stateName(letter: string): string {
  return STATES[letter] ?? letter;
}

/** `0022` as the number 22: the octal digits read as decimal ones. */
function umask(status: ReadonlyMap<string, string> | undefined): number | undefined {
  return decimal(status?.get("Umask"));
}

function numbers(status: ReadonlyMap<string, string> | undefined, name: string): number[] | undefined {
  const text = status?.get(name);
  return text === undefined ? undefined : text.split(/\s+/).flatMap((word) => decimal(word) ?? []);
}

const SECCOMP: Readonly<Record<string, string>> = { "0": "disabled", "1": "strict", "2": "filter" };

function seccomp(status: ReadonlyMap<string, string> | undefined): string | undefined {
  const mode = status?.get("Seccomp");
  return mode === undefined ? undefined : (SECCOMP[mode] ?? "unknown");
}

/** A number, or its digits when a number would not be exact. */
function exact(text: string): Json {
  return decimal(text) ?? text;
}

function fileInfo(fds: readonly OpenFile[]): Json {
  const all = emptyObject<Json>();
  for (const file of fds) {
    const one = emptyObject<Json>();
    for (const [name, text] of file.info) {
      if (name === "pos" || name === "mnt_id" || name === "ino") one[name] = exact(text);
      else if (name === "flags" && /^[0-7]+$/.test(text)) one[name] = Number.parseInt(text, 8);
      else one[name] = text;
    }
    if (file.path !== undefined) one["path"] = lossy(file.path);
    all[String(file.fd)] = one;
  }
  return all;
}

function mountInfo(mounts: readonly Mount[]): Json {
  return mounts.map((m) => ({
    mount_id: m.mountId,
    parent_id: m.parentId,
    major: m.major,
    minor: m.minor,
    root: m.root,
    mount_point: m.mountPoint,
    options: m.options,
    tags: m.tags,
    fs_type: m.fsType,
    source: m.source,
    super: m.superOptions,
  }));
}

/** All of one process as one value; what is not known is left out. */
export function processDetail(
  p: Omit<ListedProcess, "stat"> & {
    readonly stat: Stat;
    readonly mounts?: readonly Mount[];
    readonly fds?: readonly OpenFile[];
  },
): Json {
  const { stat, status } = p;
  const detail: Record<string, Json | undefined> = {
    pid: stat.pid,
    name: lossy(stat.comm),
    state: stateName(stat.state),
    ppid: stat.ppid,
    pgrp: stat.pgrp,
    sid: stat.session,
    tty_nr: stat.ttyNr,
    tpgid: stat.tpgid,
    user_time: seconds(stat.utime),
    system_time: seconds(stat.stime),
    child_utime: seconds(stat.cutime),
    child_stime: seconds(stat.cstime),
    priority: stat.priority,
    nice: stat.nice,
    num_threads: stat.threads,
    runtime: seconds(stat.startTime),
    umask: umask(status),
    uid: numbers(status, "Uid"),
    gid: numbers(status, "Gid"),
    fdsize: decimal(status?.get("FDSize")),
    groups: numbers(status, "Groups"),
    seccomp: seccomp(status),
    argv: p.cmdline?.map(lossy),
    command: p.comm && lossy(p.comm),
    cwd: p.cwd && lossy(p.cwd),
    path: p.exe && lossy(p.exe),
    mounts: p.mounts && mountInfo(p.mounts),
    fds: p.fds && fileInfo(p.fds),
  };
  const known = emptyObject<Json>();
  for (const [name, value] of Object.entries(detail)) if (value !== undefined) known[name] = value;
  return known;
}

function key(
  id: string,
  type: string,
  facts: readonly FactName[],
  doc: string,
  source: string,
  compute: (f: Facts, c: ReportContext) => Json | undefined,
  more: Partial<ReportKey> = {},
): ReportKey {
  const all = { id, level: "artifact" as const, type, since: SINCE, doc, source, on: true, facts, ...more };
  return { ...all, compute: (c) => compute(c.facts, c) };
}

const time = (f: Facts, ticksOf: (stat: Stat) => number) =>
  f.stat === undefined ? undefined : seconds(ticksOf(f.stat));

const STAT: readonly FactName[] = ["stat"];
const STATUS: readonly FactName[] = ["status"];

export const processKeys: readonly ReportKey[] = [
  key("_PROCESS_PID", "int", [], "Pid of the program.", "tk", (f) => f.pid),
  key("_PROCESS_PARENT_PID", "int", STAT, "Pid of its parent.", "/proc/PID/stat, field 4", (f) => f.stat?.ppid),
  key("_PROCESS_PGID", "int", STAT, "Its process group.", "/proc/PID/stat, field 5", (f) => f.stat?.pgrp),
  key(
    "_PROCESS_STATE",
    "string",
    STAT,
    "What it does: Running, Sleeping, Waiting (for a disk), Zombie, Stopped, Tracing stop, Dead, Idle, ...",
    "/proc/PID/stat, field 3",
    (f) => f.stat && stateName(f.stat.state),
  ),
  key(
    "_PROCESS_START_TIME",
    "float",
    STAT,
    "When it started, after boot.",
    "/proc/PID/stat, field 22",
    (f) => time(f, (s) => s.startTime),
    { unit: "s" },
  ),
  key(
    "_PROCESS_UTIME",
    "float",
    STAT,
    "CPU it has used itself.",
    "/proc/PID/stat, field 14",
    (f) => {
      return time(f, (s) => s.utime);
    },
    { unit: "s", differs: "read anew for every heartbeat" },
  ),
  key(
    "_PROCESS_STIME",
    "float",
    STAT,
    "CPU the kernel has used for it.",
    "/proc/PID/stat, field 15",
    (f) => {
      return time(f, (s) => s.stime);
    },
    { unit: "s", differs: "read anew for every heartbeat" },
  ),
  key(
    "_PROCESS_CHILDREN_UTIME",
    "float",
    STAT,
    "CPU that the children it has waited for used themselves.",
    "/proc/PID/stat, field 16",
    (f) => time(f, (s) => s.cutime),
    { unit: "s" },
  ),
  key(
    "_PROCESS_CHILDREN_STIME",
    "float",
    STAT,
    "CPU that the kernel used for the children it has waited for.",
    "/proc/PID/stat, field 17",
    (f) => time(f, (s) => s.cstime),
    { unit: "s" },
  ),
  key(
    "_PROCESS_UMASK",
    "int",
    STATUS,
    "Its umask: the octal digits read as a decimal number, `0022` is 22.",
    "/proc/PID/status, Umask",
    (f) => umask(f.status),
  ),
  key(
    "_PROCESS_UID",
    "list[int]",
    STATUS,
    "Real, effective, saved and file system user id.",
    "/proc/PID/status, Uid",
    (f) => numbers(f.status, "Uid"),
  ),
  key(
    "_PROCESS_GID",
    "list[int]",
    STATUS,
    "Real, effective, saved and file system group id.",
    "/proc/PID/status, Gid",
    (f) => numbers(f.status, "Gid"),
  ),
  key(
    "_PROCESS_GROUPS",
    "list[int]",
    STATUS,
    "Supplementary groups.",
    "/proc/PID/status, Groups",
    (f) => numbers(f.status, "Groups"),
    { differs: "an empty line leaves out this key only; the original loses every key of the process" },
  ),
  key(
    "_PROCESS_NUM_FD_SIZE",
    "int",
    STATUS,
    "Allocated slots for descriptors; `_TK_FDS` counts the open ones.",
    "/proc/PID/status, FDSize",
    (f) => decimal(f.status?.get("FDSize")),
  ),
  key(
    "_PROCESS_SECCOMP_STATUS",
    "string",
    STATUS,
    "`disabled`, `strict` or `filter`.",
    "/proc/PID/status, Seccomp",
    (f) => seccomp(f.status),
  ),
  key(
    "_PROCESS_ARGV",
    "list[string]",
    ["cmdline"],
    "Its argv as the kernel has it now; for a script the interpreter comes first. What is not UTF-8 reads as U+FFFD.",
    "/proc/PID/cmdline",
    (f) => f.cmdline?.map(lossy),
  ),
  key("_PROCESS_CWD", "string", ["cwd"], "Its working directory.", "/proc/PID/cwd", (f) => f.cwd && lossy(f.cwd)),
  key(
    "_PROCESS_EXE_PATH",
    "string",
    ["exe"],
    "The file it executes, links resolved; for a script the interpreter.",
    "/proc/PID/exe",
    (f) => f.exe && lossy(f.exe),
  ),
  key(
    "_PROCESS_COMMAND_NAME",
    "string",
    ["comm"],
    "Its name in the kernel, at most 15 bytes; for a script the script's base name.",
    "/proc/PID/comm",
    (f) => f.comm && lossy(f.comm),
  ),
  key(
    "_PROCESS_FD_INFO",
    "dict[string, dict]",
    ["fds"],
    "Open descriptors: `pos`, `flags`, `mnt_id`, `ino` as numbers (digits as text where a number would not be exact), other " +
      "lines as text, and `path`.",
    "/proc/PID/fdinfo/N, /proc/PID/fd/N",
    (f) => f.fds && fileInfo(f.fds),
    { differs: "read anew for every heartbeat" },
  ),
  key(
    "_PROCESS_MOUNT_INFO",
    "list[dict]",
    ["mounts"],
    "What is mounted where, as the program sees it: `mount_id`, `parent_id`, `major`, `minor`, `root`, `mount_point`, " +
      "`options`, `tags`, `fs_type`, `source`, `super`.",
    "/proc/PID/mountinfo",
    (f) => f.mounts && mountInfo(f.mounts),
    { differs: "blanks and other escaped characters in paths are decoded" },
  ),
  key(
    "_PROCESS_DETAIL",
    "dict[string, any]",
    ["stat", "status", "cmdline", "comm", "cwd", "exe", "mounts", "fds"],
    "All of the above in one value; `runtime` is the start after boot, in seconds.",
    "as above",
    (f) =>
      f.stat &&
      processDetail({
        stat: f.stat,
        status: f.status,
        cmdline: f.cmdline,
        comm: f.comm,
        cwd: f.cwd,
        exe: f.exe,
        ...(f.mounts && { mounts: f.mounts }),
        ...(f.fds && { fds: f.fds }),
      }),
    { on: false },
  ),
];
