// Bounded reads of one regular file: whatever its size, only the parts that are asked for are read. Never throws;
// a file that cannot be opened is undefined, a part beyond the end is short.
import { createHash } from "node:crypto";
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { setImmediate as turn } from "node:timers/promises";

export class MarkFile {
  readonly path: string;
  readonly size: number;
  /** Changes when the file is replaced or written. */
  readonly version: string;
  private readonly fd: number;

  private constructor(path: string, fd: number, size: number, version: string) {
    this.path = path;
    this.fd = fd;
    this.size = size;
    this.version = version;
  }

  /** Undefined unless it is a regular file that we may read. */
  static open(path: string): MarkFile | undefined {
    let fd: number;
    try {
      // Without O_NONBLOCK a FIFO in the file's place would hold us until somebody writes to it.
      fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    } catch {
      return undefined;
    }
    try {
      const s = fstatSync(fd);
      if (s.isFile()) return new MarkFile(path, fd, s.size, `${s.dev}:${s.ino}:${s.size}:${s.mtimeMs}:${s.ctimeMs}`);
    } catch {
      // Falls through to the close below: what cannot be looked at is not read.
    }
    closeSync(fd);
    return undefined;
  }

  /** At most `length` bytes from `at` on. */
  read(at: number, length: number): Uint8Array {
    const wanted = Math.max(0, Math.min(length, this.size - at));
    if (at < 0 || wanted === 0) return new Uint8Array();
    const b = new Uint8Array(wanted);
    let done = 0;
    try {
      while (done < wanted) {
        const n = readSync(this.fd, b, done, wanted - done, at + done);
        if (n === 0) break;
        done += n;
      }
    } catch {
      return new Uint8Array();
    }
    return b.subarray(0, done);
  }

  /** SHA-256 of the whole file, lower-case hex; others get a turn between its pieces. Undefined when it cannot be read to its end. */
  async hash(): Promise<string | undefined> {
    const hash = createHash("sha256");
    const piece = new Uint8Array(1 << 18);
    try {
      for (let at = 0; ;) {
        const n = readSync(this.fd, piece, 0, piece.length, at);
        if (n === 0) return hash.digest("hex");
        hash.update(piece.subarray(0, n));
        at += n;
        if (at % (1 << 22) < piece.length) await turn();
      }
    } catch {
      return undefined;
    }
  }

  close(): void {
    closeSync(this.fd);
  }
}
