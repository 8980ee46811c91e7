// The report cache as a file: what is kept, who gets it, in which order, how much, and whose file it may be.
import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import {
  chownSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import { openLocked } from "../../lib/host/file_lock.ts";
import { ReportCache } from "../../lib/sink/report_cache.ts";
import { Bench, lines } from "../support/sinks.ts";
import { isRoot } from "../support/tk.ts";

const bench = new Bench();
afterAll(() => bench.close());

const PATH = bench.cachePath;
let cache: ReportCache;

function open(
  more: { readonly maxBytes?: number; readonly lockTimeoutMs?: number; readonly path?: string } = {},
): ReportCache {
  return new ReportCache({
    path: PATH,
    maxBytes: 1 << 20,
    lockTimeoutMs: 1000,
    tell: (level, message) => bench.told.push(`${level}: ${message}`),
    ...more,
  });
}

beforeEach(() => {
  rmSync(dirname(PATH), { recursive: true, force: true });
  bench.told.length = 0;
  cache = open();
});

const add = (n: number, sink = "a", topic = "report", to = cache) =>
  to.add({ topic, operation: "exec", sinks: [sink], message: `{"n":${n}}` });

test("keeps one JSON object per line, readable by the original, for this user only", async () => {
  const id = await add(1);
  const [line] = bench.kept();
  expect(line).toEqual({
    $id: id,
    $time: expect.any(Number),
    $operation: "exec",
    $topic: "report",
    $sinks: ["a"],
    $message: '{"n":1}',
  });
  expect(statSync(PATH).mode & 0o777).toBe(0o600);
  expect(statSync(dirname(PATH)).mode & 0o777).toBe(0o700);
});

test("a claim is for one sink and topic, oldest first; delivered reports leave, and so does an empty file", async () => {
  for (const [n, sink, topic] of [
    [1, "a"],
    [2, "b"],
    [3, "a", "audit"],
    [4, "a"],
  ] as const)
    await add(n, sink, topic);
  const claim = await cache.claim("a", "report");
  expect(claim.messages).toEqual(['{"n":1}', '{"n":4}']);
  await cache.settle(claim, "a", "delivered");
  expect(bench.kept().map((line) => line.$message)).toEqual(['{"n":2}', '{"n":3}']);
  await cache.settle(await cache.claim("b", "report"), "b", "delivered");
  await cache.settle(await cache.claim("a", "audit"), "a", "delivered");
  expect(existsSync(PATH)).toBe(false);
  expect((await cache.claim("a", "report")).messages).toEqual([]);
});

test("what is on its way is not given to a second tk; after a failure it is", async () => {
  await add(1);
  const claim = await cache.claim("a", "report");
  const other = open();
  expect((await other.claim("a", "report")).messages).toEqual([]);
  await cache.settle(claim, "a", "failed");
  expect((await other.claim("a", "report")).messages).toEqual(['{"n":1}']);
});

test("a lease of a tk that died ends, and one from a clock that was wrong does not count", async () => {
  await add(1);
  await cache.claim("a", "report");
  for (const until of [Date.now() - 1, Date.now() + 1e9]) {
    writeFileSync(PATH, readFileSync(PATH, "utf8").replace(/"\$leases":\{"a":\d+\}/, `"$leases":{"a":${until}}`));
    expect((await open().claim("a", "report")).messages).toHaveLength(1);
  }
});

test("two sinks of one report: each gets it once", async () => {
  await cache.add({ topic: "report", operation: "exec", sinks: ["a", "b"], message: '{"n":1}' });
  await cache.settle(await cache.claim("a", "report"), "a", "delivered");
  expect(bench.kept()[0]!.$sinks).toEqual(["b"]);
  expect((await cache.claim("a", "report")).messages).toEqual([]);
  expect((await cache.claim("b", "report")).messages).toHaveLength(1);
});

test("a report that is called unfit three times is dropped, counted and told", async () => {
  await add(1);
  for (let i = 0; i < 3; i++) await cache.settle(await cache.claim("a", "report"), "a", "unfit");
  expect(bench.kept()).toEqual([]);
  expect(cache.dropped).toBe(1);
  expect(bench.warnings()).toEqual(["warn: sink 'a' has refused a kept report 3 times, so it was dropped"]);
});

test("lines of the original are understood, several lines of JSON become one", async () => {
  mkdirSync(dirname(PATH), { recursive: true });
  writeFileSync(
    PATH,
    '{ "$message" : "{ \\"_OPERATION\\" : \\"exec\\",\\n \\"n\\" : 1 }", "$topic" : "report", "$sinks" : [ "a" ] }\n',
  );
  const claim = await cache.claim("a", "report");
  expect(claim.messages).toEqual(['{"_OPERATION":"exec","n":1}']);
  await cache.settle(claim, "a", "delivered");
  expect(existsSync(PATH)).toBe(false);
});

test("what is no kept report is left out and told with file and line; the rest is delivered", async () => {
  await add(1);
  const good = readFileSync(PATH, "utf8");
  const bad = [
    "half a li",
    "[]",
    "null",
    '{"$topic":"report","$sinks":["a"],"$message":"[1]"}',
    '{"$topic":1}',
    "\u0000",
  ];
  writeFileSync(PATH, `${good}\n${bad.join("\n")}\n`);
  const claim = await cache.claim("a", "report");
  expect(claim.messages).toEqual(['{"n":1}']);
  expect(bench.warnings()[0]).toBe(`warn: ${PATH}:3: expected a kept report; 6 such lines are left out`);
  expect(bench.kept()).toHaveLength(1);
});

test("the oldest go when it is full, and they are counted", async () => {
  const small = open({ maxBytes: 4000 });
  for (let n = 0; n < 60; n++) expect(await add(n, "a", "report", small)).toBeDefined();
  expect(statSync(PATH).size).toBeLessThanOrEqual(4000);
  const kept = bench.kept().map((line) => (JSON.parse(line.$message as string) as { n: number }).n);
  expect(kept).toEqual(kept.map((_, i) => 60 - kept.length + i));
  expect(small.dropped).toBe(60 - kept.length);
  expect(bench.warnings()).toHaveLength(1);
  expect(bench.warnings()[0]).toMatch(/is full: the oldest \d+ reports were dropped/);
});

test("a report that is longer than the whole cache is not kept, and nothing else is lost for it", async () => {
  const small = open({ maxBytes: 1000 });
  await add(1, "a", "report", small);
  const message = JSON.stringify({ fill: "x".repeat(2000) });
  expect(await small.add({ topic: "report", operation: "exec", sinks: ["a"], message })).toBeUndefined();
  expect(bench.kept()).toHaveLength(1);
});

test("one delivery takes at most 64 kept reports and a megabyte of them", async () => {
  mkdirSync(dirname(PATH), { recursive: true });
  const line = (n: number, size: number) =>
    `${JSON.stringify({ $id: String(n), $topic: "report", $sinks: ["a"], $message: JSON.stringify({ n, x: "x".repeat(size) }) })}\n`;
  writeFileSync(PATH, Array.from({ length: 100 }, (_, n) => line(n, 1)).join(""));
  expect((await cache.claim("a", "report")).messages).toHaveLength(64);
  expect((await cache.claim("a", "report")).messages).toHaveLength(36);
  writeFileSync(PATH, Array.from({ length: 5 }, (_, n) => line(n, 400_000)).join(""));
  expect((await cache.claim("a", "report")).messages).toHaveLength(2);
});

test("a hundred reports added at once by several tk are all there", async () => {
  const many = Array.from({ length: 5 }, () => open());
  await Promise.all(Array.from({ length: 100 }, (_, n) => add(n, "a", "report", many[n % 5])));
  expect(bench.kept()).toHaveLength(100);
});

describe("places that it does not use", () => {
  test("a link", async () => {
    mkdirSync(dirname(PATH), { recursive: true });
    writeFileSync(bench.path("elsewhere"), "");
    symlinkSync(bench.path("elsewhere"), PATH);
    expect(await add(1)).toBeUndefined();
    expect(bench.text("elsewhere")).toBe("");
    expect(bench.warnings()[0]).toContain("undelivered reports cannot be kept in");
  });

  test("somebody else's file", async () => {
    if (!isRoot) {
      console.warn("skipped: giving files away needs root");
      return;
    }
    mkdirSync(dirname(PATH), { recursive: true });
    writeFileSync(PATH, '{"$topic":"report","$sinks":["a"],"$message":"{\\"planted\\":1}"}\n');
    chownSync(PATH, 4711, 4711);
    expect((await cache.claim("a", "report")).messages).toEqual([]);
    expect(await add(1)).toBeUndefined();
    expect(bench.warnings()).toEqual([`warn: cannot read the report cache '${PATH}': it is not a file of this user`]);
  });

  test("a directory, or one that cannot be made; told once", async () => {
    mkdirSync(PATH, { recursive: true });
    expect(await add(1)).toBeUndefined();
    expect(await add(2)).toBeUndefined();
    expect(bench.warnings()).toHaveLength(1);
    expect(await add(3, "a", "report", open({ path: "/proc/nowhere/cache" }))).toBeUndefined();
  });

  test("one that another process has locked for too long", async () => {
    await add(1);
    const held = await openLocked(PATH, constants.O_RDWR, 0o600, 1000);
    const hurried = open({ lockTimeoutMs: 50 });
    const started = performance.now();
    expect(await add(2, "a", "report", hurried)).toBeUndefined();
    expect(performance.now() - started).toBeLessThan(1000);
    expect(bench.warnings()[0]).toContain("was locked by another process for 50 ms");
    await held.close();
    expect(lines(readFileSync(PATH, "utf8"))).toHaveLength(1);
  });
});
