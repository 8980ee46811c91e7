// The table `lines`: what executed lines cost, with the process that ran them.
import { expect, test } from "bun:test";
import { enterWord, WORD } from "../../lib/lines/block_builder.ts";
import { decodeRecording } from "../../lib/pipeline/read.ts";
import { Derived } from "../../lib/derive/derived.ts";
import { eventCondition, knowLines } from "../../lib/query/event_condition.ts";
import { compileQuery } from "../../lib/query/check_query.ts";
import { recordingLines } from "../../lib/traces/recording_lines.ts";
import { toTable } from "../../lib/query/result.ts";
import { runNow } from "../../lib/query/run.ts";
import { World } from "../../lib/query/world.ts";
import { LineRecording } from "../support/line_recording.ts";

function world(): World {
  const r = new LineRecording();
  r.event("Recording", { version: 1, backend: "ptrace", root_pid: 10 });
  r.event("ExecFull", {
    timestamp: 0,
    pid: 10,
    ppid: 1,
    pgid: 10,
    filename: "/usr/bin/python3",
    args: ["python3", "app.py"],
  });
  const app = r.source("/srv/app.py", "def f():\n    pass\n\nf()\n");
  const a = r.stream({ pid: 10, tid: 10, stream: "10-a.0" });
  a.define(0, { source: app, firstLine: 1, name: "f" });
  let now = 1_000_000;
  a.add(enterWord(0), now);
  for (let i = 0; i < 30; i++) a.add(1 + (i % 3), (now += 1000));
  a.flush();
  r.event("Exit", { timestamp: 9_000_000, pid: 10, ppid: 1, pgid: 10, exit_code: 0 });
  const recording = decodeRecording(r.out.view().slice(), "x.prof");
  return new World(recording, { lines: () => recordingLines(recording, recording.problems) });
}

test("lines with their costs, and every field of the process that ran them", () => {
  const rows = (text: string, w = world()) =>
    toTable(runNow(compileQuery(text, { table: "lines" })._unsafeUnwrap(), w)).rows;
  expect(rows("lines | sort line | select file, line, pid, count, proc, exe")).toEqual([
    ["/srv/app.py", 1, 10, 10, "p0", "python3"],
    ["/srv/app.py", 2, 10, 10, "p0", "python3"],
    ["/srv/app.py", 3, 10, 10, "p0", "python3"],
  ]);
  expect(rows('lines where self > 0 and file like "*.py" and wall > 1ms | agg n=count(), total=sum(count)')).toEqual([
    [3, 30],
  ]);
  expect(rows("lines | agg t=sum(self) | where t between 28us and 31us | count")).toEqual([[1]]);
});

/** A pid that is used twice: first by a Python program with a thread, then by a Bash script, which starts a process. */
function twoLives(): World {
  const ms = 1_000_000;
  const r = new LineRecording();
  r.event("Recording", { version: 1, backend: "ptrace", root_pid: 9 });
  r.event("ExecFull", { timestamp: 0, pid: 9, ppid: 1, pgid: 9, filename: "/bin/make", args: ["make"] });
  const py = r.source("/srv/app.py", "def f(): pass\nf(); g = lambda: 1\n");
  const sh = r.source("/srv/evil\u001b[31m.sh", "\tsleep 1 &\nwait\n");
  const gone = r.source("/srv/gone.py");
  const life = (pid: number, from: number, to: number, argv: readonly string[], within: () => void) => {
    r.event("Fork", { timestamp: from * ms, parent_pid: 9, child_pid: pid, parent_pgid: 9 });
    r.event("ExecFull", { timestamp: (from + 1) * ms, pid, ppid: 9, pgid: 9, filename: `/bin/${argv[0]}`, args: argv });
    within();
    r.event("Exit", { timestamp: to * ms, pid, ppid: 9, pgid: 9, exit_code: 0 });
  };
  life(10, 1, 20, ["python3", "app.py"], () => {
    const main = r.stream({ pid: 10, tid: 10, stream: "10-a.0" });
    main.define(0, { source: py, firstLine: 1, name: "<module>" });
    main.define(1, { source: py, firstLine: 2, name: "<lambda>" });
    for (const [at, word] of [
      [3, enterWord(0)],
      [3, 2],
      [4, enterWord(1)],
      [4, 2],
      [6, WORD.returned],
      [7, WORD.returned],
    ] as const)
      main.add(word, at * ms);
    main.flush();
    const worker = r.stream({ pid: 10, tid: 12, stream: "10-a.1", name: "worker" });
    worker.define(0, { source: gone, firstLine: 1, name: "run" });
    for (const [at, word] of [
      [5, enterWord(0)],
      [5, 7],
      [6, WORD.returned],
    ] as const)
      worker.add(word, at * ms);
    worker.flush();
  });
  life(10, 30, 60, ["bash", "evil.sh"], () => {
    const script = r.stream({ pid: 10, tid: 10, stream: "10-b.0", kind: "bash", name: "evil.sh" });
    script.define(0, { source: sh, firstLine: 1, name: "main" });
    for (const [at, word] of [
      [33, enterWord(0)],
      [33, 1],
      [50, 2],
      [55, WORD.returned],
    ] as const)
      script.add(word, at * ms);
    script.flush();
    r.event("Fork", { timestamp: 34 * ms, parent_pid: 10, child_pid: 11, parent_pgid: 9 });
    r.event("ExecFull", {
      timestamp: 35 * ms,
      pid: 11,
      ppid: 10,
      pgid: 9,
      filename: "/bin/sleep",
      args: ["sleep", "1"],
    });
    r.event("Exit", { timestamp: 49 * ms, pid: 11, ppid: 10, pgid: 9, exit_code: 0 });
  });
  const recording = decodeRecording(r.out.view().slice(), "x.prof");
  return new World(recording, { lines: () => recordingLines(recording, recording.problems) });
}

