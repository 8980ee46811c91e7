// A temporary file for what does not fit into memory. It has no name from the moment it is open (where the system can
// unlink open files), so that nothing stays behind however the process ends. Appended to at its end, read anywhere.
import { closeSync, openSync, readSync, unlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { errorCode, errorWords, Out, OutputError } from "./out.ts";

let count = 0;

/** What was written to a file and is read back. */
export interface ReadBack {
  read(into: Uint8Array, at: number, length: number, from: number): number;
  close(): void;
}

/** As many of `length` bytes as there are behind `from`. */
export function readFully(fd: number, into: Uint8Array, at: number, length: number, from: number): number {
  let n = 0;
  while (n < length) {
    const k = readSync(fd, into, at + n, length - n, from + n);
    if (k === 0) break;
    n += k;
  }
  return n;
}

export class Spool implements ReadBack {
  readonly fd: number;
  readonly name: string;
  /** Appends; its `size` is the file's. */
  readonly out: Out;
  private readonly leftover: string | undefined;
  private open = true;

  /** In `directory`, or in $TMPDIR. */
  constructor(directory: string = tmpdir()) {
    this.name = join(directory, `tk-${process.pid}-${Date.now().toString(36)}-${count++}.tmp`);
    try {
      this.fd = openSync(this.name, "wx+", 0o600);
    } catch (error) {
      throw new OutputError(
        `Cannot make a temporary file in '${directory}': ${errorWords(error)}`,
        errorCode(error),
        "Set TMPDIR to a directory with space, or give more memory so that none is needed",
      );
    }
    let leftover: string | undefined;
    try {
      unlinkSync(this.name);
    } catch {
      leftover = this.name;
    }
    this.leftover = leftover;
    this.out = new Out(this.fd, this.name, 1 << 19);
  }

  /** Fills `into[at, at + length)` from the file's `from`, of what has been flushed; how many bytes there were. */
  read(into: Uint8Array, at: number, length: number, from: number): number {
    return readFully(this.fd, into, at, length, from);
  }

  close(): void {
    if (!this.open) return;
    this.open = false;
    closeSync(this.fd);
    if (this.leftover !== undefined)
      try {
        unlinkSync(this.leftover);
      } catch {
        // Gone already.
      }
  }
}
