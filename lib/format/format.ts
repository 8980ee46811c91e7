// The contract of an input format. NDJSON with tagged events is what everything else works on, so a foreign
// format is a transcoder: its bytes in, event lines out. The native format is the one without a transcoder.
import type { Entry } from "../base/registry.ts";
import type { Problems } from "../model/problem.ts";

export interface InputFormat extends Entry {
  readonly extensions: readonly string[];
  /** How sure we are, 0 to 100, from at most the first 4 KiB. Must not throw. */
  sniff(head: Uint8Array): number;
  /** Turns the format's bytes into event lines; undefined for the native format. */
  readonly transcode?: (source: string, problems: Problems) => Transcoder;
}

/** Whole chunks in, event lines (newline-terminated) out; bad lines become problems and decoding goes on. */
export interface Transcoder {
  /** The result is valid until the next call. */
  push(chunk: Uint8Array): Uint8Array;
  end(): Uint8Array;
}
