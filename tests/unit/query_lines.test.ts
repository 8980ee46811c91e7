// The table `lines`: what executed lines cost, with the process that ran them.
import { expect, test } from "bun:test";
import { enterWord } from "../../lib/lines/block_builder.ts";
import { decodeRecording } from "../../lib/pipeline/read.ts";
import { compileQuery } from "../../lib/query/check_query.ts";
import { lineTableOf } from "../../cmd/repl_lines.ts";
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
  return new World(recording, { lines: () => lineTableOf(recording) });
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

test("a recording without executed lines has none", () => {
  const w = new World(decodeRecording(new TextEncoder().encode('{"Exit":{"timestamp":1,"pid":2}}\n'), "x"));
  const plan = compileQuery("lines where file ~ /py/ | count", { table: "procs" })._unsafeUnwrap();
  expect(runNow(plan, w).count).toBe(0);
});
