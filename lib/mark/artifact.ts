// What is known about the file behind a program: path, kind, hash, and the chalk mark it carries, if any.
import type { Json } from "../base/json_value.ts";

/** A parsed mark. A map, because its keys are a stranger's. */
export type ChalkMark = ReadonlyMap<string, Json>;

export interface Artifact {
  /** Absolute. */
  readonly path: string;
  /** `image`: the mark came from `/chalk.json`, which speaks for the whole container. */
  readonly place: "file" | "image";
  /** `ELF`, `sh`, `Python Bytecode`; undefined when the file could not be read. */
  readonly type: string | undefined;
  /** SHA-256 of the file as it is now, lower-case hex; undefined when not asked for, or not readable. */
  readonly hash: string | undefined;
  readonly mark: ChalkMark | undefined;
  /** Whether CHALK_ID and METADATA_ID recompute; undefined without a mark, or when they cannot be recomputed. */
  readonly validated: boolean | undefined;
  /** What was wrong with a mark that was found but could not be used, one sentence each. */
  readonly problems: readonly string[];
}
