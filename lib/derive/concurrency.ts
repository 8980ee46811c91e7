// How many processes lived at each moment, and how many of them were leaves: alive without a living child, which is what can
// have been working (the others may have been waiting for one). One sweep over starts and ends.
//
//   make  ├────────────────────────┤
//    cc      ├─────────┤
//    cc        ├────────────┤
//   alive  1 ▏2▏3      ▏2   ▏1           leaves  1 ▏1▏2      ▏1   ▏1
import { Float64List, Int32List } from "../base/columns.ts";
import { orderByKeys } from "../base/key_order.ts";
import { ABSENT } from "../model/ids.ts";
import { drawnEnd, type Processes } from "./processes.ts";

/** A time with at most one leaf. */
export interface SerialWindows {
  readonly length: number;
  readonly from: Float64Array;
  readonly to: Float64Array;
  /** The leaf for the most of it; ABSENT when nothing lived. */
  readonly life: Int32Array;
  /** How long it was the leaf. */
  readonly held: Float64Array;
}

export interface Concurrency {
  readonly start: number;
  readonly end: number;
  /** By number of leaves: nanoseconds with that many. */
  readonly leafTime: Float64Array;
  /** Sum over time, in nanoseconds times processes: divided by the whole it is the average. */
  readonly leafSum: number;
  readonly aliveSum: number;
  readonly mostLeaves: number;
  readonly mostAlive: number;
  /** The same in equal parts of the time: averages. */
  readonly bucketLeaves: Float64Array;
  readonly bucketAlive: Float64Array;
  readonly windows: SerialWindows;
}

/** Sweeps from `start` to `end`; lives are cut to it. `buckets`: how many parts of the time are averaged. */
export function deriveConcurrency(p: Processes, start: number, end: number, buckets: number): Concurrency {
  const sweep = new Sweep(p, start, end, buckets);
  const n = p.length;
  const begins = new Float64Array(n);
  const ends = new Float64Array(n);
  const zero = new Float64Array(n);
  for (let life = 0; life < n; life++) {
    begins[life] = Math.min(end, Math.max(start, p.start[life]!));
    ends[life] = Math.min(end, Math.max(start, drawnEnd(p, life)));
  }
  const byBegin = new Uint32Array(n);
  const byEnd = new Uint32Array(n);
  const spare = new Uint32Array(n);
  orderByKeys(begins, zero, n, byBegin, spare);
  orderByKeys(ends, zero, n, byEnd, spare);
  let b = 0;
  let e = 0;
  while (e < n) {
    // Ends before starts of the same moment; lives that took no time are passed over by both.
    if (b < n && begins[byBegin[b]!]! < ends[byEnd[e]!]!) {
      const life = byBegin[b++]!;
      if (ends[life]! > begins[life]!) sweep.begin(life, begins[life]!);
    } else {
      const life = byEnd[e++]!;
      if (ends[life]! > begins[life]!) sweep.finish(life, ends[life]!);
    }
  }
  return sweep.result();
}

class Sweep {
  private readonly p: Processes;
  private readonly start: number;
  private readonly end: number;
  private now: number;
  private alive = 0;
  private leaves = 0;
  /** Sum of the lives that are leaves: the one itself when there is one. */
  private leafIds = 0;
  private readonly isAlive: Uint8Array;
  private readonly children: Int32Array;
  private leafTime = new Float64Array(64);
  private leafSum = 0;
  private aliveSum = 0;
  private mostLeaves = 0;
  private mostAlive = 0;
  private readonly bucketLeaves: Float64Array;
  private readonly bucketAlive: Float64Array;
  private readonly windows = new WindowList();

  constructor(p: Processes, start: number, end: number, buckets: number) {
    this.p = p;
    this.start = start;
    this.end = end;
    this.now = start;
    this.isAlive = new Uint8Array(p.length);
    this.children = new Int32Array(p.length);
    this.bucketLeaves = new Float64Array(buckets);
    this.bucketAlive = new Float64Array(buckets);
  }

