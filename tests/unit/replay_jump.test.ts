// Moments as they are typed at a player's prompt, and where they lead.
import { expect, test } from "bun:test";
import { jumpTarget, parseJump } from "../../lib/replay/jump.ts";

const NS = { ticksPerSecond: 1e9, unixZero: -new Date(2024, 0, 27, 12, 0, 0).getTime() * 1e6 };
const to = (text: string, now = 0, clock = NS) => jumpTarget(parseJump(text)._unsafeUnwrap(), now, clock);

test("relative: every unit, either way, fractions", () => {
  expect(to("+2s", 5e9)).toBe(7e9);
  expect(to("-3m", 5e9)).toBe(-175e9);
  expect(to("+1h")).toBe(3600e9);
  expect(to("-15d")).toBe(-15 * 86_400e9);
  expect(to("+1.5s")).toBe(1.5e9);
  expect(to("+250ms")).toBeCloseTo(250e6, 3);
});

test("a time of day is of the present day, a day keeps the time of day", () => {
  // Doubles hold a wall clock's nanoseconds to 256.
  expect(Math.abs(to("12:00:16.552353") - 16.552353e9)).toBeLessThan(1000);
  expect(to("12:01")).toBe(60e9);
  expect(to("11:59:59")).toBe(-1e9);
  expect(to("36:00:00")).toBe(86_400e9);
  expect(Math.abs(to("2024-01-28", 2.5e9) - 86_402.5e9)).toBeLessThan(1000);
  expect(to("2024-01-28 12:00:01")).toBe(86_401e9);
  expect(to("2024-01-28T12:00:01")).toBe(86_401e9);
});

test("the older tracer's ticks: absolute targets are whole", () => {
  const clock = { ticksPerSecond: 1 << 20, unixZero: 0 };
  const now = (new Date(2024, 0, 27, 12, 0, 0).getTime() / 1000) * (1 << 20);
  expect(to("12:00:00.5", now, clock)).toBe(now + (1 << 19));
  expect(to("12:00:00.000001", now, clock)).toBe(now + 1);
});

test("what is no moment is refused with the forms there are", () => {
  for (const bad of ["", "2s", "+", "+2", "+2y", "12", "12:60:00", "12:00:60", "1-2", "+1e3s", "::", "2024-01-27 x"])
    expect(parseJump(bad)._unsafeUnwrapErr()).toContain("+2s");
  expect(parseJump("2023-02-29")._unsafeUnwrapErr()).toBe("there is no such day");
  expect(parseJump("2024-02-29").isOk()).toBe(true);
  expect(parseJump("2024-13-01").isErr()).toBe(true);
});
