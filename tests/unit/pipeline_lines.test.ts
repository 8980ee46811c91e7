// Blocks of executed lines through sorting, merging and cutting: kept byte for byte, in order, and at the right time.
import { expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Effect } from "effect";
import { enterWord } from "../../lib/lines/block_builder.ts";
import { Problems } from "../../lib/model/problem.ts";
import { ingest } from "../../lib/pipeline/ingest.ts";
import { decodeRecording } from "../../lib/pipeline/read.ts";
import { sortRecording } from "../../lib/pipeline/sort_recording.ts";
import { RecordingLines } from "../../lib/traces/recording_lines.ts";
import { LineRecording } from "../support/line_recording.ts";

async function inFolder(use: (dir: string) => Promise<void>): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), "tk-lines-"));
  try {
    await use(dir);
  } finally {
    rmSync(dir, { recursive: true });
  }
}

function recorded(pid: number, startedUnixNs: string, blocks: number, text = "x = 1\n".repeat(1000)): string {
  const r = new LineRecording();
  r.event("Recording", { version: 1, backend: "ptrace", started_unix_ns: startedUnixNs, root_pid: pid });
  r.event("Fork", { timestamp: 500, parent_pid: 1, child_pid: pid, parent_pgid: 1 });
  r.event("ExecFull", {
    timestamp: 900,
    pid,
    ppid: 1,
    pgid: pid,
    filename: "/usr/bin/python3",
    args: ["python3", `${pid}.py`],
  });
  const id = r.source(`/srv/${pid}.py`, text);
  const s = r.stream({ pid, tid: pid, stream: `${pid}-1.0` });
  s.define(0, { source: id, firstLine: 1, name: "main" });
  let now = 1000;
  s.add(enterWord(0), now);
  let seed = pid;
  for (let block = 0; block < blocks; block++) {
    for (let i = 0; i < 20_000; i++) {
      seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
      s.add(1 + ((seed >>> 8) % 900), (now += seed >>> 18));
    }
    s.flush();
  }
  r.event("Exit", { timestamp: now + 1000, pid, ppid: 1, pgid: pid, exit_code: 0 });
  r.event("End", { timestamp: now + 2000, events: 9, processes: 1, lost: 0, exit_code: 0 });
  return r.text();
}

const sorted = (lines: readonly string[]) => [...lines].sort();
const linesOf = (text: string) => text.split("\n").filter((line) => line !== "");

test("a sort that spills keeps every block and source, byte for byte, blocks by time", () =>
  inFolder(async (dir) => {
    const text = recorded(100, "1700000000000000000", 60, "# a source of a megabyte\n".repeat(50_000));
    const lines = linesOf(text);
    // A shuffle that sorting has to undo; the header stays where it is.
    const shuffled = [
      lines[0]!,
      ...lines.slice(1).toSorted((a, b) => (a.length % 977) - (b.length % 977) || (a < b ? -1 : 1)),
    ];
    const path = join(dir, "a.prof");
    const output = join(dir, "sorted.prof");
    writeFileSync(path, shuffled.join("\n") + "\n");
    const problems = new Problems();
    await Effect.runPromise(sortRecording({ inputs: [path], output, memory: 1 << 20, problems }));
    expect(problems.kept).toEqual([]);
    const out = linesOf(readFileSync(output, "utf8"));
    expect(sorted(out)).toEqual(sorted(lines));
    const times = out.filter((l) => l.startsWith('{"LineBlock"')).map((l) => Number(/"timestamp":(\d+)/.exec(l)![1]));
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(times).toHaveLength(60);
  }));

test("recordings of different zeros are merged: blocks move with their ends, sources and threads are told apart", () =>
  inFolder(async (dir) => {
    const a = join(dir, "a.prof");
    const b = join(dir, "b.prof");
    writeFileSync(a, recorded(100, "1700000000000000000", 3));
    writeFileSync(b, recorded(200, "1700000000005000000", 3));
    const output = join(dir, "merged.prof");
    await Effect.runPromise(sortRecording({ inputs: [a, b], output, align: "wall", problems: new Problems() }));
    const problems = new Problems();
    const own = new RecordingLines(decodeRecording(readFileSync(b), "b"), problems);
    const merged = new RecordingLines(decodeRecording(readFileSync(output), "m"), problems);
    expect(problems.kept).toEqual([]);
    expect(merged.tracks.map((t) => [t.pid, t.blocks, t.events])).toEqual([
      [100, 3, 60_000],
      [200, 3, 60_000],
    ]);
    const before = own.tracks[0]!;
    const after = merged.tracks.find((t) => t.pid === 200)!;
    for (let block = 0; block < 3; block++) {
      expect(after.startOf(block)).toBe(before.startOf(block) + 5_000_000);
      expect(after.endOf(block)).toBe(before.endOf(block) + 5_000_000);
      const was = before.load(block);
      const is = after.load(block);
      expect(is.line).toEqual(was.line);
      expect(is.time[500]).toBe(was.time[500]! + 5_000_000);
      expect(merged.sources[merged.codes[is.code[0]!]!.file]!.path).toBe("/srv/200.py");
    }
  }));

test("a process is cut out of a recording with its own blocks, and with the sources", () =>
  inFolder(async (dir) => {
    const a = join(dir, "a.prof");
    const b = join(dir, "b.prof");
    writeFileSync(a, recorded(100, "1700000000000000000", 2));
    writeFileSync(b, recorded(200, "1700000000000000000", 2));
    const output = join(dir, "one.prof");
    await Effect.runPromise(ingest({ inputs: [a, b], pid: 200, output }));
    const out = linesOf(readFileSync(output, "utf8"));
    const wanted = linesOf(readFileSync(b, "utf8")).filter((l) => /^\{"(LineBlock|Source)"/.test(l));
    expect(out.filter((l) => l.startsWith('{"LineBlock"'))).toEqual(wanted.filter((l) => l.startsWith('{"LineBlock"')));
    expect(out).toContain(wanted.find((l) => l.startsWith('{"Source"'))!);
  }));
