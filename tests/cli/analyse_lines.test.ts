// `tk analyse DIR` as users run it, on the older tool's own recordings and on what is none.
import { afterAll, beforeAll, expect, test } from "bun:test";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PLAIN_ENV } from "../support/programs.ts";
import { isRoot, parseLines, requireTk, run, TK } from "../support/tk.ts";
import { expectedTexts, fixtureLog, fixtureNames, writeLog } from "../support/trackexec.ts";

const folder = mkdtempSync(join(realpathSync(tmpdir()), "tk-analyse-lines-"));
const analyse = (...words: string[]) => run([TK, "analyse", ...words], { env: PLAIN_ENV });

beforeAll(requireTk);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Without the codes that make the heading bold. */
const plain = (text: string) => text.replaceAll("\x1b[1m", "").replaceAll("\x1b[0m", "");

for (const name of fixtureNames())
  test(`${name}: each text of the older tool, and status 0`, async () => {
    for (const { text, column, fileId } of expectedTexts(name)) {
      const which = fileId === undefined ? ["--sort-column", column] : ["--file-id", String(fileId)];
      const same = await analyse(fixtureLog(name), ...which, "--compatible");
      expect([same.status, same.stderr, same.stdout]).toEqual([0, "", text]);
      const usual = await analyse(fixtureLog(name), ...which);
      expect(usual.status).toBe(0);
      if (usual.stderr === "") expect(usual.stdout).toBe(plain(text));
      else expect(usual.stderr).toContain("(recursion)");
    }
  });

test("where the older tool fails, tk does not", async () => {
  const last = await analyse(fixtureLog("lastempty"));
  expect(last.status).toBe(0);
  expect(last.stdout).toContain("down(n - 1)");
  const nothing = await analyse(fixtureLog("nothing"));
  expect([nothing.status, nothing.stderr]).toEqual([
    0,
    `tk: ${fixtureLog("nothing")}: no executed line is recorded in it\n`,
  ]);
  expect((await analyse(fixtureLog("nothing"), "--strict")).status).toBe(3);
});

test("options: columns in any case, numbers of rows, own time, the other spelling of the verb, an output file", async () => {
  const dir = fixtureLog("module");
  const rows = (text: string) => text.trimEnd().split("\n").slice(5);
  expect(rows((await analyse(dir, "--num-items", "3", "--sort-column", "FREQUENCY")).stdout)).toHaveLength(3);
  expect(rows((await analyse(dir, "--num-items", "0")).stdout)).toHaveLength(13);
  const self = await analyse(dir, "--sort-column", "self-runtime");
  expect(self.stdout).toContain("Self runtime");
  const file = join(folder, "out.txt");
  const r = await run([TK, "analyze", dir, "-o", file], { env: PLAIN_ENV });
  expect([r.status, r.stdout, r.stderr]).toEqual([0, "", ""]);
  expect(readFileSync(file, "utf8")).toContain("Hottest source points");
});

test("formats for programs: the same rows as values", async () => {
  const dir = fixtureLog("ledger");
  const json: unknown = JSON.parse((await analyse(dir, "--format", "json", "--num-items", "2")).stdout);
  expect(json).toMatchObject({
    summary: { recording: dir, pid: 11384, blocks: 39, line_events: 112487, recursion: "once" },
    notes: [],
    hot_points: [
      { file_id: 0, path: "/srv/app/inventory/report.py", line: 26, count: 4000 },
      { file_id: 1, path: "/srv/app/inventory/store.py", line: 35, count: 4000 },
    ],
  });
  const lines = parseLines((await analyse(dir, "--format", "ndjson")).stdout);
  expect(lines[0]!.tag).toBe("summary");
  expect(lines.filter((l) => l.tag === "hot_points").length).toBeGreaterThan(20);
  const csv = (await analyse(dir, "--format", "csv", "--file-id", "1")).stdout.split("\r\n");
  expect(csv[0]).toBe("line,cumulated_ns,average_ns,self_ns,count,every_level_ns,source");
  expect(csv[35]).toStartWith("35,");
});

