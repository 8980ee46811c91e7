// Four meanings a text may have on a terminal, as colours or as nothing. The only escapes that renderers write.

export interface Paint {
  /** Headings. */
  strong(text: string): string;
  /** What may be overlooked. */
  dim(text: string): string;
  /** Failures. */
  bad(text: string): string;
  /** What the reader should know before believing the rest. */
  odd(text: string): string;
}

const sgr = (code: number) => (text: string) => (text === "" ? "" : `\x1b[${code}m${text}\x1b[0m`);
const COLORS: Paint = { strong: sgr(1), dim: sgr(2), bad: sgr(31), odd: sgr(33) };
const PLAIN: Paint = { strong: (t) => t, dim: (t) => t, bad: (t) => t, odd: (t) => t };

export function paint(color: boolean): Paint {
  return color ? COLORS : PLAIN;
}
