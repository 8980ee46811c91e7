// What was typed, cut into its parts: the command, where its output goes, and whether help was asked for. The language has `|` and `>` of its
// own, so both are looked at closely:
//
//   procs where wall > 1s | sort -wall | grep cc      `sort` is a stage of the language; grep is none: a shell command from there on
//   procs |! sort -n                                  `|!` is always a shell command
//   events > exits.prof                               a file; `> 10ms` and `> parent.wall` are comparisons
//   procs where ?                                     what may stand here
import { err, ok, type Result } from "neverthrow";
import { STAGES } from "../query/parser.ts";

export const FORMATS = ["table", "json", "ndjson", "csv"] as const;
export type Format = (typeof FORMATS)[number];

export interface Line {
  /** The command with its words, as it was typed. */
  readonly body: string;
  readonly format: Format | undefined;
  /** Where the output is written instead. */
  readonly file: string | undefined;
  /** A command for /bin/sh that reads the output. */
  readonly pipe: string | undefined;
  /** It ended in `?`. */
  readonly asks: boolean;
}

export interface Word {
  readonly text: string;
  readonly at: number;
  readonly length: number;
  readonly quoted: boolean;
}

/** Ends of file names that a `>` before them makes a redirection in a query. */
const FILE_END = /\.(json|ndjson|jsonl|csv|txt|prof|log|md|mmd|html|out|tsv)(\.(gz|zst))?$/i;

/** The format that a file's name says. */
export function formatOfFile(name: string): Format | undefined {
  const end = /\.([a-z]+)(?:\.(?:gz|zst))?$/i.exec(name)?.[1]?.toLowerCase();
  if (end === "json" || end === "csv") return end;
  return end === "ndjson" || end === "jsonl" || end === "prof" ? "ndjson" : undefined;
}

export function isFormat(text: string): text is Format {
  return (FORMATS as readonly string[]).includes(text);
}

/** A place outside of quotes, regexes and parentheses where one of `|`, `>` or a comment begins. */
interface Mark {
  readonly sign: "|" | ">" | "#";
  readonly at: number;
}

interface Scan {
  readonly marks: readonly Mark[];
  /** The quote that was not closed. */
  readonly open: string;
  readonly depth: number;
}

function scan(text: string): Scan {
  const marks: Mark[] = [];
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    if (c === '"' || c === "'") {
      const end = closing(text, i, c);
      if (end < 0) return { marks, open: c, depth };
      i = end;
    } else if (c === "/" && beginsRegex(text, i)) {
      const end = closing(text, i, "/");
      // What looks like a regex and has no end is a path, or a division.
      if (end > 0) i = end;
    } else if (c === "\\") i++;
    else if (c === "(") depth++;
    else if (c === ")") depth = Math.max(0, depth - 1);
    else if (c === "#" && (i === 0 || /\s/.test(text[i - 1]!))) {
      marks.push({ sign: "#", at: i });
      const end = text.indexOf("\n", i);
      if (end < 0) break;
      i = end;
    } else if (depth === 0 && c === "|" && text[i + 1] === "|") i++;
    else if (depth === 0 && (c === "|" || c === ">")) {
      marks.push({ sign: c, at: i });
      // What follows a shell's bar is the shell's.
      if (c === "|" && text[i + 1] === "!") break;
    }
  }
  return { marks, open: "", depth };
}

function closing(text: string, from: number, quote: string): number {
  for (let i = from + 1; i < text.length; i++) {
    if (text[i] === "\\") i++;
    else if (text[i] === quote) return i;
    else if (text[i] === "\n" && quote === "/") return -1;
  }
  return -1;
}

const beginsRegex = (text: string, at: number) => /~\s*$/.test(text.slice(Math.max(0, at - 8), at));

/** The text without comments: what stands from a `#` that begins a word to the end of its row. */
function withoutComments(text: string, marks: readonly Mark[]): string {
  let out = "";
  let from = 0;
  for (const { sign, at } of marks) {
    if (sign !== "#" || at < from) continue;
    const end = text.indexOf("\n", at);
    out += text.slice(from, at);
    from = end < 0 ? text.length : end;
  }
  return out + text.slice(from);
}

