// Bytes into an opened file: whole reports or nothing. One write(2) with O_APPEND, which the kernel never interleaves with
// another; what a full disk leaves half written is taken back. It never opens and never chooses a place.
import { close, fstat, ftruncate, read, write } from "node:fs";
import { promisify } from "node:util";
import { errorCode } from "../host/out.ts";

const closeAsync = promisify(close);
const fstatAsync = promisify(fstat);
const ftruncateAsync = promisify(ftruncate);

export const closeFd = (fd: number): Promise<void> => closeAsync(fd);

/** Through the thread pool: a file on a network or a terminal that is stopped holds up one thread, not the heartbeats. */
function writeOnce(fd: number, bytes: Uint8Array, from: number): Promise<number> {
  return new Promise((done, fail) => {
    write(fd, bytes, from, bytes.length - from, null, (error, n) => (error ? fail(error) : done(n)));
  });
}

export function readAt(fd: number, bytes: Uint8Array, position: number): Promise<number> {
  return new Promise((done, fail) => {
    read(fd, bytes, 0, bytes.length, position, (error, n) => (error ? fail(error) : done(n)));
  });
}

const NEWLINE = 10;

/** The text as one or more whole lines. */
export function lineBytes(text: string): Uint8Array {
  return new TextEncoder().encode(text.endsWith("\n") ? text : `${text}\n`);
}

interface Appended {
  /** Where the text begins. */
  readonly start: number;
  /** The file's size behind it. */
  readonly size: number;
}

/**
 * Appends to a regular file. A file that does not end with a newline (its writer died) gets one first, so that a report
 * always begins on a line of its own. Throws what write(2) throws; then nothing of the report is left, if `isLocked`.
 */
export async function append(fd: number, line: Uint8Array, isReadable: boolean, isLocked: boolean): Promise<Appended> {
  const { size } = await fstatAsync(fd);
  const bytes = isReadable && (await endsInside(fd, size)) ? withNewline(line) : line;
  let done = 0;
  try {
    while (done < bytes.length) done += await writeOnce(fd, bytes, done);
  } catch (error) {
    if (done > 0 && isLocked && (await fstatAsync(fd)).size === size + done) await ftruncateAsync(fd, size);
    throw error;
  }
  return { start: size + bytes.length - line.length, size: size + bytes.length };
}

async function endsInside(fd: number, size: number): Promise<boolean> {
  if (size === 0) return false;
  const last = new Uint8Array(1);
  return (await readAt(fd, last, size - 1)) === 1 && last[0] !== NEWLINE;
}

function withNewline(line: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(line.length + 1);
  bytes[0] = NEWLINE;
  bytes.set(line, 1);
  return bytes;
}

/** How often a pipe that is full is tried again. */
const PIPE_PAUSE_MS = 5;

/** Nobody took the bytes in time; `written` of them are out. */
export class Stuck extends Error {
  override readonly name = "Stuck";
  readonly written: number;

  constructor(written: number) {
    super("its reader does not read");
    this.written = written;
  }
}

/** Writes to a pipe, terminal or device, waiting for its reader at most `limitMs`. Throws Stuck and what write(2) throws. */
export async function writePipe(fd: number, bytes: Uint8Array, limitMs: number, signal: AbortSignal): Promise<void> {
  const deadline = Date.now() + limitMs;
  let done = 0;
  while (done < bytes.length) {
    try {
      done += await writeOnce(fd, bytes, done);
    } catch (error) {
      const code = errorCode(error);
      if (code !== "EAGAIN" && code !== "EINTR") throw error;
      if (signal.aborted || Date.now() > deadline) throw new Stuck(done);
      await new Promise((go) => setTimeout(go, PIPE_PAUSE_MS));
    }
  }
}
