// What /proc says about a program in its first moments, read by a list of raw system calls: a program like `true` has
// ended before any runtime has started, and is reported all the same. Adds operations to a script that another process
// walks, lays out where their answers go, and presents these answers as files of /proc. Runs nothing itself.
import { label, resultOffset, type Script } from "../capture/launch/script.ts";
import type { Block } from "../host/memory.ts";
import type { FactName } from "../report/facts/facts.ts";
import { ProcFiles } from "../report/facts/proc_files.ts";

/** One read: where its bytes are and how many it brought. Offsets are from the beginning of what was laid out. */
interface Chunk {
  readonly at: number;
  /** Operations of which the first with a positive result counts. */
  readonly operations: readonly number[];
}

interface Part {
  /** Below /proc. */
  readonly path: string;
  readonly link: boolean;
  readonly chunks: readonly Chunk[];
  /** The read after the last chunk: anything but 0 means that the file goes on, and then nothing of it is used. */
  readonly end: number | undefined;
}

export interface LookLayout {
  readonly parts: readonly Part[];
  /** Wall clock and monotonic clock at the exec. */
  readonly clock: number;
  readonly script: number;
}

interface Wish {
  readonly path: string;
  readonly size: number;
  readonly link?: boolean;
  /** Reads of up to `size` bytes each: most files of /proc come a page at a time. */
  readonly reads?: number;
}

const PATH_SIZE = 4096;
const NAMESPACES = "cgroup ipc mnt net pid pid_for_children time time_for_children user uts".split(" ");

/** What a fact needs; those that are missing here can wait for the reporter, or cannot be read by a fixed list. */
function wishes(fact: FactName, argvSize: number, descriptors: readonly number[]): readonly Wish[] {
  const link = (path: string, size = PATH_SIZE): Wish => ({ path, size, link: true });
  const net = (name: string, reads: number): Wish => ({ path: `net/${name}`, size: 8192, reads });
  switch (fact) {
    case "stat":
      return [{ path: "stat", size: 1024 }];
    case "cmdline":
      // For a script the kernel puts its interpreter in front.
      return [{ path: "cmdline", size: argvSize + 2 * PATH_SIZE }];
    case "comm":
      return [{ path: "comm", size: 64 }];
    case "exe":
    case "cwd":
      return [link(fact)];
    case "status":
      return [{ path: "status", size: 8192 }];
    case "io":
    case "limits":
      return [{ path: fact, size: 4096 }];
    case "oom":
      return ["oom_score", "oom_score_adj"].map((path) => ({ path, size: 64 }));
    case "cgroup":
      return [{ path: "cgroup", size: 8192 }];
    case "namespaces":
      return NAMESPACES.map((name) => link(`ns/${name}`, 64));
    case "fds":
      return descriptors.flatMap((fd) => [link(`fd/${fd}`), { path: `fdinfo/${fd}`, size: 1024 }]);
    case "fdCount":
      return descriptors.map((fd) => link(`fd/${fd}`));
    case "mounts":
      return [{ path: "mountinfo", size: 8192, reads: 12 }];
    case "tcp":
    case "tcp6":
    case "udp":
    case "udp6":
      return [net(fact, 8)];
    case "routes4":
      return [net("route", 4)];
    case "routes6":
      return [net("ipv6_route", 4)];
    case "devices":
      return [net("dev", 3)];
    case "addresses6":
      return [net("if_inet6", 2)];
    case "arp":
      return [net("arp", 3)];
    default:
      return [];
  }
}

/** In the order in which they are read: identity first, what stays longest or costs most last. */
const ORDER: readonly FactName[] = [
  ...([
    "stat",
    "exe",
    "cwd",
    "comm",
    "status",
    "io",
    "fdCount",
    "fds",
    "namespaces",
    "cgroup",
    "limits",
    "oom",
  ] as const),
  ...(["mounts", "tcp", "tcp6", "udp", "udp6", "routes4", "routes6", "devices", "addresses6", "arp"] as const),
];

