// Traces of executed lines in memory, for tests of what shows them: what a track executed as plain objects, block by block.
import type {
  LineBlockView,
  LineClock,
  LineCode,
  LineSource,
  LineTraces,
  LineTrack,
} from "../../lib/lines/line_track.ts";

export interface EventOf {
  readonly code: number;
  readonly line: number;
  readonly depth: number;
  readonly time: number;
}

export interface BlockOf {
  readonly start: number;
  readonly end: number;
  readonly stack?: readonly { readonly code: number; readonly line: number }[];
  readonly events: readonly EventOf[];
  readonly minDepth?: number;
}

export class MemoryTrack implements LineTrack {
  readonly kind = "python" as const;
  readonly approximate: boolean;
  readonly index: number;
  readonly pid: number | undefined;
  readonly tid: number | undefined;
  readonly name: string;
  /** Blocks that were decoded. */
  loads = 0;
  readonly list: BlockOf[];
  private readonly codes: readonly LineCode[];

  constructor(
    index: number,
    codes: readonly LineCode[],
    list: BlockOf[],
    options: { pid?: number; tid?: number; name?: string; approximate?: boolean } = {},
  ) {
    this.index = index;
    this.codes = codes;
    this.list = list;
    this.pid = options.pid;
    this.tid = options.tid;
    this.name = options.name ?? "MainThread";
    this.approximate = options.approximate ?? false;
  }

  get blocks(): number {
    return this.list.length;
  }

  get events(): number {
    return this.list.reduce((sum, { events }) => sum + events.length, 0);
  }

  startOf(block: number): number {
    return this.list[block]!.start;
  }

  endOf(block: number): number {
    return this.list[block]!.end;
  }

  countOf(block: number): number {
    return this.list[block]!.events.length;
  }

  minDepthOf(block: number): number {
    const { minDepth, events } = this.list[block]!;
    return minDepth ?? events.reduce((least, { depth }) => Math.min(least, depth), Infinity);
  }

  has(block: number, file: number, line: number): boolean {
    return this.list[block]!.events.some((e) => e.line === line && this.codes[e.code]!.file === file);
  }

  load(block: number): LineBlockView {
    this.loads++;
    const { start, end, stack = [], events } = this.list[block]!;
    return {
      block,
      stackCode: Int32Array.from(stack, ({ code }) => code),
      stackLine: Int32Array.from(stack, ({ line }) => line),
      start,
      end,
      count: events.length,
      code: Int32Array.from(events, ({ code }) => code),
      line: Int32Array.from(events, ({ line }) => line),
      depth: Int32Array.from(events, ({ depth }) => depth),
      time: Float64Array.from(events, ({ time }) => time),
    };
  }
}

export interface MemoryTraces extends LineTraces {
  readonly tracks: MemoryTrack[];
}

export function memoryTraces(
  sources: readonly (readonly [path: string, text: string | undefined])[],
  codes: readonly LineCode[],
  tracks: readonly (readonly BlockOf[])[],
  clock: LineClock = { ticksPerSecond: 1e9, unixZero: -1_700_000_000e9 },
): MemoryTraces {
  return {
    clock,
    sources: sources.map(([path, text]): LineSource => ({ path, text: () => text })),
    codes,
    tracks: tracks.map(
      (blocks, i) => new MemoryTrack(i, codes, [...blocks], { pid: 100 + i, tid: 100 + i, name: `thread ${i}` }),
    ),
    notes: [],
    refresh: () => false,
  };
}
