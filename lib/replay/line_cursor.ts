// A place among the executed lines of one track, and the ways to move it: one line, or to the next line that a condition holds
// for. Blocks that cannot have such a line are passed by looking at their heads; only blocks that can are decoded.
import { invariant } from "../base/assert.ts";
import type { Frame, LineBlockView, LineCode, LineTraces, LineTrack } from "../lines/line_track.ts";
import type { LineBreakpoints } from "./line_breakpoints.ts";

export interface Place {
  readonly block: number;
  readonly index: number;
}

const NO_CODE: LineCode = { file: -1, name: undefined, firstLine: 0 };

export class LineCursor {
  readonly track: LineTrack;
  private readonly codes: readonly LineCode[];
  private view: LineBlockView;
  private at = 0;

  /** The track must have an event. It stands at the first one. */
  constructor(traces: LineTraces, track: LineTrack) {
    this.track = track;
    this.codes = traces.codes;
    const first = this.filled(0, 1);
    invariant(first !== undefined, "a cursor needs a track with events");
    this.view = track.load(first);
  }

  /** The first block from `block` on in that direction that has an event. */
  private filled(block: number, step: 1 | -1): number | undefined {
    for (let b = block; b >= 0 && b < this.track.blocks; b += step) if (this.track.countOf(b) > 0) return b;
    return undefined;
  }

  get block(): number {
    return this.view.block;
  }

  get index(): number {
    return this.at;
  }

  get place(): Place {
    return { block: this.view.block, index: this.at };
  }

  // Of a damaged block there may be no line to stand at, in a track that has no other.

  get line(): number {
    return this.view.line[this.at] ?? 0;
  }

  get depth(): number {
    return this.view.depth[this.at] ?? 0;
  }

  get time(): number {
    return this.view.time[this.at] ?? this.view.start;
  }

  get code(): LineCode {
    return this.codes[this.view.code[this.at] ?? -1] ?? NO_CODE;
  }

  get file(): number {
    return this.code.file;
  }

  get isFirst(): boolean {
    return this.at === 0 && this.filled(this.view.block - 1, -1) === undefined;
  }

  get isLast(): boolean {
    return this.at >= this.view.count - 1 && this.filled(this.view.block + 1, 1) === undefined;
  }

  /** Back to a place that this cursor gave. */
  restore({ block, index }: Place): void {
    this.enter(block);
    this.at = index;
  }

  private enter(block: number): void {
    if (block !== this.view.block) this.view = this.track.load(block);
  }

  /** One event on or back; false at the end. */
  step(step: 1 | -1): boolean {
    const next = this.at + step;
    if (next >= 0 && next < this.view.count) {
      this.at = next;
      return true;
    }
    const block = this.filled(this.view.block + step, step);
    if (block === undefined) return false;
    this.enter(block);
    // A damaged block says how many it had and has none.
    if (this.view.count === 0) return this.stepOver(step);
    this.at = step > 0 ? 0 : this.view.count - 1;
    return true;
  }

  private stepOver(step: 1 | -1): boolean {
    for (let b = this.filled(this.view.block + step, step); b !== undefined; b = this.filled(b + step, step)) {
      this.enter(b);
      if (this.view.count === 0) continue;
      this.at = step > 0 ? 0 : this.view.count - 1;
      return true;
    }
    return false;
  }

  toFirst(): void {
    this.toBlock(0, 1);
  }

  toLast(): void {
    this.toBlock(this.track.blocks - 1, -1);
  }

  private toBlock(from: number, step: 1 | -1): void {
    for (let b = this.filled(from, step); b !== undefined; b = this.filled(b + step, step)) {
      this.enter(b);
      if (this.view.count === 0) continue;
      this.at = step > 0 ? 0 : this.view.count - 1;
      return;
    }
  }

  /**
   * Goes to the nearest event after (before) this one whose depth is at most `depth` or which is one of `stops`; stays where it is, and says
   * false, when there is none.
   */
  seek(step: 1 | -1, depth: number, stops: LineBreakpoints | undefined): boolean {
    const { track } = this;
    const from = this.place;
    let index = this.at + step;
    for (let block = from.block; ;) {
      const found = this.scan(step, index, depth, stops);
      if (found >= 0) {
        this.at = found;
        return true;
      }
      do block += step;
      while (
        block >= 0 &&
        block < track.blocks &&
        (track.countOf(block) === 0 || (track.minDepthOf(block) > depth && stops?.inBlock(track, block) !== true))
      );
      if (block < 0 || block >= track.blocks) break;
      this.enter(block);
      index = step > 0 ? 0 : this.view.count - 1;
    }
    this.restore(from);
    return false;
  }

  private scan(step: 1 | -1, from: number, depth: number, stops: LineBreakpoints | undefined): number {
    const { view } = this;
    // Without a stop in the block there is nothing to compare lines with.
    const looked = stops !== undefined && stops.inBlock(this.track, view.block) ? stops : undefined;
    const depths = view.depth;
    for (let i = from; i >= 0 && i < view.count; i += step)
      if (depths[i]! <= depth || looked?.hits(view, i) === true) return i;
    return -1;
  }

  /** Block `block`, and in it the last event for which `notAfter` holds (it holds up to some event), or the first one. */
  toLastIn(block: number, notAfter: (time: number) => boolean): void {
    const b = this.filled(block, 1) ?? this.filled(block, -1);
    if (b === undefined) return;
    this.enter(b);
    if (this.view.count === 0) return this.toBlock(b, 1);
    let low = 0;
    let high = this.view.count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (notAfter(this.view.time[middle]!)) low = middle + 1;
      else high = middle;
    }
    this.at = Math.max(0, low - 1);
  }

  blockBefore(isBefore: (start: number) => boolean): number {
    return blockBefore(this.track, isBefore);
  }

  /** Whether one of them is at this event. */
  isAt(stops: LineBreakpoints): boolean {
    return stops.hits(this.view, this.at);
  }

  /** The open frames, outermost first; the last one is where the event is. */
  stack(): readonly Frame[] {
    const { view } = this;
    const known = this.track.stackAt?.(view.block, this.at);
    if (known !== undefined) return known;
    const frames: Frame[] = [];
    for (let i = 0; i < view.stackCode.length; i++) frames.push({ code: view.stackCode[i]!, line: view.stackLine[i]! });
    // Of the events, only the last of each depth that was not left since can be on the stack: found backwards.
    const depth = this.depth;
    const last: number[] = [];
    let lowest = Infinity;
    for (let i = this.at; i >= 0 && lowest > 1; i--) {
      const d = view.depth[i]!;
      if (d < lowest && d <= depth) {
        last[d - 1] = i;
        lowest = d;
      }
    }
    frames.length = Math.min(frames.length, depth);
    for (let d = 1; d <= depth; d++) {
      const i = last[d - 1];
      if (i !== undefined) frames[d - 1] = { code: view.code[i]!, line: view.line[i]! };
      else if (frames[d - 1] === undefined || d >= lowest) frames[d - 1] = { code: -1, line: 0 };
    }
    return frames;
  }
}

/** The last block that `isBefore` says began early enough (it holds up to some block); the first when there is none. */
export function blockBefore(track: LineTrack, isBefore: (start: number) => boolean): number {
  let low = 0;
  let high = track.blocks;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isBefore(track.startOf(middle))) low = middle + 1;
    else high = middle;
  }
  return Math.max(0, low - 1);
}
