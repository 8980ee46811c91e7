// Several runs into one stream of lines in order: a heap of readers, from the first of which lines are taken for as long as
// they come before the second's, so that runs which hardly overlap are copied in large pieces.
import type { RunReader } from "./sort_run.ts";
import type { LineSink } from "./sort_batch.ts";
import type { Turn } from "./turn.ts";

/** Takes the merged lines; `orphan` tells of the line whose bytes come next that its key is not in what came before. */
export interface MergeSink extends LineSink {
  orphan?(ts: number, seq: number): void;
  /** Nobody wants more. */
  readonly closed?: boolean;
}

/** Bytes between two turns. */
const TURN_BYTES = 1 << 23;

function isBefore(a: RunReader, b: RunReader): boolean {
  if (a.ts !== b.ts) return a.ts < b.ts;
  if (a.seq !== b.seq) return a.seq < b.seq;
  return a.rank < b.rank;
}

function siftDown(heap: RunReader[], size: number, from: number): void {
  const item = heap[from]!;
  let at = from;
  for (;;) {
    let child = at * 2 + 1;
    if (child >= size) break;
    if (child + 1 < size && isBefore(heap[child + 1]!, heap[child]!)) child++;
    if (!isBefore(heap[child]!, item)) break;
    heap[at] = heap[child]!;
    at = child;
  }
  heap[at] = item;
}

export async function mergeRuns(readers: readonly RunReader[], sink: MergeSink, turn: Turn): Promise<void> {
  const heap = readers.filter((r) => !r.done);
  let size = heap.length;
  for (let i = (size >> 1) - 1; i >= 0; i--) siftDown(heap, size, i);
  let sinceTurn = 0;
  while (size > 0) {
    const top = heap[0]!;
    const rival = size === 1 ? undefined : size > 2 && isBefore(heap[2]!, heap[1]!) ? heap[2]! : heap[1]!;
    sinceTurn += takeWhileFirst(top, rival, sink);
    if (top.done) {
      heap[0] = heap[--size]!;
      heap.length = size;
    }
    if (size > 1) siftDown(heap, size, 0);
    if (sinceTurn > TURN_BYTES) {
      sinceTurn = 0;
      await turn();
      if (sink.closed === true) return;
    }
  }
}

/** Takes lines of `top` while they come before `rival`, up to the end of its block; how many bytes that were. */
function takeWhileFirst(top: RunReader, rival: RunReader | undefined, sink: MergeSink): number {
  let taken = 0;
  let start = top.from;
  for (;;) {
    if (sink.orphan && top.isOrphan()) {
      if (top.from > start) sink.bytes(top.bytes, start, top.from);
      taken += top.from - start;
      start = top.from;
      sink.orphan(top.ts, top.seq);
    }
    const end = top.to;
    const more = top.advance();
    if (more && (rival === undefined || isBefore(top, rival))) continue;
    sink.bytes(top.bytes, start, end);
    taken += end - start;
    if (!more) top.load();
    return taken;
  }
}
