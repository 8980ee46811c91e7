// What the player for pipes is made of: the pace, the merging of events and lines, moments as options name them.
import { expect, test } from "bun:test";
import { enterWord } from "../../lib/lines/block_builder.ts";
import { Problems } from "../../lib/model/problem.ts";
import { decodeRecording } from "../../lib/pipeline/read.ts";
import { parseMoment } from "../../lib/replay/jump.ts";
import { Pace, parseIdle, parseSpeed } from "../../lib/replay/pace.ts";
import { Playback } from "../../lib/replay/playback.ts";
import { RecordingLines } from "../../lib/traces/recording_lines.ts";
import { LineRecording } from "../support/line_recording.ts";

test("pace: gaps are cut, then divided by the speed; late events are due at once; max never waits", () => {
  const due = (speed: number, longest: number, ...times: number[]) => {
    const pace = new Pace(speed, longest);
    return times.map((t) => pace.due(t));
  };
  expect(due(1, Infinity, 5, 10, 30)).toEqual([0, 5, 25]);
  expect(due(10, Infinity, 0, 100, 300)).toEqual([0, 10, 30]);
  expect(due(2, 50, 0, 100, 110, 1000)).toEqual([0, 25, 30, 55]);
  expect(due(1, Infinity, 100, 40, 120)).toEqual([0, 0, 20]);
  expect(due(1, Infinity, 10, NaN, 20)).toEqual([0, 0, 10]);
  expect(due(Infinity, Infinity, 0, 1e12)).toEqual([0, 0]);
  expect(due(1, 0, 0, 5, 9)).toEqual([0, 0, 0]);
});

test("speeds, pauses and moments as they are typed", () => {
  expect(["10x", "0.5", ".5x", "max", "0"].map((t) => parseSpeed(t)._unsafeUnwrap())).toEqual([
    10,
    0.5,
    0.5,
    Infinity,
    Infinity,
  ]);
  expect(["1s", "500ms", "2", "1m"].map((t) => parseIdle(t)._unsafeUnwrap())).toEqual([1e9, 5e8, 2e9, 6e10]);
  for (const bad of ["", "x", "-1", "1e3", "10 x x"])
    expect(parseSpeed(bad).isErr() && parseIdle(bad).isErr()).toBe(true);
  const zero = new Date(2024, 0, 27, 12, 0, 0).getTime() * 1e6;
  const extent = { start: 0, end: 10e9, clock: { ticksPerSecond: 1e9, unixZero: -zero } };
  const at = (text: string) => parseMoment(text, extent)._unsafeUnwrap();
  expect([at("2s"), at("+2s"), at("-2s"), at("12:00:03"), at("2024-01-27"), at("2024-01-27 12:00:01")]).toEqual([
    2e9,
    2e9,
    8e9,
    3e9,
    -12 * 3600e9,
    1e9,
  ]);
  expect(parseMoment("12:00:03", { ...extent, clock: undefined })._unsafeUnwrapErr()).toContain("does not say when");
});

test("events and the lines of many threads are merged by time, from a moment on, and go on when there is more", () => {
  const rec = new LineRecording();
  rec.event("Recording", { version: 1, backend: "ptrace" });
  const source = rec.source("/x.py", "a\nb\n");
  const expected: number[] = [];
  for (let tid = 10; tid < 40; tid++) {
    const stream = rec.stream({ pid: 10, tid, stream: `10-${tid}.0` });
    stream.define(0, { source, firstLine: 1, name: "f" });
    stream.add(enterWord(0), 0);
    for (let i = 0; i < 50; i++) {
      const time = ((i * 7919 + tid * 104_729) % 1000) * 1000 + i * 1_000_000;
      expected.push(time);
      stream.add(1 + (i % 2), time);
      if (i % 20 === 19) stream.flush();
    }
    stream.flush();
    rec.event("Fork", { timestamp: tid * 1_000_000 + 500, parent_pid: 10, child_pid: tid + 100, parent_pgid: 10 });
    expected.push(tid * 1_000_000 + 500);
  }
  expected.sort((a, b) => a - b);
  const recording = decodeRecording(rec.bytes());
  const times = (from: number) => {
    const playback = new Playback(recording.events, new RecordingLines(recording, new Problems()), from);
    const out: number[] = [];
    while (playback.next()) out.push(playback.time);
    expect(playback.next()).toBe(false);
    return out;
  };
  expect(times(-Infinity)).toEqual(expected);
  expect(times(25_000_300)).toEqual(expected.filter((t) => t >= 25_000_300));
  expect(times(1e12)).toEqual([]);
});
