// Where a recording's times count from.
import type { LineClock } from "../lines/line_track.ts";
import type { Recording } from "../model/recording.ts";
import { NS_PER_S } from "../model/time.ts";

/** The recording's clock; undefined when it does not say when it began. */
export function clockOf({ header }: Recording): LineClock | undefined {
  const started = header?.started_unix_ns;
  const known = started !== undefined && /^\d{1,20}$/.test(started);
  return known ? { ticksPerSecond: NS_PER_S, unixZero: -Number(started) } : undefined;
}

/** What is shown as +0s: a recording of tk's counts from its beginning, a foreign one may count from anywhere. */
export function beginningOf({ header, events }: Recording): number {
  if (header !== undefined) return 0;
  const { ts } = events;
  // Nearly in order: the first rows have the earliest time, give or take the clocks of a few CPUs.
  let least = Infinity;
  for (let row = 0; row < Math.min(events.length, 1000); row++) if (ts[row]! < least) least = ts[row]!;
  return least === Infinity ? 0 : least;
}

/** The latest time of any event; 0 when there is none. */
export function endingOf({ events }: Recording): number {
  const { ts } = events;
  let most = -Infinity;
  for (let row = 0; row < events.length; row++) if (ts[row]! > most) most = ts[row]!;
  return most === -Infinity ? 0 : most;
}
