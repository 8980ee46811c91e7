// Starts a command that cannot tell who started it, and holds it before its first instruction so that a tracer can get
// ready. The child is a clone that shares our memory and runs a prepared list of system calls in machine code: no
// JavaScript, no libc, no second runtime between us and the command. See docs/recording.md for what is restored.
import { ERRNO } from "../../host/errno.ts";
import { openKernel } from "../../host/kernel.ts";
import { Block } from "../../host/memory.ts";
import { SIG } from "../../host/signals.ts";
import { NR } from "../../host/syscalls.ts";
import { CaptureError } from "../capture_error.ts";
import {
  becomeProgram,
  errnoOf,
  keepDescriptors,
  restoreLimit,
  restoreMask,
  restoreSignals,
  sizeOfProgram,
  type Attempt,
} from "./become.ts";
import { candidates } from "./command.ts";
import type { Inherited } from "./inherited.ts";
import { CLONE_ROOM, cloneOnto, label, NOT_RUN, release, resultOf, Script } from "./script.ts";

export interface StartOptions {
  /** The command's words, byte for byte. */
  readonly argv: readonly Uint8Array[];
  readonly inherited: Inherited;
  /** A descriptor that the command gets as its standard output instead of ours. */
  readonly stdout?: number;
  /** A seccomp program (array of struct sock_filter) that the child installs on itself when it is released. */
  readonly filter?: Uint8Array;
  readonly environment?: readonly Uint8Array[];
  /** The files to try; those that execvp would try when absent. */
  readonly attempts?: readonly Attempt[];
  /** A descriptor to which the child writes one byte when none of the files could be run. */
  readonly tellFailure?: number;
}

export interface HeldCommand {
  readonly pid: number;
  /** Its end of the pipe that holds the child: another process that is started meanwhile must not keep it open. */
  readonly holdingEnd: number;
  /** Lets the child go on to become the command. */
  release(): void;
  /** The child ends without having run anything; it is reaped here. */
  abandon(): void;
  /** None of the files could be run; the child has ended, or is about to. */
  hasFailed(): boolean;
  /** Once the child has ended without becoming the command: the errno that says why, as execvp would have set it. */
  execErrno(): number;
}

const ABANDONED = 125;
/** More than the operations of any start script take, tables and pads included. */
const SCRIPT_ROOM = 1 << 16;
const OPERATIONS_PER_ATTEMPT = 16;

export function startHeld(options: StartOptions): HeldCommand {
  const kernel = openKernel();
  const [name, ...args] = options.argv as readonly [Uint8Array, ...Uint8Array[]];
  const environment = options.environment ?? options.inherited.environment;
  const attempts = options.attempts ?? candidates(name, environment).map((file) => ({ file, name }));
  const program = { attempts, args, environment };
  const room = SCRIPT_ROOM + 64 * (OPERATIONS_PER_ATTEMPT * attempts.length + options.inherited.descriptors.length);
  const block = new Block(sizeOfProgram(program) + room + CLONE_ROOM + (options.filter?.length ?? 0));
  const pipe = block.reserve(8);
  const failedPipe = kernel.call(NR.pipe2, block.at(pipe), 0o2000000);
  if (failedPipe < 0) throw refusal("pipe", -failedPipe);
  const readEnd = block.i32[pipe >> 2]!;
  const writeEnd = block.i32[(pipe >> 2) + 1]!;

  const script = new Script();
  restoreSignals(script, block, options.inherited);
  restoreLimit(script, block, options.inherited);
  if (options.stdout !== undefined && options.stdout !== 1) script.call("dup3", options.stdout, 1, 0);
  keepDescriptors(script, options.inherited);
  const byte = holdOn(script, block, readEnd, writeEnd);
  if (options.filter !== undefined) installFilter(script, block, options.filter, options.inherited.admin);
  restoreMask(script, block, options.inherited);
  const operations = becomeProgram(script, block, program);
  if (options.tellFailure !== undefined) script.call("write", options.tellFailure, block.at(byte), 1);
  const failed = script.call("getpid");
  script.call("exit_group", 127);

  const scriptAt = block.reserve(script.size, 64);
  script.write(block, scriptAt);
  const pid = cloneOnto(block, scriptAt, SIG.CHLD);
  kernel.call(NR.close, readEnd);
  if (pid < 0) {
    kernel.call(NR.close, writeEnd);
    throw refusal("clone", -pid);
  }
  return {
    pid,
    holdingEnd: writeEnd,
    release() {
      kernel.call(NR.write, writeEnd, block.at(byte), 1);
      kernel.call(NR.close, writeEnd);
    },
    abandon() {
      kernel.call(NR.close, writeEnd);
      const WALL = 0x40000000;
      while (kernel.call(NR.wait4, pid, 0, WALL, 0) === -ERRNO.EINTR);
      release(block);
    },
    hasFailed: () => resultOf(block, scriptAt, failed) !== NOT_RUN,
    execErrno: () => errnoOf(operations.map((operation) => resultOf(block, scriptAt, operation))),
  };
}

function refusal(step: string, errno: number): CaptureError {
  return new CaptureError({ backend: "launch", reason: { _tag: "StartFailed", step, errno } });
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
