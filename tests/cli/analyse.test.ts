// tk analyse as a user runs it: a real build, a pipe, several inputs, mistakes, an interruption.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { displayWidth } from "../../lib/base/text.ts";
import { recording, requireTk, run, start, TK } from "../support/tk.ts";
import { timelineText } from "../support/timeline.ts";
import { lacks } from "../support/needs.ts";

let dir = "";
let prof = "";

beforeAll(async () => {
  if (lacks("make")) return;
  requireTk();
  dir = mkdtempSync(join(tmpdir(), "tk-analyse-"));
  prof = join(dir, "make.prof");
  writeFileSync(
    join(dir, "Makefile"),
    ["all: a b c d", "\t@cat a b c d > all", "a b c d:", "\t@sleep 0.1; echo $@ > $@", ""].join("\n"),
  );
  const made = await run(recording(prof, "complete", ["make", "-j4", "-C", dir]));
  expect(made.stderr).toContain("nothing lost");
});

afterAll(() => rmSync(dir, { recursive: true, force: true }));

const analyse = (...words: string[]) => run([TK, "analyse", ...words]);

interface Summary {
  wall_ns: number;
  cpu_ns: number;
  processes: number;
  parallelism: number;
  most_running: number;
  exit_code: number;
}

interface Path {
  from_ns: number;
  to_ns: number;
  duration_ns: number;
  command: string;
}

interface Whole {
  summary: Summary;
  commands: { command: string; runs: number; self_ns: number; cpu_ns: number | null }[];
  critical_path: Path[];
  parallelism: { running: number; time_ns: number }[];
}

test.skipIf(lacks("make"))("make -j4: the numbers of the report fit together", async () => {
  const { stdout, stderr, status } = await analyse(prof, "--format", "json");
  expect([status, stderr]).toEqual([0, ""]);
  const { summary, commands, critical_path, parallelism } = JSON.parse(stdout) as Whole;
  expect(summary.exit_code).toBe(0);
  const sleep = commands.find((c) => c.command === "sleep")!;
  expect(sleep.runs).toBe(4);
  expect(sleep.self_ns).toBeGreaterThan(4 * 100e6);
  expect(summary.most_running).toBeGreaterThanOrEqual(4);
  expect(summary.parallelism).toBeGreaterThan(1);
  // The path has no holes, and one of the four sleeps is on it.
  expect(critical_path.reduce((sum, s) => sum + s.duration_ns, 0)).toBe(summary.wall_ns);
  critical_path.forEach((s, i) => i > 0 && expect(s.from_ns).toBe(critical_path[i - 1]!.to_ns));
  expect(critical_path.filter((s) => s.command === "sleep 0.1" && s.duration_ns > 90e6).length).toBe(1);
  expect(parallelism.reduce((sum, p) => sum + p.time_ns, 0)).toBe(summary.wall_ns);
  const cpu = commands.reduce((sum, c) => sum + (c.cpu_ns ?? 0), 0);
  expect(cpu).toBe(summary.cpu_ns);
});

test.skipIf(lacks("make"))("the report for people names what matters and fits the width", async () => {
  const { stdout, status } = await analyse(prof, "--width", "70");
  expect(status).toBe(0);
  for (const title of ["Commands, by program", "Critical path", "Parallelism: ", "Waste"])
    expect(stdout).toContain(title);
  expect(stdout.split("\n")[0]).toMatch(/^make -j4 -C .*: exit 0$/);
  for (const line of stdout.split("\n")) expect(displayWidth(line)).toBeLessThanOrEqual(70);
});

