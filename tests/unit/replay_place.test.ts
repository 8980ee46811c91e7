// Where a player begins, as `--at` names it.
import { expect, test } from "bun:test";
import { processesOf } from "../../lib/derive/processes.ts";
import { parsePlace } from "../../lib/replay/place.ts";
import { beginningOf, clockOf, endingOf } from "../../lib/replay/recording_clock.ts";
import { timeline } from "../support/timeline.ts";

const recording = timeline(`
  recording root=10 make
  0ms 10 exec make
  5ms 10 fork 11
  6ms 11 exec cc
  9ms 11 exit 0
  10ms 10 fork 11
  12ms 11 exit 1
  20ms 10 exit 0
  21ms end 0`);
const extent = { start: beginningOf(recording), end: endingOf(recording), clock: clockOf(recording) };
const at = (text: string) => parsePlace(text, extent, processesOf(recording));

test("a process life is its start, a pid that is used again its own", () => {
  expect(at("p1")._unsafeUnwrap()).toEqual({ time: 5e6, pid: 11 });
  expect(at(" p2 ")._unsafeUnwrap()).toEqual({ time: 10e6, pid: 11 });
});

test("an event is its time and its process, the child of a fork", () => {
  expect(at("e3")._unsafeUnwrap()).toEqual({ time: 6e6, pid: 11 });
  expect(at("e2")._unsafeUnwrap()).toEqual({ time: 5e6, pid: 11 });
  expect(at("e0")._unsafeUnwrapErr()).toBe("this event has no time");
});

test("a moment is whole nanoseconds", () => {
  expect(at("6126425ns")._unsafeUnwrap()).toEqual({ time: 6126425 });
  expect(at("-2ms")._unsafeUnwrap()).toEqual({ time: extent.end - 2e6 });
});

test("what is none says what there is", () => {
  expect(at("p3")._unsafeUnwrapErr()).toBe("there are 3 processes, from p0 on");
  expect(at("e900")._unsafeUnwrapErr()).toBe("there are 9 events, from e0 on");
  expect(at("soon")._unsafeUnwrapErr()).toBe("expected +2s, -3m, +1h, -15d, 12:00:16.5 or 2024-01-27, or p12, e400");
  expect(parsePlace("p0", extent, undefined)._unsafeUnwrapErr()).toContain("no processes and events");
  expect(at("p99999999999").isErr()).toBe(true);
});
