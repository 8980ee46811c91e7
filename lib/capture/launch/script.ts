// A list of system calls with jumps on their results, as machine_code_*.s walks it: for what must happen where no
// JavaScript can run, between clone and exec. Building it makes no system call.
import { invariant } from "../../base/assert.ts";
import { openKernel } from "../../host/kernel.ts";
import type { Block } from "../../host/memory.ts";
import { NR, type SyscallName } from "../../host/syscalls.ts";

/** Bytes of one operation; its result stands at its end. */
export const OPERATION = 64;
const RESULT = 56;
/** What stands in place of a result until the operation has run; no system call answers it. */
export const NOT_RUN = 1 << 30;
const STACK = 1 << 14;

interface Jump {
  readonly equals: number;
  /** Which bits of the last result are compared; 0 with `equals` 0 always jumps. */
  readonly mask: number;
  /** Undefined: out of the script, back to whoever called `run`. */
  readonly to: Label | undefined;
}

/** A place in the script, filled in when it is reached. */
export interface Label {
  at: number;
}

export function label(): Label {
  return { at: -1 };
}

export class Script {
  private readonly operations: (number[] | Jump)[] = [];

  get length(): number {
    return this.operations.length;
  }

  /** Number of the operation, for asking its result. */
  call(name: SyscallName, ...words: number[]): number {
    this.operations.push([NR[name], ...words]);
    return this.operations.length - 1;
  }

  /** Sets an argument (from 0) that was not yet known when the operation was added. */
  setArgument(operation: number, argument: number, value: number): void {
    const words = this.operations[operation]!;
    invariant(Array.isArray(words), "a jump has no arguments");
    words[argument + 1] = value;
  }

  jumpIf(equals: number, to: Label): void {
    this.operations.push({ equals, mask: -1, to });
  }

  jump(to: Label): void {
    this.operations.push({ equals: 0, mask: 0, to });
  }

  /** Back to JavaScript: only for a script that `run` walks. */
  leave(): void {
    this.operations.push({ equals: 0, mask: 0, to: undefined });
  }

  here(at: Label): void {
    at.at = this.operations.length;
  }

  /** Bytes that `write` takes. */
  get size(): number {
    return OPERATION * this.operations.length;
  }

  /** Lays the script down at an offset of the block. */
  write(block: Block, at: number): void {
    this.operations.forEach((operation, i) => {
      const to = at + OPERATION * i;
      if ("mask" in operation) {
        const { equals, mask, to: target } = operation;
        invariant(target === undefined || target.at >= 0, "a jump of the start script leads nowhere");
        const address = target === undefined ? 0 : block.at(at + OPERATION * target.at);
        [-1, equals, mask, address].forEach((w, j) => block.setWord(to + 8 * j, w));
      } else operation.forEach((w, j) => block.setWord(to + 8 * j, w));
      block.setWord(to + RESULT, NOT_RUN);
    });
  }
}

/** Where the result of an operation stands, relative to the script's first byte. */
export function resultOffset(operation: number): number {
  return OPERATION * operation + RESULT;
}

/** The result of an operation of a script that lies at `scriptAt`, or NOT_RUN; low 32 bits of it. */
export function resultOf(block: Block, scriptAt: number, operation: number): number {
  return block.i32[(scriptAt + resultOffset(operation)) >> 2]!;
}

/** The child runs on this memory until it has become the command, so it must not be collected. */
const inUse = new Set<Block>();

/** The memory may go. */
export function release(block: Block): void {
  inUse.delete(block);
}

/**
 * Starts a child that shares our memory and walks the script; its pid, or -errno. No handler of the runtime may run in
 * the child, so all signals are blocked around the clone, and stay so in the child until the script says otherwise.
 * `exitSignal` 0: nobody is told of its end, and it is there to be waited for also where SIGCHLD is ignored.
 */
export function cloneOnto(block: Block, script: number, exitSignal: number): number {
  inUse.add(block);
  const kernel = openKernel();
  const stackTop = block.reserve(STACK, 64) + STACK - 64;
  const all = block.reserve(8);
  const before = block.reserve(8);
  block.setWord(all, -1);
  const SIG_SETMASK = 2;
  const CLONE_VM = 0x100;
  kernel.call(NR.rt_sigprocmask, SIG_SETMASK, block.at(all), block.at(before), 8);
  const pid = kernel.spawn(CLONE_VM | exitSignal, block.at(stackTop), block.at(script));
  kernel.call(NR.rt_sigprocmask, SIG_SETMASK, block.at(before), 0, 8);
  if (pid < 0) inUse.delete(block);
  return pid;
}

/** Bytes of a block that `cloneOnto` takes. */
export const CLONE_ROOM = STACK + 256;
