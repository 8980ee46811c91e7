// Gets bpftrace to listen, or says why it cannot: what is missing is looked for first, then the ways to read the kernel
// are tried from the best to the plainest. Everything happens before the command exists.
import { openKernel } from "../../host/kernel.ts";
import { NR } from "../../host/syscalls.ts";
import { CaptureError, type CaptureReason } from "../capture_error.ts";
import { BpftraceChild, WORDLESS, type Ready } from "./child.ts";
import { ARGV_LIMIT } from "./limits.ts";
import { bpftraceScript, type KernelTypes } from "./script.ts";
import * as tool from "./tool.ts";

export interface ToolOptions {
  readonly bpftracePath?: string | undefined;
  /** Print the whole system and not only the command's tree. */
  readonly system: boolean;
  readonly tell: (line: string) => void;
  /** Only these ways; for tests. */
  readonly types?: readonly KernelTypes[];
}

export interface Listening {
  readonly child: BpftraceChild;
  readonly ready: Ready;
  readonly types: KernelTypes;
  readonly argvLimit: number;
  readonly version: string;
}

/** What the script asks of the compiler's stack and the kernel's verifier. */
interface Effort {
  readonly argvLimit: number;
  readonly chunk: number;
}

const FULL: Effort = { argvLimit: ARGV_LIMIT, chunk: 80 };
/** Where that is refused, this may pass. */
const SMALL: Effort = { argvLimit: 4096, chunk: 56 };

export const INSTALL = "install it (Debian, Ubuntu: `sudo apt install bpftrace`; Fedora: `sudo dnf install bpftrace`)";

function refuse(reason: CaptureReason): CaptureError {
  return new CaptureError({ backend: "bpftrace", reason });
}

/** What stands in the way and can be seen without trying; undefined when nothing does. */
export function obstacle(path: string | undefined, named: string): CaptureReason | undefined {
  if (path === undefined)
    return {
      _tag: "ToolMissing",
      tool: named,
      instead: `${INSTALL}, name it with --bpftrace-path, or record with --backend ptrace`,
    };
  const version = tool.askVersion(path);
  if (version !== undefined && !tool.isAtLeast(version, tool.OLDEST))
    return {
      _tag: "NotPermitted",
      what: `${path} is version ${version.text}, and ${tool.OLDEST} is the oldest that can do it`,
      instead: "install a newer one and name it with --bpftrace-path, or record with --backend ptrace",
    };
  if (!tool.seesOwnPids())
    return {
      _tag: "NotPermitted",
      what: "bpftrace sees the process ids of the host, and this is a container with its own",
      instead: "start the container with --pid=host --privileged, or record with --backend ptrace",
    };
  if (tool.isLockedDown())
    return {
      _tag: "NotPermitted",
      what: "this kernel is locked down (confidentiality) and lets no program trace it",
      instead: "record with --backend ptrace",
    };
  if (tool.runsAsRoot() && !tool.hasCapabilities())
    return {
      _tag: "NotPermitted",
      what: "root in this container may not trace (CAP_BPF and CAP_PERFMON, or CAP_SYS_ADMIN, are missing)",
      instead: "start the container with --privileged --pid=host, or record with --backend ptrace",
    };
  if (!tool.runsAsRoot() && tool.findProgram("sudo") === undefined)
    return {
      _tag: "NotPermitted",
      what: "bpftrace has to run as root, and there is no sudo to run it with",
      instead: "run tk as root, install sudo, or record with --backend ptrace",
    };
  if (tool.tracingMount() === undefined && !tool.canMountTracing())
    return {
      _tag: "NotPermitted",
      what: "the tracing file system is not mounted",
      instead: "as root: mount -t tracefs tracefs /sys/kernel/tracing; or record with --backend ptrace",
    };
  return undefined;
}

export function startTool(options: ToolOptions): Listening {
  const named = options.bpftracePath ?? "bpftrace";
  const path = tool.findProgram(named);
  const stands = obstacle(path, named);
  if (stands !== undefined || path === undefined) throw refuse(stands ?? missing(named));
  // One that does not say its version is taken for a new one.
  const version = tool.askVersion(path) ?? { major: 99, minor: 0, text: "of unknown version" };
  const sudo = tool.runsAsRoot() ? undefined : tool.findProgram("sudo");
  const mountTracing = tool.tracingMount() === undefined;
  options.tell(`tk: ${path} ${version.text}${sudo === undefined ? "" : ` by ${sudo}`}`);
  if (mountTracing) options.tell("tk: the tracing file system is not mounted, bpftrace gets a mount of its own");
  let first = "";
  for (const [types, effort] of attempts(options.types ?? tool.likelyTypes())) {
    const script = bpftraceScript({
      scope: { under: openKernel().call(NR.getpid), system: options.system },
      types,
      ...effort,
      pageKb: tool.pageKb(),
    });
    const child = new BpftraceChild({
      bpftrace: path,
      sudo,
      settings: tool.settings(version, effort.chunk),
      script,
      mountTracing,
    });
    options.tell(`tk: waiting for bpftrace to attach (types ${types}, argv up to ${effort.argvLimit} bytes)`);
    const ready = child.untilReady();
    if (!("said" in ready)) return { child, ready, types, argvLimit: effort.argvLimit, version: version.text };
    child.end(() => {});
    options.tell(`tk: that failed: ${ready.said}`);
    first ||= ready.said;
    if (isHopeless(ready.said)) break;
  }
  throw refuse(failure(first, path, sudo !== undefined));
}

function missing(named: string): CaptureReason {
  return { _tag: "ToolMissing", tool: named, instead: INSTALL };
}

function attempts(types: readonly KernelTypes[]): [KernelTypes, Effort][] {
  const typed = types.filter((t) => t !== "none").map((t): [KernelTypes, Effort] => [t, FULL]);
  if (typed.length > 0) typed.push([typed[0]![0], SMALL]);
  return types.includes("none") ? [...typed, ["none", FULL], ["none", SMALL]] : typed;
}

/** No other script will help. */
function isHopeless(said: string): boolean {
  return /root user|running as root|permission denied|operation not permitted|sudo|lockdown|not ready after|without a word/i.test(
    said,
  );
}

function failure(said: string, path: string, bySudo: boolean): CaptureReason {
  if (bySudo && said === WORDLESS)
    return {
      _tag: "NotPermitted",
      what: "bpftrace has to run as root, and sudo did not run it",
      instead: "run `sudo -v` in this terminal first, run tk as root, or record with --backend ptrace",
    };
  if (/root user|running as root|permission denied|operation not permitted|mount:/i.test(said))
    return {
      _tag: "NotPermitted",
      what: `${path} was not allowed to trace: ${said}`,
      instead: "`tk doctor` says what it needs; --backend ptrace needs no privileges",
    };
  return { _tag: "ToolFailed", tool: path, said };
}
