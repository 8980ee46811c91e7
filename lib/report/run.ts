// What is the same in every report of one `tk exec`: who ran and how it was called.
// Plain data, so that the reporter can get it from the process that starts the program.
import type { JsonObject } from "../base/json_value.ts";

export interface RunIdentity {
  /** 16 lower-case hex digits, random per run (`randomId` of build.ts). */
  readonly execId: string;
  /** Wall clock of the tool's start, milliseconds since 1970. */
  readonly startedUnixMs: number;
  /** CLOCK_MONOTONIC of the tool's start, milliseconds. */
  readonly startedMonotonicMs: number;
  /** Pid of the process that was called as `tk`; in the default mode the program has the same. */
  readonly toolPid: number;
  /** Absolute path of the tool's binary. */
  readonly toolPath: string;
  /** Every word after the binary. */
  readonly words: readonly string[];
  /** Positional words of the sub-command, what is left after flags. */
  readonly positional: readonly string[];
  /** Resolved flags, `--name=value` each, booleans as `--heartbeat=true`. */
  readonly flags: readonly string[];
  /** The tool's environment at its start, `NAME=value` byte for byte: also what the program was started with. */
  readonly environment?: readonly Uint8Array[] | undefined;
  /** The file that is started, absolute, before links and `#!` are followed. */
  readonly commandPath?: string | undefined;
  /** Text of the loaded configuration, when an external configuration file was used. */
  readonly configText?: string | undefined;
  readonly commitId?: string | undefined;
  /** Side effects of configuration code: `["run", "ls"]`. */
  readonly audit?: readonly (readonly [string, string])[] | undefined;
  /** The tool's own exit status so far; 0 when absent. */
  readonly exitCode?: number | undefined;
}

/** The object of one report; on its way out it is the only element of an array. */
export type Report = JsonObject;
