// The walker that finds where zstd frames end, against frames that the runtime's own encoder wrote.
import { expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { constants, zstdCompressSync } from "node:zlib";
import { ZstdFrames } from "../../lib/format/_zstd_frames.ts";

const contents = [
  new Uint8Array(0),
  new Uint8Array(10).fill(65),
  new Uint8Array(300_000).fill(65),
  new Uint8Array(randomBytes(200_000)),
  new TextEncoder().encode("a line of text\n".repeat(30_000)),
];

const frames = contents.flatMap((content) => [
  zstdCompressSync(content),
  zstdCompressSync(content, { params: { [constants.ZSTD_c_checksumFlag]: 1 } }),
  zstdCompressSync(content, { params: { [constants.ZSTD_c_contentSizeFlag]: 0 } }),
]);

test("every frame ends where it ends, in any pieces", () => {
  const all = Buffer.concat(frames);
  for (const size of [1, 3, 1000, all.length]) {
    const walker = new ZstdFrames();
    const ends: number[] = [];
    for (let at = 0; at < all.length;) {
      const piece = Math.min(size, all.length - at);
      const stopped = walker.walk(all, at, at + piece);
      expect(stopped).toBeGreaterThan(at);
      at = stopped;
      if (walker.atBorder) ends.push(at);
    }
    let sum = 0;
    expect(ends).toEqual(frames.map((frame) => (sum += frame.length)));
    expect(walker.failed).toBe(false);
  }
});

test("no shorter part of a frame is a whole one", () => {
  for (const frame of frames.slice(0, 6))
    for (let n = 1; n < Math.min(frame.length, 400); n++) {
      const walker = new ZstdFrames();
      walker.walk(frame, 0, n);
      expect(walker.atBorder).toBe(false);
    }
});

test("what is no frame is told", () => {
  const walker = new ZstdFrames();
  walker.walk(Buffer.concat([frames[0]!, Buffer.from("text")]), 0, frames[0]!.length + 4);
  expect(walker.atBorder).toBe(true);
  walker.walk(Buffer.from("text"), 0, 4);
  expect(walker.failed).toBe(true);
});
