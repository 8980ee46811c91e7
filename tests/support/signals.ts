// Signals by name, as strace and the runtime print them.
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
