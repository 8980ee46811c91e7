// Pipes to a program that runs beside us, read without the runtime's event loop: for recorders that wait in the kernel.
// Nothing made here reaches a command that is started meanwhile.
import { closeFile, latin1, readLink } from "./descriptors.ts";
import { ERRNO } from "./errno.ts";
import { openKernel } from "./kernel.ts";
import { Block } from "./memory.ts";
import { NR } from "./syscalls.ts";

export interface Pipe {
  readonly readEnd: number;
  readonly writeEnd: number;
  /** Closes our copy of what a program was given. */
  closeReadEnd(): void;
  closeWriteEnd(): void;
}

/** Both ends closed on exec; -errno when there are no descriptors left. */
export function makePipe(): Pipe | number {
  const block = new Block(16);
  const O_CLOEXEC = 0o2000000;
  const answer = openKernel().call(NR.pipe2, block.address, O_CLOEXEC);
  if (answer < 0) return answer;
  const readEnd = block.i32[0]!;
  const writeEnd = block.i32[1]!;
  // Deno closes what it hands to a program, Bun does not; another thread may have got the number meanwhile.
  const name = target(readEnd);
  const close = (fd: number) => {
    if (name !== undefined && target(fd) === name) closeFile(fd);
  };
  return { readEnd, writeEnd, closeReadEnd: () => close(readEnd), closeWriteEnd: () => close(writeEnd) };
}

const F_DUPFD_CLOEXEC = 1030;

/** The same above 2, also where standard descriptors were closed; the number that was given is free again. Errors (below 0) are handed through. */
export function aboveStandard(fd: number): number {
  if (fd < 0 || fd > 2) return fd;
  const kernel = openKernel();
  const higher = kernel.call(NR.fcntl, fd, F_DUPFD_CLOEXEC, 3);
  kernel.call(NR.close, fd);
  return higher;
}

/** Read end and write end, or -errno. */
export function pipeAboveStandard(): { readonly readEnd: number; readonly writeEnd: number } | number {
  const pipe = makePipe();
  if (typeof pipe === "number") return pipe;
  const ends = { readEnd: aboveStandard(pipe.readEnd), writeEnd: aboveStandard(pipe.writeEnd) };
  return ends.readEnd < 0 || ends.writeEnd < 0 ? -ERRNO.EMFILE : ends;
}

/** `pipe:[4711]`, the same for both ends. */
function target(fd: number): string | undefined {
  const link = readLink(`/proc/self/fd/${fd}`);
  return link === undefined ? undefined : latin1(link);
}

export class PipeReader {
  /** The other side has closed, and everything has been read. */
  ended = false;
  private readonly fd: number;
  private readonly kernel = openKernel();
  private readonly data = new Block(1 << 17);
  private readonly poll = new Block(64);

  constructor(fd: number) {
    this.fd = fd;
  }

  /** What has come, waiting up to `ms` for it; empty when nothing came or a signal did. Valid until the next call. */
  read(ms: number): Uint8Array {
    const POLLIN = 1;
    const { i32 } = this.poll;
    i32[0] = this.fd;
    i32[1] = POLLIN;
    const timeout = 16;
    this.poll.setWord(timeout, Math.floor(ms / 1000));
    this.poll.setWord(timeout + 8, Math.round((ms % 1000) * 1e6));
    const ready = this.kernel.call(NR.ppoll, this.poll.address, 1, this.poll.at(timeout), 0, 8);
    if (ready <= 0) return this.data.bytes.subarray(0, 0);
    const n = this.kernel.call(NR.read, this.fd, this.data.address, this.data.bytes.length);
    if (n === 0 || (n < 0 && n !== -ERRNO.EINTR && n !== -ERRNO.EAGAIN)) this.ended = true;
    return this.data.bytes.subarray(0, Math.max(0, n));
  }
}
