// What replay, analysis and attribution see of executed lines, whoever recorded them: tracks of blocks. A track is what one thread
// of one process executed, in order; a block is what can be understood alone. Only heads are in memory; the events of a block are
// decoded when somebody looks at it. Lines of tk's own recordings, of its spool directories and of trackexec directories are the same here.
import type { HeadTotals } from "./block_head.ts";
import type { LineCosts } from "./line_costs.ts";

/** A source file that lines refer to; its index in `LineTraces.sources` is the `file` of events. */
export interface LineSource {
  readonly path: string;
  /** The text as it was when recorded; undefined when it was not kept. Decoded from UTF-8 (Python: the declared coding), lossy. */
  text(): string | undefined;
}

/** A function, a module's body, a script: what a frame runs. Its index in `LineTraces.codes` is the `code` of events. */
export interface LineCode {
  readonly file: number;
  /** `<module>`, `Class.method`, a Bash function; `<idle>` while an event loop waits. Undefined where only the file is known. */
  readonly name: string | undefined;
  readonly firstLine: number;
}

/** One decoded block. Columns are valid until the track's next `load` of another block, unless they are copied. */
export interface LineBlockView {
  readonly block: number;
  /** Frames that were open when the block began, outermost first. */
  readonly stackCode: Int32Array;
  /** The line at which each stands (0: it has not come to its first). */
  readonly stackLine: Int32Array;
  readonly start: number;
  /** When the next block began, or the last event of the last. */
  readonly end: number;
  /** Executed lines. */
  readonly count: number;
  readonly code: Int32Array;
  readonly line: Int32Array;
  /** Frames on the stack while the line ran; the outermost frame has depth 1. */
  readonly depth: Int32Array;
  /** In ticks of the traces' clock. */
  readonly time: Float64Array;
}

export interface LineTrack {
  /** Its place in `LineTraces.tracks`. */
  readonly index: number;
  readonly kind: "python" | "bash" | "trackexec";
  readonly pid: number | undefined;
  /** The kernel's thread id; equal to `pid` for a main thread. */
  readonly tid: number | undefined;
  /** The thread's or script's name, for people. */
  readonly name: string;
  /** Times between stamps are interpolated: views mark them. */
  readonly approximate: boolean;
  readonly blocks: number;
  readonly events: number;
  startOf(block: number): number;
  endOf(block: number): number;
  countOf(block: number): number;
  /** The smallest stack depth reached in the block. */
  minDepthOf(block: number): number;
  /** Whether the line was executed in the block; false positives are not allowed. Cheap: heads only. */
  has(block: number, file: number, line: number): boolean;
  /** Throws nothing: a damaged block is empty and told once as a problem. */
  load(block: number): LineBlockView;
  /** The whole stack at an executed line of the block, outermost frame first; undefined, or missing, where only depths are known. */
  stackAt?(block: number, index: number): readonly Frame[] | undefined;
  /**
   * The top frame at a moment of the block: not always that of the last executed line, since calls come back. Undefined when no frame was
   * open; missing where only executed lines are recorded.
   */
  standAt?(block: number, time: number): Stand | undefined;
}

/** One frame of a stack: what runs in it and where it stands (0: it has not come to a line yet, or that is not known). */
export interface Frame {
  readonly code: number;
  readonly line: number;
}

/** Where a thread stands. */
export interface Stand {
  readonly code: number;
  readonly line: number;
  /** The executed line of the block that brought it there; -1: it stood there when the block began. */
  readonly event: number;
  /** When the thread last entered, left or executed anything. */
  readonly since: number;
}

export interface LineClock {
  /** 1e9 for tk's own recordings, 2^20 for trackexec. */
  readonly ticksPerSecond: number;
  /** Ticks of 1970-01-01T00:00Z on this clock, to be subtracted: unix ticks = time - unixZero. 0 when times are unix times. */
  readonly unixZero: number;
}

export interface LineTraces {
  readonly clock: LineClock;
  readonly sources: readonly LineSource[];
  readonly codes: readonly LineCode[];
  readonly tracks: readonly LineTrack[];
  /** What could not be recorded and why, as sentences: processes that could not be reached, lost events. */
  readonly notes: readonly string[];
  /** Looks whether more was written since; true when tracks, blocks or ends changed. */
  refresh(): boolean;
}

/** Traces that know what each line cost, too: from heads alone where there are heads. */
export interface CostedTraces extends LineTraces {
  /** Adds the costs of one track, or of all. Times are in ticks of the clock. */
  addCosts(costs: LineCosts, track?: number): void;
}

/** Takes in the totals of one block after the other; `codeAt` gives the index in `codes` of each function in the block's table. */
export interface CostSink {
  addBlock(totals: HeadTotals, codeAt: Int32Array, codes: readonly LineCode[]): void;
}

/** Traces of blocks that have heads: costs function by function, too. */
export interface HeadTraces extends CostedTraces {
  addCosts(costs: CostSink, track?: number): void;
}
