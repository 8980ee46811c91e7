// A recording played to a pipe: its events and executed lines as text, or its own lines byte for byte (again a recording), at the pace at
// which they happened. Nothing is held back while it waits. The reader of the output may go at any time, and a signal ends it.
import { Effect, type Scope } from "effect";
import { Derived } from "../derive/derived.ts";
import { Out, type OutputError } from "../host/out.ts";
import type { LineTraces } from "../lines/line_track.ts";
import { KIND } from "../model/event.ts";
import { NS_PER_MS } from "../model/time.ts";
import type { Recording } from "../model/recording.ts";
import type { GrowingRecording } from "../replay/growing.ts";
import { Pace } from "../replay/pace.ts";
import { Playback } from "../replay/playback.ts";
import { PlayedText } from "../replay/played_text.ts";
import type { SourceError } from "./source.ts";
import { work } from "./sort_recording.ts";
import type { Turn } from "./turn.ts";

export interface PlayOptions {
  readonly growing: GrowingRecording;
  readonly traces: LineTraces | undefined;
  readonly format: "text" | "ndjson";
  /** Recorded seconds to one; Infinity never waits. */
  readonly speed: number;
  /** Nanoseconds. */
  readonly maxIdle: number;
  /** Recorded times, inclusive. */
  readonly from: number;
  readonly until: number;
  /** Time 0 of what is shown. */
  readonly start: number;
  /** Goes on with what is written meanwhile. */
  readonly follow: boolean;
  readonly unicode: boolean;
  readonly color: boolean;
}

export interface Played {
  /** The reader of the output left before the end. */
  readonly closed: boolean;
}

/** How often a growing recording is looked at, milliseconds, and at most which part of the time that takes. */
const LOOK = 50;
const SHARE = 5;

/** Things that are shown between two looks at signals. */
const STRIDE = 512;

/** Shorter waits than this are none: they add up to the next. */
const LEAST_WAIT = 1;

/** The longest wait that a timer takes. */
const MOST_WAIT = 1 << 30;

export const playRecording = (options: PlayOptions): Effect.Effect<Played, SourceError | OutputError, Scope.Scope> =>
  work((turn, signal) => {
    const player = new Player(options, turn, signal);
    return player.play();
  });

class Player {
  private readonly o: PlayOptions;
  private readonly turn: Turn;
  private readonly signal: AbortSignal;
  private readonly out = new Out(1, "standard output", 1 << 16);
  private readonly pace: Pace;
  private readonly playback: Playback;
  private readonly text: PlayedText | undefined;
  /** Of the output's own lines: rows without a time, which go out before the rows behind them. */
  private timeless = 0;
  private recording: Recording;
  private began = NaN;
  private shown = 0;

  constructor(options: PlayOptions, turn: Turn, signal: AbortSignal) {
    this.o = options;
    this.turn = turn;
    this.signal = signal;
    this.pace = new Pace(options.speed, options.maxIdle);
    this.recording = options.growing.recording;
    const asText = options.format === "text";
    const { events } = this.recording;
    // A block that began before may still be running.
    this.playback = new Playback(events, asText ? options.traces : undefined, asText ? options.from : -Infinity);
    this.text = asText
      ? new PlayedText(new Derived(this.recording), options.traces, options.start, options)
      : undefined;
  }

  async play(): Promise<Played> {
    const { growing, follow } = this.o;
    let goesOn = await this.playKnown();
    if (goesOn && follow) goesOn = await this.playWhatComes(growing);
    if (goesOn && this.text === undefined) this.showTimeless(Infinity);
    this.out.flush();
    return { closed: this.out.closed };
  }

  /** Until no more can come, or no more is wanted (false). */
  private async playWhatComes(growing: GrowingRecording): Promise<boolean> {
    let look = LOOK;
    for (;;) {
      const wasOver = growing.isOver;
      const before = performance.now();
      const more = growing.refresh();
      const lines = this.text !== undefined && this.o.traces?.refresh() === true;
      if (more || lines) {
        this.recording = growing.recording;
        this.text?.renew(new Derived(this.recording));
        this.playback.extend(this.recording.events);
        look = Math.max(LOOK, (performance.now() - before) * SHARE);
        if (!(await this.playKnown())) return false;
      } else if (wasOver) return true;
      else await this.wait(look);
    }
  }

  /** False when no more is wanted: the reader has gone, or the last moment was passed. */
  private async playKnown(): Promise<boolean> {
    const { playback, out } = this;
    while (playback.next()) {
      if (playback.time > this.o.until) {
        // A recording that ends here ends properly: the times behind are not shown.
        out.flush();
        return false;
      }
      if (!this.isWanted()) continue;
      const due = this.pace.due(playback.time) / NS_PER_MS;
      if (Number.isNaN(this.began)) this.began = performance.now();
      const left = this.began + due - performance.now();
      if (this.o.speed !== Infinity && left >= LEAST_WAIT) await this.wait(left);
      this.show();
      if (++this.shown % STRIDE === 0) {
        out.flush();
        await this.turn();
      }
      if (out.closed) return false;
    }
    out.flush();
    return !out.closed;
  }

  private isWanted(): boolean {
    const { row, time } = this.playback;
    if (time >= this.o.from || row < 0) return true;
    const { kind } = this.recording.events;
    return kind[row] === KIND.recording || (kind[row] === KIND.line_block && this.endOfBlock(row) >= this.o.from);
  }

  /** A block's end stands in the first bytes of its line. */
  private endOfBlock(row: number): number {
    const { events, text } = this.recording;
    const head = new TextDecoder().decode(text.read(events.at[row]!, Math.min(400, events.len[row]!)));
    const m = /"end":(\d{1,16})[,}]/.exec(head);
    return m === null ? Infinity : Number(m[1]);
  }

  private show(): void {
    const { playback, out, text } = this;
    if (text === undefined) {
      this.showTimeless(playback.row);
      this.copyRow(playback.row);
    } else if (playback.line !== undefined) {
      const { track, code, line } = playback.line;
      out.text(text.line(track, code, line, playback.time));
    } else if (isShown(this.recording, playback.row)) out.text(text.event(playback.row, playback.time));
  }

  /** Headers and sources, which have no time, as far as they stand before a row. */
  private showTimeless(before: number): void {
    const { ts, length } = this.recording.events;
    const to = Math.min(before, length);
    for (; this.timeless < to; this.timeless++) if (Number.isNaN(ts[this.timeless]!)) this.copyRow(this.timeless);
  }

  private copyRow(row: number): void {
    const { events, text } = this.recording;
    this.out.bytes(text.read(events.at[row]!, events.len[row]!));
    this.out.newline();
  }

  /** Waits so many milliseconds; what was shown so far is with the reader. */
  private async wait(ms: number): Promise<void> {
    this.out.flush();
    const until = performance.now() + ms;
    for (let left = ms; left > 0 && !this.signal.aborted; left = until - performance.now())
      await sleep(Math.min(left, MOST_WAIT), this.signal);
    await this.turn();
  }
}

/** Not in text: what has no words of its own. */
function isShown({ events }: Recording, row: number): boolean {
  const kind = events.kind[row]!;
  if (kind === KIND.recording || kind === KIND.source || kind === KIND.line_block) return false;
  // Told with its exec.
  return !((kind === KIND.exec_args || kind === KIND.exec_filename) && events.mate[row] !== -1);
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resume) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resume();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done);
  });
}
