// The events of a block of executed lines, apart from its head: two columns, first what happened, then when, so that each compresses
// well. One number an event:
//
//   line   2 * d            d: zigzag distance from the line at which the frame stands (from the function's first line at first)
//   enter  4 * code + 1     code: index in the head's table
//   leave  4 * how + 3      how: 0 returned, 1 suspended (yield, await), 2 left by an exception
//
// and its time as the distance from the event before it, in steps of 100 ns since the block's start.
import type { BlockHead } from "./block_head.ts";
import { VarReader, type VarWriter } from "./varint.ts";

/** Nanoseconds. */
export const TIME_STEP = 100;

export const LEAVE = { returned: 0, suspended: 1, unwound: 2 } as const;

/** A block's executed lines as columns. */
export interface BlockEvents {
  readonly count: number;
  /** Index in the head's codes. */
  readonly code: Int32Array;
  readonly line: Int32Array;
  /** Frames open while the line ran; the outermost frame has depth 1. */
  readonly depth: Int32Array;
  readonly time: Float64Array;
  /** What was wrong, when they are not whole. */
  readonly fault: string | undefined;
}

export function putLine(out: VarWriter, line: number, before: number): void {
  const d = line - before;
  out.put(2 * (d < 0 ? -2 * d - 1 : 2 * d));
}

export const putEnter = (out: VarWriter, code: number): void => out.put(4 * code + 1);

export const putLeave = (out: VarWriter, how: number): void => out.put(4 * how + 3);

/** Both columns as one piece. */
export function joinColumns(out: VarWriter, what: VarWriter, when: VarWriter): Uint8Array {
  out.clear();
  out.put(what.length);
  out.putBytes(what.view());
  out.putBytes(when.view());
  return out.view().slice();
}

const MOST_LINE = 0x7fffffff;

/** Executed lines of a block that began at `start`. Never throws; damaged bytes give what was understood before the damage. */
export function decodeEvents(data: Uint8Array, head: BlockHead, start: number): BlockEvents {
  const { codes } = head;
  const sizes = new VarReader(data);
  const size = sizes.takeCount();
  const what = new VarReader(data, sizes.at, sizes.at + size);
  const when = new VarReader(data, sizes.at + size);
  // Every event takes a byte of each column.
  const words = Math.min(head.words, what.left, when.left);
  const most = Math.min(head.events, words);
  const code = new Int32Array(most);
  const line = new Int32Array(most);
  const depth = new Int32Array(most);
  const time = new Float64Array(most);
  let open = head.stackCode.length;
  let stackCode = new Int32Array(open + 64);
  let stackLine = new Int32Array(open + 64);
  stackCode.set(head.stackCode);
  for (let i = 0; i < open; i++) stackLine[i] = head.stackLine[i]! || codes[head.stackCode[i]!]!.firstLine;
  let steps = 0;
  let n = 0;
  let fault: string | undefined = sizes.failed || words < head.words ? "its events are cut off" : undefined;
  for (let i = 0; i < words; i++) {
    const token = what.take();
    steps += when.take();
    if (what.failed || when.failed) {
      fault = "its events are cut off or damaged";
      break;
    }
    if (token % 2 === 0) {
      const z = token / 2;
      const top = open - 1;
      const at = top < 0 ? -1 : stackLine[top]! + (z % 2 === 0 ? z / 2 : -(z + 1) / 2);
      if (at < 0 || at > MOST_LINE || n === most) {
        fault = top < 0 ? "a line runs while no frame is open" : "its lines are damaged";
        break;
      }
      stackLine[top] = at;
      code[n] = stackCode[top]!;
      line[n] = at;
      depth[n] = open;
      time[n] = start + steps * TIME_STEP;
      n++;
    } else if (token % 4 === 1) {
      const next = (token - 1) / 4;
      if (next >= codes.length) {
        fault = "it enters a function that its head does not know";
        break;
      }
      if (open === stackCode.length) {
        stackCode = doubled(stackCode);
        stackLine = doubled(stackLine);
      }
      stackCode[open] = next;
      stackLine[open++] = codes[next]!.firstLine;
    } else if (open-- === 0) {
      fault = "it leaves more frames than are open";
      break;
    }
  }
  if (fault === undefined && n < head.events) fault = `it has ${n} lines, its head says ${head.events}`;
  if (n === most) return { count: n, code, line, depth, time, fault };
  return {
    count: n,
    code: code.subarray(0, n),
    line: line.subarray(0, n),
    depth: depth.subarray(0, n),
    time: time.subarray(0, n),
    fault,
  };
}

function doubled(a: Int32Array): Int32Array<ArrayBuffer> {
  const b = new Int32Array(a.length * 2);
  b.set(a);
  return b;
}
