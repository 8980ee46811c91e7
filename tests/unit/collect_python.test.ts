// Raw streams of Python interpreters to blocks: growing, finished, killed, damaged.
import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import { fieldBytes, LineCutter, parseMetaLine } from "../../lib/collect/meta_file.ts";
import { rawBlock, RawRun, Seen, dropRuns } from "../support/raw_streams.ts";

afterAll(dropRuns);

const ENTER = (code: number) => -4 - code;
const META =
  "P\t42\t1\t1000\t5000\t3.11.2\t/usr/bin/python3\texact\tapp.py\n" +
  "F\t0\t/src/app.py\t\nC\t0\t0\t1\t<module>\nC\t1\t0\t3\tf\nS\t0\t42\tMainThread\t0\n";
const EVENTS = [
  [ENTER(0), 1000],
  [1, 1100],
  [ENTER(1), 1200],
  [4, 1300],
  [-1, 1700],
  [2, 1800],
] as const;

describe("a stream", () => {
  test("is read up to its first unwritten event, and goes on from there", () => {
    const run = new RawRun();
    const seen = new Seen();
    const reader = run.reader(seen);
    run.write("42-a.meta", META);
    run.write("42-a.0.0", rawBlock(EVENTS.slice(0, 4)));
    reader.scan();
    reader.flush();
    expect(seen.blocks.map((b) => b.events)).toEqual([2]);
    run.write("42-a.0.0", rawBlock(EVENTS));
    run.append("42-a.meta", "E\t2000\n");
    reader.finish(undefined);
    expect(seen.blocks.map((b) => [b.name, b.pid, b.tid, b.stream, b.end])).toEqual([
      ["app.py", 42, 42, "42-a.0", 1300],
      ["app.py", 42, 42, "42-a.0", 2000],
    ]);
    expect(seen.blocks[1]!.stack).toEqual(["<module>:1", "f:4"]);
    expect(seen.blocks[1]!.self).toEqual({ "<module>:1": 100, "<module>:2": 200, "f:4": 400 });
    expect(seen.told).toEqual(["reached 42"]);
  });

  test("deletes what it has read, and only that", () => {
    const run = new RawRun();
    const seen = new Seen();
    const reader = run.reader(seen, true);
    run.write("42-a.meta", META);
    run.write("42-a.0.0", rawBlock(EVENTS, EVENTS.length));
    run.write("42-a.0.1", rawBlock([[3, 1900]]));
    run.write("unknown", "stays");
    reader.scan();
    expect(readdirSync(run.directory).sort()).toEqual(["42-a.0.1", "42-a.meta", "unknown"]);
    reader.processEnded(42, 2500);
    reader.scan();
    expect(readdirSync(run.directory)).toEqual(["unknown"]);
    expect(seen.blocks.at(-1)).toMatchObject({ end: 2500, events: 4 });
  });

  test("of an ended thread is closed at its end, while others go on", () => {
    const run = new RawRun();
    const seen = new Seen();
    const reader = run.reader(seen, true);
    run.write("42-a.meta", META + "S\t1\t43\tworker\t0\nX\t1\t1600\n");
    run.write("42-a.1.0", rawBlock(EVENTS.slice(0, 4)));
    reader.scan();
    reader.scan();
    expect(seen.blocks).toMatchObject([{ name: "worker", tid: 43, end: 1600, events: 2 }]);
    expect(existsSync(join(run.directory, "42-a.1.0"))).toBe(false);
  });

  test("without stamps has its times interpolated", () => {
    const run = new RawRun();
    const seen = new Seen();
    run.write("42-a.meta", META);
    run.write(
      "42-a.0.0",
      rawBlock([
        [ENTER(0), 1000],
        [1, 0],
        [2, 0],
        [3, 0],
        [4, 5000],
      ]),
    );
    run.reader(seen).finish(6000);
    expect(seen.blocks[0]!.self).toEqual({
      "<module>:1": 2000,
      "<module>:2": 1000,
      "<module>:3": 1000,
      "<module>:4": 1000,
    });
  });

  test("compressed by a spool is read as it was", () => {
    const run = new RawRun();
    const seen = new Seen();
    run.write("42-a.meta", META);
    run.write("42-a.0.0.z", deflateSync(rawBlock(EVENTS, EVENTS.length)));
    run.write("42-a.0.1", rawBlock([[3, 1900]]));
    run.reader(seen).finish(undefined);
    expect(seen.blocks.reduce((n, b) => n + b.events, 0)).toBe(4);
  });
});

describe("exec of another Python in the same process", () => {
  test("ends the first interpreter then", () => {
    const run = new RawRun();
    const seen = new Seen();
    const reader = run.reader(seen, true);
    run.write("42-a.meta", META);
    run.write("42-a.0.0", rawBlock(EVENTS.slice(0, 4)));
    reader.scan();
    run.write("42-b.meta", META.replace("\t1000\t", "\t9000\t"));
    run.write(
      "42-b.0.0",
      rawBlock([
        [ENTER(0), 9000],
        [1, 9100],
      ]),
    );
    reader.processBecame(42, 8000);
    reader.scan();
    reader.processEnded(42, 9999);
    reader.scan();
    expect(seen.blocks.map((b) => [b.stream, b.end])).toEqual([
      ["42-a.0", 8000],
      ["42-b.0", 9999],
    ]);
    expect(readdirSync(run.directory)).toEqual([]);
  });
});

