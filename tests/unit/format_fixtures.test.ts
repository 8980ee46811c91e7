// Every fixture, read in every way (tests/support/check_format.ts), and what must be true of each.
import { expect, test } from "bun:test";
import { argvOf, eventAt } from "../../lib/model/event_at.ts";
import { KIND } from "../../lib/model/event.ts";
import { ABSENT } from "../../lib/model/ids.ts";
import { isCutOff } from "../../lib/model/recording.ts";
import { checkFormat } from "../support/check_format.ts";

function rowsOf(recording: ReturnType<typeof checkFormat>, kind: number): number[] {
  const rows: number[] = [];
  for (let row = 0; row < recording.events.length; row++) if (recording.events.kind[row] === kind) rows.push(row);
  return rows;
}

test("recording/minimal.prof: the smallest whole recording", () => {
  const r = checkFormat("recording/minimal.prof", "recording");
  expect(r.problems.total).toBe(0);
  expect(r.header?.root_pid).toBe(4711);
  expect(r.end?.exit_code).toBe(0);
  expect(isCutOff(r)).toBe(false);
  expect([...r.events.pgid.subarray(0, r.events.length)]).toEqual([ABSENT, 4700, 4700, 4700, ABSENT]);
});

test("recording/full.prof: every tag and optional field, bytes that are not UTF-8, what we do not know", () => {
  const r = checkFormat("recording/full.prof", "recording");
  expect(r.problems.total).toBe(0);
  expect(r.lost).toBe(5);
  expect(r.header?.limits).toEqual(["file descriptors are not recorded"]);
  const odd = eventAt(r, 7);
  expect(odd.kind).toBe("exec");
  if (odd.kind !== "exec") return;
  expect(odd.filename?.exact).toEqual(new Uint8Array([0x2f, 0x74, 0x6d, 0x70, 0x2f, 0xff]));
  expect(odd.argv?.words[2]).toBe('café "q" \\ \u0007\n\ufffd');
  expect(odd.argv?.bytes?.get(2)?.at(-1)).toBe(0xfe);
  expect(odd.argv?.words[3]).toBe("");
});

test("recording/broken.prof: one fault a line, each told with its line; what is good is kept", () => {
  const r = checkFormat("recording/broken.prof", "recording");
  expect(r.problems.kept.map((p) => p.line)).toEqual([
    2, 3, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 23, 24, 25, 26, 29, 32, 33, 34, 27,
  ]);
  expect(r.problems.counts.get("cut")).toBe(1);
  const forks = rowsOf(r, KIND.fork).map((row) => r.events.pid[row]);
  expect(forks).toEqual([10, 16, 17, 18, 19]);
  // Of repeated fields the last one counts, as in JSON.parse.
  expect(r.events.pid[rowsOf(r, KIND.exit).at(-1)!]).toBe(11);
});

test("recording/mixed.log: every generation and raw lines in one file", () => {
  const r = checkFormat("recording/mixed.log", "proctrace-raw");
  expect(r.problems.total).toBe(0);
  expect(r.header?.backend).toBe("bpftrace");
  const words = rowsOf(r, KIND.exec).map((row) => argvOf(r, row)?.words);
  expect(words).toEqual([["make -j4"], ["sh -c true"], ["echo two\nlines"], ["cat", "a b"]]);
  expect(r.lost).toBe(7);
});

test("the samples of proctrace's README: array words win over joined ones, null and empty ones lose", () => {
  const r = checkFormat("proctrace/readme_by_process.log", "recording");
  expect(r.problems.total).toBe(0);
  const own = rowsOf(r, KIND.exec).filter((row) => r.events.pid[row] === 181852);
  expect(own.map((row) => argvOf(r, row)?.joined)).toEqual([false, true, false]);
  expect(argvOf(r, own[1]!)?.words[0]).toStartWith("/bin/bash --noprofile --rcfile");
  expect(argvOf(r, own[2]!)?.words).toEqual(["curl", "-X", "GET", "http://example.com"]);
  checkFormat("proctrace/readme_multiplexed.log", "recording");
});

test("proctrace's group numbers are not believed, in any of its generations", () => {
  for (const [name, format] of [
    ["proctrace/demo_0_2.log", "recording"],
    ["proctrace/demo_2024_09.log", "recording"],
    ["raw/proctrace_0_2.log", "proctrace-raw"],
    ["raw/proctrace_2024_08.log", "proctrace-raw"],
    ["raw/proctrace_2024_09.log", "proctrace-raw"],
  ] as const) {
    const r = checkFormat(name, format);
    expect(r.problems.total).toBe(0);
    expect(r.events.length).toBeGreaterThan(10);
    expect(new Set(r.events.pgid.subarray(0, r.events.length))).toEqual(new Set([ABSENT]));
    expect(isCutOff(r)).toBe(false);
  }
});

test("proctrace 0.2 raw: file name and words come before the exec or the failed exec they belong to", () => {
  const r = checkFormat("raw/proctrace_0_2.log", "proctrace-raw");
  const failed = rowsOf(r, KIND.exec_failed).map((row) => eventAt(r, row));
  expect(failed).toHaveLength(6);
  for (const e of failed) {
    if (e.kind !== "exec_failed") throw new Error("not a failed exec");
    expect(e.filename?.text).toEndWith("/bash");
    expect(e.argv?.words).toEqual(["bash ./demo_script.sh"]);
  }
  expect(rowsOf(r, KIND.exec)).toHaveLength(4);
  expect(rowsOf(r, KIND.exec_part)).toHaveLength(0);
});

test("proctrace 2024-09 raw: of two ExecArgs the longer one counts", () => {
  const r = checkFormat("raw/proctrace_2024_09.log", "proctrace-raw");
  const [first] = rowsOf(r, KIND.exec);
  expect(argvOf(r, first!)?.words).toEqual(["/usr/bin/env bash ./demo_script.sh"]);
});

test("tk's own raw log: words with newlines come whole out of their pieces, groups and statuses are believed", () => {
  const r = checkFormat("raw/tk_0_1.log", "proctrace-raw");
  expect(r.problems.total).toBe(0);
  expect(rowsOf(r, KIND.exec).map((row) => argvOf(r, row)?.words)).toEqual([
    ["bash", "-c", '/bin/echo "a\nb" ; ls /nonexistent >/dev/null 2>&1; true'],
    ["/bin/echo", "a\nb"],
    ["ls", "/nonexistent"],
  ]);
  const failed = rowsOf(r, KIND.exec_failed).map((row) => eventAt(r, row));
  expect(failed.length).toBeGreaterThan(2);
  for (const e of failed)
    expect(e).toMatchObject({ kind: "exec_failed", errno: 2, argv: { words: ["bash", "-c", expect.any(String)] } });
  expect(rowsOf(r, KIND.exit).map((row) => r.events.code[row])).toEqual([0, 2, 0]);
  expect(rowsOf(r, KIND.fork).map((row) => r.events.pgid[row])).toEqual([18270, 18270, 18270]);
});
