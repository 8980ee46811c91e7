// Why the kernel did not let us trace a process of our own, and what would help. Looks at /proc, guesses nothing.
import { printable } from "../../base/text.ts";
import { ERRNO, errnoText } from "../../host/errno.ts";
import { processName, readText, statusNumber } from "../../host/proc.ts";
import { CaptureError } from "../capture_error.ts";

/** 0 to 3; undefined when the kernel has no Yama. */
export function yamaScope(): number | undefined {
  const text = readText("/proc/sys/kernel/yama/ptrace_scope");
  return text === undefined || !/^\d/.test(text) ? undefined : Number.parseInt(text, 10);
}

/** Who traces this very process; undefined when nobody does. */
export function ownTracer(): { readonly pid: number; readonly name: string } | undefined {
  const pid = statusNumber(readText("/proc/self/status") ?? "", "TracerPid") ?? 0;
  return pid === 0 ? undefined : { pid, name: printable(processName(pid)) };
}

/** Filters that this process runs under, by the container or sandbox it is in. */
export function ownSeccompFilters(): number {
  const status = readText("/proc/self/status") ?? "";
  return statusNumber(status, "Seccomp") === 2 ? (statusNumber(status, "Seccomp_filters") ?? 1) : 0;
}

export function whyForbidden(errno: number): { readonly why: string; readonly instead: string } {
  const tracer = ownTracer();
  if (tracer !== undefined)
    return {
      why: `tk is itself being traced by ${tracer.name} (pid ${tracer.pid}), and a process can have one tracer only`,
      instead: `run tk outside of ${tracer.name}, or trace with bpftrace: --backend bpftrace`,
    };
  const scope = yamaScope();
  if (scope === 3)
    return {
      why: "kernel.yama.ptrace_scope is 3, which forbids ptrace to everybody until the next boot",
      instead: "use --backend bpftrace as root, or boot with another kernel.yama.ptrace_scope",
    };
  if (scope === 2)
    return {
      why: "kernel.yama.ptrace_scope is 2, which leaves ptrace to root (CAP_SYS_PTRACE)",
      instead: "run tk as root, or as root: sysctl kernel.yama.ptrace_scope=1",
    };
  if (errno === ERRNO.ENOSYS || ownSeccompFilters() > 0)
    return {
      why: `this container or sandbox does not allow ptrace (${errnoText(errno)})`,
      instead: "start the container with --cap-add SYS_PTRACE or another seccomp profile, or record outside of it",
    };
  return {
    why: `the kernel refused ptrace (${errnoText(errno)})`,
    instead: "a security module may forbid it (`tk doctor`); --backend bpftrace as root does without",
  };
}

export function traceForbidden(errno: number): CaptureError {
  return new CaptureError({ backend: "ptrace", reason: { _tag: "TraceForbidden", ...whyForbidden(errno), errno } });
}
