// Where a thread stood at any moment of a block: the top frame and its line, after each event. The last executed line is not always it: when a
// call has come back, the caller goes on with its own line, and what it starts then is started there.
import type { BlockHead } from "./block_head.ts";
import { TIME_STEP } from "./block_events.ts";
import type { Stand } from "./line_track.ts";
import { VarReader } from "./varint.ts";

export class BlockStands {
  private length = 0;
  private readonly time: Float64Array;
  /** Top frame after each event: its function (-1: no frame is open) and line (0: none yet). */
  private readonly code: Int32Array;
  private readonly line: Int32Array;
  /** The executed line that brought the top frame there; -1 when it stood there as the block began. */
  private readonly event: Int32Array;
  private readonly head: BlockHead;
  private readonly start: number;

  /** Damaged bytes give what was understood before the damage. */
  constructor(data: Uint8Array, head: BlockHead, start: number) {
    this.head = head;
    this.start = start;
    const sizes = new VarReader(data);
    const size = sizes.takeCount();
    const what = new VarReader(data, sizes.at, sizes.at + size);
    const when = new VarReader(data, sizes.at + size);
    const words = Math.min(head.words, what.left, when.left);
    this.time = new Float64Array(words);
    this.code = new Int32Array(words);
    this.line = new Int32Array(words);
    this.event = new Int32Array(words);
    this.walk(what, when, words);
  }

  private walk(what: VarReader, when: VarReader, words: number): void {
    const { codes, stackCode, stackLine } = this.head;
    const code = Array.from(stackCode);
    const line = Array.from(stackLine);
    const base = code.map((c, i) => line[i]! || codes[c]!.firstLine);
    const event = code.map(() => -1);
    /** By function: the line and event at which a frame of it was left, for one that is resumed in the middle of it. */
    const left = new Map<number, readonly [line: number, event: number]>();
    let steps = 0;
    let events = 0;
    for (let i = 0; i < words; i++) {
      const token = what.take();
      steps += when.take();
      const top = code.length - 1;
      if (token % 2 === 0) {
        const z = token / 2;
        if (top < 0) return;
        base[top] = line[top] = base[top]! + (z % 2 === 0 ? z / 2 : -(z + 1) / 2);
        event[top] = events++;
      } else if (token % 4 === 1) {
        const next = (token - 1) / 4;
        if (next >= codes.length) return;
        if (top >= 0 && line[top] === 0) [line[top], event[top]] = left.get(code[top]!) ?? [0, -1];
        code.push(next);
        line.push(0);
        base.push(codes[next]!.firstLine);
        event.push(-1);
      } else {
        if (top < 0) return;
        const c = code.pop()!;
        base.pop();
        left.set(c, [line.pop()!, event.pop()!]);
      }
      const now = code.length - 1;
      let at = now < 0 ? 0 : line[now]!;
      let by = now < 0 ? -1 : event[now]!;
      if (now >= 0 && at === 0) [at, by] = left.get(code[now]!) ?? [0, -1];
      this.time[i] = this.start + steps * TIME_STEP;
      this.code[i] = now < 0 ? -1 : code[now]!;
      this.line[i] = at;
      this.event[i] = by;
      this.length = i + 1;
    }
  }

  /** The top frame at `time`, its `code` as the head numbers it; undefined when none was open. */
  at(time: number): Stand | undefined {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.time[middle]! <= time) low = middle + 1;
      else high = middle;
    }
    if (low > 0) {
      const i = low - 1;
      const code = this.code[i]!;
      return code < 0 ? undefined : { code, line: this.line[i]!, event: this.event[i]!, since: this.time[i]! };
    }
    const { stackCode, stackLine } = this.head;
    const top = stackCode.length - 1;
    return top < 0 ? undefined : { code: stackCode[top]!, line: stackLine[top]!, event: -1, since: this.start };
  }
}
