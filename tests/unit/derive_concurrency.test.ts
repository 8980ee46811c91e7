// deriveConcurrency, deriveProbes, deriveLittleWork: numbers worked out by hand.
import { expect, test } from "bun:test";
import { numberCommands } from "../../lib/derive/commands.ts";
import { deriveConcurrency } from "../../lib/derive/concurrency.ts";
import { deriveCriticalPath } from "../../lib/derive/critical_path.ts";
import { deriveExecKeys } from "../../lib/derive/exec_keys.ts";
import { deriveProbes } from "../../lib/derive/probes.ts";
import { processesOf } from "../../lib/derive/processes.ts";
import { deriveTree } from "../../lib/derive/tree.ts";
import { deriveLittleWork } from "../../lib/derive/wrappers.ts";
import { argvOf } from "../../lib/model/event_at.ts";
import { timeline } from "../support/timeline.ts";

const MS = 1e6;

test("running processes are the living ones without a living child", () => {
  // make  0----------------20
  //  11     2-------10            leaves: 1 of 0-2, 1 of 2-4, 2 of 4-10, 1 of 10-14, 1 of 14-20
  //  12        4---------14
  const p = processesOf(
    timeline(`
    0ms 10 exec make
    2ms 10 fork 11
    4ms 10 fork 12
    10ms 11 exit 0
    14ms 12 exit 0
    20ms 10 exit 0`),
  );
  const c = deriveConcurrency(p, 0, 20 * MS, 2);
  expect([...c.leafTime]).toEqual([0, 14 * MS, 6 * MS]);
  expect(c.leafSum).toBe(26 * MS);
  expect(c.aliveSum).toBe((20 + 8 + 10) * MS);
  expect([c.mostLeaves, c.mostAlive]).toEqual([2, 3]);
  // 0-10: 4 ms with one and 6 ms with two; 10-20: one all the time.
  expect([...c.bucketLeaves]).toEqual([1.6, 1]);
  const { windows: w } = c;
  const window = (i: number) => [w.from[i]! / MS, w.to[i]! / MS, p.pid[w.life[i]!], w.held[i]! / MS];
  // In 0-4 make and 11 have 2 ms each, the first one wins; in 10-20 12 has 4 and make 6.
  expect([w.length, window(0), window(1)]).toEqual([2, [0, 4, 10, 2], [10, 20, 10, 6]]);
});

test("lives that take no time, and moments at which one ends as another begins, make no peak", () => {
  const p = processesOf(
    timeline(`
    0ms 10 exec sh
    1ms 10 fork 11
    5ms 11 exit 0
    5ms 10 fork 12
    5ms 10 fork 13
    5ms 13 exit 0
    9ms 12 exit 0
    10ms 10 exit 0`),
  );
  const c = deriveConcurrency(p, 0, 10 * MS, 1);
  expect([...c.leafTime]).toEqual([0, 10 * MS]);
  expect(c.mostAlive).toBe(2);
});

test("time before the first and between the roots has nothing running", () => {
  const p = processesOf(timeline("2ms 10 exec a\n 4ms 10 exit 0\n 6ms 20 exec b\n 9ms 20 exit 0"));
  const c = deriveConcurrency(p, 0, 10 * MS, 5);
  expect([...c.leafTime]).toEqual([5 * MS, 5 * MS]);
  expect([...c.bucketLeaves]).toEqual([0, 1, 0, 1, 0.5]);
});

function probesOf(drawing: string) {
  const recording = timeline(drawing);
  const p = processesOf(recording);
  return deriveProbes(recording, p, deriveCriticalPath(p, deriveTree(p), 0, recording.end === undefined));
}

test("probes: searches, what was found, and the time until the process's next event", () => {
  const probes = probesOf(`
    recording root=10 sh
    0ms 10 exec sh
    1ms 10 fork 11
    2ms 11 exec:fail 2 /usr/local/bin/cc
    3ms 11 exec:fail 2 /usr/bin/cc
    5ms 11 exec /bin/cc
    9ms 11 exit 0
    10ms 10 fork 12
    11ms 12 exec:fail 2 /usr/bin/nosuch
    11.5ms 12 exec:fail 13 /bin/nosuch
    12ms 12 exit 127
    13ms 10 exec:fail 2 /x/cc
    14ms 10 fork 14
    15ms 14 exit 0
    20ms 10 exit 0
    21ms end 0`);
  const row = (t: (typeof probes.byName)[number]) =>
    `${t.text} ${t.probes} ${t.searches} ${t.found} ${t.time / MS} ${t.critical / MS} ${[...t.folders].join(":")}`;
  // cc: 1 + 2 ms in 11, and 1 ms in 10 until it forks, which is no success.
  expect(probes.byName.map(row)).toEqual(["cc 3 2 1 4 4 /usr/local/bin:/usr/bin:/x", "nosuch 2 1 0 1 1 /usr/bin:/bin"]);
  expect(probes.byFolder.map((t) => `${t.text} ${t.probes} ${t.time / MS}`)).toEqual([
    "/usr/local/bin 1 1",
    "/usr/bin 2 2.5",
    "/bin 1 0.5",
    "/x 1 1",
  ]);
  expect([probes.count, probes.time / MS, probes.critical / MS]).toEqual([5, 5, 5]);
});

test("wrappers and short processes", () => {
  const recording = timeline(`
    recording root=10 make
    0ms 10 exec make
    1ms 10 fork 11
    2ms 11 exec sh -c cc
    5ms 11 exec cc
    9ms 11 exit 0
    10ms 10 fork 12
    11ms 12 exec sh -ec ld
    13ms 12 fork 13
    13.5ms 13 exec ld
    20ms 13 exit 0
    21ms 12 exit 0
    22ms 10 fork 14
    22ms 14 exec sh -c "a; b"
    23ms 14 fork 15
    23ms 15 exec a
    24ms 15 exit 0
    24ms 14 fork 16
    24ms 16 exec b
    25ms 16 exit 0
    26ms 14 exit 0
    27ms 10 fork 17
    27ms 17 exec sh script.sh
    28ms 17 exec perl
    40ms 17 exit 0
    41ms 10 exit 0
    42ms end 0`);
  const p = processesOf(recording);
  const tree = deriveTree(p);
  const numbers = numberCommands(deriveExecKeys(recording, "program"));
  const little = deriveLittleWork(recording, p, tree, numbers, deriveCriticalPath(p, tree, 0, false));
  const rows = (t: typeof little.short) =>
    [...t.count].flatMap((n, c) =>
      n === 0
        ? []
        : [`${argvOf(recording, numbers.keys.sampleRow[c]!)!.words[0]} ${n} ${t.time[c]! / MS} ${t.critical[c]! / MS}`],
    );
  // sh before cc: 2-5. sh around ld: 11-21 less 13-20. `a; b` ran two programs, script.sh is no -c.
  expect(rows(little.wrappers)).toEqual(["cc 1 3 3", "ld 1 3 3"]);
  expect(rows(little.short)).toEqual(["a 1 1 1", "b 1 1 1"]);
});
