// A snapshot of what the kernel says about one process and its machine, as parsed from /proc. Every piece may be missing:
// processes end in the middle, and /proc may be hidden. Missing is undefined, never a guess.

/** `/proc/PID/stat`; times in clock ticks. */
export interface Stat {
  readonly pid: number;
  readonly comm: Uint8Array;
  /** One letter, as the kernel has it. */
  readonly state: string;
  readonly ppid: number;
  readonly pgrp: number;
  readonly session: number;
  readonly ttyNr: number;
  readonly tpgid: number;
  readonly utime: number;
  readonly stime: number;
  readonly cutime: number;
  readonly cstime: number;
  readonly priority: number;
  readonly nice: number;
  readonly threads: number;
  /** Ticks after boot; with the pid it names one process. */
  readonly startTime: number;
  /** As wait4(2) reports it; set once the process has ended and while it is not yet waited for. */
  readonly waitStatus: number | undefined;
}

/** One open descriptor. */
export interface OpenFile {
  readonly fd: number;
  /** Lines of fdinfo in their order: `pos` → `0`, `flags` → `02`. */
  readonly info: ReadonlyMap<string, string>;
  readonly path: Uint8Array | undefined;
}

export interface Mount {
  readonly mountId: number;
  readonly parentId: number;
  readonly major: number;
  readonly minor: number;
  readonly root: string;
  readonly mountPoint: string;
  readonly options: readonly string[];
  readonly tags: readonly string[];
  readonly fsType: string;
  readonly source: string;
  readonly superOptions: readonly string[];
}

export interface Socket {
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** The kernel's number. */
  readonly state: number;
  readonly uid: number;
  readonly inode: number;
}

export interface Route4 {
  readonly destination: string;
  readonly gateway: string;
  readonly mask: string;
  readonly device: string;
  /** flags, refcount, use, metric, mtu, window, irtt. */
  readonly numbers: readonly number[];
}

export interface Route6 {
  readonly destination: string;
  readonly destinationPrefix: number;
  readonly source: string;
  readonly sourcePrefix: number;
  readonly gateway: string;
  readonly device: string;
  /** flags, refcount, use, metric. */
  readonly numbers: readonly number[];
}

export interface DeviceCounters {
  readonly device: string;
  readonly received: readonly number[];
  readonly sent: readonly number[];
}

export interface Address6 {
  readonly address: string;
  readonly device: string;
  readonly index: number;
  readonly prefix: number;
  readonly scope: number;
  readonly flags: number;
}

export interface ArpEntry {
  readonly ip: string;
  readonly hardwareType: number;
  readonly flags: number;
  readonly mac: string;
  readonly mask: string;
  readonly device: string;
}

export interface Cgroup {
  /** Path in the unified hierarchy, or in the first one where there is none. */
  readonly path: string;
  /** Every line of /proc/PID/cgroup. */
  readonly lines: readonly string[];
  /** `memory.max`, `cpu.max`, ...: the text of those files that could be read. */
  readonly limits: ReadonlyMap<string, string>;
}

/** uname(2). */
export interface Uname {
  readonly sysname: string;
  readonly nodename: string;
  readonly release: string;
  readonly version: string;
  readonly machine: string;
}

export interface LoadAverage {
  readonly one: number;
  readonly five: number;
  readonly fifteen: number;
  readonly runnable: number;
  readonly total: number;
  readonly lastPid: number;
}

/** A process of the whole list, as `_OP_ALL_PS_INFO` needs it. */
export interface ListedProcess {
  readonly stat: Stat;
  readonly status: ReadonlyMap<string, string> | undefined;
  readonly cmdline: readonly Uint8Array[] | undefined;
  readonly comm: Uint8Array | undefined;
  readonly cwd: Uint8Array | undefined;
  readonly exe: Uint8Array | undefined;
}

/** The pieces that can be asked for one by one. */
export interface FactValues {
  readonly stat: Stat;
  readonly status: ReadonlyMap<string, string>;
  readonly cmdline: readonly Uint8Array[];
  readonly environ: readonly Uint8Array[];
  readonly comm: Uint8Array;
  readonly cwd: Uint8Array;
  readonly exe: Uint8Array;
  readonly fds: readonly OpenFile[];
  /** Number of open descriptors, without looking at each. */
  readonly fdCount: number;
  readonly mounts: readonly Mount[];
  /** `net` → `net:[4026531840]`. */
  readonly namespaces: ReadonlyMap<string, string>;
  readonly cgroup: Cgroup;
  readonly limits: ReadonlyMap<string, readonly [soft: string, hard: string]>;
  readonly io: ReadonlyMap<string, number>;
  readonly oom: { readonly score: number | undefined; readonly adjustment: number | undefined };
  readonly children: number;
  readonly tcp: readonly Socket[];
  readonly tcp6: readonly Socket[];
  readonly udp: readonly Socket[];
  readonly udp6: readonly Socket[];
  readonly routes4: readonly Route4[];
  readonly routes6: readonly Route6[];
  readonly devices: readonly DeviceCounters[];
  readonly addresses6: readonly Address6[];
  readonly arp: readonly ArpEntry[];
  readonly uname: Uname;
  readonly hostname: string;
  readonly load: LoadAverage;
  /** Address that packets to the world would have as their source. */
  readonly publicAddress: string;
  /** Maker of the machine, by its firmware. */
  readonly vendor: string;
  /** argv of the tool's parent, its parent, and so on; the readable and non-empty ones. */
  readonly ancestors: readonly (readonly Uint8Array[])[];
  readonly processes: readonly ListedProcess[];
}

export type FactName = keyof FactValues;

export type Facts = {
  readonly pid: number;
  /** When the snapshot began: wall clock, milliseconds since 1970. */
  readonly unixMs: number;
  /** When the snapshot began: CLOCK_MONOTONIC, nanoseconds. */
  readonly monotonicNs: number;
  /** `alive`; `zombie`: ended, not yet waited for; `gone`: no such process, or another one with its pid. */
  readonly life: "alive" | "zombie" | "gone";
} & { readonly [N in FactName]?: FactValues[N] | undefined };