test.skipIf(lacks("make"))("sections, --by, --sort-column, --num-items, the other spelling, stdin and -o", async () => {
  const file = join(dir, "commands.csv");
  const csv = await run([TK, "analyze", "--section", "commands", "--by", "argv", "--format", "csv", "-o", file, prof]);
  expect([csv.status, csv.stdout, csv.stderr]).toEqual([0, "", ""]);
  const rows = readFileSync(file, "utf8").split("\r\n");
  expect(rows[0]).toBe("self_ns,total_ns,critical_ns,cpu_ns,max_ns,max_rss_bytes,runs,failures,open,command");
  expect(rows.find((r) => r.endsWith(",sleep 0.1"))).toMatch(/,4,0,0,sleep 0\.1$/);
  const most = await run(
    [TK, "analyse", "--section=commands", "--sort-column=runs", "--num-items=1", "--format=ndjson"],
    {
      stdin: readFileSync(prof, "utf8"),
    },
  );
  expect(most.stdout.split("\n").filter((l) => l.startsWith('{"commands"')).length).toBe(1);
  const waste = await analyse(prof, "--section", "waste");
  expect(waste.stdout).toContain("Repeated: command lines that were run more than once");
  expect(waste.stdout).toMatch(/ 4 {2}sleep 0\.1/);
  const probes = await analyse(prof, "--section", "probes");
  expect(probes.status).toBe(0);
});

test.skipIf(lacks("make"))("several recordings are one report", async () => {
  const { stdout, status } = await analyse(prof, prof);
  expect(status).toBe(0);
  expect(stdout).toContain("2 recordings");
});

test.skipIf(lacks("make"))("a recording without failed execs says that they were not recorded", async () => {
  const events = join(dir, "events.prof");
  await run(recording(events, "events", ["true"]));
  const { stdout } = await analyse(events, "--section", "probes");
  expect(stdout).toContain("failed execs were not recorded (tk record --mode complete records them)");
});

test.skipIf(lacks("make"))("cut-off and damaged recordings are told and analysed", async () => {
  const cut = join(dir, "cut.prof");
  writeFileSync(
    cut,
    timelineText("recording root=10 make\n0ms 10 exec make\n1ms 10 fork 11\n30ms 11 exec cc") + '{"Exit":{"ti',
  );
  const plain = await analyse(cut);
  expect(plain.status).toBe(0);
  expect(plain.stdout).toContain("! the recording was cut off");
  expect(plain.stderr).toMatch(/cut\.prof:5: /);
  expect((await analyse(cut, "--strict")).status).toBe(3);
});

test.skipIf(lacks("make"))("mistakes end with a sentence and their status", async () => {
  const mistakes: [string[], number, string][] = [
    [[prof, "--format", "csv"], 2, "--format csv holds one table"],
    [[prof, "--section", "commands", "--sort-column", "slef"], 2, "did you mean self"],
    [[prof, "--section", "nonsense"], 2, "section"],
    [[prof, "--num-items", "-3"], 2, "--num-items: expected 0 (all) or more"],
    [[prof, "--file-id", "1"], 2, "has no executed lines"],
    [[join(dir, "missing.prof")], 1, "there is no such file"],
    [[dir], 1, "Cannot"],
    [[prof, "-o", join(dir, "no/such/folder")], 1, "Cannot write"],
  ];
  for (const [words, status, sentence] of mistakes) {
    const ran = await analyse(...words);
    expect([words.slice(1), ran.status]).toEqual([words.slice(1), status]);
    expect(ran.stderr).toContain(sentence);
    expect(ran.stderr).not.toMatch(/\n\s+at /);
  }
});

test.skipIf(lacks("make"))("a reader that leaves early and an interruption end it quietly", async () => {
  const head = await run(["bash", "-c", `set -o pipefail; ${TK} analyse ${prof} --format json | head -c 10`]);
  expect(head.stderr).toBe("");
  const waiting = start(["bash", "-c", `sleep 5 | exec ${TK} analyse`]);
  await Bun.sleep(700);
  const children = readFileSync(`/proc/${waiting.pid}/task/${waiting.pid}/children`, "utf8").trim().split(" ");
  for (const child of children) process.kill(Number(child), "SIGINT");
  const ended = await waiting.done;
  expect(ended.shell).toBe(130);
  expect(ended.stderr).toBe("");
});
