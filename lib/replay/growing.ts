// What the players see of a recording that may still be written: all of it so far, and whether there is more.
import { Derived } from "../derive/derived.ts";
import type { HeadTraces } from "../lines/line_track.ts";
import type { Recording } from "../model/recording.ts";
import { knowLines } from "../query/event_condition.ts";
import { type CauseLine, CauseLines } from "./cause_line.ts";
import { deriveHistory, type ProcessHistory } from "./process_history.ts";
import type { ProcessSource } from "./process_view.ts";

export interface GrowingRecording {
  /** As far as it was read; another one after `refresh` said that there is more. The rows of the earlier one keep their numbers. */
  readonly recording: Recording;
  /** No more will come: its end was read, or it cannot be read any further. */
  readonly isOver: boolean;
  /** What went wrong with reading on, as a sentence. */
  readonly note: string | undefined;
  /** Reads what was written since; true when there are more events. Does not wait. */
  refresh(): boolean;
}

/** Deriving the processes again may take at most one part in so many of the time. */
const SHARE = 5;

/** A growing recording for the process view. Its processes are derived as a whole each time, so that is not done at every event. */
export class GrowingProcesses implements ProcessSource {
  private readonly growing: GrowingRecording;
  /** Milliseconds on any clock. */
  private readonly now: () => number;
  private readonly traces: HeadTraces | undefined;
  private causes: { readonly of: ProcessHistory; readonly lines: CauseLines } | undefined;
  private current: ProcessHistory;
  private behind = false;
  private cost = 0;
  private derivedAt = -Infinity;

  /** `traces`: the recording's executed lines. */
  constructor(growing: GrowingRecording, now: () => number, traces?: HeadTraces) {
    this.growing = growing;
    this.now = now;
    this.traces = traces;
    this.current = this.derive();
  }

  private derive(): ProcessHistory {
    const began = this.now();
    const derived = new Derived(this.growing.recording);
    if (this.traces !== undefined) knowLines(derived, this.traces);
    const history = deriveHistory(derived);
    this.derivedAt = this.now();
    this.cost = this.derivedAt - began;
    this.behind = false;
    return history;
  }

  history(): ProcessHistory {
    return this.current;
  }

  refresh(): boolean {
    if (this.growing.refresh()) this.behind = true;
    if (!this.behind || this.now() - this.derivedAt < this.cost * SHARE) return false;
    this.current = this.derive();
    return true;
  }

  note(): string | undefined {
    return this.growing.note;
  }

  isOver(): boolean {
    return this.growing.isOver;
  }

  causeOf(row: number): CauseLine | undefined {
    if (this.traces === undefined) return undefined;
    if (this.causes?.of !== this.current)
      this.causes = { of: this.current, lines: new CauseLines(this.current.derived, this.traces) };
    return this.causes.lines.of(row);
  }
}