describe("damaged and hostile files", () => {
  test.each([
    ["short", new Uint8Array(10), "it has 10 bytes, expected a header of 64"],
    ["no magic", new Uint8Array(900), "it does not begin with TKL1"],
    ["cut", rawBlock(EVENTS).subarray(0, 100), "it has 100 bytes, expected 832 for 64 events"],
    ["huge", hugeBlock(), "it claims room for 4294967295 events, expected 1 to 4194304"],
  ])("%s", (_name, bytes, message) => {
    const run = new RawRun();
    const seen = new Seen();
    run.write("42-a.meta", META);
    run.write("42-a.0.0", bytes);
    run.write("42-a.0.1", rawBlock(EVENTS));
    run.reader(seen).finish(undefined);
    expect(seen.told).toContain(`problem 42-a.0.0: ${message}`);
    expect(seen.blocks.reduce((n, b) => n + b.events, 0)).toBe(3);
  });

  test("words and times that make no sense", () => {
    const run = new RawRun();
    const seen = new Seen();
    run.write("42-a.meta", META);
    run.write(
      "42-a.0.0",
      rawBlock([
        [7, 5],
        [-1, 6],
        [ENTER(999), 1000],
        [5, 9e17],
        [6, 1500],
        [-2147483648, 1600],
      ]),
    );
    run.reader(seen).finish(2000);
    expect(seen.told.at(-1)).toBe("problem 42-a.0: 2 events made no sense where they stood");
    expect(seen.blocks[0]!.counts).toEqual({ "?:5": 1, "?:6": 1, "?:0": 0 });
  });

  test("a missing block is told and does not hide the next", () => {
    const run = new RawRun();
    const seen = new Seen();
    run.write("42-a.meta", META);
    run.write("42-a.0.3", rawBlock(EVENTS));
    run.reader(seen).finish(undefined);
    expect(seen.told).toContain("lost 42 0 3 blocks of stream 42-a.0 are missing");
    expect(seen.blocks.reduce((n, b) => n + b.events, 0)).toBe(3);
  });

  test("a recorder that could write nothing but its block says so there, once", () => {
    const run = new RawRun();
    const seen = new Seen();
    run.write("42-a.meta", META);
    const block = rawBlock(EVENTS);
    new DataView(block.buffer, block.byteOffset).setUint32(12, 13, true);
    run.write("42-a.0.0", block);
    const reader = run.reader(seen);
    reader.scan();
    reader.finish(undefined);
    expect(seen.told.filter((t) => t.startsWith("lost"))).toEqual([
      "lost 42 0 recording stopped: the process has become another user, who may not write here",
    ]);
    expect(seen.blocks.reduce((n, b) => n + b.events, 0)).toBe(3);
  });

  test("a copy's name never leaves its folder", () => {
    const run = new RawRun();
    const seen = new Seen();
    run.write("42-a.meta", META.replace("/src/app.py\t", "/src/app.py\t../../etc/passwd"));
    run.reader(seen).finish(undefined);
    expect(seen.sources[0]!.text).toBeUndefined();
    expect(seen.told.some((t) => t.includes("expected letters and digits"))).toBe(true);
  });
});

function hugeBlock(): Uint8Array {
  const bytes = rawBlock([]);
  new DataView(bytes.buffer).setUint32(8, 0xffffffff, true);
  return bytes;
}

describe("meta text", () => {
  const bytes = (text: string) => new TextEncoder().encode(text);

  test("fields are bytes, escaped where they must be", () => {
    expect([...fieldBytes(bytes("a%09%zz%2"))]).toEqual([97, 9, ...bytes("%zz%2")]);
    const file = parseMetaLine(Uint8Array.of(70, 9, 48, 9, 47, 0xff, 9)).unwrapOr(undefined);
    expect(file).toEqual({ tag: "F", file: 0, path: Uint8Array.of(47, 0xff), key: "" });
  });

  test("what is wrong is said", () => {
    expect(parseMetaLine(bytes("C\tx\t0\t1\tf"))._unsafeUnwrapErr()).toBe(
      'code_id is "x", expected a number from 0 to 2147483647',
    );
    expect(parseMetaLine(bytes("garbage"))._unsafeUnwrapErr()).toContain("expected a letter");
    expect(parseMetaLine(bytes("Z\tlater")).isOk()).toBe(true);
  });

  test("lines are cut wherever the pieces end", () => {
    const cutter = new LineCutter();
    const lines: string[] = [];
    for (const byte of bytes("one\ntwo\nthr"))
      cutter.push(Uint8Array.of(byte), (l) => lines.push(new TextDecoder().decode(l)));
    expect(lines).toEqual(["one", "two"]);
    expect(cutter.push(new Uint8Array(2 << 20), () => {})).toBe(false);
  });
});
