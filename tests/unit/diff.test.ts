// tk diff: what makes two commands the same, how trees are laid over one another, medians and noise.
import { expect, test } from "bun:test";
import { align, Keys, makeSide } from "../../lib/diff/align.ts";
import { compare, medianOf } from "../../lib/diff/compare.ts";
import { diffReport } from "../../lib/diff/diff_report.ts";
import { parseChange, parseSpan, tooSlow } from "../../lib/diff/limit.ts";
import { normaliseText } from "../../lib/diff/normalise.ts";
import { timeline } from "../support/timeline.ts";

function comparison(base: readonly string[], fresh: readonly string[], least = 1e6) {
  const keys = new Keys();
  const sides = [...base, ...fresh].map((drawing) => makeSide(timeline(drawing), keys));
  return compare(align(sides, keys), base.length, { least, leastPart: 0.02 });
}

const build = (cc: number, extra = "", root = "make") => `
  recording root=10 ${root}
  0ms 10 exec ${root}
  1ms 10 fork 11
  1ms 11 exec cc -c a.c -o /tmp/cc${String.fromCharCode(97 + (cc % 26))}Xq1Z.o
  ${1 + cc}ms 11 exit 0
  ${extra}
  ${5 + cc}ms 10 exit 0
  ${6 + cc}ms end 0`;

test("what changes from run to run is no difference: pids, temporary names, hashes, store paths, long numbers", () => {
  const pids = new Set([1234]);
  const same = (a: string, b: string) => expect(normaliseText(a, pids)).toBe(normaliseText(b, pids));
  same("as -o /tmp/ccAbCd12.o", "as -o /tmp/ccZyXw98.o");
  same("sh /tmp/tmp.aB3dE5fGh1/run", "sh /tmp/tmp.zZ9yX8wVu2/run");
  same(
    "cat .git/objects/3f786850e387550fdab836ed7e6dc881de23001b",
    "cat .git/objects/89e6c98d92887913cadf06b2adb97f26cde4849b",
  );
  same("x 550e8400-e29b-41d4-a716-446655440000", "x 123e4567-e89b-12d3-a456-426614174000");
  same("kill 1234", "kill 1234");
  expect(normaliseText("kill 1234 77", pids)).toBe("kill <pid> 77");
  same("date 1700000000123", "date 1800000000456");
  same(
    "/nix/store/lm10ywzflq9qfhr4fl0zqxrhiksf28ks-bash/bin/bash",
    "/nix/store/aa10ywzflq9qfhr4fl0zqxrhiksf28ks-bash/bin/bash",
  );
  for (const [a, b] of [
    ["cc -c a.c", "cc -c b.c"],
    ["make -j4", "make -j8"],
    ["cc -O1", "cc -O2"],
    ["sleep 10", "sleep 20"],
    ["./configure --prefix=/usr", "./configure --prefix=/opt"],
  ])
    expect(normaliseText(a!, pids)).not.toBe(normaliseText(b!, pids));
});

test("the same work is alike, whatever its pids and temporary files", () => {
  const { differences, alike } = comparison([build(20)], [build(20).replaceAll("11", "77")]);
  expect([differences, alike]).toEqual([[], 2]);
});

/** A script whose subshells all have the same words; what each runs tells them apart. */
const subshells = (programs: readonly string[]) => {
  const rows = ["recording root=10 configure", "0ms 10 exec configure"];
  programs.forEach((program, i) => {
    const [at, shell, child] = [i * 10 + 1, 100 + 2 * i, 101 + 2 * i];
    rows.push(
      `${at}ms 10 fork ${shell}`,
      `${at + 1}ms ${shell} fork ${child}`,
      `${at + 2}ms ${child} exec ${program}`,
      `${at + 7}ms ${child} exit 0`,
      `${at + 8}ms ${shell} exit 0`,
    );
  });
  return [...rows, "990ms 10 exit 0", "991ms end 0"].join("\n");
};

test("one subshell more does not shift all that follow", () => {
  const programs = ["sed", "grep", "cc", "cat", "expr", "awk", "uname"];
  const more = subshells(["sed", "grep", "hostname", ...programs.slice(2)]);
  const added = comparison([subshells(programs)], [more]);
  expect(added.differences.map((d) => d.kind)).toEqual(["new"]);
  expect(added.alike).toBe(15);
  expect(comparison([more], [subshells(programs)]).differences.map((d) => d.kind)).toEqual(["gone"]);
  // One goes and another comes: what stands between keeps its partner.
  const moved = comparison([subshells(programs)], [subshells([...programs.slice(1), "id"])]);
  expect(moved.differences.map((d) => d.kind).sort()).toEqual(["gone", "new"]);
  expect(moved.alike).toBe(14);
});

test("many of the same words are still matched in their order", () => {
  const many = Array.from({ length: 40 }, (_, i) => `p${i % 7}`);
  const { differences, alike } = comparison(
    [subshells(many)],
    [subshells(many.map((p, i) => (i === 20 ? "other" : p)))],
  );
  expect([differences.length, alike]).toEqual([2, 80]);
});

