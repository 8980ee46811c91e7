// Executed lines one by one, in the order of time, all threads together: as text, or as an object a line. Blocks are decoded as their time comes
// and forgotten; of every thread at most one is held.
//
//      TIME  THREAD           LINE
//  0.002120  4711 MainThread  main.py:3        total = 0
//  0.002240  4711 MainThread    work.py:7      return x * x
import { displayWidth, padEnd, padStart, printable } from "../base/text.ts";
import type { LineBlockView, LineTraces, LineTrack } from "../lines/line_track.ts";
import { splitLines, strip } from "../lines/source_text.ts";
import type { RenderOptions, TextSink, TraceRenderer } from "./renderer.ts";

/** Lines between two moments at which the caller may do something else. */
const STEP = 4096;

/** Deeper frames are indented no further. */
const MOST_INDENT = 20;
const PLACE_WIDTH = 28;

/** A track on its way through its blocks. */
interface Reader {
  readonly track: LineTrack;
  block: number;
  view: LineBlockView | undefined;
  at: number;
  /** Of the next line; of a block that is not decoded yet, its start. */
  time: number;
}

/** Every executed line in order of time, threads by their place in the traces where times are equal. */
export function* linesInOrder(traces: LineTraces): Generator<{ track: LineTrack; view: LineBlockView; at: number }> {
  const heap: Reader[] = [];
  const before = (a: Reader, b: Reader) => a.time < b.time || (a.time === b.time && a.track.index < b.track.index);
  const sink = (from: number) => {
    const item = heap[from]!;
    let i = from;
    for (let child = 2 * i + 1; child < heap.length; child = 2 * i + 1) {
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++;
      if (!before(heap[child]!, item)) break;
      heap[i] = heap[child]!;
      i = child;
    }
    heap[i] = item;
  };
  for (const track of traces.tracks)
    if (track.blocks > 0) heap.push({ track, block: 0, view: undefined, at: 0, time: track.startOf(0) });
  for (let i = heap.length >> 1; i >= 0; i--) if (i < heap.length) sink(i);
  while (heap.length > 0) {
    const first = heap[0]!;
    if (first.view === undefined) {
      first.view = first.track.load(first.block);
      first.at = -1;
    } else yield { track: first.track, view: first.view, at: first.at };
    first.at++;
    if (first.at < first.view.count) first.time = first.view.time[first.at]!;
    else if (++first.block < first.track.blocks) {
      first.view = undefined;
      first.time = Math.max(first.time, first.track.startOf(first.block));
    } else {
      const last = heap.pop()!;
      if (last === first) continue;
      heap[0] = last;
    }
    sink(0);
  }
}

export class SourceTexts {
  private readonly traces: LineTraces;
  private readonly split = new Map<number, readonly string[]>();

  constructor(traces: LineTraces) {
    this.traces = traces;
  }

  lines(file: number): readonly string[] {
    let lines = this.split.get(file);
    if (lines === undefined) {
      lines = splitLines(this.traces.sources[file]?.text() ?? "");
      this.split.set(file, lines);
    }
    return lines;
  }
}

export function* renderLines(traces: LineTraces, options: RenderOptions, out: TextSink): Generator<void> {
  const texts = new SourceTexts(traces);
  const { ticksPerSecond, unixZero } = traces.clock;
  const begin = traces.tracks.reduce((least, t) => (t.blocks > 0 ? Math.min(least, t.startOf(0)) : least), Infinity);
  // Directories of the older tool know unix times only; a reader wants to know how far apart lines are.
  const zero = unixZero === 0 ? begin : 0;
  const most = options.limit ?? Infinity;
  let shown = 0;
  for (const { track, view, at } of linesInOrder(traces)) {
    if (shown === most) break;
    if (++shown % STEP === 0) yield;
    const code = traces.codes[view.code[at]!];
    const file = code?.file ?? -1;
    const line = view.line[at]!;
    const path = traces.sources[file]?.path ?? "(unknown file)";
    const source = texts.lines(file)[line - 1];
    const seconds = (view.time[at]! - zero) / ticksPerSecond;
    if (options.ndjson === true) {
      const ns = Math.round((view.time[at]! - zero) * (1e9 / ticksPerSecond));
      out.text(
        JSON.stringify({
          Line: {
            timestamp: ns,
            ...(track.approximate ? { approximate: true } : {}),
            pid: track.pid ?? null,
            tid: track.tid ?? null,
            thread: track.name,
            depth: view.depth[at],
            path,
            line,
            function: code?.name ?? null,
            source: source === undefined ? null : strip(source),
          },
        }) + "\n",
      );
      continue;
    }
    const time = (track.approximate ? "~" : "") + seconds.toFixed(6);
    const thread = `${track.tid ?? track.pid ?? "-"} ${printable(track.name, options.unicode)}`;
    const short = options.full ? path : path.slice(path.lastIndexOf("/") + 1);
    const place = padEnd(`${printable(short, options.unicode)}:${line}`, PLACE_WIDTH);
    const indent = " ".repeat(2 * Math.min(MOST_INDENT, view.depth[at]! - 1));
    const text = source === undefined ? "" : printable(strip(source), options.unicode);
    const row = `${padStart(time, 12)}  ${padEnd(thread, 16)}  ${place}  ${indent}${text}`.trimEnd();
    out.text((displayWidth(row) <= options.width || options.full ? row : cut(row, options)) + "\n");
  }
}

function cut(row: string, { width, unicode }: RenderOptions): string {
  let text = row.slice(0, width);
  while (displayWidth(text) > width - 1) text = text.slice(0, -1);
  return text + (unicode ? "…" : ".");
}

export const lines: TraceRenderer = {
  id: "lines",
  summary: "Executed lines one by one, in the order of time",
  shape: "traces",
  render: renderLines,
};
