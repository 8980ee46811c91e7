// Reads a file of raw events (`ID.<stream>.<n>`) which its writer may still be filling: 64 bytes of header, then `capacity` words, then as
// many times. A time is written before its word, and a word of 0 is not written yet: what comes before the first 0 is true
// at any moment. The files are believed no more than any stranger's.
import { closeSync, fstatSync, openSync, readFileSync, readSync } from "node:fs";
import { inflateSync } from "node:zlib";
import { errorCode, errorWords } from "../host/out.ts";

export const RAW_HEADER = 64;
const MAGIC = 0x314c4b54; // TKL1
const VERSION = 1;
/** Events in one file: recorders write 65536. */
const MOST_EVENTS = 1 << 22;
const EVENT = 12;
/** Words are looked at in pieces of this many. */
const PIECE = 1 << 14;

/** A time that the recorder did not take. */
export const UNSTAMPED = -Infinity;

export interface RawEvents {
  /** Why the recorder could write nothing after this block: an errno; 0 when it could. */
  readonly stopped: number;
  readonly capacity: number;
  readonly length: number;
  /** `length` of them and whatever was there before; valid until the next read. */
  readonly words: Int32Array;
  /** On the reader's axis, UNSTAMPED where there is none. */
  readonly times: Float64Array;
}

interface Bytes {
  readonly size: number;
  read(into: Uint8Array, from: number): number;
  close(): void;
}

export class RawBlockReader {
  private words = new Int32Array(PIECE);
  private times = new Float64Array(PIECE);
  private raw = new Uint32Array(PIECE * 2);
  private readonly header = new Uint8Array(RAW_HEADER);
  private readonly zeroHigh: number;
  private readonly zeroLow: number;

  /** `zero`: what is 0 on the reader's axis, on the streams' clock. */
  constructor(zero: bigint) {
    this.zeroHigh = Number(zero >> 32n);
    this.zeroLow = Number(zero & 0xffffffffn);
  }

  /** The events from number `from` on; undefined when the file is not there (any more); a sentence when it is no such file. */
  read(path: string, from: number): RawEvents | string | undefined {
    let file: Bytes;
    try {
      file = path.endsWith(".z") ? inflated(path) : opened(path);
    } catch (error) {
      if (errorCode(error) === "ENOENT") return undefined;
      return `it cannot be read: ${errorWords(error)}`;
    }
    try {
      return this.readFile(file, from);
    } catch (error) {
      return `it cannot be read: ${errorWords(error)}`;
    } finally {
      file.close();
    }
  }

  private readFile(file: Bytes, from: number): RawEvents | string {
    if (file.read(this.header, 0) < RAW_HEADER) return `it has ${file.size} bytes, expected a header of ${RAW_HEADER}`;
    const head = new DataView(this.header.buffer);
    if (head.getUint32(0, true) !== MAGIC) return "it does not begin with TKL1";
    const version = head.getUint32(4, true);
    if (version !== VERSION) return `its version is ${version}, this tk knows ${VERSION}`;
    const capacity = head.getUint32(8, true);
    if (capacity < 1 || capacity > MOST_EVENTS)
      return `it claims room for ${capacity} events, expected 1 to ${MOST_EVENTS}`;
    const wanted = RAW_HEADER + EVENT * capacity;
    if (file.size < wanted) return `it has ${file.size} bytes, expected ${wanted} for ${capacity} events`;
    const length = this.readWords(file, from, capacity);
    this.readTimes(file, RAW_HEADER + 4 * capacity + 8 * from, length);
    return { stopped: head.getUint32(12, true), capacity, length, words: this.words, times: this.times };
  }

  private readWords(file: Bytes, from: number, capacity: number): number {
    let length = 0;
    while (from + length < capacity) {
      const n = Math.min(PIECE, capacity - from - length);
      if (this.words.length < length + n) this.grow(length + n);
      const into = this.words.subarray(length, length + n);
      const got = file.read(bytesOf(into), RAW_HEADER + 4 * (from + length)) >> 2;
      const end = into.subarray(0, got).indexOf(0);
      if (end >= 0) return length + end;
      length += got;
      if (got < n) break;
    }
    return length;
  }

  private readTimes(file: Bytes, at: number, length: number): void {
    const { raw, times, zeroHigh, zeroLow } = this;
    const got = file.read(bytesOf(raw.subarray(0, length * 2)), at) >> 3;
    for (let i = 0; i < length; i++) {
      const low = raw[2 * i]!;
      const high = raw[2 * i + 1]!;
      times[i] = i >= got || (low | high) === 0 ? UNSTAMPED : (high - zeroHigh) * 4294967296 + (low - zeroLow);
    }
  }

  private grow(least: number): void {
    const words = new Int32Array(Math.max(least, this.words.length * 2));
    words.set(this.words);
    this.words = words;
    this.times = new Float64Array(words.length);
    this.raw = new Uint32Array(words.length * 2);
  }
}

const bytesOf = (a: Int32Array | Uint32Array): Uint8Array => new Uint8Array(a.buffer, a.byteOffset, a.byteLength);

function opened(path: string): Bytes {
  const fd = openSync(path, "r");
  return {
    size: fstatSync(fd).size,
    read(into, from) {
      let n = 0;
      while (n < into.length) {
        const got = readSync(fd, into, n, into.length - n, from + n);
        if (got === 0) break;
        n += got;
      }
      return n;
    },
    close: () => closeSync(fd),
  };
}

/** A finished block of a spool, compressed as a whole. */
function inflated(path: string): Bytes {
  const bytes = inflateSync(readFileSync(path), { maxOutputLength: RAW_HEADER + EVENT * MOST_EVENTS });
  return {
    size: bytes.length,
    read(into, from) {
      const part = bytes.subarray(from, from + into.length);
      into.set(part);
      return part.length;
    },
    close() {},
  };
}
