// tk's own keys about the program: what it uses now, and what it is allowed. Made for heartbeats; the kernel's numbers, fresh.
import { encodeBase64 } from "../../base/base64.ts";
import { isUtf8 } from "../../base/json_bytes.ts";
import { emptyObject, type Json } from "../../base/json_value.ts";
import type { FactName, Facts, Stat } from "../facts/facts.ts";
import { decimal } from "../facts/proc_files.ts";
import type { ReportContext, ReportKey } from "../key.ts";
import { capabilityNames } from "./capabilities.ts";
import { ticksPerSecond } from "./process.ts";

const SINCE = "0.1.0";

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

const STAT: readonly FactName[] = ["stat"];
const STATUS: readonly FactName[] = ["status"];
const BYTES = { unit: "bytes" };
const NS = { unit: "ns" };

/** `VmRSS:  123 kB` in bytes. */
function statusBytes(f: Facts, name: string): number | undefined {
  const [, digits] = /^(\d+) kB$/.exec(f.status?.get(name) ?? "") ?? [];
  const kilobytes = decimal(digits);
  return kilobytes === undefined ? undefined : kilobytes * 1024;
}

/** Both snapshots of one process, or nothing to compare. */
function earlier(f: Facts, c: ReportContext): Stat | undefined {
  const before = c.previous?.stat;
  return before !== undefined && before.startTime === f.stat?.startTime ? before : undefined;
}

const nanoseconds = (clockTicks: number) => Math.round((clockTicks * 1e9) / ticksPerSecond());

function cpuSince(f: Facts, c: ReportContext, ticksOf: (s: Stat) => number): number | undefined {
  const before = earlier(f, c);
  if (f.stat === undefined || before === undefined) return undefined;
  return Math.max(0, nanoseconds(ticksOf(f.stat) - ticksOf(before)));
}

const own = (s: Stat) => s.utime + s.stime;
const children = (s: Stat) => s.cutime + s.cstime;

function waitStatus(f: Facts, c: ReportContext): number | undefined {
  return c.waitStatus ?? f.stat?.waitStatus;
}

const CAPABILITY_SETS: readonly (readonly [name: string, line: string])[] = [
  ["inheritable", "CapInh"],
  ["permitted", "CapPrm"],
  ["effective", "CapEff"],
  ["bounding", "CapBnd"],
  ["ambient", "CapAmb"],
];

