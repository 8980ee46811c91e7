// Moving through a recording of processes: the moment, the process that is looked at, breakpoints, and what each key does to them. Knows
// no terminal and no clock; what a moment looks like is process_view.ts's.
//
// One stands on an event, which has just happened. `next` goes to the next event of the process that is looked at, over whatever its
// children and all others do meanwhile; `step` to whatever comes next. A process that has ended leads on to the one above it.
import type { Result } from "neverthrow";
import { count, printable } from "../base/text.ts";
import type { EventCondition } from "../derive/predicate.ts";
import { ABSENT } from "../model/ids.ts";
import { NS_PER_S } from "../model/time.ts";
import { type Breakpoint, Breakpoints, findHits } from "./event_breakpoints.ts";
import { parseBreakpoint, parseCondition } from "./condition.ts";
import { jumpTarget, parseJump } from "./jump.ts";
import { notAfter } from "./line_time.ts";
import { clockOf } from "./recording_clock.ts";
import { actorOf, lastStepWhere, lowerBound, NEVER, type ProcessHistory, stepAtTime } from "./process_history.ts";

type Direction = 1 | -1;

/** Text to a condition over events, or a sentence on what is wrong with it. */
export type Understand = (text: string) => Result<EventCondition, string>;

const HELP_HINT = "press <h> for help";

export class ProcessPlayer {
  history: ProcessHistory;
  /** The event that has just happened; 0 also when there is none at all. */
  step = 0;
  /** The process that is looked at, ABSENT for none. */
  selected = ABSENT;
  /** What went wrong with the last key, or what it wants to say; empty for nothing. */
  message = "";
  readonly breakpoints = new Breakpoints();
  private readonly understand: Understand;
  private sought = "";
  private found: Uint32Array = new Uint32Array(0);

  /** `understand`: what breakpoints are written in. */
  constructor(history: ProcessHistory, understand: Understand = parseBreakpoint) {
    this.history = history;
    this.understand = understand;
    this.selected = this.actorNear(0);
  }

  get steps(): number {
    return this.history.rows.length;
  }

  /** Row of the event that has just happened, ABSENT in a recording without any. */
  get row(): number {
    return this.history.rows[this.step] ?? ABSENT;
  }

  /** Time of the moment, nanoseconds since the recording began. */
  get time(): number {
    const { events } = this.history.derived.processes;
    return this.row === ABSENT ? 0 : events.ts[this.row]!;
  }

  /** What was sought last. */
  get lastSearch(): string {
    return this.sought;
  }

  /** `s`: the next event anywhere. */
  stepForward(): void {
    if (this.isLast(1)) this.fail("step", 1);
    else this.goTo(this.step + 1);
  }

  stepBack(): void {
    if (this.isLast(-1)) this.fail("step back", -1);
    else this.goTo(this.step - 1);
  }

  /** `n`: the next event of this process. A breakpoint on the way holds. */
  next(): void {
    this.alongProcess("next", 1);
  }

  previous(): void {
    this.alongProcess("next back", -1);
  }

  /** `c`: the next breakpoint, or the end. */
  continue(): void {
    if (this.isLast(1)) this.fail("continue", 1, "already at");
    else this.goTo(this.breakpoints.after(this.step) ?? this.steps - 1);
  }

  continueBack(): void {
    if (this.isLast(-1)) this.fail("continue back", -1, "already at");
    else this.goTo(this.breakpoints.before(this.step) ?? 0);
  }

  /** To the n-th hit of the breakpoints from here; negative: back. */
  continueTo(n: number): void {
    this.message = "";
    const back = n < 0;
    const wanted = Math.abs(n);
    const there = back ? this.breakpoints.before(this.step, wanted) : this.breakpoints.after(this.step, wanted);
    if (there !== undefined) {
      this.goTo(there);
      return;
    }
    const left = back ? this.breakpoints.countBefore(this.step) : this.breakpoints.countAfter(this.step);
    this.message =
      this.breakpoints.all.length === 0
        ? "there is no breakpoint: set one with b, such as b exit != 0"
        : `only ${count(left, "hit")} ${back ? "before" : "after"} this event`;
  }

  /** To the end of the process that is looked at; when it is over, of the one above. A breakpoint on the way holds. */
  finish(): void {
    const life = this.stillToCome("finish");
    if (life === undefined) return;
    this.runTo(this.history.over[life]!, life);
  }

  /** To the beginning of the process that is looked at; when there already, of the one above. */
  finishBack(): void {
    this.message = "";
    const { born, derived } = this.history;
    let life = this.selected;
    while (life !== ABSENT && born[life]! >= this.step) life = derived.processes.parent[life]!;
    if (life === ABSENT) this.fail("finish back", -1);
    else this.runTo(born[life]!, life);
  }

  goToStart(): void {
    this.message = "";
    this.goTo(0);
  }

  goToEnd(): void {
    this.message = "";
    this.goTo(this.steps - 1);
  }

  /** Looks at the process of the event again. */
  goToMoment(): void {
    this.goTo(this.step);
  }

