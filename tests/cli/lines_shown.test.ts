// `tk analyse` and `tk render` of recordings with executed lines, as users run them.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { enterWord, WORD } from "../../lib/lines/block_builder.ts";
import { LineRecording } from "../support/line_recording.ts";
import { PLAIN_ENV } from "../support/programs.ts";
import { requireTk, run, TK } from "../support/tk.ts";
import { fixtureLog } from "../support/trackexec.ts";

const folder = mkdtempSync(join(realpathSync(tmpdir()), "tk-lines-shown-"));
const tk = (...words: string[]) => run([TK, ...words], { env: PLAIN_ENV });

const APP = "import os\ndef work(n):\n    if n: work(n - 1)\n    os.system('ls')\nwork(1)\n";
const prof = join(folder, "app.prof");

/** A script that recurses once, starts two processes from one line, and waits in an event loop; a second thread. */
function recording(change: (text: string) => string = (text) => text): string {
  const r = new LineRecording();
  const ms = 1_000_000;
  r.event("Recording", {
    version: 1,
    backend: "ptrace",
    started_unix_ns: "1700000000000000000",
    root_pid: 10,
    command: ["python3", "app.py"],
  });
  r.event("Fork", { timestamp: 0, parent_pid: 1, child_pid: 10, parent_pgid: 1 });
  r.event("ExecFull", {
    timestamp: ms,
    pid: 10,
    ppid: 1,
    pgid: 10,
    filename: "/usr/bin/python3",
    args: ["python3", "app.py"],
  });
  const app = r.source("/srv/app.py", APP);
  const evil = r.source("/srv/e\u001b[31mvil.py");
  const s = r.stream({ pid: 10, tid: 10, stream: "10-1.0" });
  s.define(0, { source: app, firstLine: 1, name: "<module>" });
  s.define(1, { source: app, firstLine: 2, name: "work" });
  s.define(2, { source: undefined, firstLine: 0, name: "<idle>" });
  for (const [at, word] of [
    [5, enterWord(0)],
    [5, 1],
    [6, 5],
    [6, enterWord(1)],
    [6, 3],
    [7, enterWord(1)],
    [7, 3],
    [8, 4],
    [20, WORD.returned],
    [21, 4],
    [30, WORD.returned],
    [31, enterWord(2)],
    [91, WORD.returned],
    [92, WORD.returned],
  ] as const)
    s.add(word, at * ms);
  s.flush();
  const t = r.stream({ pid: 10, tid: 12, stream: "10-1.1", name: "bad\u001b]0;name" });
  t.define(0, { source: evil, firstLine: 1, name: "f" });
  for (const [at, word] of [
    [40, enterWord(0)],
    [40, 7],
    [45, WORD.returned],
  ] as const)
    t.add(word, at * ms);
  t.flush();
  for (const [pid, at] of [
    [11, 9],
    [13, 22],
  ] as const) {
    r.event("Fork", { timestamp: at * ms, parent_pid: 10, child_pid: pid, parent_pgid: 10 });
    r.event("ExecFull", { timestamp: (at + 1) * ms, pid, ppid: 10, pgid: 10, filename: "/bin/ls", args: ["ls"] });
    r.event("Exit", { timestamp: (at + 5) * ms, pid, ppid: 10, pgid: 10, exit_code: 0 });
  }
  r.event("Exit", { timestamp: 95 * ms, pid: 10, ppid: 1, pgid: 10, exit_code: 0 });
  r.event("End", { timestamp: 96 * ms, events: 12, processes: 3, lost: 0, exit_code: 0 });
  return change(r.text());
}

