// The bpftrace backend as `tk doctor` and the docs see it: what it is, and whether it works here. As root the last check
// is the deed itself: bpftrace is started, has everything attached, and is ended again.
import { printable } from "../../base/text.ts";
import type { CaptureBackend, Check, PreflightOptions } from "../backend.ts";
import { CaptureError } from "../capture_error.ts";
import { requireKernel } from "../preparation.ts";
import { INSTALL, startTool } from "./start_tool.ts";
import * as tool from "./tool.ts";

export const bpftrace: CaptureBackend = {
  id: "bpftrace",
  summary: "fork, exec, failed exec, setpgid, setsid and exit, seen by the kernel; needs root and bpftrace",
  doc:
    "Runs bpftrace as root, with sudo only when tk does not run as root; the command itself is never elevated and is not " +
    "traced: programs that refuse ptrace, set-user-ID programs and debuggers run as ever. Records forks, execs with their " +
    "arguments, failed execs with their error, setpgid, setsid and exits; with --raw all of these for the whole system. " +
    "It does not record working directories and CPU times, cuts very long argument lists, and can lose events on a very " +
    "busy machine, which it counts. When tk is killed, bpftrace ends and the command goes on.",
  preflight,
};

function preflight(options: PreflightOptions = {}): Check[] {
  try {
    requireKernel("bpftrace");
  } catch (error) {
    if (error instanceof CaptureError)
      return [{ name: "system", state: "missing", found: error.message, fix: error.hint }];
    throw error;
  }
  const named = options.bpftracePath ?? "bpftrace";
  const path = tool.findProgram(named);
  const checks = [program(named, path), privileges(), processIds(), lockdown(), tracing(), types()];
  if (path !== undefined && tool.runsAsRoot() && checks.every((c) => c.state !== "missing")) checks.push(deed(named));
  return checks;
}

function program(named: string, path: string | undefined): Check {
  const name = "bpftrace";
  if (path === undefined)
    return { name, state: "missing", found: `'${printable(named)}' is not in PATH or the usual places`, fix: INSTALL };
  const version = tool.askVersion(path);
  const found = `${printable(path)} ${version?.text ?? "of unknown version"}`;
  if (version !== undefined && !tool.isAtLeast(version, tool.OLDEST))
    return { name, state: "missing", found, fix: `install ${tool.OLDEST} or newer and name it with --bpftrace-path` };
  return { name, state: "ok", found };
}

function privileges(): Check {
  const name = "privileges";
  if (tool.runsAsRoot()) {
    if (tool.hasCapabilities()) return { name, state: "ok", found: "this is root, and it may load BPF programs" };
    return {
      name,
      state: "missing",
      found: "this is root without CAP_SYS_ADMIN, or CAP_BPF and CAP_PERFMON",
      fix: "start the container with --privileged --pid=host",
    };
  }
  const sudo = tool.findProgram("sudo");
  if (sudo === undefined)
    return { name, state: "missing", found: "not root, and there is no sudo", fix: "run tk as root, or install sudo" };
  return { name, state: "ok", found: `not root; ${sudo} will run bpftrace, and may ask for a password` };
}

function processIds(): Check {
  const name = "process ids";
  if (tool.seesOwnPids()) return { name, state: "ok", found: "those of the host" };
  return {
    name,
    state: "missing",
    found: "this container has its own, and bpftrace sees those of the host",
    fix: "start the container with --pid=host",
  };
}

function lockdown(): Check {
  const name = "lockdown";
  if (!tool.isLockedDown()) return { name, state: "ok", found: "the kernel lets root trace" };
  return {
    name,
    state: "missing",
    found: "confidentiality: nobody may trace the kernel",
    fix: "boot with lockdown=integrity or without Secure Boot",
  };
}

function tracing(): Check {
  const name = "tracing file system";
  const place = tool.tracingMount();
  if (place !== undefined) return { name, state: "ok", found: place };
  const fix = "as root: mount -t tracefs tracefs /sys/kernel/tracing";
  if (!tool.canMountTracing()) return { name, state: "missing", found: "not mounted", fix };
  return { name, state: "ok", found: "not mounted; bpftrace gets a mount that nobody else sees" };
}

function types(): Check {
  const name = "kernel types";
  if (tool.hasTypeInformation()) return { name, state: "ok", found: "/sys/kernel/btf/vmlinux" };
  return {
    name,
    state: "limited",
    found: "this kernel does not tell them: no process groups and parents with execs and exits, shorter argument lists",
    fix: "use a kernel with CONFIG_DEBUG_INFO_BTF=y",
  };
}

/** Everything attached once, and nothing recorded. */
function deed(named: string): Check {
  const name = "mode tree";
  try {
    const listening = startTool({ bpftracePath: named, system: false, tell: () => {} });
    listening.child.end(() => {});
    return listening.types === "none"
      ? { name, state: "limited", found: "every probe was attached, without the kernel's types" }
      : { name, state: "ok", found: "every probe was attached" };
  } catch (error) {
    if (error instanceof CaptureError) return { name, state: "missing", found: error.message, fix: error.hint };
    throw error;
  }
}
