// The times at which a process has children: the union of their lives, as intervals that do not touch, cut to its own
// life. What lies between them is the process's own (self) time, as far as events can tell.
//
//   parent    ├──────────────────────────┤
//   children    ├────┤   ├───┤
//                  ├───┤        ├─────────────┤
//   covered     ├──────┤ ├───┤  ├────────┤            self: the rest
import { orderByKeys } from "../base/key_order.ts";
import { drawnEnd, type Processes } from "./processes.ts";
import type { ProcessTree } from "./tree.ts";

/** Walks lives one at a time; `from` and `to` of the first `length` intervals are valid until the next `of`. */
export class Covered {
  length = 0;
  from = new Float64Array(64);
  to = new Float64Array(64);
  private readonly p: Processes;
  private readonly tree: ProcessTree;
  private starts = new Float64Array(64);
  private ends = new Float64Array(64);
  private order = new Uint32Array(64);
  private spare = new Uint32Array(64);

  constructor(p: Processes, tree: ProcessTree) {
    this.p = p;
    this.tree = tree;
  }

  of(life: number): this {
    const { p, tree } = this;
    const at = tree.childAt[life]!;
    const n = tree.childAt[life + 1]! - at;
    this.length = 0;
    if (n === 0) return this;
    if (n > this.starts.length) this.grow(n);
    const low = p.start[life]!;
    const high = drawnEnd(p, life);
    let sorted = true;
    for (let i = 0; i < n; i++) {
      const child = tree.child[at + i]!;
      this.starts[i] = Math.min(high, Math.max(low, p.start[child]!));
      this.ends[i] = Math.min(high, Math.max(low, drawnEnd(p, child)));
      if (i > 0 && this.starts[i]! < this.starts[i - 1]!) sorted = false;
    }
    if (!sorted) orderByKeys(this.starts, this.ends, n, this.order, this.spare);
    for (let i = 0; i < n; i++) {
      const k = sorted ? i : this.order[i]!;
      const from = this.starts[k]!;
      const to = this.ends[k]!;
      if (to <= from) continue;
      const last = this.length - 1;
      if (last >= 0 && from <= this.to[last]!) this.to[last] = Math.max(this.to[last]!, to);
      else {
        this.from[this.length] = from;
        this.to[this.length] = to;
        this.length++;
      }
    }
    return this;
  }

  /** How much of `[from, to)` is covered. */
  within(from: number, to: number): number {
    let sum = 0;
    for (let i = this.firstEndingAfter(from); i < this.length && this.from[i]! < to; i++)
      sum += Math.min(to, this.to[i]!) - Math.max(from, this.from[i]!);
    return sum;
  }

  private firstEndingAfter(t: number): number {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.to[middle]! > t) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  private grow(n: number): void {
    const size = Math.max(n, this.starts.length * 2);
    this.starts = new Float64Array(size);
    this.ends = new Float64Array(size);
    this.from = new Float64Array(size);
    this.to = new Float64Array(size);
    this.order = new Uint32Array(size);
    this.spare = new Uint32Array(size);
  }
}
