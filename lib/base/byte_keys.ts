// Small numbers for byte strings, so that millions of equal texts become one key without making a string of any. It keeps
// 64 bits of each text, not the text: among two million different ones the chance that two share a key is 1 in ten million.

export class ByteKeys {
  /** Distinct texts so far. */
  length = 0;
  private mask: number;
  private slots: Int32Array;
  private first: Int32Array;
  private second: Int32Array;
  /** The text being put together. */
  private a = 0;
  private b = 0;

  constructor(capacity = 1024) {
    let size = 64;
    while (size < capacity * 2) size *= 2;
    this.mask = size - 1;
    this.slots = new Int32Array(size).fill(-1);
    this.first = new Int32Array(size);
    this.second = new Int32Array(size);
    this.begin();
  }

  begin(): void {
    this.a = 0x811c9dc5;
    this.b = 0x9747b28c;
  }

  bytes(text: Uint8Array, from: number, to: number): void {
    let a = this.a;
    let b = this.b;
    for (let i = from; i < to; i++) {
      const c = text[i]!;
      a = Math.imul(a ^ c, 0x01000193);
      b = Math.imul((b << 5) ^ (b >>> 27) ^ c, 0x85ebca6b);
    }
    this.a = a;
    this.b = b;
  }

  /** A border between two parts, which is no byte. */
  border(): void {
    this.a = Math.imul(this.a ^ 0x1ff, 0x01000193);
    this.b = Math.imul((this.b << 5) ^ (this.b >>> 27) ^ 0x1ff, 0x85ebca6b);
  }

  /** The number of the text put together since `begin`; `length` before the call when it is new. */
  key(): number {
    const a = mix(this.a);
    const b = mix(this.b);
    let at = (a ^ b) & this.mask;
    for (;;) {
      const key = this.slots[at]!;
      if (key < 0) break;
      if (this.first[key] === a && this.second[key] === b) return key;
      at = (at + 1) & this.mask;
    }
    const key = this.length++;
    this.slots[at] = key;
    this.first[key] = a;
    this.second[key] = b;
    if (this.length * 2 > this.mask) this.grow();
    return key;
  }

  private grow(): void {
    const size = (this.mask + 1) * 2;
    const { first, second, length } = this;
    this.mask = size - 1;
    this.slots = new Int32Array(size).fill(-1);
    this.first = new Int32Array(size);
    this.second = new Int32Array(size);
    this.first.set(first);
    this.second.set(second);
    for (let key = 0; key < length; key++) {
      let at = (first[key]! ^ second[key]!) & this.mask;
      while (this.slots[at]! >= 0) at = (at + 1) & this.mask;
      this.slots[at] = key;
    }
  }
}

/** Spreads a hash over all its bits (the end of MurmurHash3). */
function mix(hash: number): number {
  let h = hash;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
