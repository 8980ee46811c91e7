// The part of a start script in which a process becomes the command: everything that the runtime changed is put back,
// then the candidates are tried as execvp(3) would. Shared by the held child of `tk record` and `tk exec` and by the
// process of `tk exec` itself. Adds operations to a script, runs nothing.
import { ERRNO } from "../../host/errno.ts";
import { sizeOfCStrings, type Block } from "../../host/memory.ts";
import { SIG } from "../../host/signals.ts";
import { KEEPS_LOOKING } from "./command.ts";
import type { Inherited } from "./inherited.ts";
import { label, NOT_RUN, type Script } from "./script.ts";

/** A file that may be the command, and the first word that it gets. */
export interface Attempt {
  readonly file: Uint8Array;
  readonly name: Uint8Array;
}

export interface Program {
  readonly attempts: readonly Attempt[];
  /** The words after the first. */
  readonly args: readonly Uint8Array[];
  readonly environment: readonly Uint8Array[];
}

/** Bytes of a block that `becomeProgram` takes at most. */
export function sizeOfProgram({ attempts, args, environment }: Program): number {
  const names = attempts.flatMap((a) => [a.file, a.name]);
  const vectors = attempts.length * 2 * (8 * (args.length + 3) + 16);
  return sizeOfCStrings([...args, ...environment, ...names]) + vectors + 256;
}

const SIG_SETMASK = 2;
const SIGACTION = 32;

/** Where what was before is kept, so that a start that failed can be taken back. */
export interface Undo {
  readonly signals: number;
  readonly limit: number | undefined;
  readonly mask: number;
}

export function roomForUndo(block: Block, inherited: Inherited): Undo {
  return {
    signals: block.reserve(65 * SIGACTION),
    limit: inherited.openFiles === undefined ? undefined : block.reserve(16),
    mask: block.reserve(8),
  };
}

function catchable(): number[] {
  return Array.from({ length: 64 }, (_, i) => i + 1).filter((s) => s !== SIG.KILL && s !== SIG.STOP);
}

/** No handler of the runtime runs from here on. */
export function blockSignals(script: Script, block: Block, undo: Undo): void {
  const all = block.reserve(8);
  block.setWord(all, -1);
  script.call("rt_sigprocmask", SIG_SETMASK, block.at(all), block.at(undo.mask), 8);
}

/** Everything to default except what was ignored before the runtime came. Handlers would not survive exec anyway, "ignored" does. */
export function restoreSignals(script: Script, block: Block, inherited: Inherited, undo?: Undo): void {
  const byDefault = block.reserve(SIGACTION);
  const ignore = block.reserve(SIGACTION);
  block.setWord(ignore, 1);
  for (const s of catchable()) {
    const now = block.at(inherited.ignored.has(s) ? ignore : byDefault);
    script.call("rt_sigaction", s, now, undo === undefined ? 0 : block.at(undo.signals + s * SIGACTION), 8);
  }
}

const RLIMIT_NOFILE = 7;

export function restoreLimit(script: Script, block: Block, inherited: Inherited, undo?: Undo): void {
  if (inherited.openFiles === undefined) return;
  const limit = block.reserve(16);
  const word = (value: number) => (Number.isFinite(value) ? value : -1);
  block.setWord(limit, word(inherited.openFiles.soft));
  block.setWord(limit + 8, word(inherited.openFiles.hard));
  script.call("prlimit64", 0, RLIMIT_NOFILE, block.at(limit), undo?.limit === undefined ? 0 : block.at(undo.limit));
}

/** The descriptors that were there before us stay open over exec. */
export function keepDescriptors(script: Script, inherited: Inherited): void {
  const F_SETFD = 2;
  for (const fd of inherited.descriptors) script.call("fcntl", fd, F_SETFD, 0);
}

/** The last thing before exec: from here on signals mean what they mean to the command. */
export function restoreMask(script: Script, block: Block, inherited: Inherited): void {
  const mask = block.reserve(8);
  block.u32[mask >> 2] = inherited.blocked.low;
  block.u32[(mask >> 2) + 1] = inherited.blocked.high;
  script.call("rt_sigprocmask", SIG_SETMASK, block.at(mask), 0, 8);
}

/** After a start that failed: as it was. */
export function takeBack(script: Script, block: Block, undo: Undo): void {
  for (const s of catchable()) script.call("rt_sigaction", s, block.at(undo.signals + s * SIGACTION), 0, 8);
  if (undo.limit !== undefined) script.call("prlimit64", 0, RLIMIT_NOFILE, block.at(undo.limit), 0);
  script.call("rt_sigprocmask", SIG_SETMASK, block.at(undo.mask), 0, 8);
}

/**
 * execvp: each file in turn; a file that is no program goes to /bin/sh. Returns the operations that are attempts; the
 * script goes on behind them when none has worked.
 */
export function becomeProgram(script: Script, block: Block, program: Program): number[] {
  const envp = block.at(block.cStrings(program.environment));
  const words = program.args.map((w) => block.at(block.cString(w)));
  const vector = (addresses: readonly number[]): number => {
    const at = block.reserve(8 * (addresses.length + 1), 8);
    addresses.forEach((a, i) => block.setWord(at + 8 * i, a));
    return block.at(at);
  };
  const shell = block.at(block.cString("/bin/sh"));
  const operations: number[] = [];
  const end = label();
  for (const { file, name } of program.attempts) {
    const path = block.at(block.cString(file));
    const first = block.at(block.cString(name));
    const next = label();
    const asScript = label();
    operations.push(script.call("execve", path, vector([first, ...words]), envp));
    script.jumpIf(-ERRNO.ENOEXEC, asScript);
    for (const errno of KEEPS_LOOKING) script.jumpIf(-errno, next);
    script.jump(end);
    script.here(asScript);
    operations.push(script.call("execve", shell, vector([shell, path, ...words]), envp));
    script.jump(end);
    script.here(next);
  }
  script.here(end);
  return operations;
}

/** What execvp makes of its attempts: a refusal wins over an absence, anything else ends the search. */
export function errnoOf(results: readonly number[]): number {
  let errno: number = ERRNO.ENOENT;
  for (const r of results) {
    if (r === NOT_RUN) continue;
    if (r === -ERRNO.EACCES) errno = ERRNO.EACCES;
    else if (r < 0 && !KEEPS_LOOKING.includes(-r)) errno = -r;
  }
  return errno;
}
