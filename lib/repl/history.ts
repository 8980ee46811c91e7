// The lines that were typed, the latest last: what up, down and Ctrl-R walk through. Holds no file; who keeps them between
// sessions gives them in and takes the new ones out.

/** More lines than this are not kept. */
export const HISTORY_LIMIT = 5000;
/** A longer line is somebody's paste, not worth keeping. */
const LONGEST_LINE = 16_384;

export class History {
  private readonly lines: string[] = [];

  constructor(lines: readonly string[] = []) {
    for (const line of lines) this.add(line);
  }

  get length(): number {
    return this.lines.length;
  }

  at(index: number): string | undefined {
    return this.lines[index];
  }

  /** Whether it was kept: blanks before it, emptiness and repetition say no. */
  add(line: string): boolean {
    if (line.trim() === "" || line.startsWith(" ") || line.length > LONGEST_LINE) return false;
    if (this.lines.at(-1) === line) return false;
    this.lines.push(line);
    if (this.lines.length > HISTORY_LIMIT) this.lines.shift();
    return true;
  }

  /** The nearest line before `from` that begins with `prefix` and is not `not`; -1 when there is none. */
  before(from: number, prefix: string, not = ""): number {
    for (let i = Math.min(from, this.lines.length) - 1; i >= 0; i--)
      if (this.lines[i]!.startsWith(prefix) && this.lines[i] !== not) return i;
    return -1;
  }

  after(from: number, prefix: string, not = ""): number {
    for (let i = from + 1; i < this.lines.length; i++)
      if (this.lines[i]!.startsWith(prefix) && this.lines[i] !== not) return i;
    return -1;
  }

  /** The nearest line at or on the far side of `from` that holds `part`; `step` -1 is towards older lines. */
  search(part: string, from: number, step: -1 | 1): number {
    for (let i = from; i >= 0 && i < this.lines.length; i += step) if (this.lines[i]!.includes(part)) return i;
    return -1;
  }
}

/** Lines of a history file: one entry a line, with newlines and backslashes inside an entry escaped. */
export function historyLine(entry: string): string {
  return entry.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

export function parseHistory(text: string): string[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .slice(-HISTORY_LIMIT)
    .map((line) => line.replace(/\\(.)/g, (_, c: string) => (c === "n" ? "\n" : c)));
}
