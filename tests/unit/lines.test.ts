// Executed lines without any file format: times between stamps, totals, the order of ties, and texts as Python makes them.
import { expect, test } from "bun:test";
import fc from "fast-check";
import { ascending } from "../../lib/lines/ascending.ts";
import { hotPoints, linesOfFile, recursiveLines } from "../../lib/lines/hot_points.ts";
import { keyOf, LineRows } from "../../lib/lines/line_rows.ts";
import { LineTotals } from "../../lib/lines/line_totals.ts";
import { shortLine, shortPlace, splitLines, strip, threeDecimals } from "../../lib/lines/source_text.ts";

/** Rows from `[line, depth, time]`, all in file 0; the first `snapshot` of them are open frames. */
function rowsOf(rows: readonly (readonly [number, number, number])[], end: number, snapshot = 0): LineRows {
  const r = new LineRows(64);
  r.clear(rows[0]?.[2] ?? 0);
  rows.forEach(([line, depth, time], i) => {
    r.key[i] = keyOf(0, line);
    r.depth[i] = depth;
    r.time[i] = time;
  });
  r.length = rows.length;
  r.snapshot = snapshot;
  r.end = end;
  return r;
}

const costsOf = (totals: LineTotals) =>
  Object.fromEntries(
    [...linesOfFile(totals, 0)].map(([line, c]) => [line, [c.count, c.cumulated, c.everyLevel, c.self]]),
  );

test("lines between two stamps are spread evenly: the first at the one, none at the other", () => {
  const rows = new LineRows(8);
  rows.clear(100);
  rows.length = 5;
  rows.spread(1, 100, 110);
  expect([...rows.time.subarray(1, 5)]).toEqual([100, 102, 105, 107]);
});

test("a line lasts until the next one that is not deeper; alone it lasts until the next one", () => {
  const totals = new LineTotals();
  //  1 ─ calls ─▶ 7, 8 ─ back to ─▶ 2
  totals.add(
    rowsOf(
      [
        [1, 1, 0],
        [7, 2, 10],
        [8, 2, 30],
        [2, 1, 60],
      ],
      100,
    ),
  );
  expect(costsOf(totals)).toEqual({ 1: [1, 60, 60, 10], 7: [1, 20, 20, 20], 8: [1, 30, 30, 30], 2: [1, 40, 40, 40] });
});

test("recursion: the outermost of several open levels counts, each execution is counted", () => {
  const totals = new LineTotals();
  // Line 5 calls itself three deep, comes back, and once more beside it.
  totals.add(
    rowsOf(
      [
        [5, 1, 0],
        [5, 2, 10],
        [5, 3, 20],
        [6, 1, 50],
        [5, 1, 60],
      ],
      100,
    ),
  );
  expect(costsOf(totals)).toEqual({ 5: [4, 50 + 40, 50 + 40 + 30 + 40, 10 + 10 + 30 + 40], 6: [1, 10, 10, 10] });
  expect(recursiveLines(totals)).toBe(1);
});

test("frames that were open before count their time block by block, but no execution", () => {
  const totals = new LineTotals();
  for (const start of [0, 100])
    totals.add(
      rowsOf(
        [
          [3, 1, start],
          [9, 2, start + 20],
        ],
        start + 100,
        1,
      ),
    );
  expect(costsOf(totals)).toEqual({ 3: [0, 200, 200, 40], 9: [2, 160, 160, 160] });
  const [first] = hotPoints(totals, { by: "average-runtime", most: 1, recursion: "once" });
  expect(first!.line).toBe(3); // Its average is infinite, as the older tool has it.
});

