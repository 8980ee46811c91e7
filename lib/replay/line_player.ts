// The line player's state and what its keys do to it, without any picture. The keys and prompts of the older line tracer's player mean
// exactly what they mean there (docs/replay.md; every state of its recorded sessions is a test); going backwards, finishing,
// searching, tracks and everything else stand on keys that it has no use for.
//
//   cursor        where the program stands: a track, a block, an event of it
//   shown file    the cursor's, unless another was chosen
//   scroll        lines of the shown file above the screen
import type { Frame, LineSource, LineTraces, LineTrack } from "../lines/line_track.ts";
import { HitSearch } from "./hit_search.ts";
import { LineBreakpoints } from "./line_breakpoints.ts";
import { parseJump, jumpTarget } from "./jump.ts";
import { LineCursor, type Place } from "./line_cursor.ts";
import { beginsBefore, notAfter } from "./line_time.ts";
import type { Moment } from "./view.ts";

export type Motion = "step" | "next" | "continue" | "finish";

/** Lines that the older player's header and footer take; its rules about scrolling are in rows of the whole terminal. */
const FRAME_ROWS = 5;

interface Saved {
  readonly place: Place;
  readonly shownBefore: number | undefined;
  readonly scroll: number;
}

export interface PlayerOptions {
  /** The file as it is now, where the recording did not keep its text. */
  readonly sourceNow?: ((path: string) => string | undefined) | undefined;
}

/** A source as it is shown. */
export interface ShownSource {
  readonly lines: readonly string[];
  /** Where the text is from. */
  readonly from: "recording" | "file" | "nowhere";
}

/** Whether there is anything to stand on; asks no more blocks than it has to. */
export function hasLines(track: LineTrack): boolean {
  for (let block = 0; block < track.blocks; block++) if (track.countOf(block) > 0) return true;
  return false;
}

/** Tracks with lines, those that began first in front; of those that began together the main thread's. */
export function tracksInOrder(traces: LineTraces): readonly LineTrack[] {
  const isMain = ({ pid, tid }: LineTrack) => (pid === tid ? 0 : 1);
  return traces.tracks
    .filter(hasLines)
    .sort((a, b) => a.startOf(0) - b.startOf(0) || isMain(a) - isMain(b) || a.index - b.index);
}

export class LinePlayer {
  readonly traces: LineTraces;
  readonly breakpoints: LineBreakpoints;
  cursor: LineCursor;
  /** The file that was chosen to be shown; undefined: the cursor's. */
  chosen: number | undefined;
  scroll = 0;
  error: string | undefined;
  /** Something worth saying that is no error. */
  note: string | undefined;
  private readonly options: PlayerOptions;
  private readonly texts = new Map<number, ShownSource>();
  /** The file that was shown before the last motion. */
  private shownBefore: number | undefined;
  /** The cursor's line has to be brought into view. */
  private moved = true;
  private page = 0;
  private unsettled = true;
  private shownTracks: readonly LineTrack[] | undefined;

  /** `track` must have events. */
  constructor(traces: LineTraces, track: LineTrack, options: PlayerOptions = {}) {
    this.traces = traces;
    this.options = options;
    this.breakpoints = new LineBreakpoints(traces.codes);
    this.cursor = new LineCursor(traces, track);
  }

  get shownFile(): number {
    return this.chosen ?? this.cursor.file;
  }

  get showsCursor(): boolean {
    return this.shownFile === this.cursor.file;
  }

  source(file: number): LineSource | undefined {
    return this.traces.sources[file];
  }

  path(file: number): string {
    return this.source(file)?.path ?? "(an unknown file)";
  }

  text(file: number): ShownSource {
    let text = this.texts.get(file);
    if (text === undefined) {
      text = this.readText(file);
      this.texts.set(file, text);
    }
    return text;
  }

  private readText(file: number): ShownSource {
    const kept = this.source(file)?.text();
    const now = kept === undefined ? this.options.sourceNow?.(this.path(file)) : undefined;
    const text = kept ?? now;
    if (text === undefined) return { lines: [], from: "nowhere" };
    // Line ends as Python's own line numbers count them; blank lines at the end are not shown.
    const lines = text.split(/\r\n|\n|\r/);
    while (lines.length > 0 && lines.at(-1)!.trim() === "") lines.pop();
    return { lines, from: kept === undefined ? "file" : "recording" };
  }

  /** Before every key that is not ignored. */
  begin(): void {
    this.error = undefined;
    this.note = undefined;
  }

  /** The cursor's line has to be seen after this: it moved, or the screen did. */
  bringIntoView(): void {
    this.moved = true;
    this.unsettled = true;
  }

  /** What is shown was changed: `settle` is due. */
  changed(): void {
    this.unsettled = true;
  }

