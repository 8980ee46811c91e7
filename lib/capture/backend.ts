// The contract of a capture backend, and what `tk doctor` asks of it.
import type { Entry } from "../base/registry.ts";

/** One thing a backend needs, looked at without changing anything. */
export interface Check {
  readonly name: string;
  readonly state: "ok" | "limited" | "missing";
  /** What was found. */
  readonly found: string;
  /** The command or setting that gives more; absent when nothing is wanting. */
  readonly fix?: string;
}

/** What the user said about the backends. */
export interface PreflightOptions {
  readonly bpftracePath?: string | undefined;
}

export interface CaptureBackend extends Entry {
  /** What it records and what it cannot know, for doctor and docs. */
  readonly doc: string;
  /**
   * Each need of the backend on this machine, in the order in which to mend them. Checks called `mode ...` are ways to
   * record, of which one is enough.
   */
  preflight(options?: PreflightOptions): Promise<Check[]> | Check[];
}
