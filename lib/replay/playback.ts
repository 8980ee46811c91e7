// Process events and executed lines of one recording, one after the other on one axis of time. What comes later, of a recording that is still
// written, is taken in at the next `extend`: blocks of lines are written when they are full, so lines may come after events that followed them.
import { timeOrder } from "../derive/time_order.ts";
import type { LineBlockView, LineTraces, LineTrack } from "../lines/line_track.ts";
import { KIND } from "../model/event.ts";
import type { EventTable } from "../model/event_table.ts";
import { ABSENT } from "../model/ids.ts";

/** Where a track stands. */
class TrackCursor {
  readonly track: LineTrack;
  time = Infinity;
  view: LineBlockView | undefined;
  at = 0;
  private block = -1;
  /** Nanoseconds in a tick. */
  private readonly scale: number;

  constructor(track: LineTrack, scale: number) {
    this.track = track;
    this.scale = scale;
  }

  /** To the next executed line; false when there is none (yet). */
  next(): boolean {
    this.at++;
    while (this.view === undefined || this.at >= this.view.count) {
      if (this.block + 1 >= this.track.blocks) {
        // The next look begins behind the last line, whatever comes then.
        this.at = (this.view?.count ?? 0) - 1;
        this.time = Infinity;
        return false;
      }
      this.view = this.track.load(++this.block);
      this.at = 0;
    }
    this.time = this.view.time[this.at]! * this.scale;
    return true;
  }

  /** Passes over blocks that ended before. */
  skipTo(from: number): void {
    while (this.block + 2 < this.track.blocks && this.track.endOf(this.block + 1) * this.scale < from) this.block++;
  }
}

export class Playback {
  /** Of what `next` came to, nanoseconds; NaN for a row without a time. */
  time = NaN;
  /** The row of an event; ABSENT for an executed line. */
  row: number = ABSENT;
  /** The executed line. */
  line: { readonly track: LineTrack; readonly code: number; readonly line: number } | undefined;
  private events: EventTable;
  private readonly traces: LineTraces | undefined;
  private readonly from: number;
  private order: Uint32Array;
  private at = 0;
  private known: number;
  /** By track. */
  private readonly cursors: TrackCursor[] = [];
  /** A heap of those that have a line, the earliest first. */
  private readonly heap: TrackCursor[] = [];

  /** Rows of blocks and sources are left out where there are `traces` to read them from. */
  constructor(events: EventTable, traces: LineTraces | undefined, from = -Infinity) {
    this.events = events;
    this.traces = traces;
    this.from = from;
    this.order = timeOrder(events);
    this.known = events.length;
    this.takeTracks();
  }

  /** Takes in what has come since. */
  extend(events: EventTable): void {
    this.events = events;
    const rest = this.order.subarray(this.at);
    const more = timeOrder(events, this.known);
    this.known = events.length;
    this.order = new Uint32Array(rest.length + more.length);
    this.order.set(rest);
    this.order.set(more, rest.length);
    this.at = 0;
    this.takeTracks();
  }

  private takeTracks(): void {
    if (this.traces === undefined) return;
    for (const track of this.traces.tracks) {
      let cursor = this.cursors[track.index];
      if (cursor === undefined) {
        cursor = new TrackCursor(track, 1e9 / this.traces.clock.ticksPerSecond);
        cursor.skipTo(this.from);
        this.cursors[track.index] = cursor;
      }
      if (cursor.time === Infinity && cursor.next()) this.push(cursor);
    }
  }

  /** To what comes next; false when there is no more. */
  next(): boolean {
    const { ts, kind } = this.events;
    for (;;) {
      const row = this.order[this.at];
      const first = this.heap[0];
      if (row === undefined && first === undefined) return false;
      // What a process does comes before what it does next in its script.
      if (row !== undefined && (first === undefined || ts[row]! <= first.time)) {
        this.at++;
        const k = kind[row]!;
        if (this.traces !== undefined && (k === KIND.line_block || k === KIND.source)) continue;
        this.row = row;
        this.line = undefined;
        this.time = ts[row]!;
      } else {
        const { track, view, at } = first!;
        this.row = ABSENT;
        this.line = { track, code: view!.code[at]!, line: view!.line[at]! };
        this.time = first!.time;
        this.advance();
      }
      if (this.time >= this.from) return true;
    }
  }

  private advance(): void {
    const { heap } = this;
    const cursor = heap[0]!;
    if (!cursor.next()) {
      const last = heap.pop()!;
      if (heap.length === 0) return;
      heap[0] = last;
    }
    this.sink();
  }

  private push(cursor: TrackCursor): void {
    const { heap } = this;
    let i = heap.push(cursor) - 1;
    while (i > 0) {
      const above = (i - 1) >> 1;
      if (!isBefore(heap[i]!, heap[above]!)) break;
      [heap[i], heap[above]] = [heap[above]!, heap[i]!];
      i = above;
    }
  }

  private sink(): void {
    const { heap } = this;
    for (let i = 0; ;) {
      let least = i;
      for (const child of [2 * i + 1, 2 * i + 2])
        if (child < heap.length && isBefore(heap[child]!, heap[least]!)) least = child;
      if (least === i) return;
      [heap[i], heap[least]] = [heap[least]!, heap[i]!];
      i = least;
    }
  }
}

function isBefore(a: TrackCursor, b: TrackCursor): boolean {
  return a.time < b.time || (a.time === b.time && a.track.index < b.track.index);
}