  /** To the next hit of one breakpoint, from the end on to its first. */
  continueToHit({ hits, condition }: Breakpoint): void {
    this.message = "";
    const step = hits[lowerBound(hits, this.step + 1)] ?? hits[0];
    if (step === undefined) this.message = `${condition.text} never happens`;
    else this.goTo(step);
  }

  /** Looks at another process, from this moment on. */
  select(life: number): void {
    this.message = "";
    this.selected = life;
  }

  /** The process with this pid that is alive now, else the last that had it before now, else the next. */
  selectPid(pid: number): void {
    this.message = "";
    const { derived, born } = this.history;
    const { processes } = derived;
    let found = ABSENT;
    // Lives are numbered in the order in which they began.
    for (let life = processes.pid.indexOf(pid); life >= 0; life = processes.pid.indexOf(pid, life + 1)) {
      if (born[life]! > this.step && found !== ABSENT) break;
      found = life;
    }
    if (found === ABSENT) {
      this.message = `process ${pid} does not occur in the recording`;
      return;
    }
    this.selected = found;
    if (born[found]! > this.step) this.message = `process ${pid} has not begun yet: n goes to its beginning`;
  }

  /** To the next (or the last) exec whose words hold the text; an empty text repeats the search. */
  search(text: string, direction: Direction = 1): void {
    this.message = "";
    if (text !== "" && text !== this.sought) {
      const parsed = parseCondition(`text ${JSON.stringify(text)}`);
      if (parsed.isErr()) {
        this.message = parsed.error;
        return;
      }
      this.found = findHits(this.history, parsed.value);
      this.sought = text;
    }
    if (this.sought === "") {
      this.message = "nothing has been searched for yet";
      return;
    }
    const at = direction > 0 ? lowerBound(this.found, this.step + 1) : lowerBound(this.found, this.step) - 1;
    const step = this.found[at];
    if (step !== undefined) this.goTo(step);
    else
      this.message = `${printable(JSON.stringify(this.sought))} does not occur ${direction > 0 ? "after" : "before"} this event (${count(this.found.length, "hit")} in all)`;
  }

  /** What was typed at the prompt; what cannot be done is said in `message`. */
  command(line: string): void {
    this.message = "";
    const [word = "", ...rest] = line.trim().split(/\s+/);
    const more = line.trim().slice(word.length).trim();
    switch (word) {
      case "":
        return;
      case "b":
        this.toggleBreakpoint(more);
        return;
      case "d":
        this.deleteBreakpoint(more);
        return;
      case "s":
      case "n":
      case "S":
      case "N":
        this.repeat(word, more);
        return;
      case "c":
        if (/^-?[1-9]\d{0,8}$/.test(more)) this.continueTo(Number(more));
        else this.message = `c: expected which hit, such as c 3, got ${printable(JSON.stringify(more))}`;
        return;
      case "j":
        this.jump(more);
        return;
      case "p":
        if (rest.length === 1 && /^\d{1,10}$/.test(more)) this.selectPid(Number(more));
        else this.message = `p: expected a pid, got ${printable(JSON.stringify(more))}`;
        return;
      default:
        if (line.startsWith("/")) this.search(line.slice(1));
        else if (line.startsWith("?")) this.search(line.slice(1), -1);
        else this.message = `Invalid command: ${printable(JSON.stringify(line.trim()))} -- ${HELP_HINT}`;
    }
  }

  /** `j`: the last event at or before a moment; before all of them, the first. */
  jump(text: string): void {
    this.message = "";
    if (text === "start" || text === "end") {
      this.goTo(text === "start" ? 0 : this.steps - 1);
      return;
    }
    const parsed = parseJump(text);
    if (parsed.isErr()) {
      this.message = `j: ${parsed.error}`;
      return;
    }
    const known = clockOf(this.history.derived.recording);
    const typed = parsed.value.kind !== "by";
    if (typed && known === undefined) {
      this.message = "j: the recording does not say when it was made; jump by a time, such as j +2s";
      return;
    }
    const clock = known ?? { ticksPerSecond: NS_PER_S, unixZero: 0 };
    const target = jumpTarget(parsed.value, this.time, clock);
    this.goTo(lastStepWhere(this.history, notAfter(target, clock, typed)));
  }

  /** The same moment in a recording that has grown. */
  update(history: ProcessHistory): void {
    const before = this.history;
    const row = this.row;
    const anchor = this.selected === ABSENT ? ABSENT : before.own[before.ownAt[this.selected]!];
    const anchorRow = anchor === undefined || anchor === ABSENT ? ABSENT : before.rows[anchor]!;
    const wasOwner = anchorRow === ABSENT || before.derived.processes.owner[anchorRow] === this.selected;
    this.history = history;
    const step = row === ABSENT ? 0 : (history.stepOfRow[row] ?? ABSENT);
    // A part of an exec may have been joined to it since.
    this.step = step === ABSENT ? stepAtTime(history, before.derived.processes.events.ts[row]!) : step;
    const { owner, parent } = history.derived.processes;
    const life = anchorRow === ABSENT ? ABSENT : owner[anchorRow]!;
    this.selected = wasOwner || life === ABSENT ? life : parent[life]!;
    if (this.selected === ABSENT) this.selected = this.actorNear(this.step);
    this.breakpoints.renew(history);
    this.found = new Uint32Array(0);
    const { sought } = this;
    this.sought = "";
    if (sought !== "") {
      const parsed = parseCondition(`text ${JSON.stringify(sought)}`);
      if (parsed.isOk()) this.found = findHits(history, parsed.value);
      this.sought = sought;
    }
  }

