// The text behind a recording's rows: in memory while it is small, else in the file it came from or in a temporary one,
// read in pages when somebody looks.
import type { TextStore } from "../model/recording.ts";
import { readFully, Spool } from "../host/spool.ts";

/** Fills `into` from the file's `from`; how many bytes there were. */
type ReadAt = (into: Uint8Array, from: number) => number;

const PAGE = 1 << 16;
/** A power of two. */
const PAGES = 64;

/** Text in a file. Lines that are read one after the other cost one read a page. */
export class PagedText implements TextStore {
  readonly size: number;
  private readonly readAt: ReadAt;
  private readonly pages: Uint8Array[] = [];
  private readonly held = new Float64Array(PAGES).fill(-1);
  private readonly filled = new Int32Array(PAGES);

  constructor(size: number, readAt: ReadAt) {
    this.size = size;
    this.readAt = readAt;
  }

  read(at: number, length: number): Uint8Array {
    const page = Math.floor(at / PAGE);
    const from = at - page * PAGE;
    if (from + length > PAGE) {
      const into = new Uint8Array(length);
      return into.subarray(0, this.tryRead(into, at));
    }
    const slot = page % PAGES;
    const bytes = (this.pages[slot] ??= new Uint8Array(PAGE));
    if (this.held[slot] !== page) {
      this.held[slot] = page;
      this.filled[slot] = this.tryRead(bytes, page * PAGE);
    }
    const end = Math.min(from + length, this.filled[slot]!);
    return bytes.subarray(Math.min(from, end), end);
  }

  /** A file that cannot be read any more has no text: views then leave out what they do not find. */
  private tryRead(into: Uint8Array, from: number): number {
    try {
      return this.readAt(into, from);
    } catch {
      return 0;
    }
  }
}

export function fileText(fd: number, size: number): TextStore {
  return new PagedText(size, (into, from) => readFully(fd, into, 0, into.length, from));
}

/** Collects text: in memory up to `limit` bytes, in a temporary file beyond. */
export class TextCollector {
  private readonly limit: number;
  private bytes: Uint8Array;
  private length = 0;
  private spool: Spool | undefined;

  constructor(limit: number, expected = 0) {
    this.limit = limit;
    this.bytes = new Uint8Array(Math.min(limit, expected));
  }

  /** Throws OutputError when there is no room for a temporary file. */
  append(chunk: Uint8Array): void {
    if (this.spool === undefined && this.length + chunk.length > this.limit) {
      this.spool = new Spool();
      this.spool.out.bytes(this.bytes, 0, this.length);
      this.bytes = new Uint8Array(0);
      this.length = 0;
    }
    if (this.spool !== undefined) {
      this.spool.out.bytes(chunk, 0, chunk.length);
      return;
    }
    const need = this.length + chunk.length;
    if (need > this.bytes.length) {
      const grown = new Uint8Array(Math.min(this.limit, Math.max(need, this.bytes.length * 2, 1 << 16)));
      grown.set(this.bytes.subarray(0, this.length));
      this.bytes = grown;
    }
    this.bytes.set(chunk, this.length);
    this.length = need;
  }

  /** What was collected; the bytes in memory, undefined when they are in the temporary file. */
  inMemory(): Uint8Array | undefined {
    return this.spool === undefined ? this.bytes.subarray(0, this.length) : undefined;
  }

  /** The temporary file's text. */
  spooled(): TextStore {
    const spool = this.spool;
    if (spool === undefined) return new PagedText(0, () => 0);
    spool.out.flush();
    return new PagedText(spool.out.size, (into, from) => spool.read(into, 0, into.length, from));
  }

  close(): void {
    this.spool?.close();
  }
}
