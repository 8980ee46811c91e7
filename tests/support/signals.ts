// Signals by name, as strace and the runtime print them.
import { readFileSync } from "node:fs";
import { constants } from "node:os";

/** As this machine numbers them; strace names the real-time ones by their distance from the first. */
export function signalNumber(name: string): number {
  const known = (constants.signals as Readonly<Record<string, number>>)[name];
  if (known !== undefined) return known;
  if (name === "SIGRTMIN" || name === "SIGRT_0") return 32;
  const realtime = /^SIGRT_(\d+)$/.exec(name);
  if (realtime) return 32 + Number(realtime[1]);
  throw new Error(`no signal of this machine: ${name}`);
}

/** SIGKILL to a process and its children, which the kernel names: a machine with nothing installed has no pgrep. */
export function killWithChildren(pid: number): void {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
  const pids = children === "" ? [] : children.split(" ").map(Number);
  for (const each of [...pids, pid])
    try {
      process.kill(each, "SIGKILL");
    } catch {
      // It has ended meanwhile.
    }
}
