// The line editor as rows of a terminal: prompt, text with colours, suggestion, search and menu, wrapped to the columns there are (20 are
// enough) and cut to the rows there are. The inline painter writes them below what the shell has printed, and only again what changed.
import { cutEnd, displayWidth, printable } from "../base/text.ts";
import { encodeLine } from "../terminal/painter.ts";
import {
  type Ability,
  cutLine,
  lineWidth,
  type Span,
  span,
  STYLE,
  type Style,
  type StyledLine,
} from "../terminal/styled.ts";
import type { Candidate, LineEditor } from "./editor.ts";

export interface EditorPicture {
  readonly lines: readonly StyledLine[];
  readonly row: number;
  readonly column: number;
}

export interface LayoutOptions {
  readonly columns: number;
  readonly rows: number;
  readonly unicode: boolean;
  readonly prompt: StyledLine;
  /** Shown dimly behind the text while the cursor is at its end, when the history suggests nothing. */
  readonly hint: string;
  /** Colours of the text: spans that together are the text. */
  readonly colour: (text: string) => readonly Span[];
  /** False: the line as it stays on the screen once it is accepted. */
  readonly live: boolean;
}

const MENU_ROWS = 8;

/** Puts characters into rows. */
class Rows {
  readonly lines: Span[][] = [[]];
  private used = 0;
  private readonly columns: number;
  private readonly unicode: boolean;

  constructor(columns: number, unicode: boolean) {
    this.columns = columns;
    this.unicode = unicode;
  }

  get row(): number {
    return this.lines.length - 1;
  }

  get column(): number {
    return this.used;
  }

  newRow(): void {
    this.lines.push([]);
    this.used = 0;
  }

  put(text: string, style: Style): void {
    let part = "";
    const flush = () => {
      if (part !== "") this.lines.at(-1)!.push(span(part, style));
      part = "";
    };
    for (const c of text) {
      const shown = printable(c, this.unicode);
      const width = displayWidth(shown);
      if (this.used + width > this.columns) {
        flush();
        this.newRow();
      }
      part += shown;
      this.used += width;
    }
    flush();
  }

  /** The place of a character that would come next: in the next row when this one is full. */
  settle(): void {
    if (this.used >= this.columns) this.newRow();
  }
}

export function layOutEditor(editor: LineEditor, options: LayoutOptions): EditorPicture {
  const { columns, unicode } = options;
  const rows = new Rows(columns, unicode);
  const search = options.live ? editor.search : undefined;
  if (search === undefined) for (const part of options.prompt) rows.put(part.text, part.style);
  else {
    rows.put(search.failed ? "no such line: " : "search: ", search.failed ? STYLE.error : STYLE.dim);
    rows.put(search.part, STYLE.bold);
    rows.put(" > ", STYLE.dim);
  }
  const indent = Math.min(Math.max(0, rows.column - 4), Math.floor(columns / 2));
  const { text, cursor } = editor;
  let at = 0;
  let place: { row: number; column: number } | undefined;
  const look = () => {
    if (place !== undefined || at !== cursor) return;
    rows.settle();
    place = { row: rows.row, column: rows.column };
  };
  for (const part of options.colour(text))
    for (const c of part.text) {
      look();
      if (c === "\n") {
        rows.newRow();
        rows.put(" ".repeat(indent) + (unicode ? "··· " : "... "), STYLE.dim);
      } else rows.put(c, part.style);
      at += c.length;
    }
  look();
  const here = place ?? { row: rows.row, column: rows.column };
  if (!options.live) return { lines: rows.lines, ...here };
  const suggestion = editor.suggestion();
  if (suggestion !== "") rows.put(suggestion.slice(0, columns), STYLE.dim);
  else if (options.hint !== "" && cursor === text.length && editor.menu === undefined) {
    // Only where it fits: a hint is not worth a row.
    const room = columns - rows.column - 1;
    if (displayWidth(options.hint) < room) rows.put(options.hint, STYLE.dim);
  }
  const menu = editor.menu === undefined ? [] : layOutMenu(editor.menu.candidates, editor.menu.chosen, options);
  return cutRows([...rows.lines, ...menu], here, options.rows);
}

/** As many rows as there are, those around the cursor. */
function cutRows(
  lines: readonly StyledLine[],
  place: { readonly row: number; readonly column: number },
  most: number,
): EditorPicture {
  if (lines.length <= most) return { lines, ...place };
  const from = Math.max(0, Math.min(place.row - Math.floor(most / 2), lines.length - most));
  return { lines: lines.slice(from, from + most), row: place.row - from, column: place.column };
}

