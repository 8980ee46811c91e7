// Which format some bytes are in, from their head alone: names and extensions are not looked at.
// The highest sniff wins; a tie is an error that names both.
import { err, ok, type Result } from "neverthrow";
import type { InputFormat } from "./format.ts";
import { formats } from "./registry.ts";

/** How much of the input a sniff looks at. */
export const HEAD_SIZE = 4096;

export type Compression = "none" | "gzip" | "zstd";

export type DetectError =
  | { readonly _tag: "Tie"; readonly formats: readonly string[] }
  | { readonly _tag: "NoFormat" }
  /** Compressed in a way that tk does not read; `tool` undoes it. */
  | { readonly _tag: "OtherCompression"; readonly name: string; readonly tool: string };

function startsWith(head: Uint8Array, ...magic: number[]): boolean {
  return head.length >= magic.length && magic.every((byte, i) => head[i] === byte);
}

export function detectCompression(head: Uint8Array): Result<Compression, DetectError> {
  if (startsWith(head, 0x1f, 0x8b)) return ok("gzip");
  if (startsWith(head, 0x28, 0xb5, 0x2f, 0xfd)) return ok("zstd");
  if (startsWith(head, 0xfd, 0x37, 0x7a, 0x58, 0x5a)) return other("xz", "unxz");
  if (startsWith(head, 0x42, 0x5a, 0x68) && head.length > 4 && head[4] === 0x31) return other("bzip2", "bunzip2");
  if (startsWith(head, 0x50, 0x4b, 0x03, 0x04)) return other("zip", "unzip");
  if (startsWith(head, 0x04, 0x22, 0x4d, 0x18)) return other("lz4", "unlz4");
  return ok("none");
}

function other(name: string, tool: string): Result<Compression, DetectError> {
  return err({ _tag: "OtherCompression", name, tool });
}

export function detectFormat(
  head: Uint8Array,
  candidates: readonly InputFormat[] = formats.entries,
): Result<InputFormat, DetectError> {
  let best = 0;
  let winners: InputFormat[] = [];
  for (const format of candidates) {
    const sure = format.sniff(head.subarray(0, HEAD_SIZE));
    if (sure <= 0 || sure < best) continue;
    if (sure > best) winners = [];
    best = sure;
    winners.push(format);
  }
  const [winner, ...rivals] = winners;
  if (winner === undefined) return err({ _tag: "NoFormat" });
  if (rivals.length > 0) return err({ _tag: "Tie", formats: winners.map((f) => f.id) });
  return ok(winner);
}
