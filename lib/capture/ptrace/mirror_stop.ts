// Job control: when the command stops (Ctrl-Z, less, vim, bash's suspend), tk stops itself with the same signal, so that
// the shell notices; when tk is continued it makes sure that the command is, too. tk stops only after the command has:
// were SIGTSTP left at its default here, both would stop on Ctrl-Z and a stale stop could stop tk a second time.
import { openKernel } from "../../host/kernel.ts";
import type { Block } from "../../host/memory.ts";
import { setDisposition, SIG, signalSelf, type SignalDesk } from "../../host/signals.ts";
import { sleepMs } from "../../host/clock.ts";
import { NR } from "../../host/syscalls.ts";
import { EVENT, PTRACE } from "./request.ts";

const WALL = 0x40000000;

export function isStopSignal(signal: number): boolean {
  return signal === SIG.STOP || signal === SIG.TSTP || signal === SIG.TTIN || signal === SIG.TTOU;
}

/**
 * The root is in group-stop and listening. Comes back when tk has been continued; with a wait status of the root that
 * the caller has to handle, if there is one (its rusage is at `usage`).
 */
export function mirrorStop(
  root: number,
  signal: number,
  desk: SignalDesk,
  block: Block,
  status: number,
  usage: number,
): number | undefined {
  const kernel = openKernel();
  if (!stopToo(signal, desk)) return undefined;
  kernel.call(NR.ptrace, PTRACE.INTERRUPT, root, 0, 0);
  if (kernel.call(NR.wait4, root, block.at(status), WALL, block.at(usage)) !== root) return undefined;
  const word = block.i32[status >> 2]!;
  const stopped = (word & 0x7f) === 0x7f && word >>> 16 === EVENT.STOP && isStopSignal((word >> 8) & 0xff);
  if (!stopped) return word;
  // It has moved to a process group of its own (suspend in a nested shell), which the shell that continued us does not know.
  kernel.call(NR.ptrace, PTRACE.LISTEN, root, 0, 0);
  const group = kernel.call(NR.getpgid, root);
  const own = kernel.call(NR.getpgid, 0);
  kernel.call(NR.kill, group <= 0 || group === own ? root : -group, SIG.CONT);
  return undefined;
}

/** Stops tk with the signal that stopped the command; comes back when tk has been continued, false when it was not stopped. */
export function stopToo(signal: number, desk: SignalDesk): boolean {
  desk.took(SIG.CONT);
  const before = signal === SIG.TSTP ? "note" : "ignore";
  if (signal !== SIG.STOP) setDisposition(signal, "default");
  signalSelf(signal);
  if (signal !== SIG.STOP) setDisposition(signal, before);
  return wasContinued(desk);
}

/**
 * Whether we really were stopped. In an orphaned process group the kernel lets no terminal signal stop us, and then
 * nobody has continued us either. The note may come a moment late, by way of another thread of the runtime.
 */
function wasContinued(desk: SignalDesk): boolean {
  for (let i = 0; i < 10; i++) {
    if (desk.took(SIG.CONT)) return true;
    sleepMs(1);
  }
  return false;
}
