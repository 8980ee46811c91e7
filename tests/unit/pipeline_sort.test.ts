// ExternalSort against the order as the event model states it, on any lines, any memory and any cuts of the input.
import { expect, test } from "bun:test";
import fc from "fast-check";
import { readdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ExternalSort, type RunStore } from "../../lib/pipeline/external_sort.ts";
import { transcodeMixed } from "../../lib/format/proctrace_raw.ts";
import { Problems } from "../../lib/model/problem.ts";
import { Spool } from "../../lib/host/spool.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

interface Sorted {
  readonly text: string;
  readonly broken: readonly string[];
  readonly runs: number;
  readonly inMain: boolean;
}

async function sorted(
  inputs: readonly string[],
  budget: number,
  cut: (input: Uint8Array) => Uint8Array[] = (b) => [b],
  withMain = false,
): Promise<Sorted> {
  const folder = mkdtempSync(join(tmpdir(), "tk-sort-unit-"));
  try {
    const parts: Uint8Array[] = [];
    const broken: string[] = [];
    let input = 0;
    const main = withMain ? new Spool(folder) : undefined;
    const mainRun: RunStore | undefined = main && { out: main.out, file: { text: main, users: 0 } };
    const sort = new ExternalSort(
      { budget, temporary: folder, mainRun },
      {
        broken: (line, last) => broken.push(`${input}:${line}${last ? " cut" : ""}`),
        tooLong: (line) => broken.push(`${input}:${line} long`),
      },
    );
    for (const text of inputs) {
      input++;
      sort.beginInput(undefined, () => transcodeMixed("input", new Problems()));
      for (const chunk of cut(encoder.encode(text))) sort.feed(chunk);
      sort.endInput();
    }
    const inMain = await sort.finish(
      () => ({ bytes: (b, from, to) => void parts.push(new Uint8Array(b.subarray(from, to))) }),
      () => Promise.resolve(),
    );
    if (inMain && main) {
      const all = new Uint8Array(main.out.size);
      main.read(all, 0, all.length, 0);
      parts.push(all);
    }
    sort.close();
    main?.close();
    expect(readdirSync(folder)).toEqual([]);
    return { text: parts.map((p) => decoder.decode(p)).join(""), broken, runs: sort.runCount, inMain };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The order of the event model, in the plainest words. */
function reference(inputs: readonly string[]): string {
  const rows: { line: string; ts: number; seq: number; index: number }[] = [];
  for (const input of inputs) {
    let ts = -Infinity;
    let seq = -1;
    for (const line of input.split("\n")) {
      if (line.trim() === "") continue;
      const value = JSON.parse(line) as Record<string, { timestamp?: number; seq?: number }>;
      const [tag, body] = Object.entries(value)[0] ?? ["", {}];
      if (tag === "Recording") {
        rows.push({ line, ts: -Infinity, seq: -2, index: rows.length });
        ts = -Infinity;
        seq = -1;
        continue;
      }
      if (body.timestamp !== undefined) {
        ts = body.timestamp;
        seq = body.seq ?? -1;
      }
      rows.push({ line, ts, seq, index: rows.length });
    }
  }
  const compare = (a: number, b: number) => (a < b ? -1 : a > b ? 1 : 0);
  rows.sort((a, b) => compare(a.ts, b.ts) || compare(a.seq, b.seq) || a.index - b.index);
  return rows.map((r) => r.line + "\n").join("");
}

let serial = 0;
const anyLine = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .record({ ts: fc.nat(60), seq: fc.option(fc.nat(3), { nil: undefined }), pad: fc.nat(40) })
      .map(({ ts, seq, pad }) =>
        JSON.stringify({
          Exit: { ...(seq === undefined ? {} : { seq }), timestamp: ts, pid: 7, n: serial++, pad: "x".repeat(pad) },
        }),
      ),
  },
  { weight: 2, arbitrary: fc.constant(0).map(() => JSON.stringify({ Source: { id: serial++ } })) },
  { weight: 1, arbitrary: fc.nat(60).map((ts) => JSON.stringify({ Whatever: { timestamp: ts, n: serial++ } })) },
  { weight: 1, arbitrary: fc.constant(0).map(() => JSON.stringify({ Recording: { n: serial++ } })) },
  { weight: 1, arbitrary: fc.constantFrom("", "  ") },
);
const anyInput = fc
  .record({ lines: fc.array(anyLine, { maxLength: 120 }), nearly: fc.boolean(), end: fc.boolean() })
  .map(({ lines, nearly, end }) => {
    const ordered = nearly
      ? reference([lines.join("\n")])
          .trimEnd()
          .split("\n")
      : lines;
    return ordered.join("\n") + (end && ordered.length > 0 ? "\n" : "");
  });

