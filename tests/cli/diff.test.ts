// tk diff as a user and as CI run it.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { requireTk, run, TK } from "../support/tk.ts";
import { timelineText } from "../support/timeline.ts";

const build = (cc: number) => `
  recording root=10 make
  0ms 10 exec make
  1ms 10 fork 11
  1ms 11 exec cc -c "evil\\u001b[31m.c"
  ${1 + cc}ms 11 exit 0
  ${100 + cc}ms 10 exit 0
  ${101 + cc}ms end 0`;

let dir = "";

beforeAll(() => {
  requireTk();
  dir = mkdtempSync(join(tmpdir(), "tk-diff-"));
  for (const n of [20, 21, 22, 80, 81, 82]) writeFileSync(join(dir, `${n}.prof`), timelineText(build(n)));
});

afterAll(() => rmSync(dir, { recursive: true, force: true }));

const diff = (...words: string[]) => run([TK, "diff", ...words], { cwd: dir });

test("a table for people, without anything that steers a terminal", async () => {
  const r = await diff("20.prof", "80.prof");
  expect([r.status, r.stderr]).toEqual([0, ""]);
  expect(r.stdout).toContain("20.prof 120ms -> 80.prof 180ms (+60.0ms, +50.0%)");
  expect(r.stdout).toMatch(/slower .*\+60\.0ms.* cc -c/);
  // oxlint-disable-next-line no-control-regex
  expect(r.stdout).not.toMatch(/[\x00-\x09\x0b-\x1f]/);
});

test("--fail-over: 4 when it is slower by more, 0 when not; the noise of several runs counts", async () => {
  expect((await diff("20.prof", "80.prof", "--fail-over", "10%")).status).toBe(4);
  expect((await diff("20.prof", "80.prof", "--fail-over", "60%")).status).toBe(0);
  expect((await diff("80.prof", "20.prof", "--fail-over", "10%")).status).toBe(0);
  expect((await diff("20.prof", "21.prof", "22.prof", "--", "80.prof", "81.prof", "--fail-over", "10ms")).status).toBe(
    4,
  );
  expect((await diff("20.prof", "80.prof", "--", "81.prof", "22.prof", "--fail-over", "1%")).status).toBe(0);
  const named = await diff("--base", "20.prof", "--base=21.prof", "80.prof", "--format", "json");
  const { summary } = JSON.parse(named.stdout) as { summary: Record<string, unknown> };
  expect(summary).toMatchObject({ base_recordings: 2, fresh_recordings: 1, exceeds_noise: true, noise_ns: 1e6 });
});

test("ndjson, csv and a file", async () => {
  const lines = (await diff("20.prof", "80.prof", "--format", "ndjson")).stdout.trimEnd().split("\n");
  expect(lines.map((l) => Object.keys(JSON.parse(l) as object)[0])).toEqual([
    "summary",
    "note",
    "differences",
    "differences",
  ]);
  expect((await diff("20.prof", "80.prof", "--format", "csv")).stdout).toStartWith("what,times,own_change_ns");
});

test("mistakes are one sentence", async () => {
  for (const [words, said] of [
    [["20.prof"], "expected two recordings, got 1"],
    [["20.prof", "21.prof", "22.prof"], "expected two recordings, got 3"],
    [["20.prof", "80.prof", "--fail-over", "lots"], "--fail-over: expected such as 10% or 500ms"],
    [["20.prof", "80.prof", "--least", "x"], "--least: expected a time"],
    [["--base", "20.prof"], "expected the recordings that are compared"],
  ] as const) {
    const r = await diff(...words);
    expect([r.status, r.stderr]).toEqual([2, expect.stringContaining(said)]);
  }
  expect((await diff("20.prof", "none.prof")).status).toBe(1);
});
