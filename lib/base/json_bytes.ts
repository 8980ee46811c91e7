// JSON written straight into bytes: what the recorder does for every event, so it allocates nothing once the buffer has grown.
// Text comes as UTF-8 bytes from another process and may be anything; `utf8` writes the readable form and says whether it was exact.

const HEX = new TextEncoder().encode("0123456789abcdef");
const BASE64 = new TextEncoder().encode("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
const encoder = new TextEncoder();

/** Length of the well-formed UTF-8 sequence that starts at `i`, or 0 where there is none (overlong, surrogate, cut, beyond U+10FFFF). */
export function utf8Length(b: Uint8Array, i: number, end: number): number {
  const c = b[i]!;
  if (c < 0x80) return 1;
  if (c < 0xc2 || c > 0xf4) return 0;
  const c1 = i + 1 < end ? b[i + 1]! : 0;
  if ((c1 & 0xc0) !== 0x80) return 0;
  if (c < 0xe0) return 2;
  const c2 = i + 2 < end ? b[i + 2]! : 0;
  if ((c2 & 0xc0) !== 0x80) return 0;
  if (c < 0xf0) {
    if (c === 0xe0 && c1 < 0xa0) return 0;
    if (c === 0xed && c1 > 0x9f) return 0;
    return 3;
  }
  if (c === 0xf0 && c1 < 0x90) return 0;
  if (c === 0xf4 && c1 > 0x8f) return 0;
  return i + 3 < end && (b[i + 3]! & 0xc0) === 0x80 ? 4 : 0;
}

/** Whether `b[from, to)` is well-formed UTF-8. */
export function isUtf8(b: Uint8Array, from = 0, to = b.length): boolean {
  for (let i = from; i < to;) {
    if (b[i]! < 0x80) {
      i++;
      continue;
    }
    const n = utf8Length(b, i, to);
    if (n === 0) return false;
    i += n;
  }
  return true;
}

export class JsonBytes {
  bytes: Uint8Array;
  length = 0;

  constructor(capacity = 1 << 16) {
    this.bytes = new Uint8Array(capacity);
  }

  clear(): void {
    this.length = 0;
  }

  /** What has been written, valid until the next write. */
  view(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }

  private need(n: number): void {
    if (this.length + n <= this.bytes.length) return;
    let size = this.bytes.length * 2;
    while (size < this.length + n) size *= 2;
    const grown = new Uint8Array(size);
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }

  /** Text that is JSON already and ASCII only: keys and punctuation. */
  raw(ascii: string): void {
    this.need(ascii.length);
    let n = this.length;
    for (let i = 0; i < ascii.length; i++) this.bytes[n++] = ascii.charCodeAt(i);
    this.length = n;
  }

  /** A whole number up to 2^53 in size. */
  int(value: number): void {
    this.need(20);
    let v = value;
    if (v < 0) {
      this.bytes[this.length++] = 45;
      v = -v;
    }
    let digits = 1;
    for (let top = 10; top <= v; top *= 10) digits++;
    let at = this.length + digits;
    this.length = at;
    do {
      const q = Math.floor(v / 10);
      this.bytes[--at] = 48 + (v - q * 10);
      v = q;
    } while (v > 0);
  }

  /** A quoted string from bytes of another process. False when they were not UTF-8 and U+FFFD stands in for some of them. */
  utf8(b: Uint8Array, from: number, to: number): boolean {
    this.need((to - from) * 6 + 2);
    const out = this.bytes;
    let n = this.length;
    let exact = true;
    out[n++] = 34;
    for (let i = from; i < to;) {
      const c = b[i]!;
      if (c >= 0x20 && c < 0x7f && c !== 34 && c !== 92) {
        out[n++] = c;
        i++;
        continue;
      }
      if (c < 0x80) {
        out[n++] = 92;
        if (c === 34 || c === 92) out[n++] = c;
        else if (c === 10) out[n++] = 110;
        else if (c === 9) out[n++] = 116;
        else if (c === 13) out[n++] = 114;
        else {
          out[n++] = 117;
          out[n++] = 48;
          out[n++] = 48;
          out[n++] = HEX[c >> 4]!;
          out[n++] = HEX[c & 15]!;
        }
        i++;
        continue;
      }
      const k = utf8Length(b, i, to);
      if (c === 0xc2 && k === 2 && b[i + 1]! < 0xa0) {
        // U+0080 to U+009F are controls, too, and some terminals obey them: recordings are looked at with cat.
        out[n++] = 92;
        out[n++] = 117;
        out[n++] = 48;
        out[n++] = 48;
        out[n++] = HEX[b[i + 1]! >> 4]!;
        out[n++] = HEX[b[i + 1]! & 15]!;
        i += 2;
        continue;
      }
      if (k === 0) {
        out[n++] = 0xef;
        out[n++] = 0xbf;
        out[n++] = 0xbd;
        exact = false;
        i++;
        continue;
      }
      for (let j = 0; j < k; j++) out[n++] = b[i++]!;
    }
    out[n++] = 34;
    this.length = n;
    return exact;
  }

  /** A quoted string from text. Lone surrogates become U+FFFD. */
  text(s: string): void {
    const b = encoder.encode(s);
    this.utf8(b, 0, b.length);
  }

  /** A quoted string of base64. */
  base64(b: Uint8Array): void {
    this.need(Math.ceil(b.length / 3) * 4 + 2);
    const out = this.bytes;
    let n = this.length;
    out[n++] = 34;
    let i = 0;
    for (; i + 2 < b.length; i += 3) {
      const word = (b[i]! << 16) | (b[i + 1]! << 8) | b[i + 2]!;
      out[n++] = BASE64[word >> 18]!;
      out[n++] = BASE64[(word >> 12) & 63]!;
      out[n++] = BASE64[(word >> 6) & 63]!;
      out[n++] = BASE64[word & 63]!;
    }
    if (i < b.length) {
      const two = i + 1 < b.length;
      const word = (b[i]! << 16) | (two ? b[i + 1]! << 8 : 0);
      out[n++] = BASE64[word >> 18]!;
      out[n++] = BASE64[(word >> 12) & 63]!;
      out[n++] = two ? BASE64[(word >> 6) & 63]! : 61;
      out[n++] = 61;
    }
    out[n++] = 34;
    this.length = n;
  }

  /** Any value, through JSON.stringify: for headers, not for events. */
  value(v: unknown): void {
    const b = encoder.encode(JSON.stringify(v));
    this.need(b.length);
    this.bytes.set(b, this.length);
    this.length += b.length;
  }

  /** Bytes that are JSON already. */
  copy(b: Uint8Array, from = 0, to = b.length): void {
    this.need(to - from);
    this.bytes.set(b.subarray(from, to), this.length);
    this.length += to - from;
  }
}