/** The words are the language's, where `|` may be a stage and `>` a comparison: told from the first word, or from the whole text. */
export type IsQuery = (first: string, text: string) => boolean;

export function parseLine(typed: string, isQuery: IsQuery): Result<Line, string> {
  const marksOf = scan(typed).marks;
  const text = marksOf.some((m) => m.sign === "#") ? withoutComments(typed, marksOf) : typed;
  const { marks, open } = scan(text);
  const asks = /(^|\s)\?\s*$/.test(text) && open === "";
  if (asks) {
    const body = text.replace(/\?\s*$/, "");
    return ok({ body, format: undefined, file: undefined, pipe: undefined, asks: true });
  }
  if (open !== "") return err(`a ${open} has no end`);
  const query = isQuery(/^\s*(\S*)/.exec(text)![1]!, text);
  let end = text.length;
  let pipe: string | undefined;
  for (const { sign, at } of marks) {
    if (sign !== "|") continue;
    const rest = text.slice(at + 1);
    const forced = rest.startsWith("!");
    const word = /^\s*([^\s(]*)/.exec(rest)![1]!;
    if (!forced && query && (STAGES.has(word) || word === "")) continue;
    pipe = (forced ? rest.slice(1) : rest).trim();
    if (pipe === "") return err("expected a shell command after |");
    end = at;
    break;
  }
  let body = text.slice(0, end);
  let file: string | undefined;
  const last = marks.filter((m) => m.sign === ">" && m.at < end).at(-1);
  if (last !== undefined) {
    const words = splitWords(body.slice(last.at + 1));
    const name = words[0]?.text ?? "";
    const format = /^\s+--format(?:=|\s)/.test(
      body.slice(last.at + 1 + (words[0] ? words[0].at + words[0].length : 0)),
    );
    const alone = words.length === 1 || (words.length > 1 && format);
    const means = !query || name.includes("/") || FILE_END.test(name);
    if (alone && means && body[last.at + 1] !== "=" && /\s/.test(body[last.at - 1] ?? " ")) {
      file = name;
      body = body.slice(0, last.at) + body.slice(last.at + 1 + words[0]!.at + words[0]!.length);
    } else if (!query && words.length === 0) return err("expected a file name after >");
  }
  let format: Format | undefined;
  const option = /(^|\s)--format(?:=|\s+)(\S+)/.exec(body);
  if (option !== null) {
    if (!isFormat(option[2]!)) return err(`--format: expected ${FORMATS.join(", ")}, got '${option[2]}'`);
    format = option[2];
    body = body.slice(0, option.index) + body.slice(option.index + option[0].length);
  } else if (/(^|\s)--format\s*$/.test(body)) return err(`--format: expected ${FORMATS.join(", ")}`);
  return ok({ body: body.trim(), format, file, pipe, asks: false });
}

/** Whether Enter runs it, or begins another row. */
export function isWhole(text: string, isQuery: IsQuery): boolean {
  const { marks, open, depth } = scan(text);
  if (open !== "" || text.endsWith("\\")) return false;
  const bare = withoutComments(text, marks).trimEnd();
  if (!isQuery(/^\s*(\S*)/.exec(bare)![1]!, bare)) return true;
  return depth === 0 && !/(\||,|\b(?:and|or|not|where)|[=<>~+*-])$/.test(bare);
}

/** Words at blanks; a word in quotes may hold blanks, a backslash takes the next character as it is. */
export function splitWords(text: string): Word[] {
  const words: Word[] = [];
  let i = 0;
  for (;;) {
    while (i < text.length && /\s/.test(text[i]!)) i++;
    if (i >= text.length) return words;
    const at = i;
    let word = "";
    let quoted = false;
    while (i < text.length && !/\s/.test(text[i]!)) {
      const c = text[i]!;
      if (c === '"' || c === "'") {
        const end = closing(text, i, c);
        const inner = text.slice(i + 1, end < 0 ? text.length : end);
        word += c === '"' ? inner.replace(/\\(.)/g, "$1") : inner;
        i = end < 0 ? text.length : end + 1;
        quoted = true;
      } else if (c === "\\" && i + 1 < text.length) {
        word += text[i + 1];
        i += 2;
      } else {
        word += c;
        i++;
      }
    }
    words.push({ text: word, at, length: i - at, quoted });
  }
}
