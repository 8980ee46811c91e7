// Lines of recordings as tracks: whatever happens to blocks and sources, the rest stays usable and each fault is told.
import { expect, test } from "bun:test";
import fc from "fast-check";
import { appendFileSync, closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zstdCompressSync } from "node:zlib";
import { findBlockCodec } from "../../lib/host/block_codec.ts";
import { enterWord, WORD } from "../../lib/lines/block_builder.ts";
import { LineCosts } from "../../lib/lines/line_costs.ts";
import { Problems } from "../../lib/model/problem.ts";
import { decodeRecording } from "../../lib/pipeline/read.ts";
import { RecordingLines } from "../../lib/traces/recording_lines.ts";
import { LineRecording } from "../support/line_recording.ts";

const encoder = new TextEncoder();

function open(bytes: Uint8Array | string): { lines: RecordingLines; problems: string[] } {
  const recording = decodeRecording(typeof bytes === "string" ? encoder.encode(bytes) : bytes, "x.prof");
  const problems = new Problems();
  problems.takeOver(recording.problems);
  const lines = new RecordingLines(recording, problems);
  for (const track of lines.tracks) for (let block = 0; block < track.blocks; block++) track.load(block);
  return { lines, problems: problems.kept.map((p) => p.message) };
}

/** A program of two threads and three blocks: 40 + 40 lines of one, 5 of the other. */
function sample(codec?: string): LineRecording {
  const r = new LineRecording(codec === undefined ? undefined : findBlockCodec(codec));
  r.event("Recording", { version: 1, backend: "ptrace", started_unix_ns: "1700000000000000000" });
  const main = r.source("/srv/app.py", "def f():\n    pass\n\nf()\n");
  const other = r.source("/srv/other.py");
  const a = r.stream({ pid: 10, tid: 10, stream: "10-a.0" });
  a.define(0, { source: main, firstLine: 1, name: "f" });
  a.define(1, { source: other, firstLine: 100_000, name: "g" });
  let now = 1_000_000;
  a.add(enterWord(0), now);
  for (let i = 0; i < 40; i++) a.add(1 + (i % 3), (now += 1000));
  a.flush();
  a.add(enterWord(1), (now += 1000));
  for (let i = 0; i < 40; i++) a.add(100_001 + (i % 3), (now += 1000));
  a.add(WORD.returned, (now += 1000));
  a.flush();
  const b = r.stream({ pid: 10, tid: 11, stream: "10-a.1", name: "worker" });
  b.define(0, { source: main, firstLine: 1, name: "f" });
  b.add(enterWord(0), 1_005_000);
  for (let i = 0; i < 5; i++) b.add(2, 1_006_000 + i * 500);
  b.flush();
  r.event("End", { timestamp: now + 1000, events: 5, processes: 1, lost: 0, exit_code: 0 });
  return r;
}

const counts = (lines: RecordingLines) => lines.tracks.map((t) => [t.tid, t.blocks, t.events]);

test("tracks, places and times are those that were recorded, with either codec", () => {
  for (const codec of ["tkl1-zstd", "tkl1-deflate"]) {
    const { lines, problems } = open(sample(codec).bytes());
    expect(problems).toEqual([]);
    expect(counts(lines)).toEqual([
      [10, 2, 80],
      [11, 1, 5],
    ]);
    expect(lines.sources.map((s) => s.path)).toEqual(["/srv/app.py", "/srv/other.py"]);
    expect(lines.sources.map((s) => s.text())).toEqual(["def f():\n    pass\n\nf()\n", undefined]);
    const track = lines.tracks[0]!;
    expect([track.has(0, 0, 3), track.has(0, 0, 4), track.has(0, 1, 100_001), track.has(1, 1, 100_003)]).toEqual([
      true,
      false,
      false,
      true,
    ]);
    const view = track.load(1);
    expect([...view.stackLine]).toEqual([1]);
    expect([view.count, view.line[0], view.depth[0], view.time[0]]).toEqual([40, 100_001, 2, 1_042_000]);
    expect(lines.codes[view.code[0]!]).toEqual({ file: 1, name: "g", firstLine: 100_000 });
    expect(track.endOf(0)).toBe(track.startOf(1));
  }
});

test("costs from the heads are the whole recording's", () => {
  const { lines } = open(sample().bytes());
  const costs = new LineCosts();
  lines.addCosts(costs);
  expect(costs.events).toBe(85);
  expect(costs.find(0, 2)).toMatchObject({ count: 13 + 5 });
  const worker = new LineCosts();
  lines.addCosts(worker, 1);
  expect([worker.events, worker.length]).toEqual([5, 1]);
});

