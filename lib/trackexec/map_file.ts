// One file of a log's `log_map` folder: 32 blocks, as they are or gzipped. What is damaged gives what can be had of it; nothing larger
// than a whole map is ever held, whatever the file claims to be.
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { constants as zlib, gunzipSync } from "node:zlib";
import { errorCode } from "../host/out.ts";
import { BLOCK_BYTES, BLOCK_WORDS } from "./block.ts";

export const MAP_BLOCKS = 32;
const MAP_BYTES = MAP_BLOCKS * BLOCK_BYTES;

/** A map that does not compress at all is little longer than itself. */
const MOST_COMPRESSED = 2 * MAP_BYTES;

export interface MapFile {
  /** `log_map/3.gz` */
  readonly name: string;
  /** Bytes of the map that are there. */
  readonly bytes: number;
  /** What is wrong with the file as a whole: its content is not to be trusted where it looks odd. */
  readonly damage: string | undefined;
}

/** Reads map files into one buffer, one at a time. */
export class MapReader {
  private readonly words = new Uint16Array(MAP_BLOCKS * BLOCK_WORDS);
  private readonly bytes = new Uint8Array(this.words.buffer);
  private readonly compressed = new Uint8Array(MOST_COMPRESSED + 1);
  private readonly dir: string;

  constructor(dir: string) {
    this.dir = dir;
  }

  /**
   * Map `number`, of which `blocks` are expected; undefined when there is no such file. The uncompressed file comes first: while it is there,
   * the other may be half written. Throws what node's `fs` throws.
   */
  read(number: number, blocks: number): MapFile | undefined {
    const plain = this.readPlain(`log_map/${number}`);
    if (plain !== undefined && plain.bytes >= blocks * BLOCK_BYTES) return plain;
    const kept = plain === undefined ? undefined : this.bytes.slice(0, plain.bytes);
    const packed = this.readPacked(`log_map/${number}.gz`);
    if (plain === undefined || kept === undefined) return packed;
    if (packed !== undefined && packed.bytes > plain.bytes) return packed;
    this.bytes.set(kept);
    return plain;
  }

  /** Block `nth` (0 to 31) of the map that was read last; shorter than a block where the file ends. */
  block(file: MapFile, nth: number): Uint16Array {
    const end = Math.min((nth + 1) * BLOCK_WORDS, file.bytes >> 1);
    return this.words.subarray(Math.min(nth * BLOCK_WORDS, end), end);
  }

  private readPlain(name: string): MapFile | undefined {
    const n = readFile(`${this.dir}/${name}`, this.bytes);
    if (n === undefined) return undefined;
    const damage = n.more ? `it is larger than ${MAP_BYTES} bytes` : undefined;
    return { name, bytes: n.bytes, damage };
  }

  private readPacked(name: string): MapFile | undefined {
    const n = readFile(`${this.dir}/${name}`, this.compressed);
    if (n === undefined) return undefined;
    const packed = this.compressed.subarray(0, n.bytes);
    const { plain, damage } = unpack(packed);
    this.bytes.set(plain);
    return { name, bytes: plain.length, damage: n.more ? `it is larger than ${MOST_COMPRESSED} bytes` : damage };
  }
}

/** Fills `into` from a regular file; undefined when there is no such file. */
function readFile(path: string, into: Uint8Array): { readonly bytes: number; readonly more: boolean } | undefined {
  let fd: number;
  try {
    // Not waiting for the writer of a named pipe that stands where a file should be.
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) return { bytes: 0, more: false };
    let bytes = 0;
    while (bytes < into.length) {
      const n = readSync(fd, into, bytes, into.length - bytes, bytes);
      if (n === 0) break;
      bytes += n;
    }
    return { bytes, more: stat.size > into.length };
  } finally {
    closeSync(fd);
  }
}

/** A stream that is merely cut gives what it has: no error. */
function inflate(packed: Uint8Array): Uint8Array {
  return gunzipSync(packed, { finishFlush: zlib.Z_SYNC_FLUSH, maxOutputLength: MAP_BYTES });
}

function unpack(packed: Uint8Array): { readonly plain: Uint8Array; readonly damage: string | undefined } {
  try {
    return { plain: inflate(packed), damage: undefined };
  } catch (error) {
    const damage =
      errorCode(error) === "ERR_BUFFER_TOO_LARGE"
        ? `it unpacks to more than ${MAP_BYTES} bytes`
        : `its gzip stream is corrupt (${error instanceof Error ? error.message : "unreadable"})`;
    // The longest beginning that unpacks: whatever comes before the damage does.
    let good = 0;
    let plain: Uint8Array = new Uint8Array(0);
    for (let bad = packed.length; bad - good > 1;) {
      const middle = (good + bad) >> 1;
      try {
        plain = inflate(packed.subarray(0, middle));
        good = middle;
      } catch {
        bad = middle;
      }
    }
    return { plain, damage };
  }
}
