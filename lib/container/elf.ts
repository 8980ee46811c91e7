// The parts of a 64-bit little-endian ELF file that say how it is started: its loader, the libraries it needs, its entry.
// Reads and changes them in place, so that no offset moves (a compiled tk finds its program by offset). Format: elf(5).
// Every offset is checked; what makes no sense throws ElfError.
import { closeSync, fstatSync, openSync, readSync, writeSync } from "node:fs";

export class ElfError extends Error {
  override readonly name = "ElfError";
}

export type Machine = "x64" | "arm64";

const MACHINES: ReadonlyMap<number, Machine> = new Map([
  [62, "x64"],
  [183, "arm64"],
]);

const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const PT_INTERP = 3;
const PF_X = 1;
const PF_W = 2;

const DT_NEEDED = 1;
const DT_STRTAB = 5;
const DT_SYMTAB = 6;
const DT_STRSZ = 10;
const DT_SONAME = 14;
const DT_RPATH = 15;
const DT_RUNPATH = 29;
const DT_VERDEF = 0x6ffffffc;
const DT_VERDEFNUM = 0x6ffffffd;
const DT_VERNEED = 0x6ffffffe;
const DT_VERNEEDNUM = 0x6fffffff;

const HEADER_SIZE = 64;
const PROGRAM_HEADER_SIZE = 56;
const MAX_PROGRAM_HEADERS = 128;
const MAX_DYNAMIC = 1 << 16;
const MAX_STRINGS = 1 << 24;
const MAX_SEGMENT = 1 << 28;
const MAX_PATH = 4096;
const ENTRY_AT = 24;

interface Segment {
  /** Where its header stands in the file. */
  readonly at: number;
  readonly type: number;
  readonly flags: number;
  readonly offset: number;
  readonly address: number;
  readonly fileSize: number;
  readonly memorySize: number;
}

/** A string in the table of dynamic strings. */
interface Name {
  /** Offset in the table. */
  readonly at: number;
  readonly text: string;
}

function view(b: Uint8Array): DataView {
  return new DataView(b.buffer, b.byteOffset, b.length);
}

/** Text of ASCII, which all names in these files are. */
function textAt(b: Uint8Array, at: number): string {
  const end = b.indexOf(0, at);
  if (at >= b.length || end < 0) throw new ElfError("a name in it has no end");
  return Buffer.from(b.subarray(at, end)).toString("latin1");
}

/** An ELF file that is open for changes in place. */
export class ElfFile {
  readonly machine: Machine;
  readonly size: number;
  private readonly fd: number;
  private readonly segments: readonly Segment[];
  private readonly dynamic: readonly { readonly tag: number; readonly value: number }[];
  /** The table of dynamic strings, as it is now. */
  private readonly strings: Uint8Array;
  private readonly stringsAt: number;

  constructor(path: string, access: "r" | "r+" = "r+") {
    this.fd = openSync(path, access);
    try {
      const stat = fstatSync(this.fd);
      if (!stat.isFile()) throw new ElfError("it is not a file");
      this.size = stat.size;
      const header = this.read(0, HEADER_SIZE);
      if (view(header).getUint32(0, false) !== 0x7f454c46) throw new ElfError("it is not an ELF file");
      if (header[4] !== 2 || header[5] !== 1) throw new ElfError("it is not for a 64-bit little-endian machine");
      const machine = MACHINES.get(view(header).getUint16(18, true));
      if (machine === undefined) throw new ElfError("it is for a machine that tk does not know");
      this.machine = machine;
      this.segments = this.readSegments(header);
      this.dynamic = this.readDynamic();
      const at = this.dynamicValue(DT_STRTAB);
      const size = this.dynamicValue(DT_STRSZ) ?? 0;
      if (size > MAX_STRINGS) throw new ElfError("its table of names is too large");
      this.stringsAt = at === undefined ? 0 : this.offsetOf(at);
      this.strings = at === undefined ? new Uint8Array() : this.read(this.stringsAt, size);
    } catch (error) {
      closeSync(this.fd);
      throw error;
    }
  }

  close(): void {
    closeSync(this.fd);
  }

  private read(at: number, length: number): Uint8Array {
    if (at < 0 || length < 0 || at + length > this.size) throw new ElfError("it is cut off, or its headers are wrong");
    const out = new Uint8Array(length);
    for (let n = 0; n < length;) {
      const k = readSync(this.fd, out, n, length - n, at + n);
      if (k === 0) throw new ElfError("it is cut off");
      n += k;
    }
    return out;
  }

  private write(at: number, b: Uint8Array): void {
    if (at < 0 || at + b.length > this.size) throw new ElfError("its headers are wrong");
    for (let n = 0; n < b.length;) n += writeSync(this.fd, b, n, b.length - n, at + n);
  }

