// Any number of inputs to one Recording: one is read where it is, several are merged by the sorter first, into a temporary
// file. For everything that has to look at the whole: by-process, ingest, the documents.
import { Effect, type Scope } from "effect";
import type { Destination } from "../host/destination.ts";
import type { OutputError } from "../host/out.ts";
import { Spool } from "../host/spool.ts";
import { recording as native } from "../format/recording.ts";
import { Problems } from "../model/problem.ts";
import type { Recording } from "../model/recording.ts";
import { readRegular } from "./_bytes.ts";
import { readRecording, readSource } from "./read.ts";
import { attempt, sortInto } from "./sort_recording.ts";
import type { SourceError } from "./source.ts";

export interface ReadRecordingsOptions {
  /** As the user named them; `-` is stdin. */
  readonly inputs: readonly string[];
  /** For merging several, as in `tk sort`. */
  readonly memory?: number | undefined;
  readonly align?: "own" | "wall" | undefined;
}

export interface Read {
  readonly recording: Recording;
  /** What the user should know, as sentences. */
  readonly notes: readonly string[];
}

/** Its text can be read until the scope closes. */
export const readRecordings = (
  options: ReadRecordingsOptions,
): Effect.Effect<Read, SourceError | OutputError, Scope.Scope> =>
  Effect.gen(function* () {
    const [only] = options.inputs;
    if (options.inputs.length === 1 && only !== undefined) return { recording: yield* readRecording(only), notes: [] };
    const spool = yield* Effect.acquireRelease(
      attempt(() => new Spool()),
      (s) => Effect.sync(() => s.close()),
    );
    const problems = new Problems();
    const { notes } = yield* Effect.scoped(sortInto({ ...options, problems }, intoSpool(spool)));
    yield* attempt(() => spool.out.flush());
    const recording = yield* readSource(
      {
        name: options.inputs.join(", "),
        format: native,
        compression: "none",
        plain: { fd: spool.fd, size: spool.out.size },
        chunks: () => readRegular(spool.fd, 0),
        transcodedChunks: undefined,
      },
      problems,
    );
    return { recording, notes };
  });

/** A spool as the sorter's destination; it cannot be set aside, so runs are kept elsewhere. */
function intoSpool(spool: Spool): Destination {
  return { out: spool.out, written: undefined, setAside: () => {}, commit: () => {}, abandon: () => {} };
}
