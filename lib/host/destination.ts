// Where a result goes: standard output, a device or a pipe, or a file. A file appears whole or not at all: it is written beside
// its final name and renamed, so a failure, Ctrl-C or even SIGKILL leaves what was there before, which may be the input itself.
import { Buffer } from "node:buffer";
import {
  chmodSync,
  chownSync,
  closeSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readlinkSync,
  realpathSync,
  renameSync,
  statSync,
  unlinkSync,
  type Stats,
} from "node:fs";
import { basename, dirname, join, resolve, sep } from "node:path";
import { errorCode, Out, OutputError, outputError } from "./out.ts";
import { type ReadBack, readFully, Spool } from "./spool.ts";

export interface Destination {
  /** Where to write; another one after `setAside`. */
  readonly out: Out;
  /** What has been written so far, to be read back; undefined where that cannot be. Closing it matters only once it is set aside. */
  readonly written: ReadBack | undefined;
  /** Begins anew; what has been written stays readable through `written`, which is the caller's to close. */
  setAside(): void;
  /** Makes it final. */
  commit(): void;
  /** Leaves what was there before. May follow a failed `commit`. */
  abandon(): void;
}

/** Names that must not outlive the process; `process.exit` in the middle of a write comes by here. */
const unfinished = new Set<string>();
let watching = false;

function watch(name: string): void {
  unfinished.add(name);
  if (watching) return;
  watching = true;
  process.on("exit", () => {
    for (const left of unfinished) discard(left);
  });
}

function discard(name: string): void {
  unfinished.delete(name);
  try {
    unlinkSync(name);
  } catch {
    // Gone already.
  }
}

function standardOutput(): Destination {
  const out = new Out(1, "standard output");
  return { out, written: undefined, setAside: () => {}, commit: () => out.flush(), abandon: () => {} };
}

/** Opens what `path` names; `undefined` and `-` are standard output. Throws OutputError with the reason as a sentence. */
export function openDestination(path: string | undefined): Destination {
  if (path === undefined || path === "-") return standardOutput();
  let before: Stats | undefined;
  let target: string;
  try {
    before = statSync(path);
    target = realpathSync(path);
  } catch (error) {
    if (errorCode(error) !== "ENOENT" || path === "") throw outputError("write to", path, error);
    target = linkTarget(path);
  }
  if (before?.isDirectory() === true || target.endsWith(sep))
    throw new OutputError(`Cannot write to '${path}': it is a directory`, "EISDIR", "Give the name of a file");
  // Opened a second time, a file would be written from its beginning, over what a script has printed into it.
  if (before !== undefined && isStandardOutput(before)) return standardOutput();
  if (before !== undefined && !before.isFile()) return device(path);
  return before === undefined ? beside(path, target, undefined) : replacement(path, target, before);
}

/** What a symbolic link to nothing points at: the file is made there, and the link stays. */
function linkTarget(path: string): string {
  let target = path;
  for (let i = 0; i < 40; i++)
    try {
      target = resolve(dirname(target), readlinkSync(target));
    } catch {
      break;
    }
  return target;
}

/** /dev/stdout, say, or the file that standard output goes to. */
export function isStandardOutput(stat: Stats): boolean {
  try {
    const out = fstatSync(1);
    return out.dev === stat.dev && out.ino === stat.ino;
  } catch {
    return false;
  }
}

/** A pipe, a terminal, /dev/null: written as it is. */
function device(path: string): Destination {
  let fd: number;
  try {
    fd = openSync(path, "w");
  } catch (error) {
    throw outputError("write to", path, error);
  }
  const out = new Out(fd, path);
  let open = true;
  const close = () => {
    if (open) closeSync(fd);
    open = false;
  };
  return {
    out,
    written: undefined,
    setAside: () => {},
    commit: () => {
      out.flush();
      close();
    },
    abandon: close,
  };
}

