// Reports as recordings: `tk exec --format ndjson` for render, and `tk record --report` beside the process events.
import { beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ExecBench, reportersIn, waitUntil } from "../support/exec.ts";
import { number, parseLines, readRecording, requireTk, TK, withTag, type Line } from "../support/tk.ts";

setDefaultTimeout(60_000);
beforeAll(requireTk);

const tags = (lines: readonly Line[]) => lines.map((line) => line.tag);
const noReporter = (bench: ExecBench) => waitUntil(() => (reportersIn(bench.home).length === 0 ? true : undefined));

describe("tk exec --format ndjson", () => {
  test("to standard output: a recording that render reads; the program's own output goes to standard error", async () => {
    const bench = new ExecBench();
    const command = `"$0" exec --heartbeat --heartbeat-rate=100ms --format ndjson -- sh -c 'echo out; sleep 0.35' | "$0" render -d tree`;
    const ran = await bench.run(["bash", "-c", `set -o pipefail; ${command}`, TK]);
    expect([ran.stderr, ran.status]).toEqual(["out\n", 0]);
    expect(ran.stdout).toContain("sh -c 'echo out; sleep 0.35'");
    expect(ran.stdout).not.toContain("cut off");
  });

  test("the lines: header, start, reports in time, end", async () => {
    const bench = new ExecBench();
    await bench.exec([
      ..."--heartbeat --heartbeat-rate=100ms --format ndjson -o r.prof -- sh -c".split(" "),
      "sleep 0.35",
    ]);
    await noReporter(bench);
    const lines = readRecording(join(bench.home, "r.prof"));
    expect(tags(lines).slice(0, 3)).toEqual(["Recording", "ExecFull", "Report"]);
    expect(tags(lines).slice(-2)).toEqual(["Exit", "End"]);
    const reports = withTag(lines, "Report");
    expect(reports.length).toBeGreaterThan(3);
    expect(reports.map((r) => r.f["operation"])).toEqual(["exec", ...reports.slice(1).map(() => "heartbeat")]);
    const times = lines.slice(1).map((line) => number(line, "timestamp"));
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(lines.slice(1).map((line) => line.f["seq"])).toEqual(times.map((_, i) => i));
    // The same moment on both clocks, to better than the wall clock's own milliseconds.
    const zero = Number(BigInt(String(lines[0]!.f["started_unix_ns"])) / 1_000_000n);
    for (const report of reports.slice(1)) {
      const unixMs = Number((report.f["report"] as Record<string, unknown>)["_TIMESTAMP"]);
      expect(Math.abs(zero + number(report, "timestamp") / 1e6 - unixMs)).toBeLessThan(3);
    }
    // Other sinks get their reports as always.
    expect(bench.reports().length).toBe(reports.length);
  });

  test("json: arrays, one a line, to standard output", async () => {
    const bench = new ExecBench();
    const ran = await bench.run(["sh", "-c", '"$0" exec --format json -- echo hi | cat', TK]);
    expect(ran.stderr).toBe("hi\n");
    expect((JSON.parse(ran.stdout) as unknown[]).length).toBe(1);
  });
});

describe("tk record --report", () => {
  for (const mode of ["events", "complete"])
    test(`${mode}: reports beside the events, on their axis and in their order of numbers`, async () => {
      const bench = new ExecBench();
      const script = "sleep 0.3; (sleep 0.4 &) ; true; sleep 0.1; exit 3";
      const words = [
        TK,
        "record",
        "-o",
        "r.prof",
        "--mode",
        mode,
        "--report",
        "exec,heartbeat=100ms",
        "-q",
        "--",
        "sh",
        "-c",
        script,
      ];
      const ran = await bench.run(words);
      expect([ran.stdout, ran.stderr, ran.status]).toEqual(["", "", 3]);
      const lines = readRecording(join(bench.home, "r.prof"));
      const reports = withTag(lines, "Report");
      const root = number(lines[0]!, "root_pid");
      expect(reports[0]!.f["operation"]).toBe("exec");
      expect(reports.length).toBeGreaterThan(3);
      for (const report of reports) expect(number(report, "pid")).toBe(root);
      const exec = withTag(lines, "ExecFull")[0]!;
      expect(number(reports[0]!, "timestamp")).toBeGreaterThan(number(exec, "timestamp"));
      expect(lines.slice(1).map((line) => line.f["seq"])).toEqual(lines.slice(1).map((_, i) => i));
      const end = withTag(lines, "End")[0]!;
      expect(number(end, "events")).toBe(lines.length - 2);
      // The reporter is no part of the command: nobody forked it, and no exit of it is recorded.
      const forked = new Set(withTag(lines, "Fork").map((line) => number(line, "child_pid")));
      for (const line of withTag(lines, "Exit")) expect(forked.has(number(line, "pid"))).toBe(true);
      expect(forked.size).toBe(number(end, "processes"));
      await noReporter(bench);
      // Only the recording has them.
      expect(existsSync(bench.log)).toBe(false);
      expect(parseLines((await bench.run([TK, "sort", "r.prof"])).stdout).length).toBe(lines.length);
    });

  test("heartbeats alone, and a command that ends at once", async () => {
    const bench = new ExecBench();
    await bench.run([TK, "record", "-q", "-o", "r.prof", "--report", "heartbeat", "--", "true"]);
    const reports = withTag(readRecording(join(bench.home, "r.prof")), "Report");
    expect(reports.map((r) => r.f["operation"])).toEqual(["heartbeat"]);
  });

  test("a reporter that is killed costs only its reports", async () => {
    const bench = new ExecBench();
    const words = [
      TK,
      "record",
      "-q",
      "-o",
      "r.prof",
      "--report",
      "exec,heartbeat=50ms",
      "--",
      "sh",
      "-c",
      "while [ ! -e go ]; do sleep 0.02; done",
    ];
    const running = bench.run(words);
    const [reporter] = await waitUntil(() =>
      reportersIn(bench.home).length > 0 ? reportersIn(bench.home) : undefined,
    );
    process.kill(reporter!, "SIGKILL");
    await noReporter(bench);
    bench.file("go", "");
    expect((await running).status).toBe(0);
    expect(tags(readRecording(join(bench.home, "r.prof"))).at(-1)).toBe("End");
  });

  test.each<[string[], RegExp, number]>([
    [["--report", "nonsense"], /expected exec, heartbeat or heartbeat=TIME/, 2],
    [["--report", "heartbeat=soon"], /expected Duration/, 125],
    [["--report", "exec", "--backend", "bpftrace"], /--report needs the ptrace backend/, 2],
  ])("%j is refused before anything runs", async (options, said, status) => {
    const bench = new ExecBench();
    const ran = await bench.run([TK, "record", "-o", "r.prof", ...options, "--", "touch", "started"]);
    expect(ran.stderr).toMatch(said);
    expect([ran.status, existsSync(join(bench.home, "started"))]).toEqual([status, false]);
  });

  test("what the command writes is not disturbed", async () => {
    const bench = new ExecBench();
    const ran = await bench.run([
      TK,
      "record",
      "-q",
      "-o",
      "r.prof",
      "--report",
      "exec",
      "--",
      "sh",
      "-c",
      "ls /proc/self/fd; echo $PPID >ppid",
    ]);
    const plain = await bench.run(["sh", "-c", "ls /proc/self/fd"]);
    expect(ran.stdout).toBe(plain.stdout);
    expect(readFileSync(join(bench.home, "ppid"), "utf8")).toMatch(/^\d+\n$/);
  });
});
