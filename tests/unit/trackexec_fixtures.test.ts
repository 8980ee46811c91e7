// Logs of the older tool beside what its own readers say: every event, every total, every table digit by digit.
import { expect, test } from "bun:test";
import { Effect } from "effect";
import { createHash } from "node:crypto";
import { LineTotals } from "../../lib/lines/line_totals.ts";
import { SORT_COLUMNS } from "../../lib/lines/hot_points.ts";
import { formatProblem, Problems } from "../../lib/model/problem.ts";
import { analyseLines } from "../../lib/trackexec/analyse_lines.ts";
import type { LineAnalysis, LineOptions } from "../../lib/trackexec/line_report.ts";
import { writeLineText } from "../../lib/trackexec/line_text.ts";
import { openTrackexec } from "../../lib/trackexec/log_directory.ts";
import { expected, expectedTexts, fixtureLog, fixtureNames } from "../support/trackexec.ts";

const now = async () => {};

const OPTIONS: LineOptions = {
  sortColumn: "cumulated-runtime",
  items: 20,
  fileId: undefined,
  compatible: true,
  withSelf: false,
};

function analyse(name: string, options: Partial<LineOptions>, problems = new Problems()): Promise<LineAnalysis> {
  return Effect.runPromise(analyseLines(fixtureLog(name), { ...OPTIONS, ...options }, problems));
}

function textOf(analysis: LineAnalysis, color = true): string {
  let text = "";
  writeLineText(analysis, { color, unicode: true }, (s) => (text += s));
  return text;
}

const columnOf = (name: string) => SORT_COLUMNS.find((c) => c === name)!;

/** Lines that are open on several levels at once, by fixture. */
const RECURSIVE: Readonly<Record<string, number>> = { text: 5, inner: 1 };

for (const name of fixtureNames()) {
  test(`${name}: every event has the place, depth and time that the older reader gives it`, async () => {
    const problems = new Problems();
    const hash = createHash("sha256");
    const totals = new LineTotals();
    let events = 0;
    const log = openTrackexec(fixtureLog(name), problems);
    await Effect.runPromise(
      Effect.scoped(
        log.pipe(
          Effect.flatMap((opened) =>
            Effect.promise(() =>
              opened.eachBlock((rows) => {
                totals.add(rows);
                const b = Buffer.alloc((rows.length - rows.snapshot) * 14);
                for (let row = rows.snapshot, at = 0; row < rows.length; row++, at += 14) {
                  b.writeUInt16LE(rows.key[row]! >>> 16, at);
                  b.writeUInt16LE(rows.key[row]! & 0xffff, at + 2);
                  b.writeUInt16LE(rows.depth[row]!, at + 4);
                  b.writeBigUInt64LE(BigInt(rows.time[row]!), at + 6);
                }
                events += rows.length - rows.snapshot;
                hash.update(b);
              }, now),
            ),
          ),
        ),
      ),
    );
    expect(`${events} ${hash.digest("hex")}`).toBe(expected(name, "events.txt")!.trim());
    expect(problems.kept.map(formatProblem)).toEqual([]);
    const index = expected(name, "index.txt");
    if (index === undefined) return;
    const costs = Array.from({ length: totals.length }, (_, i) => totals.at(i));
    costs.sort((a, b) => a.file - b.file || a.line - b.line);
    expect(costs.map((c) => `${c.file} ${c.line} ${c.count} ${c.everyLevel}`).join("\n")).toBe(index.trim());
  });

  for (const { file, text, column, fileId } of expectedTexts(name)) {
    test(`${name}: ${file} comes out byte for byte with --compatible`, async () => {
      expect(textOf(await analyse(name, { sortColumn: columnOf(column), fileId }))).toBe(text);
    });

    test(`${name}: ${file} is the same by default but for lines that recurse`, async () => {
      const analysis = await analyse(name, { sortColumn: columnOf(column), fileId, compatible: false });
      const recursive = RECURSIVE[name];
      expect(analysis.report.notes).toHaveLength(recursive === undefined ? 0 : 1);
      if (recursive === undefined) expect(textOf(analysis)).toBe(text);
      else expect(analysis.report.notes[0]).toStartWith(`${recursive} line`);
    });
  }
}

test("a line that recurses counts the time of its outermost call, and no more", async () => {
  const cost = async (compatible: boolean) => {
    const { rows } = await analyse("text", { compatible, fileId: 0 });
    return rows.find((row) => row.line === 38)!.cost!;
  };
  expect(await cost(false)).toMatchObject({ count: 18400, cumulated: 125372, everyLevel: 162332 });
  const byDefault = textOf(await analyse("text", { compatible: false }));
  expect(byDefault).toContain("0.120s           0.000s     seen 18400 times");
  const compatible = textOf(await analyse("text", {}));
  expect(compatible).toContain("0.155s           0.000s     seen 18400 times");
});

test("where the older reader fails, there is an answer", async () => {
  const problems = new Problems();
  const last = await analyse("lastempty", { compatible: false }, problems);
  expect(problems.total).toBe(0);
  expect(last.rows.length).toBeGreaterThan(0);
  expect(last.report.facts).toContainEqual({ id: "line_events", value: 1801 });
  expect(textOf(last)).toContain("seen 900 times");
  const nothing = await analyse("nothing", { compatible: false }, problems);
  expect(nothing.rows).toEqual([]);
  expect(problems.kept.map((p) => p.code)).toEqual(["empty"]);
  expect(textOf(nothing, false).split("\n").slice(3, 5)).toEqual([
    "File ID  Source code location  Source code  Cumulated runtime  Average runtime  Code path frequency",
    "-------  --------------------  -----------  -----------------  ---------------  -------------------",
  ]);
});

test("the time of each line alone adds up to the time of all", async () => {
  for (const name of fixtureNames()) {
    const { rows, report } = await analyse(name, { items: 0, withSelf: true });
    if (rows.length === 0) continue;
    const self = rows.reduce((sum, row) => sum + row.cost!.self, 0);
    const wall = report.facts.find((fact) => fact.id === "wall_ns")!.value;
    expect(Math.round((self * 1e9) / 2 ** 20)).toBe(Number(wall));
  }
});

test("the report for programs has exact whole nanoseconds, whole paths and the older number beside the right one", async () => {
  const { report } = await analyse("text", { compatible: false, items: 1 });
  const [table] = report.tables;
  const row = Object.fromEntries(table!.columns.map((column, i) => [column.id, table!.rows[0]![i]]));
  expect(row).toEqual({
    file_id: 0,
    path: "/srv/app/textkit/words.py",
    line: 38,
    source: "    return [",
    cumulated_ns: Math.round((125372 * 1e9) / 2 ** 20),
    average_ns: Math.round((125372 / 18400 / 2 ** 20) * 1e9),
    self_ns: expect.any(Number),
    count: 18400,
    every_level_ns: Math.round((162332 * 1e9) / 2 ** 20),
  });
  expect(report.facts).toContainEqual({ id: "blocks", value: 57 });
});