function layOutMenu(candidates: readonly Candidate[], chosen: number, options: LayoutOptions): StyledLine[] {
  const { columns, unicode } = options;
  const names = candidates.map((c) => printable(c.text, unicode));
  const described = candidates.some((c) => c.summary !== undefined);
  // One long value must not push what the others mean out of sight.
  const roomOfNames = Math.max(8, described ? Math.floor(columns / 2) : columns - 4);
  const told = described ? names.filter((_, i) => candidates[i]!.summary !== undefined) : names;
  const widest = Math.min(Math.max(...told.map(displayWidth)), roomOfNames);
  const across = described ? 1 : Math.max(1, Math.floor(columns / (widest + 2)));
  const down = Math.ceil(candidates.length / across);
  const most = Math.min(MENU_ROWS, Math.max(1, options.rows - 2));
  const chosenRow = chosen < 0 ? 0 : chosen % down;
  const first = Math.max(0, Math.min(chosenRow - Math.floor(most / 2), down - most));
  const out: StyledLine[] = [];
  for (let row = first; row < Math.min(down, first + most); row++) {
    const line: Span[] = [];
    for (let column = 0; column < across; column++) {
      const i = column * down + row;
      const name = names[i];
      if (name === undefined) continue;
      const style = i === chosen ? STYLE.reverse : STYLE.plain;
      const cut =
        described && candidates[i]!.summary !== undefined ? cutEnd(name, widest, unicode ? "…" : "...") : name;
      line.push(span(cut, style), span(" ".repeat(Math.max(0, widest - displayWidth(name)) + 2)));
      const summary = candidates[i]!.summary;
      if (summary !== undefined) line.push(span(printable(summary, unicode), STYLE.dim));
    }
    out.push(cutLine(line, 0, columns));
  }
  const left = candidates.length - Math.min(down, most) * across;
  if (left > 0) out.push([span(`${unicode ? "…" : "..."} ${left} more`, STYLE.dim)]);
  return out;
}

/** Writes pictures where the cursor is, without a screen of its own. */
export class InlinePainter {
  private row = 0;
  private column = -1;
  private shown: string[] = [];
  private readonly ability: Ability;

  constructor(ability: Ability) {
    this.ability = ability;
  }

  /** What was painted stays where it is: the next picture begins in a new row. */
  forget(): void {
    this.row = 0;
    this.column = -1;
    this.shown = [];
  }

  paint(picture: EditorPicture, columns: number): string {
    const lines = picture.lines.map((line) => encodeLine(line, columns, this.ability));
    let same = 0;
    while (same < lines.length && same < this.shown.length && lines[same]!.text === this.shown[same]) same++;
    const still = same === lines.length && same === this.shown.length;
    if (still && picture.row === this.row && picture.column === this.column) return "";
    this.column = picture.column;
    const down = (n: number) => (n > 0 ? `\x1b[${n}B` : n < 0 ? `\x1b[${-n}A` : "");
    let out = "";
    let row = this.row;
    if (same < lines.length || same < this.shown.length) {
      out += "\x1b[?25l";
      const from = Math.min(same, Math.max(0, this.shown.length - 1));
      out += `\r${down(from - row)}`;
      row = from;
      for (let i = from; i < lines.length; i++) {
        // A new row may scroll the screen, which only a line feed does.
        if (i > from) out += "\r\n";
        out += lines[i]!.text + (lines[i]!.width < columns ? "\x1b[K" : "");
        row = i;
      }
      if (this.shown.length > lines.length) {
        // Rows that are there no more are cleared without a line feed, which could scroll.
        out += lines.length <= from ? "\x1b[J" : "\x1b[1B\r\x1b[J\x1b[1A";
      }
    }
    out += `\r${down(picture.row - row)}${picture.column > 0 ? `\x1b[${Math.min(picture.column, columns - 1)}C` : ""}`;
    if (out.startsWith("\x1b[?25l")) out += "\x1b[?25h";
    this.row = picture.row;
    this.shown = lines.map((l) => l.text);
    return out;
  }

  /** After the last row of what was painted. */
  leave(): string {
    const below = Math.max(0, this.shown.length - 1 - this.row);
    this.forget();
    return `${below > 0 ? `\x1b[${below}B` : ""}\r\n`;
  }

  /** The terminal's width changed and it may have wrapped the rows anew: everything from the first is painted again. */
  rewrap(oldColumns: number, columns: number, widths: readonly number[]): string {
    let above = 0;
    for (let i = 0; i < this.row; i++) above += Math.max(1, Math.ceil((widths[i] ?? oldColumns) / columns));
    this.forget();
    return `\r${above > 0 ? `\x1b[${above}A` : ""}\x1b[J`;
  }
}

export const widthsOf = (picture: EditorPicture): number[] => picture.lines.map(lineWidth);
