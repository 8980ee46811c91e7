// A screen of styled lines to what has to be written so that a terminal shows it, given what it shows already: lines that did
// not change are not written. Whatever text it is given, only safe characters leave here.
import { printable } from "../base/text.ts";
import { type Ability, cutLine, lineWidth, type StyledLine } from "./styled.ts";

export interface Frame {
  /** From the top; rows after the last are empty, lines after the last row are left out. */
  readonly lines: readonly StyledLine[];
  /** Where the cursor stands, from 0; it is hidden when there is none. */
  readonly cursor?: { readonly row: number; readonly column: number } | undefined;
}

const CLEAR = "\x1b[0m\x1b[2J";

/** What a terminal is sent for a line. */
export interface EncodedLine {
  /** Safe, ending in the plain style. */
  readonly text: string;
  readonly width: number;
}

/** The line, at most `columns` wide. */
export function encodeLine(line: StyledLine, columns: number, ability: Ability): EncodedLine {
  const safe = line.map(({ text, style }) => ({ text: printable(text, ability.unicode), style }));
  const cut = cutLine(safe, 0, columns);
  let out = "";
  let style = "";
  for (const part of cut) {
    const next = ability.color ? part.style : "";
    if (next !== style) out += next === "" ? "\x1b[0m" : `\x1b[0;${next}m`;
    style = next;
    out += part.text;
  }
  return { text: style === "" ? out : `${out}\x1b[0m`, width: lineWidth(cut) };
}

export class Painter {
  private shown: string[] = [];
  private columns = 0;
  private rows = 0;
  private cursor = "";
  private readonly ability: Ability;

  constructor(ability: Ability) {
    this.ability = ability;
  }

  /** Nothing is known of what the terminal shows: the next frame is written whole. */
  forget(): void {
    this.columns = 0;
  }

  /** What to write; empty when the terminal shows the frame already. */
  paint(frame: Frame, columns: number, rows: number): string {
    const whole = columns !== this.columns || rows !== this.rows;
    let out = "";
    if (whole) {
      this.columns = columns;
      this.rows = rows;
      this.shown = Array.from({ length: rows }, () => "");
      this.cursor = "";
      out += CLEAR;
    }
    for (let row = 0; row < rows; row++) {
      const line = frame.lines[row] ?? [];
      const { text, width } = encodeLine(line, columns, this.ability);
      if (text === this.shown[row]) continue;
      this.shown[row] = text;
      out += `\x1b[${row + 1};1H${text}`;
      // In a full line the cursor waits in the last column, where erasing would take the last character.
      if (width < columns) out += "\x1b[K";
    }
    const at = frame.cursor;
    const cursor =
      at === undefined || at.row >= rows
        ? "\x1b[?25l"
        : `\x1b[${at.row + 1};${Math.min(at.column, columns - 1) + 1}H\x1b[?25h`;
    if (out !== "" || cursor !== this.cursor) {
      // Hidden while it runs over the screen.
      out = (out === "" ? "" : `\x1b[?25l${out}`) + cursor;
      this.cursor = cursor;
    }
    return out;
  }
}
