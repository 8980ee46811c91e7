// What this process was given when it was started, before the JavaScript runtime changed it: the command is to get the
// same. Must run before tk opens anything. What cannot be known is told in docs/recording.md.
import { hidesInherited } from "#platform";
import {
  readText,
  executableName,
  hasBit,
  openFilesLimit,
  ownDescriptors,
  ownEnvironment,
  statusMask,
} from "../../host/proc.ts";
import { SIG } from "../../host/signals.ts";
import { openKernel } from "../../host/kernel.ts";
import { NR } from "../../host/syscalls.ts";
import type { Mask } from "../../host/proc.ts";

export interface Inherited {
  /** Signals that were ignored. */
  readonly ignored: ReadonlySet<number>;
  /** Signals that were blocked. */
  readonly blocked: Mask;
  /** Limit of open files where the runtime raised it; undefined where it is as it was, or where nobody can say. */
  readonly openFiles: { readonly soft: number; readonly hard: number } | undefined;
  /** Descriptors from 3 up. */
  readonly descriptors: readonly number[];
  /** `NAME=value`, byte for byte. */
  readonly environment: readonly Uint8Array[];
  /** May install a seccomp filter without giving up set-user-ID programs. */
  readonly admin: boolean;
}

const SHELL = /^(ba|da|z|k|mk|fi|a|tc|c|ya|pdk)?sh$|^busybox/;
const CAP_SYS_ADMIN = 21;
/** Signals that the C library keeps for its threads. */
const SIGCANCEL = 32;
const SIGSETXID = 33;

export function learnInherited(): Inherited {
  const kernel = openKernel();
  const own = readText("/proc/self/status") ?? "";
  const ignoredMask = statusMask(own, "SigIgn");
  const ignored = new Set<number>();
  for (let s = 1; s <= 64; s++) if (hasBit(ignoredMask, s - 1)) ignored.add(s);
  // glibc has taken SIGSETXID for itself by now. A start by posix_spawn(3) ignores it together with SIGCANCEL, or neither.
  if (ignored.has(SIGCANCEL) && hasBit(statusMask(own, "SigCgt"), SIGSETXID - 1)) ignored.add(SIGSETXID);
  const parent = kernel.call(NR.getppid);
  rememberRuntimeSignals(ignored, parent);
  return {
    ignored,
    blocked: statusMask(own, "SigBlk"),
    openFiles: originalOpenFiles(parent),
    descriptors: inheritedDescriptors(),
    environment: ownEnvironment(),
    admin: hasBit(statusMask(own, "CapEff"), CAP_SYS_ADMIN),
  };
}

/**
 * The runtime ignores SIGPIPE and SIGXFSZ itself. The parent is the only witness of what was there before, and only a
 * shell: programs such as Python ignore SIGPIPE for themselves and reset it before they start others.
 */
function rememberRuntimeSignals(ignored: Set<number>, parent: number): void {
  ignored.delete(SIG.PIPE);
  ignored.delete(SIG.XFSZ);
  const name = executableName(parent);
  if (name === undefined || !SHELL.test(name)) return;
  const status = readText(`/proc/${parent}/status`);
  if (status === undefined) return;
  const mask = statusMask(status, "SigIgn");
  for (const s of [SIG.PIPE, SIG.XFSZ]) if (hasBit(mask, s - 1)) ignored.add(s);
}

/** The runtime raises the soft limit to the hard one; the parent still has the old one, unless it raised it before an exec. */
function originalOpenFiles(parent: number): Inherited["openFiles"] {
  const own = openFilesLimit("self");
  const parents = openFilesLimit(parent);
  if (own === undefined || parents === undefined) return undefined;
  if (own.hard !== parents.hard || own.soft !== own.hard || parents.soft >= own.soft) return undefined;
  return parents;
}

function inheritedDescriptors(): number[] {
  const kernel = openKernel();
  const F_GETFD = 1;
  const out: number[] = [];
  for (const { fd, target } of ownDescriptors()) {
    const flags = kernel.call(NR.fcntl, fd, F_GETFD);
    if (flags < 0) continue;
    const closesOnExec = (flags & 1) !== 0;
    // Where the runtime marks what it inherited, only its own event queues can be told apart.
    if (closesOnExec && !(hidesInherited && !isRuntimeOwn(target))) continue;
    out.push(fd);
  }
  return out;
}

function isRuntimeOwn(target: string): boolean {
  return /^anon_inode:\[(eventpoll|eventfd|timerfd|io_uring)\]/.test(target);
}
