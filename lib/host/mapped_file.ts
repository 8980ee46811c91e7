// A file as memory, for what is too large to be read before anything can be answered. Changes to the memory stay in this process. The
// mapping is never taken away: typed arrays over it may live anywhere. Where files cannot be mapped, the file is read instead.
import { bytesAt } from "#platform";
import { readFully } from "./spool.ts";
import { NoKernel, openKernel } from "./kernel.ts";
import { NR } from "./syscalls.ts";

const READ_WRITE = 3;
const PRIVATE = 2;

/** The first `size` bytes of an open file of at least that size; it must not be cut while it is used. */
export function mapFile(fd: number, size: number): Uint8Array {
  try {
    const address = openKernel().call(NR.mmap, 0, size, READ_WRITE, PRIVATE, fd, 0);
    if (address > 0) return bytesAt(address, size);
  } catch (error) {
    if (!(error instanceof NoKernel)) throw error;
  }
  const bytes = new Uint8Array(size);
  return bytes.subarray(0, readFully(fd, bytes, 0, size, 0));
}
