// Finds a section of an ELF file by its name, reading only headers: 32 and 64 bit, both byte orders. Offsets and counts are a
// stranger's, so each is checked against the file's size before anything is read. Format: elf(5).
import type { MarkFile } from "./file.ts";

export interface Section {
  readonly offset: number;
  readonly size: number;
}

const MAX_SECTIONS = 1 << 16;
const MAX_NAMES = 1 << 22;
const SHT_NOBITS = 8;

export function isElf(head: Uint8Array): boolean {
  return head[0] === 0x7f && head[1] === 0x45 && head[2] === 0x4c && head[3] === 0x46;
}

/** Undefined when there is no such section or the headers make no sense. */
export function findSection(file: MarkFile, name: string): Section | undefined {
  const head = file.read(0, 64);
  if (!isElf(head) || head.length < 52) return undefined;
  const wide = head[4] === 2;
  if ((!wide && head[4] !== 1) || (wide && head.length < 64)) return undefined;
  const little = head[5] === 1;
  const reader = (b: Uint8Array) => new DataView(b.buffer, b.byteOffset, b.length);
  const word = (view: DataView, at64: number, at32: number) =>
    wide ? Number(view.getBigUint64(at64, little)) : view.getUint32(at32, little);

  const header = reader(head);
  const tableAt = word(header, 40, 32);
  const entrySize = header.getUint16(wide ? 58 : 46, little);
  let count = header.getUint16(wide ? 60 : 48, little);
  let namesIndex = header.getUint16(wide ? 62 : 50, little);
  const smallest = wide ? 64 : 40;
  if (tableAt === 0 || entrySize < smallest || entrySize > 1024) return undefined;

  const first = file.read(tableAt, smallest);
  if (first.length < smallest) return undefined;
  // Large counts do not fit the header; then they stand in the first, otherwise empty, section.
  if (count === 0) count = word(reader(first), 32, 20);
  if (namesIndex === 0xffff) namesIndex = reader(first).getUint32(wide ? 40 : 24, little);
  if (count > MAX_SECTIONS || namesIndex >= count) return undefined;

  const table = file.read(tableAt, count * entrySize);
  if (table.length < count * entrySize) return undefined;
  const entry = (index: number) => {
    const view = reader(table.subarray(index * entrySize, (index + 1) * entrySize));
    return {
      name: view.getUint32(0, little),
      type: view.getUint32(4, little),
      offset: word(view, 24, 16),
      size: word(view, 32, 20),
    };
  };
  const namesEntry = entry(namesIndex);
  const names = file.read(namesEntry.offset, Math.min(namesEntry.size, MAX_NAMES));
  const wanted = new TextEncoder().encode(name + "\0");
  for (let i = 0; i < count; i++) {
    const e = entry(i);
    if (e.type === SHT_NOBITS || e.name + wanted.length > names.length) continue;
    if (wanted.every((c, k) => names[e.name + k] === c)) return { offset: e.offset, size: e.size };
  }
  return undefined;
}
