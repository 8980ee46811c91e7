// Event lines to columns: what every reader of recordings goes through. A line that is in the usual form is read without
// making an object of it; any other is parsed with care, and what is wrong with it becomes a problem.
import { EventTable } from "../model/event_table.ts";
import { KIND } from "../model/event.ts";
import { endOf, headerOf } from "../model/fields.ts";
import { ABSENT } from "../model/ids.ts";
import type { ProblemCode, Problems } from "../model/problem.ts";
import type { RecordingEnd, RecordingHeader } from "../model/recording.ts";
import { carefulLine } from "./_careful_line.ts";
import { fastLine, forgetBytes } from "./_fast_line.ts";
import { LINE_LIMIT, LineSplitter } from "./_lines.ts";
import { isRawLine } from "./_raw_line.ts";
import { Row } from "./_row.ts";
import { FORMAT_VERSION } from "./recording_writer.ts";

export interface DecodeOptions {
  /** Rows to make room for at first. */
  readonly capacity?: number;
  readonly lineLimit?: number;
  /** False: every line takes the careful path (the tests compare the two). */
  readonly fast?: boolean;
}

const text = new TextDecoder();

export class EventDecoder {
  readonly table: EventTable;
  /** The first header. */
  header: RecordingHeader | undefined;
  end: RecordingEnd | undefined;
  /** Sum of the `Lost` counts. */
  lost = 0;
  /** Lines read so far, blank and bad ones included. */
  line = 0;
  /** A backend's raw line stood among the event lines: the input has to go through the raw transcoder. */
  sawRaw = false;
  private readonly name: string;
  private readonly problems: Problems;
  private readonly splitter: LineSplitter;
  private readonly fast: boolean;
  private readonly row = new Row();
  /** Something that proctrace never writes was seen: a backend's header, a list of words, a group whose leader is another process. */
  private native = false;

  constructor(name: string, problems: Problems, options: DecodeOptions = {}) {
    this.name = name;
    this.problems = problems;
    this.fast = options.fast ?? true;
    this.table = new EventTable(options.capacity);
    const limit = options.lineLimit ?? LINE_LIMIT;
    this.splitter = new LineSplitter(
      {
        lines: (b, from, to, offset) => this.lines(b, from, to, offset),
        last: (b, from, to, offset) => {
          this.line++;
          this.careful(b, from, to, offset, true);
        },
        tooLong: (length) => {
          this.line++;
          this.problem("too-long", `a line of ${length} bytes, expected at most ${limit}; left out`);
        },
      },
      limit,
    );
  }

  /** The chunk may be used again afterwards. */
  push(chunk: Uint8Array): void {
    this.splitter.push(chunk);
  }

  /** After the last chunk. */
  finish(): void {
    this.splitter.end();
    forgetBytes();
    this.settle();
  }

  /** What can only be known of all lines, for those that have come so far; more may follow. */
  settle(): void {
    if (!this.native) forgetGroups(this.table);
  }

  private problem(code: ProblemCode, message: string): void {
    this.problems.add({ code, source: this.name, line: this.line, message });
  }

  private lines(b: Uint8Array, from: number, to: number, offset: number): void {
    const row = this.row;
    const table = this.table;
    const shift = offset - from;
    for (let at = from; at < to;) {
      this.line++;
      const newline = this.fast ? fastLine(b, at, to, row) : -1;
      if (newline < 0) {
        const end = b.indexOf(10, at);
        this.careful(b, at, end, shift + at, false);
        at = end + 1;
        continue;
      }
      this.note();
      row.append(table, shift + at, (b[newline - 1] === 13 ? newline - 1 : newline) - at);
      at = newline + 1;
    }
  }

  private note(): void {
    if (this.native) return;
    const row = this.row;
    if (row.kind === KIND.exec || row.kind === KIND.exit)
      this.native =
        (row.kind === KIND.exec && row.list) ||
        row.code !== ABSENT ||
        row.signal !== 0 ||
        row.sid !== ABSENT ||
        (row.pgid !== ABSENT && row.pgid !== row.pid);
  }

  private careful(b: Uint8Array, from: number, to: number, offset: number, last: boolean): void {
    let start = from;
    let end = to;
    while (end > start && isSpace(b[end - 1]!)) end--;
    while (start < end && isSpace(b[start]!)) start++;
    if (start === end) return;
    if (!this.sawRaw && isRawLine(b, start, end)) this.sawRaw = true;
    const row = this.row;
    // A byte order mark is dropped by the decoder.
    const { kept, body, fault } = carefulLine(text.decode(b.subarray(start, end)), row);
    if (fault !== undefined)
      if (last && fault.code === "not-json")
        this.problem("cut", "the last line is cut off, expected a whole event; left out");
      else this.problem(fault.code, fault.message);
    if (!kept) return;
    this.note();
    row.append(this.table, offset + (start - from), end - start);
    if (body === undefined) return;
    if (row.kind === KIND.recording && this.header === undefined) {
      this.header = headerOf(body);
      // `tk ingest` gives a header to what it cuts from proctrace's recordings too, but it names no backend.
      if (this.header.backend !== undefined) this.native = true;
      const { version } = this.header;
      if (version !== undefined && version > FORMAT_VERSION)
        this.problem(
          "shape",
          `Recording.version: ${version}, this tk knows up to ${FORMAT_VERSION}; what is new is not shown`,
        );
    } else if (row.kind === KIND.end) this.end = endOf(body);
    else if (row.kind === KIND.lost) this.lost += row.count;
  }
}

function isSpace(c: number): boolean {
  return c === 32 || c === 9 || c === 13 || c === 10;
}

/**
 * Group numbers of recordings that are proctrace's: on Exec and Exit it writes the process's own pid, in a fork the pid of the
 * parent's parent. Not known is better than wrong.
 */
function forgetGroups(table: EventTable): void {
  const { kind, pgid, length } = table;
  for (let row = 0; row < length; row++) {
    const k = kind[row];
    if (k === KIND.fork || k === KIND.exec || k === KIND.exec_part || k === KIND.exit) pgid[row] = ABSENT;
  }
}
