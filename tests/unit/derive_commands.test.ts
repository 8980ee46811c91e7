// deriveCommands, deriveUsage, deriveExecKeys: sums by command, worked out by hand from drawings.
import { expect, test } from "bun:test";
import { deriveCommands, numberCommands } from "../../lib/derive/commands.ts";
import { type CommandBy, deriveExecKeys } from "../../lib/derive/exec_keys.ts";
import { processesOf } from "../../lib/derive/processes.ts";
import { deriveTree } from "../../lib/derive/tree.ts";
import { deriveUsage } from "../../lib/derive/usage.ts";
import { argvOf } from "../../lib/model/event_at.ts";
import { ABSENT } from "../../lib/model/ids.ts";
import type { Recording } from "../../lib/model/recording.ts";
import { decodeRecording } from "../../lib/pipeline/read.ts";
import { timeline } from "../support/timeline.ts";

/** One line a command: `name runs total self max cpu rss failed/known`, milliseconds. */
function totals(recording: Recording, by: CommandBy = "program"): string[] {
  const p = processesOf(recording);
  const tree = deriveTree(p);
  const keys = deriveExecKeys(recording, by);
  const numbers = numberCommands(keys);
  const t = deriveCommands(p, tree, numbers, deriveUsage(recording, p, tree, ABSENT));
  const name = (c: number): string => {
    if (c === numbers.unknown) return "(?)";
    const text = argvOf(recording, keys.sampleRow[c % keys.length]!)!.words.join(" ");
    return c < numbers.forked ? text : `(${text})`;
  };
  const out: string[] = [];
  for (let c = 0; c < numbers.length; c++) {
    if (t.runs[c] === 0) continue;
    const cpu = t.cpuKnown[c] === 0 ? "-" : t.cpu[c]! / 1e6;
    const rss = t.maxRssKb[c] === ABSENT ? "-" : t.maxRssKb[c];
    out.push(
      `${name(c)}: ${t.runs[c]} ${t.total[c]! / 1e6} ${t.self[c]! / 1e6} ${t.max[c]! / 1e6} ${cpu} ${rss} ${t.failures[c]}/${t.statusKnown[c]}`,
    );
  }
  return out;
}

test("self is a run's time less the union of its children's lives", () => {
  // make 0-20; children 2-8, 6-10 (overlapping: 2-10), 12-15: covered 8 + 3, self 20 - 11 = 9
  expect(
    totals(
      timeline(`
    recording root=10 make
    0ms 10 exec make
    2ms 10 fork 11
    2ms 11 exec cc
    6ms 10 fork 12
    6ms 12 exec cc
    8ms 11 exit 0 user=4ms sys=1ms rss=900
    10ms 12 exit 1 user=3ms sys=0ms rss=700
    12ms 10 fork 13
    12ms 13 exec ld
    15ms 13 killed 9
    20ms 10 exit 2 user=10ms sys=2ms rss=900
    21ms end 2`),
    ),
    // make's CPU: 12 with its children, 12 - 5 - 3 = 4 alone; its 900 KiB may be cc's.
  ).toEqual(["make: 1 20 9 20 4 - 1/1", "cc: 2 10 10 6 8 900 1/2", "ld: 1 3 3 3 - - 1/1"]);
});

test("a run within a run of the same command counts once in the total", () => {
  expect(
    totals(
      timeline(`
    0ms 10 exec make
    1ms 10 fork 11
    1ms 11 exec make
    9ms 11 exit 0
    10ms 10 exit 0`),
    ),
  ).toEqual(["make: 2 10 10 10 - - 0/2"]);
});

test("an exec ends one run and begins the next; the exit is the last one's", () => {
  expect(
    totals(
      timeline(`
    0ms 9 exec sh
    1ms 9 fork 10
    3ms 10 exec sh -c cc
    4ms 10 exec cc
    10ms 10 exit 1 user=5ms sys=0ms rss=10
    12ms 9 exit 0 user=6ms sys=0ms rss=99`),
      "argv",
    ),
  ).toEqual(["sh: 1 12 3 12 1 99 0/1", "sh -c cc: 1 3 3 3 - - 0/0", "cc: 1 6 6 6 5 10 1/1"]);
});

