// deriveCriticalPath: what the end waited for, on drawings whose path can be read off.
import { expect, test } from "bun:test";
import { DOING, deriveCriticalPath, onPath } from "../../lib/derive/critical_path.ts";
import { processesOf } from "../../lib/derive/processes.ts";
import { deriveTree } from "../../lib/derive/tree.ts";
import { ABSENT } from "../../lib/model/ids.ts";
import { timeline } from "../support/timeline.ts";

const WORDS: Readonly<Record<number, string>> = {
  [DOING.own]: "",
  [DOING.beside]: " beside",
  [DOING.starting]: " starting",
  [DOING.nothing]: " nothing",
};

/** One segment a line: `from-to pid doing`, milliseconds. */
function path(drawing: string, root: "first" | "all" = "first"): string[] {
  const recording = timeline(drawing);
  const p = processesOf(recording);
  const found = deriveCriticalPath(p, deriveTree(p), root === "all" ? ABSENT : 0, recording.end === undefined);
  return Array.from(
    { length: found.length },
    (_, i) =>
      `${found.from[i]! / 1e6}-${found.to[i]! / 1e6} ${found.life[i]! < 0 ? "-" : p.pid[found.life[i]!]}${WORDS[found.doing[i]!]}`,
  );
}

test("one process is its own path", () => {
  expect(
    path(`
    recording root=10 true
    0ms 5 fork 10
    1ms 10 exec true
    5ms 10 exit 0
    6ms end 0`),
  ).toEqual(["0-1 10 starting", "1-5 10"]);
});

test("of two jobs side by side the one that ended last is waited for", () => {
  // make  |-------------------|
  //  11     |-----------|
  //  12      |------|
  expect(
    path(`
    recording root=10 make
    0ms 10 exec make
    1ms 10 fork 11
    1ms 11 exec cc a.c
    2ms 10 fork 12
    2ms 12 exec cc b.c
    7ms 12 exit 0
    12ms 11 exit 0
    20ms 10 exit 0
    21ms end 0`),
  ).toEqual(["0-1 10", "1-12 11", "12-20 10"]);
});

test("a job that a free slot allowed follows the one that had freed it", () => {
  // 11   |-------|            13 is started when 12 has ended, not 11
  // 12   |-----|
  // 13           |--------|
  expect(
    path(`
    recording root=10 make -j2
    0ms 10 exec make -j2
    1ms 10 fork 11
    1ms 11 exec a
    2ms 10 fork 12
    2ms 12 exec b
    6ms 12 exit 0
    7ms 10 fork 13
    7ms 13 exec c
    9ms 11 exit 0
    15ms 13 exit 0
    16ms 10 exit 0
    17ms end 0`),
  ).toEqual(["0-2 10 beside", "2-6 12", "6-7 10 beside", "7-15 13", "15-16 10"]);
});

test("the path goes down through the child of a child", () => {
  expect(
    path(`
    recording root=10 make
    0ms 10 exec make
    1ms 10 fork 11
    2ms 11 exec sh -c cc
    3ms 11 fork 12
    4ms 12 exec cc
    10ms 12 exit 0
    11ms 11 exit 0
    12ms 10 exit 0
    13ms end 0`),
  ).toEqual(["0-1 10", "1-2 11 starting", "2-3 11", "3-4 12 starting", "4-10 12", "10-11 11", "11-12 10"]);
});

test("nobody waited for a daemon that outlives its creator", () => {
  expect(
    path(`
    recording root=10 start
    0ms 10 exec start
    1ms 10 fork 11
    1ms 11 exec daemon
    5ms 10 exit 0
    50ms 11 exit 0
    51ms end 0`),
  ).toEqual(["0-5 10 beside"]);
});

test("programs that a process was one after the other are segments of their own", () => {
  expect(
    path(`
    recording root=10 a
    0ms 10 exec a
    3ms 10 exec b
    8ms 10 exit 0
    9ms end 0`),
  ).toEqual(["0-3 10", "3-8 10"]);
});

test("where the recording was cut off, what still ran counts as ending with it", () => {
  expect(
    path(`
    recording root=10 make -j2
    0ms 10 exec make -j2
    1ms 10 fork 11
    1ms 11 exec cc a.c
    3ms 10 fork 12
    3ms 12 exec cc b.c
    30ms 12 setpgid 12`),
  ).toEqual(["0-1 10", "1-30 11"]);
});

test("a child whose exit was lost is not waited for in a complete recording", () => {
  expect(
    path(`
    recording root=10 make
    0ms 10 exec make
    1ms 10 fork 11
    1ms 11 exec cc a.c
    2ms lost 3 full
    20ms 10 exit 0
    21ms end 0`),
  ).toEqual(["0-20 10 beside"]);
});

test("a pid that is reused is two processes on the path", () => {
  expect(
    path(`
    recording root=10 sh
    0ms 10 exec sh
    1ms 10 fork 11
    1ms 11 exec a
    5ms 11 exit 0
    8ms 10 fork 11
    8ms 11 exec b
    15ms 11 exit 0
    16ms 10 exit 0
    17ms end 0`),
  ).toEqual(["0-1 10", "1-5 11", "5-8 10", "8-15 11", "15-16 10"]);
});

test("several roots: the whole, with the gaps between them", () => {
  expect(
    path(
      `
    0ms 10 exec a
    5ms 10 exit 0
    8ms 20 exec b
    20ms 20 exit 0`,
      "all",
    ),
  ).toEqual(["0-5 10", "5-8 - nothing", "8-20 20"]);
});

test("onPath: the part of an interval that the process has the path to itself", () => {
  const recording = timeline(`
    recording root=10 make
    0ms 10 exec make
    1ms 10 fork 11
    1ms 11 exec cc
    6ms 11 exit 0
    9ms 10 exit 0
    10ms end 0`);
  const p = processesOf(recording);
  const found = deriveCriticalPath(p, deriveTree(p), 0, false);
  expect(onPath(found, 0, 0, 9e6)).toBe(4e6);
  expect(onPath(found, 1, 3e6, 8e6)).toBe(3e6);
  expect(onPath(found, 1, 6e6, 8e6)).toBe(0);
});

test("twenty thousand jobs one after the other, and ten thousand levels", () => {
  const lines = ["recording root=1 make", "0us 1 exec make"];
  for (let i = 0; i < 20_000; i++)
    lines.push(
      `${i * 3 + 1}us 1 fork ${i + 10}`,
      `${i * 3 + 2}us ${i + 10} exec cc`,
      `${i * 3 + 3}us ${i + 10} exit 0`,
    );
  lines.push("60001us 1 exit 0", "60002us end 0");
  expect(path(lines.join("\n")).length).toBe(20_000 * 2 + 1 + 20_000);
  const deep = ["recording root=1 sh", "0us 1 exec sh"];
  const depth = 10_000;
  for (let i = 1; i < depth; i++) deep.push(`${i}us ${i} fork ${i + 1}`, `${i}us ${i + 1} exec sh`);
  for (let i = depth; i >= 1; i--) deep.push(`${depth + depth - i}us ${i} exit 0`);
  deep.push(`${depth * 2}us end 0`);
  expect(path(deep.join("\n")).length).toBe(2 * depth - 1);
});
