// deriveProcesses: what counts as one process life, whatever pids, clocks and lost events do.
import { expect, test } from "bun:test";
import { ENDED, deriveProcesses, drawnEnd, exitStatusOf, type Processes } from "../../lib/derive/processes.ts";
import { deriveTree, subtree } from "../../lib/derive/tree.ts";
import { EventTable } from "../../lib/model/event_table.ts";
import { argvOf } from "../../lib/model/event_at.ts";
import type { Recording } from "../../lib/model/recording.ts";
import { timeline, type TimelineOptions } from "../support/timeline.ts";

const ENDINGS = ["unseen", "exit", "replaced"];

/** One line a life: `pid<parent start-end ending [commands]`, times in microseconds. */
function draw(drawing: string, options: TimelineOptions = {}): string[] {
  const recording = timeline(drawing, options);
  expect(recording.problems.kept).toEqual([]);
  return describe(recording, deriveProcesses(recording.events, { rootPid: recording.header?.root_pid }));
}

function describe(recording: Recording, p: Processes): string[] {
  const name = (row: number) => argvOf(recording, row)?.words.join(" ") ?? "?";
  return Array.from({ length: p.length }, (_, life) => {
    const above = p.parent[life]!;
    const images = [...p.imageRow.subarray(p.imageAt[life], p.imageAt[life + 1])].map(name);
    const end = Number.isNaN(p.end[life]!) ? "" : String(p.end[life]! / 1000);
    const from = above < 0 ? "" : `<${p.pid[above]}${above === firstOf(p, p.pid[above]!) ? "" : "'"}`;
    return `${p.pid[life]}${from} ${p.start[life]! / 1000}-${end} ${ENDINGS[p.ended[life]!]} [${images.join(", ")}]`;
  });
}

function firstOf(p: Processes, pid: number): number {
  return p.pid.indexOf(pid);
}

test("a command and its child", () => {
  const lives = draw(`
    recording root=10 make
    0us 5 fork 10
    1us 10 exec make
    2us 10 fork 11
    3us 11 exec cc a.c
    9us 11 exit 1
    10us 10 exit 2
    11us end 2`);
  expect(lives).toEqual(["10 0-10 exit [make]", "11<10 2-9 exit [cc a.c]"]);
});

test("exec images follow each other within one life", () => {
  const recording = timeline(`
    0us 10 exec a
    5us 10 exec b
    7us 10 exec c
    9us 10 exit 0`);
  const p = deriveProcesses(recording.events);
  expect(describe(recording, p)).toEqual(["10 0-9 exit [a, b, c]"]);
  expect([...p.imageStart]).toEqual([0, 5000, 7000]);
});

test("a pid that is reused within a millisecond is two lives", () => {
  const lives = draw(`
    0us 10 exec sh
    10us 10 fork 11
    20us 11 exec a
    30us 11 exit 0
    31us 10 fork 11
    32us 11 exec b
    33us 11 fork 12
    40us 11 exit 0
    50us 12 exit 0`);
  expect(lives).toEqual(["10 0- unseen [sh]", "11<10 10-30 exit [a]", "11<10 31-40 exit [b]", "12<11' 33-50 exit []"]);
});

test("a new fork of a living pid ends the old life, whose exit was lost", () => {
  const recording = timeline(`
    0ms 10 exec sh
    1ms 10 fork 11
    2ms 11 exec a
    9ms 10 fork 11
    10ms 11 exec b
    11ms 11 exit 0`);
  const p = deriveProcesses(recording.events);
  expect(describe(recording, p)).toEqual([
    "10 0- unseen [sh]",
    "11<10 1000-9000 replaced [a]",
    "11<10 9000-11000 exit [b]",
  ]);
  expect(p.replaced).toBe(1);
  expect(exitStatusOf(p, 1)).toEqual({ how: "unknown" });
});

test("the same fork told twice is one", () => {
  const fork = `{"Fork":{"seq":1,"timestamp":5000,"parent_pid":10,"child_pid":11}}`;
  expect(draw(`0us 10 exec sh\n${fork}\n${fork}\n9us 11 exit 0`)).toEqual(["10 0- unseen [sh]", "11<10 5-9 exit []"]);
});

test("without its fork a life begins with its first event, under the parent that it names", () => {
  const lives = draw(`
    0us 10 exec sh
    5us 11<10 exec cc
    6us 12<99 exec as
    7us 13 exit 3`);
  expect(lives).toEqual(["10 0- unseen [sh]", "11<10 5- unseen [cc]", "12 6- unseen [as]", "13 7-7 exit []"]);
});

