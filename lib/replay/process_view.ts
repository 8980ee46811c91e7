// The process player as the replay's shell drives it: keys and prompts to moves, the moment as a header and the tree below it. Scrolling
// follows the process that is looked at; a picture costs what is on the screen and who is alive.
import { count, displayWidth, thousands, wrap } from "../base/text.ts";
import { programOf } from "../derive/exec_keys.ts";
import { argvOf, filenameOf } from "../model/event_at.ts";
import { ABSENT } from "../model/ids.ts";
import { isCutOff } from "../model/recording.ts";
import { caveats } from "../render/commands.ts";
import { type Ability, cutColumns, safe, span, STYLE, type StyledLine } from "../terminal/styled.ts";
import { testNames } from "./condition_words.ts";
import type { CauseLine } from "./cause_line.ts";
import { hitsAt } from "./event_breakpoints.ts";
import { EventWords } from "./event_text.ts";
import { localTime, sinceStart } from "./line_time.ts";
import { processHelp } from "./process_help.ts";
import { bornBy, endedBadly, endedBy, type ProcessHistory, stepAtTime } from "./process_history.ts";
import { beginningOf, clockOf } from "./recording_clock.ts";
import { ProcessPlayer, type Understand } from "./process_player.ts";
import { MOST_LIVING, ProcessTreePicture } from "./process_tree_view.ts";
import { DONE, type Moment, type Reply, UNKNOWN, type View, type ViewSize } from "./view.ts";

/** Where the recording comes from: it may be growing. */
export interface ProcessSource {
  history(): ProcessHistory;
  /** Looks whether more was written; `history` is another one when it says so. */
  refresh(): boolean;
  /** What the user has to know about the recording as a whole, such as that it was replaced. */
  note(): string | undefined;
  /** Whether no more can come. */
  isOver(): boolean;
  /** The line that caused the event in this row, where that can be known. */
  causeOf(row: number): CauseLine | undefined;
}

/** How many of those that ended are drawn: `e` goes from one to the next. */
const ENDED = [40, 1000, 0] as const;

export class ProcessView implements View {
  readonly id = "processes";
  readonly player: ProcessPlayer;
  private readonly source: ProcessSource;
  private words: EventWords | undefined;
  private failedBy: Int32Array | undefined;
  private panel: "help" | "breakpoints" | undefined;
  private panelAt = 0;
  private scroll = 0;
  private endedChoice = 0;
  private ability: Ability = { unicode: true, color: true };
  private picture: ProcessTreePicture | undefined;
  /** What the picture shows. */
  private pictured = "";
  private page = 10;
  /** What was said of the recording when it was looked at last. */
  private noted: string | undefined;
  private caused:
    | { readonly row: number; readonly history: ProcessHistory; readonly cause: CauseLine | undefined }
    | undefined;
  /** The selection was moved by hand, or the moment has changed: it has to be on the screen. */
  private follow = true;

  /** `understand`: what breakpoints are written in, when not in the words of condition_words.ts. */
  constructor(source: ProcessSource, understand?: Understand) {
    this.source = source;
    this.player = new ProcessPlayer(source.history(), understand);
  }

  hints(): readonly string[] {
    if (this.panel === "help") return ['"h": back'];
    if (this.panel === "breakpoints") return ['"enter": go on to it', '"delete": take it away', '"escape": back'];
    return ['"n": next', '"s": step', '"c": continue', '"b": breakpoint'];
  }

  message(): string | undefined {
    const { message } = this.player;
    return message !== "" ? message : this.source.note();
  }

  moment(): Moment | undefined {
    const { row, time, history } = this.player;
    if (row === ABSENT) return undefined;
    const { processes } = history.derived;
    const pid = this.player.selected === ABSENT ? undefined : processes.pid[this.player.selected]!;
    return { time, pid };
  }

  goTo(at: Moment): boolean {
    const { player } = this;
    if (player.steps === 0) return false;
    player.step = stepAtTime(player.history, at.time);
    player.message = "";
    if (at.pid !== undefined) player.selectPid(at.pid);
    this.changed();
    return true;
  }

  refresh(): boolean {
    if (!this.source.refresh()) {
      const note = this.source.note();
      if (note === this.noted) return false;
      this.noted = note;
      return true;
    }
    this.player.update(this.source.history());
    this.words = undefined;
    this.failedBy = undefined;
    this.changed();
    return true;
  }

  toEnd(): void {
    this.player.goToEnd();
    this.changed();
  }

