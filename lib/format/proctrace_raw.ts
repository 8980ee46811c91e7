// The raw log of a bpftrace script, proctrace's or ours (`_raw_line.ts` has the grammar of both), turned into event lines.
// JSON lines in between are passed on as they are. Every input line becomes one output line, an empty one where there is nothing
// to say, so that line numbers further on are those of the file. A text may hold newlines, so a line
// without a tag continues the words before it.
import { encodeBase64 } from "../base/base64.ts";
import { JsonBytes } from "../base/json_bytes.ts";
import { KIND } from "../model/event.ts";
import { ABSENT } from "../model/ids.ts";
import type { Problems } from "../model/problem.ts";
import { LineSplitter } from "./_lines.ts";
import { isRawLine, makeRawFields, PIECE, readRawLine } from "./_raw_line.ts";
import type { InputFormat, Transcoder } from "./format.ts";
import { isWholeExec, RawExecs, writeRawEvent } from "./raw_events.ts";
import { startsWithMark } from "./recording.ts";
import { RecordingWriter } from "./recording_writer.ts";

export const proctraceRaw: InputFormat = {
  id: "proctrace-raw",
  summary: "Raw lines of a bpftrace script, as proctrace and `tk record --raw` keep them",
  extensions: ["log", "raw"],
  sniff(head) {
    let at = 0;
    while (at < head.length) {
      const newline = head.indexOf(10, at);
      const end = newline < 0 ? head.length : newline;
      if (isRawLine(head, at, end)) return 95;
      at = end + 1;
    }
    return 0;
  },
  transcode: (source, problems) => new RawTranscoder(source, problems),
};

/** For event lines with raw lines among them: lines that are neither are handed on, for the reader of event lines to judge. */
export function transcodeMixed(source: string, problems: Problems): Transcoder {
  return new RawTranscoder(source, problems, true);
}

/** What bpftrace itself says between the events. */
const REMARK = /^(CLOCK: [a-z0-9=,]+|Attaching \d+ probes?\.\.\.|Attached \d+ probes?|WARNING: .*|Stopping.*)$/;
const LOST = /^Lost (\d{1,15}) events$/;

const decoder = new TextDecoder();

class RawTranscoder implements Transcoder {
  private readonly source: string;
  private readonly problems: Problems;
  private readonly out = new JsonBytes(1 << 16);
  private readonly writer = new RecordingWriter(this.out);
  private readonly fields = makeRawFields();
  private readonly execs = new RawExecs();
  private readonly splitter: LineSplitter;
  private line = 0;
  private isLast = false;
  private lastTs = 0;
  /** The text that the last line ended in, which the next lines may continue; its event is written when it is over. */
  private readonly text = new JsonBytes(1 << 12);
  private textOpen = false;
  /** Lines that were joined to the text, each owed an empty line. */
  private joined = 0;
  /** Lines that are neither raw nor JSON are passed on. */
  private readonly mixed: boolean;

  constructor(source: string, problems: Problems, mixed = false) {
    this.mixed = mixed;
    this.source = source;
    this.problems = problems;
    this.splitter = new LineSplitter({
      lines: (b, from, to) => {
        for (let at = from; at < to;) {
          const end = b.indexOf(10, at);
          this.one(b, at, end);
          at = end + 1;
        }
      },
      last: (b, from, to) => {
        this.isLast = true;
        this.one(b, from, to);
      },
      tooLong: (length) => {
        this.line++;
        this.finishText();
        this.skip("too-long", `a line of ${length} bytes, more than is read`);
      },
    });
  }

  push(chunk: Uint8Array): Uint8Array {
    this.out.clear();
    this.splitter.push(chunk);
    return this.out.view();
  }

  end(): Uint8Array {
    this.out.clear();
    this.splitter.end();
    this.finishText();
    if (this.execs.waiting > 0) {
      const message = `${this.execs.waiting} execs without their EXEC or BADEXEC line, which a log that was cut may have`;
      this.problems.add({ code: "raw", source: this.source, line: this.line, message });
    }
    return this.out.view();
  }

  private skip(code: "raw" | "too-long", message: string): void {
    this.problems.add({ code, source: this.source, line: this.line, message });
    this.out.raw("\n");
  }