test("the parent that an event names is the life of that pid at that time", () => {
  const lives = draw(`
    0ms 1 fork 10
    10ms 10 exit 0
    20ms 1 fork 10
    25ms 11<10 exec a
    5ms 12<10 exec b
    15ms 13<10 exec c`);
  expect(lives.filter((l) => /^1[123]/.test(l))).toEqual([
    "12<10 5000- unseen [b]",
    "13 15000- unseen [c]",
    "11<10' 25000- unseen [a]",
  ]);
});

test("the parent that an event names may begin or end a moment away, by the clocks", () => {
  // Three lives of pid 10 within a millisecond, and their children.
  const lives = draw(`
    0us 1 fork 10
    100us 10 exit 0
    200us 1 fork 10
    300us 10 exit 0
    400us 1 fork 10
    150us 11<10 exec a
    250us 12<10 exec b
    450us 13<10 exec c`);
  const children = ["11<10 150- unseen [a]", "12<10' 250- unseen [b]", "13<10' 450- unseen [c]"];
  expect(lives.filter((l) => /^1[123]/.test(l))).toEqual(children);
  expect(draw(`0us 10<5 exec late\n50us 5 exec parent`)).toEqual(["10<5 0- unseen [late]", "5 50- unseen [parent]"]);
});

test("an exec after an exit without a fork is another process", () => {
  expect(
    draw(`
    0ms 11 exec a
    1ms 11 exit 0
    9ms 11 exec b
    9ms 11 exit 0`),
  ).toEqual(["11 0-1000 exit [a]", "11 9000-9000 exit [b]"]);
});

test("clocks: a fork that is stamped after its child's first events is still its fork", () => {
  const p = (seq: boolean) =>
    draw(
      `
      0us 10 exec sh
      100us 11 exec cc
      140us 10 fork 11
      900us 11 exit 0`,
      { seq },
    );
  expect(p(true)).toEqual(["10 0- unseen [sh]", "11<10 100-900 exit [cc]"]);
  expect(p(false)).toEqual(p(true));
});

test("clocks: a whole life before its fork is reported is tied to it, unless the fork's own child follows", () => {
  const whole = `
    0us 10 exec sh
    100us 11 exec cc
    200us 11 exit 0
    210us 10 fork 11`;
  expect(draw(whole)).toEqual(["10 0- unseen [sh]", "11<10 100-200 exit [cc]"]);
  expect(draw(`${whole}\n300us 11 exec as\n400us 11 exit 0`)).toEqual([
    "10 0- unseen [sh]",
    "11 100-200 exit [cc]",
    "11<10 210-400 exit [as]",
  ]);
});

test("clocks: within a millisecond the kernel's order outranks the timestamps", () => {
  // The drawing's order is seq: fork, exec, exit, fork, exec, exit; the second fork's clock is 30 us slow.
  expect(
    draw(`
    0us 10 exec sh
    10us 10 fork 11
    20us 11 exec a
    100us 11 exit 0
    70us 10 fork 11
    110us 11 exec b
    120us 11 exit 1`),
  ).toEqual(["10 0- unseen [sh]", "11<10 10-100 exit [a]", "11<10 70-120 exit [b]"]);
});

test("clocks: beyond a millisecond the timestamps are believed", () => {
  expect(
    draw(`
    0ms 10 exec sh
    5ms 11 exec a
    20ms 10 fork 11
    21ms 11 exec b`),
  ).toEqual(["10 0- unseen [sh]", "11 5000-20000 replaced [a]", "11<10 20000- unseen [b]"]);
});

test("a child keeps its creator when that has died, and when it names its new parent", () => {
  expect(
    draw(`
    0ms 1 exec init
    1ms 1 fork 10
    2ms 10 fork 11
    3ms 10 exit 0
    9ms 11<1 exec daemon
    20ms 11<1 exit 0`),
  ).toEqual(["1 0- unseen [init]", "10<1 1000-3000 exit []", "11<10 2000-20000 exit [daemon]"]);
});

test("a process that is known only by having forked is a life, but not the recorder of the root", () => {
  const drawing = `
    0ms 5 fork 10
    1ms 7 fork 12`;
  expect(draw(`recording root=10 sh\n${drawing}`)).toEqual([
    "10 0- unseen []",
    "7 1000- unseen []",
    "12<7 1000- unseen []",
  ]);
  expect(draw(drawing)).toEqual(["5 0- unseen []", "10<5 0- unseen []", "7 1000- unseen []", "12<7 1000- unseen []"]);
});

test("a process may fork itself only in damaged data: it is its own root then", () => {
  expect(draw(`0ms 10 fork 10`)).toEqual(["10 0- unseen []"]);
});

