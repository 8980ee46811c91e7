// Base64 in plain code, for the exact bytes of what is not UTF-8: the same in every runtime, and it takes any input.

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

const VALUES = new Int8Array(256).fill(-1);
for (let i = 0; i < 64; i++) VALUES[DIGITS.charCodeAt(i)] = i;

export function encodeBase64(b: Uint8Array): string {
  let s = "";
  for (let i = 0; i < b.length; i += 3) {
    const word = (b[i]! << 16) | ((b[i + 1] ?? 0) << 8) | (b[i + 2] ?? 0);
    s += DIGITS[word >> 18]! + DIGITS[(word >> 12) & 63]!;
    s += i + 1 < b.length ? DIGITS[(word >> 6) & 63]! : "=";
    s += i + 2 < b.length ? DIGITS[word & 63]! : "=";
  }
  return s;
}

/** Undefined when the text is not base64 (padding may be missing). */
export function decodeBase64(text: string): Uint8Array | undefined {
  let end = text.length;
  while (end > 0 && end > text.length - 2 && text.charCodeAt(end - 1) === 61) end--;
  if (end % 4 === 1) return undefined;
  const out = new Uint8Array(Math.floor((end * 3) / 4));
  let bits = 0;
  let held = 0;
  let n = 0;
  for (let i = 0; i < end; i++) {
    const c = text.charCodeAt(i);
    const v = c < 256 ? VALUES[c]! : -1;
    if (v < 0) return undefined;
    held = ((held << 6) | v) & 0xfffff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    out[n++] = (held >> bits) & 0xff;
  }
  return out;
}

/** The same from the bytes `b[from, to)` of a text, without making a string of them. */
export function decodeBase64Bytes(b: Uint8Array, from: number, to: number): Uint8Array | undefined {
  let end = to;
  while (end > from && end > to - 2 && b[end - 1] === 61) end--;
  const digits = end - from;
  if (digits % 4 === 1) return undefined;
  const out = new Uint8Array(Math.floor((digits * 3) / 4));
  let n = 0;
  let bad = 0;
  let i = from;
  for (; i + 3 < end; i += 4) {
    const v0 = VALUES[b[i]!]!;
    const v1 = VALUES[b[i + 1]!]!;
    const v2 = VALUES[b[i + 2]!]!;
    const v3 = VALUES[b[i + 3]!]!;
    bad |= v0 | v1 | v2 | v3;
    const word = (v0 << 18) | (v1 << 12) | (v2 << 6) | v3;
    out[n++] = word >> 16;
    out[n++] = word >> 8;
    out[n++] = word;
  }
  let held = 0;
  let bits = 0;
  for (; i < end; i++) {
    const v = VALUES[b[i]!]!;
    bad |= v;
    held = (held << 6) | v;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    out[n++] = held >> bits;
  }
  // A byte that is no digit has the value -1.
  return bad < 0 ? undefined : out;
}