/** The text with one of its LineBlock lines changed. */
function withBlock(nth: number, change: (line: string) => string): string {
  let n = -1;
  return sample()
    .text()
    .split("\n")
    .map((line) => (line.startsWith('{"LineBlock"') && ++n === nth ? change(line) : line))
    .join("\n");
}

const spoil = (field: string) => (line: string) =>
  line.replace(
    new RegExp(`"${field}":"(.{20})(.)`),
    (_, before: string, c: string) => `"${field}":"${before}${c === "A" ? "B" : "A"}`,
  );

test("a corrupt block is told by its checksum; the others are read", () => {
  const data = open(withBlock(1, spoil("data")));
  expect(data.problems).toEqual(['block 1 of stream "10-a.0": its events are damaged (the checksum is another)']);
  expect(counts(data.lines)).toEqual([
    [10, 2, 80],
    [11, 1, 5],
  ]);
  expect(data.lines.tracks[0]!.load(1).count).toBe(0);
  expect(data.lines.tracks[0]!.load(0).count).toBe(40);
  const head = open(withBlock(0, spoil("head")));
  expect(head.problems).toEqual([
    'block 0 of stream "10-a.0": its head is damaged (the checksum is another); left out',
    '1 of 2 blocks of stream "10-a.0" are missing',
  ]);
  expect(counts(head.lines)).toEqual([
    [10, 1, 40],
    [11, 1, 5],
  ]);
});

test("an unknown codec is named once, a cut last block is left out, a block that is there twice counts once", () => {
  const unknown = open(sample().text().replaceAll("tkl1-zstd", "tkl9-brotli\\u001b"));
  expect(unknown.problems).toHaveLength(1);
  expect(unknown.problems[0]).toContain('codec "tkl9-brotli\\u001b"');
  const text = sample().text();
  const cut = open(text.slice(0, text.lastIndexOf('"data"') + 30));
  expect(cut.problems[0]).toContain("cut off");
  expect(counts(cut.lines)).toEqual([[10, 2, 80]]);
  const twice = open(withBlock(0, (line) => `${line}\n${line}`));
  expect(twice.problems).toEqual(['block 0 of stream "10-a.0" is there twice; the first is kept']);
  expect(twice.lines.tracks[0]!.events).toBe(80);
});

