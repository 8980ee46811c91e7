// The line of a script that made a process or ran a command, as the process view shows it and goes to it.
import type { Derived } from "../derive/derived.ts";
import { type Causes, causesOf, type Certainty } from "../lines/causes.ts";
import type { LineTraces } from "../lines/line_track.ts";
import { splitLines } from "../lines/source_text.ts";
import { KIND } from "../model/event.ts";
import type { Moment } from "./view.ts";

export interface CauseLine {
  /** Where the line player finds it. */
  readonly at: Moment;
  readonly path: string;
  readonly line: number;
  /** The line's text; empty when the source was not kept. Not made safe. */
  readonly text: string;
  readonly certainty: Certainty;
}

/** Longer lines are cut: a script may have been made by a program. */
const LONGEST = 500;

export class CauseLines {
  private readonly derived: Derived;
  private readonly traces: LineTraces;
  private readonly causes: Causes;
  /** The source that was looked at last. */
  private split: { readonly file: number; readonly lines: readonly string[] } | undefined;

  constructor(derived: Derived, traces: LineTraces) {
    this.derived = derived;
    this.traces = traces;
    this.causes = causesOf(derived.processes, traces);
  }

  /** Of the fork or exec in a row; undefined for other events and where it is not known. */
  of(row: number): CauseLine | undefined {
    const kind = this.derived.processes.events.kind[row];
    if (kind !== KIND.fork && kind !== KIND.exec && kind !== KIND.exec_failed) return undefined;
    const cause = this.causes.causeOf(row);
    const track = cause === undefined ? undefined : this.traces.tracks[cause.track];
    if (cause === undefined || track === undefined) return undefined;
    const { file, line, block, event, certainty } = cause;
    const time = track.load(block).time[event] ?? track.startOf(block);
    const source = this.traces.sources[file];
    return {
      at: { time, pid: track.pid, tid: track.tid },
      path: source?.path ?? "?",
      line,
      text: (this.linesOf(file)[line - 1] ?? "").trim().slice(0, LONGEST),
      certainty,
    };
  }

  private linesOf(file: number): readonly string[] {
    if (this.split?.file !== file) this.split = { file, lines: splitLines(this.traces.sources[file]?.text() ?? "") };
    return this.split.lines;
  }
}