  /** Adapts the scroll index to a body of `rows` lines; does nothing until something has changed since the last time. */
  settle(rows: number, errorRows: number): void {
    if (!this.unsettled) return;
    this.unsettled = false;
    this.page = rows;
    const { moved } = this;
    // Only now: of several keys that came at once, an earlier one may have moved it.
    this.moved = false;
    if (!this.showsCursor || !moved) return;
    const terminal = rows + errorRows + FRAME_ROWS;
    const { line } = this.cursor;
    const stays = this.cursor.file === this.shownBefore && line - this.scroll > 5 && this.scroll + terminal - line > 5;
    if (!stays) this.scroll = Math.max(0, line - Math.floor(terminal / 5));
    // On a very small screen the rules above would leave it out.
    if (line > 0) this.scroll = Math.max(Math.min(this.scroll, line - 1), line - Math.max(1, rows));
  }

  scrollBy(lines: number): void {
    const { length } = this.text(this.shownFile).lines;
    // Some of the last lines stay; on a small screen at least one.
    const last = Math.min(length + 1 - (this.page - 10), Math.max(0, length - 1));
    this.scroll = Math.max(0, Math.min(this.scroll + lines, last));
  }

  scrollByPage(pages: 1 | -1): void {
    this.scrollBy(pages * this.page);
  }

  /** Scrolls so that this line of the shown file is in the upper part. */
  scrollTo(line: number): void {
    if (line - 1 >= this.scroll && line <= this.scroll + this.page) return;
    this.scroll = Math.max(0, line - 1 - Math.floor(this.page / 4));
  }

  /** Does the motion `times` times, as one key: after a failure everything is as before. */
  move(motion: Motion, step: 1 | -1, times = 1): boolean {
    if (motion === "continue") return this.continueTo(step, times);
    const saved: Saved = { place: this.cursor.place, shownBefore: this.shownBefore, scroll: this.scroll };
    this.shownBefore = this.shownFile;
    for (let i = 0; i < times; i++) {
      const failed = this.once(motion, step);
      if (failed === undefined) continue;
      if (i > 0) {
        this.note = `the ${step > 0 ? "end" : "start"} of the trace came after ${i} of ${times}`;
        break;
      }
      this.cursor.restore(saved.place);
      this.shownBefore = saved.shownBefore;
      this.scroll = saved.scroll;
      this.error = failed;
      return false;
    }
    this.chosen = undefined;
    this.bringIntoView();
    return true;
  }

  /** Why it failed. */
  private once(motion: Exclude<Motion, "continue">, step: 1 | -1): string | undefined {
    const { cursor, breakpoints } = this;
    const edge = step > 0 ? "end" : "start";
    const back = step > 0 ? "" : " backwards";
    const reached = `"${motion}${back}" failed: reached the ${edge} of exec trace`;
    switch (motion) {
      case "step":
        return cursor.step(step) ? undefined : reached;
      case "next":
        return cursor.seek(step, cursor.depth, breakpoints) ? undefined : reached;
      case "finish":
        if (cursor.depth <= 1) return `"finish${back}" failed: there is no caller in the exec trace`;
        return cursor.seek(step, cursor.depth - 1, breakpoints) ? undefined : reached;
    }
  }

  /**
   * Breakpoint hits from here, in whichever thread, at most `hits`; the last of them is where the cursor stands after. Fails, and changes
   * nothing, when there is none and no way to go.
   */
  continueTo(step: 1 | -1, hits: number): boolean {
    const { cursor } = this;
    const edge = step > 0 ? "end" : "start";
    const atEdge = step > 0 ? cursor.isLast : cursor.isFirst;
    const shown = this.shownFile;
    const search = new HitSearch(this.traces, this.tracks(), this.breakpoints, cursor, step);
    let got = 0;
    for (let hit = search.next(); hit !== undefined; hit = search.next()) {
      this.cursor = hit;
      if (++got === hits) break;
    }
    if (got === 0 && atEdge) {
      this.error = `"continue${step > 0 ? "" : " backwards"}" failed: already at the ${edge} of exec trace`;
      return false;
    }
    this.shownBefore = shown;
    if (got < hits) {
      if (step > 0) this.cursor.toLast();
      else this.cursor.toFirst();
      this.note =
        hits === 1
          ? `no breakpoint was met: this is the ${edge} of the trace`
          : `the ${edge} of the trace came after ${got} of ${hits} hits`;
    } else if (this.cursor.track !== cursor.track) {
      const { track } = this.cursor;
      this.note = `met in another thread: ${track.name} (${this.tracks().indexOf(track) + 1} of ${this.tracks().length})`;
    }
    this.chosen = undefined;
    this.bringIntoView();
    return true;
  }

  /** Whether the line was executed anywhere in the traces. */
  wasExecuted(file: number, line: number): boolean {
    for (const track of this.traces.tracks)
      for (let block = 0; block < track.blocks; block++) if (track.has(block, file, line)) return true;
    return false;
  }

  /** Sets or takes away a breakpoint; false, with the reason as the error, when there can be none. */
  toggle(file: number, line: number): boolean {
    const place = `${this.path(file).split("/").at(-1)}:${line}`;
    if (this.breakpoints.remove(file, line)) {
      this.note = `no breakpoint at ${place} any more`;
      return true;
    }
    if (!this.wasExecuted(file, line)) {
      this.error = `Invalid breakpoint position: line ${line} not found in the exec trace`;
      return false;
    }
    this.breakpoints.add(file, line);
    this.note = `breakpoint at ${place}`;
    return true;
  }