test("rings of parents are cut where they began", () => {
  const recording = timeline(`
    0ms 10<12 exec a
    0ms 11<10 exec b
    0ms 12<11 exec c
    0ms 13<12 exec d
    0ms 14<14 exec e`);
  const p = deriveProcesses(recording.events);
  expect(describe(recording, p)).toEqual([
    "10 0- unseen [a]",
    "11<10 0- unseen [b]",
    "12<11 0- unseen [c]",
    "13<12 0- unseen [d]",
    "14 0- unseen [e]",
  ]);
  expect(p.brokenLinks).toBe(1);
  expect([...deriveTree(p).preorder]).toEqual([0, 1, 2, 3, 4]);
});

test("reports and what is unknown belong to the last life, even after its end", () => {
  const recording = timeline(`
    0ms 10 exec a
    1ms 10 exit 0
    {"Report":{"seq":2,"timestamp":9000000,"pid":10,"operation":"postexec","report":{}}}
    {"Report":{"seq":3,"timestamp":9000000,"pid":11,"operation":"heartbeat","report":{}}}`);
  const p = deriveProcesses(recording.events);
  expect(describe(recording, p)).toEqual(["10 0-1000 exit [a]", "11 9000- unseen []"]);
  expect([...p.owner]).toEqual([0, 0, 0, 1]);
});

test("failed execs, group and session changes belong to the life; the head, losses and the end to none", () => {
  const recording = timeline(`
    recording root=10 sh
    0ms 10 exec sh
    1ms 10 exec:fail 2 /bin/nosuch
    1ms 10 setpgid 10
    1ms 10 setsid 10
    2ms lost 3 full
    3ms 10 killed 9
    4ms end 0`);
  const p = deriveProcesses(recording.events, { rootPid: 10 });
  expect([...p.owner]).toEqual([-1, 0, 0, 0, 0, -1, 0, -1]);
  expect([...p.failedRow]).toEqual([2]);
  expect(exitStatusOf(p, 0)).toEqual({ how: "signaled", signal: 9, coreDumped: false });
  expect(p.lastTime).toBe(4e6);
});

test("a life without an end is drawn to the end of the recording", () => {
  const p = deriveProcesses(timeline(`0ms 10 exec sh\n1ms 10 fork 11\n50ms 11 exit 0`).events);
  expect(p.ended[0]).toBe(ENDED.unseen);
  expect(p.end[0]).toBeNaN();
  expect(drawnEnd(p, 0)).toBe(50e6);
});

test("an empty table has no processes", () => {
  const p = deriveProcesses(new EventTable());
  expect([p.length, p.firstTime, p.lastTime]).toEqual([0, 0, 0]);
  expect(deriveTree(p).preorder.length).toBe(0);
});

test("pids that no kernel gives are pids all the same", () => {
  const lives = draw(`
    0ms 2147483647 exec a
    1ms 2147483647 fork 99999999
    2ms 99999999 exit 0`);
  expect(lives).toEqual(["2147483647 0- unseen [a]", "99999999<2147483647 1000-2000 exit []"]);
});

test("deriveTree: depth-first order, subtrees, and what a process runs that never called exec", () => {
  const recording = timeline(`
    0ms 10 exec sh
    1ms 10 fork 11
    2ms 11 fork 12
    3ms 10 exec make
    4ms 10 fork 13
    5ms 11 exec cc
    6ms 11 fork 14
    7ms 99 exec other`);
  const p = deriveProcesses(recording.events);
  const tree = deriveTree(p);
  const pids = (lives: Int32Array) => [...lives].map((l) => p.pid[l]);
  expect(pids(tree.preorder)).toEqual([10, 11, 12, 14, 13, 99]);
  expect(pids(tree.roots)).toEqual([10, 99]);
  expect(pids(subtree(tree, p.pid.indexOf(11)))).toEqual([11, 12, 14]);
  const runs = (pid: number) => {
    const row = tree.inheritedRow[p.pid.indexOf(pid)]!;
    return row < 0 ? "?" : argvOf(recording, row)?.words[0];
  };
  expect([10, 11, 12, 13, 14].map(runs)).toEqual(["?", "sh", "sh", "make", "cc"]);
  expect([...tree.depth]).toEqual([0, 1, 2, 1, 2, 0]);
});

test("deriveTree walks ten thousand levels", () => {
  const lines = ["0us 1 exec sh"];
  for (let i = 1; i < 10_000; i++) lines.push(`${i}us ${i} fork ${i + 1}`);
  const p = deriveProcesses(timeline(lines.join("\n")).events);
  const tree = deriveTree(p);
  expect(tree.depth[p.length - 1]).toBe(9_999);
  expect(tree.size[0]).toBe(10_000);
});
