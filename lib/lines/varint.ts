// Whole numbers from 0 to 2^53 as bytes, seven bits each, the lowest first; small ones take one byte. The writer grows, the reader
// never goes beyond its bytes: what is cut or impossible sets `failed` and reads as 0.

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** What a number takes at most. */
const MOST_BYTES = 8;

export class VarWriter {
  bytes: Uint8Array;
  length = 0;

  constructor(capacity = 1024) {
    this.bytes = new Uint8Array(Math.max(16, capacity));
  }

  clear(): void {
    this.length = 0;
  }

  /** What was written; valid until the next write. */
  view(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }

  put(value: number): void {
    if (this.length + MOST_BYTES > this.bytes.length) this.grow(MOST_BYTES);
    let v = value;
    // Beyond 2^31 bitwise operators do not reach.
    while (v > 0x7fffffff) {
      const rest = Math.floor(v / 128);
      this.bytes[this.length++] = (v - rest * 128) | 128;
      v = rest;
    }
    while (v > 127) {
      this.bytes[this.length++] = (v & 127) | 128;
      v >>>= 7;
    }
    this.bytes[this.length++] = v;
  }

  /** Any whole number between -2^52 and 2^52: near 0 it is small, whatever its sign. */
  putSigned(value: number): void {
    this.put(value < 0 ? -2 * value - 1 : 2 * value);
  }

  putText(text: string): void {
    const b = encoder.encode(text);
    this.put(b.length);
    this.putBytes(b);
  }

  putBytes(b: Uint8Array): void {
    if (this.length + b.length > this.bytes.length) this.grow(b.length);
    this.bytes.set(b, this.length);
    this.length += b.length;
  }

  private grow(more: number): void {
    const grown = new Uint8Array(Math.max(this.bytes.length * 2, this.length + more));
    grown.set(this.view());
    this.bytes = grown;
  }
}

export class VarReader {
  failed = false;
  at: number;
  private readonly bytes: Uint8Array;
  private readonly end: number;

  constructor(bytes: Uint8Array, from = 0, to = bytes.length) {
    this.bytes = bytes;
    this.at = from;
    this.end = Math.min(to, bytes.length);
  }

  get left(): number {
    return this.end - this.at;
  }

  take(): number {
    const { bytes, end } = this;
    if (this.at >= end) return this.fail();
    const first = bytes[this.at++]!;
    if (first < 128) return first;
    let value = first & 127;
    let scale = 128;
    for (let i = 1; i < MOST_BYTES; i++) {
      if (this.at >= end) return this.fail();
      const b = bytes[this.at++]!;
      value += (b & 127) * scale;
      if (b < 128) return value > Number.MAX_SAFE_INTEGER ? this.fail() : value;
      scale *= 128;
    }
    return this.fail();
  }

  takeSigned(): number {
    const v = this.take();
    return v % 2 === 0 ? v / 2 : -(v + 1) / 2;
  }

  /** How many things follow that take a byte or more each: never more than there are bytes. */
  takeCount(most = Infinity): number {
    const n = this.take();
    return n > this.left || n > most ? this.fail() : n;
  }

  takeText(most: number): string {
    const n = this.takeCount(most);
    const text = decoder.decode(this.bytes.subarray(this.at, this.at + n));
    this.at += n;
    return text;
  }

  private fail(): number {
    this.failed = true;
    this.at = this.end;
    return 0;
  }
}
