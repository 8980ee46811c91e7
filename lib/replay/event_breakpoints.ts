// Breakpoints over the steps of a recording. Each is asked once of every event, when it is set; where the next, the last or the n-th hit is, is
// then a binary search, whatever the condition was.
import type { EventCondition } from "../derive/predicate.ts";
import { lowerBound, type ProcessHistory } from "./process_history.ts";

export interface Breakpoint {
  readonly condition: EventCondition;
  /** Steps, ascending. */
  readonly hits: Uint32Array;
}

/** The steps at which a condition holds. */
export function findHits(history: ProcessHistory, condition: EventCondition): Uint32Array {
  const { rows, derived } = history;
  const predicate = condition.over(derived);
  let hits = new Uint32Array(64);
  let n = 0;
  for (let step = 0; step < rows.length; step++) {
    if (!predicate.test(rows[step]!)) continue;
    if (n === hits.length) {
      const grown = new Uint32Array(n * 2);
      grown.set(hits);
      hits = grown;
    }
    hits[n++] = step;
  }
  return hits.slice(0, n);
}

export class Breakpoints {
  private list: Breakpoint[] = [];
  /** Hits of all of them, each step once. */
  private merged: Uint32Array = new Uint32Array(0);

  get all(): readonly Breakpoint[] {
    return this.list;
  }

  /** Sets it, or takes it away when there is one with this text; true when it is set now. */
  toggle(history: ProcessHistory, condition: EventCondition): boolean {
    const left = this.list.filter((b) => b.condition.text !== condition.text);
    const isNew = left.length === this.list.length;
    this.list = isNew ? [...left, { condition, hits: findHits(history, condition) }] : left;
    this.merge(history);
    return isNew;
  }

  /** Takes the one at this place of the list away. */
  remove(history: ProcessHistory, index: number): Breakpoint | undefined {
    const [gone] = this.list.splice(index, 1);
    this.merge(history);
    return gone;
  }

  /** Asks again: there are other events now. */
  renew(history: ProcessHistory): void {
    this.list = this.list.map(({ condition }) => ({ condition, hits: findHits(history, condition) }));
    this.merge(history);
  }

  private merge({ rows }: ProcessHistory): void {
    if (this.list.length < 2) {
      this.merged = this.list[0]?.hits ?? new Uint32Array(0);
      return;
    }
    const marked = new Uint8Array(rows.length);
    let n = 0;
    for (const { hits } of this.list)
      for (const step of hits) {
        if (marked[step] === 0) n++;
        marked[step] = 1;
      }
    this.merged = new Uint32Array(n);
    for (let step = marked.indexOf(1), i = 0; step >= 0; step = marked.indexOf(1, step + 1)) this.merged[i++] = step;
  }

  /** The n-th step (from 1) behind `step` that hits, undefined when there are not so many. */
  after(step: number, n = 1): number | undefined {
    return this.merged[lowerBound(this.merged, step + 1) + n - 1];
  }

  /** The n-th before it. */
  before(step: number, n = 1): number | undefined {
    return this.merged[lowerBound(this.merged, step) - n];
  }

  /** How many steps behind `step` hit. */
  countAfter(step: number): number {
    return this.merged.length - lowerBound(this.merged, step + 1);
  }

  countBefore(step: number): number {
    return lowerBound(this.merged, step);
  }
}

/** Whether this one holds at a step. */
export function hitsAt({ hits }: Breakpoint, step: number): boolean {
  return hits[lowerBound(hits, step)] === step;
}
