// A yes or no about one event: what breakpoints, searches and filters have in common, whatever language they were written in.
// A condition is text that was understood; it is bound to a recording before it is asked, and again after that has grown.
import type { Derived } from "./derived.ts";

export interface EventPredicate {
  /** As it is shown to people. */
  readonly text: string;
  /** Whether it holds of the event in this row of the table. Must not throw, and is asked for every row: no objects. */
  test(row: number): boolean;
}

export interface EventCondition {
  readonly text: string;
  /** May look at the whole recording once. */
  over(derived: Derived): EventPredicate;
}