test("slower, and whose own time it is", () => {
  const { differences, total } = comparison([build(20)], [build(50)]);
  expect(total.change).toBe(30e6);
  const kinds = differences.map((d) => [d.kind, Math.round(d.own.change / 1e6), Math.round(d.wall.change / 1e6)]);
  expect(kinds).toEqual([
    ["slower", 0, 30],
    ["slower", 30, 30],
  ]);
});

test("new and gone processes are told once, with what is below them", () => {
  const extra = `22ms 10 fork 12\n22ms 12 exec sh -c x\n22ms 12 fork 13\n23ms 13 exec x\n24ms 13 exit 0\n24ms 12 exit 0`;
  const more = comparison([build(20)], [build(20, extra)]);
  const told = (c: typeof more) =>
    c.differences.filter((d) => d.kind === "new" || d.kind === "gone").map((d) => [d.kind, d.processes]);
  expect(told(more)).toEqual([["new", 2]]);
  const less = comparison([build(20, extra)], [build(20)]);
  expect(told(less)).toEqual([["gone", 2]]);
});

test("the order of a parallel build does not matter, and changed words find one another", () => {
  const a = `0ms 1 exec make\n1ms 1 fork 2\n1ms 2 exec cc -c -g a.c\n1ms 1 fork 3\n2ms 3 exec cc -c -g b.c\n3ms 2 exit 0\n3ms 3 exit 0\n4ms 1 exit 0`;
  const b = `0ms 1 exec make\n1ms 1 fork 2\n1ms 2 exec cc -c -g b.c\n1ms 1 fork 3\n2ms 3 exec cc -c -g -O2 a.c\n3ms 2 exit 0\n3ms 3 exit 0\n4ms 1 exit 0`;
  const { differences, aligned } = comparison([a], [b]);
  expect(differences).toEqual([]);
  expect(aligned.places.filter((p) => p.changed).length).toBe(1);
  expect(aligned.places.length).toBe(3);
});

test("another root command is still the same work; another status is a difference", () => {
  expect(comparison([build(20)], [build(20, "", "gmake")]).aligned.places.length).toBe(2);
  const failed = build(20).replace("21ms 11 exit 0", "21ms 11 exit 1");
  expect(comparison([build(20)], [failed]).differences.map((d) => [d.kind, d.statusBase, d.statusFresh])).toEqual([
    ["status", 0, 1],
  ]);
});

test("several recordings a side: medians, and only what exceeds the noise", () => {
  const noisy = comparison(
    [20, 30, 40].map((n) => build(n)),
    [25, 35, 45].map((n) => build(n)),
  );
  expect(noisy.total).toMatchObject({ change: 5e6, noise: 20e6 });
  expect(noisy.differences).toEqual([]);
  const slower = comparison(
    [20, 21, 22].map((n) => build(n)),
    [40, 41, 42].map((n) => build(n)),
  );
  expect(slower.total).toMatchObject({ change: 20e6, noise: 2e6 });
  expect(slower.differences.map((d) => d.kind)).toEqual(["slower", "slower"]);
});

test("limits for CI", () => {
  expect([parseChange("10%"), parseChange("1.5s"), parseChange("ten"), parseSpan("500ms")]).toEqual([
    { part: 0.1 },
    { ns: 1.5e9 },
    undefined,
    5e8,
  ]);
  const { total } = comparison([build(20)], [build(22)]);
  expect([tooSlow(total, { part: 0.05 }), tooSlow(total, { part: 0.1 }), tooSlow(total, { ns: 1e6 })]).toEqual([
    true,
    false,
    true,
  ]);
  const noisy = comparison(
    [20, 60].map((n) => build(n)),
    [50, 90].map((n) => build(n)),
  );
  expect(tooSlow(noisy.total, { part: 0.1 })).toBe(false);
});

test("the report adds up what is the same, and says what it cannot know", () => {
  const loop = Array.from(
    { length: 5 },
    (_, i) => `${22 + i}ms 10 fork ${20 + i}\n${22 + i}ms ${20 + i} exec sleep 1\n${23 + i}ms ${20 + i} exit 0`,
  ).join("\n");
  const report = diffReport(comparison([build(40)], [build(40, loop)]), {
    unicode: true,
    full: true,
    limit: Infinity,
    base: "a",
    fresh: "b",
  });
  expect(report.notes.join()).toContain("one recording a side");
  expect(report.tables[0]!.rows.map((r) => r.slice(0, 2))).toEqual([["new", 5]]);
  expect(report.tables[0]!.rows[0]!.at(-1)).toBe("sleep 1");
});

test("nothing at all, and a median", () => {
  const empty = comparison([""], [""]);
  expect([empty.differences, empty.total.change]).toEqual([[], 0]);
  expect([medianOf([3, 1, 2]), medianOf([1, 2]), medianOf([])]).toEqual([2, 1.5, NaN]);
});
