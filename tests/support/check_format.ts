// One check for every fixture of an input format: it is recognised by its content; whole, byte by byte and in odd pieces it
// is read as the same; what it is read as is a golden file; and its events, written natively, are read back equal.
import { expect } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { EventDecoder, type DecodeOptions } from "../../lib/format/decode.ts";
import { detectFormat } from "../../lib/format/detect.ts";
import { transcodeMixed } from "../../lib/format/proctrace_raw.ts";
import { RecordingWriter } from "../../lib/format/recording_writer.ts";
import { eventAt } from "../../lib/model/event_at.ts";
import { KIND, type Argv, type ProcEvent, type Text } from "../../lib/model/event.ts";
import { ABSENT } from "../../lib/model/ids.ts";
import { formatProblem, Problems } from "../../lib/model/problem.ts";
import type { Recording } from "../../lib/model/recording.ts";
import { decodeRecording, finishRecording, MemoryText } from "../../lib/pipeline/decode_recording.ts";
import { expectGolden } from "./golden.ts";

const FIXTURES = join(import.meta.dirname, "..", "fixtures");

export function fixture(name: string): Uint8Array {
  // A copy: slices of what readFileSync returns share its memory.
  return new Uint8Array(readFileSync(join(FIXTURES, name)));
}

/** Sizes of the pieces that a reader is given, over and over. */
export type Cuts = readonly number[];

/** Reads `bytes` as `decodeRecording` does, but in pieces, each in a buffer that is overwritten afterwards. */
export function decodeInPieces(bytes: Uint8Array, cuts: Cuts, name: string, options?: DecodeOptions): Recording {
  const format = detectFormat(bytes.subarray(0, 4096));
  const transcode = format.isOk() ? format.value.transcode : undefined;
  const trial = new Problems(1000);
  if (transcode === undefined) {
    const decoder = new EventDecoder(name, trial, options);
    eachPiece(bytes, cuts, (piece) => decoder.push(piece));
    decoder.finish();
    if (!decoder.sawRaw) return finishRecording(decoder, new MemoryText(bytes), name, trial);
  }
  const problems = new Problems(1000);
  const transcoder = (transcode ?? transcodeMixed)(name, problems);
  const decoder = new EventDecoder(name, problems, options);
  const parts: Uint8Array[] = [];
  const take = (lines: Uint8Array) => {
    parts.push(lines.slice());
    decoder.push(lines);
  };
  eachPiece(bytes, cuts, (piece) => take(transcoder.push(piece)));
  take(transcoder.end());
  decoder.finish();
  return finishRecording(decoder, new MemoryText(Buffer.concat(parts)), name, problems);
}

function eachPiece(bytes: Uint8Array, cuts: Cuts, take: (piece: Uint8Array) => void): void {
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const piece = bytes.slice(at, at + Math.max(1, cuts[i % cuts.length]!));
    at += piece.length;
    take(piece);
    piece.fill(35);
  }
}

/** A recording as text, to be compared: every event, every fault. */
export function dump(recording: Recording): string {
  const { events, problems } = recording;
  const lines: string[] = [];
  if (recording.header) lines.push(`header ${JSON.stringify(recording.header)}`);
  for (let row = 0; row < events.length; row++) {
    const mate = events.mate[row]!;
    lines.push(`${row} ${JSON.stringify(eventAt(recording, row), readable)}${mate === ABSENT ? "" : ` -> ${mate}`}`);
  }
  if (recording.end) lines.push(`end ${JSON.stringify(recording.end)}`);
  lines.push(`lost ${recording.lost}`);
  lines.push(`problems ${problems.total}`);
  for (const problem of problems.kept) lines.push(`${problem.code} ${formatProblem(problem)}`);
  return lines.join("\n") + "\n";
}

function readable(_key: string, value: unknown): unknown {
  if (value instanceof Map) return Object.fromEntries(value as Map<string, unknown>);
  return value instanceof Uint8Array ? { hex: Buffer.from(value).toString("hex") } : value;
}

