// What is wrong with a query, as a value: where in its text, what, and what was probably meant. The sentence is one line;
// `explainError` draws the text with the place underlined. What strangers typed is made printable before it is shown.
import { displayWidth, printable } from "../base/text.ts";

export interface QueryError {
  readonly _tag: "QueryError";
  /** Where in the text, in UTF-16 units. */
  readonly at: number;
  /** At least 1, so that there is something to underline; also behind the last character. */
  readonly length: number;
  /** What was wrong and what was expected; no final period. */
  readonly message: string;
  /** Names close to what was typed, the nearest first. */
  readonly nearest: readonly string[];
  /** How to write it instead, where that is known. */
  readonly hint?: string;
}

export function queryError(
  span: { readonly at: number; readonly length: number },
  message: string,
  nearest: readonly string[] = [],
  hint?: string,
): QueryError {
  const error: QueryError = { _tag: "QueryError", at: span.at, length: Math.max(1, span.length), message, nearest };
  return hint === undefined ? error : { ...error, hint };
}

/** The sentence with the nearest names. */
export function errorSentence(error: QueryError): string {
  return error.nearest.length === 0 ? error.message : `${error.message}; did you mean ${error.nearest.join(" or ")}?`;
}

/** How much of a long query is drawn on either side of the place. */
const AROUND = 60;

/**
 * The line of the query with the place underlined, the sentence, and the hint:
 *
 *     procs where wal > 10ms
 *                 ^^^
 *     there is no field 'wal' in procs; did you mean wall?
 */
export function explainError(text: string, error: QueryError): string[] {
  const lineStart = text.lastIndexOf("\n", error.at - 1) + 1;
  const newline = text.indexOf("\n", lineStart);
  const lineEnd = newline < 0 ? text.length : newline;
  const from = Math.max(lineStart, error.at - AROUND);
  const to = Math.min(lineEnd, Math.max(error.at + error.length, error.at + AROUND));
  const end = Math.min(to, error.at + error.length);
  const before = (from > lineStart ? "..." : "") + printable(text.slice(from, error.at));
  const place = printable(text.slice(error.at, end));
  const after = printable(text.slice(end, to)) + (to < lineEnd ? "..." : "");
  const line = "  " + before + place + after;
  const mark = "  " + " ".repeat(displayWidth(before)) + "^".repeat(Math.max(1, displayWidth(place)));
  const said = [line.trimEnd(), mark, printable(errorSentence(error))];
  return error.hint === undefined ? said : [...said, printable(error.hint)];
}

/** The line and its mark in a narrow terminal: as much around the place as fits a row, since a row that wraps would be marked wrongly. */
export function markFitted(line: string, mark: string, width: number): [string, string] {
  if (!Number.isFinite(width) || displayWidth(line) < width) return [line, mark];
  const place = mark.indexOf("^");
  const room = Math.max(1, width - 1);
  // A quarter of the row before the place, or what is there.
  const from = Math.max(0, Math.min(place - Math.floor(room / 4), displayWidth(line) - room));
  const cells: string[] = [];
  let at = 0;
  let skipped = 0;
  for (const c of line) {
    const w = displayWidth(c);
    if (at >= from && at + w - from <= room) {
      if (cells.length === 0) skipped = at;
      cells.push(c);
    }
    at += w;
  }
  return [cells.join(""), mark.slice(skipped, skipped + room)];
}