  private one(b: Uint8Array, start: number, end: number): void {
    this.line++;
    const from = this.line === 1 && startsWithMark(b.subarray(start, end)) ? start + 3 : start;
    const to = end > from && b[end - 1] === 13 ? end - 1 : end;
    if (isRawLine(b, from, to)) {
      this.finishText();
      this.rawLine(b, from, to);
      return;
    }
    if (from < to && b[from] === 123 && (!this.textOpen || b[to - 1] === 125)) {
      this.finishText();
      this.pass(b, from, to);
      return;
    }
    const remark = to - from <= 200 ? decoder.decode(b.subarray(from, to)) : "";
    const lost = LOST.exec(remark);
    if (lost) {
      this.finishText();
      this.out.raw('{"Lost":{"timestamp":');
      this.out.int(this.lastTs);
      this.out.raw(`,"count":${Number(lost[1])},"reason":"bpftrace lost events"}}\n`);
      return;
    }
    if (this.textOpen && !REMARK.test(remark)) {
      this.text.copy(NEWLINE);
      this.text.copy(b, from, to);
      this.joined++;
      return;
    }
    this.finishText();
    if (this.mixed && to > from) this.pass(b, from, to);
    else if (REMARK.test(remark) || (to - from <= 200 && remark.trim() === "")) this.out.raw("\n");
    else this.skip("raw", "not a line of a raw log, expected one such as FORK: ts=...,parent_pid=...");
  }

  /** A last line without its end stays without, so that the reader sees that it was cut. */
  private pass(b: Uint8Array, from: number, to: number): void {
    this.out.copy(b, from, to);
    if (!this.isLast) this.out.copy(NEWLINE);
  }

  private rawLine(b: Uint8Array, from: number, to: number): void {
    const f = this.fields;
    if (!readRawLine(b, from, to, f)) {
      this.skip("raw", "a raw line without its time or pid, or with a number that is none");
      return;
    }
    this.lastTs = f.ts;
    if (f.piece !== PIECE.none) {
      if (this.execs.piece(b, f, to)) this.out.raw("\n");
      else this.skip("raw", "a piece of an exec that is not hex, expected one such as hex=2f 62 69 6e");
      return;
    }
    if (isWholeExec(f) || (f.kind === KIND.exit && f.status !== ABSENT)) {
      this.writer.seq = f.seq === ABSENT ? 0 : f.seq;
      writeRawEvent(this.writer, f, f.ts, this.execs.take(f));
      return;
    }
    if (f.textAt >= 0) {
      this.text.clear();
      this.text.copy(b, f.textAt, to);
      this.textOpen = true;
      this.joined = 0;
      return;
    }
    switch (f.kind) {
      case KIND.fork:
        this.begin("Fork");
        this.number("parent_pid", f.ppid);
        this.number("child_pid", f.pid);
        this.number("parent_pgid", f.pgid);
        break;
      case KIND.exec_failed:
        this.begin("BadExec");
        this.number("pid", f.pid);
        break;
      default:
        this.begin(
          f.kind === KIND.exec_part
            ? "Exec"
            : f.kind === KIND.exit
              ? "Exit"
              : f.kind === KIND.setsid
                ? "SetSID"
                : "SetPGID",
        );
        this.number("pid", f.pid);
        this.number("ppid", f.ppid);
        this.number("pgid", f.pgid);
        this.number("sid", f.sid);
    }
    this.out.raw("}}\n");
  }

  private begin(tag: string): void {
    this.out.raw(`{"${tag}":{`);
    if (this.fields.seq !== ABSENT) {
      this.out.raw('"seq":');
      this.out.int(this.fields.seq);
      this.out.raw(",");
    }
    this.out.raw('"timestamp":');
    this.out.int(this.fields.ts);
  }

  private number(name: string, value: number): void {
    if (value === ABSENT) return;
    this.out.raw(`,"${name}":`);
    this.out.int(value);
  }

  /** Writes the event whose text is over now. */
  private finishText(): void {
    if (!this.textOpen) return;
    this.textOpen = false;
    const name = this.fields.kind === KIND.exec_filename ? "filename" : "args";
    this.begin(this.fields.kind === KIND.exec_filename ? "ExecFilename" : "ExecArgs");
    this.number("pid", this.fields.pid);
    this.out.raw(`,"${name}":`);
    const text = this.text.view();
    if (!this.out.utf8(text, 0, text.length)) {
      this.out.raw(`,"${name}_b64":"`);
      this.out.raw(encodeBase64(text));
      this.out.raw('"');
    }
    this.out.raw("}}\n");
    for (let i = 0; i < this.joined; i++) this.out.raw("\n");
    this.joined = 0;
  }
}

const NEWLINE = new Uint8Array([10]);
