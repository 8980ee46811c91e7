// Walks JSON in bytes without building values: the strict grammar of RFC 8259, so that a line is good here
// exactly when JSON.parse takes it. Bytes of strings that are not UTF-8 pass. Every function returns the position after
// what it read, or -1 where the bytes are not that; none allocates, none reads at or beyond `end`.

/** Nesting that is followed; deeper lines count as not JSON. JSON.parse would overflow its stack further up. */
const DEPTH_LIMIT = 1000;

export function skipSpace(b: Uint8Array, at: number, end: number): number {
  let p = at;
  while (p < end) {
    const c = b[p]!;
    if (c !== 32 && c !== 9 && c !== 13 && c !== 10) break;
    p++;
  }
  return p;
}

/** From the opening quote to behind the closing one. */
export function skipString(b: Uint8Array, at: number, end: number): number {
  if (at >= end || b[at] !== 34) return -1;
  let p = at + 1;
  while (p < end) {
    const c = b[p]!;
    if (c === 34) return p + 1;
    if (c < 32) return -1;
    if (c !== 92) {
      p++;
      continue;
    }
    if (p + 1 >= end) return -1;
    switch (b[p + 1]) {
      case 34: // "
      case 92: // \
      case 47: // /
      case 98: // b
      case 102: // f
      case 110: // n
      case 114: // r
      case 116: // t
        p += 2;
        break;
      case 117: // u
        if (p + 6 > end) return -1;
        for (let i = p + 2; i < p + 6; i++) if (!isHex(b[i]!)) return -1;
        p += 6;
        break;
      default:
        return -1;
    }
  }
  return -1;
}

function isHex(c: number): boolean {
  return (c >= 48 && c <= 57) || (c >= 97 && c <= 102) || (c >= 65 && c <= 70);
}

export function skipNumber(b: Uint8Array, at: number, end: number): number {
  let p = at;
  if (p < end && b[p] === 45) p++;
  if (p >= end) return -1;
  if (b[p] === 48) p++;
  else {
    const digits = p;
    while (p < end && isDigit(b[p]!)) p++;
    if (p === digits) return -1;
  }
  if (p < end && b[p] === 46) {
    const digits = ++p;
    while (p < end && isDigit(b[p]!)) p++;
    if (p === digits) return -1;
  }
  if (p < end && (b[p] === 101 || b[p] === 69)) {
    p++;
    if (p < end && (b[p] === 43 || b[p] === 45)) p++;
    const digits = p;
    while (p < end && isDigit(b[p]!)) p++;
    if (p === digits) return -1;
  }
  return p;
}

export function isDigit(c: number): boolean {
  return c >= 48 && c <= 57;
}

function skipWord(b: Uint8Array, at: number, end: number, word: string): number {
  if (at + word.length > end) return -1;
  for (let i = 0; i < word.length; i++) if (b[at + i] !== word.charCodeAt(i)) return -1;
  return at + word.length;
}

/** One value of any kind; `at` stands on its first byte. */
export function skipValue(b: Uint8Array, at: number, end: number, depth = 0): number {
  if (at >= end) return -1;
  switch (b[at]) {
    case 34:
      return skipString(b, at, end);
    case 123:
      return skipObject(b, at, end, depth);
    case 91:
      return skipArray(b, at, end, depth);
    case 116:
      return skipWord(b, at, end, "true");
    case 102:
      return skipWord(b, at, end, "false");
    case 110:
      return skipWord(b, at, end, "null");
    default:
      return skipNumber(b, at, end);
  }
}

function skipArray(b: Uint8Array, at: number, end: number, depth: number): number {
  if (depth >= DEPTH_LIMIT) return -1;
  let p = skipSpace(b, at + 1, end);
  if (p < end && b[p] === 93) return p + 1;
  for (;;) {
    p = skipValue(b, p, end, depth + 1);
    if (p < 0) return -1;
    p = skipSpace(b, p, end);
    if (p >= end) return -1;
    if (b[p] === 93) return p + 1;
    if (b[p] !== 44) return -1;
    p = skipSpace(b, p + 1, end);
  }
}

function skipObject(b: Uint8Array, at: number, end: number, depth: number): number {
  if (depth >= DEPTH_LIMIT) return -1;
  let p = skipSpace(b, at + 1, end);
  if (p < end && b[p] === 125) return p + 1;
  for (;;) {
    p = skipString(b, p, end);
    if (p < 0) return -1;
    p = skipSpace(b, p, end);
    if (p >= end || b[p] !== 58) return -1;
    p = skipValue(b, skipSpace(b, p + 1, end), end, depth + 1);
    if (p < 0) return -1;
    p = skipSpace(b, p, end);
    if (p >= end) return -1;
    if (b[p] === 125) return p + 1;
    if (b[p] !== 44) return -1;
    p = skipSpace(b, p + 1, end);
  }
}
