// The line at the bottom in which commands are typed: editing, the lines of before, completion. Pure: keys in, text and cursor out.
import { displayWidth } from "../base/text.ts";
import { nextCharacter, previousCharacter, safe, span, STYLE, type StyledLine, cutLine } from "../terminal/styled.ts";

export type PromptEnd = { readonly kind: "entered"; readonly line: string } | { readonly kind: "left" } | undefined;

const MOST_LINE = 4096;
const MOST_LINES = 500;

/** Lines that were entered, shared by the prompts with the same mark. */
export class PromptHistory {
  readonly lines: string[] = [];

  add(line: string): void {
    const typed = line.trim();
    if (typed === "" || this.lines.at(-1) === typed) return;
    this.lines.push(typed);
    if (this.lines.length > MOST_LINES) this.lines.shift();
  }
}

export class Prompt {
  readonly mark: string;
  text: string;
  at: number;
  /** What completion found when it found more than one. */
  choices: readonly string[] = [];
  private readonly history: PromptHistory;
  private readonly completer: (line: string) => readonly string[];
  /** Place in the history; its length is the line that is being typed. */
  private nth: number;
  private typed = "";

  constructor(
    mark: string,
    text: string,
    history: PromptHistory,
    completer: (line: string) => readonly string[] = () => [],
  ) {
    this.mark = mark;
    this.text = text;
    this.at = text.length;
    this.history = history;
    this.completer = completer;
    this.nth = history.lines.length;
  }

  press(chord: string, typed: string): PromptEnd {
    if (chord !== "tab") this.choices = [];
    switch (chord) {
      case "enter":
      case "C-j":
        this.history.add(this.text);
        return { kind: "entered", line: this.text };
      case "escape":
      case "C-c":
      case "C-g":
        return { kind: "left" };
      case "C-d":
        if (this.text === "") return { kind: "left" };
        this.remove(this.at, nextCharacter(this.text, this.at));
        return undefined;
      case "backspace":
      case "C-h":
        if (this.text === "") return { kind: "left" };
        this.remove(previousCharacter(this.text, this.at), this.at);
        return undefined;
      case "delete":
        this.remove(this.at, nextCharacter(this.text, this.at));
        return undefined;
      case "left":
      case "C-b":
        this.at = previousCharacter(this.text, this.at);
        return undefined;
      case "right":
      case "C-f":
        this.at = nextCharacter(this.text, this.at);
        return undefined;
      case "home":
      case "C-a":
        this.at = 0;
        return undefined;
      case "end":
      case "C-e":
        this.at = this.text.length;
        return undefined;
      case "C-u":
        this.remove(0, this.at);
        return undefined;
      case "C-k":
        this.remove(this.at, this.text.length);
        return undefined;
      case "C-w":
      case "M-backspace":
        this.remove(this.text.slice(0, this.at).search(/\S*\s*$/), this.at);
        return undefined;
      case "M-b":
      case "C-left":
        this.at = this.text.slice(0, this.at).search(/\S*\s*$/);
        return undefined;
      case "M-f":
      case "C-right":
        this.at += /^\s*\S*/.exec(this.text.slice(this.at))![0].length;
        return undefined;
      case "up":
      case "C-p":
        this.recall(-1);
        return undefined;
      case "down":
      case "C-n":
        this.recall(1);
        return undefined;
      case "tab":
        this.complete();
        return undefined;
      case "paste":
        // Of several lines the first; a line break would enter something that nobody has read.
        this.insert(typed.split(/[\r\n]/, 1)[0]!);
        return undefined;
      default:
        this.insert(typed);
        return undefined;
    }
  }

  private insert(text: string): void {
    const room = MOST_LINE - this.text.length;
    const part = text.slice(0, Math.max(0, room));
    this.text = this.text.slice(0, this.at) + part + this.text.slice(this.at);
    this.at += part.length;
  }

  private remove(from: number, to: number): void {
    this.text = this.text.slice(0, from) + this.text.slice(to);
    this.at = from;
  }

  private recall(step: 1 | -1): void {
    const { lines } = this.history;
    const next = this.nth + step;
    if (next < 0 || next > lines.length) return;
    if (this.nth === lines.length) this.typed = this.text;
    this.nth = next;
    this.text = next === lines.length ? this.typed : lines[next]!;
    this.at = this.text.length;
  }

  private complete(): void {
    const found = this.completer(this.text.slice(0, this.at));
    if (found.length === 0) return;
    let same = found[0]!;
    for (const line of found) {
      let n = 0;
      while (n < same.length && same[n] === line[n]) n++;
      same = same.slice(0, n);
    }
    if (same.length >= this.at) {
      this.text = same + this.text.slice(this.at);
      this.at = same.length;
    }
    this.choices = found.length > 1 ? found : [];
  }

  /** The line in `columns`, and the cursor's column; a long line moves so that the cursor is seen. */
  paint(columns: number, unicode: boolean): { readonly line: StyledLine; readonly column: number } {
    const before = displayWidth(safe(this.mark + this.text.slice(0, this.at), unicode));
    const line = [span(this.mark, STYLE.bold), span(safe(this.text, unicode))];
    const from = Math.max(0, before - columns + 1);
    return { line: cutLine(line, from, columns), column: before - from };
  }
}
