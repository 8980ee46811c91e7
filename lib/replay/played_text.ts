// One line of text for each thing that is played: when, whose, what. For pipes and logs; safe to print, never cut.
//
//     +0.001350s    8425  exec         /bin/bash ./demo.sh
//     +0.002801s    8425  line         demo.sh:2  for i in 1 2 3; do
//     +0.003422s    8425  fork         makes 8426
import { padEnd, printable } from "../base/text.ts";
import type { Derived } from "../derive/derived.ts";
import type { LineTraces, LineTrack } from "../lines/line_track.ts";
import { paint, type Paint } from "../render/paint.ts";
import { EventWords } from "./event_text.ts";

const VERB = 11;
const TIME = 13;
const PID = 7;
/** Texts of sources that are kept split into lines. */
const KEPT = 32;
/** Longer lines of sources are cut: nobody reads them, and a program may have made them. */
const LONGEST = 500;

export class PlayedText {
  private words: EventWords;
  private readonly traces: LineTraces | undefined;
  private readonly unicode: boolean;
  private readonly start: number;
  private cwd = "";
  private readonly on: Paint;
  private readonly texts = new Map<number, readonly string[]>();

  constructor(
    derived: Derived,
    traces: LineTraces | undefined,
    start: number,
    options: { readonly unicode: boolean; readonly color: boolean },
  ) {
    this.traces = traces;
    this.start = start;
    this.unicode = options.unicode;
    this.on = paint(options.color);
    this.words = this.wordsOf(derived);
  }

  private wordsOf(derived: Derived): EventWords {
    const cwd = derived.recording.header?.cwd ?? "";
    this.cwd = cwd === "" || cwd.endsWith("/") ? cwd : `${cwd}/`;
    return new EventWords(derived, this.unicode);
  }

  /** The recording has grown. */
  renew(derived: Derived): void {
    this.words = this.wordsOf(derived);
  }

  event(row: number, time: number): string {
    const { pid, verb, text, mood } = this.words.of(row);
    const what = padEnd(verb, VERB) + (text === "" ? "" : `  ${text}`);
    const painted = mood === "bad" ? this.on.bad(what) : mood === "odd" ? this.on.odd(what) : what;
    return this.lead(time, pid === undefined ? "" : String(pid), false) + painted + "\n";
  }

  line(track: LineTrack, code: number, line: number, time: number): string {
    const file = this.traces?.codes[code]?.file ?? -1;
    const path = this.traces?.sources[file]?.path ?? "?";
    const shown = this.cwd !== "" && path.startsWith(this.cwd) ? path.slice(this.cwd.length) : path;
    const who = track.pid === undefined ? "" : String(track.pid);
    const thread = track.tid !== undefined && track.tid !== track.pid ? `/${track.tid}` : "";
    const place = printable(`${shown}:${line}`, this.unicode);
    const text = printable((this.linesOf(file)[line - 1] ?? "").trim().slice(0, LONGEST), this.unicode);
    const what = padEnd("line", VERB) + "  " + place + (text === "" ? "" : "  " + this.on.dim(text));
    return this.lead(time, who + thread, track.approximate) + what + "\n";
  }

  private lead(time: number, who: string, approximate: boolean): string {
    const seconds = (time - this.start) / 1e9;
    const sign = seconds < 0 ? "-" : "+";
    const text = Number.isNaN(seconds) ? "" : `${approximate ? "~" : ""}${sign}${Math.abs(seconds).toFixed(6)}s`;
    return `${text.padStart(TIME)} ${who.padStart(PID)}  `;
  }

  private linesOf(file: number): readonly string[] {
    let lines = this.texts.get(file);
    if (lines === undefined) {
      if (this.texts.size >= KEPT) this.texts.clear();
      lines = (this.traces?.sources[file]?.text() ?? "").split(/\r\n|[\n\r\f]/);
      this.texts.set(file, lines);
    }
    return lines;
  }
}
