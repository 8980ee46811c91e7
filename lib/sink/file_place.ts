// Where a file sink really writes: the named file, or what the search path offers when that cannot be opened. Opens and
// locks it for one delivery; nothing stays open, so a file that was moved away or a directory that came back is noticed.
import { constants, lstat, mkdir, open, stat, type Stats } from "node:fs";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { LockTimeout, openLocked, type LockedFile } from "../host/file_lock.ts";
import { errorCode, errorWords } from "../host/out.ts";
import { resolveName, temporaryDirectory } from "./file_name.ts";
import { closeFd } from "./file_write.ts";
import { SinkError, type OpenRequest } from "./sink.ts";

const openAsync = promisify(open);
const statAsync = promisify(stat);
const lstatAsync = promisify(lstat);
const mkdirAsync = promisify(mkdir);

const { O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_NOCTTY, O_RDWR, O_WRONLY } = constants;

export interface Place {
  readonly path: string;
  readonly file: LockedFile;
  /** Neither pipe nor device: it has a size, and what is written can be taken back. */
  readonly isRegular: boolean;
  /** Its bytes can be looked at. */
  readonly isReadable: boolean;
  /** Nobody else of tk writes it now. */
  readonly isLocked: boolean;
}

interface Candidate {
  readonly path: string;
  /** Links at its end are not followed: it is a place that others may write to, not one that the user named. */
  readonly isFallback: boolean;
  readonly isPrivate?: true;
}

export class FilePlace {
  /** Where the last delivery went; before the first, where it should go. */
  path: string;
  private readonly request: OpenRequest;
  private readonly candidates: readonly Candidate[];
  private current: Candidate | undefined;
  private readonly isRoot = process.getuid?.() === 0;

  constructor(request: OpenRequest, filename: string) {
    const { fields, world } = request;
    this.request = request;
    this.path = resolveName(filename, world);
    const name = basename(this.path);
    const wanted = { path: this.path, isFallback: false };
    const usesSearchPath = fields.flag("use_search_path", true);
    const searchPath = fields.texts("log_search_path") ?? world.logSearchPath;
    this.candidates = [
      wanted,
      ...(usesSearchPath
        ? [
            ...searchPath.map((folder) => ({ path: join(resolveName(folder, world), name), isFallback: true })),
            {
              path: join(temporaryDirectory(world), `tk-${userId()}`, name),
              isFallback: true,
              isPrivate: true as const,
            },
          ]
        : []),
    ];
  }

  /** Throws SinkError when there is no place. `waitMs`: for a lock that somebody else has. */
  async open(waitMs: number, mustLock: boolean): Promise<Place> {
    const known = this.current;
    let first = "";
    for (const candidate of known === undefined ? this.candidates : [known, ...this.candidates]) {
      try {
        const place = await this.tryOpen(candidate, waitMs, mustLock);
        this.settle(candidate, first);
        return place;
      } catch (error) {
        if (error instanceof LockTimeout) throw new SinkError("failed", error.message);
        if (candidate !== known) first ||= errorWords(error);
      }
    }
    this.current = undefined;
    throw new SinkError("failed", this.candidates.length > 1 ? `${first}; the search path has no place either` : first);
  }

  private settle(candidate: Candidate, why: string): void {
    if (candidate === this.current) return;
    this.current = candidate;
    this.path = candidate.path;
    if (candidate.isFallback)
      this.request.world.tell(
        "warn",
        `sink '${this.request.config.name}': '${this.candidates[0]!.path}' cannot be written (${why}), so '${candidate.path}' is`,
      );
  }

  private async tryOpen(candidate: Candidate, waitMs: number, mustLock: boolean): Promise<Place> {
    const { path } = candidate;
    const found = await statOrNone(path);
    if (found !== undefined && !found.isFile()) return openSpecial(path, found);
    if (found === undefined) await mkdirAsync(dirname(path), { recursive: true, mode: this.isRoot ? 0o700 : 0o755 });
    if (candidate.isPrivate) await requirePrivate(dirname(path));
    const flags = O_APPEND | O_CREAT | (candidate.isFallback ? O_NOFOLLOW : 0);
    const mode = this.isRoot ? 0o600 : 0o640;
    try {
      const file = await openLocked(path, flags | O_RDWR, mode, waitMs);
      return { path, file, isRegular: true, isReadable: true, isLocked: true };
    } catch (error) {
      if (mustLock) throw error;
      // A file that may only be written is no less a log; and one write(2) is whole without a lock, too.
      if (error instanceof LockTimeout || errorCode(error) === "EACCES") return openUnlocked(path, flags, mode);
      throw error;
    }
  }
}

async function openUnlocked(path: string, flags: number, mode: number): Promise<Place> {
  const fd = await openAsync(path, flags | O_WRONLY | O_NOCTTY, mode);
  return { path, file: { fd, close: () => closeFd(fd) }, isRegular: true, isReadable: false, isLocked: false };
}

/** A pipe or device; opened so that one without a reader does not hold everything up. */
async function openSpecial(path: string, found: Stats): Promise<Place> {
  if (found.isDirectory()) throw Object.assign(new Error("it is a directory"), { code: "EISDIR" });
  const fd = await openAsync(path, O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY);
  return { path, file: { fd, close: () => closeFd(fd) }, isRegular: false, isReadable: false, isLocked: false };
}

async function statOrNone(path: string): Promise<Stats | undefined> {
  try {
    return await statAsync(path);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** The directory for temporary files is everybody's: somebody else could have made ours. */
async function requirePrivate(folder: string): Promise<void> {
  const found = await lstatAsync(folder);
  if (!found.isDirectory() || found.uid !== process.getuid?.() || (found.mode & 0o022) !== 0)
    throw Object.assign(new Error(`'${folder}' belongs to somebody else`), { code: "EACCES" });
}

function userId(): number {
  return process.getuid?.() ?? 0;
}
