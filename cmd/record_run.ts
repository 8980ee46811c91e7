// What `tk record` does once its words are understood. The command's ending becomes tk's own.
import { Effect } from "effect";
import { GENERATOR } from "../lib/base/version.ts";
import { record, type RecordOptions } from "../lib/capture/record.ts";
import { ownLastArguments } from "../lib/host/proc.ts";
import { dieLike } from "../lib/host/signals.ts";
import type { WantedLines } from "./record_lines.ts";
import type { WantedSpool } from "./record_spool.ts";

export interface RecordCommand extends Omit<RecordOptions, "argv" | "generator" | "reports" | "lines"> {
  /** --report. */
  readonly report: string | undefined;
  /** --lines. */
  readonly wantedLines: WantedLines | undefined;
  /** --spool. */
  readonly spool: WantedSpool | undefined;
  /** The command as the runtime decoded it; its exact bytes are asked of the kernel. */
  readonly words: readonly string[];
}

const encoder = new TextEncoder();

export const run = (c: RecordCommand) =>
  Effect.gen(function* () {
    const argv = ownLastArguments(c.words.length) ?? c.words.map((word) => encoder.encode(word));
    const output = c.spool === undefined ? c.output : yield* openSpool(c.spool, argv, c);
    const reports = c.report === undefined ? undefined : yield* openFeed(c.report, argv, c.words);
    const lines = c.wantedLines === undefined ? undefined : yield* openLines(c.wantedLines);
    return yield* record({ ...c, output, argv, reports, lines, generator: GENERATOR });
  }).pipe(Effect.map((result) => dieLike(result.status)));

const openFeed = (text: string, argv: readonly Uint8Array[], words: readonly string[]) =>
  Effect.promise(() => import("./record_reports.ts")).pipe(
    Effect.flatMap((m) => Effect.try({ try: () => m.feedFor(text, argv, words), catch: (error) => m.expected(error) })),
  );

const openLines = (wanted: WantedLines) =>
  Effect.promise(() => import("./record_lines.ts")).pipe(
    Effect.flatMap((m) => Effect.try({ try: () => m.linesFor(wanted), catch: (error) => m.expected(error) })),
  );

const openSpool = (spool: WantedSpool, argv: readonly Uint8Array[], c: RecordCommand) =>
  Effect.promise(() => import("./record_spool.ts")).pipe(
    Effect.flatMap((m) =>
      Effect.try({ try: () => m.spooledOutput(spool, argv, c.words, c.output), catch: (error) => m.expected(error) }),
    ),
  );