/** Checks a fixture and returns what it is read as. */
export function checkFormat(name: string, format: string): Recording {
  const bytes = fixture(name);
  const detected = detectFormat(bytes.subarray(0, 4096));
  expect(detected.isOk() && detected.value.id).toBe(format);
  const whole = decodeInPieces(bytes, [bytes.length], name);
  const text = dump(whole);
  expect(dump(decodeRecording(bytes, name)).split("\nproblems")[0]).toBe(text.split("\nproblems")[0]!);
  for (const cuts of [[1], [7, 1, 64, 3], [100], [4096, 1]]) expect(dump(decodeInPieces(bytes, cuts, name))).toBe(text);
  expect(dump(decodeInPieces(bytes, [bytes.length], name, { fast: false }))).toBe(text);
  expectGolden(`format/${name.replaceAll("/", "-")}`, text);
  const again = decodeRecording(writeNative(whole), name);
  expect(eventsOf(again)).toEqual(eventsOf(whole));
  return whole;
}

/** What `writeNative` writes: no headers, no halves, nothing that it does not know. */
function eventsOf(recording: Recording): ProcEvent[] {
  const events: ProcEvent[] = [];
  for (let row = 0; row < recording.events.length; row++) {
    const event = eventAt(recording, row);
    if (WRITTEN.has(event.kind)) events.push(plain(event));
  }
  return events;
}

const WRITTEN = new Set(["fork", "exec", "exec_failed", "exit", "setpgid", "setsid", "lost"]);

/** Words that came as one string are written as one; the writer numbers every event. */
function plain(event: ProcEvent): ProcEvent {
  const numbered = { ...event, seq: 0 };
  if (numbered.kind !== "exec" && numbered.kind !== "exec_failed") return numbered;
  return { ...numbered, argv: { ...(numbered.argv ?? { words: [] }), joined: false } };
}

const encoder = new TextEncoder();
const orAbsent = (value: number | undefined) => value ?? ABSENT;

/** The recording in the native format, through the recorder's own writer. */
export function writeNative(recording: Recording): Uint8Array {
  const w = new RecordingWriter();
  // Group numbers are believed only of a backend.
  w.header({ ...recording.header, backend: recording.header?.backend ?? "test" });
  for (let row = 0; row < recording.events.length; row++) {
    if (recording.events.kind[row] === KIND.end) continue;
    const e = eventAt(recording, row);
    const ts = e.ts ?? 0;
    switch (e.kind) {
      case "fork":
        w.fork(ts, orAbsent(e.ppid), e.pid, orAbsent(e.pgid));
        break;
      case "exec":
        w.beginExec(ts, e.pid, orAbsent(e.ppid), orAbsent(e.pgid), orAbsent(e.sid));
        writeText(w, "filename", e.filename);
        writeWords(w, e.argv);
        writeText(w, "cwd", e.cwd);
        w.finish();
        break;
      case "exec_failed":
        w.beginBadExec(ts, e.pid, orAbsent(e.errno), e.error ?? "");
        writeText(w, "filename", e.filename);
        writeWords(w, e.argv);
        w.finish();
        break;
      case "exit": {
        const { status } = e;
        const usage = { utime_ns: orAbsent(e.utime), stime_ns: orAbsent(e.stime), max_rss_kb: orAbsent(e.maxRssKb) };
        const code = status.how === "exited" ? status.code : ABSENT;
        const signal = status.how === "signaled" ? status.signal : 0;
        const core = status.how === "signaled" && status.coreDumped;
        w.exit(ts, e.pid, orAbsent(e.ppid), orAbsent(e.pgid), code, signal, core, usage);
        break;
      }
      case "setpgid":
        w.setpgid(ts, e.pid, orAbsent(e.ppid), orAbsent(e.pgid));
        break;
      case "setsid":
        w.setsid(ts, e.pid, orAbsent(e.ppid), orAbsent(e.pgid), orAbsent(e.sid));
        break;
      case "lost":
        w.lost(ts, e.count, e.reason);
        break;
    }
  }
  return w.out.view().slice();
}

function writeText(w: RecordingWriter, field: "filename" | "cwd", text: Text | undefined): void {
  if (text === undefined) return;
  const bytes = text.exact ?? encoder.encode(text.text);
  w[field](bytes, 0, bytes.length);
}

function writeWords(w: RecordingWriter, argv: Argv | undefined): void {
  w.beginArgs();
  argv?.words.forEach((word, i) => {
    const bytes = argv.bytes?.get(i) ?? encoder.encode(word);
    w.arg(bytes, 0, bytes.length);
  });
  w.endArgs();
}
