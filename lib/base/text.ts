// Text of strangers on a terminal: what may be printed as it is, how many columns it takes, and how to cut it.
// Nothing that steers a terminal or reorders a line (controls, escapes, bidi and invisible characters) gets through.

/** Printable in every locale. */
const ASCII = /^[\x20-\x7e]*$/;
/**
 * Controls, format characters (bidi, zero width, tags), line and paragraph separators, lone surrogates, unassigned,
 * blanks that are not the plain one, and letters that show nothing (Hangul fillers, Braille blank).
 */
const UNSAFE =
  /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Cn}\u00a0\u1680\u2000-\u200f\u202f\u205f\u3000\u115f\u1160\u3164\uffa0\u2800]/u;
const UNSAFE_ALL = new RegExp(UNSAFE.source, "gu");
const NOT_ASCII_ALL = /[^\x20-\x7e]/gu;

/** Whether `text` may be printed as it is. `unicode`: the locale is UTF-8. */
export function isPrintable(text: string, unicode = true): boolean {
  return ASCII.test(text) || (unicode && !UNSAFE.test(text));
}

/** What `printable` and `$'...'` write for one character: `\n`, `\x1b`, `\u202e`, `\U000e0041`. */
export function escapeCharacter(c: string): string {
  const code = c.codePointAt(0)!;
  switch (code) {
    case 9:
      return "\\t";
    case 10:
      return "\\n";
    case 13:
      return "\\r";
  }
  const hex = code.toString(16);
  if (code < 0x80) return "\\x" + hex.padStart(2, "0");
  return code < 0x10000 ? "\\u" + hex.padStart(4, "0") : "\\U" + hex.padStart(8, "0");
}

/** `text` with everything that is not safe to print made visible; everything else stays. */
export function printable(text: string, unicode = true): string {
  if (isPrintable(text, unicode)) return text;
  return text.replace(unicode ? UNSAFE_ALL : NOT_ASCII_ALL, escapeCharacter);
}

const ZERO_WIDTH = /[\p{Mn}\p{Me}\u1160-\u11ff]/u;
const EMOJI = /\p{Emoji_Presentation}/u;

/** Columns one character takes; emoji and East Asian wide forms take two, combining marks none. */
function characterWidth(c: string): number {
  const code = c.codePointAt(0)!;
  if (code < 0x300) return 1;
  if (code === 0xfe0f) return 1; // Turns the character before it into an emoji: one column more than it alone.
  if (ZERO_WIDTH.test(c)) return 0;
  if (code < 0x1100) return 1;
  const wide =
    code <= 0x115f ||
    (code >= 0x2e80 && code <= 0x303e) ||
    (code >= 0x3041 && code <= 0xa4cf) ||
    (code >= 0xa960 && code <= 0xa97f) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xfe10 && code <= 0xfe19) ||
    (code >= 0xfe30 && code <= 0xfe6f) ||
    (code >= 0xff01 && code <= 0xff60) ||
    (code >= 0xffe0 && code <= 0xffe6) ||
    (code >= 0x16fe0 && code <= 0x1b2ff) ||
    (code >= 0x1f200 && code <= 0x1f2ff) ||
    (code >= 0x20000 && code <= 0x3fffd);
  return wide || EMOJI.test(c) ? 2 : 1;
}

/** Columns that `text` takes; it must be printable already. */
export function displayWidth(text: string): number {
  if (ASCII.test(text)) return text.length;
  let width = 0;
  for (const c of text) width += characterWidth(c);
  return width;
}

/** The longest beginning of `text` that takes at most `width` columns. */
function head(text: string, width: number): string {
  if (ASCII.test(text)) return text.slice(0, Math.max(0, width));
  let used = 0;
  let at = 0;
  for (const c of text) {
    used += characterWidth(c);
    if (used > width) break;
    at += c.length;
  }
  return text.slice(0, at);
}

/** The longest end of `text` that takes at most `width` columns and does not begin with a combining mark. */
function tail(text: string, width: number): string {
  const characters = Array.from(text);
  let used = 0;
  let from = characters.length;
  for (let i = characters.length - 1; i >= 0; i--) {
    const w = characterWidth(characters[i]!);
    used += w;
    if (used > width) break;
    if (w > 0) from = i;
  }
  return characters.slice(from).join("");
}

/** Cut at the end to at most `width` columns, `mark` included, when it is longer. */
export function cutEnd(text: string, width: number, mark: string): string {
  if (text.length <= width / 2 || displayWidth(text) <= width) return text;
  if (width < mark.length) return head(text, width);
  return head(text, width - mark.length) + mark;
}

/** Cut in the middle to at most `width` columns, `mark` included, keeping three parts of the beginning and one of the end. */
export function cutMiddle(text: string, width: number, mark: string): string {
  if (text.length <= width / 2 || displayWidth(text) <= width) return text;
  const room = width - mark.length;
  if (room <= 0) return head(text, width);
  const end = tail(text, Math.floor(room / 4));
  return head(text, room - displayWidth(end)) + mark + end;
}

export function padStart(text: string, width: number): string {
  return " ".repeat(Math.max(0, width - displayWidth(text))) + text;
}

export function padEnd(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - displayWidth(text)));
}

/** Lines of at most `width` columns, broken at blanks where there are any; the lines after the first begin with `indent`. */
export function wrap(text: string, width: number, indent = ""): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (line !== "" && displayWidth(longer) > width) {
      lines.push(line);
      line = indent + word;
    } else line = longer;
    // A word longer than a line is broken anywhere.
    while (displayWidth(line) > width) {
      const part = head(line, width);
      if (part.length <= indent.length) break;
      lines.push(part);
      line = indent + line.slice(part.length);
    }
  }
  lines.push(line);
  return lines;
}

/** `1 process`, `1,234 processes`. */
export function count(n: number, one: string, many: string = one + "s"): string {
  return `${thousands(n)} ${n === 1 ? one : many}`;
}

/** `1,234,567`, the same in every locale. */
export function thousands(n: number): string {
  return String(n).replace(/\B(?=(\d{3})+$)/g, ",");
}
