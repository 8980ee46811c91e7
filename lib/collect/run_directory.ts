// The private place of one run: recorders that programs load, which everybody may read, and the folder that they write to, which is
// the user's alone. Its lock says that the run lives, so what a killed run has left is found and removed by the next.
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, resolve } from "node:path";
import { CaptureError } from "../capture/capture_error.ts";
import { closeFile, O_CREAT, O_RDWR, openFile } from "../host/descriptors.ts";
import { ERRNO } from "../host/errno.ts";
import { openKernel } from "../host/kernel.ts";
import { NR } from "../host/syscalls.ts";
import { VERBOSE } from "./environment.ts";
import { BASH_FILE, PYTHON_FILES } from "../recorders/recorders.ts";

const PREFIX = "tk-lines-";
/** A place with less than this is taken only when there is no better one. */
const ENOUGH = 64 << 20;
const LEAST = 4 << 20;
const LOCK_EXCLUSIVE = 2;
const LOCK_NO_WAIT = 4;
/** Leftovers that one run looks at. */
const MOST_STALE = 50;
const HOUR_MS = 3_600_000;

export interface RunDirectory {
  readonly base: string;
  /** What recorders write. */
  readonly raw: string;
  /** For PYTHONPATH. */
  readonly python: string;
  /** For BASH_ENV. */
  readonly bash: string;
  /** The lock: as long as anybody holds this descriptor, the run lives. */
  readonly lock: number;
}

/** Bash with -v reads the user's own file instead of ours; one whose name must first be expanded is left out. */
export function linkOwnBashEnv(run: RunDirectory, own: Uint8Array | undefined): void {
  if (own === undefined || own.length === 0 || own.includes(36) || own.includes(96)) return;
  try {
    symlinkSync(
      Buffer.from(own[0] === 47 ? own : Buffer.concat([Buffer.from(process.cwd() + "/"), own])),
      run.bash + VERBOSE,
    );
  } catch {
    // A name that cannot be linked to.
  }
}

/** `raw` of a directory that was made by another process. */
export const rawOf = (base: string): string => `${base}/run`;

export function makeRunDirectory(): RunDirectory {
  const parent = choosePlace();
  sweep(parent);
  const base = mkdtempSync(`${parent}/${PREFIX}`);
  try {
    return fill(base);
  } catch (error) {
    removeRunDirectory(base);
    throw error;
  }
}

function fill(base: string): RunDirectory {
  const lock = openFile(`${base}/lock`, O_CREAT | O_RDWR, 0o600);
  if (lock >= 0) openKernel().call(NR.flock, lock, LOCK_EXCLUSIVE | LOCK_NO_WAIT);
  // A program of the command that has given up its privileges may load the recorders, and finds that it cannot write: it
  // must not be told by an error message of its shell.
  chmodSync(base, 0o711);
  const raw = rawOf(base);
  const python = `${base}/py`;
  const bash = `${base}/bash_env.sh`;
  mkdirSync(raw, { mode: 0o700 });
  mkdirSync(`${raw}/src`, { mode: 0o700 });
  mkdirSync(python);
  chmodSync(python, 0o755);
  for (const { name, text } of PYTHON_FILES) put(`${python}/${name}`, text);
  put(bash, BASH_FILE.text);
  return { base, raw, python, bash, lock };
}

function put(path: string, text: string): void {
  writeFileSync(path, text);
  chmodSync(path, 0o644);
}

function choosePlace(): string {
  const { TMPDIR } = process.env;
  const places = [...(TMPDIR === undefined || TMPDIR === "" ? [] : [resolve(TMPDIR)]), "/tmp", "/var/tmp"];
  let best: { readonly path: string; readonly space: number } | undefined;
  for (const path of places) {
    // PYTHONPATH ends at a colon, and Bash expands what is in BASH_ENV.
    if (!/^[^:$`"\\]+$/.test(path) || !isPrintable(path)) continue;
    const space = spaceIn(path);
    // Programs that give up root's rights look for the recorders, too.
    if (space >= ENOUGH && (process.geteuid?.() !== 0 || isOpenToAll(path))) return path;
    if (space >= LEAST && space > (best?.space ?? 0)) best = { path, space };
  }
  if (best !== undefined) return best.path;
  const path = places[0]!;
  throw new CaptureError({ backend: "lines", reason: { _tag: "OutputRefused", path, errno: ERRNO.ENOSPC } });
}

function isPrintable(path: string): boolean {
  for (let i = 0; i < path.length; i++) if (path.charCodeAt(i) < 32) return false;
  return true;
}

function isOpenToAll(path: string): boolean {
  for (let at = path; ; at = dirname(at)) {
    try {
      if ((statSync(at).mode & 1) === 0) return false;
    } catch {
      return false;
    }
    if (at === "/") return true;
  }
}

/** Bytes that we may write there; 0 where we may not. */
function spaceIn(path: string): number {
  try {
    if (!statSync(path).isDirectory()) return 0;
    const probe = mkdtempSync(`${path}/${PREFIX}`);
    rmSync(probe, { recursive: true });
    const { bavail, bsize } = statfsSync(path);
    return bavail * bsize;
  } catch {
    return 0;
  }
}

/** What is left of runs that were killed together with their collectors. */
function sweep(parent: string): void {
  let looked = 0;
  for (const name of namesIn(parent)) {
    if (!name.startsWith(PREFIX) || ++looked > MOST_STALE) continue;
    const base = `${parent}/${name}`;
    try {
      const stat = lstatSync(base);
      if (!stat.isDirectory() || stat.uid !== process.geteuid?.()) continue;
      if (isFree(base, stat.mtimeMs)) removeRunDirectory(base);
    } catch {
      // Another run was quicker.
    }
  }
}

function namesIn(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function isFree(base: string, changedMs: number): boolean {
  const lock = openFile(`${base}/lock`, O_RDWR);
  // It may be in the making just now.
  if (lock < 0) return Date.now() - changedMs > HOUR_MS;
  const answer = openKernel().call(NR.flock, lock, LOCK_EXCLUSIVE | LOCK_NO_WAIT);
  closeFile(lock);
  return answer === 0;
}

const ATTEMPTS = 20;

/** Removes it while programs may still be writing: they find no folder, and end their recording. */
export function removeRunDirectory(base: string): void {
  try {
    renameSync(rawOf(base), `${base}/gone`);
  } catch {
    // It was never made, or is gone.
  }
  for (let i = 0; i < ATTEMPTS; i++)
    try {
      rmSync(base, { recursive: true, force: true });
      return;
    } catch {
      // Python may just have put compiled code into its folder.
    }
}

/** Bytes left on the disk of the run; undefined when nobody can say. */
export function spaceLeft(directory: string): number | undefined {
  try {
    const { bavail, bsize } = statfsSync(directory);
    return bavail * bsize;
  } catch {
    return undefined;
  }
}
