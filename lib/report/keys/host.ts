// The machine, its load and its processes; counts of marked and unmarked artifacts.
import { emptyObject, type Json } from "../../base/json_value.ts";
import type { FactName } from "../facts/facts.ts";
import type { ReportContext, ReportKey } from "../key.ts";
import { processDetail } from "./process.ts";

const SINCE = "0.1.0";

function key(
  id: string,
  type: string,
  doc: string,
  source: string,
  facts: readonly FactName[],
  compute: (c: ReportContext) => Json | undefined,
  more: Partial<ReportKey> = {},
): ReportKey {
  return { id, level: "host", type, since: SINCE, doc, source, on: true, facts, compute, ...more };
}

export const hostKeys: readonly ReportKey[] = [
  key("_OP_HOSTNAME", "string", "Name of the machine.", "/proc/sys/kernel/hostname", ["hostname"], (c) => {
    return c.facts.hostname;
  }),
  key(
    "_OP_PLATFORM",
    "string",
    "Operating system and architecture, `GNU/Linux x86_64`.",
    "uname(2)",
    ["uname"],
    (c) => c.facts.uname && `GNU/Linux ${c.facts.uname.machine}`,
    { differs: "of the machine that runs the program; the original tells that of the machine it was built on" },
  ),
  key("_OP_HOST_SYSNAME", "string", "Name of the kernel.", "/proc/sys/kernel/ostype", ["uname"], (c) => {
    return c.facts.uname?.sysname;
  }),
  key("_OP_HOST_NODENAME", "string", "Name of the machine.", "/proc/sys/kernel/hostname", ["uname"], (c) => {
    return c.facts.uname?.nodename;
  }),
  key("_OP_HOST_RELEASE", "string", "Release of the kernel.", "/proc/sys/kernel/osrelease", ["uname"], (c) => {
    return c.facts.uname?.release;
  }),
  key("_OP_HOST_VERSION", "string", "Build of the kernel.", "/proc/sys/kernel/version", ["uname"], (c) => {
    return c.facts.uname?.version;
  }),
  key("_OP_HOST_MACHINE", "string", "Architecture.", "uname(2)", ["uname"], (c) => c.facts.uname?.machine),
  key(
    "_OP_PUBLIC_IPV4_ADDR",
    "string",
    "The local address that packets to the world would carry. No packet is sent.",
    "name of a connected datagram socket",
    ["publicAddress"],
    (c) => c.facts.publicAddress,
  ),
  key(
    "_OP_CLOUD_SYS_VENDOR",
    "string",
    "Maker of the machine; virtual machines name their provider here.",
    "/sys/class/dmi/id/sys_vendor",
    ["vendor"],
    (c) => c.facts.vendor,
  ),
  key("_OP_CHALK_COUNT", "int", "Number of artifacts that carry a chalk mark: 0 or 1.", "the executable", [], (c) =>
    c.artifact?.mark === undefined ? 0 : 1,
  ),
  key("_OP_UNMARKED_COUNT", "int", "Number of artifacts without a chalk mark: 0 or 1.", "the executable", [], (c) =>
    c.artifact !== undefined && c.artifact.mark === undefined ? 1 : 0,
  ),
  key("_UNMARKED", "list[string]", "Paths of artifacts without a chalk mark.", "the executable", [], (c) =>
    c.artifact !== undefined && c.artifact.mark === undefined ? [c.artifact.path] : undefined,
  ),
  key(
    "_OP_CPU_INFO",
    "dict[string, any]",
    "Load of the machine: `load` over 1, 5 and 15 minutes, `runnable_procs`, `total_procs`, `lastpid`.",
    "/proc/loadavg",
    ["load"],
    (c) => {
      const load = c.facts.load;
      if (load === undefined) return undefined;
      return {
        load: { "1": load.one, "5": load.five, "15": load.fifteen },
        runnable_procs: load.runnable,
        total_procs: load.total,
        lastpid: load.lastPid,
      };
    },
    { on: false },
  ),
  key(
    "_OP_ALL_PS_INFO",
    "dict[string, dict]",
    "Every process that tk can see, by pid; each value as `_PROCESS_DETAIL` without mounts and files.",
    "/proc/PID/stat, status, cmdline, comm, cwd, exe of each",
    ["processes"],
    (c) => {
      if (c.facts.processes === undefined) return undefined;
      const all = emptyObject<Json>();
      for (const process of c.facts.processes) all[String(process.stat.pid)] = processDetail(process);
      return all;
    },
    { on: false, heavy: true },
  ),
];