test("lines come in the order in which they first cost anything; what costs nothing does not come", () => {
  const totals = new LineTotals();
  totals.add(
    rowsOf(
      [
        [9, 1, 0],
        [4, 2, 0],
        [8, 3, 0],
        [2, 1, 0],
      ],
      0,
      2,
    ),
  );
  expect(Array.from({ length: totals.length }, (_, i) => totals.at(i).line)).toEqual([2, 8]);
  totals.add(
    rowsOf(
      [
        [9, 1, 0],
        [4, 2, 0],
        [1, 3, 5],
      ],
      10,
      2,
    ),
  );
  expect(Array.from({ length: totals.length }, (_, i) => totals.at(i).line)).toEqual([2, 8, 1, 4, 9]);
});

test("beyond the limit of distinct lines the others stay exact, and what is left out is counted", () => {
  const totals = new LineTotals(100);
  for (let i = 0; i < 40; i++)
    totals.add(
      rowsOf(
        Array.from({ length: 10 }, (_, k) => [i * 10 + k + 1, 1, i * 10 + k] as const),
        i * 10 + 10,
      ),
    );
  expect(totals.length).toBe(100);
  expect(totals.unplaced).toBe(300);
  expect(totals.events).toBe(400);
  const costs = costsOf(totals);
  for (let line = 1; line <= 100; line++) expect(costs[line]).toEqual([1, 1, 1, 1]);
});

test("two million distinct lines have their own numbers", () => {
  const totals = new LineTotals();
  const rows = new LineRows(4000);
  for (let block = 0; block < 500; block++) {
    rows.clear(block);
    for (let i = 0; i < 4000; i++) {
      rows.key[i] = keyOf(block, i + 1);
      rows.depth[i] = 1;
      rows.time[i] = block;
    }
    rows.length = 4000;
    rows.end = block + 1;
    totals.add(rows);
  }
  expect(totals.length).toBe(2_000_000);
  expect(totals.unplaced).toBe(0);
  expect(totals.at(1_999_999)).toMatchObject({ file: 499, line: 4000, count: 1, cumulated: 1 });
});

/** Sums by the definitions, in quadratic time. */
function byDefinition(rows: LineRows) {
  const sums = new Map<number, { count: number; cumulated: number; everyLevel: number; self: number }>();
  const ends: number[] = [];
  for (let i = 0; i < rows.length; i++) {
    let next = i + 1;
    while (next < rows.length && rows.depth[next]! > rows.depth[i]!) next++;
    ends.push(next);
  }
  const timeAt = (row: number) => (row < rows.length ? rows.time[row]! : rows.end);
  for (let i = 0; i < rows.length; i++) {
    const key = rows.key[i]!;
    const sum = sums.get(key) ?? { count: 0, cumulated: 0, everyLevel: 0, self: 0 };
    sums.set(key, sum);
    const lasts = timeAt(ends[i]!) - rows.time[i]!;
    const inside = ends.some((end, outer) => outer < i && end > i && rows.key[outer] === key);
    sum.everyLevel += lasts;
    if (!inside) sum.cumulated += lasts;
    if (i >= rows.snapshot) sum.count++;
    sum.self += timeAt(i + 1) - rows.time[i]!;
  }
  return sums;
}

test("law: totals are what the definitions say, whatever the depths", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 6 }), fc.nat(9)), { maxLength: 60 }),
      fc.nat(9),
      (steps, rest) => {
        let time = 0;
        const rows = rowsOf(
          steps.map(([line, depth, ticks]) => [line, depth, (time += ticks)] as const),
          time + rest,
        );
        const totals = new LineTotals();
        totals.add(rows);
        const sums = byDefinition(rows);
        for (let i = 0; i < totals.length; i++) {
          const { file, line, ...cost } = totals.at(i);
          expect(cost).toEqual(sums.get(keyOf(file, line))!);
        }
        expect(totals.length).toBe(sums.size);
      },
    ),
    { numRuns: 300 },
  );
});