test("any lines come out in the order of the model, with any memory and any cuts", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyInput, { minLength: 1, maxLength: 3 }),
      fc.integer({ min: 200, max: 12_000 }),
      fc.integer({ min: 1, max: 300 }),
      fc.boolean(),
      async (inputs, budget, step, withMain) => {
        const cut = (b: Uint8Array) => {
          const chunks: Uint8Array[] = [];
          for (let at = 0; at < b.length; at += step) chunks.push(b.slice(at, at + step));
          return chunks;
        };
        const result = await sorted(inputs, budget, cut, withMain);
        expect(result.text).toBe(reference(inputs));
        expect(result.broken).toEqual([]);
      },
    ),
    { numRuns: 400 },
  );
});

test("any bytes, cut anywhere: nothing throws, what comes out are objects in order, and sorting them again changes nothing", async () => {
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 12 }),
    anyLine.map((line) => encoder.encode(line)),
    fc
      .constantFrom("\n", "\n", '{"Exit":{"timestamp":', "}}", "\r\n", '{"a":1,"b":2}', "\0")
      .map((s) => encoder.encode(s)),
    fc
      .constantFrom("FORK: seq=3,ts=5,parent_pid=1,child_pid=2\n", "EXEC_ARGS: ts=5,pid=2,a b\nc\n")
      .map((s) => encoder.encode(s)),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(piece, { maxLength: 60 }),
      fc.integer({ min: 200, max: 4000 }),
      async (pieces, budget) => {
        // One character a byte, and back, so that helpers which take text serve here too.
        const text = pieces.map((b) => Array.from(b, (c) => String.fromCharCode(c)).join("")).join("");
        const { text: out } = await sorted([text], budget, () => pieces);
        for (const line of out.split("\n").slice(0, -1)) expect(JSON.parse(line)).toBeObject();
        expect(out === "" || out.endsWith("\n")).toBe(true);
        const again = await sorted([out], budget);
        expect(again.text).toBe(out);
        expect(again.broken).toEqual([]);
      },
    ),
    { numRuns: 300 },
  );
});

function exits(times: readonly number[], pad = 60): string {
  return times.map((t, i) => `{"Exit":{"seq":${i},"timestamp":${t},"pid":1,"pad":"${"x".repeat(pad)}"}}\n`).join("");
}

test("what is nearly in order needs one run and no merge, however long it is", async () => {
  const times = Array.from({ length: 5000 }, (_, i) => i * 10 + (i % 7 === 0 ? 25 : 0));
  const text = exits(times);
  const result = await sorted([text], 50_000, undefined, true);
  expect(result.runs).toBe(1);
  expect(result.inMain).toBe(true);
  expect(result.text).toBe(reference([text]));
});

test("a latecomer beyond the memory costs a small run, not a new main one", async () => {
  const times = Array.from({ length: 5000 }, (_, i) => (i === 4000 ? 5 : i * 10));
  const text = exits(times);
  const result = await sorted([text], 50_000);
  expect(result.runs).toBe(2);
  expect(result.text).toBe(reference([text]));
});

test("backwards, the worst case, is merged in several passes", async () => {
  const text = exits(Array.from({ length: 3000 }, (_, i) => 3000 - i));
  const result = await sorted([text], 8_000);
  expect(result.runs).toBeGreaterThan(20);
  expect(result.text).toBe(reference([text]));
});

test("a file without any time stays as it is, in memory much smaller than it", async () => {
  const text = Array.from({ length: 4000 }, (_, i) => `{"Source":{"id":${i}}}\n`).join("");
  expect((await sorted([text], 4_000)).text).toBe(text);
});

