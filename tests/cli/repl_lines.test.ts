// `tk repl` over real recordings of executed lines: the lines with their costs, which script line started what, filters over lines, and replay
// from where one is, in the shell and from it.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lacks } from "../support/needs.ts";
import { PLAIN_ENV } from "../support/programs.ts";
import { Pty } from "../support/pty.ts";
import { requireTk, run, TK } from "../support/tk.ts";

const BUILD = `compile() {
  sleep 0.0$1
}
for i in 1 2 3; do
  compile $i
done
sleep 0.1 &
wait
python3 app.py
`;

const APP = `import os, threading
def work(n):
    return sum(x * x for x in range(n))
t = threading.Thread(target=work, args=(2000,), name="worker")
t.start()
t.join()
work(10)
os.system("exit 3")
`;

let dir = "";
const env = () => ({ ...PLAIN_ENV, PATH: "/usr/bin:/bin", XDG_STATE_HOME: join(dir, "state") });

beforeAll(async () => {
  requireTk();
  dir = mkdtempSync(join(realpathSync(tmpdir()), "tk-repl-lines-"));
  writeFileSync(join(dir, "build.sh"), BUILD);
  writeFileSync(join(dir, "app.py"), APP);
  if (skip) return;
  const ran = await run([TK, "record", "--lines", "-o", "out.prof", "--", "bash", "build.sh"], {
    cwd: dir,
    env: env(),
  });
  expect(ran.status).toBe(0);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const skip = lacks("bash", "python");

const ask = async (...commands: string[]) => {
  const words = commands.flatMap((command) => ["-c", command]);
  const ran = await run([TK, "repl", "out.prof", ...words], { cwd: dir, env: env() });
  expect([ran.status, ran.stderr.replaceAll(/^tk: no lines of .*\n/gm, "")]).toEqual([0, ""]);
  return ran.stdout;
};

/** Rows of the one table as objects. */
async function rows(query: string, ...before: string[]): Promise<Record<string, unknown>[]> {
  const words = before.flatMap((command) => ["-c", `${command} > /dev/null`]);
  const ran = await run([TK, "repl", "out.prof", ...words, "-c", query, "--format", "ndjson"], {
    cwd: dir,
    env: env(),
  });
  expect(ran.status).toBe(0);
  return ran.stdout
    .trim()
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

test.skipIf(skip)("lines: file, function, text, count, times, process and thread", async () => {
  const sleeps = await rows(
    'lines where file like "*build.sh" and function == compile | select line, source, count, cumulated, proc, exe',
  );
  expect(sleeps).toEqual([
    { line: 2, source: "sleep 0.0$1", count: 3, cumulated_ns: expect.any(Number), proc: "p0", exe: "bash" },
  ]);
  expect(sleeps[0]!["cumulated_ns"]).toBeGreaterThan(55e6);
  const work = await rows(
    'lines where file like "*app.py" and function == work | sort thread | select thread, line, count, pid, tid',
  );
  expect(work.map(({ thread, line, count }) => [thread, line, count])).toEqual(
    [
      ["app.py", 3, 1],
      ["worker", 3, 1],
    ].map((row) => [expect.anything(), row[1], row[2]]),
  );
  expect(work.filter(({ pid, tid }) => pid === tid)).toHaveLength(1);
  expect(work.map(({ thread }) => thread)).toContain("worker");
  // What was asked for first is what a person would type.
  expect(await ask('lines where file like "*build.sh" | sort -self | top 3')).toMatch(
    /FILE +LINE +FUNCTION +SOURCE +COUNT +SELF/,
  );
});

test.skipIf(skip)("hot lines adds threads up, show has the lines of one process", async () => {
  const hot = await ask("hot 0 lines");
  expect(hot).toMatch(/app\.py +3 +return sum.*range\(n\)\) +\d+/);
  expect(await ask("show p0")).toMatch(/Lines that cost most[\s\S]*\d+ms +\dx {2}\S*build\.sh:\d+ {2}\S/);
});

test.skipIf(skip)("started_by: which line started each process, in show, tree, path and queries", async () => {
  const by = await rows("procs where exe == sleep | sort start | select started_by, started_by_sure");
  expect(by.map((row) => String(row["started_by"]).replace(/^.*\//, ""))).toEqual([
    "build.sh:2",
    "build.sh:2",
    "build.sh:2",
    "build.sh:7",
  ]);
  for (const row of by) expect(["own line", "parent at fork"]).toContain(String(row["started_by_sure"]));
  const groups = await rows("procs group started_by | agg n=count(), total=sum(wall) | where n == 3 | sort -total");
  expect(groups).toEqual([{ started_by: join(dir, "build.sh:2"), n: 3, total_ns: expect.any(Number) }]);
  const shell = await rows('procs where argv like "*exit 3" | select started_by, exit');
  expect(shell).toEqual([{ started_by: join(dir, "app.py:8"), exit: 3 }]);
  expect(await ask("show sh")).toMatch(
    /started by +\S*app\.py:8 {2}\((own line|parent at fork)\) {2}os\.system\("exit 3"\)/,
  );
  expect(await ask("tree")).toMatch(/sleep 0\.01 {2}← build\.sh:2\n/);
  expect(await ask("path 0")).toMatch(/STARTED BY[\s\S]*sleep 0\.03 +\S*build\.sh:2/);
  expect(await ask('events where kind == exec and started_by like "*build.sh:9" | select argv')).toContain(
    "python3 app.py",
  );
});

test.skipIf(skip)("conditions of other verbs know it, too", async () => {
  const ran = await run([TK, "render", "-d", "tree", "--where", "proc.started_by ~ /build.sh:2$/", "out.prof"], {
    cwd: dir,
    env: env(),
  });
  expect(ran.stdout).toContain("sleep 0.02");
  expect(ran.stdout).not.toContain("sleep 0.1");
});

test.skipIf(skip)("a filter over lines limits lines, and everything else to the processes that ran them", async () => {
  const out = await ask(
    'filter lines where file like "*app.py" and line == 7',
    "lines | count",
    "procs | count",
    "pop",
    'filter lines where file like "*app.py"',
    "filter lines where line < 3",
    "lines | select line",
    "filters",
  );
  expect(out).toMatch(
    /^1 processes and \d+ events remain\nCOUNT\n +1\nCOUNT\n +1\n|^1 processes and \d+ events remain\n1\n1\n/,
  );
  expect(out).toMatch(/LINE\n +1\n +2\n/);
  expect(out).toMatch(/lines +file like "\*app\.py" +1 /);
});

test.skipIf(skip)("replay --at a moment, a process, an event; and what is none", async () => {
  const at = (place: string) =>
    run([TK, "replay", "--no-tui", "--speed", "max", `--at=${place}`, "out.prof"], { cwd: dir, env: env() });
  const [{ id, proc }] = (await rows('events where kind == exec and argv like "*0.03" | select id, proc')) as [
    { id: string; proc: string },
  ];
  const first = async (place: string) => (await at(place)).stdout.split("\n")[0]!;
  expect(await first(id)).toMatch(/exec +sleep 0\.03/);
  expect(await first(proc)).toMatch(/fork +makes \d+/);
  expect(await first("100ms")).toMatch(/^ +\+0\.1/);
  expect((await at("p99999")).stderr).toContain("processes, from p0 on");
  expect((await at("e0")).stderr).toContain("this event has no time");
  const wrong = await at("nowhere");
  expect([wrong.status, wrong.stderr]).toEqual([2, expect.stringContaining("or p12, e400")]);
  const both = await run([TK, "replay", "--no-tui", "--at", "p0", "--from", "1s", "out.prof"], {
    cwd: dir,
    env: env(),
  });
  expect([both.status, both.stderr]).toEqual([2, expect.stringContaining("both say where to begin")]);
});

test.skipIf(skip)("replay from the shell begins where one is, with and without a filter", async () => {
  const play = "replay --no-tui --speed max | head -1";
  const out = await ask(
    'find kind == exec and argv like "*0.02"',
    play,
    "goto +1ms",
    play,
    "filter exe == sleep",
    "goto start",
    "next exec",
    "next exec",
    play,
  );
  const lines = out.split("\n").filter((line) => /^ +\+\d/.test(line));
  expect(lines[0]).toMatch(/exec +sleep 0\.02/);
  expect(lines[1]).not.toBe(lines[0]);
  expect(lines[2]).toMatch(/exec +sleep 0\.02/);
});

test.skipIf(skip || lacks("terminal"))("at a terminal: lines and processes, and back to the shell", async () => {
  const pty = new Pty({
    command: [TK, "repl", "out.prof"],
    cwd: dir,
    cols: 100,
    rows: 30,
    env: { NO_COLOR: "1", LC_ALL: "C.UTF-8", PAGER: "cat", XDG_STATE_HOME: join(dir, "state") },
  });
  const type = async (line: string, answer: RegExp) => {
    const from = pty.mark();
    pty.type(`${line}\r`);
    await pty.waitFor(answer, from);
  };
  try {
    await pty.waitFor(/tk> /);
    await type('find events where kind == fork and proc.exe == sleep and proc.started_by like "*:7"', /e\d+ .*fork/);
    // The child executed no recorded lines of its own, or those of Bash's copy: either view is at its line.
    await type("replay", /build\.sh:7|sleep/);
    await pty.waitFor(/"q": quit/);
    pty.type("q");
    await pty.waitFor(/tk> /);
    await type("goto 100ms", /e\d+/);
    await type("replay --view lines", /build\.sh:\d in /);
    pty.type("q");
  } finally {
    await pty.close();
  }
});
