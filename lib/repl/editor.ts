// The line that is being typed, as a state machine: keys in, text and cursor out, and now and then an event for the loop. Emacs
// keys as readline has them, fish's suggestions, a menu of completions. Knows no terminal: lib/terminal decodes the keys, editor_layout.ts
// makes rows of it.
import { nextCharacter, previousCharacter } from "../terminal/styled.ts";
import type { Key } from "../terminal/keys.ts";
import type { History } from "./history.ts";

export interface Candidate {
  /** What is put in place of the typed part. */
  readonly text: string;
  /** What the menu shows beside it. */
  readonly summary?: string;
  /** Nothing is put behind it: a folder, an open parenthesis. */
  readonly open?: boolean;
}

export interface Completion {
  /** Where the part that is replaced begins; it ends at the cursor. */
  readonly from: number;
  readonly candidates: readonly Candidate[];
}

/** What the editor asks of the shell. */
export interface Advisor {
  complete(text: string, cursor: number): Completion;
  /** False: Enter begins another row, since the command is not whole. */
  isWhole(text: string): boolean;
}

export type EditorEvent =
  | { readonly kind: "none" }
  /** Something changed: paint. */
  | { readonly kind: "changed" }
  | { readonly kind: "bell" }
  | { readonly kind: "accept"; readonly line: string }
  | { readonly kind: "interrupt" }
  | { readonly kind: "end" }
  | { readonly kind: "clear" }
  | { readonly kind: "suspend" };

export interface Menu {
  readonly candidates: readonly Candidate[];
  /** The chosen one, -1 for none yet. */
  readonly chosen: number;
}

export interface Search {
  readonly part: string;
  readonly failed: boolean;
}

interface State {
  readonly text: string;
  readonly cursor: number;
}

const NONE: EditorEvent = { kind: "none" };
const CHANGED: EditorEvent = { kind: "changed" };
const BELL: EditorEvent = { kind: "bell" };

const MOST_UNDO = 200;
const MOST_KILLS = 20;
/** A line longer than this is refused. */
const LONGEST = 1 << 17;

const WORD = /[\p{L}\p{N}_]/u;

export class LineEditor {
  text = "";
  cursor = 0;
  menu: Menu | undefined;
  search: Search | undefined;
  private readonly history: History;
  private readonly advisor: Advisor;
  /** Where in the history the shown line is; its length when it is none of it. */
  private place: number;
  /** What was typed before walking through the history. */
  private typed = "";
  private found = -1;
  private beforeSearch: State = { text: "", cursor: 0 };
  private kills: string[] = [];
  private killed = false;
  private yanked: { readonly from: number; readonly nth: number } | undefined;
  private undos: State[] = [];
  private inserting = false;
  private menuFrom = 0;
  private prefix = false;

  constructor(history: History, advisor: Advisor) {
    this.history = history;
    this.advisor = advisor;
    this.place = history.length;
  }

  /** An empty line, with the history's end before it. */
  reset(text = ""): void {
    this.text = text;
    this.cursor = text.length;
    this.menu = undefined;
    this.search = undefined;
    this.place = this.history.length;
    this.typed = "";
    this.undos = [];
    this.inserting = false;
    this.yanked = undefined;
    this.killed = false;
    this.prefix = false;
  }

  /** What the history would go on with; empty when it has nothing, or when the cursor is not at the end. */
  suggestion(): string {
    if (this.text === "" || this.cursor !== this.text.length || this.search !== undefined) return "";
    if (this.menu !== undefined || this.text.includes("\n")) return "";
    const found = this.history.before(this.history.length, this.text, this.text);
    const line = found < 0 ? "" : this.history.at(found)!;
    return line.includes("\n") ? "" : line.slice(this.text.length);
  }