export const usageKeys: readonly ReportKey[] = [
  key(
    "_TK_STATE",
    "string",
    [],
    "`alive`; `zombie`: it has ended and was not yet waited for; `gone`: it has ended.",
    "/proc/PID/stat",
    (f) => f.life,
  ),
  key(
    "_TK_EXIT_CODE",
    "int",
    STAT,
    "Its exit status, once it has ended by itself and where that can be known: in parent mode always, else from a zombie.",
    "wait4(2), /proc/PID/stat, field 52",
    (f, c) => {
      const status = waitStatus(f, c);
      return status === undefined || (status & 0x7f) !== 0 ? undefined : (status >> 8) & 0xff;
    },
  ),
  key(
    "_TK_EXIT_SIGNAL",
    "int",
    STAT,
    "Number of the signal that ended it, where that can be known.",
    "wait4(2), /proc/PID/stat, field 52",
    (f, c) => {
      const signal = (waitStatus(f, c) ?? 0) & 0x7f;
      return signal === 0 ? undefined : signal;
    },
  ),
  key(
    "_TK_SINCE_LAST_NS",
    "int",
    [],
    "From the collection of the report before this one to that of this one.",
    "clock_gettime(CLOCK_MONOTONIC)",
    (f, c) => (c.previous === undefined ? undefined : Math.round(f.monotonicNs - c.previous.monotonicNs)),
    NS,
  ),
  key(
    "_TK_CPU_SINCE_LAST_NS",
    "int",
    STAT,
    "CPU that the program used (all threads, user and kernel) since the report before this one; the kernel counts in steps of 10 ms.",
    "/proc/PID/stat, fields 14 and 15",
    (f, c) => cpuSince(f, c, own),
    NS,
  ),
  key(
    "_TK_CHILDREN_CPU_SINCE_LAST_NS",
    "int",
    STAT,
    "CPU of the children that the program waited for since the report before this one: all they ever used.",
    "/proc/PID/stat, fields 16 and 17",
    (f, c) => cpuSince(f, c, children),
    NS,
  ),
  key(
    "_TK_CPU_NS",
    "int",
    STAT,
    "CPU that the program has used in its life.",
    "/proc/PID/stat, fields 14 and 15",
    (f) => {
      return f.stat && nanoseconds(own(f.stat));
    },
    NS,
  ),
  key(
    "_TK_RSS_BYTES",
    "int",
    STATUS,
    "Memory it holds now.",
    "/proc/PID/status, VmRSS",
    (f) => {
      return statusBytes(f, "VmRSS");
    },
    BYTES,
  ),
  key(
    "_TK_PEAK_RSS_BYTES",
    "int",
    STATUS,
    "The most memory it has held.",
    "/proc/PID/status, VmHWM",
    (f) => {
      return statusBytes(f, "VmHWM");
    },
    BYTES,
  ),
  key(
    "_TK_VIRTUAL_BYTES",
    "int",
    STATUS,
    "Size of its address space.",
    "/proc/PID/status, VmSize",
    (f) => {
      return statusBytes(f, "VmSize");
    },
    BYTES,
  ),
  key(
    "_TK_SWAP_BYTES",
    "int",
    STATUS,
    "Memory of it that is swapped out.",
    "/proc/PID/status, VmSwap",
    (f) => {
      return statusBytes(f, "VmSwap");
    },
    BYTES,
  ),
  key("_TK_THREADS", "int", STAT, "Threads.", "/proc/PID/stat, field 20", (f) => {
    return f.life === "alive" ? f.stat?.threads : undefined;
  }),
  key("_TK_FDS", "int", ["fdCount"], "Open descriptors.", "/proc/PID/fd", (f) => {
    return f.life === "alive" ? f.fdCount : undefined;
  }),
  key(
    "_TK_CHILDREN",
    "int",
    ["children"],
    "Its children now; absent where the kernel keeps no list.",
    "/proc/PID/task/*/children",
    (f) => f.children,
  ),
  key(
    "_TK_IO_READ_BYTES",
    "int",
    ["io"],
    "What it caused to be fetched from storage in its life; reads that the page cache answered do not count.",
    "/proc/PID/io, read_bytes",
    (f) => f.io?.get("read_bytes"),
    BYTES,
  ),
  key(
    "_TK_IO_WRITTEN_BYTES",
    "int",
    ["io"],
    "What it caused to be sent to storage in its life.",
    "/proc/PID/io, write_bytes",
    (f) => f.io?.get("write_bytes"),
    BYTES,
  ),
  key(
    "_TK_IO_READ_CHARS",
    "int",
    ["io"],
    "What its read calls returned in its life: files, pipes, terminals.",
    "/proc/PID/io, rchar",
    (f) => f.io?.get("rchar"),
    BYTES,
  ),
  key(
    "_TK_IO_WRITTEN_CHARS",
    "int",
    ["io"],
    "What its write calls took in its life: files, pipes, terminals.",
    "/proc/PID/io, wchar",
    (f) => f.io?.get("wchar"),
    BYTES,
  ),
  key(
    "_TK_CONTEXT_SWITCHES",
    "dict[string, int]",
    STATUS,
    "How often its main thread gave up a CPU (`voluntary`) or was taken off it (`involuntary`).",
    "/proc/PID/status, voluntary_ctxt_switches and nonvoluntary_ctxt_switches",
    (f) => {
      const voluntary = decimal(f.status?.get("voluntary_ctxt_switches"));
      const involuntary = decimal(f.status?.get("nonvoluntary_ctxt_switches"));
      return voluntary === undefined || involuntary === undefined ? undefined : { voluntary, involuntary };
    },
  ),
  key("_TK_SESSION", "int", STAT, "Its session.", "/proc/PID/stat, field 6", (f) => f.stat?.session),
  key(
    "_TK_CAPABILITIES",
    "dict[string, list[string]]",
    STATUS,
    "Names of its capabilities: `inheritable`, `permitted`, `effective`, `bounding`, `ambient`; sets that are empty are empty lists.",
    "/proc/PID/status, Cap lines",
    (f) => {
      const sets = emptyObject<Json>();
      for (const [name, line] of CAPABILITY_SETS) {
        const mask = f.status?.get(line);
        if (mask !== undefined) sets[name] = capabilityNames(mask);
      }
      return sets;
    },
  ),
  key(
    "_TK_NO_NEW_PRIVS",
    "bool",
    STATUS,
    "Whether executing a set-uid program gives it nothing.",
    "/proc/PID/status, NoNewPrivs",
    (f) => {
      const flag = f.status?.get("NoNewPrivs");
      return flag === undefined ? undefined : flag === "1";
    },
  ),
  key(
    "_TK_SECCOMP_FILTERS",
    "int",
    STATUS,
    "Number of its seccomp filters.",
    "/proc/PID/status, Seccomp_filters",
    (f) => {
      return decimal(f.status?.get("Seccomp_filters"));
    },
  ),
  key(
    "_TK_NAMESPACES",
    "dict[string, string]",
    ["namespaces"],
    "Its namespaces, `net` is `net:[4026531840]`.",
    "/proc/PID/ns",
    (f) => f.namespaces && fromMap(f.namespaces),
  ),
  key(
    "_TK_CGROUP",
    "string",
    ["cgroup"],
    "Path of its cgroup, in the unified hierarchy if there is one.",
    "/proc/PID/cgroup",
    (f) => {
      return f.cgroup?.path;
    },
  ),
  key(
    "_TK_CGROUP_LIMITS",
    "dict[string, string]",
    ["cgroup"],
    "What that cgroup allows and uses, in the kernel's words: `memory.max`, `memory.current`, `cpu.max`, `pids.max`, ... or the " +
      "names of version 1. Cgroups above it may allow less.",
    "/sys/fs/cgroup",
    (f) => f.cgroup && fromMap(f.cgroup.limits),
  ),
  key(
    "_TK_LIMITS",
    "dict[string, [string, string]]",
    ["limits"],
    "Its resource limits, soft and hard, by the kernel's names.",
    "/proc/PID/limits",
    (f) => f.limits && fromMap(f.limits),
  ),
  key(
    "_TK_OOM_SCORE",
    "int",
    ["oom"],
    "How soon the kernel would kill it for memory.",
    "/proc/PID/oom_score",
    (f) => f.oom?.score,
  ),
  key(
    "_TK_OOM_SCORE_ADJ",
    "int",
    ["oom"],
    "Adjustment of that score.",
    "/proc/PID/oom_score_adj",
    (f) => f.oom?.adjustment,
  ),
  key(
    "_TK_PROCESS_ARGV_B64",
    "list[string]",
    ["cmdline"],
    "The words of `_PROCESS_ARGV` in base64, null for those that are UTF-8; absent when all are.",
    "/proc/PID/cmdline",
    (f) =>
      f.cmdline?.some((word) => !isUtf8(word)) === true
        ? f.cmdline.map((word) => (isUtf8(word) ? null : encodeBase64(word)))
        : undefined,
  ),
];

function fromMap(map: ReadonlyMap<string, Json>): Json {
  const object = emptyObject<Json>();
  for (const [name, value] of map) object[name] = value;
  return object;
}
