// What `tk record` does once its words are understood. The command's ending becomes tk's own.
import { Effect } from "effect";
import { GENERATOR } from "../lib/base/version.ts";
import { record, type RecordOptions } from "../lib/capture/record.ts";
import { ownLastArguments } from "../lib/host/proc.ts";
import { dieLike } from "../lib/host/signals.ts";

export interface RecordCommand extends Omit<RecordOptions, "argv" | "generator" | "reports"> {
  /** --report. */
  readonly report: string | undefined;
  /** The command as the runtime decoded it; its exact bytes are asked of the kernel. */
  readonly words: readonly string[];
}

const encoder = new TextEncoder();

export const run = (c: RecordCommand) =>
  Effect.gen(function* () {
    const argv = ownLastArguments(c.words.length) ?? c.words.map((word) => encoder.encode(word));
    const reports = c.report === undefined ? undefined : yield* openFeed(c.report, argv, c.words);
    return yield* record({ ...c, argv, reports, generator: GENERATOR });
  }).pipe(Effect.map((result) => dieLike(result.status)));

const openFeed = (text: string, argv: readonly Uint8Array[], words: readonly string[]) =>
  Effect.promise(() => import("./record_reports.ts")).pipe(
    Effect.flatMap((m) => Effect.try({ try: () => m.feedFor(text, argv, words), catch: (error) => m.expected(error) })),
  );