function replacement(path: string, target: string, before: Stats): Destination {
  try {
    closeSync(openSync(target, "r+"));
  } catch (error) {
    throw outputError("write to", path, error);
  }
  try {
    return beside(path, target, before);
  } catch (error) {
    const code = error instanceof OutputError ? error.code : "";
    if (code !== "EACCES" && code !== "EPERM" && code !== "EROFS") throw error;
    return inPlace(path, target);
  }
}

/** A new file in the same directory that takes the target's name at the end. */
function beside(path: string, target: string, before: Stats | undefined): Destination {
  let part = new Part(path, target, before);
  return {
    get out() {
      return part.out;
    },
    get written() {
      return part;
    },
    setAside() {
      const first = part;
      first.forget();
      part = new Part(path, target, before);
    },
    commit() {
      part.out.flush();
      try {
        if (before !== undefined) keepOwner(part.name, part.fd, before);
        fsyncSync(part.fd);
        renameSync(part.name, target);
      } catch (error) {
        throw outputError("write to", path, error);
      }
      unfinished.delete(part.name);
      part.abandoned = true;
      part.close();
    },
    abandon() {
      if (unfinished.has(part.name)) discard(part.name);
      part.abandoned = true;
      part.close();
    },
  };
}

let parts = 0;

/** An unfinished file beside its target. */
class Part implements ReadBack {
  readonly name: string;
  readonly fd: number;
  readonly out: Out;
  /** It will not become the target any more. */
  abandoned = false;
  private open = true;

  constructor(path: string, target: string, before: Stats | undefined) {
    this.name = join(dirname(target), `.${basename(target).slice(0, 60)}.tk-${process.pid}-${parts++}`);
    try {
      this.fd = openSync(this.name, "wx+", before === undefined && !isRoot() ? 0o666 : 0o600);
    } catch (error) {
      throw outputError("write to", path, error);
    }
    watch(this.name);
    this.out = new Out(this.fd, path, 1 << 19);
  }

  read(into: Uint8Array, at: number, length: number, from: number): number {
    return readFully(this.fd, into, at, length, from);
  }

  /** From now on only a file without a name. */
  forget(): void {
    discard(this.name);
    this.abandoned = true;
  }

  close(): void {
    if (!this.open || !this.abandoned) return;
    this.open = false;
    closeSync(this.fd);
  }
}

function isRoot(): boolean {
  return typeof process.geteuid === "function" && process.geteuid() === 0;
}

function keepOwner(name: string, fd: number, before: Stats): void {
  const now = fstatSync(fd);
  if (now.uid !== before.uid || now.gid !== before.gid)
    try {
      chownSync(name, before.uid, before.gid);
    } catch {
      // Not ours to give away: the file then belongs to whoever sorted it.
    }
  chmodSync(name, before.mode & 0o777);
}

/**
 * A file in a directory that takes no new names: the result waits in $TMPDIR and is copied over the old bytes.
 * Nothing is cut off before all is written, so a result that is no longer than the file needs no new space.
 */
function inPlace(path: string, target: string): Destination {
  let spool = new Spool();
  return {
    get out() {
      return spool.out;
    },
    get written() {
      return spool;
    },
    setAside() {
      spool = new Spool();
    },
    commit() {
      const { out } = spool;
      out.flush();
      let fd: number | undefined;
      try {
        fd = openSync(target, "r+");
        const copy = new Out(fd, path);
        const block = Buffer.allocUnsafe(1 << 20);
        for (let at = 0; at < out.size;) {
          const n = spool.read(block, 0, block.length, at);
          if (n === 0) break;
          copy.bytes(block, 0, n);
          copy.flush();
          at += n;
        }
        ftruncateSync(fd, out.size);
        fsyncSync(fd);
      } catch (error) {
        throw error instanceof OutputError ? error : outputError("write to", path, error);
      } finally {
        if (fd !== undefined) closeSync(fd);
        spool.close();
      }
    },
    abandon: () => spool.close(),
  };
}