test("law: ascending is a permutation in ascending order, NaN last", () => {
  const value = fc.oneof(fc.constantFrom(0, 1, 2, NaN, Infinity), fc.double());
  fc.assert(
    fc.property(fc.array(value, { maxLength: 300 }), (values) => {
      const order = ascending(Float64Array.from(values));
      expect([...order].sort((a, b) => a - b)).toEqual(values.map((_, i) => i));
      for (let i = 1; i < order.length; i++) {
        const a = values[order[i - 1]!]!;
        const b = values[order[i]!]!;
        expect(Number.isNaN(b) || a <= b).toBe(true);
      }
    }),
    { numRuns: 200 },
  );
});

test("ascending turns to a heap where every pivot is bad, and still sorts", () => {
  // The killer sequence for a median of three: 1, k+1, 3, k+3, 5, ... then the even numbers.
  const k = 5000;
  const killer = new Float64Array(2 * k);
  for (let i = 1; i <= k; i++) {
    killer[i - 1] = i % 2 === 1 ? i : k + i - 1;
    killer[k + i - 1] = 2 * i;
  }
  const began = performance.now();
  const sorted = Array.from(ascending(killer), (i) => killer[i]!);
  expect(sorted).toEqual([...killer].sort((a, b) => a - b));
  expect(performance.now() - began).toBeLessThan(1000);
});

test("three decimals as Python prints them: exact halves to the even digit", () => {
  const cases: readonly (readonly [number, string])[] = [
    [0.0625, "0.062"],
    [0.1875, "0.188"],
    [0.3125, "0.312"],
    [0.4375, "0.438"],
    [1.0625, "1.062"],
    [0.0005, "0.001"],
    [0.0015, "0.002"],
    [1.0005, "1.000"],
    [2.5, "2.500"],
    [0, "0.000"],
    [1e15, "1000000000000000.000"],
    [Infinity, "inf"],
    [NaN, "nan"],
  ];
  for (const [x, text] of cases) expect(threeDecimals(x)).toBe(text);
});

test("lines end where Python's splitlines ends them", () => {
  expect(splitLines("a\nb\r\nc\rd\x0be\x0cf\x1cg\x1dh\x1ei\x85j\u2028k\u2029l\n")).toEqual([..."abcdefghijkl"]);
  expect(splitLines("")).toEqual([]);
  expect(splitLines("\n\n")).toEqual(["", ""]);
  expect(splitLines("a\x1fb\u200bc")).toEqual(["a\x1fb\u200bc"]);
});

test("a line is stripped and cut by code points; blanks in the middle cost no time", () => {
  expect(strip("\t\u00a0 x = 1 \x1f\u3000")).toBe("x = 1");
  expect(strip(" \t ")).toBe("");
  expect(shortLine("   " + "x".repeat(40))).toBe("x".repeat(40));
  expect(shortLine("x".repeat(41))).toBe("x".repeat(36) + "...");
  expect(shortLine("😀".repeat(40))).toBe("😀".repeat(40));
  expect(shortLine("😀".repeat(41))).toBe("😀".repeat(36) + "...");
  const began = performance.now();
  expect(strip("a" + " ".repeat(1_000_000) + "b")).toHaveLength(1_000_002);
  expect(performance.now() - began).toBeLessThan(500);
});

test("a long place keeps as many of its last folders as fit", () => {
  expect(shortPlace("/srv/app/textkit/words.py", 38)).toBe("/srv/app/textkit/words.py:38");
  expect(shortPlace("/a/" + "b".repeat(30) + "/words.py", 1)).toBe("**/words.py:1");
  expect(shortPlace("/" + "b".repeat(36), 12)).toBe("/" + "b".repeat(36) + ":12");
  expect(shortPlace("/aaaa/" + "b".repeat(34), 12)).toBe("**/" + "b".repeat(34) + ":12");
  expect(shortPlace("/x/" + "b".repeat(60), 3)).toBe("**/:3");
  expect(shortPlace("/ü".repeat(2000), 3)).toBe("**/" + "ü/".repeat(17) + "ü:3");
});
