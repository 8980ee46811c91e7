// Reports about the command that somebody else makes while it is recorded (`--report`): how they get into the recording
// without the tracer ever waiting for them. Implemented by lib/exec; a contract only.
import type { JsonObject } from "../base/json_value.ts";
import type { Inherited } from "./launch/inherited.ts";
import type { HeldCommand } from "./launch/start_held.ts";

/** One report. */
export interface FedReport {
  /** Nanoseconds of CLOCK_MONOTONIC. */
  readonly at: number;
  readonly pid: number;
  readonly operation: string;
  readonly report: JsonObject;
}

export interface ReportFeed {
  /**
   * A descriptor that gets one byte from the command's process when it could not be run. Called before that process is
   * made, and after it is known what the command inherits: what is open by then is none of it.
   */
  prepare(): number | undefined;
  /** The command is held and will be released; the pid of a child of ours that is no part of it, or 0. */
  begin(command: HeldCommand, inherited: Inherited): number;
  /** What has come since the last call; never waits. Ours is woken by SIGURG when there is something. */
  take(into: (report: FedReport) => void): void;
  /** The command has ended: waits for the last ones, but not for ever. */
  end(into: (report: FedReport) => void): void;
}
