// What is around the players on the screen: the row of keys, messages, the prompt with what was typed before, switching between
// lines and processes at the same moment, following a recording that grows. Pure: key events in, a frame out; whoever has the terminal
// (cmd/replay_screen.ts) stops, repaints and asks for refreshing when this says so.
import { cutEnd, displayWidth } from "../base/text.ts";
import type { Frame } from "../terminal/painter.ts";
import { safe, type Span, span, STYLE, type StyledLine } from "../terminal/styled.ts";
import { Prompt, PromptHistory } from "./prompt.ts";
import type { Moment, Reply, View, ViewSize } from "./view.ts";

/** What the terminal's owner has to do after an event. */
export type ShellAct = "paint" | "repaint" | "suspend" | "quit";

/** On a screen with fewer rows the keys are not listed. */
const ROWS_FOR_HINTS = 8;

export class Shell {
  /** Whether the end of a growing recording is followed. */
  following = false;
  private readonly views: View[];
  private current: number;
  private prompt: Prompt | undefined;
  private note: string | undefined;
  /** The view that was left last, and the moment to which the one after it went: from there one goes back to where one was. */
  private left: { readonly index: number; readonly at: Moment | undefined } | undefined;
  private readonly histories = new Map<string, PromptHistory>();

  /** At least one view. */
  constructor(views: readonly View[], first = 0) {
    this.views = [...views];
    this.current = first;
  }

  get view(): View {
    return this.views[this.current]!;
  }

  press(chord: string, text: string): ShellAct {
    this.note = undefined;
    if (chord === "C-l") return "repaint";
    if (chord === "C-z") return "suspend";
    if (this.prompt !== undefined) return this.pressInPrompt(this.prompt, chord, text);
    switch (chord) {
      case "C-c":
      case "C-d":
        return "quit";
      case "tab":
        return this.switchTo((this.current + 1) % this.views.length);
      case "F":
        this.following = !this.following;
        this.note = this.following ? "following the recording to its end; F stops it" : "not following any more";
        if (this.following) {
          this.view.refresh();
          this.view.toEnd();
        }
        return "paint";
      case "paste":
        // Keys that were not meant as keys.
        return "paint";
    }
    const before = this.view.moment();
    const act = this.answer(this.view.press(chord));
    this.stopFollowing(before?.time);
    return act;
  }

  private pressInPrompt(prompt: Prompt, chord: string, text: string): ShellAct {
    const end = prompt.press(chord, text);
    if (end === undefined) return "paint";
    this.prompt = undefined;
    if (end.kind === "left") return "paint";
    const before = this.view.moment();
    const act = this.answer(this.view.enter(end.line, prompt.mark));
    this.stopFollowing(before?.time);
    return act;
  }

  /** Who moves is not following any more. */
  private stopFollowing(before: number | undefined): void {
    if (this.view.moment()?.time !== before) this.following = false;
  }

  private answer(reply: Reply): ShellAct {
    switch (reply.kind) {
      case "quit":
        return "quit";
      case "prompt": {
        const view = this.view;
        const { mark, text } = reply;
        this.prompt = new Prompt(mark, text, this.historyOf(mark), (line) => view.complete(line, mark));
        return "paint";
      }
      case "show": {
        const index = this.views.findIndex(({ id }) => id === reply.view);
        if (index < 0) {
          this.note = `there are no ${reply.view} in this recording`;
          return "paint";
        }
        this.enterView(index, reply.at);
        return "paint";
      }
      case "unknown":
        this.note = "this key does nothing here; press <h> for help";
        return "paint";
      case "done":
        return "paint";
    }
  }

  private historyOf(mark: string): PromptHistory {
    const key = `${this.view.id} ${mark}`;
    let history = this.histories.get(key);
    if (history === undefined) this.histories.set(key, (history = new PromptHistory()));
    return history;
  }

  private switchTo(index: number): ShellAct {
    if (index === this.current) {
      this.note = `there are only ${this.view.id} in this recording`;
      return "paint";
    }
    const at = this.view.moment();
    const { left } = this;
    // Nothing was moved since: the other view still stands where it was left.
    if (left?.index === index && left.at?.time === at?.time && left.at?.pid === at?.pid) {
      this.left = undefined;
      this.current = index;
    } else this.enterView(index, at);
    return "paint";
  }

  private enterView(index: number, at: Moment | undefined): void {
    const from = this.current;
    this.current = index;
    if (at !== undefined) this.view.goTo(at);
    this.left = { index: from, at: this.view.moment() };
  }

  /** A view that was not there before: Tab goes to it. */
  add(view: View): void {
    this.views.push(view);
  }

  /** Says something until the next key, unless the view has something to say. */
  tell(note: string): void {
    this.note = note;
  }

  /** Looks for more of the recording; whether anything on the screen can have changed. */
  tick(): boolean {
    let more = false;
    for (const view of this.views) if (view.refresh()) more = true;
    if (more && this.following) this.view.toEnd();
    return more;
  }

  paint(size: ViewSize): Frame {
    const { columns, rows, ability } = size;
    const message = this.view.message() ?? this.note;
    const choices = this.prompt?.choices ?? [];
    const below: StyledLine[] = [];
    if (choices.length > 0) below.push(choiceLine(choices, columns, ability.unicode));
    else if (message !== undefined)
      below.push([span(cutEnd(safe(`[ ${message} ]`, ability.unicode), columns, ""), STYLE.bold)]);
    const footer = this.footer(size);
    below.push(...footer.lines);
    // The view keeps a row of its own, whatever happens.
    const kept = below.slice(Math.max(0, below.length - Math.max(1, rows - 1)));
    const room = Math.max(0, rows - kept.length);
    const lines = [...this.view.paint({ columns, rows: room, screenRows: rows, ability })].slice(0, room);
    while (lines.length < room) lines.push([]);
    lines.push(...kept);
    return footer.column === undefined ? { lines } : { lines, cursor: { row: rows - 1, column: footer.column } };
  }

  /** The prompt, or the keys under a rule. */
  private footer({ columns, rows, ability }: ViewSize): { readonly lines: StyledLine[]; readonly column?: number } {
    const rule: StyledLine = [span((ability.unicode ? "━" : "-").repeat(columns), STYLE.dim)];
    const tall = rows >= ROWS_FOR_HINTS;
    if (this.prompt !== undefined) {
      const { line, column } = this.prompt.paint(columns, ability.unicode);
      return { lines: tall ? [rule, line] : [line], column };
    }
    if (!tall) return { lines: [] };
    const separator = ability.unicode ? " │ " : " | ";
    const hints = [...this.view.hints()];
    if (this.views.length > 1) hints.push(`<Tab>: ${this.views[(this.current + 1) % this.views.length]!.id}`);
    if (this.following) hints.unshift("FOLLOWING");
    const spans: Span[] = [];
    let used = 0;
    for (const hint of hints) {
      const wide = displayWidth(hint) + (used > 0 ? separator.length : 0);
      if (used + wide > columns) break;
      if (used > 0) spans.push(span(separator, STYLE.dim));
      spans.push(span(hint, hint === "FOLLOWING" ? STYLE.reverse : STYLE.plain));
      used += wide;
    }
    return { lines: [rule, spans] };
  }
}

/** What completion offers, as many as fit. */
function choiceLine(choices: readonly string[], columns: number, unicode: boolean): StyledLine {
  const more = unicode ? "…" : "...";
  const all = choices.map((choice) => safe(choice.replace(/^\S+\s+/, ""), unicode)).join("  ");
  return [span(cutEnd(all, columns, more), STYLE.cyan)];
}
