// Takes a snapshot of a process: only the pieces that were asked for, the ones that vanish first before the others.
// It reads and never waits, never throws, and holds no policy about what is shown.
import { monotonicNs } from "../../host/clock.ts";
import type { FactName, Facts, FactValues, Stat } from "./facts.ts";
import * as machine from "./machine.ts";
import * as network from "./network.ts";
import * as process from "./process.ts";
import { ProcFiles } from "./proc_files.ts";

export interface CollectOptions {
  readonly pid: number;
  readonly facts: ReadonlySet<FactName>;
  /** Whose ancestors `ancestors` are: the tool's pid. The program's when absent. */
  readonly toolPid?: number | undefined;
  /** `startTime` of an earlier snapshot: another process with the same pid is not the program. */
  readonly startTime?: number | undefined;
  readonly procRoot?: string | undefined;
  /** What was read of /proc earlier, instead of /proc as it is now. */
  readonly files?: ProcFiles | undefined;
  /** `/sys`. */
  readonly sysRoot?: string | undefined;
}

interface Where {
  readonly files: ProcFiles;
  readonly pid: number;
  readonly toolPid: number;
  readonly sys: ProcFiles;
}

type Readers = { readonly [N in FactName]: (where: Where) => FactValues[N] | undefined };

/** In the order in which they are read: first what a process loses when it ends. */
const READERS: Readers = {
  stat: (w) => process.readStat(w.files, w.pid),
  cmdline: (w) => process.readCmdline(w.files, w.pid),
  exe: (w) => w.files.link(`${w.pid}/exe`),
  cwd: (w) => w.files.link(`${w.pid}/cwd`),
  comm: (w) => process.readComm(w.files, w.pid),
  status: (w) => process.readStatus(w.files, w.pid),
  environ: (w) => process.readEnviron(w.files, w.pid),
  fds: (w) => process.readFds(w.files, w.pid),
  fdCount: (w) => process.readFdCount(w.files, w.pid),
  io: (w) => process.readIo(w.files, w.pid),
  namespaces: (w) => process.readNamespaces(w.files, w.pid),
  mounts: (w) => process.readMounts(w.files, w.pid),
  cgroup: (w) => process.readCgroup(w.files, w.pid, w.sys),
  limits: (w) => process.readLimits(w.files, w.pid),
  oom: (w) => process.readOom(w.files, w.pid),
  children: (w) => process.readChildren(w.files, w.pid),
  tcp: (w) => network.readSockets(w.files, w.pid, "tcp"),
  tcp6: (w) => network.readSockets(w.files, w.pid, "tcp6"),
  udp: (w) => network.readSockets(w.files, w.pid, "udp"),
  udp6: (w) => network.readSockets(w.files, w.pid, "udp6"),
  routes4: (w) => network.readRoutes4(w.files, w.pid),
  routes6: (w) => network.readRoutes6(w.files, w.pid),
  devices: (w) => network.readDevices(w.files, w.pid),
  addresses6: (w) => network.readAddresses6(w.files, w.pid),
  arp: (w) => network.readArp(w.files, w.pid),
  ancestors: (w) => process.readAncestors(w.files, w.toolPid),
  uname: (w) => machine.readUname(w.files),
  hostname: (w) => machine.readHostname(w.files),
  load: (w) => machine.readLoad(w.files),
  publicAddress: () => machine.readPublicAddress(),
  vendor: (w) => machine.readVendor(w.sys),
  processes: (w) => process.readProcesses(w.files),
};

export const FACT_NAMES = Object.keys(READERS) as readonly FactName[];

/** Known without the program: still read when it has gone. */
export const OF_THE_MACHINE: ReadonlySet<FactName> = new Set<FactName>([
  "ancestors",
  "uname",
  "hostname",
  "load",
  "publicAddress",
  "vendor",
  "processes",
]);

function lifeOf(stat: Stat | undefined): Facts["life"] {
  if (stat === undefined || stat.state === "X" || stat.state === "x") return "gone";
  return stat.state === "Z" ? "zombie" : "alive";
}

export function collectFacts(options: CollectOptions): Facts {
  const files = options.files ?? new ProcFiles(options.procRoot);
  const { pid } = options;
  const where: Where = {
    files,
    pid,
    toolPid: options.toolPid ?? pid,
    sys: new ProcFiles(options.sysRoot ?? "/sys"),
  };
  const unixMs = Date.now();
  const began = monotonicNs();
  const read = (name: FactName, into: Record<string, unknown>) => {
    const value = READERS[name](where);
    if (value !== undefined) into[name] = value;
  };
  const first = process.readStat(files, pid);
  const same = first !== undefined && (options.startTime === undefined || first.startTime === options.startTime);
  const found: Record<string, unknown> = {};
  if (same)
    for (const name of FACT_NAMES)
      if (options.facts.has(name) && name !== "stat" && !OF_THE_MACHINE.has(name)) read(name, found);
  // Read again at the end: it tells whether the pieces between are all of one process, and it is the latest.
  const last = same ? process.readStat(files, pid) : undefined;
  const ended = same && last === undefined;
  const reused = last !== undefined && last.startTime !== first!.startTime;
  const stat = reused ? undefined : (last ?? first);
  const ours = same && !reused ? found : {};
  for (const name of FACT_NAMES) if (options.facts.has(name) && OF_THE_MACHINE.has(name)) read(name, ours);
  const life = ended || reused || !same ? "gone" : lifeOf(stat);
  return { ...ours, pid, unixMs, monotonicNs: began, life, ...(same && stat !== undefined ? { stat } : {}) };
}

/** What a living process uses now: an earlier value is not a late one. */
const FRESH_ONLY: ReadonlySet<FactName> = new Set<FactName>(["io", "children", "fdCount", "fds", "load", "processes"]);

/**
 * The later of two snapshots of one process, with what only the earlier one still saw: the report about a program that has
 * ended meanwhile then says what it was. Heartbeats do not use it: what is gone is absent there.
 */
export function withEarlier(later: Facts, earlier: Facts): Facts {
  if (later.life === "alive") {
    const kept: Record<string, unknown> = { ...earlier };
    for (const name of FRESH_ONLY) delete kept[name];
    return { ...(kept as unknown as Facts), ...later };
  }
  const { pid, unixMs, monotonicNs: began, life } = later;
  const stat = later.stat ?? earlier.stat;
  return { ...later, ...earlier, pid, unixMs, monotonicNs: began, life, ...(stat === undefined ? {} : { stat }) };
}