  private readSegments(header: Uint8Array): Segment[] {
    const v = view(header);
    const tableAt = Number(v.getBigUint64(32, true));
    const entrySize = v.getUint16(54, true);
    const count = v.getUint16(56, true);
    if (entrySize !== PROGRAM_HEADER_SIZE || count === 0 || count > MAX_PROGRAM_HEADERS)
      throw new ElfError("its program headers make no sense");
    const table = view(this.read(tableAt, count * PROGRAM_HEADER_SIZE));
    return Array.from({ length: count }, (_, i) => {
      const at = i * PROGRAM_HEADER_SIZE;
      const word = (field: number) => Number(table.getBigUint64(at + field, true));
      return {
        at: tableAt + at,
        type: table.getUint32(at, true),
        flags: table.getUint32(at + 4, true),
        offset: word(8),
        address: word(16),
        fileSize: word(32),
        memorySize: word(40),
      };
    });
  }

  private readDynamic(): { tag: number; value: number }[] {
    const segment = this.segments.find((s) => s.type === PT_DYNAMIC);
    if (segment === undefined) return [];
    if (segment.fileSize > MAX_DYNAMIC) throw new ElfError("its dynamic section is too large");
    const b = view(this.read(segment.offset, segment.fileSize));
    const out: { tag: number; value: number }[] = [];
    for (let at = 0; at + 16 <= b.byteLength; at += 16) {
      const tag = Number(b.getBigUint64(at, true));
      if (tag === 0) break;
      out.push({ tag, value: Number(b.getBigUint64(at + 8, true)) });
    }
    return out;
  }

  private dynamicValue(tag: number): number | undefined {
    return this.dynamic.find((entry) => entry.tag === tag)?.value;
  }

  private offsetOf(address: number): number {
    for (const s of this.segments)
      if (s.type === PT_LOAD && address >= s.address && address < s.address + s.fileSize)
        return address - s.address + s.offset;
    throw new ElfError("an address in it belongs to no part of the file");
  }

  /** The loader that the kernel starts for it; undefined for a static program. */
  get interpreter(): string | undefined {
    const segment = this.segments.find((s) => s.type === PT_INTERP);
    return segment === undefined ? undefined : textAt(this.read(segment.offset, segment.fileSize), 0);
  }

  setInterpreter(path: string): void {
    const segment = this.segments.find((s) => s.type === PT_INTERP);
    if (segment === undefined || path.length + 1 > segment.fileSize || segment.fileSize > MAX_PATH)
      throw new ElfError(`there is no room for the loader's name '${path}'`);
    // The kernel wants the last byte of the segment to be the end of the text, so zeros fill what is left.
    const b = new Uint8Array(segment.fileSize);
    b.set(Buffer.from(path, "latin1"));
    this.write(segment.offset, b);
  }

  private names(tag: number): Name[] {
    return this.dynamic
      .filter((entry) => entry.tag === tag)
      .map(({ value }) => ({ at: value, text: textAt(this.strings, value) }));
  }

  /** The name by which other files need this library. */
  get soname(): string | undefined {
    return this.names(DT_SONAME)[0]?.text;
  }

  /** Libraries that its loader must find, in order. */
  get needed(): string[] {
    return this.names(DT_NEEDED).map((name) => name.text);
  }

  /**
   * Renames a needed library; a name with a slash is a path, and no search takes place. The new text takes the place of the
   * old one, so it may not be longer, and nobody else may use a part of it: linkers let names share their ends.
   */
  setNeeded(from: string, to: string): void {
    const name = this.names(DT_NEEDED).find((n) => n.text === from);
    if (name === undefined) throw new ElfError(`it does not need '${from}'`);
    if (to.length > from.length) throw new ElfError(`'${to}' does not fit where '${from}' stands`);
    for (const used of this.stringUses())
      if (used > name.at && used < name.at + from.length + 1)
        throw new ElfError(`'${from}' shares its text with another name`);
    for (let before = name.at - 1; before >= 0 && this.strings[before] !== 0; before--)
      if (this.usesText(before)) throw new ElfError(`'${from}' is the end of another name`);
    const b = new Uint8Array(from.length);
    b.set(Buffer.from(to, "latin1"));
    this.strings.set(b, name.at);
    this.write(this.stringsAt + name.at, b);
  }

  private usesText(at: number): boolean {
    return this.stringUses().has(at);
  }

  private uses: Set<number> | undefined;

  /** Offsets in the table of names that anything refers to. */
  private stringUses(): Set<number> {
    if (this.uses !== undefined) return this.uses;
    const uses = new Set<number>();
    for (const { tag, value } of this.dynamic)
      if (tag === DT_NEEDED || tag === DT_SONAME || tag === DT_RPATH || tag === DT_RUNPATH) uses.add(value);
    this.addSymbols(uses);
    this.addVersions(uses, DT_VERNEED, DT_VERNEEDNUM);
    this.addVersions(uses, DT_VERDEF, DT_VERDEFNUM);
    return (this.uses = uses);
  }