test("lines without a time follow their predecessor even when it has left memory long ago", async () => {
  const block = (t: number) =>
    `{"Exit":{"timestamp":${t},"pid":1}}\n` +
    Array.from({ length: 300 }, (_, i) => `{"Source":{"id":"${t}.${i}"}}\n`).join("");
  const text = block(50) + block(10) + block(30);
  expect((await sorted([text], 3_000)).text).toBe(reference([text]));
});

test("a line that is longer than the memory passes", async () => {
  const long = `{"Exit":{"timestamp":3,"pid":1,"pad":"${"y".repeat(300_000)}"}}\n`;
  const text = exits([9, 8, 7]) + long + exits([6, 5, 4, 2, 1]);
  const result = await sorted([text, long], 10_000);
  expect(result.text).toBe(reference([text, long]));
});

test("lines that are no objects are told with their numbers and left out; blank lines count", async () => {
  const good = exits([2, 1]);
  const result = await sorted(
    [
      `hello\n\n${good}[1]\n"text"\n12\n{"Exit":{"timestamp":3,"pid":\n{"Exit":{"timestamp":4,"ti{"Exit":{"timestamp":5,"pid":1}}\n`,
      `\u0000\u0000\n${good}{"Ex`,
    ],
    5_000,
  );
  expect(result.text).toBe(reference([good, good]));
  expect(result.broken).toEqual(["1:1", "1:5", "1:6", "1:7", "1:8", "1:9", "2:1", "2:4 cut"]);
});

test("rubbish between the lines costs no memory and no runs", async () => {
  const good = exits(Array.from({ length: 40 }, (_, i) => 40 - i));
  const text = good.split("\n").join("\n" + "rubbish ".repeat(200) + "\n");
  const result = await sorted([text], 16_000);
  expect(result.text).toBe(reference([good]));
  expect(result.runs).toBe(0);
  expect(result.broken.length).toBe(40);
});

test("a last line without a newline counts when it is whole, and gets one", async () => {
  expect((await sorted(['{"Exit":{"timestamp":3,"pid":1}}\n{"Exit":{"timestamp":1,"pid":1}}'], 1000)).text).toBe(
    '{"Exit":{"timestamp":1,"pid":1}}\n{"Exit":{"timestamp":3,"pid":1}}\n',
  );
});

test("a byte order mark at the start of an input is dropped", async () => {
  expect(
    (await sorted(['\ufeff{"Exit":{"timestamp":3,"pid":1}}\n', '\ufeff{"Exit":{"timestamp":1,"pid":1}}\n'], 1000)).text,
  ).toBe('{"Exit":{"timestamp":1,"pid":1}}\n{"Exit":{"timestamp":3,"pid":1}}\n');
});

test("bytes are kept: odd spacing, escapes, bytes that are not UTF-8, carriage returns", async () => {
  const folder = mkdtempSync(join(tmpdir(), "tk-sort-unit-"));
  const odd = [
    '{ "Exit" : { "pid" : 1 , "timestamp" : 5 } }\r\n',
    '{"Ex\\u0069t":{"timestamp":4,"pid":1}}\n',
    '\t{"Nobody knows":{"timestamp":3,"a":[{"timestamp":99}]}}\n',
  ].map((s) => encoder.encode(s));
  const latin = Uint8Array.from([
    ...encoder.encode('{"Exit":{"timestamp":2,"pid":1,"x":"'),
    0xe9,
    0xff,
    ...encoder.encode('"}}\n'),
  ]);
  const parts: number[] = [];
  const sort = new ExternalSort({ budget: 10_000, temporary: folder }, { broken: () => {}, tooLong: () => {} });
  sort.beginInput();
  for (const b of [...odd, latin]) sort.feed(b);
  sort.endInput();
  await sort.finish(
    () => ({ bytes: (b, from, to) => void parts.push(...b.subarray(from, to)) }),
    () => Promise.resolve(),
  );
  sort.close();
  rmSync(folder, { recursive: true });
  expect(parts).toEqual([...latin, ...odd[2]!, ...odd[1]!, ...odd[0]!]);
});
