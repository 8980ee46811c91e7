// Reads one small file out of a zip archive (jar, war, ear, zipapp) by way of its central directory at the end; nothing else of
// the archive is read. Sizes are a stranger's: what would unpack to more than the limit is refused. Format: APPNOTE.TXT 6.3.
import { inflateRawSync } from "node:zlib";
import type { MarkFile } from "./file.ts";

const END = 0x06054b50;
const END64 = 0x06064b50;
const END64_LOCATOR = 0x07064b50;
const CENTRAL = 0x02014b50;
const LOCAL = 0x04034b50;

const END_SIZE = 22;
const LONGEST_COMMENT = 0xffff;
const MAX_DIRECTORY = 1 << 26;

function view(b: Uint8Array): DataView {
  return new DataView(b.buffer, b.byteOffset, b.length);
}

interface Directory {
  readonly offset: number;
  readonly size: number;
  /** What to add to every offset: the length of what stands before the archive, such as a `#!` line. */
  readonly shift: number;
}

function findDirectory(file: MarkFile): Directory | undefined {
  const tailAt = Math.max(0, file.size - END_SIZE - LONGEST_COMMENT);
  const tail = file.read(tailAt, file.size - tailAt);
  const v = view(tail);
  for (let at = tail.length - END_SIZE; at >= 0; at--) {
    if (v.getUint32(at, true) !== END) continue;
    if (at + END_SIZE + v.getUint16(at + 20, true) !== tail.length) continue;
    const end = tailAt + at;
    let size = v.getUint32(at + 12, true);
    let offset = v.getUint32(at + 16, true);
    let behind = end;
    const locator = view(file.read(end - 20, 20));
    if (locator.byteLength === 20 && locator.getUint32(0, true) === END64_LOCATOR) {
      // The 64-bit record normally stands right before its locator; the locator's own offset may lack what was put before.
      const record = view(file.read(end - 20 - 56, 56));
      if (record.byteLength === 56 && record.getUint32(0, true) === END64) {
        size = Number(record.getBigUint64(40, true));
        offset = Number(record.getBigUint64(48, true));
        behind = end - 20 - 56;
      }
    }
    const actual = behind - size;
    if (size > MAX_DIRECTORY || actual < 0 || offset > actual) return undefined;
    return { offset: actual, size, shift: actual - offset };
  }
  return undefined;
}

/** Whether there is an archive at the end of the file. */
export function isZip(file: MarkFile): boolean {
  return findDirectory(file) !== undefined;
}

/** The content of the entry, or undefined when there is none, or none that can be had within `limit` bytes. */
export function readEntry(file: MarkFile, name: string, limit: number): Uint8Array | undefined {
  const found = findDirectory(file);
  if (found === undefined) return undefined;
  const directory = file.read(found.offset, found.size);
  const v = view(directory);
  const wanted = new TextEncoder().encode(name);
  for (let at = 0; at + 46 <= directory.length && v.getUint32(at, true) === CENTRAL;) {
    const nameLength = v.getUint16(at + 28, true);
    const next = at + 46 + nameLength + v.getUint16(at + 30, true) + v.getUint16(at + 32, true);
    if (nameLength === wanted.length && wanted.every((c, i) => directory[at + 46 + i] === c)) {
      const method = v.getUint16(at + 10, true);
      const packed = v.getUint32(at + 20, true);
      const local = v.getUint32(at + 42, true) + found.shift;
      const header = view(file.read(local, 30));
      if (header.byteLength < 30 || header.getUint32(0, true) !== LOCAL || packed > limit) return undefined;
      const start = local + 30 + header.getUint16(26, true) + header.getUint16(28, true);
      return unpack(file.read(start, packed), method, limit);
    }
    at = next;
  }
  return undefined;
}

function unpack(b: Uint8Array, method: number, limit: number): Uint8Array | undefined {
  if (method === 0) return b;
  if (method !== 8) return undefined;
  try {
    return inflateRawSync(b, { maxOutputLength: limit });
  } catch {
    return undefined;
  }
}
