// The process tree as it was at a moment, as lines: who ran, what they ran then, who had just ended. Of a long recording most processes
// have ended long ago: the living, the last to end and all above them are drawn, and the others counted below their parents, so that a
// picture costs what it shows and not what was recorded.
//
//     PID    WALL          COMMAND
//      10   4.56s          make -j4
//                          │ 312 ended, 2 failed
//   ▶  11   1.20s  exit 1  ├─ cc -c a.c
//      12   0.40s          └─ sh -c 'cc -c b.c'
import { cutEnd, displayWidth, padStart, thousands } from "../base/text.ts";
import { ENDED, exitStatusOf } from "../derive/processes.ts";
import { ABSENT } from "../model/ids.ts";
import { formatDuration } from "../model/time.ts";
import { failureText, withoutFolders } from "../render/commands.ts";
import { type Ability, span, type Span, STYLE, type Style, type StyledLine } from "../terminal/styled.ts";
import type { EventWords } from "./event_text.ts";
import { actorOf, endedBy, endedChildren, imageAtStep, livingAt, type ProcessHistory } from "./process_history.ts";

export interface TreeOptions {
  readonly columns: number;
  readonly ability: Ability;
  /** How many of those that ended are drawn: the last ones. */
  readonly ended: number;
}

export interface TreeLine {
  /** ABSENT for a line of counts. */
  readonly life: number;
  readonly line: StyledLine;
}

/** Levels that are indented; what is deeper says how deep. */
const MOST_LEVELS = 30;
const LEAST_COMMAND = 16;

/** More living processes than this are not drawn: the latest are. Those above them come on top, up to a bound of their own. */
export const MOST_LIVING = 4000;
const MOST_DRAWN = 20_000;

/** The lives to draw at a step, in the order of the tree. Each comes with all above it. */
export function drawnLives(history: ProcessHistory, step: number, ended: number, also: readonly number[]): Int32Array {
  const { derived, ends, born } = history;
  const { tree, processes } = derived;
  const drawn = new Set<number>();
  const add = (from: number) => {
    for (let life = from; life !== ABSENT && !drawn.has(life); life = processes.parent[life]!) {
      drawn.add(life);
      if (drawn.size >= MOST_DRAWN) return;
    }
  };
  for (const life of also) if (life !== ABSENT && born[life]! <= step) add(life);
  // They come in the order of their births.
  for (const life of livingAt(history, step).subarray(-MOST_LIVING)) add(life);
  const to = endedBy(history, step);
  for (let i = Math.max(0, to - ended); i < to; i++) add(ends[i]!);
  const lives = Int32Array.from(drawn);
  const places = lives.map((life) => tree.position[life]!).sort();
  return places.map((place) => tree.preorder[place]!);
}

/** The time of a step. */
function timeOf({ derived, rows }: ProcessHistory, step: number): number {
  const row = rows[step];
  return row === undefined ? 0 : derived.processes.events.ts[row]!;
}

export class ProcessTreePicture {
  private readonly history: ProcessHistory;
  private readonly words: EventWords;
  private readonly step: number;
  private readonly selected: number;
  private readonly options: TreeOptions;
  /** Of what has just happened. */
  private readonly actor: number;
  private readonly concerned: number;
  private readonly now: number;
  readonly lives: Int32Array;
  private readonly isLast: Uint8Array;
  private readonly counted: Int32Array;
  private readonly pidWidth: number;
  private readonly statusWidth: number;

