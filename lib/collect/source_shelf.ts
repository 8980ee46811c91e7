// Source files that lines refer to: each is told to the sink once by path and content, whichever process mentions it first.
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { sourceId } from "../host/source_id.ts";
import type { LineSink } from "./line_sink.ts";

/** Larger files are named but not kept, as by the recorder for Python. */
const MOST_TEXT = 16 << 20;

export class SourceShelf {
  private readonly sink: LineSink;
  private readonly told = new Set<string>();

  constructor(sink: LineSink) {
    this.sink = sink;
  }

  /** Its id for blocks. */
  add(path: Uint8Array, text: Uint8Array | undefined): string {
    const { id, sha256 } = sourceId(path, text);
    if (!this.told.has(id)) {
      this.told.add(id);
      this.sink.source({ id, path, sha256, text });
    }
    return id;
  }
}

/** The whole of a regular file; undefined when it cannot be had or is too large. Never waits, as opening a pipe would. */
export function readSourceFile(path: string | Uint8Array): Uint8Array | undefined {
  let fd: number;
  try {
    const name = typeof path === "string" ? path : Buffer.from(path);
    fd = openSync(name, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    return undefined;
  }
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile() || stat.size > MOST_TEXT) return undefined;
    const bytes = new Uint8Array(stat.size);
    let n = 0;
    while (n < bytes.length) {
      const got = readSync(fd, bytes, n, bytes.length - n, n);
      if (got === 0) break;
      n += got;
    }
    return bytes.subarray(0, n);
  } catch {
    return undefined;
  } finally {
    closeSync(fd);
  }
}
