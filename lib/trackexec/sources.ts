// The source lines that a report shows, out of `log_sources.tar.gz`: member i of the archive is file i, its path is "/" and the
// member's name. The archive is read once from front to back (once more for links inside it), and of a file only the lines that were asked for are kept.
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { errorCode } from "../host/out.ts";
import { splitLines } from "../lines/source_text.ts";
import type { ProblemCode, Problems } from "../model/problem.ts";
import { decompress } from "../pipeline/source.ts";
import type { Turn } from "../pipeline/turn.ts";
import { type TarMember, TarReader } from "./tar.ts";

/** Lines of one file that are wanted, or all of them; none for its path alone. */
export type Wanted = ReadonlySet<number> | "all";

/** A larger source is not looked into; its lines have no text. */
const MOST_SOURCE = 16 << 20;
/** Of the archive unpacked; what comes after is not looked at. */
const MOST_ARCHIVE = 2 ** 30;
/** Links that lead to links are followed this often. */
const MOST_LINKS = 4;
/** Nobody reads more of one line, or of one path. */
const MOST_LINE = 4096;

export interface SourceFile {
  readonly path: string;
  /** Lines of the file. */
  readonly length: number;
  /** The wanted ones, from 1; the key 0 stands for the last one. */
  readonly lines: ReadonlyMap<number, string>;
}

export async function readSources(
  dir: string,
  wanted: ReadonlyMap<number, Wanted>,
  problems: Problems,
  turn: Turn,
): Promise<Map<number, SourceFile>> {
  const archive = new SourceArchive(`${dir}/log_sources.tar.gz`, problems);
  const found = new Map<number, SourceFile>();
  /** Members whose text stands under another name: name → files that want it. */
  let links = new Map<string, number[]>();
  await archive.read(turn, (member) => {
    const lines = wanted.get(member.index);
    if (lines === undefined) return undefined;
    const path = "/" + member.name.slice(0, MOST_LINE);
    found.set(member.index, { path, length: 0, lines: new Map() });
    if (member.link !== undefined) {
      remember(links, targetOf(member), member.index);
      return undefined;
    }
    return lines === "all" || lines.size > 0
      ? (text) => found.set(member.index, { path, ...pick(text, lines) })
      : undefined;
  });
  for (let round = 0; links.size > 0 && round < MOST_LINKS; round++) {
    const targets = links;
    links = new Map();
    await archive.read(turn, (member) => {
      const files = targets.get(member.name);
      if (files === undefined) return undefined;
      targets.delete(member.name);
      if (member.link !== undefined) {
        for (const file of files) remember(links, targetOf(member), file);
        return undefined;
      }
      return (text) => {
        for (const file of files) found.set(file, { path: found.get(file)!.path, ...pick(text, wanted.get(file)!) });
      };
    });
  }
  return found;
}

function remember(links: Map<string, number[]>, name: string, file: number): void {
  const files = links.get(name);
  if (files === undefined) links.set(name, [file]);
  else files.push(file);
}

/** The member that a link stands for, by name. */
function targetOf(member: TarMember): string {
  const { kind, target } = member.link!;
  if (kind === "hard" || target.startsWith("/")) return target.replace(/^\/+/, "");
  const parts: string[] = [];
  for (const part of [...member.name.split("/").slice(0, -1), ...target.split("/")]) {
    if (part === "..") parts.pop();
    else if (part !== "." && part !== "") parts.push(part);
  }
  return parts.join("/");
}

function pick(text: string, wanted: Wanted): Omit<SourceFile, "path"> {
  const all = splitLines(text);
  const lines = new Map<number, string>();
  const keep = (number: number, line: string | undefined) => {
    if (line !== undefined) lines.set(number, line.length > MOST_LINE ? line.slice(0, MOST_LINE) : line);
  };
  if (wanted === "all") all.forEach((line, i) => keep(i + 1, line));
  else for (const number of wanted) if (number > 0) keep(number, all[number - 1]);
  keep(0, all.at(-1));
  return { length: all.length, lines };
}

/** Takes the text of the member, once all of it has come. */
type TakeText = (text: string) => void;

class SourceArchive {
  private readonly path: string;
  private readonly problems: Problems;
  /** What was told in the first reading is not told again. */
  private told = false;

  constructor(path: string, problems: Problems) {
    this.path = path;
    this.problems = problems;
  }

  /** `ask` says of each member whether, and by whom, its text is wanted. */
  async read(turn: Turn, ask: (member: TarMember) => TakeText | undefined): Promise<void> {
    let fd: number;
    try {
      fd = openSync(this.path, constants.O_RDONLY | constants.O_NONBLOCK);
    } catch (error) {
      const code = errorCode(error);
      if (code === "") throw error;
      this.tell(
        "cut",
        `it is ${code === "ENOENT" ? "missing" : `unreadable (${code})`}: places have no path and no source line`,
      );
      return;
    }
    let take: TakeText | undefined;
    let size = 0;
    let parts: Uint8Array[] = [];
    const tar = new TarReader({
      member: (member) => {
        take = ask(member);
        parts = [];
        if (take === undefined || member.size <= MOST_SOURCE) return take !== undefined;
        this.tell(
          "too-long",
          `file ${member.index} has ${member.size} bytes, expected at most ${MOST_SOURCE}; its lines have no text`,
        );
        return false;
      },
      bytes: (chunk) => {
        parts.push(chunk.slice());
      },
      end: () => {
        const decoder = new TextDecoder();
        take?.(parts.map((part) => decoder.decode(part, { stream: true })).join("") + decoder.decode());
        parts = [];
      },
    });
    try {
      if (!fstatSync(fd).isFile()) return this.tell("cut", "it is no file: places have no path and no source line");
      const corrupt = (message: string) => this.tell("compressed", message);
      for await (const chunk of decompress(chunksOf(fd), "gzip", corrupt)) {
        await turn();
        tar.push(chunk);
        size += chunk.length;
        if (tar.over) break;
        if (size > MOST_ARCHIVE)
          return this.tell("too-long", `it unpacks to more than ${MOST_ARCHIVE} bytes; the rest of it is not read`);
      }
      tar.end();
      if (tar.fault !== undefined) this.tell("cut", `${tar.fault}; the files before that are known`);
    } finally {
      closeSync(fd);
      this.told = true;
    }
  }

  private tell(code: ProblemCode, message: string): void {
    if (!this.told) this.problems.add({ code, source: this.path, line: 0, message });
  }
}

async function* chunksOf(fd: number): AsyncGenerator<Uint8Array, void, undefined> {
  const buffer = new Uint8Array(1 << 16);
  for (let at = 0; ;) {
    const n = readSync(fd, buffer, 0, buffer.length, at);
    if (n === 0) return;
    at += n;
    yield buffer.subarray(0, n);
  }
}
