// What comes out of raw streams, whoever wants it: the recorder's collector writes it as lines of a recording, `tk replay DIR` shows it.
import type { BuiltBlock } from "../lines/block_builder.ts";

/** One thread of one interpreter, or one Bash process. */
export interface StreamInfo {
  readonly stream: string;
  readonly kind: "python" | "bash";
  readonly pid: number;
  readonly tid: number;
  readonly name: string;
}

export interface CollectedSource {
  /** As blocks refer to it. */
  readonly id: string;
  readonly path: Uint8Array;
  readonly sha256: string | undefined;
  readonly text: Uint8Array | undefined;
}

/** Times are nanoseconds on the reader's axis. */
export interface LineSink {
  /** Once for each file and content, before the first block that refers to it. */
  source(source: CollectedSource): void;
  /** Its bytes are valid until the call returns. */
  block(info: StreamInfo, block: BuiltBlock): void;
  /** Events that the recorder in the program could not keep; 0: nobody knows how many. */
  lost(pid: number, count: number, reason: string): void;
  /** Something the user should know about a process. */
  note(pid: number, sentence: string): void;
  /** This process records its lines (Python), or says in a note why not. */
  reached(pid: number, at: number): void;
  /** A raw file that makes no sense: what was wrong, what was expected. */
  problem(file: string, message: string): void;
}
