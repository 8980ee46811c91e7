// How blocks of executed lines are compressed in a recording. A codec has a name that stands in the block, so that a later tk may have
// others and an older one can say which it does not know. Decompression is bounded: whatever a stranger's bytes claim to be.
import { crc32, deflateRawSync, inflateRawSync, zstdCompressSync, zstdDecompressSync } from "node:zlib";

export interface BlockCodec {
  readonly name: string;
  compress(bytes: Uint8Array): Uint8Array;
  /** Undefined when the bytes are damaged or would become more than `most`. */
  decompress(bytes: Uint8Array, most: number): Uint8Array | undefined;
}

/** For a function that throws where its bytes are no good. */
function careful(decompress: () => Uint8Array): Uint8Array | undefined {
  try {
    return decompress();
  } catch {
    return undefined;
  }
}

const zstd: BlockCodec = {
  name: "tkl1-zstd",
  compress: (bytes) => zstdCompressSync(bytes),
  decompress: (bytes, most) => careful(() => zstdDecompressSync(bytes, { maxOutputLength: most })),
};

const deflate: BlockCodec = {
  name: "tkl1-deflate",
  compress: (bytes) => deflateRawSync(bytes),
  decompress: (bytes, most) => careful(() => inflateRawSync(bytes, { maxOutputLength: most })),
};

/** Older runtimes know no zstd. */
const hasZstd = typeof zstdCompressSync === "function";

const CODECS: readonly BlockCodec[] = hasZstd ? [zstd, deflate] : [deflate];

/** The one to write with. */
export const blockCodec: BlockCodec = CODECS[0]!;

export const findBlockCodec = (name: string): BlockCodec | undefined => CODECS.find((codec) => codec.name === name);

/** CRC-32 as in zip and PNG. */
export const checksum = (bytes: Uint8Array): number => crc32(bytes);