test("a process without an exec is a copy of its creator; the self time of a run is cut at the exec", () => {
  expect(
    totals(
      timeline(`
    0ms 10 exec bash
    1ms 10 fork 11
    4ms 11 exit 3
    5ms 10 exec other
    8ms 10 exit 0
    9ms 12 exit 0`),
    ),
  ).toEqual(["bash: 1 5 2 5 - - 0/0", "other: 1 3 3 3 - - 0/1", "(bash): 1 3 3 3 - - 1/1", "(?): 1 0 0 0 - - 0/1"]);
});

test("a parent that used less than its children has not waited for them and keeps its own", () => {
  expect(
    totals(
      timeline(`
    0ms 10 exec a
    1ms 10 fork 11
    1ms 11 exec b
    9ms 11 exit 0 user=8ms sys=0ms
    10ms 10 exit 0 user=1ms sys=0ms`),
    ).map((line) => line.split(" ")[5]),
  ).toEqual(["1", "8"]);
});

test("an adopted child's time is not taken from its creator", () => {
  expect(
    totals(
      timeline(`
    0ms 10 exec a
    1ms 10 fork 11
    1ms 11 exec b
    9ms 11<1 exit 0 user=2ms sys=0ms
    10ms 10 exit 0 user=5ms sys=0ms`),
    ).map((line) => line.split(" ")[5]),
  ).toEqual(["5", "2"]);
});

test("foreign recordings: nothing is zero that is not known", () => {
  const lines = [
    `{"Fork":{"timestamp":1,"parent_pid":1,"child_pid":2}}`,
    `{"ExecFull":{"timestamp":2,"pid":2,"ppid":1,"filename":"/bin/ls","args":"ls -l"}}`,
    `{"Exit":{"timestamp":5000000,"pid":2,"ppid":1,"pgid":2}}`,
  ].join("\n");
  expect(totals(decodeRecording(new TextEncoder().encode(lines + "\n")))).toEqual([
    "ls -l: 1 4.999999 4.999999 4.999999 - - 0/0",
    "(?): 1 4.999999 0 4.999999 - - 0/0",
  ]);
});

const same = (args: string, filename: string) =>
  `{"ExecFull":{"timestamp":1,"pid":2,"filename":${filename},"args":${args}}}`;

test("equal commands have one key, whichever way their line is written", () => {
  const lines = [
    same(`["/usr/bin/cc","-c"]`, `"/usr/bin/cc"`),
    same(`[ "/opt/cc" , "-c" ]`, `"\\/usr/bin\\/cc"`),
    same(`["\\u0063c","-c"]`, `"/usr/bin/\\u0063c"`),
    same(`["cc","-c"],"extra":{"args":["x"]}`, `"/usr/bin/cc"`),
    `{"ExecFull":{"extra":{"args":["other"]},"timestamp":1,"pid":2,"filename":"/usr/bin/cc","args":["cc","-c"]}}`,
    same(`["c\\"c"]`, `"/usr/bin/c\\"c"`),
    same(`[]`, `"/usr/bin/cc"`),
    same(`["a\\u0000b"]`, `"x"`),
    same(`["a","b"]`, `"x"`),
  ];
  const recording = decodeRecording(new TextEncoder().encode(lines.join("\n") + "\n"));
  expect(recording.problems.kept).toEqual([]);
  const keys = (by: CommandBy) => [...deriveExecKeys(recording, by).ofRow];
  expect(keys("program")).toEqual([0, 0, 0, 0, 0, 1, 0, 2, 3]);
  expect(keys("exe")).toEqual([0, 0, 0, 0, 0, 1, 0, 2, 2]);
  expect(keys("argv")).toEqual([0, 1, 2, 2, 2, 3, 4, 5, 6]);
});

test("words that are not UTF-8 are told apart by their bytes", () => {
  const lines = [
    same(`["rm","\\ufffd"],"args_b64":[null,"/w=="]`, `"/bin/rm"`),
    same(`["rm","\\ufffd"],"args_b64":[null,"/g=="]`, `"/bin/rm"`),
    same(`["rm","\ufffd"],"args_b64":[null,"/w=="]`, `"/bin/rm"`),
  ];
  const recording = decodeRecording(new TextEncoder().encode(lines.join("\n") + "\n"));
  expect([...deriveExecKeys(recording, "argv").ofRow]).toEqual([0, 1, 0]);
});
