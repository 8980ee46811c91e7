// gzip and zstd streams back to bytes. A stream that is cut or corrupt gives what could be decoded, and says so once.
import { createGunzip, createZstdDecompress } from "node:zlib";
import type { Compression } from "../format/detect.ts";
import { ZstdFrames } from "../format/_zstd_frames.ts";
import type { Chunks } from "./_bytes.ts";

/** How much compressed input is given to a decoder at a time: what becomes of it has to be held. */
const PIECE = 1 << 15;

export async function* decompress(
  chunks: Chunks,
  compression: Exclude<Compression, "none">,
  problem: (message: string) => void,
): Chunks {
  const whole = yield* compression === "gzip" ? gunzip(chunks) : unzstd(chunks);
  if (!whole) problem(`the ${compression} stream is cut or corrupt; what came before is kept`);
}

type Decoded = AsyncGenerator<Uint8Array, boolean, undefined>;

/** False when the stream was not whole. Members one after the other are one stream. */
async function* gunzip(chunks: Chunks): Decoded {
  let inflater = new Inflater(createGunzip());
  /** The whole input while it is one small chunk. */
  let small: Uint8Array | undefined;
  let isFirst = true;
  try {
    for await (const chunk of chunks) {
      small = isFirst && chunk.length <= PIECE ? new Uint8Array(chunk) : undefined;
      isFirst = false;
      yield* inflater.feed(chunk);
      if (inflater.failed) break;
    }
    yield* inflater.finish();
    if (!inflater.failed) return true;
    if (small !== undefined) {
      // The decoder forgets what it decoded just before a fault (below 16 KiB): of a small file that is all of it,
      // so it is fed again byte by byte.
      const known = inflater.given;
      inflater.close();
      inflater = new Inflater(createGunzip());
      yield* behind(inflater.feed(small, 1), known);
    }
    return false;
  } finally {
    inflater.close();
  }
}

/** Leaves out the first `skip` bytes. */
async function* behind(chunks: Chunks, skip: number): Chunks {
  let left = skip;
  for await (const chunk of chunks) {
    if (chunk.length > left) yield chunk.subarray(left);
    left = Math.max(0, left - chunk.length);
  }
}

/** Each frame has its own decoder, because not every runtime's goes on to the next one. */
async function* unzstd(chunks: Chunks): Decoded {
  const frames = new ZstdFrames();
  let inflater: Inflater | undefined;
  try {
    for await (const chunk of chunks)
      for (let at = 0; at < chunk.length;) {
        const next = frames.walk(chunk, at, chunk.length);
        inflater ??= new Inflater(createZstdDecompress());
        yield* inflater.feed(chunk.subarray(at, next));
        at = next;
        if (inflater.failed || frames.failed) return false;
        if (!frames.atBorder) continue;
        yield* inflater.finish();
        if (inflater.failed) return false;
        inflater.close();
        inflater = undefined;
      }
    if (inflater) yield* inflater.finish();
    return frames.atBorder;
  } finally {
    inflater?.close();
  }
}

/** One of node's decompressors, fed and emptied by turns. */
class Inflater {
  failed = false;
  /** Bytes decoded so far. */
  given = 0;
  private readonly decoder: ReturnType<typeof createGunzip> | ReturnType<typeof createZstdDecompress>;
  private readonly ready: Uint8Array[] = [];
  private ended = false;
  private wake: () => void = () => {};

  constructor(decoder: Inflater["decoder"]) {
    this.decoder = decoder;
    decoder.on("data", (data: Uint8Array) => {
      this.given += data.length;
      this.ready.push(data);
    });
    decoder.on("error", () => {
      this.failed = true;
      this.wake();
    });
    decoder.on("end", () => {
      this.ended = true;
      this.wake();
    });
  }

  async *feed(bytes: Uint8Array, step = PIECE): Chunks {
    for (let at = 0; at < bytes.length && !this.failed; at += step) {
      const piece = bytes.subarray(at, at + step);
      await new Promise<void>((resume) => {
        this.wake = resume;
        this.decoder.write(piece, () => resume());
      });
      yield* this.ready.splice(0);
    }
  }

  async *finish(): Chunks {
    if (!this.failed)
      await new Promise<void>((resume) => {
        this.wake = resume;
        if (this.ended) resume();
        else this.decoder.end();
      });
    yield* this.ready.splice(0);
  }

  close(): void {
    this.decoder.destroy();
  }
}
