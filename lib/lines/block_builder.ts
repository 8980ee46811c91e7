// What one thread executed, word by word, to blocks that can each be understood alone. Whoever has a stream (lib/collect, from the
// recorders' raw streams) makes one builder for it:
//
//   const builder = new BlockBuilder((block) => ...);              // block.head and block.data: to be compressed and written
//   builder.define(7, { source: "9f86d081884c7d65", firstLine: 3, name: "main" });    // before its first use
//   builder.add(enterWord(7), 1000); builder.add(4, 1200); builder.add(WORD.returned, 1900);   // times: ns, any zero
//   builder.flush(2000);                                           // the thread has ended at 2000, or a reader wants to see
//
// A word is a line (> 0), a function entered or resumed (<= -4), or the top frame left (-1 to -3). After 65536 of them the block goes out.
// Costs are charged here, where exact times are known: a line is open from its event until its frame comes to the next or is left,
// and what the frame calls is inside. Nothing is allocated per event.
import { encodeHead, type HeadCode } from "./block_head.ts";
import { joinColumns, LEAVE, putEnter, putLeave, putLine, TIME_STEP } from "./block_events.ts";
import { CostTable } from "./_cost_table.ts";
import { VarWriter } from "./varint.ts";

export const BLOCK_EVENTS = 65536;

export const WORD = { returned: -1, suspended: -2, unwound: -3 } as const;

export const enterWord = (code: number): number => -4 - code;

/** A function as the stream's words number it. */
export interface CodeInfo {
  /** `Source.id`; undefined for what has no file, such as an event loop's wait (`<idle>`). */
  readonly source: string | undefined;
  readonly firstLine: number;
  readonly name: string;
}

export interface BuiltBlock {
  /** From 0. */
  readonly block: number;
  readonly start: number;
  /** Its last event, or when it was flushed; the next block starts then. */
  readonly end: number;
  /** Executed lines. */
  readonly events: number;
  readonly minDepth: number;
  /** Not compressed. */
  readonly head: Uint8Array;
  readonly data: Uint8Array;
}

/** Deeper frames than these are left out: no program has them, a damaged stream may. */
const MOST_DEPTH = 1 << 20;

const UNKNOWN: CodeInfo = { source: undefined, firstLine: 0, name: "?" };

export class BlockBuilder {
  /** Set when the times of some events were interpolated. */
  approximate = false;
  /** Words that made no sense: lines and leaves without a frame, frames beyond all depth. */
  dropped = 0;
  private readonly emit: (block: BuiltBlock) => void;
  private readonly codes = new Map<number, CodeInfo>();
  /** By code: the line at which a frame of it was last suspended. */
  private readonly suspended = new Map<number, number>();
  // Open frames: code, line (0: none yet), line that the written distances count from, place in `costs` (-1: none yet), since when.
  private depth = 0;
  private tooDeep = 0;
  private frameCode = new Int32Array(64);
  private frameLine = new Int32Array(64);
  private frameBase = new Int32Array(64);
  private framePlace = new Int32Array(64);
  private frameSince = new Float64Array(64);
  // The block that is being filled.
  private block = 0;
  private started = false;
  private start = 0;
  private last = 0;
  private steps = 0;
  private words = 0;
  private lines = 0;
  private minDepth = 0;
  private stackCode = new Int32Array(0);
  private stackLine = new Int32Array(0);
  private readonly what = new VarWriter(1 << 12);
  private readonly when = new VarWriter(1 << 12);
  private readonly joined = new VarWriter(1 << 12);
  private readonly costs = new CostTable();
  /** The head's table of functions, and where each stands in it. */
  private localCodes: HeadCode[] = [];
  private readonly localOf = new Map<number, number>();
  private localSources: string[] = [];
  private readonly sourceOf = new Map<string, number>();

  constructor(emit: (block: BuiltBlock) => void) {
    this.emit = emit;
  }

  /** Says what a code id means. An id that gets a new meaning keeps the old one in blocks that are written. */
  define(code: number, info: CodeInfo): void {
    this.codes.set(code, info);
    this.localOf.delete(code);
  }

