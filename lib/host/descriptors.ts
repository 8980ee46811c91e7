// Files by descriptor, below node:fs: exact flags, paths as bytes, errors as numbers. For what the recorder does while
// the command runs, where an exception or a dropped O_CLOEXEC would be felt by the command.
import { ERRNO } from "./errno.ts";
import { openKernel } from "./kernel.ts";
import { Block, CString } from "./memory.ts";
import { IS_ARM64, NR } from "./syscalls.ts";

export const O_RDONLY = 0;
export const O_WRONLY = 1;
export const O_RDWR = 2;
export const O_CREAT = 0o100;
export const O_CLOEXEC = 0o2000000;
const O_DIRECTORY = IS_ARM64 ? 0o40000 : 0o200000;
export const O_TMPFILE = 0o20000000 | O_DIRECTORY;
const AT_FDCWD = -100;

/** The descriptor, or -errno. */
export function openFile(path: string | Uint8Array, flags: number, mode = 0): number {
  const name = new CString(path);
  for (;;) {
    const fd = openKernel().call(NR.openat, AT_FDCWD, name.address, flags | O_CLOEXEC, mode);
    // A FIFO waits for its reader; a signal meanwhile is not a refusal.
    if (fd !== -ERRNO.EINTR) return fd;
  }
}

export function closeFile(fd: number): void {
  openKernel().call(NR.close, fd);
}

/** Empties a regular file; what cannot be cut (a pipe, a device) stays as it is. */
export function truncateFile(fd: number): void {
  openKernel().call(NR.ftruncate, fd, 0);
}

/** Gives the disk back the space of a file's bytes, which then read as 0; where that cannot be, nothing happens. */
export function punchHole(fd: number, from: number, length: number): void {
  const keepSizeAndPunchHole = 3;
  openKernel().call(NR.fallocate, fd, keepSizeAndPunchHole, from, length);
}

/** A nameless file that no other process can open: on disk where `directory` allows it, else in memory. -errno on failure. */
export function openNameless(directory: string): number {
  const fd = openFile(directory, O_TMPFILE | O_RDWR, 0o600);
  if (fd >= 0) return fd;
  const closeOnExec = 1;
  return openKernel().call(NR.memfd_create, new CString("tk").address, closeOnExec);
}

export function rewind(fd: number): void {
  openKernel().call(NR.lseek, fd, 0, 0);
}

export function isTerminal(fd: number): boolean {
  const tcgets = 0x5401;
  return openKernel().call(NR.ioctl, fd, tcgets, new Block(64).address) === 0;
}

/** May this process execute the file? 0, or -errno; a directory answers -EACCES as execve does. */
export function checkExecutable(path: Uint8Array): number {
  const kernel = openKernel();
  const name = new CString(path);
  const executable = 1;
  const withEffectiveIds = 0x200;
  let answer = kernel.call(NR.faccessat2, AT_FDCWD, name.address, executable, withEffectiveIds);
  if (answer === -ERRNO.ENOSYS) answer = 0;
  if (answer !== 0) return answer;
  const STATX_TYPE = 1;
  const status = new Block(256);
  if (kernel.call(NR.statx, AT_FDCWD, name.address, 0, STATX_TYPE, status.address) !== 0) return 0;
  const modeAt = 28;
  const type = (status.bytes[modeAt]! | (status.bytes[modeAt + 1]! << 8)) & 0o170000;
  return type === 0o100000 ? 0 : -ERRNO.EACCES;
}

/** The whole of a small file such as those under /proc; undefined when it cannot be read. */
export function readSmallFile(path: string): Uint8Array | undefined {
  const fd = openFile(path, O_RDONLY);
  if (fd < 0) return undefined;
  const kernel = openKernel();
  let block = new Block(1 << 14);
  let length = 0;
  let ok = true;
  for (;;) {
    if (length === block.bytes.length) {
      const larger = new Block(block.bytes.length * 4);
      larger.bytes.set(block.bytes);
      block = larger;
    }
    const n = kernel.call(NR.read, fd, block.at(length), block.bytes.length - length);
    if (n === -ERRNO.EINTR) continue;
    if (n <= 0) {
      ok = n === 0 || length > 0;
      break;
    }
    length += n;
  }
  kernel.call(NR.close, fd);
  return ok ? block.bytes.subarray(0, length) : undefined;
}

/** Where a symbolic link points, as bytes; undefined when it cannot be read. */
export function readLink(path: string): Uint8Array | undefined {
  const block = new Block(4096 + 16);
  const n = openKernel().call(NR.readlinkat, AT_FDCWD, new CString(path).address, block.address, 4096);
  return n >= 0 ? block.bytes.subarray(0, n) : undefined;
}

/** Names in a directory, without `.` and `..`; empty when it cannot be read. */
export function listDirectory(path: string): string[] {
  const fd = openFile(path, O_RDONLY | O_DIRECTORY);
  if (fd < 0) return [];
  const kernel = openKernel();
  const block = new Block(1 << 15);
  const names: string[] = [];
  for (;;) {
    const n = kernel.call(NR.getdents64, fd, block.address, block.bytes.length);
    if (n <= 0) break;
    for (let at = 0; at < n;) {
      const size = block.bytes[at + 16]! | (block.bytes[at + 17]! << 8);
      const end = block.bytes.indexOf(0, at + 19);
      const name = latin1(block.bytes, at + 19, end);
      if (name !== "." && name !== "..") names.push(name);
      at += size;
    }
  }
  kernel.call(NR.close, fd);
  // The descriptor that read the listing of /proc/self/fd is in it; callers look each one up and find it gone.
  return names;
}

/** Each byte as the character of that number: nothing is lost, ASCII reads as ASCII. */
export function latin1(b: Uint8Array, from = 0, to = b.length): string {
  let s = "";
  for (let i = from; i < to; i++) s += String.fromCharCode(b[i]!);
  return s;
}

/** Writes bytes of one buffer to a descriptor again and again without allocating. */
export class DescriptorWriter {
  readonly fd: number;
  /** Bytes that the last call got out. */
  written = 0;
  private block = new Block(1 << 17);
  private readonly poll = new Block(32);

  constructor(fd: number) {
    this.fd = fd;
  }

  /** Writes `b[from, to)`: 0, or the error that came after `written` bytes. */
  write(b: Uint8Array, from: number, to: number): number {
    const kernel = openKernel();
    // The runtime may move or copy a buffer it is given an address of; a block of our own stays where it is.
    if (to - from > this.block.bytes.length) this.block = new Block((to - from) * 2);
    this.block.bytes.set(b.subarray(from, to));
    const length = to - from;
    this.written = 0;
    while (this.written < length) {
      const n = kernel.call(NR.write, this.fd, this.block.at(this.written), length - this.written);
      if (n > 0) this.written += n;
      else if (n === -ERRNO.EAGAIN) this.waitWritable();
      else if (n !== -ERRNO.EINTR) return n === 0 ? ERRNO.EIO : -n;
    }
    return 0;
  }

  /** An inherited pipe may be non-blocking, which is not ours to change. */
  private waitWritable(): void {
    const pollOut = 4;
    this.poll.i32[0] = this.fd;
    this.poll.i32[1] = pollOut;
    openKernel().call(NR.ppoll, this.poll.address, 1, 0, 0, 8);
  }
}
