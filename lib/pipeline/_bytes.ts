// Raw bytes out of a descriptor in large chunks. Regular files are read at once into one buffer; pipes and terminals through the
// thread pool, so that signals are heard while nothing comes.
import { read, readSync } from "node:fs";

export type Chunks = AsyncGenerator<Uint8Array, void, undefined>;

const CHUNK = 1 << 20;

/** Lets timers and signal handlers run. */
const breathe = () => new Promise<void>((resume) => setImmediate(resume));

/** A regular file from `start` to its end. */
export async function* readRegular(fd: number, start: number): Chunks {
  const buffer = new Uint8Array(CHUNK);
  for (let at = start; ;) {
    const n = readSync(fd, buffer, 0, CHUNK, at);
    if (n === 0) return;
    at += n;
    yield buffer.subarray(0, n);
    await breathe();
  }
}

/** Anything that can be read from front to back. */
export async function* readAnywhere(fd: number): Chunks {
  const buffer = new Uint8Array(CHUNK);
  let pause = 1;
  for (;;) {
    let n: number;
    try {
      n = await readOnce(fd, buffer);
    } catch (error) {
      const code = error instanceof Error && "code" in error ? error.code : undefined;
      if (code === "EINTR") continue;
      if (code === "EOF") return; // Windows: the other end of a pipe was closed.
      if (code !== "EAGAIN") throw error;
      // Somebody made the pipe non-blocking: look again in a moment.
      await new Promise<void>((resume) => setTimeout(resume, pause));
      pause = Math.min(pause * 2, 50);
      continue;
    }
    if (n === 0) return;
    pause = 1;
    yield buffer.subarray(0, n);
  }
}

function readOnce(fd: number, buffer: Uint8Array): Promise<number> {
  return new Promise((resume, fail) => {
    read(fd, buffer, 0, buffer.length, null, (error, n) => (error ? fail(error) : resume(n)));
  });
}

export interface Peeked {
  /** At most the wanted number of bytes; fewer only when there are no more. */
  readonly head: Uint8Array;
  /** Everything, head included. */
  all(): Chunks;
}

/** Reads the first `want` bytes and puts them back. Whatever the bytes' origin throws passes through `toError`. */
export async function readHead(
  chunks: Chunks,
  want: number,
  toError: (cause: unknown) => unknown,
  enough?: (bytes: Uint8Array) => boolean,
): Promise<Peeked> {
  const first: Uint8Array[] = [];
  let have = 0;
  let done = false;
  try {
    while (have < want) {
      const next = await chunks.next();
      if (next.done === true) {
        done = true;
        break;
      }
      first.push(new Uint8Array(next.value));
      have += next.value.length;
      if (enough?.(next.value) === true) break;
    }
  } catch (cause) {
    throw toError(cause);
  }
  const start = new Uint8Array(have);
  let at = 0;
  for (const part of first) {
    start.set(part, at);
    at += part.length;
  }
  async function* all(): Chunks {
    if (have > 0) yield start;
    if (done) return;
    try {
      yield* chunks;
    } catch (cause) {
      throw toError(cause);
    }
  }
  return { head: start.subarray(0, want), all };
}
