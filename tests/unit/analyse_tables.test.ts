// The writers of lib/analyse: what people and programs get for one table, and the whole report of drawings as golden files.
import { expect, test } from "bun:test";
import { Analysis } from "../../lib/analyse/analysis.ts";
import { writeCsv, writeJson } from "../../lib/analyse/machine.ts";
import { wholeReport } from "../../lib/analyse/registry.ts";
import { makeReport } from "../../lib/analyse/report.ts";
import { columnNamed, ordered } from "../../lib/analyse/section.ts";
import { sparkline } from "../../lib/analyse/sections/parallelism.ts";
import type { Column, Report, Table } from "../../lib/analyse/table.ts";
import { formatBytes, writeText } from "../../lib/analyse/text_table.ts";
import { DRAWINGS } from "../support/drawings.ts";
import { expectGolden } from "../support/golden.ts";
import { timeline } from "../support/timeline.ts";

const columns: readonly Column[] = [
  { id: "time_ns", title: "TIME", kind: "duration" },
  { id: "share_percent", title: "SHARE", kind: "percent", yields: 1 },
  { id: "at_ns", title: "AT", kind: "time", yields: 2 },
  { id: "name", title: "NAME", kind: "text", cut: "middle" },
];

const table = (...rows: Table["rows"]): Table => ({ id: "some-table", title: "Some", columns, rows });
const reportOf = (t: Table): Report => ({ headline: [], facts: [{ id: "n", value: 1 }], notes: [], tables: [t] });

function text(t: Table, width = Infinity): string {
  let out = "";
  writeText(reportOf(t), { width, color: false, unicode: true }, (s) => (out += s));
  return out;
}

test("text: aligned, unknown is a dash, columns yield before texts are cut", () => {
  const t = table(
    [1_500_000, 12.34, 2e9, "short"],
    [undefined, undefined, undefined, "a/very/long/path/to/some/file.c"],
  );
  expect(text(t)).toBe(
    "Some\n  TIME  SHARE        AT  NAME\n1.50ms  12.3%  2.000000  short\n     -      -         -  a/very/long/path/to/some/file.c\n",
  );
  expect(text(t, 48)).toBe(
    "Some\n  TIME  SHARE  NAME\n1.50ms  12.3%  short\n     -      -  a/very/long/path/to/some/file.c\n",
  );
  expect(text(t, 34)).toBe("Some\n  TIME  NAME\n1.50ms  short\n     -  a/very/long/path/to…file.c\n");
  expect(text(t, 21)).toBe("Some\n  TIME  NAME\n1.50ms  short\n     -  a/very/lo…e.c\n");
});

test("text: a column of which nothing is known is left out, and nothing steers the terminal", () => {
  expect(text(table([1, undefined, undefined, "a\x1b[31m\u202eb\nc"]))).toBe(
    "Some\nTIME  NAME\n 1ns  a\\x1b[31m\\u202eb\\nc\n",
  );
});

test("csv: RFC 4180, no formulas, nothing that steers a terminal", () => {
  let out = "";
  writeCsv(
    table([1, undefined, 5, 'say "a, b"'], [-2, 0.5, 5, "=1+1"], [1, 1, 1, "-bash"], [1, 1, 1, "a\x1b\nb"]),
    (s) => {
      out += s;
    },
  );
  expect(out).toBe(
    'time_ns,share_percent,at_ns,name\r\n1,,5,"say ""a, b"""\r\n-2,0.5,5,\'=1+1\r\n1,1,1,\'-bash\r\n1,1,1,a\\x1b\\nb\r\n',
  );
});

test("json: the exact text comes back, and no byte of it steers a terminal", () => {
  const name = 'a"\x1b\x9b\u202e\u{e0041}\u2028é';
  let out = "";
  writeJson(reportOf(table([1, undefined, 5, name])), (s) => (out += s));
  expect(out).not.toMatch(/[\x9b\u202e\u2028\u{e0041}]/u);
  expect(JSON.parse(out)).toEqual({
    summary: { n: 1 },
    notes: [],
    some_table: [{ time_ns: 1, share_percent: null, at_ns: 5, name }],
  });
});

test("ordered: largest first, moments earliest first, unknown last, ties as they came, cut or not", () => {
  const items = [3, undefined, 7, 3, 1, 7];
  const at = items.map((_, i) => i);
  const sorted = (column: Column, limit: number) => ordered(at, column, (i) => items[i], limit).shown;
  expect(sorted(columns[0]!, Infinity)).toEqual([2, 5, 0, 3, 4, 1]);
  expect(sorted(columns[0]!, 3)).toEqual([2, 5, 0]);
  expect(sorted(columns[2]!, Infinity)).toEqual([4, 0, 3, 2, 5, 1]);
  expect(sorted(columns[2]!, 4)).toEqual([4, 0, 3, 2]);
  expect(ordered(at, columns[0]!, (i) => items[i], 2).omitted).toBe(4);
});

test("columns go by their id with or without the unit", () => {
  expect(columnNamed(columns, "time")?.id).toBe("time_ns");
  expect(columnNamed(columns, "Share-Percent")?.id).toBe("share_percent");
  expect(columnNamed(columns, "ns")).toBeUndefined();
});

test("bytes and sparklines", () => {
  expect([0, 999, 1000, 1024, 1536, 1 << 20, 123456789].map(formatBytes)).toEqual([
    "0B",
    "999B",
    "0.98KiB",
    "1.00KiB",
    "1.50KiB",
    "1.00MiB",
    "118MiB",
  ]);
  expect(sparkline([0, 0.1, 2, 4], 4, true)).toBe(" ▁▄█");
  expect(sparkline([0, 0.1, 2, 4], 4, false)).toBe(" .=@");
});

for (const name of [
  "failures",
  "pid_reuse",
  "lost_events",
  "cut_off",
  "daemon",
  "roots",
  "merged",
  "exec_chain",
  "empty",
  "hostile",
])
  test(`report: ${name}`, () => {
    const drawing = DRAWINGS[name];
    if (drawing === undefined) throw new Error(`no drawing ${name}`);
    const analysis = new Analysis(timeline(drawing), { by: "argv", unicode: true, full: false });
    const steps = makeReport(analysis, { sections: wholeReport(true), limit: 10, sort: undefined });
    let step = steps.next();
    while (step.done !== true) step = steps.next();
    let out = "";
    writeText(step.value, { width: 100, color: false, unicode: true }, (s) => (out += s));
    expectGolden(`analyse_${name}`, out);
  });