const rowsOf = (text: string, w: World) =>
  toTable(runNow(compileQuery(text, { table: "lines" })._unsafeUnwrap(), w)).rows;

test("a line is told by function, thread and process life, a pid used again apart", () => {
  const w = twoLives();
  expect(
    rowsOf("lines | sort proc, tid, function | select proc, tid, thread, file, line, function, source, count", w),
  ).toEqual([
    ["p1", 10, "MainThread", "/srv/app.py", 2, "<lambda>", "f(); g = lambda: 1", 1],
    ["p1", 10, "MainThread", "/srv/app.py", 2, "<module>", "f(); g = lambda: 1", 1],
    ["p1", 12, "worker", "/srv/gone.py", 7, "run", undefined, 1],
    ["p2", 10, "evil.sh", "/srv/evil\u001b[31m.sh", 1, "main", "sleep 1 &", 1],
    ["p2", 10, "evil.sh", "/srv/evil\u001b[31m.sh", 2, "main", "wait", 1],
  ]);
  expect(
    rowsOf('lines where source like "sleep*" and self == 17ms and cumulated == 17ms and exe == bash | count', w),
  ).toEqual([[1]]);
  expect(rowsOf('lines where function == "<lambda>" | select self, cumulated', w)).toEqual([[2_000_000, 0]]);
  expect(rowsOf("lines group file, line | agg n=sum(count) | where n == 2 | select line", w)).toEqual([[2]]);
});

test("started_by is the script line, of processes and of their forks and execs", () => {
  const w = twoLives();
  const place = "/srv/evil\u001b[31m.sh:1";
  expect(rowsOf("procs where started_by is not null | select id, exe, started_by, started_by_sure", w)).toEqual([
    ["p3", "sleep", place, "parent at fork"],
  ]);
  expect(rowsOf("procs group started_by | agg n=count(), total=sum(wall) | sort n", w)).toEqual([
    [place, 1, 15_000_000],
    [undefined, 3, expect.anything()],
  ]);
  expect(rowsOf("events where started_by is not null | select kind, ts, started_by", w)).toEqual([
    ["fork", 34_000_000, place],
    ["exec", 35_000_000, place],
  ]);
  expect(rowsOf("images where proc.started_by ~ /evil/ | select exe", w)).toEqual([["sleep"]]);
});

test("a breakpoint may ask which line started a process", () => {
  const { recording } = twoLives();
  const derived = new Derived(recording);
  knowLines(derived, recordingLines(recording, recording.problems)!);
  const condition = eventCondition("kind == exec and started_by ~ /evil.*:1$/")._unsafeUnwrap().over(derived);
  const hits = Array.from({ length: recording.events.length }, (_, row) => row).filter((row) => condition.test(row));
  expect(hits.map((row) => recording.events.pid[row])).toEqual([11]);
});

test("a recording without executed lines has none", () => {
  const w = new World(decodeRecording(new TextEncoder().encode('{"Exit":{"timestamp":1,"pid":2}}\n'), "x"));
  const plan = compileQuery("lines where file ~ /py/ | count", { table: "procs" })._unsafeUnwrap();
  expect(runNow(plan, w).count).toBe(0);
  expect(rowsOf("procs where started_by is null | count", w)).toEqual([[1]]);
});