  press(key: Key): EditorEvent {
    if (this.search !== undefined) return this.searchKey(key);
    const { chord } = key;
    const wasKill = this.killed;
    const wasYank = this.yanked;
    this.killed = false;
    this.yanked = undefined;
    if (this.prefix) {
      this.prefix = false;
      return chord === "C-u" || chord === "u" ? this.undo() : chord === "C-x" ? CHANGED : NONE;
    }
    if (this.menu !== undefined && chord !== "tab" && chord !== "S-tab") {
      const { chosen } = this.menu;
      if (chord === "down" || chord === "C-n") return this.choose(1);
      if (chord === "up" || chord === "C-p") return this.choose(-1);
      this.menu = undefined;
      if (chord === "escape" || chord === "C-g") return CHANGED;
      if (chord === "enter" && chosen >= 0) return CHANGED;
    }
    switch (chord) {
      case "enter":
      case "C-j":
        return this.enter();
      case "M-enter":
      case "C-M-j":
        return this.insert("\n");
      case "tab":
        return this.menu === undefined ? this.complete() : this.choose(1);
      case "S-tab":
        return this.menu === undefined ? NONE : this.choose(-1);
      case "paste":
        return this.insert(cleanPaste(key.text));
      case "C-c":
        return { kind: "interrupt" };
      case "C-d":
        return this.text === "" ? { kind: "end" } : this.remove(this.cursor, this.right());
      case "C-z":
        return { kind: "suspend" };
      case "C-l":
        return { kind: "clear" };
      case "C-x":
        this.prefix = true;
        return NONE;
      case "C-r":
      case "C-s":
        return this.startSearch();
      case "left":
      case "C-b":
        return this.move(this.left());
      case "right":
      case "C-f":
        return this.cursor === this.text.length ? this.takeSuggestion(false) : this.move(this.right());
      case "home":
      case "C-a":
        return this.move(this.lineStart());
      case "end":
      case "C-e":
        return this.cursor === this.text.length ? this.takeSuggestion(false) : this.move(this.lineEnd());
      case "M-b":
      case "C-left":
      case "M-left":
        return this.move(this.wordLeft());
      case "M-f":
      case "C-right":
      case "M-right":
        return this.cursor === this.text.length ? this.takeSuggestion(true) : this.move(this.wordRight());
      case "M-<":
        return this.move(0);
      case "M->":
        return this.move(this.text.length);
      case "up":
      case "C-p":
        return this.up();
      case "down":
      case "C-n":
        return this.down();
      case "backspace":
      case "C-h":
        return this.remove(this.left(), this.cursor);
      case "delete":
        return this.remove(this.cursor, this.right());
      case "C-k":
        return this.kill(this.cursor, this.lineEnd() === this.cursor ? this.right() : this.lineEnd(), wasKill, false);
      case "C-u":
        return this.kill(this.lineStart() === this.cursor ? this.left() : this.lineStart(), this.cursor, wasKill, true);
      case "C-w":
        return this.kill(this.blankLeft(), this.cursor, wasKill, true);
      case "M-backspace":
      case "C-M-h":
        return this.kill(this.wordLeft(), this.cursor, wasKill, true);
      case "M-d":
        return this.kill(this.cursor, this.wordRight(), wasKill, false);
      case "C-y":
        return this.yank(0);
      case "M-y":
        return wasYank === undefined ? BELL : this.yankNext(wasYank);
      case "C-t":
        return this.transpose();
      case "M-u":
        return this.changeWord((w) => w.toUpperCase());
      case "M-l":
        return this.changeWord((w) => w.toLowerCase());
      case "C-_":
        return this.undo();
      case "M-r":
        this.remember();
        return this.set({ text: "", cursor: 0 });
    }
    return key.text === "" ? NONE : this.insert(key.text);
  }

  private set(state: State): EditorEvent {
    this.text = state.text;
    this.cursor = state.cursor;
    return CHANGED;
  }

  private move(to: number): EditorEvent {
    this.inserting = false;
    if (to === this.cursor) return NONE;
    this.cursor = to;
    return CHANGED;
  }

  private remember(): void {
    this.inserting = false;
    this.undos.push({ text: this.text, cursor: this.cursor });
    if (this.undos.length > MOST_UNDO) this.undos.shift();
  }

  private undo(): EditorEvent {
    const before = this.undos.pop();
    this.inserting = false;
    return before === undefined ? BELL : this.set(before);
  }

  private insert(text: string): EditorEvent {
    if (text === "" || this.text.length + text.length > LONGEST) return BELL;
    // Letters typed one after the other are undone together, a word at a time.
    if (!this.inserting || text === " " || text.length > 2) this.remember();
    this.inserting = true;
    return this.set({
      text: this.text.slice(0, this.cursor) + text + this.text.slice(this.cursor),
      cursor: this.cursor + text.length,
    });
  }

  private remove(from: number, to: number): EditorEvent {
    if (from >= to) return BELL;
    this.remember();
    return this.set({ text: this.text.slice(0, from) + this.text.slice(to), cursor: from });
  }

