// Blocks of memory whose address the kernel may be told. Holds no policy and makes no system calls.
import { addressOf } from "#platform";
import { Bug } from "../base/assert.ts";

const encoder = new TextEncoder();

/** A block that keeps its address for as long as it is referenced, with a bump allocator over it. */
export class Block {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly u32: Uint32Array;
  readonly i32: Int32Array;
  /** Address of the first byte. */
  readonly address: number;
  private top = 0;

  constructor(size: number) {
    // The buffer first, the address afterwards: under Bun the address changes when a view's buffer is first asked for.
    const buffer = new ArrayBuffer((size + 15) & ~15);
    this.bytes = new Uint8Array(buffer);
    this.u32 = new Uint32Array(buffer);
    this.i32 = new Int32Array(buffer);
    this.address = addressOf(this.bytes);
  }

  /** Offset of `size` fresh zeroed bytes. */
  reserve(size: number, align = 16): number {
    const at = Math.ceil(this.top / align) * align;
    this.top = at + size;
    if (this.top > this.bytes.length) throw new Bug(`a block of ${this.bytes.length} bytes is full`);
    return at;
  }

  /** The address of an offset. */
  at(offset: number): number {
    return this.address + offset;
  }

  /** The 64-bit word at an offset that is a multiple of 4; exact up to 2^53. */
  word(offset: number): number {
    return this.u32[offset >> 2]! + this.u32[(offset >> 2) + 1]! * 4294967296;
  }

  /** A whole number from -2^53 to 2^53 as a 64-bit word, two's complement; offset a multiple of 4. */
  setWord(offset: number, value: number): void {
    this.u32[offset >> 2] = value >>> 0;
    this.u32[(offset >> 2) + 1] = Math.floor(value / 4294967296) >>> 0;
  }

  /** Offset of a NUL-terminated copy. */
  cString(text: string | Uint8Array): number {
    const b = typeof text === "string" ? encoder.encode(text) : text;
    const at = this.reserve(b.length + 1, 8);
    this.bytes.set(b, at);
    return at;
  }

  /** Offset of a `char *[]` that ends with NULL. */
  cStrings(texts: readonly Uint8Array[]): number {
    const addresses = texts.map((t) => this.at(this.cString(t)));
    const at = this.reserve((texts.length + 1) * 8, 8);
    addresses.forEach((a, i) => this.setWord(at + 8 * i, a));
    return at;
  }
}

/** Bytes that `cStrings` of these texts takes at most. */
export function sizeOfCStrings(texts: readonly Uint8Array[]): number {
  let n = (texts.length + 2) * 8;
  for (const t of texts) n += t.length + 16;
  return n;
}

/** A NUL-terminated text in memory of its own, for one call. */
export class CString {
  private readonly block: Block;

  constructor(text: string | Uint8Array) {
    const b = typeof text === "string" ? encoder.encode(text) : text;
    this.block = new Block(b.length + 1);
    this.block.bytes.set(b);
  }

  get address(): number {
    return this.block.address;
  }
}
