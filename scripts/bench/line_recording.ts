// Writes a recording of many executed lines for measurements: `bun scripts/bench/line_recording.ts FILE [LINES] [DISTINCT]`. A program of a few
// nested functions with loops, a line every 150 ns or so, as a fast recorder would see it.
import { closeSync, openSync, writeSync } from "node:fs";
import { JsonBytes } from "../../lib/base/json_bytes.ts";
import { writeLineBlock, writeSource } from "../../lib/format/line_writer.ts";
import { blockCodec, checksum } from "../../lib/host/block_codec.ts";
import { sourceId } from "../../lib/host/source_id.ts";
import { BlockBuilder, enterWord, WORD } from "../../lib/lines/block_builder.ts";

const FUNCTIONS = 40;
const PID = 4711;

/** `distinct`: lines that are executed once each, besides those of the loops. */
export function writeLineRecording(path: string, lines: number, distinct = 0): void {
  const encoder = new TextEncoder();
  const fd = openSync(path, "w");
  const out = new JsonBytes(1 << 20);
  const flush = () => {
    for (let at = 0; at < out.length;) at += writeSync(fd, out.bytes, at, out.length - at);
    out.clear();
  };
  let seq = 0;
  let now = 2_000_000;
  out.value({
    Recording: {
      version: 1,
      generator: "bench",
      backend: "ptrace",
      started_unix_ns: "1700000000000000000",
      root_pid: PID,
      command: ["python3", "app.py"],
    },
  });
  out.raw("\n");
  const event = (tag: string, fields: Record<string, unknown>) => {
    out.value({ [tag]: { seq: seq++, ...fields } });
    out.raw("\n");
  };
  event("Fork", { timestamp: 1000, parent_pid: 1, child_pid: PID, parent_pgid: 1 });
  event("ExecFull", {
    timestamp: 2000,
    pid: PID,
    ppid: 1,
    pgid: PID,
    filename: "/usr/bin/python3",
    args: ["python3", "app.py"],
  });
  const text = encoder.encode(
    Array.from({ length: FUNCTIONS * 20 }, (_, i) => (i % 20 === 0 ? `def f${i / 20}():` : `    step(${i})`)).join(
      "\n",
    ),
  );
  const source = (file: string, content: Uint8Array | undefined) => {
    const { id, sha256 } = sourceId(encoder.encode(file), content);
    writeSource(out, { seq: seq++, id, path: encoder.encode(file), sha256, text: content });
    return id;
  };
  const main = source("/srv/app/app.py", text);
  const many = source("/srv/app/generated.py", undefined);
  const builder = new BlockBuilder((block) => {
    const head = blockCodec.compress(block.head);
    const data = blockCodec.compress(block.data);
    writeLineBlock(out, {
      seq: seq++,
      timestamp: block.start,
      end: block.end,
      pid: PID,
      tid: PID,
      stream: `${PID}-0.0`,
      kind: "python",
      block: block.block,
      name: "MainThread",
      events: block.events,
      minDepth: block.minDepth,
      codec: blockCodec.name,
      headCrc: checksum(head),
      dataCrc: checksum(data),
      head,
      data,
    });
    if (out.length > 1 << 19) flush();
  });
  for (let f = 0; f < FUNCTIONS; f++) builder.define(f, { source: main, firstLine: f * 20 + 1, name: `f${f}` });
  builder.define(FUNCTIONS, { source: many, firstLine: 1, name: "generated" });
  let left = lines - distinct;
  let random = 12345;
  const next = (n: number) => {
    random = (Math.imul(random, 1103515245) + 12345) & 0x7fffffff;
    return (random >>> 8) % n;
  };
  const add = (word: number) => {
    now += 120 + next(60);
    builder.add(word, now);
  };
  add(enterWord(0));
  add(2);
  left--;
  while (left > 0) {
    const f = 1 + next(FUNCTIONS - 1);
    add(enterWord(f));
    for (let turn = next(30); turn >= 0 && left > 0; turn--)
      for (let line = 1; line < 12 && left > 0; line++) {
        add(f * 20 + 1 + line);
        left--;
        if (line !== 6 || next(4) !== 0) continue;
        const inner = 1 + next(FUNCTIONS - 1);
        add(enterWord(inner));
        for (let i = 1; i < 5 && left > 0; i++, left--) add(inner * 20 + 1 + i);
        add(WORD.returned);
      }
    add(WORD.returned);
  }
  if (distinct > 0) {
    add(enterWord(FUNCTIONS));
    for (let line = 1; line <= distinct; line++) add(line);
    add(WORD.returned);
  }
  add(WORD.returned);
  builder.flush();
  event("Exit", {
    timestamp: now + 1000,
    pid: PID,
    ppid: 1,
    pgid: PID,
    exit_code: 0,
    utime_ns: now,
    stime_ns: 0,
    max_rss_kb: 9000,
  });
  event("End", { timestamp: now + 2000, events: seq, processes: 1, lost: 0, exit_code: 0 });
  flush();
  closeSync(fd);
}

if (import.meta.main) {
  const [path, lines = "10000000", distinct = "0"] = process.argv.slice(2);
  if (path === undefined) throw new Error("usage: bun scripts/bench/line_recording.ts FILE [LINES] [DISTINCT]");
  writeLineRecording(path, Number(lines), Number(distinct));
}