  private kill(from: number, to: number, more: boolean, backwards: boolean): EditorEvent {
    if (from >= to) return BELL;
    const part = this.text.slice(from, to);
    const last = this.kills.at(-1);
    if (more && last !== undefined) this.kills[this.kills.length - 1] = backwards ? part + last : last + part;
    else this.kills.push(part);
    if (this.kills.length > MOST_KILLS) this.kills.shift();
    this.remove(from, to);
    this.killed = true;
    return CHANGED;
  }

  private yank(nth: number): EditorEvent {
    const text = this.kills.at(-1 - nth);
    if (text === undefined) return BELL;
    const from = this.cursor;
    this.insert(text);
    this.inserting = false;
    this.yanked = { from, nth };
    return CHANGED;
  }

  private yankNext({ from, nth }: { readonly from: number; readonly nth: number }): EditorEvent {
    this.text = this.text.slice(0, from) + this.text.slice(this.cursor);
    this.cursor = from;
    return this.yank((nth + 1) % this.kills.length);
  }

  private transpose(): EditorEvent {
    const right = this.cursor === this.text.length ? this.cursor : this.right();
    const middle = this.before(right);
    const left = this.before(middle);
    if (left === middle) return BELL;
    this.remember();
    const t = this.text;
    return this.set({
      text: t.slice(0, left) + t.slice(middle, right) + t.slice(left, middle) + t.slice(right),
      cursor: right,
    });
  }

  private changeWord(change: (word: string) => string): EditorEvent {
    const to = this.wordRight();
    if (to === this.cursor) return BELL;
    this.remember();
    const word = change(this.text.slice(this.cursor, to));
    return this.set({
      text: this.text.slice(0, this.cursor) + word + this.text.slice(to),
      cursor: this.cursor + word.length,
    });
  }

  private enter(): EditorEvent {
    if (this.text.trim() !== "" && !this.advisor.isWhole(this.text)) {
      this.cursor = this.text.length;
      return this.insert("\n");
    }
    return { kind: "accept", line: this.text };
  }

  private takeSuggestion(word: boolean): EditorEvent {
    const rest = this.suggestion();
    if (rest === "") return NONE;
    return this.insert(word ? (/^\W*\w+/.exec(rest)?.[0] ?? rest) : rest);
  }

  // Completion.

  private complete(): EditorEvent {
    const { from, candidates } = this.advisor.complete(this.text, this.cursor);
    if (candidates.length === 0) return BELL;
    if (candidates.length === 1) return this.take(from, candidates[0]!, true);
    const common = commonPrefix(candidates.map((c) => c.text));
    this.menuFrom = from;
    this.menu = { candidates, chosen: -1 };
    if (common.length > this.cursor - from) this.replace(from, common);
    return CHANGED;
  }

  private replace(from: number, text: string): void {
    this.remember();
    this.set({ text: this.text.slice(0, from) + text + this.text.slice(this.cursor), cursor: from + text.length });
  }

  private take(from: number, candidate: Candidate, close: boolean): EditorEvent {
    const after = this.text[this.cursor];
    const blank = close && candidate.open !== true && (after === undefined || after !== " ") ? " " : "";
    this.replace(from, candidate.text + blank);
    return CHANGED;
  }

  private choose(step: 1 | -1): EditorEvent {
    const { candidates, chosen } = this.menu!;
    const next =
      chosen < 0 && step < 0 ? candidates.length - 1 : (chosen + step + candidates.length) % candidates.length;
    this.take(this.menuFrom, candidates[next]!, false);
    this.menu = { candidates, chosen: next };
    return CHANGED;
  }

  // History.

  private up(): EditorEvent {
    const start = this.lineStart();
    if (start > 0 && this.place === this.history.length) {
      const above = this.text.lastIndexOf("\n", start - 2) + 1;
      return this.move(Math.min(above + (this.cursor - start), start - 1));
    }
    if (this.place === this.history.length) this.typed = this.text;
    return this.walk(this.history.before(this.place, this.typed, this.text));
  }

  private down(): EditorEvent {
    const end = this.lineEnd();
    if (end < this.text.length && this.place === this.history.length) {
      const below = this.text.indexOf("\n", end + 1);
      const last = below < 0 ? this.text.length : below;
      return this.move(Math.min(end + 1 + (this.cursor - this.lineStart()), last));
    }
    if (this.place === this.history.length) return BELL;
    const next = this.history.after(this.place, this.typed, this.text);
    if (next >= 0) return this.walk(next);
    this.place = this.history.length;
    return this.set({ text: this.typed, cursor: this.typed.length });
  }

