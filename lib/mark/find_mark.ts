// Finds the chalk mark of a file, wherever its kind keeps it, and says what kind of file it is. Files of any size: an ELF file
// is read by its headers and its tail, a text whole only when it is small.
import { Buffer } from "node:buffer";
import { readJson, type MarkFault, type MarkObject } from "./mark_json.ts";
import type { MarkFile } from "./file.ts";
import { findSection, isElf } from "./elf_section.ts";
import { isZip, readEntry } from "./zip_entry.ts";

export interface Found {
  /** `ELF`, `JAR`, `python`, ...; undefined for a file of no known kind. */
  readonly type: string | undefined;
  readonly mark: MarkObject | undefined;
  readonly problems: readonly string[];
}

/** The text every mark begins with. */
export const MAGIC = "dadfedabbadabbed";

/** A mark that is larger is none. */
const MAX_MARK = 1 << 24;
/** Of a file that is not small, so much of its end (and of a text's beginning) is looked at. */
const TAIL = 1 << 22;
const SMALL = 1 << 24;

const decoder = new TextDecoder();

function parseAt(text: string, magicAt: number): { mark: MarkObject } | { fault: MarkFault } | undefined {
  // Back over `{ "MAGIC" : "`, blanks wherever JSON has them.
  const before = text.slice(Math.max(0, magicAt - 256), magicAt);
  const open = /\{\s*"MAGIC"\s*:\s*"$/.exec(before);
  if (open === null) return undefined;
  const read = readJson(text, magicAt - before.length + open.index);
  if (read.isErr()) return { fault: read.error };
  const mark = read.value.value;
  // The place holder that marking replaces has nothing but MAGIC: no mark.
  return mark instanceof Map && mark.size > 1 && mark.get("MAGIC") === MAGIC ? { mark } : undefined;
}

/** The last mark in a text; what looked like one and is broken is told. */
function searchText(b: Uint8Array): { mark: MarkObject | undefined; problems: string[] } {
  const problems: string[] = [];
  if (!Buffer.from(b.buffer, b.byteOffset, b.length).includes(MAGIC)) return { mark: undefined, problems };
  const text = decoder.decode(b);
  // Each broken mark may be as long as the file: a file made of their beginnings is not read again and again.
  let tries = 16;
  for (let at = text.lastIndexOf(MAGIC); at >= 0 && tries > 0; at = at === 0 ? -1 : text.lastIndexOf(MAGIC, at - 1)) {
    const parsed = parseAt(text, at);
    if (parsed === undefined) continue;
    tries--;
    if ("mark" in parsed) return { mark: parsed.mark, problems: [] };
    if (problems.length === 0) problems.push(`A chalk mark that cannot be read: ${parsed.fault.what}`);
  }
  return { mark: undefined, problems };
}

/** The interpreter's base name without its version: `#!/usr/bin/env python3.11` is `python`. */
export function languageOf(head: Uint8Array): string | undefined {
  if (head[0] !== 0x23 || head[1] !== 0x21) return undefined;
  const end = head.indexOf(10);
  const words = decoder
    .decode(head.subarray(2, end < 0 ? head.length : end))
    .trim()
    .split(/\s+/)
    .map((word) => word.replace(/^.*\//, ""));
  const name = words[0] === "env" ? words.slice(1).find((w) => !w.startsWith("-") && !w.includes("=")) : words[0];
  return name?.replace(/[0-9.]+$/, "") || undefined;
}

/** Endings that say what a file without `#!` is written in. */
const LANGUAGES: ReadonlyMap<string, string> = new Map([
  ["py", "python"],
  ["sh", "sh"],
  ["bash", "bash"],
  ["rb", "ruby"],
  ["pl", "perl"],
  ["js", "node"],
  ["php", "php"],
  ["lua", "lua"],
  ["tcl", "tcl"],
]);

const ARCHIVES: ReadonlyMap<string, string> = new Map([
  ["jar", "JAR"],
  ["war", "WAR"],
  ["ear", "EAR"],
]);

function endingOf(path: string): string {
  return /\.([^./]+)$/.exec(path)?.[1]?.toLowerCase() ?? "";
}

/** Bytes 2 and 3 of every version's magic number. */
function isPyc(head: Uint8Array, ending: string): boolean {
  return ending === "pyc" && head[2] === 0x0d && head[3] === 0x0a;
}

function tailOf(file: MarkFile): Uint8Array {
  return file.read(Math.max(0, file.size - TAIL), TAIL);
}

function elfMark(file: MarkFile): Omit<Found, "type"> {
  const section = findSection(file, ".chalk.mark");
  if (section !== undefined) {
    if (section.size > MAX_MARK)
      return { mark: undefined, problems: [`A chalk mark of ${section.size} bytes is too large to be one`] };
    const found = searchText(file.read(section.offset, section.size));
    if (found.mark !== undefined || found.problems.length > 0) return found;
  }
  // Odd ELF files have it at their end.
  return searchText(tailOf(file));
}

function textMark(file: MarkFile): Omit<Found, "type"> {
  if (file.size <= SMALL) return searchText(file.read(0, file.size));
  const last = searchText(tailOf(file));
  return last.mark === undefined ? searchText(file.read(0, TAIL)) : last;
}

function archiveMark(file: MarkFile): Omit<Found, "type"> {
  const entry = readEntry(file, "chalk.json", MAX_MARK);
  return entry === undefined ? { mark: undefined, problems: [] } : searchText(entry);
}

export function findMark(file: MarkFile, path: string): Found {
  const head = file.read(0, 256);
  const ending = endingOf(path);
  if (isElf(head)) return { type: "ELF", ...elfMark(file) };
  if (isPyc(head, ending)) return { type: "Python Bytecode", ...searchText(tailOf(file)) };
  const packed = head[0] === 0x50 && head[1] === 0x4b;
  const language = languageOf(head);
  if ((packed || language !== undefined) && isZip(file))
    return { type: ARCHIVES.get(ending) ?? "ZIP", ...archiveMark(file) };
  const type = language ?? LANGUAGES.get(ending);
  // Anything else is some other binary unless its beginning is text.
  if (type === undefined && head.includes(0)) return { type: undefined, mark: undefined, problems: [] };
  return { type, ...textMark(file) };
}

/** The mark of a whole image, `/chalk.json`: the file is the mark. */
export function imageMark(file: MarkFile): Omit<Found, "type"> {
  return file.size > MAX_MARK
    ? { mark: undefined, problems: [`A chalk mark of ${file.size} bytes is too large to be one`] }
    : searchText(file.read(0, file.size));
}