beforeAll(() => {
  requireTk();
  writeFileSync(prof, recording());
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Report {
  readonly summary: Record<string, unknown>;
  readonly lines: readonly Record<string, unknown>[];
  readonly line_threads: readonly Record<string, unknown>[];
  readonly started_by: readonly Record<string, unknown>[];
  readonly critical_path: readonly Record<string, unknown>[];
}

test("the report for programs has processes, lines, threads and who started what", async () => {
  const { status, stdout, stderr } = await tk("analyse", prof, "--format", "json");
  expect([status, stderr]).toEqual([0, ""]);
  const report = JSON.parse(stdout) as Report;
  expect(report.summary).toMatchObject({ processes: 3, line_events: 7, line_threads: 2 });
  const at = (line: number) => report.lines.find((l) => l.path === "/srv/app.py" && l.line === line);
  // Line 3 is open on two levels: from 6 to 21 the outer one, which counts; the inner from 7 to 8.
  expect(at(3)).toMatchObject({
    count: 2,
    cumulated_ns: 15e6,
    every_level_ns: 16e6,
    self_ns: 3e6,
    average_ns: 7.5e6,
    file_id: 0,
  });
  // Inside line 3's call line 4 runs from 8 to 20, and again from 21 to 30.
  expect(at(4)).toMatchObject({ count: 2, cumulated_ns: 21e6, self_ns: 21e6, source: "os.system('ls')" });
  expect(report.lines.find((l) => l.place === "<idle>")).toMatchObject({ self_ns: 60e6, count: 0, file_id: null });
  expect(report.line_threads.map((t) => [t.tid, t.count, t.busy_ns, t.idle_ns])).toEqual([
    [10, 6, 27e6, 60e6],
    [12, 1, 5e6, 0],
  ]);
  expect(report.started_by).toMatchObject([
    { path: "/srv/app.py", line: 4, processes: 2, total_ns: 10e6, critical_ns: 10e6, sure: "yes" },
  ]);
  const ls = report.critical_path.filter((s) => s.command === "ls");
  expect(ls.length).toBeGreaterThan(0);
  for (const segment of ls)
    expect(segment).toMatchObject({ started_by: "/srv/app.py:4", started_by_sure: "parent at fork" });
});

test("for people: nothing of a stranger's name steers the terminal, and a recording without lines has no such sections", async () => {
  const { stdout } = await tk("analyse", prof);
  expect(stdout).toContain("Hot points of the executed lines");
  expect(stdout).toContain("Lines that started processes");
  expect(stdout).not.toContain("\u001b");
  const plain = join(folder, "plain.prof");
  writeFileSync(
    plain,
    recording((text) => text.replaceAll(/^\{"(LineBlock|Source)".*\n/gm, "")),
  );
  const without = await tk("analyse", plain);
  expect(without.stdout).not.toContain("ines");
  expect((await tk("analyse", plain, "--section", "lines")).stdout).toContain("no executed lines in this recording");
  const flags = await tk("analyse", plain, "--file-id", "0");
  expect([flags.status, flags.stdout]).toEqual([2, ""]);
  expect(flags.stderr).toContain("has no executed lines");
});

test("the older tool's form: its columns, its sort columns, a file's listing", async () => {
  const table = await tk(
    "analyse",
    prof,
    "--compatible",
    "--color",
    "never",
    "--num-items",
    "3",
    "--sort-column",
    "frequency",
  );
  // Its own columns come with its own heading; tk's names of them sort the report's section.
  expect(table.stdout).toContain("File ID  Source code location");
  const hot = table.stdout.split("\n").filter((line) => line.startsWith("0 "));
  expect(hot.map((line) => /app\.py:(\d)/.exec(line)?.[1]).toSorted()).toContain("3");
  expect(hot.find((line) => line.includes("app.py:3"))).toMatch(/0\.016s +0\.008s +seen 2 times/);
  const listing = await tk("analyse", prof, "--file-id", "0", "--self");
  expect(listing.status).toBe(0);
  expect(listing.stdout).toMatch(/4 +0\.021s +0\.011s +0\.021s +seen 2 times +os\.system/);
  const nobody = await tk("analyse", prof, "--file-id", "7");
  expect(nobody.stderr).toContain("File id 7 is not in");
  const section = await tk("analyse", prof, "--sort-column", "frequency");
  expect(section.stdout).toContain("Threads with executed lines");
  expect((await tk("analyse", prof, "--section", "lines", "--format", "csv")).stdout).toStartWith(
    "cumulated_ns,average_ns,self_ns,count,",
  );
});

test("render: the tree names the lines, lines in order of time, heat", async () => {
  const tree = await tk("render", "-d", "tree", prof);
  expect(tree.stdout.match(/ls  ← app\.py:4/g)).toHaveLength(2);
  const lines = await tk("render", "-d", "lines", "--format", "ndjson", prof);
  const rows = lines.stdout
    .trim()
    .split("\n")
    .map(
      (line) => (JSON.parse(line) as { Line: { timestamp: number; tid: number; depth: number; line: number } }).Line,
    );
  expect(rows.map((r) => [r.timestamp / 1e6, r.tid, r.depth, r.line])).toEqual([
    [5, 10, 1, 1],
    [6, 10, 1, 5],
    [6, 10, 2, 3],
    [7, 10, 3, 3],
    [8, 10, 3, 4],
    [21, 10, 2, 4],
    [40, 12, 1, 7],
  ]);
  const text = await tk("render", "-d", "lines", prof, "--limit", "2");
  expect(text.stdout.split("\n")).toHaveLength(3);
  expect((await tk("render", "-d", "lines", prof)).stdout).not.toContain("\u001b");
  const heat = await tk("render", "-d", "heat", prof);
  expect(heat.stdout).toMatch(/2 +21\.0ms +21\.0ms.*4 +os\.system/);
  expect(heat.stdout).toContain("<idle>  60.0ms");
  expect(heat.stdout).not.toContain("\u001b");
});

test("render of a directory, of a directory without lines, of a recording without lines", async () => {
  const log = fixtureLog("evloop");
  const lines = await tk("render", log);
  expect([lines.status, lines.stderr]).toEqual([0, ""]);
  expect(lines.stdout.split("\n")).toHaveLength(17_496);
  expect(lines.stdout).toContain("~0.000000");
  const tree = await tk("render", "-d", "tree", log);
  expect([tree.status, tree.stdout]).toEqual([2, ""]);
  const empty = await tk("render", folder);
  expect(empty.status).not.toBe(0);
  expect(empty.stderr).toContain("without executed lines");
  expect((await tk("render", "--format", "ndjson", prof)).status).toBe(2);
});

test("a damaged block is told, the rest is shown, and --strict makes it count", async () => {
  const broken = join(folder, "broken.prof");
  writeFileSync(
    broken,
    recording((text) => text.replace(/"data":"(.)/, (_, c: string) => `"data":"${c === "A" ? "B" : "A"}`)),
  );
  const lines = await tk("render", "-d", "lines", broken);
  expect(lines.status).toBe(0);
  expect(lines.stderr).toContain("damaged (the checksum is another)");
  expect(lines.stdout.trim().split("\n")).toHaveLength(1);
  // Costs are in the heads, which are whole.
  const report = JSON.parse((await tk("analyse", broken, "--format", "json")).stdout) as Report;
  expect(report.summary.line_events).toBe(7);
  expect((await tk("render", "-d", "lines", "--strict", broken)).status).toBe(3);
});
