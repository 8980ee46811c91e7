// The ptrace backend as `tk doctor` and the docs see it: what it is, and whether it works here. The last check is the
// deed itself: a child is held, seized and let end without having run anything.
import type { CaptureBackend, Check } from "../backend.ts";
import { latin1, readSmallFile } from "../../host/descriptors.ts";
import { NoKernel, openKernel } from "../../host/kernel.ts";
import { NR } from "../../host/syscalls.ts";
import { CaptureError } from "../capture_error.ts";
import { learnInherited, type Inherited } from "../launch/inherited.ts";
import { startHeld } from "../launch/start_held.ts";
import { ownSeccompFilters, ownTracer, whyForbidden, yamaScope } from "./refusal.ts";
import { OPTION, PTRACE } from "./request.ts";

export const ptrace: CaptureBackend = {
  id: "ptrace",
  summary: "fork, exec and exit of every process of the command, without privileges; the default",
  doc:
    "Traces the command with ptrace(2), in tk itself. Nothing has to be installed and no privileges are needed. " +
    "Mode `events` records every fork, every exec with its whole argument list, and every exit with its status and times; " +
    "when tk is killed, the command goes on. Mode `complete` adds failed execs with their error, setpgid and setsid; " +
    "it needs a seccomp filter in the command, so when tk is killed, the command's processes are killed as well. " +
    "It cannot see processes made with CLONE_UNTRACED, and nothing that is traced already (gdb, strace) can be traced again.",
  preflight,
};

function preflight(): Check[] {
  const checks: Check[] = [system()];
  if (checks[0]!.state === "missing") return checks;
  const memory = executableMemory();
  checks.push(memory);
  if (memory.state === "missing") return checks;
  const inherited = learnInherited();
  const deed = seize(inherited);
  checks.push(yama(), tracer(), kernelVersion(), deed);
  // Complete mode is events and more.
  if (deed.state !== "missing") checks.push(filter(inherited));
  return checks;
}

function system(): Check {
  const found = `${process.platform} ${process.arch}`;
  const works = process.platform === "linux" && (process.arch === "x64" || process.arch === "arm64");
  return works
    ? { name: "system", state: "ok", found }
    : {
        name: "system",
        state: "missing",
        found,
        fix: "record on Linux (x86_64 or arm64); recordings can be read everywhere",
      };
}

function executableMemory(): Check {
  const name = "system calls";
  try {
    openKernel();
    return { name, state: "ok", found: "libc opened, machine code allowed" };
  } catch (error) {
    if (!(error instanceof NoKernel)) throw error;
    const fix =
      error.what === "executable-memory"
        ? "let tk make memory executable (SELinux: setsebool -P deny_execmem 0; systemd: MemoryDenyWriteExecute=no)"
        : "install glibc, or musl at its usual place";
    return { name, state: "missing", found: error.message, fix };
  }
}

function yama(): Check {
  const name = "kernel.yama.ptrace_scope";
  const scope = yamaScope();
  if (scope === undefined) return { name, state: "ok", found: "no Yama in this kernel" };
  if (scope < 2) return { name, state: "ok", found: `${scope}, which lets a program trace its own children` };
  if (scope === 2 && openKernel().call(NR.geteuid) === 0) return { name, state: "ok", found: "2, and this is root" };
  const { why, instead } = whyForbidden(1);
  return { name, state: "missing", found: why, fix: instead };
}

function tracer(): Check {
  const name = "traced already";
  const by = ownTracer();
  if (by === undefined) return { name, state: "ok", found: "no" };
  return { name, state: "missing", found: `by ${by.name} (pid ${by.pid})`, fix: `run tk outside of ${by.name}` };
}

/** PTRACE_GET_SYSCALL_INFO, by which the arguments of an exec are found, came with 5.3. */
function kernelVersion(): Check {
  const name = "kernel";
  const release = latin1(readSmallFile("/proc/sys/kernel/osrelease") ?? new Uint8Array()).trim();
  const m = /^(\d+)\.(\d+)/.exec(release);
  const old = m !== null && (Number(m[1]) < 5 || (Number(m[1]) === 5 && Number(m[2]) < 3));
  return old
    ? { name, state: "limited", found: `${release}: execs without their arguments`, fix: "Linux 5.3 or newer" }
    : { name, state: "ok", found: release };
}

/** The deed: hold a child, seize it, let it go without having run. */
function seize(inherited: Inherited): Check {
  const name = "mode events";
  try {
    const held = startHeld({ argv: [Uint8Array.from("/", (c) => c.charCodeAt(0))], inherited });
    const answer = openKernel().call(NR.ptrace, PTRACE.SEIZE, held.pid, 0, OPTION.FORK | OPTION.EXEC);
    held.abandon();
    if (answer === 0) return { name, state: "ok", found: "a child was held, seized and let go" };
    const { why, instead } = whyForbidden(-answer);
    return { name, state: "missing", found: why, fix: instead };
  } catch (error) {
    if (error instanceof CaptureError) return { name, state: "missing", found: error.message, fix: error.hint };
    throw error;
  }
}

function filter(inherited: Inherited): Check {
  const name = "mode complete";
  const actions = latin1(readSmallFile("/proc/sys/kernel/seccomp/actions_avail") ?? new Uint8Array());
  if (!/\btrace\b/.test(actions))
    return { name, state: "missing", found: "this kernel has no seccomp filters", fix: "record with --mode events" };
  const filters = ownSeccompFilters();
  const under = filters > 0 ? `, beside the ${filters} that tk itself runs under` : "";
  return inherited.admin
    ? { name, state: "ok", found: `seccomp filters can be installed${under}` }
    : {
        name,
        state: "ok",
        found: `seccomp filters can be installed${under}; the command runs with no_new_privs`,
      };
}