/** Everything that can be looked at early. */
export const EARLY_FACTS: ReadonlySet<FactName> = new Set<FactName>(["cmdline", ...ORDER]);

export interface LookRequest {
  readonly pid: number;
  readonly facts: ReadonlySet<FactName>;
  /** Bytes of all words of the program. */
  readonly argvSize: number;
  /** What the program has open when it starts, 0 to 2 included. */
  readonly descriptors: readonly number[];
}

/** argv appears a moment after the old program has gone: so often it is looked for again, so many microseconds apart. */
const TRIES = 16;
const PAUSE_US = 60;
/** Closed whenever nothing is being read, so that what is opened next has this number. */
const SCRATCH = 0;
const CLOCK_REALTIME = 0;
const CLOCK_MONOTONIC = 1;
const AT_FDCWD = -100;
const O_CLOEXEC = 0o2000000;

interface Planned extends Wish {
  readonly full: string;
  readonly at: readonly number[];
}

/** The answers' places in the block and the operations that fill them. */
export class EarlyLook {
  private readonly block: Block;
  private readonly pid: number;
  private readonly planned: readonly Planned[];
  private readonly cmdline: Planned;
  private readonly clockAt: number;
  /** Offset of the first byte of the answers; everything from here on is part of what is handed over. */
  readonly from: number;
  private parts: Part[] = [];

  constructor(block: Block, request: LookRequest) {
    this.block = block;
    this.pid = request.pid;
    this.from = block.reserve(0, 64);
    this.clockAt = block.reserve(32);
    const seen = new Set<string>();
    const plan = (wish: Wish): Planned => ({
      ...wish,
      full: `${this.pid}/${wish.path}`,
      at: Array.from({ length: wish.reads ?? 1 }, () => block.reserve(wish.size, 16)),
    });
    const wanted = (fact: FactName) =>
      wishes(fact, request.argvSize, request.descriptors).filter((w) => !seen.has(w.path) && seen.add(w.path));
    this.cmdline = plan(wanted("cmdline")[0]!);
    this.planned = ORDER.filter((fact) => request.facts.has(fact)).flatMap((fact) => wanted(fact).map(plan));
  }

  /** Bytes that the answers, names and operations of a request take at most. */
  static room({ facts, argvSize, descriptors }: LookRequest): number {
    let size = 1 << 16;
    for (const fact of ["cmdline", ...ORDER] as const)
      if (facts.has(fact) || fact === "cmdline")
        for (const wish of wishes(fact, argvSize, descriptors)) size += (wish.size + 300) * (wish.reads ?? 1) + 500;
    return size;
  }

  /** SCRATCH must be closed, and is so again afterwards. The program has just been exec'd when this runs. */
  addTo(script: Script): void {
    const { block } = this;
    script.call("clock_gettime", CLOCK_REALTIME, block.at(this.clockAt));
    script.call("clock_gettime", CLOCK_MONOTONIC, block.at(this.clockAt + 16));
    this.parts = [this.lookForWords(script), ...this.planned.map((part) => this.look(script, part))];
  }

  private name(part: Planned): number {
    return this.block.at(this.block.cString(`/proc/${part.full}`));
  }

  private lookForWords(script: Script): Part {
    const { cmdline, block } = this;
    const name = this.name(cmdline);
    const pause = block.reserve(16);
    block.setWord(pause + 8, PAUSE_US * 1000);
    const done = label();
    const operations: number[] = [];
    for (let i = 0; i < TRIES; i++) {
      const again = label();
      script.call("openat", AT_FDCWD, name, O_CLOEXEC);
      operations.push(script.call("read", SCRATCH, block.at(cmdline.at[0]!), cmdline.size));
      script.jumpIf(0, again);
      script.jump(done);
      script.here(again);
      script.call("close", SCRATCH);
      script.call("ppoll", 0, 0, block.at(pause), 0, 8);
    }
    script.here(done);
    script.call("close", SCRATCH);
    return {
      path: cmdline.full,
      link: false,
      chunks: [{ at: cmdline.at[0]! - this.from, operations }],
      end: undefined,
    };
  }

