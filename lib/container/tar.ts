// A build context that comes as a tar stream: finding its Dockerfile and putting another in its place. The archive lies in a
// file; nothing is unpacked. Formats: ustar, GNU long names, pax headers. Sizes and names are a stranger's.
import { closeSync, openSync, readSync, writeSync } from "node:fs";

const BLOCK = 512;
const MAX_HEADER = 1 << 20;

/** How a stream that docker got on its standard input begins. */
export type StreamKind = "tar" | "gzip" | "other-compression" | "dockerfile";

export function kindOfStream(head: Uint8Array): StreamKind {
  const starts = (...bytes: number[]) => bytes.every((b, i) => head[i] === b);
  if (starts(0x1f, 0x8b)) return "gzip";
  if (starts(0x42, 0x5a, 0x68) || starts(0xfd, 0x37, 0x7a, 0x58, 0x5a) || starts(0x28, 0xb5, 0x2f, 0xfd))
    return "other-compression";
  return head.length >= BLOCK && checksumFits(head.subarray(0, BLOCK)) ? "tar" : "dockerfile";
}

/** The sum of the header's bytes, its own field counted as blanks. */
function checksum(header: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < BLOCK; i++) sum += i >= 148 && i < 156 ? 0x20 : header[i]!;
  return sum;
}

function checksumFits(header: Uint8Array): boolean {
  return octal(header, 148, 8) === checksum(header) && header[0] !== 0;
}

function text(b: Uint8Array, at: number, length: number): string {
  const field = b.subarray(at, at + length);
  const end = field.indexOf(0);
  return Buffer.from(end < 0 ? field : field.subarray(0, end)).toString("utf8");
}

/** A number field; GNU writes large ones in binary. */
function octal(b: Uint8Array, at: number, length: number): number {
  if ((b[at]! & 0x80) !== 0) {
    let n = b[at]! & 0x7f;
    for (let i = at + 1; i < at + length; i++) n = n * 256 + b[i]!;
    return n;
  }
  const digits = /^[ ]*([0-7]*)/.exec(text(b, at, length))?.[1] ?? "";
  return digits === "" ? 0 : Number.parseInt(digits, 8);
}

interface Entry {
  /** Without a leading `./`. */
  readonly name: string;
  /** Where its own header stands; headers that belong to it may come before. */
  readonly headerAt: number;
  readonly size: number;
  readonly isFile: boolean;
  /** A header before it gives its size, which then could not be changed here. */
  readonly sizeIsElsewhere: boolean;
}

function padded(size: number): number {
  return Math.ceil(size / BLOCK) * BLOCK;
}

class TarFile {
  private readonly fd: number;

  constructor(fd: number) {
    this.fd = fd;
  }

  read(at: number, length: number): Uint8Array {
    const out = new Uint8Array(length);
    let n = 0;
    while (n < length) {
      const k = readSync(this.fd, out, n, length - n, at + n);
      if (k === 0) break;
      n += k;
    }
    return out.subarray(0, n);
  }

  *entries(): Generator<Entry> {
    let name: string | undefined;
    let size: number | undefined;
    for (let at = 0; ;) {
      const header = this.read(at, BLOCK);
      if (header.length < BLOCK || header.every((b) => b === 0)) return;
      if (!checksumFits(header)) throw new Error("the context on standard input is a damaged tar archive");
      const type = String.fromCharCode(header[156]!);
      const own = octal(header, 124, 12);
      const headerAt = at;
      at += BLOCK;
      if (type === "L" || type === "x") {
        if (own > MAX_HEADER) throw new Error("the context on standard input has an oversized tar header");
        const body = this.read(at, own);
        if (type === "L") name = text(body, 0, body.length);
        else {
          const fields = paxFields(body);
          name = fields.get("path") ?? name;
          const given = fields.get("size");
          if (given !== undefined) size = Number(given);
        }
        at += padded(own);
        continue;
      }
      const prefix = text(header, 257, 5) === "ustar" ? text(header, 345, 155) : "";
      const short = text(header, 0, 100);
      const full = name ?? (prefix === "" ? short : `${prefix}/${short}`);
      const isFile = type === "0" || type === "\0" || type === "7";
      const length = size ?? own;
      if (type !== "g")
        yield { name: cleanName(full), headerAt, size: length, isFile, sizeIsElsewhere: size !== undefined };
      const hasBody = isFile || type === "g";
      at += hasBody ? padded(length) : 0;
      name = undefined;
      size = undefined;
    }
  }
}

/** `27 path=some/long/name\n`, one after the other. */
function paxFields(body: Uint8Array): Map<string, string> {
  const out = new Map<string, string>();
  for (let at = 0; at < body.length;) {
    const length = Number.parseInt(Buffer.from(body.subarray(at, at + 20)).toString("latin1"), 10);
    if (!(length > 4)) break;
    const record = Buffer.from(body.subarray(at, at + length - 1)).toString("utf8");
    const [, key, value] = /^\d+ ([^=]*)=([^]*)$/.exec(record) ?? [];
    if (key !== undefined) out.set(key, value!);
    at += length;
  }
  return out;
}

function cleanName(name: string): string {
  return name.replace(/^(\.\/+|\/+)*/, "").replaceAll(/\/{2,}/g, "/");
}

export interface FoundInTar {
  readonly entry: Entry;
  readonly bytes: Uint8Array;
}

/** The last file of this name, since a later one replaces an earlier one. */
export function findInTar(fd: number, name: string, limit: number): FoundInTar | undefined {
  const tar = new TarFile(fd);
  const wanted = cleanName(name);
  let found: Entry | undefined;
  for (const entry of tar.entries()) if (entry.name === wanted) found = entry;
  if (found === undefined || !found.isFile) return undefined;
  if (found.size > limit) throw new Error(`'${name}' in the context on standard input is larger than ${limit} bytes`);
  return { entry: found, bytes: tar.read(found.headerAt + BLOCK, found.size) };
}

/** Writes the archive anew with other bytes in one entry. */
export function replaceInTar(fd: number, into: string, { entry }: FoundInTar, bytes: Uint8Array): void {
  if (entry.sizeIsElsewhere) throw new Error("the Dockerfile's tar header is of a kind that tk does not change");
  const tar = new TarFile(fd);
  const header = tar.read(entry.headerAt, BLOCK).slice();
  header.set(Buffer.from(`${bytes.length.toString(8).padStart(11, "0")}\0`), 124);
  header.set(Buffer.from(`${checksum(header).toString(8).padStart(6, "0")}\0 `), 148);
  const out = openSync(into, "wx", 0o600);
  try {
    copyRange(tar, out, 0, entry.headerAt);
    writeFully(out, header);
    writeFully(out, bytes);
    writeFully(out, new Uint8Array(padded(bytes.length) - bytes.length));
    copyRange(tar, out, entry.headerAt + BLOCK + padded(entry.size), Infinity);
  } finally {
    closeSync(out);
  }
}

function copyRange(tar: TarFile, out: number, from: number, to: number): void {
  for (let at = from; at < to;) {
    const chunk = tar.read(at, Math.min(1 << 20, to - at));
    if (chunk.length === 0) return;
    writeFully(out, chunk);
    at += chunk.length;
  }
}

function writeFully(fd: number, b: Uint8Array): void {
  for (let n = 0; n < b.length;) n += writeSync(fd, b, n, b.length - n);
}
