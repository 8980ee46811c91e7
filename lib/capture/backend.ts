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

export interface CaptureBackend extends Entry {
  /** What it records and what it cannot know, for doctor and docs. */
  readonly doc: string;
  /** Each need of the backend on this machine, in the order in which to mend them. */
  preflight(): Promise<Check[]> | Check[];
}
