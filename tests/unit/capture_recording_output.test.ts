// The recording's way out when writing fails: what is in the file is whole lines, what is not is counted.
import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RecordingOutput } from "../../lib/capture/recording_output.ts";
import { RecordingWriter } from "../../lib/format/recording_writer.ts";
import { closeFile, O_CREAT, O_RDWR, openFile } from "../../lib/host/descriptors.ts";
import { ERRNO } from "../../lib/host/errno.ts";
import { openKernel } from "../../lib/host/kernel.ts";
import { Block } from "../../lib/host/memory.ts";
import { setDisposition, SIG } from "../../lib/host/signals.ts";
import { NR } from "../../lib/host/syscalls.ts";

const folder = mkdtempSync(join(tmpdir(), "tk-output-"));
afterAll(() => rmSync(folder, { recursive: true }));

const now = () => 77;
const RLIMIT_FSIZE = 1;

/** Largest file that this process may write: a full disk that needs no disk. */
function limitFileSize(bytes: number | undefined): void {
  const limit = new Block(16);
  const infinity = -1;
  limit.setWord(0, bytes ?? infinity);
  limit.setWord(8, infinity);
  expect(openKernel().call(NR.prlimit64, 0, RLIMIT_FSIZE, limit.address, 0)).toBe(0);
}

function open(name: string): { path: string; fd: number } {
  const path = join(folder, name);
  const fd = openFile(path, O_RDWR | O_CREAT, 0o600);
  expect(fd).toBeGreaterThan(2);
  return { path, fd };
}

function lines(path: string): { tag: string; seq: number; count: number }[] {
  const text = readFileSync(path, "utf8");
  expect(text.endsWith("\n")).toBe(true);
  return text
    .trimEnd()
    .split("\n")
    .map((line) => {
      const [[tag, fields]] = Object.entries(JSON.parse(line)) as [[string, { seq: number; count: number }]];
      return { tag, seq: fields.seq, count: fields.count };
    });
}

describe("a file that cannot grow, and then can", () => {
  // Every border: before a line, inside a line, at its end, inside the note about the loss.
  const borders = Array.from({ length: 140 }, (_, i) => 60 + i * 3);
  test("at every border the file holds whole lines, and events kept + lost = events made", () => {
    setDisposition(SIG.XFSZ, "ignore");
    for (const border of borders) {
      const { path, fd } = open(`border-${border}`);
      const out = new RecordingOutput(new RecordingWriter(), fd);
      limitFileSize(border);
      for (let i = 0; i < 12; i++) {
        out.writer.fork(i, 1, 100 + i, 1);
        if (i % 3 === 2) out.flush(now);
      }
      expect(out.errno).toBe(ERRNO.EFBIG);
      const lostSoFar = out.lost;
      limitFileSize(border + 40);
      out.writer.fork(20, 1, 200, 1);
      out.flush(now);
      limitFileSize(undefined);
      out.writer.fork(21, 1, 201, 1);
      out.flush(now);
      out.writer.fork(22, 1, 202, 1);
      out.flush(now);
      closeFile(fd);
      const all = lines(path);
      const forks = all.filter((l) => l.tag === "Fork");
      const told = all.filter((l) => l.tag === "Lost").reduce((sum, l) => sum + l.count, 0);
      expect({ border, sum: forks.length + told }).toEqual({ border, sum: 15 });
      expect({ border, lost: out.lost }).toEqual({ border, lost: told });
      expect(lostSoFar).toBeGreaterThan(0);
      expect(new Set(all.map((l) => l.seq)).size).toBe(all.length);
      expect(forks.at(-1)!.seq).toBe(Math.max(...all.map((l) => l.seq)));
    }
  });
});

test("a reader that has gone ends the recording: everything after is counted, nothing is written", () => {
  const block = new Block(16);
  const kernel = openKernel();
  setDisposition(SIG.PIPE, "ignore");
  expect(kernel.call(NR.pipe2, block.address, 0o2000000)).toBe(0);
  const [readEnd, writeEnd] = [block.i32[0]!, block.i32[1]!];
  const out = new RecordingOutput(new RecordingWriter(), writeEnd);
  out.writer.fork(1, 1, 2, 1);
  out.flush(now);
  expect([out.lost, out.closed]).toEqual([0, false]);
  closeFile(readEnd);
  for (let i = 0; i < 5; i++) {
    out.writer.fork(2 + i, 1, 3, 1);
    out.flush(now);
  }
  closeFile(writeEnd);
  expect([out.lost, out.closed, out.errno, out.pending]).toEqual([5, true, ERRNO.EPIPE, false]);
});

test("a non-blocking pipe that is full makes the writer wait for its reader, and loses nothing", async () => {
  const block = new Block(16);
  const kernel = openKernel();
  const nonBlocking = 0o4000;
  expect(kernel.call(NR.pipe2, block.address, nonBlocking)).toBe(0);
  const [readEnd, writeEnd] = [block.i32[0]!, block.i32[1]!];
  const reader = Bun.spawn(["sh", "-c", "sleep 0.2; cat | wc -c"], { stdin: readEnd, stdout: "pipe" });
  closeFile(readEnd);
  const out = new RecordingOutput(new RecordingWriter(), writeEnd);
  let made = 0;
  for (let i = 0; i < 5000; i++) {
    out.writer.fork(i, 1, 2, 1);
    out.spill(now);
  }
  out.flush(now);
  made = out.writer.seq;
  closeFile(writeEnd);
  const counted = Number(await new Response(reader.stdout).text());
  expect([made, out.lost]).toEqual([5000, 0]);
  expect(counted).toBeGreaterThan(5000 * 50);
});
