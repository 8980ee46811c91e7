// The events of one recording: their kinds as columns hold them, and as objects at the edges.
// The format's text is shared/reference event model, told to users in docs/format.md.
import type { RecordingEnd, RecordingHeader } from "./recording.ts";
import type { ExitStatus } from "./status.ts";

/** Kind codes of `EventTable.kind`. `EXEC_PART` and `EXEC_ARGS` are proctrace's two halves before they are joined. */
export const KIND = {
  unknown: 0,
  recording: 1,
  fork: 2,
  exec: 3,
  exec_failed: 4,
  exit: 5,
  setpgid: 6,
  setsid: 7,
  report: 8,
  source: 9,
  line_block: 10,
  lost: 11,
  end: 12,
  exec_part: 13,
  exec_args: 14,
  exec_filename: 15,
} as const;

export type KindName = keyof typeof KIND;

/** The tag of each kind in the file; `unknown` stands for every other tag. */
export const TAG_KIND: ReadonlyMap<string, number> = new Map([
  ["Recording", KIND.recording],
  ["Fork", KIND.fork],
  ["ExecFull", KIND.exec],
  ["BadExec", KIND.exec_failed],
  ["Exit", KIND.exit],
  ["SetPGID", KIND.setpgid],
  ["SetSID", KIND.setsid],
  ["Report", KIND.report],
  ["Source", KIND.source],
  ["LineBlock", KIND.line_block],
  ["Lost", KIND.lost],
  ["End", KIND.end],
  ["Exec", KIND.exec_part],
  ["ExecArgs", KIND.exec_args],
  ["ExecFilename", KIND.exec_filename],
]);

/** One exec's words. `joined` is set when the source had them as one string with the borders lost (proctrace). */
export interface Argv {
  readonly words: readonly string[];
  readonly joined: boolean;
  /** The exact bytes of those words that are not UTF-8, by index. */
  readonly bytes?: ReadonlyMap<number, Uint8Array>;
}

/** A path or another text as bytes of the kernel: `exact` is set when they are not UTF-8, and `text` then only looks like them. */
export interface Text {
  readonly text: string;
  readonly exact?: Uint8Array;
}

interface Stamp {
  /** Nanoseconds since the recording began; undefined where the line has none. */
  readonly ts: number | undefined;
  readonly seq: number | undefined;
}

interface OfProcess extends Stamp {
  readonly pid: number;
  readonly ppid: number | undefined;
  readonly pgid: number | undefined;
}

export interface ForkEvent extends Stamp {
  readonly kind: "fork";
  /** The child. */
  readonly pid: number;
  readonly ppid: number | undefined;
  /** The parent's process group. */
  readonly pgid: number | undefined;
}

export interface ExecEvent extends OfProcess {
  readonly kind: "exec";
  readonly sid: number | undefined;
  readonly filename: Text | undefined;
  /** Undefined when the source could not tell the words. */
  readonly argv: Argv | undefined;
  readonly cwd: Text | undefined;
}

export interface ExecFailedEvent extends OfProcess {
  readonly kind: "exec_failed";
  readonly filename: Text | undefined;
  readonly argv: Argv | undefined;
  readonly errno: number | undefined;
  /** The errno's name, such as `ENOENT`. */
  readonly error: string | undefined;
}

export interface ExitEvent extends OfProcess {
  readonly kind: "exit";
  readonly status: ExitStatus;
  /** CPU time, nanoseconds. */
  readonly utime: number | undefined;
  readonly stime: number | undefined;
  readonly maxRssKb: number | undefined;
}

export interface SetPgidEvent extends OfProcess {
  readonly kind: "setpgid";
}

export interface SetSidEvent extends OfProcess {
  readonly kind: "setsid";
  readonly sid: number | undefined;
}

/** Half of an exec (proctrace) that belongs to the row it was joined to, or to none. */
export interface ExecHalfEvent extends Stamp {
  readonly kind: "exec_args" | "exec_filename";
  readonly pid: number;
  readonly argv: Argv | undefined;
  readonly filename: Text | undefined;
}

export interface LostEvent extends Stamp {
  readonly kind: "lost";
  readonly count: number;
  readonly reason: string;
}

/** Tags whose fields are somebody else's to read: the object as it was parsed. */
export interface OpaqueEvent extends Stamp {
  readonly kind: "report" | "source" | "line_block" | "unknown";
  readonly pid: number | undefined;
  readonly tag: string;
  readonly body: unknown;
}

export interface HeaderEvent extends Stamp {
  readonly kind: "recording";
  readonly header: RecordingHeader;
}

export interface EndEvent extends Stamp {
  readonly kind: "end";
  readonly end: RecordingEnd;
}

/** Not `Event`: that global exists, so a missing import would compile. */
export type ProcEvent =
  | ForkEvent
  | ExecEvent
  | ExecFailedEvent
  | ExitEvent
  | SetPgidEvent
  | SetSidEvent
  | ExecHalfEvent
  | LostEvent
  | OpaqueEvent
  | HeaderEvent
  | EndEvent;
