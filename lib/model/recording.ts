// A recording once read: its header, its events as columns, where their text is, and what was wrong with it.
import type { EventTable } from "./event_table.ts";
import type { Problems } from "./problem.ts";

/** First line of what `tk record` writes; every field may be missing in a foreign recording. */
export interface RecordingHeader {
  readonly version?: number;
  readonly generator?: string;
  readonly backend?: string;
  readonly mode?: string;
  /** RFC 3339 with offset. */
  readonly started_at?: string;
  /** Wall clock of `timestamp` 0, nanoseconds since 1970, decimal. */
  readonly started_unix_ns?: string;
  readonly root_pid?: number;
  readonly command?: readonly string[];
  /** The exact bytes of those words that are not UTF-8, by index. */
  readonly commandBytes?: ReadonlyMap<number, Uint8Array>;
  readonly cwd?: string;
  readonly hostname?: string;
  readonly os?: string;
  readonly arch?: string;
  readonly kernel?: string;
  readonly user?: string;
  /** What this backend and mode cannot know, as sentences. */
  readonly limits?: readonly string[];
}

/** Last line of a complete recording; its absence means that the recorder was cut off. */
export interface RecordingEnd {
  readonly timestamp: number;
  readonly events?: number;
  readonly processes?: number;
  readonly lost?: number;
  readonly exit_code?: number;
  readonly signal?: number;
}

/** The text that a table's `at` and `len` point into. */
export interface TextStore {
  readonly size: number;
  /** Bytes `[at, at + length)`; valid until the next call. */
  read(at: number, length: number): Uint8Array;
}

export interface Recording {
  /** As the user named it, or `stdin`. */
  readonly name: string;
  /** The first header; undefined in foreign recordings. */
  readonly header: RecordingHeader | undefined;
  /** Undefined when there is none: foreign, or the recorder was cut off. */
  readonly end: RecordingEnd | undefined;
  readonly events: EventTable;
  readonly text: TextStore;
  readonly problems: Problems;
  /** Sum of `Lost` counts. */
  readonly lost: number;
}

/** A recording of tk without its last line: the recorder was killed, or the file was cut. Not known of foreign recordings. */
export function isCutOff(recording: Recording): boolean {
  return recording.header !== undefined && recording.end === undefined;
}