  press(chord: string): Reply {
    const { player } = this;
    if (this.panel !== undefined && this.pressInPanel(chord)) return DONE;
    player.message = "";
    const move = MOVES[chord];
    if (move !== undefined) {
      move(player);
      this.changed();
      return DONE;
    }
    switch (chord) {
      case "q":
        return { kind: "quit" };
      case "h":
      case "f1":
        this.open("help");
        return DONE;
      case "L":
        this.open("breakpoints");
        return DONE;
      case "up":
        return this.selectBy(-1);
      case "down":
        return this.selectBy(1);
      case "pageup":
        return this.selectBy(-this.page);
      case "pagedown":
        return this.selectBy(this.page);
      case "home":
        return this.selectBy(-Infinity);
      case "end":
        return this.selectBy(Infinity);
      case ".":
        player.goToMoment();
        this.changed();
        return DONE;
      case "e":
        this.endedChoice = (this.endedChoice + 1) % ENDED.length;
        player.message =
          ENDED[this.endedChoice] === 0
            ? "those that ended are not drawn"
            : `the last ${ENDED[this.endedChoice]} that ended are drawn`;
        this.changed();
        return DONE;
      case "enter":
        return this.toCause();
      case "/":
      case "?":
        return { kind: "prompt", mark: chord, text: "" };
      case ">":
      case "<":
        player.search("", chord === ">" ? 1 : -1);
        this.changed();
        return DONE;
      case "escape":
        return DONE;
    }
    if (Array.from(chord).length > 1 && chord !== "space") return UNKNOWN;
    return { kind: "prompt", mark: "> ", text: /^[a-z]$/.test(chord) ? `${chord} ` : "" };
  }

  enter(line: string, mark: string): Reply {
    if (mark === "/" || mark === "?") this.player.search(line, mark === "/" ? 1 : -1);
    else this.player.command(line);
    this.changed();
    return DONE;
  }

