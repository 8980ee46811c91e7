// What a source file is called in a recording: by its path and its content, so that the same file has the same name in every process
// and every recording, and another file never has it by accident.
import { createHash } from "node:crypto";

export interface SourceId {
  readonly id: string;
  /** Of the text, hex; undefined when there is no text. */
  readonly sha256: string | undefined;
}

export function sourceId(path: Uint8Array, text: Uint8Array | undefined): SourceId {
  const sha256 = text === undefined ? undefined : createHash("sha256").update(text).digest("hex");
  const id = createHash("sha256")
    .update(path)
    .update("\0" + (sha256 ?? ""))
    .digest("hex")
    .slice(0, 16);
  return { id, sha256 };
}