  /** Frames that were open before the first event, outermost first, each with the line at which it stands. Only before that. */
  open(frames: readonly { readonly code: number; readonly line: number }[], time: number): void {
    this.begin(time);
    for (const { code, line } of frames) {
      if (this.depth === this.frameCode.length) this.growFrames();
      this.globalOf[this.depth] = code;
      this.frameLine[this.depth++] = line;
    }
    this.beginNext(time);
  }

  addAll(words: Int32Array, times: Float64Array, from = 0, to = words.length): void {
    for (let i = from; i < to; i++) this.add(words[i]!, times[i]!);
  }

  /** Time never runs backwards here: an earlier time than the last counts as that. */
  add(word: number, time: number): void {
    if (!this.started) this.begin(time);
    const now = time > this.last ? time : this.last;
    const top = this.depth - 1;
    if (word > 0) {
      if (top < 0 || this.tooDeep > 0) {
        this.dropped++;
        return;
      }
      this.line(word, now, top);
    } else if (word < -3) {
      if (!this.enter(-4 - word, now, top)) return;
    } else {
      if (word === 0 || top < 0 || this.tooDeep > 0) {
        if (this.tooDeep > 0) this.tooDeep--;
        this.dropped++;
        return;
      }
      this.leave(word, now, top);
    }
    const steps = Math.floor((now - this.start) / TIME_STEP);
    this.when.put(steps - this.steps);
    this.steps = steps;
    if (++this.words === BLOCK_EVENTS) this.close(now);
  }

  /** Writes what there is, as it was at `end` (the last event if omitted). What is open stays open. */
  flush(end = this.last): void {
    if (!this.started) return;
    const at = Math.max(end, this.last);
    if (this.words > 0 || (this.depth > 0 && at > this.start)) this.close(at);
  }

  /** Whether there is anything that has not gone out. */
  get pending(): number {
    return this.words;
  }

  private begin(time: number): void {
    this.started = true;
    this.start = time;
    this.last = time;
  }

  private line(line: number, now: number, top: number): void {
    const { costs } = this;
    const code = this.frameCode[top]!;
    const before = this.framePlace[top]!;
    const place = costs.place(code, this.localCodes[code]!.source, line);
    if (before < 0) {
      // The moment between entering a function and its first line counts for that line.
      costs.self[place]! += now - this.last;
      costs.opened(place);
    } else {
      costs.self[before]! += now - this.last;
      costs.closed(before, now - this.frameSince[top]!);
      costs.opened(place);
      this.frameSince[top] = now;
    }
    costs.count[place]!++;
    this.framePlace[top] = place;
    putLine(this.what, line, this.frameBase[top]!);
    this.frameLine[top] = line;
    this.frameBase[top] = line;
    this.last = now;
    this.lines++;
  }

  private enter(id: number, now: number, top: number): boolean {
    if (this.depth >= MOST_DEPTH) {
      this.tooDeep++;
      this.dropped++;
      return false;
    }
    if (top >= 0) this.charge(now, top);
    this.last = now;
    const code = this.local(id);
    const at = this.depth;
    if (at === this.frameCode.length) this.growFrames();
    this.frameCode[at] = code;
    this.frameLine[at] = 0;
    this.frameBase[at] = this.localCodes[code]!.firstLine;
    this.framePlace[at] = -1;
    this.frameSince[at] = now;
    this.depth = at + 1;
    this.globalOf[at] = id;
    putEnter(this.what, code);
    return true;
  }

  private leave(word: number, now: number, top: number): void {
    this.charge(now, top);
    this.last = now;
    this.costs.closed(this.framePlace[top]!, now - this.frameSince[top]!);
    if (word === WORD.suspended) this.suspended.set(this.globalOf[top]!, this.frameLine[top]!);
    this.depth = top;
    if (top < this.minDepth) this.minDepth = top;
    putLeave(
      this.what,
      word === WORD.returned ? LEAVE.returned : word === WORD.suspended ? LEAVE.suspended : LEAVE.unwound,
    );
  }

