// Breakpoint hits of all threads and processes, one after another in order of time, from where a cursor stands: in a debugger, continuing
// lets everything run. Of each track its next hit is known at most; it is decoded only when no other track can have an earlier one, so
// that of a thousand subshells those are looked into that matter.
import type { LineTraces, LineTrack } from "../lines/line_track.ts";
import type { LineBreakpoints } from "./line_breakpoints.ts";
import { blockBefore, LineCursor } from "./line_cursor.ts";

/** A track that may have hits ahead. */
interface Candidate {
  readonly track: LineTrack;
  /** No hit of it is nearer than this. */
  bound: number;
  /** Stands at its next hit; undefined: not looked for yet. */
  cursor: LineCursor | undefined;
}

export class HitSearch {
  private readonly traces: LineTraces;
  private readonly stops: LineBreakpoints;
  private readonly step: 1 | -1;
  private readonly from: { readonly time: number; readonly track: number };
  private readonly candidates: Candidate[] = [];
  private given: Candidate | undefined;

  /** `from` itself is moved to its next hit, and stays where it is when it has none. */
  constructor(
    traces: LineTraces,
    tracks: readonly LineTrack[],
    stops: LineBreakpoints,
    from: LineCursor,
    step: 1 | -1,
  ) {
    this.traces = traces;
    this.stops = stops;
    this.step = step;
    this.from = { time: from.time, track: from.track.index };
    if (stops.all.length === 0) return;
    for (const track of tracks) {
      if (track.index === from.track.index) continue;
      const bound = this.boundOf(track);
      if (bound !== undefined) this.candidates.push({ track, bound, cursor: undefined });
    }
    if (from.seek(step, 0, stops)) this.candidates.push({ track: from.track, bound: from.time, cursor: from });
  }

  /** The next hit; the cursor stands there until the next call. Undefined: there is no more. */
  next(): LineCursor | undefined {
    const { given } = this;
    this.given = undefined;
    if (given?.cursor !== undefined) {
      if (given.cursor.seek(this.step, 0, this.stops)) given.bound = given.cursor.time;
      else this.drop(given);
    }
    for (;;) {
      const nearest = this.nearest();
      if (nearest === undefined) return undefined;
      if (nearest.cursor !== undefined) {
        this.given = nearest;
        return nearest.cursor;
      }
      nearest.cursor = this.firstHit(nearest.track);
      if (nearest.cursor === undefined) this.drop(nearest);
      else nearest.bound = nearest.cursor.time;
    }
  }

  private drop(candidate: Candidate): void {
    this.candidates.splice(this.candidates.indexOf(candidate), 1);
  }

  private nearest(): Candidate | undefined {
    let nearest: Candidate | undefined;
    for (const c of this.candidates) {
      const sooner = nearest === undefined ? -1 : this.step * (c.bound - nearest.bound);
      if (sooner < 0 || (sooner === 0 && this.step * (c.track.index - nearest!.track.index) < 0)) nearest = c;
    }
    return nearest;
  }

  /** Whether a moment of the track lies ahead of where the search began; of the same moments the tracks' order decides. */
  private isAhead(track: LineTrack, time: number): boolean {
    const away = this.step * (time - this.from.time);
    return away > 0 || (away === 0 && this.step * (track.index - this.from.track) > 0);
  }

  /** From heads alone. Undefined: it has no hit ahead. */
  private boundOf(track: LineTrack): number | undefined {
    const { step, from } = this;
    const first = blockBefore(track, (start) => (step > 0 ? !this.isAhead(track, start) : this.isAhead(track, start)));
    for (let block = first; block >= 0 && block < track.blocks; block += step)
      if (this.stops.inBlock(track, block))
        return step > 0 ? Math.max(from.time, track.startOf(block)) : Math.min(from.time, track.endOf(block));
    return undefined;
  }

  private firstHit(track: LineTrack): LineCursor | undefined {
    const { step, stops } = this;
    const cursor = new LineCursor(this.traces, track);
    // The last one before the search's own moment, or, when there is none, the first of all.
    const before = (time: number) => (step > 0 ? !this.isAhead(track, time) : this.isAhead(track, time));
    cursor.toLastIn(cursor.blockBefore(before), before);
    if (this.isAhead(track, cursor.time) && cursor.isAt(stops)) return cursor;
    return cursor.seek(step, 0, stops) && this.isAhead(track, cursor.time) ? cursor : undefined;
  }
}
