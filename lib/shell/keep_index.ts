// A script's answer is out; what was found out on the way to it is kept for the next time, where that is soon done. Whoever waits for us waits
// for this too, so it is not begun when it would take long, is given up when it does after all, and ends at once at a signal.
import { Interrupted, makeTurn } from "../pipeline/turn.ts";
import type { Opened } from "./opened.ts";

/** Milliseconds that somebody may be kept waiting behind an answer; or this part of the time that the answer took. */
const LONGEST = 1000;
const SHARE = 0.6;

/** Bytes of a recording whose index is written in a millisecond, at the least. */
const RATE = 600_000;

/** And from which its processes are derived, when the answer did not need them. */
const DERIVE_RATE = 250_000;

/** Between two looks at signals, milliseconds. */
const SLICE = 10;

export async function keepIndexAfterwards(opened: Opened, signal: AbortSignal): Promise<void> {
  const most = Math.max(LONGEST, process.uptime() * 1000 * SHARE);
  const derives = !opened.hasProcesses;
  const cost = opened.size / RATE + (derives ? opened.size / DERIVE_RATE : 0);
  if (signal.aborted || cost > most) return;
  const steps = opened.keepIndex();
  if (steps === undefined) return;
  const turn = makeTurn(signal);
  const until = performance.now() + most;
  // A half-written index goes away. At once: who is interrupted does not wait for us.
  const stop = () => void steps.return();
  signal.addEventListener("abort", stop);
  try {
    // In one piece, in which nobody looks at signals: the kernel obeys them meanwhile. Nothing has been written yet.
    if (derives && withoutHandlers(() => steps.next().done === true)) return;
    let last = performance.now();
    while (steps.next().done !== true) {
      const now = performance.now();
      if (now > until) return;
      if (now - last < SLICE) continue;
      await turn();
      last = performance.now();
    }
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
  } finally {
    signal.removeEventListener("abort", stop);
    stop();
  }
}

function withoutHandlers<A>(work: () => A): A {
  const held = SIGNALS.map((name) => [name, process.listeners(name)] as const);
  for (const [name] of held) process.removeAllListeners(name);
  try {
    return work();
  } finally {
    for (const [name, listeners] of held) for (const listener of listeners) process.on(name, listener as () => void);
  }
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
