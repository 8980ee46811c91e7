// The one line that `tk record` prints when it has ended, and the way to the user while the command runs.
import { count, printable } from "../base/text.ts";
import { DescriptorWriter } from "../host/descriptors.ts";
import { quoteWord } from "../model/argv.ts";
import { formatDuration } from "../model/time.ts";

export interface SummaryFacts {
  readonly events: number;
  readonly processes: number;
  readonly wallNs: number;
  readonly lost: number;
  /** Why, when something was lost. */
  readonly reason: string;
  /** Processes that were let go while they lived. */
  readonly left: number;
  readonly path: string | undefined;
}

export function summaryLine(f: SummaryFacts): string {
  const parts = [count(f.events, "event"), count(f.processes, "process", "processes"), formatDuration(f.wallNs)];
  parts.push(f.lost === 0 ? "nothing lost" : `${count(f.lost, "event")} LOST (${f.reason})`);
  if (f.left > 0) parts.push(`${count(f.left, "process", "processes")} still running, no longer recorded`);
  const where = f.path === undefined ? "" : `, in ${printable(f.path)}. Next: tk render -d tree ${quoteWord(f.path)}`;
  return `tk: ${parts.join(", ")}${where}`;
}

/** A line for the user, at once; a stderr that is gone or full is nobody's problem. */
export function say(line: string): void {
  const bytes = new TextEncoder().encode(line + "\n");
  new DescriptorWriter(2).write(bytes, 0, bytes.length);
}
