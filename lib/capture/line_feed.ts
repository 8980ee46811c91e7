// Executed lines of the recorded programs (`--lines`): how they get into the recording without the tracer ever waiting for them.
// Implemented by lib/collect; a contract only.
import type { RecordingWriter } from "../format/recording_writer.ts";
import type { Inherited } from "./launch/inherited.ts";
import type { HeldCommand } from "./launch/start_held.ts";

export interface LinesTold {
  /** Lines and blocks that are known to be lost. */
  readonly lost: number;
  /** For the user, at the end: what was not recorded and why. */
  readonly sentences: readonly string[];
}

export interface LineFeed {
  /** Makes the place where the programs' recorders write. The environment that the command gets. Throws a `CaptureError`. */
  prepare(inherited: Inherited): readonly Uint8Array[];
  /**
   * The command is held and will be released; `zero` is the recording's 0 on CLOCK_MONOTONIC. The pid of a child of ours that
   * is no part of the command, or 0.
   */
  begin(command: HeldCommand, inherited: Inherited, zero: bigint): number;
  /** A process has become another program and stands still. Times are the recording's. */
  executed(pid: number, timestamp: number): void;
  ended(pid: number, timestamp: number): void;
  /** Writes what has come since the last call; never waits. Ours is woken by SIGURG when there is something. */
  take(writer: RecordingWriter, now: number): void;
  /** Everything has ended that is recorded: waits for the last lines. `impatient` says that the user wants no more of it. */
  end(writer: RecordingWriter, now: number, afterEach: () => void, impatient: () => boolean): LinesTold;
  /** Takes everything back: nothing was started. */
  cancel(): void;
}
