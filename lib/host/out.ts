// The one way to write results: a buffer over a descriptor, written with writeSync, so that nothing is lost at exit,
// a reader that has gone (`tk render | head -1`) ends the output quietly, and a full disk is told as a sentence.
// It never ends the process and never closes descriptors that it did not open.
import { Buffer } from "node:buffer";
import { writeSync } from "node:fs";

/** The output could not be opened or written; the message is a whole sentence for people. */
export class OutputError extends Error {
  readonly _tag = "OutputError";
  override readonly name = "OutputError";
  /** The system's code, such as ENOSPC; empty when there was none. */
  readonly code: string;
  /** What to do about it. */
  readonly hint: string | undefined;

  constructor(message: string, code = "", hint?: string) {
    super(message);
    this.code = code;
    this.hint = hint;
  }
}

const WORDS: Readonly<Record<string, string>> = {
  ENOSPC: "no space left on the device",
  EDQUOT: "the disk quota is used up",
  EFBIG: "the file is larger than its limit allows",
  EIO: "the device reported an input/output error",
  EACCES: "permission denied",
  EPERM: "operation not permitted",
  ENOENT: "no such file or directory",
  ENOTDIR: "a part of the path is not a directory",
  EISDIR: "it is a directory",
  EROFS: "the file system is read-only",
  EMFILE: "too many open files",
  ENFILE: "too many open files on this machine",
  ENAMETOOLONG: "the name is too long",
  ELOOP: "too many symbolic links",
  ETXTBSY: "it is a program that is running",
  EXDEV: "it is on another file system",
  EBADF: "it is not open",
  ENXIO: "nobody reads from it",
};

/** `ENOSPC` from whatever a node call threw; empty when it has no code. */
export function errorCode(error: unknown): string {
  if (typeof error === "object" && error !== null && "code" in error && typeof error.code === "string")
    return error.code;
  return "";
}

/** What the system said, in words. */
export function errorWords(error: unknown): string {
  const code = errorCode(error);
  return WORDS[code] ?? (code !== "" ? code : error instanceof Error ? error.message : String(error));
}

const HINTS: Readonly<Record<string, string>> = {
  ENOSPC: "Free some space, or choose another place with -o; temporary files go to $TMPDIR",
  EDQUOT: "Free some space, or choose another place with -o; temporary files go to $TMPDIR",
};

/** `Cannot write to 'x': no space left on the device`. */
export function outputError(action: string, target: string, error: unknown): OutputError {
  const code = errorCode(error);
  return new OutputError(`Cannot ${action} '${target}': ${errorWords(error)}`, code, HINTS[code]);
}

const pause = new Int32Array(new SharedArrayBuffer(4));

/** Writes all of `b[from, to)`; false when the reader has gone. A descriptor in non-blocking mode is waited for. */
export function writeAll(fd: number, b: Uint8Array, from: number, to: number, name: string): boolean {
  for (let at = from; at < to;) {
    try {
      at += writeSync(fd, b, at, to - at);
    } catch (error) {
      const code = errorCode(error);
      if (code === "EAGAIN" || code === "EINTR") {
        Atomics.wait(pause, 0, 0, 2);
        continue;
      }
      if (code === "EPIPE") return false;
      throw outputError("write to", name, error);
    }
  }
  return true;
}

/** From this size on bytes go out as they are, without a copy into the buffer. */
const DIRECT = 1 << 16;

export class Out {
  /** The reader has gone: everything more is dropped, and whoever produces it may stop. */
  closed = false;
  /** Bytes accepted so far, those in the buffer included. */
  size = 0;
  readonly fd: number;
  /** How messages call it. */
  readonly name: string;
  private readonly buffer: Buffer;
  private used = 0;
  private readonly encoder = new TextEncoder();

  constructor(fd = 1, name = "standard output", capacity = 1 << 18) {
    this.fd = fd;
    this.name = name;
    this.buffer = Buffer.allocUnsafeSlow(Math.max(capacity, DIRECT));
  }

  text(s: string): void {
    if (s.length * 3 > this.buffer.length - this.used) {
      this.flush();
      if (s.length * 3 > this.buffer.length) {
        const b = this.encoder.encode(s);
        this.bytes(b, 0, b.length);
        return;
      }
    }
    const n = this.encoder.encodeInto(s, this.buffer.subarray(this.used)).written;
    this.used += n;
    this.size += n;
  }

  /** `b[from, to)`; a Buffer is copied fastest. */
  bytes(b: Uint8Array, from = 0, to = b.length): void {
    const n = to - from;
    this.size += n;
    if (n > this.buffer.length - this.used) this.flush();
    if (n >= DIRECT) {
      this.flush();
      if (!this.closed && !writeAll(this.fd, b, from, to, this.name)) this.closed = true;
      return;
    }
    if (b instanceof Buffer) b.copy(this.buffer, this.used, from, to);
    else this.buffer.set(b.subarray(from, to), this.used);
    this.used += n;
  }

  newline(): void {
    if (this.used === this.buffer.length) this.flush();
    this.buffer[this.used++] = 10;
    this.size++;
  }

  flush(): void {
    const n = this.used;
    this.used = 0;
    if (n > 0 && !this.closed && !writeAll(this.fd, this.buffer, 0, n, this.name)) this.closed = true;
  }
}
