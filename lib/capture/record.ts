// One recording: everything that can be refused is looked at before the command starts, then the backend records, then
// the user is told in one line what there is. Fails only before the command has run; afterwards the command's status is
// the result, whatever became of the recording.
import { Effect } from "effect";
import type { ExitStatus } from "../model/status.ts";
import { CaptureError } from "./capture_error.ts";
import { prepare, type Preparation } from "./preparation.ts";
import { recordWithPtrace } from "./ptrace/session.ts";
import type { LineFeed } from "./line_feed.ts";
import type { ReportFeed } from "./report_feed.ts";
import { say } from "./summary.ts";

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
  /** Reports about the command that go into the recording. */
  readonly reports?: ReportFeed | undefined;
  /** Lines that the recorded programs execute. */
  readonly lines?: LineFeed | undefined;
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

const withBpftrace: Recorder = (options) => {
  if (options.reports !== undefined) return Effect.fail(needsPtrace("--report"));
  return options.lines === undefined ? bpftraceAlone(options) : Effect.fail(needsPtrace("--lines"));
};

const needsPtrace = (flag: string) =>
  new CaptureError({
    backend: "bpftrace",
    reason: {
      _tag: "Contradiction",
      what: `${flag} needs the ptrace backend`,
      instead: `add --backend ptrace, or leave out ${flag}`,
    },
  });

const bpftraceAlone: Recorder = (options) =>
  Effect.promise(() => import("./bpftrace/session.ts")).pipe(
    Effect.flatMap((bpftrace) => bpftrace.recordWithBpftrace(options)),
  );

const withPtrace: Recorder = (options) =>
  Effect.try({
    try: () => recordWithPtrace(options, checkedPreparation(options)),
    catch: (error) => {
      if (error instanceof CaptureError) return error;
      throw error;
    },
  });

/** What `auto` means: ptrace, and where the kernel forbids that, bpftrace; nothing has run when ptrace is refused. */
const withEither: Recorder = (options) =>
  withPtrace(options).pipe(
    Effect.catch((ptrace) => {
      if (ptrace.reason._tag !== "TraceForbidden") return Effect.fail(ptrace);
      if (!options.quiet) say(`tk: ${ptrace.message}; trying bpftrace`);
      return withBpftrace(options).pipe(
        Effect.mapError((bpftrace) =>
          concernsCommand(bpftrace)
            ? bpftrace
            : new CaptureError({ backend: "auto", reason: { _tag: "NothingWorks", ptrace, bpftrace } }),
        ),
      );
    }),
  );

function concernsCommand({ reason }: CaptureError): boolean {
  return reason._tag === "CommandMissing" || reason._tag === "CommandRefused" || reason._tag === "OutputRefused";
}

export const record: Recorder = (options) => {
  if (options.backend === "bpftrace" || (options.backend === "auto" && options.raw)) return withBpftrace(options);
  return options.backend === "ptrace" ? withPtrace(options) : withEither(options);
};

function checkedPreparation(options: RecordOptions): Preparation {
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
