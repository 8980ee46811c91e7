// A file that several processes of tk change: opened and locked, so that one at a time does. The lock is flock(2)'s and dies
// with its holder. Waiting never blocks the event loop. Programs that are not tk do not know of the lock.
import { close, constants, fstat, open, stat, unlink } from "node:fs";
import { promisify } from "node:util";
import { ERRNO } from "./errno.ts";
import { openKernel, type Kernel } from "./kernel.ts";
import { errorCode } from "./out.ts";
import { NR } from "./syscalls.ts";

const openAsync = promisify(open);
const closeAsync = promisify(close);
const fstatAsync = promisify(fstat);
const statAsync = promisify(stat);
const unlinkAsync = promisify(unlink);

/** Somebody else had it all the time. */
export class LockTimeout extends Error {
  override readonly name = "LockTimeout";

  constructor(path: string, limitMs: number) {
    super(`'${path}' was locked by another process for ${limitMs} ms`);
  }
}

export interface LockedFile {
  readonly fd: number;
  /** Unlocks and closes. */
  close(): Promise<void>;
}

const LOCK_EXCLUSIVE = 2;
const LOCK_NO_WAIT = 4;
const LONGEST_PAUSE_MS = 16;

/** Older than this, a lock file belongs to a process that has died: nobody holds a lock for so long. */
const STALE_MS = 20_000;

/**
 * Opens `path` with these flags of open(2) and locks it. Another process may replace the file by a new one while it holds
 * the lock: then the new one is opened. Throws what open throws, and LockTimeout.
 */
export async function openLocked(path: string, flags: number, mode: number, limitMs: number): Promise<LockedFile> {
  const deadline = Date.now() + limitMs;
  for (;;) {
    const fd = await openAsync(path, flags | constants.O_NOCTTY, mode);
    let unlock: (() => Promise<void>) | undefined;
    try {
      unlock = await lock(fd, path, deadline, limitMs);
      if (await isStill(fd, path)) {
        const release = unlock;
        return { fd, close: () => closeAsync(fd).finally(release) };
      }
    } catch (error) {
      await closeAsync(fd);
      await unlock?.();
      throw error;
    }
    await closeAsync(fd);
    await unlock();
    if (Date.now() > deadline) throw new LockTimeout(path, limitMs);
  }
}

async function isStill(fd: number, path: string): Promise<boolean> {
  const mine = await fstatAsync(fd);
  try {
    const named = await statAsync(path);
    return named.ino === mine.ino && named.dev === mine.dev;
  } catch (error) {
    if (errorCode(error) === "ENOENT") return false;
    throw error;
  }
}

async function lock(fd: number, path: string, deadline: number, limitMs: number): Promise<() => Promise<void>> {
  const kernel = kernelIfAny();
  for (let pause = 1; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    if (kernel === undefined) break;
    const result = kernel.call(NR.flock, fd, LOCK_EXCLUSIVE | LOCK_NO_WAIT);
    if (result === 0) return () => Promise.resolve(); // Closing the descriptor unlocks.
    if (result !== -ERRNO.EAGAIN && result !== -ERRNO.EINTR) break; // A file system without locks.
    await rest(pause, path, deadline, limitMs);
  }
  return lockByName(`${path}.lock`, deadline, limitMs);
}

/** Where the kernel cannot be asked, or its file system has no locks: whoever makes the file beside it has the lock. */
async function lockByName(path: string, deadline: number, limitMs: number): Promise<() => Promise<void>> {
  const { O_CREAT, O_EXCL, O_WRONLY } = constants;
  for (let pause = 1; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    try {
      await closeAsync(await openAsync(path, O_CREAT | O_EXCL | O_WRONLY, 0o600));
      return () => unlinkAsync(path).catch(() => undefined);
    } catch (error) {
      if (errorCode(error) !== "EEXIST") throw error;
    }
    const since = await statAsync(path).then(
      (found) => found.mtimeMs,
      () => undefined,
    );
    if (since !== undefined && Date.now() - since > STALE_MS) await unlinkAsync(path).catch(() => undefined);
    await rest(pause, path, deadline, limitMs);
  }
}

async function rest(pause: number, path: string, deadline: number, limitMs: number): Promise<void> {
  if (Date.now() > deadline) throw new LockTimeout(path, limitMs);
  // Not all at once: a hundred processes wake at different times.
  const ms = pause * (0.5 + Math.random());
  await new Promise((done) => setTimeout(done, ms));
}

let asked: Kernel | undefined | null = null;

function kernelIfAny(): Kernel | undefined {
  if (asked === null)
    try {
      asked = openKernel();
    } catch {
      asked = undefined;
    }
  return asked;
}
