// Whole directories that are finished, growing, cut off, damaged or hostile: what can be had is had, and what is wrong is told.
import { afterAll, expect, test } from "bun:test";
import { Cause, Effect, Exit } from "effect";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { formatProblem, Problems } from "../../lib/model/problem.ts";
import { analyseLines } from "../../lib/trackexec/analyse_lines.ts";
import type { LineOptions } from "../../lib/trackexec/line_report.ts";
import { TrackexecError } from "../../lib/trackexec/trackexec_error.ts";
import { type BlockOf, blockWords, fixtureLog, indexBytes, tarOf, writeLog } from "../support/trackexec.ts";

const folder = mkdtempSync(join(tmpdir(), "tk-trackexec-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let next = 0;
const fresh = () => join(folder, String(next++));

/** A copy of a fixture that may be damaged. */
function copy(name: string): string {
  const dir = fresh();
  cpSync(fixtureLog(name), dir, { recursive: true });
  return dir;
}

const OPTIONS: LineOptions = {
  sortColumn: "cumulated-runtime",
  items: 0,
  fileId: undefined,
  compatible: false,
  withSelf: false,
};

async function analyse(dir: string, options: Partial<LineOptions> = {}) {
  const problems = new Problems();
  const exit = await Effect.runPromiseExit(analyseLines(dir, { ...OPTIONS, ...options }, problems));
  if (Exit.isFailure(exit)) {
    const error = Cause.squash(exit.cause);
    if (!(error instanceof TrackexecError)) throw error;
    return {
      events: 0,
      rows: [],
      sources: new Map<number, never>(),
      told: [error.message, error.hint ?? ""],
      notes: [],
    };
  }
  const { report, rows, sources } = exit.value;
  const told = problems.kept.map((p) => formatProblem(p).replaceAll(dir, "DIR"));
  const events = Number(report.facts.find((f) => f.id === "line_events")!.value);
  return { events, rows, sources, told, notes: report.notes };
}

/** Blocks of three lines that line 1 called, 100 ticks each. */
const blocks = (n: number): BlockOf[] =>
  Array.from({ length: n }, (_, i) => ({
    start: 1000 + i * 100,
    stack: [
      [0, 1],
      [0, 9],
    ],
    steps: [{ line: 2 }, { line: 3 }, { line: 4 }],
  }));

const SOURCE = [{ name: "srv/app.py", text: "one\ntwo\nthree\nfour\n" }];

test("a log that still grows: its maps may know a block more than its index, and the next map may just have begun", async () => {
  const dir = writeLog(fresh(), blocks(40), SOURCE, true);
  writeFileSync(join(dir, "log_index"), indexBytes(blocks(39).map((b) => b.start)));
  expect(await analyse(dir)).toMatchObject({ events: 39 * 3, told: [] });
  // The compressed map is half written while the other is still there.
  copyFileSync(join(dir, "log_map", "1"), join(dir, "log_map", "1.whole"));
  writeFileSync(join(dir, "log_map", "1.gz"), gzipSync(readFileSync(join(dir, "log_map", "1"))).subarray(0, 30));
  expect(await analyse(dir)).toMatchObject({ events: 39 * 3, told: [] });
});

test("the file that holds more of a map is read, when neither holds all", async () => {
  const dir = writeLog(fresh(), blocks(32), SOURCE);
  const whole = gunzipSync(readFileSync(join(dir, "log_map", "0.gz")));
  writeFileSync(join(dir, "log_map", "0"), whole.subarray(0, 8192 * 5));
  expect(await analyse(dir)).toMatchObject({ events: 32 * 3, told: [] });
  writeFileSync(join(dir, "log_map", "0.gz"), gzipSync(whole.subarray(0, 8192 * 4)));
  expect(await analyse(dir)).toMatchObject({
    events: 5 * 3,
    told: ["DIR/log_map/0: it ends after 5 of 32 blocks", "DIR/log_map: 27 of 32 blocks are missing"],
  });
});

test("an uncompressed map that is cut inside a block keeps the lines before the cut", async () => {
  const dir = writeLog(fresh(), blocks(3), SOURCE, true);
  truncateSync(join(dir, "log_map", "0"), 8192 * 2 + 7 * 2);
  expect(await analyse(dir)).toMatchObject({
    events: 8,
    told: ["DIR/log_map/0: block 2: it is cut off; the rest of it is kept"],
  });
});

test("without an index lines are counted, with the times of their stamps only", async () => {
  const dir = writeLog(
    fresh(),
    [
      { start: 1000, stack: [[0, 1]], steps: [{ line: 2 }, { stamp: 70 }, { line: 3 }] },
      { start: 2000, stack: [[0, 1]], steps: [{ line: 2 }, { stamp: 30 }] },
    ],
    SOURCE,
  );
  rmSync(join(dir, "log_index"));
  const { events, rows, told } = await analyse(dir);
  expect(events).toBe(3);
  expect(rows.find((r) => r.line === 2)!.cost).toMatchObject({ count: 2, cumulated: 100 });
  expect(told).toEqual(["DIR/log_index: it is missing: lines are counted, but between blocks no time is known"]);
});

test("an index that is cut: its blocks count, the others are told", async () => {
  const dir = writeLog(fresh(), blocks(40), SOURCE);
  truncateSync(join(dir, "log_index"), 34 * 10 + 3);
  expect(await analyse(dir)).toMatchObject({
    events: 34 * 3,
    told: [
      "DIR/log_index: it ends in the middle of a record",
      "DIR/log_index: 6 blocks of log_map are not in it and have no times; they are left out",
    ],
  });
});

test("an index with a wrong time: one block's time is repaired, the others keep theirs", async () => {
  const costs = async (damage: (starts: number[]) => void) => {
    const all = blocks(70);
    const dir = writeLog(fresh(), all, SOURCE);
    const starts = all.map((b) => b.start);
    damage(starts);
    writeFileSync(join(dir, "log_index"), indexBytes(starts));
    const { rows, told } = await analyse(dir);
    return { ticks: rows.find((r) => r.line === 1)!.cost!.cumulated, told };
  };
  const right = await costs(() => {});
  expect(right).toEqual({ ticks: 69 * 100, told: [] });
  for (const block of [1, 31, 32, 33, 50]) {
    const late = await costs((starts) => (starts[block] = 2 ** 50));
    expect(late).toEqual({ ticks: 69 * 100, told: [expect.stringContaining(`block ${block} is after that`)] });
    const early = await costs((starts) => (starts[block] = 5));
    expect(early).toEqual({ ticks: 69 * 100, told: [expect.stringContaining(`block ${block} is before that`)] });
  }
  const dir = writeLog(fresh(), blocks(3), SOURCE);
  writeFileSync(join(dir, "log_index"), Buffer.from(indexBytes([1000, 1100, 1200])).fill(255, 10, 18));
  expect((await analyse(dir)).told).toEqual(["DIR/log_index: the time of block 1 is beyond 2^53 ticks"]);
});

test("missing maps are told by the number of blocks, however many the index claims", async () => {
  const dir = writeLog(fresh(), blocks(100), SOURCE);
  rmSync(join(dir, "log_map", "1.gz"));
  expect(await analyse(dir)).toMatchObject({
    events: 68 * 3,
    told: ["DIR/log_map: 32 of 100 blocks are missing"],
  });
  truncateSync(join(dir, "log_index"), 10 * 10 ** 9);
  const began = performance.now();
  const huge = await analyse(dir);
  expect(performance.now() - began).toBeLessThan(2000);
  expect(huge.told).toEqual([
    "DIR/log_index: the time of block 100 is before that of the block before it, and 27 of the next 31 are no better",
    "DIR/log_map/3.gz: it ends after 4 of 32 blocks",
    "DIR/log_map: 999,999,932 of 1,000,000,000 blocks are missing",
  ]);
  rmSync(join(dir, "log_map"), { recursive: true });
  expect((await analyse(dir)).told[0]).toBe("DIR/log_map: none of its 1,000,000,000 blocks could be read");
});

test("a corrupt gzip stream: the blocks before the damage count, those after it do not", async () => {
  const dir = copy("module");
  const path = join(dir, "log_map", "1.gz");
  const packed = readFileSync(path);
  packed[packed.length >> 1]! ^= 0x5a;
  writeFileSync(path, packed);
  const { events, told } = await analyse(dir);
  expect(events).toBeGreaterThan(180_000);
  expect(events).toBeLessThan(302_909);
  expect(told[0]).toMatch(
    /^DIR\/log_map\/1\.gz: its gzip stream is corrupt \(.*\); of its 32 blocks \d+ could be used$/,
  );
});

test("a wrong checksum alone is told, and the blocks that are whole count", async () => {
  const dir = copy("module");
  const path = join(dir, "log_map", "0.gz");
  const packed = readFileSync(path);
  packed[packed.length - 7]! ^= 1;
  writeFileSync(path, packed);
  const { events, told } = await analyse(dir);
  expect(events).toBe(302_909);
  expect(told).toHaveLength(1);
  expect(told[0]).toContain("of its 32 blocks 32 could be used");
});

test("hostile sizes are not believed", async () => {
  const dir = writeLog(fresh(), blocks(64), SOURCE);
  writeFileSync(join(dir, "log_map", "0.gz"), gzipSync(Buffer.alloc(1 << 28)));
  truncateSync(join(dir, "log_map", "1.gz"), 2 ** 40);
  const before = process.memoryUsage().rss;
  const { told } = await analyse(dir);
  expect(process.memoryUsage().rss - before).toBeLessThan(200 << 20);
  expect(told[0]).toContain("DIR/log_map/0.gz: it unpacks to more than 262144 bytes");
  expect(told[1]).toContain("DIR/log_map/1.gz: it is larger than 524288 bytes");
  const plain = writeLog(fresh(), blocks(32), SOURCE, true);
  truncateSync(join(plain, "log_map", "0"), 2 ** 40);
  expect(await analyse(plain)).toMatchObject({
    events: 96,
    told: ["DIR/log_map/0: it is larger than 262144 bytes; of its 32 blocks 32 could be used"],
  });
});

test("what stands in place of a file is never waited for", async () => {
  const dir = writeLog(fresh(), blocks(64), SOURCE);
  for (const name of ["log_map/1.gz", "log_sources.tar.gz", "pid"]) {
    rmSync(join(dir, name));
    execFileSync("mkfifo", [join(dir, name)]);
  }
  const { events, told } = await analyse(dir);
  expect(events).toBe(96);
  expect(told).toContain("DIR/log_sources.tar.gz: it is no file: places have no path and no source line");
  const index = writeLog(fresh(), blocks(2), SOURCE);
  rmSync(join(index, "log_index"));
  execFileSync("mkfifo", [join(index, "log_index")]);
  expect((await analyse(index)).events).toBe(6);
  const folders = writeLog(fresh(), blocks(64), SOURCE);
  rmSync(join(folders, "log_map", "0.gz"));
  mkdirSync(join(folders, "log_map", "0.gz"));
  expect((await analyse(folders)).events).toBe(96);
});

test("what is no log is an error with a hint", async () => {
  expect((await analyse(join(folder, "nowhere"))).told[0]).toContain("there is no such directory");
  const file = join(folder, "file");
  writeFileSync(file, "");
  expect((await analyse(file)).told[0]).toContain("it is not a directory");
  const run = fresh();
  for (const name of ["server-main", "server-db"]) writeLog(join(run, name), blocks(1), SOURCE);
  const { told } = await analyse(run + "/");
  expect(told[0]).toContain("a directory without a log_index, expected a trackexec log");
  expect(told[1]).toBe(`there are logs inside it, such as ${run}/server-db, ${run}/server-main`);
  const chosen = writeLog(fresh(), blocks(1), SOURCE);
  expect((await analyse(chosen, { fileId: 7 })).told).toEqual([
    `File id 7 is not in '${chosen}': no line of it was executed`,
    "there are 0 (/srv/app.py)",
  ]);
});

test("sources: long names, links and their targets, missing members, text that is not UTF-8", async () => {
  const dir = fresh();
  const files = [0, 1, 2, 3, 4, 9];
  const steps = files.flatMap((file) => [{ call: file }, { line: 2 }, { ret: true } as const]);
  writeLog(
    dir,
    [{ start: 1, steps }],
    [
      { name: "cut", pax: "srv/" + "long/".repeat(40) + "a.py", text: "a\nb\n" },
      { name: "srv/link.py", link: "../lib/./real.py" },
      { name: "lib/real.py", text: "x\ny\n" },
      { name: "srv/latin.py", text: Uint8Array.of(10, 233, 10) },
      { name: "srv/loop.py", link: "loop.py" },
    ],
  );
  const { sources, told } = await analyse(dir);
  expect(told).toEqual([]);
  const found = [...sources].map(([file, s]) => [file, s.path, s.lines.get(2)]);
  expect(found).toEqual([
    [0, "/srv/" + "long/".repeat(40) + "a.py", "b"],
    [1, "/srv/link.py", "y"],
    [2, "/lib/real.py", "y"],
    [3, "/srv/latin.py", "\ufffd"],
    [4, "/srv/loop.py", undefined],
  ]);
  const one = await analyse(dir, { fileId: 1 });
  expect(one.rows.map((row) => [row.line, row.cost?.count])).toEqual([
    [1, undefined],
    [2, 1],
  ]);
});

test("sources that are gone, cut or no archive leave numbers without text", async () => {
  const dir = writeLog(fresh(), blocks(2), SOURCE);
  const path = join(dir, "log_sources.tar.gz");
  const packed = readFileSync(path);
  const told = async () => (await analyse(dir)).told;
  rmSync(path);
  expect(await told()).toEqual(["DIR/log_sources.tar.gz: it is missing: places have no path and no source line"]);
  writeFileSync(path, packed.subarray(0, packed.length >> 1));
  expect((await told()).join("\n")).toContain("DIR/log_sources.tar.gz: the gzip stream is cut or corrupt");
  writeFileSync(path, gzipSync("this is no archive".repeat(100)));
  expect((await told()).join("\n")).toContain("a header's checksum is wrong; the files before that are known");
  writeFileSync(path, gzipSync(tarOf(SOURCE).subarray(0, 700)));
  expect((await told()).join("\n")).toContain("the archive is cut off");
  // A body that claims more than the archive has, or than anybody has.
  const tar = Buffer.from(tarOf([{ name: "a", text: "x" }]));
  tar.write("77777777777\0", 124);
  tar.write("        ", 148);
  const sum = tar.subarray(0, 512).reduce((a, b) => a + b, 0);
  tar.write(sum.toString(8).padStart(6, "0") + "\0 ", 148);
  writeFileSync(path, gzipSync(tar));
  expect((await told()).join("\n")).toContain("expected at most 16777216");
});

test("an archive that unpacks without end is left after a gigabyte's worth of looking, not held", async () => {
  const dir = writeLog(fresh(), blocks(1), SOURCE);
  const zeros = Buffer.from(
    tarOf([
      { name: "a", text: "x\n".repeat(1000) },
      { name: "b", text: new Uint8Array(64 << 20) },
    ]),
  );
  writeFileSync(join(dir, "log_sources.tar.gz"), gzipSync(zeros));
  const before = process.memoryUsage().rss;
  const { sources } = await analyse(dir);
  expect(sources.get(0)?.path).toBe("/a");
  expect(process.memoryUsage().rss - before).toBeLessThan(150 << 20);
});

test("a file that may not be read is told by name", async () => {
  const dir = writeLog(fresh(), blocks(64), SOURCE);
  // A link to itself cannot be opened by anyone, root included.
  rmSync(join(dir, "log_map", "1.gz"));
  symlinkSync("1.gz", join(dir, "log_map", "1.gz"));
  const { events, told } = await analyse(dir);
  expect(events).toBe(96);
  expect(told.join("\n")).toContain("log_map/1");
  chmodSync(dir, 0o755);
  expect(existsSync(join(dir, "log_index"))).toBe(true);
});

test("a directory's blocks are the words that were written", () => {
  const words = blockWords({ start: 0, stack: [[1, 2]], steps: [{ line: 3 }] });
  expect([...words.subarray(0, 5)]).toEqual([1, 1, 2, 3, 0]);
});
