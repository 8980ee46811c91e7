// Files that decide what tk does: read whole, in bounds, and only believed when nobody else could have written them.
import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from "node:fs";
import { errorCode, errorWords } from "../host/out.ts";

export type ReadFile =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "missing" }
  /** A sentence saying why it was not read. */
  | { readonly kind: "refused"; readonly why: string };

/** Who else could have written a file; undefined when nobody. */
export function whyDistrusted(stat: Pick<Stats, "uid" | "mode">, user: number | undefined): string | undefined {
  if (user === undefined) return undefined; // No such thing as users here.
  if (stat.uid !== 0 && stat.uid !== user) return `it belongs to user ${stat.uid}, expected root or yourself`;
  if ((stat.mode & 0o022) !== 0)
    return `others may write to it (mode ${(stat.mode & 0o777).toString(8)}), expected at most 755: chmod go-w`;
  return undefined;
}

/** At most `limit` bytes. `trusting`: the user named the file, so it may be anybody's. */
export function readTextFile(path: string, limit: number, trusting: boolean): ReadFile {
  let fd: number;
  try {
    // Never waits for the other end of a pipe that lies in the way.
    fd = openSync(path, constants.O_RDONLY | (trusting ? 0 : constants.O_NONBLOCK));
  } catch (error) {
    const code = errorCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") return { kind: "missing" };
    return { kind: "refused", why: errorWords(error) };
  }
  try {
    const stat = fstatSync(fd);
    if (stat.isDirectory()) return { kind: "refused", why: "it is a directory" };
    if (!trusting && !stat.isFile()) return { kind: "refused", why: "it is no regular file" };
    const why = trusting ? undefined : whyDistrusted(stat, process.geteuid?.());
    if (why !== undefined) return { kind: "refused", why };
    const bytes = readAtMost(fd, limit + 1);
    if (bytes.length > limit) return { kind: "refused", why: `it is longer than ${limit} bytes` };
    return { kind: "text", text: decode(bytes) };
  } catch (error) {
    return { kind: "refused", why: errorWords(error) };
  } finally {
    closeSync(fd);
  }
}

function readAtMost(fd: number, limit: number): Uint8Array {
  const chunks: Uint8Array[] = [];
  let size = 0;
  while (size < limit) {
    const chunk = new Uint8Array(Math.min(1 << 16, limit - size));
    const n = readSync(fd, chunk, 0, chunk.length, null);
    if (n === 0) break;
    chunks.push(chunk.subarray(0, n));
    size += n;
  }
  if (chunks.length === 1) return chunks[0]!;
  const all = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}

/** UTF-8; what is none becomes U+FFFD, which no configuration contains, and is then told with its place. */
export function decode(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}
