// Starts a command that cannot tell who started it, and holds it before its first instruction so that a tracer can get
// ready. The child is a clone that shares our memory and runs a prepared list of system calls in machine code: no
// JavaScript, no libc, no second runtime between us and the command. See docs/recording.md for what is restored.
import { invariant } from "../../base/assert.ts";
import { ERRNO } from "../../host/errno.ts";
import { openKernel } from "../../host/kernel.ts";
import { Block, sizeOfCStrings } from "../../host/memory.ts";
import { SIG } from "../../host/signals.ts";
import { NR, type SyscallName } from "../../host/syscalls.ts";
import { CaptureError } from "../capture_error.ts";
import { candidates, KEEPS_LOOKING } from "./command.ts";
import type { Inherited } from "./inherited.ts";

export interface StartOptions {
  /** The command's words, byte for byte. */
  readonly argv: readonly Uint8Array[];
  readonly inherited: Inherited;
  /** A descriptor that the command gets as its standard output instead of ours. */
  readonly stdout?: number;
  /** A seccomp program (array of struct sock_filter) that the child installs on itself when it is released. */
  readonly filter?: Uint8Array;
  readonly environment?: readonly Uint8Array[];
}

export interface HeldCommand {
  readonly pid: number;
  /** Lets the child go on to become the command. */
  release(): void;
  /** The child ends without having run anything; it is reaped here. */
  abandon(): void;
  /** Once the child has ended without becoming the command: the errno that says why, as execvp would have set it. */
  execErrno(): number;
}

const NOT_RUN = 1;
const OPERATION = 64;
const RESULT = 56;
const STACK = 1 << 14;
const ABANDONED = 125;

interface Jump {
  readonly equals: number;
  /** Which bits of the last result are compared; 0 with `equals` 0 always jumps. */
  readonly mask: number;
  readonly to: Label;
}

/** A place in the script, filled in when it is reached. */
interface Label {
  at: number;
}

/** A list of system calls with jumps on their results; see `spawn` in machine_code_*.s. */
class Script {
  private readonly operations: (readonly number[] | Jump)[] = [];

  get length(): number {
    return this.operations.length;
  }

  call(name: SyscallName, ...words: number[]): number {
    this.operations.push([NR[name], ...words]);
    return this.operations.length - 1;
  }

  jumpIf(equals: number, to: Label): void {
    this.operations.push({ equals, mask: -1, to });
  }

  jump(to: Label): void {
    this.operations.push({ equals: 0, mask: 0, to });
  }

  here(label: Label): void {
    label.at = this.operations.length;
  }

  write(block: Block, at: number): void {
    this.operations.forEach((operation, i) => {
      const to = at + OPERATION * i;
      if ("to" in operation) {
        invariant(operation.to.at >= 0, "a jump of the start script leads nowhere");
        const words = [-1, operation.equals, operation.mask, block.at(at + OPERATION * operation.to.at)];
        words.forEach((w, j) => block.setWord(to + 8 * j, w));
      } else operation.forEach((w, j) => block.setWord(to + 8 * j, w));
      block.setWord(to + RESULT, NOT_RUN);
    });
  }
}

function label(): Label {
  return { at: -1 };
}

/** The child runs on this memory until it has become the command, so it must not be collected. */
const inUse = new Set<Block>();

export function startHeld(options: StartOptions): HeldCommand {
  const kernel = openKernel();
  const environment = options.environment ?? options.inherited.environment;
  const files = candidates(options.argv[0]!, environment);
  const texts = [...options.argv, ...environment, ...files];
  const block = new Block(
    sizeOfCStrings(texts) + sizeOfCStrings(options.argv) + 2 * files.length * 8 * options.argv.length + (1 << 17),
  );
  inUse.add(block);
  const pipe = block.reserve(8);
  const failedPipe = kernel.call(NR.pipe2, block.at(pipe), 0o2000000);
  if (failedPipe < 0) throw refusal("pipe", -failedPipe);
  const readEnd = block.i32[pipe >> 2]!;
  const writeEnd = block.i32[(pipe >> 2) + 1]!;

  const script = new Script();
  restoreSignals(script, block, options.inherited);
  restoreLimit(script, block, options.inherited);
  if (options.stdout !== undefined && options.stdout !== 1) script.call("dup3", options.stdout, 1, 0);
  const F_SETFD = 2;
  for (const fd of options.inherited.descriptors) script.call("fcntl", fd, F_SETFD, 0);
  const byte = holdOn(script, block, readEnd, writeEnd);
  if (options.filter !== undefined) installFilter(script, block, options.filter, options.inherited.admin);
  const mask = block.reserve(8);
  block.u32[mask >> 2] = options.inherited.blocked.low;
  block.u32[(mask >> 2) + 1] = options.inherited.blocked.high;
  const SIG_SETMASK = 2;
  script.call("rt_sigprocmask", SIG_SETMASK, block.at(mask), 0, 8);
  const attempts = becomeCommand(script, block, options.argv, files, environment);

  const scriptAt = block.reserve(OPERATION * script.length, 64);
  script.write(block, scriptAt);
  const stackTop = block.reserve(STACK, 64) + STACK - 64;
  const pid = cloneQuietly(block, stackTop, scriptAt);
  kernel.call(NR.close, readEnd);
  if (pid < 0) {
    kernel.call(NR.close, writeEnd);
    inUse.delete(block);
    throw refusal("clone", -pid);
  }
  return {
    pid,
    release() {
      kernel.call(NR.write, writeEnd, block.at(byte), 1);
      kernel.call(NR.close, writeEnd);
    },
    abandon() {
      kernel.call(NR.close, writeEnd);
      const WALL = 0x40000000;
      while (kernel.call(NR.wait4, pid, 0, WALL, 0) === -ERRNO.EINTR);
      inUse.delete(block);
    },
    execErrno() {
      const result = (operation: number) => block.i32[(scriptAt + OPERATION * operation + RESULT) >> 2]!;
      return errnoOf(attempts.map(result).filter((r) => r !== NOT_RUN));
    },
  };
}

