// Lines of a source file as Python counts them, and short forms of a line and of a place for tables. Lengths are in code points.

/** Python's `str.splitlines` splits at these, more than an editor does: line numbers shift after such a character. */
const ENDS = "[\\n-\\r\\x1c-\\x1e\\x85\\u2028\\u2029]";
const LINE_ENDS = new RegExp(`\\r\\n|${ENDS}`);

/** What Python's `str.strip` takes away. */
const BLANK = "[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]";
const BLANK_HEAD = new RegExp(`^${BLANK}+`);
const NOT_BLANK = new RegExp(BLANK.replace("[", "[^"));

export function splitLines(text: string): string[] {
  const lines = text.split(LINE_ENDS);
  if (lines[lines.length - 1] === "") lines.pop();
  return lines;
}

export function strip(line: string): string {
  const rest = line.replace(BLANK_HEAD, "");
  // From the end by hand: a pattern tied to the end alone takes quadratic time on long runs of blanks inside.
  let end = rest.length;
  while (end > 0 && !NOT_BLANK.test(rest[end - 1]!)) end--;
  return rest.slice(0, end);
}

/** The line without blanks around it, cut to 36 and three dots when it has more than `most` (40) code points. */
export function shortLine(line: string, most = 40): string {
  const text = strip(line);
  if (text.length <= most) return text;
  const characters = Array.from(text.slice(0, 2 * most + 2));
  return characters.length > most ? characters.slice(0, most - 4).join("") + "..." : text;
}

/**
 * `path:line`, or two stars and as many whole last parts of it as fit when that is longer than `most`. As in the older tool that may be none
 * of them, for a very long file name; whole paths are in the formats for programs.
 */
export function shortPlace(path: string, line: number | string, most = 40): string {
  const whole = `${path}:${line}`;
  if (whole.length <= 2 * most && codePoints(whole) <= most) return whole;
  // What fits stands in the last characters; the rest of a long path is not even split.
  const parts = path.slice(-2 * most).split("/");
  for (let from = 1; from < parts.length; from++) {
    const place = `${parts.slice(from).join("/")}:${line}`;
    if (codePoints(place) <= most - 3) return `**/${place}`;
  }
  return `**/:${line}`;
}

const codePoints = (text: string): number => Array.from(text).length;

/** Python's `%.3f`: the exact binary value, halves to the even digit, where JavaScript's takes them up. */
export function threeDecimals(x: number): string {
  if (Number.isNaN(x)) return "nan";
  if (!Number.isFinite(x)) return x > 0 ? "inf" : "-inf";
  const text = x.toFixed(3);
  // Exactly half of a thousandth is left over only for odd sixteenths (1/2000 has 5^3 in it, a binary fraction has not).
  if (!Number.isInteger(x * 16) || (x * 16) % 2 === 0) return text;
  const last = Number(text.at(-1));
  return last % 2 === 0 ? text : text.slice(0, -1) + String(last - 1);
}
