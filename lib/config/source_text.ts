// A configuration file's text and places in it: offset to line and column, and the source line that an error shows.

/** Where something stands; lines and columns count from 1, columns in characters. */
export interface Place {
  /** The file's name as people know it. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export function formatPlace(place: Place): string {
  return `${place.file}:${place.line}:${place.column}`;
}

export class SourceText {
  readonly name: string;
  readonly text: string;
  /** Offsets at which lines begin; made when the first place is asked for. */
  private starts: number[] | undefined;

  constructor(name: string, text: string) {
    this.name = name;
    this.text = text;
  }

  place(offset: number): Place {
    const starts = this.lineStarts();
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (starts[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    let column = 1;
    for (const _ of this.text.slice(starts[low]!, offset)) column++;
    return { file: this.name, line: low + 1, column };
  }

  /** The text of a line without its end; empty when there is no such line. */
  line(number: number): string {
    const starts = this.lineStarts();
    const from = starts[number - 1];
    if (from === undefined) return "";
    const to = starts[number];
    return this.text.slice(from, to === undefined ? undefined : to - 1).replace(/\r$/, "");
  }

  private lineStarts(): readonly number[] {
    if (this.starts !== undefined) return this.starts;
    const starts = [0];
    for (let at = this.text.indexOf("\n"); at >= 0; at = this.text.indexOf("\n", at + 1)) starts.push(at + 1);
    return (this.starts = starts);
  }
}
