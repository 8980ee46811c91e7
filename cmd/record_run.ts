// What `tk record` does once its words are understood. The command's ending becomes tk's own.
import { Effect } from "effect";
import { GENERATOR } from "../lib/base/version.ts";
import type { CaptureError } from "../lib/capture/capture_error.ts";
import { record, type RecordOptions } from "../lib/capture/record.ts";
import { ownLastArguments } from "../lib/host/proc.ts";
import { dieLike } from "../lib/host/signals.ts";

export interface RecordCommand extends Omit<RecordOptions, "argv" | "generator"> {
  /** The command as the runtime decoded it; its exact bytes are asked of the kernel. */
  readonly words: readonly string[];
}

const encoder = new TextEncoder();

export const run = (c: RecordCommand): Effect.Effect<void, CaptureError> =>
  Effect.suspend(() => {
    const argv = ownLastArguments(c.words.length) ?? c.words.map((word) => encoder.encode(word));
    return record({ ...c, argv, generator: GENERATOR });
  }).pipe(Effect.map((result) => dieLike(result.status)));