  private look(script: Script, part: Planned): Part {
    const { block } = this;
    const name = this.name(part);
    const chunk = (at: number, operation: number): Chunk => ({ at: at - this.from, operations: [operation] });
    if (part.link === true) {
      const at = part.at[0]!;
      const chunks = [chunk(at, script.call("readlinkat", AT_FDCWD, name, block.at(at), part.size))];
      return { path: part.full, link: true, chunks, end: undefined };
    }
    script.call("openat", AT_FDCWD, name, O_CLOEXEC);
    const done = label();
    const chunks: Chunk[] = [];
    for (const at of part.at) {
      chunks.push(chunk(at, script.call("read", SCRATCH, block.at(at), part.size)));
      if (part.at.length > 1) script.jumpIf(0, done);
    }
    const spare = block.reserve(16);
    const end = part.at.length > 1 ? script.call("read", SCRATCH, block.at(spare), 1) : undefined;
    script.here(done);
    script.call("close", SCRATCH);
    return { path: part.full, link: false, chunks, end };
  }

  /** Once the script lies at `scriptAt`. */
  layout(scriptAt: number): LookLayout {
    return { parts: this.parts, clock: this.clockAt - this.from, script: scriptAt - this.from };
  }
}

/** The answers as files of /proc; what is not the program's is read as it is now. */
export class LookedAt extends ProcFiles {
  /** When the program began: wall clock, milliseconds since 1970. */
  readonly unixMs: number;
  /** When the program began: CLOCK_MONOTONIC, nanoseconds. */
  readonly monotonicNs: number;
  private readonly files = new Map<string, Uint8Array>();
  private readonly links = new Map<string, Uint8Array>();
  private readonly folder: string;

  constructor(pid: number, answers: Uint8Array, { parts, clock, script }: LookLayout) {
    super();
    this.folder = `${pid}/`;
    const view = new DataView(answers.buffer, answers.byteOffset, answers.byteLength);
    const word = (at: number) => Number(view.getBigInt64(at, true));
    this.unixMs = word(clock) * 1000 + Math.floor(word(clock + 8) / 1e6);
    this.monotonicNs = word(clock + 16) * 1e9 + word(clock + 24);
    const result = (operation: number) => view.getInt32(script + resultOffset(operation), true);
    for (const part of parts) {
      const pieces = part.chunks.flatMap(({ at, operations }) => {
        const read = operations.map(result).find((n) => n > 0 && n < answers.length - at);
        return read === undefined ? [] : [answers.subarray(at, at + read)];
      });
      const goesOn = part.end !== undefined && result(part.end) > 0 && pieces.length === part.chunks.length;
      if (pieces.length === 0 || goesOn) continue;
      (part.link ? this.links : this.files).set(part.path, pieces.length === 1 ? pieces[0]! : joined(pieces));
    }
  }

  /** Whether the program was seen at all. */
  get found(): boolean {
    return this.files.size > 0;
  }

  override bytes(path: string): Uint8Array | undefined {
    return path.startsWith(this.folder) ? this.files.get(path)?.slice() : super.bytes(path);
  }

  override link(path: string): Uint8Array | undefined {
    return path.startsWith(this.folder) ? this.links.get(path)?.slice() : super.link(path);
  }

  override list(path: string): string[] | undefined {
    if (!path.startsWith(this.folder)) return super.list(path);
    const names = [...this.links.keys()].filter((name) => name.startsWith(`${path}/`));
    return names.length === 0 ? undefined : names.map((name) => name.slice(path.length + 1));
  }
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(pieces.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of pieces) {
    out.set(p, at);
    at += p.length;
  }
  return out;
}
