// Trackexec log directories for tests: the fixtures with what the older tool said about them, and logs written here from a
// program's steps, by the format's description and not with the reader's code.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

export const FIXTURES = join(import.meta.dir, "..", "fixtures", "trackexec");

export const fixtureNames = (): string[] => readdirSync(FIXTURES).sort();

export const fixtureLog = (name: string): string => join(FIXTURES, name, "log");

/** What the older tool answered, or undefined. */
export function expected(name: string, file: string): string | undefined {
  try {
    return readFileSync(join(FIXTURES, name, "expected", file), "utf8");
  } catch {
    return undefined;
  }
}

/** The older tool's texts for a fixture: file name, and the words that ask tk for the same. */
export function expectedTexts(
  name: string,
): { file: string; text: string; column: string; fileId: number | undefined }[] {
  return readdirSync(join(FIXTURES, name, "expected"))
    .filter((file) => /^analyse\.(?!error)/.test(file))
    .map((file) => {
      const id = /file-(\d+)/.exec(file)?.[1];
      return {
        file,
        text: expected(name, file)!,
        column: id === undefined ? file.split(".")[1]! : "cumulated-runtime",
        fileId: id === undefined ? undefined : Number(id),
      };
    });
}

export type Step =
  | { readonly call: number }
  | { readonly ret: true }
  | { readonly line: number }
  /** Ticks since the block's start or the last stamp. */
  | { readonly stamp: number };

export interface BlockOf {
  readonly start: number;
  /** Pairs file, line, outermost first. */
  readonly stack?: readonly (readonly [number, number])[];
  readonly steps: readonly Step[];
}

/** The 4096 words of a block. */
export function blockWords(block: BlockOf): Uint16Array {
  const stack = block.stack ?? [];
  const words: number[] = [stack.length, ...stack.flat()];
  for (const step of block.steps) {
    if ("call" in step) words.push(65535, step.call);
    else if ("ret" in step) words.push(65534);
    else if ("line" in step) words.push(step.line);
    else {
      words.push(65533);
      for (let i = 0; i < 4; i++) words.push((Math.floor(step.stamp / 2 ** (15 * i)) % 32768) + 1);
    }
  }
  if (words.length > 4096) throw new Error(`a block of ${words.length} words`);
  return Uint16Array.from({ length: 4096 }, (_, i) => words[i] ?? 0);
}

export function indexBytes(starts: readonly number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(starts.length * 10));
  starts.forEach((start, i) => view.setBigUint64(i * 10, BigInt(start), true));
  return new Uint8Array(view.buffer);
}

const bytesOf = (words: readonly Uint16Array[]) => Buffer.concat(words.map((w) => new Uint8Array(w.buffer)));

/** Header fields and bodies, padded; `link` makes a symbolic link. */
export function tarOf(
  files: readonly { name: string; text?: string | Uint8Array; link?: string; pax?: string }[],
): Uint8Array {
  const parts: Uint8Array[] = [];
  const add = (name: string, type: string, body: Uint8Array, link: string) => {
    const h = Buffer.alloc(512);
    h.write(name, 0, 100, "utf8");
    h.write("0000644\0", 100);
    h.write(body.length.toString(8).padStart(11, "0") + "\0", 124);
    h.write("        ", 148);
    h.write(type, 156);
    h.write(link, 157, 100, "utf8");
    h.write("ustar\0", 257);
    h.write("00", 263);
    h.write(
      h
        .reduce((a, b) => a + b, 0)
        .toString(8)
        .padStart(6, "0") + "\0 ",
      148,
    );
    parts.push(h, body, Buffer.alloc((512 - (body.length % 512)) % 512));
  };
  for (const file of files) {
    if (file.pax !== undefined) {
      const rest = ` path=${file.pax}\n`;
      let length = Buffer.byteLength(rest) + 2;
      while (String(length).length + Buffer.byteLength(rest) !== length) length++;
      add("././@PaxHeader", "x", Buffer.from(String(length) + rest), "");
    }
    const body = typeof file.text === "string" ? Buffer.from(file.text) : (file.text ?? new Uint8Array(0));
    add(
      file.name,
      file.link === undefined ? "0" : "2",
      file.link === undefined ? body : new Uint8Array(0),
      file.link ?? "",
    );
  }
  return Buffer.concat([...parts, Buffer.alloc(1024)]);
}

/** Writes a log of these blocks; maps of 32, the last one uncompressed when the recorder was killed. */
export function writeLog(
  dir: string,
  blocks: readonly BlockOf[],
  sources: Parameters<typeof tarOf>[0],
  killed = false,
): string {
  mkdirSync(join(dir, "log_map"), { recursive: true });
  writeFileSync(join(dir, "log_index"), indexBytes(blocks.map((b) => b.start)));
  writeFileSync(join(dir, "pid"), "4242\n");
  writeFileSync(join(dir, "log_sources.tar.gz"), gzipSync(tarOf(sources)));
  for (let n = 0; n * 32 < blocks.length; n++) {
    const bytes = bytesOf(blocks.slice(n * 32, n * 32 + 32).map(blockWords));
    const plain = killed && (n + 1) * 32 >= blocks.length;
    writeFileSync(join(dir, "log_map", plain ? `${n}` : `${n}.gz`), plain ? bytes : gzipSync(bytes));
  }
  return dir;
}