  /** To a moment as typed; false when it cannot be read. */
  jump(typed: string): boolean {
    const jump = parseJump(typed);
    if (jump.isErr()) return false;
    const { clock } = this.traces;
    const target = jumpTarget(jump.value, this.cursor.time, clock);
    if (!Number.isFinite(target)) return false;
    this.jumpTo(target, jump.value.kind !== "by");
    return true;
  }

  jumpTo(target: number, typed: boolean): void {
    const { clock } = this.traces;
    const block = this.cursor.blockBefore(beginsBefore(target, clock, typed));
    this.cursor.toLastIn(block, notAfter(target, clock, typed));
    this.chosen = undefined;
    this.bringIntoView();
  }

  /** Shows a file from its top. */
  showFile(file: number): void {
    this.chosen = file;
    this.scroll = 0;
    this.changed();
  }

  /** Files of which a line can be shown, whose path ends with `suffix`. */
  filesEnding(suffix: string): number[] {
    const found: number[] = [];
    this.traces.sources.forEach(({ path }, file) => {
      if (path.endsWith(suffix)) found.push(file);
    });
    return found;
  }

  /** Ends of paths that begin with `text`, which may stand anywhere in a path. */
  pathTails(text: string): string[] {
    const tails = new Set<string>();
    for (const { path } of this.traces.sources)
      for (let at = path.indexOf(text); at >= 0; at = path.indexOf(text, at + 1)) tails.add(path.slice(at));
    return [...tails].sort();
  }

  /** Tracks that have something to show, in the order in which they began. */
  tracks(): readonly LineTrack[] {
    this.shownTracks ??= tracksInOrder(this.traces);
    return this.shownTracks;
  }

  /** To another track, at the same moment. */
  switchTo(track: LineTrack): void {
    const { time } = this.cursor;
    this.shownBefore = this.shownFile;
    if (track.index !== this.cursor.track.index) this.cursor = new LineCursor(this.traces, track);
    this.jumpExactly(time);
  }

  private jumpExactly(time: number): void {
    const block = this.cursor.blockBefore((start) => start <= time);
    this.cursor.toLastIn(block, (t) => t <= time);
    this.chosen = undefined;
    this.bringIntoView();
  }

  /** The track of the moment's thread or process, or the present one when it has none; false: it had none. */
  goTo(at: Moment): boolean {
    const track = this.trackAt(at);
    if (track !== undefined && track.index !== this.cursor.track.index) {
      this.shownBefore = this.shownFile;
      this.cursor = new LineCursor(this.traces, track);
    }
    this.jumpExactly(at.time);
    return at.pid === undefined || track !== undefined;
  }

  private trackAt({ time, pid, tid }: Moment): LineTrack | undefined {
    if (pid === undefined) return undefined;
    let best: LineTrack | undefined;
    let most = -1;
    let nearest = Infinity;
    for (const track of this.tracks()) {
      if (track.pid !== pid) continue;
      const away = Math.max(0, track.startOf(0) - time, time - track.endOf(track.blocks - 1));
      const running = away === 0;
      const points = (tid !== undefined && track.tid === tid ? 4 : 0) + (running ? 2 : 0) + (track.tid === pid ? 1 : 0);
      // A pid may have been used again: the process that is nearest.
      if (points > most || (points === most && away < nearest)) {
        best = track;
        most = points;
        nearest = away;
      }
    }
    return best;
  }

  stack(): readonly Frame[] {
    return this.cursor.stack();
  }

  /** Looks whether more was recorded; the cursor stays where it is. */
  refresh(): boolean {
    if (!this.traces.refresh()) return false;
    this.shownTracks = undefined;
    const { place, track } = this.cursor;
    const now = this.traces.tracks[track.index];
    // Blocks may have grown: what is in memory of them is of before.
    if (now !== undefined && hasLines(now)) {
      this.cursor = new LineCursor(this.traces, now);
      this.cursor.restore(place);
    }
    return true;
  }

  toEnd(): void {
    this.shownBefore = this.shownFile;
    this.cursor.toLast();
    this.chosen = undefined;
    this.bringIntoView();
  }

  /** To the last line of the thread that executed one last: where a program that still runs is. */
  toNewest(): void {
    let newest = this.cursor.track;
    const endOf = (track: LineTrack) => track.endOf(track.blocks - 1);
    for (const track of this.tracks()) if (endOf(track) > endOf(newest)) newest = track;
    this.shownBefore = this.shownFile;
    if (newest.index !== this.cursor.track.index) this.cursor = new LineCursor(this.traces, newest);
    this.cursor.toLast();
    this.chosen = undefined;
    this.bringIntoView();
  }

  toStart(): void {
    this.shownBefore = this.shownFile;
    this.cursor.toFirst();
    this.chosen = undefined;
    this.bringIntoView();
  }
}
