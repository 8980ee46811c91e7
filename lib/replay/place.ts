// Where a player is to begin, as an option names it: a moment of the recording, `p12` (a process life as it begins) or `e400` (an event). Handles
// are those that the query language and `tk repl` print.
import { err, ok, type Result } from "neverthrow";
import { count } from "../base/text.ts";
import type { Processes } from "../derive/processes.ts";
import { type Extent, parseMoment } from "./jump.ts";
import type { Moment } from "./view.ts";

/** `processes` is undefined of what has executed lines only. Times are nanoseconds. */
export function parsePlace(text: string, extent: Extent, processes: Processes | undefined): Result<Moment, string> {
  const handle = /^\s*([pe])(\d{1,10})\s*$/.exec(text);
  if (handle === null)
    return parseMoment(text, extent)
      .map((time) => ({ time: Math.round(time) }))
      .mapErr(withHandles);
  if (processes === undefined) return err("a log of executed lines has no processes and events; give a moment");
  const index = Number(handle[2]);
  const { events, owner, pid, start, length } = processes;
  if (handle[1] === "p") {
    if (index >= length)
      return err(`there ${length === 1 ? "is" : "are"} ${count(length, "process", "processes")}, from p0 on`);
    return ok({ time: start[index]!, pid: pid[index]! });
  }
  if (index >= events.length)
    return err(`there ${events.length === 1 ? "is" : "are"} ${count(events.length, "event")}, from e0 on`);
  const time = events.ts[index]!;
  if (Number.isNaN(time)) return err("this event has no time");
  const life = owner[index]!;
  return ok(life < 0 ? { time } : { time, pid: pid[life]! });
}

const withHandles = (expected: string): string =>
  expected.startsWith("expected") ? `${expected}, or p12, e400` : expected;
