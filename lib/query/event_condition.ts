// A condition of the query language as what breakpoints and searches ask for: bound to a recording, asked of one event at a time, bound anew
// when the recording has grown.
import { printable } from "../base/text.ts";
import type { Derived } from "../derive/derived.ts";
import type { EventCondition } from "../derive/predicate.ts";
import type { HeadTraces } from "../lines/line_track.ts";
import type { Result } from "neverthrow";
import { compileCondition } from "./check_query.ts";
import type { QueryError } from "./query_error.ts";
import { rowTest } from "./run.ts";
import { World } from "./world.ts";

/** Conditions over one recording share its columns. */
const worlds = new WeakMap<Derived, World>();

const linesOf = new WeakMap<Derived, HeadTraces>();

/** Says where the executed lines of a recording are, for conditions that ask what started a process. */
export function knowLines(derived: Derived, lines: HeadTraces): void {
  linesOf.set(derived, lines);
}

function worldOf(derived: Derived): World {
  let world = worlds.get(derived);
  if (world === undefined) {
    world = new World(derived.recording, { lines: () => linesOf.get(derived) });
    worlds.set(derived, world);
  }
  return world;
}

export function eventCondition(text: string): Result<EventCondition, QueryError> {
  return compileCondition(text, { table: "events" }).map((condition): EventCondition => {
    const shown = printable(text.trim().replace(/\s+/g, " "));
    return {
      text: shown,
      over: (derived) => ({ text: shown, test: rowTest(condition, worldOf(derived)) }),
    };
  });
}