  /** `n 5`: the key so many times, or until it fails. */
  private repeat(key: string, times: string): void {
    if (!/^[1-9]\d{0,8}$/.test(times)) {
      this.message = `${key}: expected how many times, such as ${key} 10, got ${printable(JSON.stringify(times))}`;
      return;
    }
    for (let left = Number(times); left > 0 && this.message === ""; left--) {
      if (key === "s") this.stepForward();
      else if (key === "S") this.stepBack();
      else if (key === "n") this.next();
      else this.previous();
    }
  }

  private toggleBreakpoint(text: string): void {
    if (text === "") {
      this.message = "b: expected where to stop, such as b exec curl, b exit != 0 or b wall > 100ms";
      return;
    }
    const parsed = this.understand(text);
    if (parsed.isErr()) {
      this.message = `b: ${parsed.error}`;
      return;
    }
    const isSet = this.breakpoints.toggle(this.history, parsed.value);
    const hits = this.breakpoints.all.at(-1)?.hits.length ?? 0;
    this.message = isSet
      ? `${parsed.value.text}: ${count(hits, "hit")}`
      : `${parsed.value.text}: no longer a breakpoint`;
  }

  private deleteBreakpoint(text: string): void {
    if (text === "") {
      const all = this.breakpoints.all.length;
      while (this.breakpoints.all.length > 0) this.breakpoints.remove(this.history, 0);
      this.message = `${count(all, "breakpoint")} taken away`;
      return;
    }
    const gone = /^[1-9]\d{0,3}$/.test(text) ? this.breakpoints.remove(this.history, Number(text) - 1) : undefined;
    this.message =
      gone === undefined
        ? `d: expected the number of a breakpoint, got ${printable(JSON.stringify(text))}`
        : `${gone.condition.text}: no longer a breakpoint`;
  }

  private isLast(direction: Direction): boolean {
    return direction > 0 ? this.step >= this.steps - 1 : this.step <= 0;
  }

  private fail(what: string, direction: Direction, how = "reached"): void {
    this.message = `"${what}" failed: ${how} the ${direction > 0 ? "end" : "start"} of the recording`;
  }

  /** Stands on an event, and looks at the process that did it. */
  private goTo(step: number): void {
    this.message = "";
    this.step = Math.max(0, Math.min(step, this.steps - 1));
    const actor = actorOf(this.history, this.step);
    if (actor !== ABSENT) this.selected = actor;
  }

  /** To a step, or a breakpoint before it; looks at `life` when it got there. */
  private runTo(step: number, life: number): void {
    const forward = step > this.step;
    const held = forward ? this.breakpoints.after(this.step) : this.breakpoints.before(this.step);
    if (held !== undefined && (forward ? held < step : held > step)) {
      this.goTo(held);
      return;
    }
    this.goTo(step);
    this.selected = life;
  }

  private alongProcess(what: string, direction: Direction): void {
    this.message = "";
    const { ownAt, own, derived } = this.history;
    if (this.isLast(direction)) {
      this.fail(what, direction);
      return;
    }
    for (let life = this.selected; life !== ABSENT; life = derived.processes.parent[life]!) {
      const from = ownAt[life]!;
      const to = ownAt[life + 1]!;
      const at = direction > 0 ? lowerBound(own, this.step + 1, from, to) : lowerBound(own, this.step, from, to) - 1;
      if (at < from || at >= to) continue;
      this.runTo(own[at]!, life);
      return;
    }
    const pid = this.selected === ABSENT ? "no process" : `process ${derived.processes.pid[this.selected]!}`;
    this.message = `"${what}" failed: nothing more of ${pid} or those above it; s goes on to what others do`;
  }

  /** The process whose end is still to come: the one that is looked at, or the nearest above. */
  private stillToCome(what: string): number | undefined {
    this.message = "";
    const { over, derived } = this.history;
    let life = this.selected;
    while (life !== ABSENT && over[life]! <= this.step) life = derived.processes.parent[life]!;
    if (life === ABSENT) {
      this.fail(what, 1);
      return undefined;
    }
    if (over[life] !== NEVER) return life;
    this.message = `"${what}" failed: the end of process ${derived.processes.pid[life]!} was not recorded`;
    return undefined;
  }

  private actorNear(step: number): number {
    for (let at = step; at < Math.min(this.steps, step + 64); at++) {
      const actor = actorOf(this.history, at);
      if (actor !== ABSENT) return actor;
    }
    return this.history.derived.processes.length > 0 ? 0 : ABSENT;
  }
}
