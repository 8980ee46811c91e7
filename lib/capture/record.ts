// One recording: everything that can be refused is looked at before the command starts, then the backend records, then
// the user is told in one line what there is. Fails only before the command has run; afterwards the command's status is
// the result, whatever became of the recording.
import { Effect } from "effect";
import type { ExitStatus } from "../model/status.ts";
import { CaptureError } from "./capture_error.ts";
import { prepare, type Preparation } from "./preparation.ts";
import { recordWithPtrace } from "./ptrace/session.ts";

export interface RecordOptions {
  /** The command's words, byte for byte (see `ownLastArguments`). */
  readonly argv: readonly Uint8Array[];
  /** Standard output when absent or `-`. */
  readonly output?: string | undefined;
  readonly backend: "auto" | "ptrace" | "bpftrace";
  readonly mode: "events" | "complete";
  readonly until: "tree" | "root";
  readonly quiet: boolean;
  readonly debug: boolean;
  readonly raw: boolean;
  readonly bpftracePath?: string | undefined;
  /** `tk 1.2.3`, for the header. */
  readonly generator: string;
}

export interface RecordResult {
  /** How the command ended, which is how tk is to end. */
  readonly status: ExitStatus;
  readonly events: number;
  readonly processes: number;
  /** Events that are not in the recording though they happened. */
  readonly lost: number;
  readonly wallNs: number;
  /** Undefined when the recording went to standard output. */
  readonly path: string | undefined;
}

/** Makes one recording; fails with a `CaptureError` while nothing has run yet. */
export type Recorder = (options: RecordOptions) => Effect.Effect<RecordResult, CaptureError>;

/** Backends besides ptrace, each loaded only when it is asked for. */
const OTHERS: Readonly<Record<string, () => Promise<Recorder>>> = {};

export const record: Recorder = (options) => {
  const other = OTHERS[options.backend];
  if (other !== undefined) return Effect.promise(other).pipe(Effect.flatMap((recorder) => recorder(options)));
  return Effect.try({
    try: () => recordWithPtrace(options, checkedPreparation(options)),
    catch: (error) => {
      if (error instanceof CaptureError) return error;
      throw error;
    },
  });
};

function checkedPreparation(options: RecordOptions): Preparation {
  if (options.backend === "bpftrace")
    throw new CaptureError({
      backend: options.backend,
      reason: { _tag: "Unsupported", what: "this build of tk has no backend called bpftrace" },
    });
  if (options.raw)
    throw new CaptureError({
      backend: "ptrace",
      reason: {
        _tag: "Contradiction",
        what: "--raw writes bpftrace's own lines, and the ptrace backend has none",
        instead: "add --backend bpftrace, or leave out --raw",
      },
    });
  if (options.mode === "complete" && options.until === "root")
    throw new CaptureError({
      backend: "ptrace",
      reason: {
        _tag: "Contradiction",
        what: "--mode complete cannot be left while processes of the command live: its filter stays in them, and without tk their execs would fail",
        instead: "use --mode events with --until root, or --until tree",
      },
    });
  return prepare(options);
}