  private walk(to: number): EditorEvent {
    if (to < 0) return BELL;
    this.place = to;
    const line = this.history.at(to)!;
    return this.set({ text: line, cursor: line.length });
  }

  // Reverse search.

  private startSearch(): EditorEvent {
    this.beforeSearch = { text: this.text, cursor: this.cursor };
    this.found = this.history.length;
    this.search = { part: "", failed: false };
    this.menu = undefined;
    return CHANGED;
  }

  private searchKey(key: Key): EditorEvent {
    const { part } = this.search!;
    switch (key.chord) {
      case "C-r":
        return this.seek(part, this.found - 1, -1);
      case "C-s":
        return this.seek(part, this.found + 1, 1);
      case "C-g":
        this.search = undefined;
        return this.set(this.beforeSearch);
      case "C-c":
        this.search = undefined;
        return { kind: "interrupt" };
      case "backspace":
      case "C-h": {
        const shorter = part.slice(0, previousCharacter(part, part.length));
        return this.seek(shorter, this.history.length - 1, -1);
      }
      case "enter":
      case "C-j":
        this.search = undefined;
        return this.enter();
    }
    const typed = key.chord === "paste" ? cleanPaste(key.text).replaceAll("\n", " ") : key.text;
    if (typed !== "") return this.seek(part + typed, Math.min(this.found, this.history.length - 1), -1);
    // Any other key takes what was found and is pressed there.
    this.search = undefined;
    if (key.chord === "escape" || key.chord === "tab") return CHANGED;
    const event = this.press(key);
    return event.kind === "none" || event.kind === "bell" ? CHANGED : event;
  }

  private seek(part: string, from: number, step: -1 | 1): EditorEvent {
    const at = part === "" ? -1 : this.history.search(part, from, step);
    this.search = { part, failed: at < 0 && part !== "" };
    if (at < 0) return part === "" ? CHANGED : CHANGED;
    this.found = at;
    this.place = at;
    const line = this.history.at(at)!;
    return this.set({ text: line, cursor: line.indexOf(part) });
  }

  // Places in the text.

  private left(): number {
    return this.before(this.cursor);
  }

  private before(at: number): number {
    if (at === 0) return 0;
    // Characters with their marks, but never over the beginning of the row.
    const row = this.text.lastIndexOf("\n", at - 1) + 1;
    return row === at ? at - 1 : row + previousCharacter(this.text.slice(row, at), at - row);
  }

  private right(): number {
    if (this.cursor >= this.text.length) return this.cursor;
    if (this.text[this.cursor] === "\n") return this.cursor + 1;
    return this.cursor + nextCharacter(this.text.slice(this.cursor, this.lineEnd()), 0);
  }

  private lineStart(): number {
    return this.text.lastIndexOf("\n", this.cursor - 1) + 1;
  }

  private lineEnd(): number {
    const end = this.text.indexOf("\n", this.cursor);
    return end < 0 ? this.text.length : end;
  }

  private wordLeft(): number {
    let at = this.cursor;
    while (at > 0 && !WORD.test(this.text[at - 1]!)) at--;
    while (at > 0 && WORD.test(this.text[at - 1]!)) at--;
    return at;
  }

  private blankLeft(): number {
    let at = this.cursor;
    while (at > 0 && /\s/.test(this.text[at - 1]!)) at--;
    while (at > 0 && !/\s/.test(this.text[at - 1]!)) at--;
    return at;
  }

  private wordRight(): number {
    let at = this.cursor;
    while (at < this.text.length && !WORD.test(this.text[at]!)) at++;
    while (at < this.text.length && WORD.test(this.text[at]!)) at++;
    return at;
  }
}

/** Text from the clipboard as text of a command: rows stay, everything else that steers a terminal goes. */
function cleanPaste(text: string): string {
  return text
    .replace(/\r\n?/g, "\n")
    .replaceAll("\t", " ")
    .replace(/[\p{Cc}\p{Cs}]/gu, (c) => (c === "\n" ? c : ""))
    .replace(/\n+$/, "");
}

function commonPrefix(texts: readonly string[]): string {
  let prefix = texts[0] ?? "";
  for (const text of texts) while (!text.startsWith(prefix)) prefix = prefix.slice(0, -1);
  return prefix;
}
