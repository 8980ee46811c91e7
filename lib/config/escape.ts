// Backslash escapes of texts and characters: `\n \r \t \a \b \f \\`, `\xHH`, `\uHHHH`, `\UHHHHHHHH`;
// before any other character the backslash only says "as it is".

const SIMPLE: Readonly<Record<string, string>> = {
  n: "\n",
  r: "\r",
  t: "\t",
  a: "\x07",
  b: "\b",
  f: "\f",
};
const DIGITS: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };

export interface Escape {
  readonly text: string;
  readonly end: number;
  readonly error: string | undefined;
}

/** The escape at `at`, which is its backslash. */
export function readEscape(text: string, at: number): Escape {
  const point = text.codePointAt(at + 1);
  if (point === undefined) return { text: "", end: at + 1, error: "a backslash at the end of the file" };
  const c = String.fromCodePoint(point);
  const end = at + 1 + c.length;
  const simple = SIMPLE[c];
  if (simple !== undefined) return { text: simple, end, error: undefined };
  const wanted = DIGITS[c];
  if (wanted === undefined) return { text: c, end, error: undefined };
  const digits = text.slice(end, end + wanted);
  if (digits.length < wanted || !/^[0-9a-fA-F]+$/.test(digits))
    return { text: "", end, error: `\\${c} needs ${wanted} hexadecimal digits` };
  const code = Number.parseInt(digits, 16);
  if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
    return { text: "", end: end + wanted, error: `\\${c}${digits} is no character` };
  return { text: String.fromCodePoint(code), end: end + wanted, error: undefined };
}