  /** Code ids of the open frames as the stream has them. */
  private globalOf = new Int32Array(64);

  /**
   * The time since the last event goes to the line at which the top frame stands. One that has not come to a line although it calls or
   * leaves was resumed in the middle of one: that at which a frame of the same function was suspended last.
   */
  private charge(now: number, top: number): void {
    if (this.framePlace[top]! < 0) this.settle(top, this.suspended.get(this.globalOf[top]!) ?? 0);
    this.costs.self[this.framePlace[top]!]! += now - this.last;
  }

  private settle(top: number, line: number): void {
    const code = this.frameCode[top]!;
    const place = this.costs.place(code, this.localCodes[code]!.source, line);
    this.costs.opened(place);
    this.framePlace[top] = place;
    this.frameLine[top] = line;
  }

  private local(id: number): number {
    const known = this.localOf.get(id);
    if (known !== undefined) return known;
    const { source, firstLine, name } = this.codes.get(id) ?? UNKNOWN;
    let at = -1;
    if (source !== undefined) {
      at = this.sourceOf.get(source) ?? -1;
      if (at < 0) {
        at = this.localSources.push(source) - 1;
        this.sourceOf.set(source, at);
      }
    }
    const code = this.localCodes.push({ source: at, firstLine: Math.max(0, firstLine), name }) - 1;
    this.localOf.set(id, code);
    return code;
  }

  private close(end: number): void {
    const { costs } = this;
    const top = this.depth - 1;
    if (top >= 0) {
      const unsettled = this.framePlace[top]! < 0;
      if (unsettled) this.settle(top, 0);
      costs.self[this.framePlace[top]!]! += end - this.last;
      for (let i = top; i >= 0; i--) costs.closed(this.framePlace[i]!, end - this.frameSince[i]!);
    }
    const head = encodeHead({
      words: this.words,
      events: this.lines,
      minDepth: this.minDepth,
      approximate: this.approximate,
      sources: this.localSources,
      codes: this.localCodes,
      stackCode: this.stackCode,
      stackLine: this.stackLine,
      totals: costs.sorted(),
    });
    const data = joinColumns(this.joined, this.what, this.when);
    this.emit({
      block: this.block++,
      start: this.start,
      end,
      events: this.lines,
      minDepth: this.minDepth,
      head,
      data,
    });
    this.beginNext(end);
  }

  /** The next block begins where this one ended, with the frames that are open and a table of functions of its own. */
  private beginNext(start: number): void {
    const { depth, costs } = this;
    costs.clear();
    this.localCodes = [];
    this.localOf.clear();
    this.localSources = [];
    this.sourceOf.clear();
    this.start = start;
    this.last = start;
    this.steps = 0;
    this.words = 0;
    this.lines = 0;
    this.minDepth = depth;
    this.what.clear();
    this.when.clear();
    for (let i = 0; i < depth; i++) {
      const code = this.local(this.globalOf[i]!);
      this.frameCode[i] = code;
      this.frameBase[i] = this.frameLine[i]! || this.localCodes[code]!.firstLine;
      this.framePlace[i] = -1;
      this.frameSince[i] = start;
      // A top frame without a line may still come to its first.
      if (i < depth - 1 || this.frameLine[i]! > 0) this.settle(i, this.frameLine[i]!);
    }
    this.stackCode = this.frameCode.slice(0, depth);
    this.stackLine = this.frameLine.slice(0, depth);
  }

  private growFrames(): void {
    const size = this.frameCode.length * 2;
    const grown = (a: Int32Array) => {
      const b = new Int32Array(size);
      b.set(a);
      return b;
    };
    this.frameCode = grown(this.frameCode);
    this.frameLine = grown(this.frameLine);
    this.frameBase = grown(this.frameBase);
    this.framePlace = grown(this.framePlace);
    this.globalOf = grown(this.globalOf);
    const since = new Float64Array(size);
    since.set(this.frameSince);
    this.frameSince = since;
  }
}