  complete(line: string, mark: string): readonly string[] {
    if (mark !== "> ") return [];
    const exec = /^(.*\b(?:exec|badexec)\s+(?:!?=+\s*)?)(\S*)$/.exec(line);
    if (line.startsWith("b ") && exec !== null) return this.programs(exec[2]!).map((name) => exec[1]! + name);
    const word = /^(b\s+(?:.*[\s(])?)([a-z]*)$/.exec(line);
    if (word === null) return [];
    return testNames()
      .filter((name) => name.startsWith(word[2]!))
      .map((name) => word[1]! + name);
  }

  /** Names of programs that were run, as far as they can be typed as they are. */
  private programs(start: string): string[] {
    const { recording, programs } = this.player.history.derived;
    const names = new Set<string>();
    for (const row of programs.sampleRow) {
      const name = programOf(argvOf(recording, row), () => filenameOf(recording, row)?.text);
      if (name.startsWith(start) && /^[\w.+@%,:-]+$/.test(name)) names.add(name);
      if (names.size >= 200) break;
    }
    return [...names].sort();
  }

  private toCause(): Reply {
    const { player } = this;
    const cause = this.cause();
    if (cause !== undefined) return { kind: "show", view: "lines", at: cause.at };
    player.message = "no executed line is known to have caused this event";
    return DONE;
  }

  /** The line behind the present event; looked for once a moment. */
  private cause(): CauseLine | undefined {
    const { row, history } = this.player;
    if (this.caused?.row !== row || this.caused.history !== history)
      this.caused = { row, history, cause: row === ABSENT ? undefined : this.source.causeOf(row) };
    return this.caused.cause;
  }

  private open(panel: "help" | "breakpoints"): void {
    this.panel = panel;
    this.panelAt = 0;
  }

  /** False: the key is not the panel's, and closes nothing. */
  private pressInPanel(chord: string): boolean {
    const { panel, player } = this;
    const { all } = player.breakpoints;
    const last = Math.max(0, panel === "help" ? Infinity : all.length - 1);
    const go: Readonly<Record<string, number>> = {
      up: this.panelAt - 1,
      down: this.panelAt + 1,
      pageup: this.panelAt - this.page,
      pagedown: this.panelAt + this.page,
      home: 0,
    };
    if (go[chord] !== undefined) this.panelAt = Math.max(0, Math.min(last, go[chord]));
    else if (chord === "escape" || (panel === "help" ? chord === "h" || chord === "f1" : chord === "L"))
      this.panel = undefined;
    // In help every other key does nothing.
    else if (panel === "help") return true;
    else if (chord === "delete" || chord === "backspace") {
      player.breakpoints.remove(player.history, this.panelAt);
      this.panelAt = Math.max(0, Math.min(this.panelAt, player.breakpoints.all.length - 1));
    } else if (chord === "enter") {
      this.panel = undefined;
      const chosen = all[this.panelAt];
      if (chosen !== undefined) player.continueToHit(chosen);
      this.changed();
    } else {
      this.panel = undefined;
      return false;
    }
    return true;
  }

  /** Moves the selection so many drawn processes up or down. */
  private selectBy(n: number): Reply {
    const { player } = this;
    const { lives } = this.currentPicture(80);
    if (lives.length === 0) return DONE;
    const at = Math.max(0, lives.indexOf(player.selected));
    player.select(lives[Math.max(0, Math.min(lives.length - 1, at + n))]!);
    this.changed();
    return DONE;
  }

  private changed(): void {
    this.follow = true;
  }

  private currentPicture(columns: number): ProcessTreePicture {
    const { player, ability } = this;
    const { history, step, selected } = player;
    const key = `${step} ${selected} ${columns} ${this.endedChoice} ${ability.unicode} ${history.rows.length}`;
    if (this.picture === undefined || this.pictured !== key || this.words === undefined) {
      this.words ??= new EventWords(history.derived, ability.unicode);
      const options = { columns, ability, ended: ENDED[this.endedChoice]! };
      this.picture = new ProcessTreePicture(history, this.words, step, selected, options);
      this.pictured = key;
    }
    return this.picture;
  }

  paint(size: ViewSize): readonly StyledLine[] {
    const { columns, rows, ability } = size;
    if (ability.unicode !== this.ability.unicode) this.words = undefined;
    this.ability = ability;
    const lines: StyledLine[] = this.panel === "help" ? [] : this.head(columns, rows);
    const room = Math.max(0, rows - lines.length);
    this.page = Math.max(1, room - 2);
    if (this.panel === "help") lines.push(...this.help(columns, room));
    else if (this.panel === "breakpoints") lines.push(...this.breakpointLines(room));
    else lines.push(...this.tree(columns, room));
    while (lines.length < rows) lines.push([]);
    return lines.slice(0, rows);
  }

  private help(columns: number, room: number): StyledLine[] {
    const all = processHelp().flatMap(({ keys, means }) => {
      // On a narrow screen what a key means stands below it.
      const beside = columns - keys.length >= 24;
      const indent = " ".repeat(beside ? keys.length : 2);
      const words = wrap(means, Math.max(10, columns - indent.length)).map((line) => indent + line);
      return beside ? [keys + words[0]!.slice(keys.length), ...words.slice(1)] : [keys, ...words];
    });
    this.panelAt = Math.max(0, Math.min(this.panelAt, all.length - room));
    return all.slice(this.panelAt, this.panelAt + room).map((text) => [span(text)]);
  }

  private breakpointLines(room: number): StyledLine[] {
    const { all } = this.player.breakpoints;
    if (all.length === 0) return [[span("no breakpoints: b WHAT sets one, such as b exit != 0", STYLE.dim)]];
    const from = Math.max(0, Math.min(this.panelAt, all.length - room));
    return all.slice(from, from + room).map(({ condition, hits }, i) => {
      const text = `${String(from + i + 1).padStart(3)}  ${condition.text}  (${count(hits.length, "hit")})`;
      return [span(safe(text, this.ability.unicode), from + i === this.panelAt ? STYLE.reverse : STYLE.plain)];
    });
  }

  private tree(columns: number, room: number): StyledLine[] {
    if (room === 0 || this.player.steps === 0) return [];
    const picture = this.currentPicture(columns);
    const hasHead = room > 3;
    const height = room - (hasHead ? 1 : 0);
    const total = picture.length;
    if (this.follow) {
      const line = picture.lineOf(this.player.selected);
      const margin = Math.min(3, Math.floor((height - 1) / 2));
      if (line !== ABSENT) {
        if (line < this.scroll + margin) this.scroll = line - margin;
        if (line >= this.scroll + height - margin) this.scroll = line - height + 1 + margin;
      }
      this.follow = false;
    }
    this.scroll = Math.max(0, Math.min(this.scroll, total - height));
    const lines = picture.lines(this.scroll, this.scroll + height).map(({ line }) => line);
    return hasHead ? [picture.head(), ...lines] : lines;
  }

  /** What the moment is: fewer lines on a small screen. */
  private head(columns: number, rows: number): StyledLine[] {
    const { player, ability } = this;
    const { history, step, steps, row, time } = player;
    const { derived } = history;
    const { recording } = derived;
    if (row === ABSENT) return [[span("there is no event of a process in the recording", STYLE.yellow)]];
    this.words ??= new EventWords(derived, ability.unicode);
    const out: StyledLine[] = [];
    const clock = clockOf(recording);
    const since = sinceStart(time, beginningOf(recording), clock ?? { ticksPerSecond: 1e9, unixZero: 0 });
    const when = clock === undefined ? since : `${localTime(time, clock)}  ${since}`;
    const place = step === 0 ? "  [START OF RECORDING]" : step === steps - 1 ? this.endWords() : "";
    out.push([span("time: "), span(when, STYLE.bold), span(place, STYLE.yellow)]);
    const { pid, verb, text, mood } = this.words.of(row);
    const style = mood === "bad" ? STYLE.red : mood === "odd" ? STYLE.yellow : STYLE.bold;
    const who = pid === undefined ? "" : `${pid} `;
    out.push([span("event: "), span(`${who}${verb}`, style), span(`  ${text}`)]);
    const cause = rows >= 9 ? this.cause() : undefined;
    if (cause !== undefined) {
      const place = safe(`${cause.path}:${cause.line}`, ability.unicode);
      const sure = cause.certainty === "own line" ? "" : ` (${cause.certainty})`;
      out.push([
        span("line: "),
        span(cutStart(place, Math.floor(columns / 2), ability.unicode ? "…" : "..."), STYLE.cyan),
        span(`  ${safe(cause.text, ability.unicode)}`),
        span(sure, STYLE.yellow),
      ]);
    }
    if (rows >= 10) {
      const alive = bornBy(history, step) - endedBy(history, step);
      const failed = this.failedUntil(step);
      const hit = player.breakpoints.all.filter((b) => hitsAt(b, step)).map(({ condition }) => condition.text);
      const counts = `${count(alive, "process", "processes")} alive, ${thousands(endedBy(history, step))} ended${failed > 0 ? ` (${thousands(failed)} failed)` : ""}; event ${thousands(step + 1)} of ${thousands(steps)}`;
      const line = [span(counts, STYLE.dim)];
      if (alive > MOST_LIVING)
        line.push(span(`  the last ${thousands(MOST_LIVING)} of the living are drawn`, STYLE.yellow));
      if (hit.length > 0) line.push(span(`  breakpoint: ${hit.join(" | ")}`, STYLE.yellow));
      out.push(line);
    }
    if (rows >= 14)
      for (const sentence of this.caveats()) out.push([span(`! ${safe(sentence, ability.unicode)}`, STYLE.yellow)]);
    if (rows >= 8) out.push([span((ability.unicode ? "━" : "-").repeat(columns), STYLE.dim)]);
    return out;
  }

  private caveats(): string[] {
    const { recording } = this.player.history.derived;
    if (!isCutOff(recording) || this.source.isOver()) return caveats(recording);
    return [
      ...caveats({ ...recording, header: undefined }),
      "the recording has no end yet: it is still being written, or was cut off",
    ];
  }

  private endWords(): string {
    const { recording } = this.player.history.derived;
    return isCutOff(recording) ? "  [END OF WHAT IS RECORDED]" : "  [END OF RECORDING]";
  }

  private failedUntil(step: number): number {
    const { history } = this.player;
    if (this.failedBy === undefined) {
      const { ends, derived } = history;
      this.failedBy = new Int32Array(ends.length + 1);
      for (let i = 0; i < ends.length; i++)
        this.failedBy[i + 1] = this.failedBy[i]! + (endedBadly(derived, ends[i]!) ? 1 : 0);
    }
    return this.failedBy[endedBy(history, step)]!;
  }
}

/** The end of a path says more than its beginning. */
function cutStart(text: string, width: number, mark: string): string {
  const wide = displayWidth(text);
  return wide <= width ? text : mark + cutColumns(text, wide - width + mark.length, width - mark.length);
}

const MOVES: Readonly<Record<string, (player: ProcessPlayer) => void>> = {
  n: (p) => p.next(),
  N: (p) => p.previous(),
  s: (p) => p.stepForward(),
  S: (p) => p.stepBack(),
  c: (p) => p.continue(),
  C: (p) => p.continueBack(),
  R: (p) => p.finish(),
  E: (p) => p.finishBack(),
};
