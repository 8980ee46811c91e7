// Reading the memory of a stopped process into a window of ours. Knows addresses and bytes, nothing of what they mean.
// Nothing read here may be trusted: lengths are bounded, and every read may come up short.
import { openKernel } from "../../host/kernel.ts";
import { Block } from "../../host/memory.ts";
import { NR } from "../../host/syscalls.ts";

const PAGE = 4096;
/** More than the kernel allows for arguments and environment together (6 MiB), so that the bound is never met in practice. */
const LARGEST_WINDOW = 16 << 20;

export class TraceeMemory {
  private readonly kernel = openKernel();
  private readonly vectors = new Block(32);
  private window = new Block(1 << 16);

  /** What the last read filled in. Replaced when a larger read is asked for. */
  get bytes(): Uint8Array {
    return this.window.bytes;
  }

  private room(size: number): void {
    if (size <= this.window.bytes.length) return;
    const larger = new Block(Math.min(LARGEST_WINDOW, size * 2));
    larger.bytes.set(this.window.bytes);
    this.window = larger;
  }

  /** Reads at most `size` bytes at `address` into the window at `to`; how many there were. */
  read(pid: number, address: number, size: number, to = 0): number {
    const wanted = Math.min(size, LARGEST_WINDOW - to);
    this.room(to + wanted);
    const v = this.vectors;
    v.setWord(0, this.window.at(to));
    v.setWord(8, wanted);
    v.setWord(16, address);
    v.setWord(24, wanted);
    const n = this.kernel.call(NR.process_vm_readv, pid, v.at(0), 1, v.at(16), 1, 0);
    return n > 0 ? n : 0;
  }

  /** The word at an offset of the window, 4 or 8 bytes wide; offset a multiple of 4. */
  word(offset: number, width: number): number {
    return width === 8 ? this.window.word(offset) : this.window.u32[offset >> 2]!;
  }

  /**
   * Reads a NUL-terminated text into the window at `to`, page by page so that the end of a mapping is no obstacle.
   * The offset behind its last byte, or -1 when no byte of it can be read.
   */
  text(pid: number, address: number, to: number, limit: number): number {
    let got = 0;
    while (got < limit) {
      const size = Math.min(limit - got, PAGE - ((address + got) % PAGE));
      const n = this.read(pid, address + got, size, to + got);
      if (n === 0) return got === 0 ? -1 : to + got;
      const nul = this.window.bytes.indexOf(0, to + got);
      if (nul >= 0 && nul < to + got + n) return nul;
      got += n;
    }
    return to + got;
  }
}
