// `tk record --spool DIR`: recording that an operator turns on by making a directory. Each run gets a folder of its own by the time of its
// start, `latest` points to the newest, and the oldest go when there are too many or they are too large. A run that is
// being recorded stays: its file is locked. The Python module's own spool (tk_trackexec.record) has the same layout.
import {
  accessSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
} from "node:fs";
import { basename } from "node:path";
import { closeFile, O_RDONLY, openFile } from "../host/descriptors.ts";
import { openKernel } from "../host/kernel.ts";
import { errorCode, errorWords } from "../host/out.ts";
import { exists } from "../host/signals.ts";
import { NR } from "../host/syscalls.ts";

export interface SpoolLimits {
  /** Runs that are kept, the new one among them. */
  readonly runs: number;
  /** Bytes that all runs may take before the oldest go. */
  readonly bytes: number;
}

const LOCK_EXCLUSIVE = 2;
const LOCK_NO_WAIT = 4;
const RUN = /^\d{6}-\d{6}(?:-(\d+))?$/;
const O_NONBLOCK = 0o4000;
/** From making a folder to opening the recording in it, on a busy machine. */
const FRESH_MS = 5000;
/** Runs of one second. */
const MOST_TRIES = 10_000;

/** Whether the operator wants recordings; undefined, without a word, when not. */
export const spoolIsOn = (directory: string): boolean => existsSync(directory);

/** A folder for this run; where the recording goes. A sentence when there can be none. */
export function openSpool(directory: string, command: string, limits: SpoolLimits): { readonly path: string } | string {
  try {
    if (!statSync(directory).isDirectory()) return `Cannot record into '${directory}': it is no directory`;
    accessSync(directory, constants.W_OK | constants.X_OK);
    const run = makeRun(directory, stamp(new Date()));
    pointLatest(directory, run);
    dropOldest(directory, run, limits);
    return { path: `${directory}/${run}/${recordingName(command)}.prof` };
  } catch (error) {
    return `Cannot record into '${directory}': ${errorWords(error)}`;
  }
}

function recordingName(command: string): string {
  // oxlint-disable-next-line no-control-regex
  const name = basename(command).replace(/[\x00-\x1f\x7f/]/g, "_");
  return name === "" || name === "." || name === ".." ? "command" : name.slice(0, 100);
}

function stamp(now: Date): string {
  const two = (n: number) => String(n % 100).padStart(2, "0");
  const day = two(now.getFullYear()) + two(now.getMonth() + 1) + two(now.getDate());
  return `${day}-${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}`;
}

function makeRun(directory: string, start: string): string {
  for (let i = 1; ; i++) {
    const run = i === 1 ? start : `${start}-${i}`;
    try {
      mkdirSync(`${directory}/${run}`, { mode: 0o700 });
      return run;
    } catch (error) {
      if (errorCode(error) !== "EEXIST" || i >= MOST_TRIES) throw error;
    }
  }
}

/** In one step: whoever looks finds the old run or the new one. */
function pointLatest(directory: string, run: string): void {
  const made = `${directory}/.latest-${process.pid}`;
  try {
    symlinkSync(run, made);
    renameSync(made, `${directory}/latest`);
  } catch {
    // A file system without links, or a `latest` that is a folder of the user's: the runs are there by their names.
    try {
      unlinkSync(made);
    } catch {
      // It was never made.
    }
  }
}

function dropOldest(directory: string, own: string, { runs, bytes }: SpoolLimits): void {
  const found = readdirSync(directory)
    .filter((name) => RUN.test(name) && lstatSync(`${directory}/${name}`).isDirectory())
    .sort(byAge)
    .map((name) => ({ name, size: sizeOf(`${directory}/${name}`) }));
  let left = found.length;
  let total = found.reduce((n, run) => n + run.size, 0);
  for (const { name, size } of found) {
    if (left <= runs && total <= bytes) return;
    const path = `${directory}/${name}`;
    if (name === own || isRecorded(path)) continue;
    try {
      rmSync(path, { recursive: true, force: true });
      left--;
      total -= size;
    } catch {
      // Somebody else's, or another start was quicker.
    }
  }
}

function byAge(a: string, b: string): number {
  const second = (name: string) => name.slice(0, 13);
  const number = (name: string) => Number(RUN.exec(name)?.[1] ?? 1);
  return second(a) < second(b) ? -1 : second(a) > second(b) ? 1 : number(a) - number(b);
}

function sizeOf(folder: string): number {
  let size = 0;
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" }))
    try {
      size += lstatSync(`${folder}/${name}`).blocks * 512;
    } catch {
      // Just removed.
    }
  return size;
}

function isRecorded(run: string): boolean {
  // Its recording is about to be opened.
  if (Date.now() - statSync(run).mtimeMs < FRESH_MS) return true;
  return readdirSync(run).some((name) => name.endsWith(".prof") && isLocked(`${run}/${name}`)) || hasLiveModule(run);
}

function isLocked(path: string): boolean {
  const fd = openFile(path, O_RDONLY | O_NONBLOCK);
  if (fd < 0) return false;
  const answer = openKernel().call(NR.flock, fd, LOCK_EXCLUSIVE | LOCK_NO_WAIT);
  closeFile(fd);
  return answer !== 0;
}

/** The Python module says in `ID.meta` who records, and when it is over. */
function hasLiveModule(run: string): boolean {
  for (const name of readdirSync(run, { recursive: true, encoding: "utf8" })) {
    if (!/(^|\/)\d+-[0-9a-f]+\.meta$/.test(name)) continue;
    try {
      const text = readFileSync(`${run}/${name}`, "latin1");
      const pid = /^P\t(\d+)\t/.exec(text)?.[1];
      if (pid !== undefined && !/^E\t/m.test(text) && exists(Number(pid))) return true;
    } catch {
      // Just removed.
    }
  }
  return false;
}
