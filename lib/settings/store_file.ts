// Changing what `tk load` keeps: one tk at a time, the new text whole or not at all, readable by its user only.
import { constants, closeSync, fsyncSync, mkdirSync, openSync, renameSync, unlinkSync, writeSync } from "node:fs";
import { Buffer } from "node:buffer";
import { dirname, join } from "node:path";
import { LockTimeout, openLocked } from "../host/file_lock.ts";
import { errorWords } from "../host/out.ts";
import { ConfigError } from "./config_error.ts";
import { EMPTY_STORE, readStore, type Store, storeText } from "./store.ts";

/** Another load may have to fetch files and to ask questions. */
const LOCK_LIMIT_MS = 30_000;

/**
 * Replaces the store by what `change` makes of it; when it fails, everything is as it was. `anew` begins with an empty
 * store, whatever is there.
 */
export async function changeStore<T extends { readonly store: Store }>(
  path: string,
  anew: boolean,
  change: (before: Store) => Promise<T>,
): Promise<T> {
  const folder = dirname(path);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new ConfigError(`Cannot keep configurations in '${folder}': ${errorWords(error)}`);
  }
  const lock = await lockFolder(folder);
  try {
    const result = await change(anew ? EMPTY_STORE : readBefore(path));
    write(path, storeText(result.store));
    return result;
  } finally {
    await lock.close();
  }
}

async function lockFolder(folder: string) {
  try {
    return await openLocked(join(folder, "loaded.lock"), constants.O_RDWR | constants.O_CREAT, 0o600, LOCK_LIMIT_MS);
  } catch (error) {
    const why = error instanceof LockTimeout ? "another tk load has not ended" : errorWords(error);
    throw new ConfigError(`Cannot keep configurations in '${folder}': ${why}`);
  }
}

function readBefore(path: string): Store {
  const read = readStore(path);
  switch (read.kind) {
    case "store":
      return read.store;
    case "missing":
      return EMPTY_STORE;
    default:
      throw new ConfigError(`Cannot add to what was loaded, '${path}': ${read.why}`, {
        hint: "`tk load default` begins anew",
      });
  }
}

function write(path: string, text: string): void {
  // One name for all: the lock is held, and what a killed one left is written over.
  const unfinished = `${path}.new`;
  try {
    const fd = openSync(
      unfinished,
      constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW,
      0o600,
    );
    try {
      const bytes = Buffer.from(text, "utf8");
      for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(unfinished, path);
  } catch (error) {
    try {
      unlinkSync(unfinished);
    } catch {
      // It was never made.
    }
    throw new ConfigError(`Cannot write '${path}', nothing was changed: ${errorWords(error)}`);
  }
}