  constructor(history: ProcessHistory, words: EventWords, step: number, selected: number, options: TreeOptions) {
    this.history = history;
    this.words = words;
    this.step = step;
    this.selected = selected;
    this.options = options;
    this.actor = actorOf(history, step);
    const { processes } = history.derived;
    const row = history.rows[step];
    this.concerned = row === undefined ? ABSENT : processes.owner[row]!;
    this.now = timeOf(history, step);
    this.lives = drawnLives(history, step, options.ended, [this.actor, this.concerned, selected]);
    // Lines of one life follow each other, so "last child" and "how many are not drawn" take one pass each.
    const n = this.lives.length;
    this.isLast = new Uint8Array(n);
    this.counted = new Int32Array(n);
    const place = new Map<number, number>();
    const seen = new Set<number>();
    for (let i = n - 1; i >= 0; i--) {
      const above = processes.parent[this.lives[i]!]!;
      if (!seen.has(above)) this.isLast[i] = 1;
      seen.add(above);
    }
    for (let i = 0; i < n; i++) {
      const life = this.lives[i]!;
      const { from, to } = endedChildren(history, life, step);
      this.counted[i] = to - from;
      place.set(life, i);
      if (history.over[life]! > step) continue;
      const above = place.get(processes.parent[life]!);
      if (above !== undefined) this.counted[above]!--;
    }
    let pid = 3;
    let status = 0;
    // Only what is drawn first decides the widths: a screen is no longer.
    for (let i = 0; i < Math.min(n, 500); i++) {
      pid = Math.max(pid, String(processes.pid[this.lives[i]!]!).length);
      status = Math.max(status, this.status(this.lives[i]!).text.length);
    }
    this.pidWidth = pid;
    this.statusWidth = status > 0 ? status + 2 : 0;
  }

  head(): StyledLine {
    const { columns } = this.layout();
    let text = "  " + padStart("PID", this.pidWidth) + "  ";
    if (columns.wall) text += padStart("WALL", 7) + "  ";
    if (columns.status) text += " ".repeat(this.statusWidth);
    return [span(text + "COMMAND", STYLE.dim)];
  }

  /** How many lines there are. */
  get length(): number {
    let n = this.lives.length;
    for (const hidden of this.counted) if (hidden > 0) n++;
    return n;
  }

  /** Line of a life, ABSENT when it is not drawn. */
  lineOf(life: number): number {
    let line = 0;
    for (let i = 0; i < this.lives.length; i++) {
      if (this.lives[i] === life) return line;
      line += this.counted[i]! > 0 ? 2 : 1;
    }
    return ABSENT;
  }

  /** Lines `[from, to)`. */
  lines(from: number, to: number): TreeLine[] {
    const out: TreeLine[] = [];
    const { tree } = this.history.derived;
    /** By level: whether the life drawn there last has a sibling to come. */
    const more = new Uint8Array(MOST_LEVELS + 2);
    for (let i = 0, line = 0; i < this.lives.length && line < to; i++) {
      const life = this.lives[i]!;
      const depth = tree.depth[life]!;
      if (depth <= MOST_LEVELS) more[depth] = this.isLast[i] === 1 ? 0 : 1;
      if (line >= from) out.push({ life, line: this.lifeLine(life, depth, this.isLast[i] === 1, more) });
      line++;
      if (this.counted[i]! <= 0) continue;
      if (line >= from && line < to) out.push({ life: ABSENT, line: this.countLine(i, depth, more) });
      line++;
    }
    return out;
  }

  private layout(): { columns: { wall: boolean; status: boolean }; left: number } {
    const base = 2 + this.pidWidth + 2;
    const room = this.options.columns - LEAST_COMMAND;
    const status = this.statusWidth > 0 && base + this.statusWidth <= room;
    const wall = base + (status ? this.statusWidth : 0) + 9 <= room;
    return { columns: { wall, status }, left: base + (status ? this.statusWidth : 0) + (wall ? 9 : 0) };
  }

  private status(life: number): { text: string; style: Style } {
    const { history, step } = this;
    const { processes, recording } = history.derived;
    if (history.over[life]! > step) {
      const isRecordingOver = step === history.rows.length - 1;
      if (isRecordingOver && processes.ended[life] === ENDED.unseen)
        return recording.end === undefined
          ? { text: "no end", style: STYLE.yellow }
          : { text: "running", style: STYLE.plain };
      return { text: "", style: STYLE.plain };
    }
    if (processes.ended[life] === ENDED.replaced) return { text: "end lost", style: STYLE.yellow };
    const status = exitStatusOf(processes, life);
    const failure = failureText(status);
    if (failure !== "") return { text: failure, style: STYLE.red };
    return { text: status.how === "exited" ? "exit 0" : "ended", style: STYLE.dim };
  }