  begin(life: number, t: number): void {
    this.pass(t);
    this.isAlive[life] = 1;
    this.alive++;
    if (this.children[life] === 0) this.leaf(life, 1);
    const above = this.p.parent[life]!;
    if (above === ABSENT) return;
    if (this.children[above]!++ === 0 && this.isAlive[above] === 1) this.leaf(above, -1);
  }

  finish(life: number, t: number): void {
    this.pass(t);
    this.isAlive[life] = 0;
    this.alive--;
    if (this.children[life] === 0) this.leaf(life, -1);
    const above = this.p.parent[life]!;
    if (above === ABSENT) return;
    if (--this.children[above]! === 0 && this.isAlive[above] === 1) this.leaf(above, 1);
  }

  private leaf(life: number, by: number): void {
    this.leaves += by;
    this.leafIds += by * life;
  }

  /** Counts the time up to `t`, during which nothing changed. */
  private pass(t: number): void {
    const from = this.now;
    if (t <= from) return;
    this.now = t;
    const { alive, leaves } = this;
    const time = t - from;
    if (leaves >= this.leafTime.length) {
      const grown = new Float64Array(Math.max(leaves + 1, this.leafTime.length * 2));
      grown.set(this.leafTime);
      this.leafTime = grown;
    }
    this.leafTime[leaves]! += time;
    this.leafSum += leaves * time;
    this.aliveSum += alive * time;
    if (leaves > this.mostLeaves) this.mostLeaves = leaves;
    if (alive > this.mostAlive) this.mostAlive = alive;
    this.spread(from, t);
    if (leaves > 1) this.windows.close();
    else this.windows.extend(leaves === 0 ? ABSENT : this.leafIds, from, t);
  }

  private spread(from: number, to: number): void {
    const { bucketLeaves, bucketAlive, leaves, alive } = this;
    const width = (this.end - this.start) / bucketLeaves.length;
    const last = bucketLeaves.length - 1;
    let at = Math.min(last, Math.floor((from - this.start) / width));
    for (let t = from; t < to && at <= last; at++) {
      const until = at === last ? to : Math.min(to, this.start + (at + 1) * width);
      bucketLeaves[at]! += (leaves * Math.max(0, until - t)) / width;
      bucketAlive[at]! += (alive * Math.max(0, until - t)) / width;
      t = Math.max(t, until);
    }
  }

  result(): Concurrency {
    this.pass(this.end);
    this.windows.close();
    return {
      start: this.start,
      end: this.end,
      leafTime: this.leafTime.slice(0, this.mostLeaves + 1),
      leafSum: this.leafSum,
      aliveSum: this.aliveSum,
      mostLeaves: this.mostLeaves,
      mostAlive: this.mostAlive,
      bucketLeaves: this.bucketLeaves,
      bucketAlive: this.bucketAlive,
      windows: this.windows.columns(),
    };
  }
}

/** Collects serial windows, and for the open one how long each life was its leaf. */
class WindowList {
  private readonly from = new Float64List(256);
  private readonly to = new Float64List(256);
  private readonly life = new Int32List(256);
  private readonly held = new Float64List(256);
  private begun = NaN;
  private until = NaN;
  private readonly times = new Map<number, number>();

  extend(life: number, from: number, to: number): void {
    if (Number.isNaN(this.begun)) this.begun = from;
    this.until = to;
    this.times.set(life, (this.times.get(life) ?? 0) + (to - from));
  }

  close(): void {
    if (Number.isNaN(this.begun)) return;
    let most = -1;
    let longest: number = ABSENT;
    for (const [life, time] of this.times)
      if (time > most) {
        most = time;
        longest = life;
      }
    this.from.push(this.begun);
    this.to.push(this.until);
    this.life.push(longest);
    this.held.push(most);
    this.begun = NaN;
    this.times.clear();
  }

  columns(): SerialWindows {
    return {
      length: this.from.length,
      from: this.from.view(),
      to: this.to.view(),
      life: this.life.view(),
      held: this.held.view(),
    };
  }
}
