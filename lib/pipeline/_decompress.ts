// gzip and zstd streams back to bytes. A stream that is cut or corrupt gives what could be decoded, and says so once.
import { createGunzip, createZstdDecompress } from "node:zlib";
import type { Compression } from "../format/detect.ts";
import type { Chunks } from "./_bytes.ts";

/** How much compressed input is given to the decoder at a time: what it becomes has to be held. */
const PIECE = 1 << 15;

export async function* decompress(
  chunks: Chunks,
  compression: Exclude<Compression, "none">,
  problem: (message: string) => void,
): Chunks {
  const decoder = compression === "gzip" ? createGunzip() : createZstdDecompress();
  const ready: Uint8Array[] = [];
  let failure: Error | undefined;
  let ended = false;
  let wake = () => {};
  decoder.on("data", (data: Uint8Array) => ready.push(data));
  decoder.on("error", (error: Error) => {
    failure ??= error;
    wake();
  });
  decoder.on("end", () => {
    ended = true;
    wake();
  });
  const fed = (piece: Uint8Array) =>
    new Promise<void>((resume) => {
      wake = resume;
      decoder.write(piece, () => resume());
    });
  const finished = () =>
    new Promise<void>((resume) => {
      wake = resume;
      if (ended || failure) resume();
      else decoder.end();
    });
  try {
    for await (const chunk of chunks) {
      for (let at = 0; at < chunk.length && !failure; at += PIECE) {
        // The decoder keeps the piece until it is done with it, which is before the next one; the chunk lives as long.
        await fed(chunk.subarray(at, at + PIECE));
        yield* ready.splice(0);
      }
      if (failure) break;
    }
    if (!failure) await finished();
    yield* ready.splice(0);
    if (failure) problem(`the ${compression} stream is cut or corrupt; what came before is kept`);
  } finally {
    decoder.destroy();
  }
}