test("blocks that lie about their size are refused", () => {
  const bomb = Buffer.from(zstdCompressSync(new Uint8Array(200_000_000))).toString("base64");
  const withBomb = open(
    withBlock(0, (line) =>
      line.replace(/"head_crc":\d+,"data_crc":\d+,/, "").replace(/"head":"[^"]*"/, `"head":"${bomb}"`),
    ),
  );
  expect(withBomb.problems[0]).toContain("cannot be decompressed, or is larger than any");
  const inData = open(
    withBlock(0, (line) =>
      line.replace(/"head_crc":\d+,"data_crc":\d+,/, "").replace(/"data":"[^"]*"/, `"data":"${bomb}"`),
    ),
  );
  expect(inData.problems).toEqual(['block 0 of stream "10-a.0": its events cannot be decompressed']);
  const claim = Buffer.from(zstdCompressSync(Uint8Array.of(1, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x07))).toString(
    "base64",
  );
  const claims = open(
    withBlock(0, (line) => line.replace(/"head_crc":\d+,/, "").replace(/"head":"[^"]*"/, `"head":"${claim}"`)),
  );
  expect(claims.problems[0]).toContain("left out");
});

test("fields of a wrong type, other orders of fields, unknown fields", () => {
  const wrong = open(withBlock(0, (line) => line.replace(/"stream":"[^"]*"/, '"stream":5')));
  expect(wrong.problems[0]).toBe("a LineBlock that cannot be read: stream is missing or of the wrong type");
  const backwards = open(withBlock(0, (line) => line.replace(/"end":\d+/, '"end":1')));
  expect(backwards.problems[0]).toContain("before it begins");
  const reordered = open(
    withBlock(0, (line) => {
      const { LineBlock } = JSON.parse(line) as { LineBlock: Record<string, unknown> };
      return JSON.stringify({ LineBlock: { data: LineBlock.data, extra: { a: [1] }, ...LineBlock } });
    }),
  );
  expect(reordered.problems).toEqual([]);
  expect(reordered.lines.tracks[0]!.load(0).count).toBe(40);
});

test("sources: missing, there twice, two under one id, not UTF-8", () => {
  const lines = sample().text().split("\n");
  const source = lines.findIndex((line) => line.startsWith('{"Source"'));
  const missing = open(lines.toSpliced(source, 1).join("\n"));
  expect(missing.problems[0]).toMatch(/^Source "[0-9a-f]{16}" is missing/);
  expect(missing.lines.tracks[0]!.load(0).count).toBe(40);
  const twice = open(lines.toSpliced(source, 0, lines[source]!).join("\n"));
  expect(twice.problems).toEqual([]);
  const impostor = lines[source]!.replace("/srv/app.py", "/srv/evil.py");
  const two = open(lines.toSpliced(source + 1, 0, impostor).join("\n"));
  expect(two.problems[0]).toContain("stands for two different files");
  expect(two.lines.sources[0]!.path).toBe("/srv/app.py");

  const r = new LineRecording();
  const latin = r.source(
    "/srv/latin.py",
    Uint8Array.from(Buffer.from("# -*- coding: latin-1 -*-\nx = '\xe9'\n", "latin1")),
  );
  const lossy = r.source("/srv/bad.py", Uint8Array.of(0x23, 0xff, 10));
  const s = r.stream({ pid: 1 });
  s.define(0, { source: latin, firstLine: 1, name: "a" });
  s.define(1, { source: lossy, firstLine: 1, name: "b" });
  [enterWord(0), 2, enterWord(1), 1].forEach((word, i) => s.add(word, i));
  s.flush();
  const { lines: opened } = open(r.bytes());
  expect(opened.sources.map((x) => x.text())).toEqual(["# -*- coding: latin-1 -*-\nx = 'é'\n", "#\ufffd\n"]);
});

test("what the recorder says of lines that it could not have stands in the notes", () => {
  const r = sample();
  r.event("Note", {
    timestamp: 5,
    about: "lines",
    message: "python3 -I does not look at PYTHONPATH",
    count: 2,
    pids: [4, 5],
  });
  r.event("Note", { timestamp: 5, about: "else", message: "not ours" });
  r.event("Lost", { timestamp: 6, count: 3, reason: "the disk \u001b[31mwas full" });
  const { lines, problems } = open(r.bytes());
  expect(problems).toEqual([]);
  expect(lines.notes).toEqual([
    "no lines of 2 processes: python3 -I does not look at PYTHONPATH",
    "3 events lost: the disk \\x1b[31mwas full",
  ]);
});

test("whatever a byte of a recording is changed to, nothing throws and the other threads stay", () => {
  const bytes = sample().bytes();
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.nat(255), (at, value) => {
      const changed = bytes.slice();
      changed[at] = value;
      const { lines } = open(changed);
      const costs = new LineCosts();
      lines.addCosts(costs);
      expect(costs.events).toBeLessThanOrEqual(85);
      for (const track of lines.tracks)
        for (let block = 0; block < track.blocks; block++) track.standAt(block, track.startOf(block) + 5000);
    }),
    { numRuns: 500 },
  );
});

test("a recording that is being written gives new blocks and threads with refresh, whole lines only", () => {
  const dir = mkdtempSync(join(tmpdir(), "tk-lines-"));
  try {
    const text = sample().text();
    const borders = [...text.matchAll(/^\{"LineBlock"/gm)].map((m) => m.index);
    const path = join(dir, "grows.prof");
    const first = text.slice(0, borders[1]! + 100);
    writeFileSync(path, first);
    const fd = openSync(path, "r");
    const lines = new RecordingLines(decodeRecording(encoder.encode(first), path), new Problems(), { fd });
    expect(counts(lines)).toEqual([[10, 1, 40]]);
    expect(lines.refresh()).toBe(false);
    appendFileSync(path, text.slice(first.length, borders[2]! + 50));
    expect(lines.refresh()).toBe(true);
    expect(counts(lines)).toEqual([[10, 2, 80]]);
    appendFileSync(path, text.slice(borders[2]! + 50));
    expect(lines.refresh()).toBe(true);
    expect(counts(lines)).toEqual([
      [10, 2, 80],
      [11, 1, 5],
    ]);
    expect(lines.tracks[1]!.load(0).count).toBe(5);
    expect(lines.refresh()).toBe(false);
    closeSync(fd);
  } finally {
    rmSync(dir, { recursive: true });
  }
});
