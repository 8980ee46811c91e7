// The whole stack at one executed line of a block. Lines alone do not tell it: a coroutine or generator that is resumed goes on in the
// middle of a line, and a frame that was open when a process was forked has none in the child; what they call is deeper all the same.
import { VarReader } from "./varint.ts";
import type { BlockHead } from "./block_head.ts";

/** One frame: an index of the head's functions and the line at which it stands (0: not known). */
export interface StackFrame {
  readonly code: number;
  readonly line: number;
}

/** Outermost first; undefined when the block has no such line. Never throws. */
export function stackAtLine(data: Uint8Array, head: BlockHead, index: number): StackFrame[] | undefined {
  const { codes, stackCode, stackLine } = head;
  const sizes = new VarReader(data);
  const size = sizes.takeCount();
  const what = new VarReader(data, sizes.at, sizes.at + size);
  const code = Array.from(stackCode);
  const line = Array.from(stackLine);
  const base = code.map((c, i) => line[i]! || codes[c]!.firstLine);
  /** By function: the line at which a frame of it was left last, for one that is resumed in the middle of it. */
  const left = new Map<number, number>();
  let lines = 0;
  for (let words = Math.min(head.words, what.left); words > 0; words--) {
    const token = what.take();
    const top = code.length - 1;
    if (what.failed) return undefined;
    if (token % 2 === 0) {
      if (top < 0) return undefined;
      const z = token / 2;
      base[top] = line[top] = base[top]! + (z % 2 === 0 ? z / 2 : -(z + 1) / 2);
      if (lines++ === index) return code.map((c, i) => ({ code: c, line: line[i]! }));
    } else if (token % 4 === 1) {
      const next = (token - 1) / 4;
      if (next >= codes.length) return undefined;
      if (top >= 0 && line[top] === 0) line[top] = left.get(code[top]!) ?? 0;
      code.push(next);
      line.push(0);
      base.push(codes[next]!.firstLine);
    } else {
      if (top < 0) return undefined;
      base.pop();
      const c = code.pop()!;
      const stood = line.pop()!;
      if (stood > 0) left.set(c, stood);
    }
  }
  return undefined;
}
