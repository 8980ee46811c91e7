// Text with styles, line by line, and how it is measured and cut to columns. A style is the parameters of an SGR sequence, from the
// list below and nowhere else; the text is whatever it is: the painter makes it safe, and `safe` does so before measuring.
import { displayWidth, printable } from "../base/text.ts";

/** What stands between `ESC [` and `m`; empty is plain. */
export const STYLE = {
  plain: "",
  bold: "1",
  dim: "2",
  underline: "4",
  reverse: "7",
  red: "31",
  green: "32",
  yellow: "33",
  blue: "34",
  magenta: "35",
  cyan: "36",
  error: "1;31",
  title: "1;36",
  /** The line where the program stands: black on bright yellow, as the older tool marks it. */
  current: "30;103",
  found: "30;46",
} as const;

export type Style = (typeof STYLE)[keyof typeof STYLE];

export interface Span {
  readonly text: string;
  readonly style: Style;
}

export type StyledLine = readonly Span[];

export const span = (text: string, style: Style = STYLE.plain): Span => ({ text, style });

/** A tab goes to the next multiple of this. */
const TAB = 8;

/** What a terminal can show: characters, and colours at all. */
export interface Ability {
  /** The locale is UTF-8. */
  readonly unicode: boolean;
  readonly color: boolean;
}

/** Columns that one character (of safe text) adds after what `cellsOf` puts it with. */
function* characters(text: string): Generator<{ readonly text: string; readonly width: number }> {
  let cell = "";
  for (const c of text) {
    // A combining mark belongs to the character before it.
    if (cell !== "" && displayWidth(c) === 0) cell += c;
    else if (cell !== "" && c === "\ufe0f") cell += c;
    else {
      if (cell !== "") yield { text: cell, width: displayWidth(cell) };
      cell = c;
    }
  }
  if (cell !== "") yield { text: cell, width: displayWidth(cell) };
}

/** Tabs as blanks, everything unsafe visible. `column`: where the text begins, for its tabs. */
export function safe(text: string, unicode: boolean, column = 0): string {
  if (!text.includes("\t")) return printable(text, unicode);
  let out = "";
  let at = column;
  text.split("\t").forEach((part, i) => {
    if (i > 0) {
      const blanks = TAB - (at % TAB);
      out += " ".repeat(blanks);
      at += blanks;
    }
    const shown = printable(part, unicode);
    out += shown;
    at += displayWidth(shown);
  });
  return out;
}

export function lineWidth(line: StyledLine): number {
  let width = 0;
  for (const { text } of line) width += displayWidth(text);
  return width;
}

const ASCII = /^[\x20-\x7e]*$/;

/** The columns `from` to `from + width` of safe text; half of a wide character is a blank. */
export function cutColumns(text: string, from: number, width: number): string {
  if (width <= 0) return "";
  if (ASCII.test(text)) return text.slice(from, from + width);
  let out = "";
  let at = 0;
  const end = from + width;
  for (const c of characters(text)) {
    const next = at + c.width;
    if (at >= end) break;
    if (next > from) out += at < from || next > end ? " ".repeat(Math.min(next, end) - Math.max(at, from)) : c.text;
    at = next;
  }
  return out;
}

/** The same for a line of safe spans. */
export function cutLine(line: StyledLine, from: number, width: number): StyledLine {
  const out: Span[] = [];
  let at = 0;
  for (const { text, style } of line) {
    if (at >= from + width) break;
    const wide = displayWidth(text);
    const part = cutColumns(text, Math.max(0, from - at), from + width - Math.max(at, from));
    if (part !== "") out.push({ text: part, style });
    at += wide;
  }
  return out;
}

/** The line in exactly `width` columns: cut, or filled with blanks of `style`. */
export function fitLine(line: StyledLine, width: number, style: Style = STYLE.plain): StyledLine {
  const cut = cutLine(line, 0, width);
  const missing = width - lineWidth(cut);
  return missing > 0 ? [...cut, { text: " ".repeat(missing), style }] : cut;
}

/** The place of the character before `at` in safe or unsafe text: marks go with their character. */
export function previousCharacter(text: string, at: number): number {
  let place = 0;
  let last = 0;
  for (const c of characters(text)) {
    if (place >= at) break;
    last = place;
    place += c.text.length;
  }
  return last;
}

/** The place after the character at `at`. */
export function nextCharacter(text: string, at: number): number {
  let place = 0;
  for (const c of characters(text)) {
    place += c.text.length;
    if (place > at) return place;
  }
  return text.length;
}