function refusal(step: string, errno: number): CaptureError {
  return new CaptureError({ backend: "launch", reason: { _tag: "StartFailed", step, errno } });
}

/** What execvp makes of its attempts: a refusal wins over an absence, anything else ends the search. */
function errnoOf(results: readonly number[]): number {
  let errno: number = ERRNO.ENOENT;
  for (const r of results) {
    if (r === -ERRNO.EACCES) errno = ERRNO.EACCES;
    else if (r < 0 && !KEEPS_LOOKING.includes(-r)) errno = -r;
  }
  return errno;
}

/** Everything to default except what was ignored before the runtime came. Handlers would not survive exec anyway, "ignored" does. */
function restoreSignals(script: Script, block: Block, inherited: Inherited): void {
  const byDefault = block.reserve(32);
  const ignore = block.reserve(32);
  block.setWord(ignore, 1);
  for (let s = 1; s <= 64; s++) {
    if (s === SIG.KILL || s === SIG.STOP) continue;
    script.call("rt_sigaction", s, block.at(inherited.ignored.has(s) ? ignore : byDefault), 0, 8);
  }
}

function restoreLimit(script: Script, block: Block, inherited: Inherited): void {
  if (inherited.openFiles === undefined) return;
  const RLIMIT_NOFILE = 7;
  const limit = block.reserve(16);
  block.setWord(limit, word(inherited.openFiles.soft));
  block.setWord(limit + 8, word(inherited.openFiles.hard));
  script.call("prlimit64", 0, RLIMIT_NOFILE, block.at(limit), 0);
}

function word(limit: number): number {
  return Number.isFinite(limit) ? limit : -1;
}

/** Waits for one byte; without it (abandoned, or tk has died) the child ends. */
function holdOn(script: Script, block: Block, readEnd: number, writeEnd: number): number {
  const byte = block.reserve(8);
  const again = label();
  const go = label();
  script.call("close", writeEnd);
  script.here(again);
  script.call("read", readEnd, block.at(byte), 1);
  script.jumpIf(1, go);
  script.jumpIf(-ERRNO.EINTR, again);
  script.call("exit_group", ABANDONED);
  script.here(go);
  return byte;
}

function installFilter(script: Script, block: Block, filter: Uint8Array, admin: boolean): void {
  const PR_SET_NO_NEW_PRIVS = 38;
  const SECCOMP_SET_MODE_FILTER = 1;
  if (!admin) script.call("prctl", PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  const program = block.reserve(filter.length, 8);
  block.bytes.set(filter, program);
  const fprog = block.reserve(16);
  block.setWord(fprog, filter.length / 8);
  block.setWord(fprog + 8, block.at(program));
  script.call("seccomp", SECCOMP_SET_MODE_FILTER, 0, block.at(fprog));
}

/** execvp: each file in turn; a file that is no program goes to /bin/sh. Returns the operations that are attempts. */
function becomeCommand(
  script: Script,
  block: Block,
  argv: readonly Uint8Array[],
  files: readonly Uint8Array[],
  environment: readonly Uint8Array[],
): number[] {
  const envp = block.at(block.cStrings(environment));
  const words = argv.map((w) => block.at(block.cString(w)));
  const vector = (addresses: readonly number[]): number => {
    const at = block.reserve(8 * (addresses.length + 1), 8);
    addresses.forEach((a, i) => block.setWord(at + 8 * i, a));
    return block.at(at);
  };
  const args = vector(words);
  const shell = block.at(block.cString("/bin/sh"));
  const attempts: number[] = [];
  const end = label();
  for (const file of files) {
    const name = block.at(block.cString(file));
    const next = label();
    const asScript = label();
    attempts.push(script.call("execve", name, args, envp));
    script.jumpIf(-ERRNO.ENOEXEC, asScript);
    for (const errno of KEEPS_LOOKING) script.jumpIf(-errno, next);
    script.jump(end);
    script.here(asScript);
    attempts.push(script.call("execve", shell, vector([shell, name, ...words.slice(1)]), envp));
    script.jump(end);
    script.here(next);
  }
  script.here(end);
  script.call("exit_group", 127);
  return attempts;
}

/** No handler of the runtime may run in the child that shares our memory, so all signals are blocked around the clone. */
function cloneQuietly(block: Block, stackTop: number, script: number): number {
  const kernel = openKernel();
  const all = block.reserve(8);
  const before = block.reserve(8);
  block.setWord(all, -1);
  const SIG_SETMASK = 2;
  const CLONE_VM = 0x100;
  kernel.call(NR.rt_sigprocmask, SIG_SETMASK, block.at(all), block.at(before), 8);
  const pid = kernel.spawn(CLONE_VM | SIG.CHLD, block.at(stackTop), block.at(script));
  kernel.call(NR.rt_sigprocmask, SIG_SETMASK, block.at(before), 0, 8);
  return pid;
}