  /**
   * The dynamic section does not say how many symbols there are. The table of names follows the table of symbols in what every
   * common linker writes; where it does not, the hash table's number of chains would be needed, which gives less than this.
   */
  private addSymbols(uses: Set<number>): void {
    const address = this.dynamicValue(DT_SYMTAB);
    if (address === undefined) return;
    const from = this.offsetOf(address);
    const to = this.symbolsEnd(from, address);
    const b = view(this.read(from, to - from));
    for (let at = 0; at + 24 <= b.byteLength; at += 24) uses.add(b.getUint32(at, true));
  }

  private symbolsEnd(from: number, address: number): number {
    const hash = this.dynamicValue(4);
    if (hash !== undefined) {
      const chains = view(this.read(this.offsetOf(hash), 8)).getUint32(4, true);
      return Math.min(from + chains * 24, this.size);
    }
    // Everything that any other entry points at lies outside the table, so the nearest one behind it is its end.
    const segment = this.segments.find(
      (s) => s.type === PT_LOAD && address >= s.address && address < s.address + s.fileSize,
    )!;
    let end = segment.offset + segment.fileSize;
    for (const { value } of this.dynamic)
      if (value > address && value < segment.address + segment.fileSize)
        end = Math.min(end, value - segment.address + segment.offset);
    return end;
  }

  /** Verneed and Verdef: a list of { version, count, file or flags..., aux, next } with a list of names each. */
  private addVersions(uses: Set<number>, tag: number, countTag: number): void {
    const address = this.dynamicValue(tag);
    if (address === undefined) return;
    const need = tag === DT_VERNEED;
    let at = this.offsetOf(address);
    for (let left = this.dynamicValue(countTag) ?? 0; left > 0; left--) {
      const head = view(this.read(at, need ? 16 : 20));
      const count = head.getUint16(need ? 2 : 6, true);
      if (need) uses.add(head.getUint32(4, true));
      let auxAt = at + head.getUint32(need ? 8 : 12, true);
      for (let i = 0; i < count; i++) {
        const aux = view(this.read(auxAt, need ? 16 : 8));
        uses.add(aux.getUint32(need ? 8 : 0, true));
        const step = aux.getUint32(need ? 12 : 4, true);
        if (step === 0) break;
        auxAt += step;
      }
      const step = head.getUint32(need ? 12 : 16, true);
      if (step === 0) break;
      at += step;
    }
  }

  /**
   * Replaces texts of the read-only data. `what` matches the end of a text, up to its NUL: numbers that happen to stand right
   * before a text are no part of it. `to` gives a text that is not longer. How many were replaced.
   */
  replaceTexts(what: RegExp, to: (found: string) => string): number {
    let changed = 0;
    for (const s of this.segments) {
      if (s.type !== PT_LOAD || (s.flags & (PF_X | PF_W)) !== 0 || s.fileSize > MAX_SEGMENT) continue;
      const b = this.read(s.offset, s.fileSize);
      for (let at = 0, end = 0; at < b.length; at = end + 1) {
        end = b.indexOf(0, at);
        if (end < 0) end = b.length;
        if (end - at < 4 || end - at > 256) continue;
        const found = what.exec(Buffer.from(b.subarray(at, end)).toString("latin1"));
        if (found === null) continue;
        const bytes = new Uint8Array(found[0].length);
        bytes.set(Buffer.from(to(found[0]).slice(0, bytes.length), "latin1"));
        this.write(s.offset + at + found.index, bytes);
        changed++;
      }
    }
    return changed;
  }

  /**
   * Puts code in front of the entry: into the unused rest of the executable segment's last page, which is in memory anyway.
   * `code` gets the addresses where it will stand and where the program began before. False when there is no room.
   */
  prependEntry(length: number, code: (at: number, entry: number) => Uint8Array): boolean {
    const s = this.segments.find((segment) => segment.type === PT_LOAD && (segment.flags & PF_X) !== 0);
    if (s === undefined || s.fileSize !== s.memorySize) return false;
    const page = 4096;
    const end = s.offset + s.fileSize;
    const from = Math.ceil(end / 16) * 16;
    const room = Math.ceil(end / page) * page;
    if (from + length > room || from + length > this.size) return false;
    for (const other of this.segments)
      if (other.type === PT_LOAD && other.offset >= end && other.offset < from + length) return false;
    if (this.read(end, from + length - end).some((b) => b !== 0)) return false;
    const entry = Number(view(this.read(ENTRY_AT, 8)).getBigUint64(0, true));
    const at = s.address + (from - s.offset);
    this.write(from, code(at, entry));
    this.writeWord(ENTRY_AT, at);
    const size = from + length - s.offset;
    this.writeWord(s.at + 32, size);
    this.writeWord(s.at + 40, size);
    return true;
  }

  private writeWord(at: number, value: number): void {
    const b = new Uint8Array(8);
    view(b).setBigUint64(0, BigInt(value), true);
    this.write(at, b);
  }
}
