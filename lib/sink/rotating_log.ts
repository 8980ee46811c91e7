// The sink `rotating_log`: a file that loses its oldest lines when it has become longer than `max`.
// Atomic as `file`; the shorter file is written beside it and renamed, under the same lock, so that no reader sees half of
// it and no writer loses a line. A delivery is through before lines are dropped: if that fails, the file stays long.
import { chmod, chown, constants, fstat, open, realpath, rename, unlink, write } from "node:fs";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { errorWords } from "../host/out.ts";
import { FilePlace, type Place } from "./file_place.ts";
import { append, closeFd, lineBytes, readAt } from "./file_write.ts";
import { SinkError, type OpenRequest, type Outlet, type Sink } from "./sink.ts";

const fstatAsync = promisify(fstat);
const openAsync = promisify(open);
const chmodAsync = promisify(chmod);
const chownAsync = promisify(chown);
const realpathAsync = promisify(realpath);
const renameAsync = promisify(rename);
const unlinkAsync = promisify(unlink);

/** Others hold the lock while they copy at most `max` bytes. */
const LOCK_WAIT_MS = 10_000;
const CHUNK = 1 << 16;
const NEWLINE = 10;

export const rotatingLog: Sink = {
  id: "rotating_log",
  summary: "Appends each report to a file that loses its oldest lines when it is full",
  keepsUndelivered: true,
  longestRestMs: 30_000,
  open: (request) => Promise.resolve(openRotating(request)),
};

function openRotating(request: OpenRequest): Outlet {
  const { fields, world, config } = request;
  const at = new FilePlace(request, fields.text("filename") ?? "");
  const max = fields.number("max", 0);
  const drop = fields.number("truncation_amount", Math.floor(max / 4));
  let hasTold = false;
  return {
    get place() {
      return `'${at.path}'`;
    },
    async write(message) {
      const place = await at.open(LOCK_WAIT_MS, true);
      try {
        if (!place.isRegular) throw new SinkError("failed", "it is not a regular file, so it cannot lose lines");
        const { start, size } = await append(place.file.fd, lineBytes(message.text), place.isReadable, true);
        if (size <= max) return;
        await shorten(place, size, Math.max(drop, size - max), start).catch((error: unknown) => {
          if (!hasTold) world.tell("warn", `sink '${config.name}': ${at.path} stays too long (${errorWords(error)})`);
          hasTold = true;
        });
      } catch (error) {
        throw error instanceof SinkError ? error : new SinkError("failed", errorWords(error));
      } finally {
        await place.file.close();
      }
    },
  };
}

/** Drops whole lines from the start until at least `drop` bytes are gone, but nothing from `last` on: the newest report. */
async function shorten(place: Place, size: number, drop: number, last: number): Promise<void> {
  const { fd } = place.file;
  const from = Math.min(await lineAfter(fd, drop, size), last);
  if (from === 0) return;
  // Behind a link is the file; a renamed file would replace the link.
  const path = await realpathAsync(place.path);
  // Always the same name: who has the lock is alone with it, and what a killed tk left there goes.
  const beside = join(dirname(path), `.${basename(path)}.tk`);
  const { O_CREAT, O_EXCL, O_WRONLY } = constants;
  await unlinkAsync(beside).catch(() => undefined);
  const out = await openAsync(beside, O_CREAT | O_EXCL | O_WRONLY, 0o600);
  try {
    try {
      await copy(fd, out, from, size);
    } finally {
      await closeFd(out);
    }
    const old = await fstatAsync(fd);
    if (old.uid !== process.geteuid?.() || old.gid !== process.getegid?.()) await chownAsync(beside, old.uid, old.gid);
    await chmodAsync(beside, old.mode & 0o7777);
    await renameAsync(beside, path);
  } catch (error) {
    await unlinkAsync(beside).catch(() => undefined);
    throw error;
  }
}

/** The first line start at `position` or behind it. */
async function lineAfter(fd: number, position: number, size: number): Promise<number> {
  const chunk = new Uint8Array(CHUNK);
  for (let at = position - 1; at < size; at += CHUNK) {
    const n = await readAt(fd, chunk, at);
    const found = chunk.subarray(0, n).indexOf(NEWLINE);
    if (found >= 0) return at + found + 1;
    if (n === 0) break;
  }
  return size;
}

async function copy(from: number, to: number, start: number, end: number): Promise<void> {
  const chunk = new Uint8Array(CHUNK);
  for (let at = start; at < end;) {
    const n = await readAt(from, at + CHUNK <= end ? chunk : chunk.subarray(0, end - at), at);
    if (n === 0) return;
    for (let done = 0; done < n;) done += await writeSome(to, chunk, done, n);
    at += n;
  }
}

function writeSome(fd: number, bytes: Uint8Array, from: number, to: number): Promise<number> {
  return new Promise((done, fail) => {
    write(fd, bytes, from, to - from, null, (error, n) => (error ? fail(error) : done(n)));
  });
}