  private trunk(depth: number, more: Uint8Array): string {
    const { pass, blank } = this.glyphs();
    let text = "";
    for (let level = 1; level < Math.min(depth, MOST_LEVELS + 1); level++) text += more[level] === 1 ? pass : blank;
    return text;
  }

  private glyphs() {
    return this.options.ability.unicode
      ? { branch: "├─ ", last: "└─ ", pass: "│  ", blank: "   ", dots: "…", here: "▶" }
      : { branch: "|- ", last: "`- ", pass: "|  ", blank: "   ", dots: "...", here: ">" };
  }

  private lifeLine(life: number, depth: number, isLast: boolean, more: Uint8Array): StyledLine {
    const { history, step, words } = this;
    const { processes } = history.derived;
    const g = this.glyphs();
    const { columns, left } = this.layout();
    const isOver = history.over[life]! <= step;
    const isActor = life === this.actor || life === this.concerned;
    const dim = isOver && !isActor ? STYLE.dim : STYLE.plain;
    const line: Span[] = [span((isActor ? g.here : " ") + (life === this.selected ? "*" : " "), STYLE.bold)];
    line.push(span(padStart(String(processes.pid[life]!), this.pidWidth) + "  ", dim));
    if (columns.wall) {
      const end = isOver ? processes.end[life]! : Math.max(this.now, processes.start[life]!);
      const wall = (isOver || !Number.isNaN(end) ? "" : ">") + formatDuration(end - processes.start[life]!);
      line.push(span(padStart(wall, 7) + "  ", dim));
    }
    if (columns.status) {
      const { text, style } = this.status(life);
      line.push(span(text, style), span(" ".repeat(Math.max(0, this.statusWidth - text.length))));
    }
    let stem = this.trunk(depth, more);
    if (depth > MOST_LEVELS) stem += `[${depth}] `;
    else if (depth > 0) stem += isLast ? g.last : g.branch;
    line.push(span(stem, STYLE.dim));
    const image = imageAtStep(history, life, step);
    const command =
      image === ABSENT ? words.commands.inherited(life) : words.commands.ofExec(processes.imageRow[image]!);
    const room = Math.max(1, this.options.columns - left - displayWidth(stem));
    const shown = displayWidth(command) <= room ? command : cutEnd(withoutFolders(command, g.dots), room, g.dots);
    line.push(span(shown, isActor ? STYLE.bold : dim));
    return life === this.selected ? line.map(({ text }) => span(text, STYLE.reverse)) : line;
  }

  private countLine(i: number, depth: number, more: Uint8Array): StyledLine {
    const { history, step } = this;
    const life = this.lives[i]!;
    const { left } = this.layout();
    const { from, to } = endedChildren(history, life, step);
    const failed = history.failedBefore[to]! - history.failedBefore[from]!;
    // The trunk goes on to children that are drawn, if there are any.
    const next = this.lives[i + 1];
    const hasChild = next !== undefined && history.derived.processes.parent[next] === life;
    const g = this.glyphs();
    const own = depth === 0 || depth > MOST_LEVELS ? "" : more[depth] === 1 ? g.pass : g.blank;
    const stem = this.trunk(depth, more) + own + (hasChild ? g.pass : g.blank);
    const all = to - from;
    const hidden = this.counted[i]!;
    const what =
      hidden === all
        ? `${thousands(all)} ended${failed > 0 ? `, ${thousands(failed)} failed` : ""}`
        : `${thousands(hidden)} more ended (${thousands(all)} in all${failed > 0 ? `, ${thousands(failed)} failed` : ""})`;
    return [span(" ".repeat(left)), span(stem + g.dots + " " + what, STYLE.dim)];
  }
}