test("mistakes are one sentence, a hint and status 2 or 1", async () => {
  const dir = fixtureLog("module");
  const cases: readonly (readonly [readonly string[], number, string])[] = [
    [[dir, "--file-id", "9"], 1, "File id 9 is not in"],
    [[dir, "--file-id", "9", "--compatible"], 1, "there are 0 (/srv/app/solo.py)"],
    [[dir, "--file-id", "-1"], 2, "expected a number from 0 to 65535"],
    [[dir, "--file-id", "0", "--num-items", "3"], 2, "--file-id lists every line"],
    [[dir, "--num-items", "-3"], 2, "expected 0 (all) or more"],
    [[dir, "--sort-column", "freq"], 2, "did you mean frequency?"],
    [[dir, "--section", "commands"], 2, "--section is for recordings of processes"],
    [[dir, dir], 2, "analysed alone"],
    [[folder], 1, "a directory without a log_index, expected a trackexec log"],
    [[join(dir, "..")], 1, "there are logs inside it, such as"],
    [[join(folder, "nowhere")], 1, "there is no such file"],
    [[join(dir, "pid"), "--compatible"], 2, "has no executed lines"],
  ];
  for (const [words, status, sentence] of cases) {
    const r = await analyse(...words);
    expect(r.stderr).toContain(sentence);
    expect(r.stderr).not.toMatch(/\bat .*\.ts|undefined|bug in tk/);
    expect([r.status, r.stdout]).toEqual([status, ""]);
  }
});

test("a directory that may not be read is told as such", async () => {
  if (!isRoot) {
    console.log("skipped: needs root to become somebody else");
    return;
  }
  const closed = join(folder, "closed");
  mkdirSync(closed, { mode: 0o700 });
  cpSync(fixtureLog("relay"), join(closed, "log"), { recursive: true });
  const r = await run([TK, "analyse", join(closed, "log")], { env: PLAIN_ENV, user: "ordinary" });
  expect([r.status, r.stdout]).toEqual([1, ""]);
  expect(r.stderr).toContain("permission denied");
});

test("damage is told with the file's name, and the rest is shown", async () => {
  const dir = join(folder, "damaged");
  cpSync(fixtureLog("module"), dir, { recursive: true });
  truncateSync(join(dir, "log_map", "1.gz"), 2000);
  const r = await analyse(dir);
  expect(r.status).toBe(0);
  expect(r.stderr).toMatch(/log_map\/1\.gz: it ends after \d+ of 32 blocks/);
  expect(r.stdout).toContain("/srv/app/solo.py");
  expect((await analyse(dir, "--strict")).status).toBe(3);
});

test("text of strangers does not steer the terminal, in any format", async () => {
  const evil = "\x1b]0;owned\x07\x1b[2J\u202e\u0085";
  const dir = writeLog(
    join(folder, "evil"),
    [{ start: 1000, steps: [{ call: 0 }, { line: 1 }, { stamp: 50 }] }],
    [{ name: `srv/${evil}.py`, text: `x = "${evil}"\n` }],
  );
  for (const format of ["table", "json", "ndjson", "csv"])
    for (const more of [[], ["--compatible", "--color", "never"], ["--file-id", "0"]]) {
      const r = await analyse(dir, "--format", format, ...more);
      expect(r.status).toBe(0);
      expect(/[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u202e]/.test(r.stdout + r.stderr)).toBe(false); // oxlint-disable-line no-control-regex
    }
});

test("formats for programs have 100,000 rows at most unless all are asked for, and say so", async () => {
  const dir = writeLog(
    join(folder, "wide"),
    Array.from({ length: 30 }, (_, file) => ({
      start: 1000 + file * 100,
      stack: [[file, 1] as const],
      steps: Array.from({ length: 4000 }, (_, i) => ({ line: i + 1 })),
    })),
    [],
  );
  const some = await analyse(dir, "--format", "ndjson");
  expect(some.stdout.split("\n").filter((l) => l.startsWith('{"hot_points"'))).toHaveLength(100_000);
  expect(some.stdout).toContain('{"note":"20,000 lines that cost less are left out (--num-items 0 gives all)"}');
  const all = await analyse(dir, "--format", "ndjson", "--num-items", "0");
  expect(all.stdout.split("\n").filter((l) => l.startsWith('{"hot_points"'))).toHaveLength(120_000);
});

test("a directory that grows while it is read gives what was there", async () => {
  const dir = join(folder, "growing");
  const blocks = Array.from({ length: 70 }, (_, i) => ({
    start: 1000 + i * 10,
    stack: [[0, 1] as const],
    steps: [{ line: 2 }, { line: 3 }],
  }));
  const sources = [{ name: "srv/a.py", text: "a\nb\nc\n" }];
  for (let n = 1; n <= 70; n += 23) {
    writeLog(dir, blocks.slice(0, n), sources, true);
    const r = await analyse(dir, "--format", "json");
    expect([r.status, r.stderr]).toEqual([0, ""]);
    expect(r.stdout).toContain(`"line_events":${2 * n}`);
    rmSync(dir, { recursive: true });
  }
  writeFileSync(join(folder, "done"), "");
});
