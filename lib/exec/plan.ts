// What the reporter is told by the process that starts the program: one file in memory with a line of JSON, the
// environment byte for byte, and, once the program runs, the answers of the early look. Nothing of it stands in a command
// line or an environment that others can read. Pure.
import type { RunIdentity } from "../report/run.ts";
import type { LookLayout } from "./early_look.ts";
import type { StderrPlace } from "./messages.ts";
import type { Output } from "./output.ts";

/** Settings as the command line asks for them, on top of what configurations say. */
export interface Plan {
  readonly programPid: number;
  /** Descriptor of a handle on the program; absent where the kernel has none. */
  readonly handle?: number | undefined;
  readonly run: Omit<RunIdentity, "environment">;
  readonly look: LookLayout;
  /** The program's stdout is kept open for reports; else what is written there goes nowhere. */
  readonly keepsStdout: boolean;
  readonly keepsStderr: boolean;
  /** What the program's stderr is at its start; absent when it is closed. */
  readonly stderr?: StderrPlace | undefined;
  /** Where the short way out is: -o and --format. */
  readonly output?: Output | undefined;
  /** Heartbeats only, without the first report. */
  readonly skipsFirst?: boolean | undefined;
  /** tk waits for the program, and then for the reporter. */
  readonly asParent: boolean;
  /** The program is the first process of its container, or adopts orphans: nobody waits for the reporter's end. */
  readonly adopted: boolean;
  /** What the caller of `tk exec` asked for; its shape is the caller's. */
  readonly request: unknown;
}

const NEWLINE = 10;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The file's beginning; the answers follow it. */
export function encodePlan(plan: Plan, environment: readonly Uint8Array[]): Uint8Array {
  const environmentSize = environment.reduce((n, entry) => n + entry.length + 1, 0);
  const head = encoder.encode(`${JSON.stringify({ plan, environmentSize })}\n`);
  const out = new Uint8Array(head.length + environmentSize);
  out.set(head);
  let at = head.length;
  for (const entry of environment) {
    out.set(entry, at);
    at += entry.length + 1;
  }
  return out;
}

export interface Told {
  readonly plan: Plan;
  readonly environment: readonly Uint8Array[];
  /** Empty when the program never came to run. */
  readonly answers: Uint8Array;
}

/** The whole file, which only tk itself has written. */
export function decodePlan(file: Uint8Array): Told {
  const end = file.indexOf(NEWLINE);
  const { plan, environmentSize } = JSON.parse(decoder.decode(file.subarray(0, end))) as {
    readonly plan: Plan;
    readonly environmentSize: number;
  };
  const environment: Uint8Array[] = [];
  const last = end + 1 + environmentSize;
  for (let from = end + 1; from < last;) {
    const to = file.indexOf(0, from);
    environment.push(file.slice(from, to));
    from = to + 1;
  }
  return { plan, environment, answers: file.slice(last) };
}
