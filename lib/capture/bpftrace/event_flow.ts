// From what bpftrace prints to the recording, while the command runs: raw lines to events of the command's tree, put into
// order, on the recording's clock. Knows which processes live, and so when everything has ended.
// bpftrace reads one buffer per CPU after the other, so lines come out of order; events wait here
// for those that are older.
import { KIND } from "../../model/event.ts";
import { ABSENT } from "../../model/ids.ts";
import {
  isRawLine,
  LineSplitter,
  makeRawFields,
  PIECE,
  RawExecs,
  readRawLine,
  splitWords,
  writeRawEvent,
  type RawExec,
  type RawFields,
} from "../../format/raw_events.ts";
import type { RecordingWriter } from "../../format/recording_writer.ts";
import { latin1, readSmallFile } from "../../host/descriptors.ts";
import { errnoText } from "../../host/errno.ts";

/** How long an event waits for older ones: on a busy machine bpftrace is late with one CPU while it prints another. */
const ORDER_NS = 500e6;

export interface FlowOptions {
  readonly root: number;
  /** Undefined: nothing is written, the flow only counts (the lines go to the recording as they are). */
  readonly writer: RecordingWriter | undefined;
  /** What is added to a line's time to make it a time of the recording. */
  readonly offset: number;
  readonly now: () => number;
}

interface Waiting {
  readonly fields: RawFields;
  readonly exec: RawExec | undefined;
  readonly argsFrom: string | undefined;
}

const LOST = /^Lost (\d{1,15}) events$/;

export class EventFlow {
  /** Processes of the command that were seen. */
  processes = 0;
  /** Lines that bpftrace says it lost, and ends that were never reported. */
  lost = 0;
  /** Every line of an event that came. */
  lines = 0;
  /** Time of the newest event that came. */
  newest = 0;
  /** The root has become the command. */
  started = false;
  rootEnded = false;
  private readonly options: FlowOptions;
  private readonly fields = makeRawFields();
  private readonly execs = new RawExecs();
  private readonly splitter: LineSplitter;
  /** Forks minus exits by pid: the end of a process may be told before its beginning. */
  private readonly balance = new Map<number, number>();
  private waiting: Waiting[] = [];
  private readonly numbers = new Numbers();
  /** Time of the oldest event that waits. */
  private oldest = Infinity;

  constructor(options: FlowOptions) {
    this.options = options;
    this.splitter = new LineSplitter({
      lines: (b, from, to) => {
        for (let at = from; at < to;) {
          const end = b.indexOf(10, at);
          this.line(b, at, end);
          at = end + 1;
        }
      },
      last: (b, from, to) => this.line(b, from, to),
      tooLong: () => {
        this.lost++;
      },
    });
  }

  push(bytes: Uint8Array): void {
    this.splitter.push(bytes);
  }

  /** Writes the events that nothing older can come before any more. */
  write(): void {
    const horizon = this.options.now() - ORDER_NS;
    if (this.oldest <= horizon) this.writeUntil(horizon);
  }

  /** Nothing more will come. */
  end(): void {
    this.splitter.end();
    this.writeUntil(Infinity);
    // The kernel tells of lost lines with the next line of the same CPU, and there may have been none.
    const silent = this.numbers.missing + this.execs.waiting - this.lost;
    if (silent > 0) this.tellLost(silent, "bpftrace never printed them");
  }

  /** Processes that live, as far as the lines say. */
  living(): number[] {
    const living: number[] = [];
    for (const [pid, count] of this.balance) if (count > 0) living.push(pid);
    return living;
  }

  /** A process of which the kernel knows nothing any more, though its end was not reported. */
  giveUp(pid: number): void {
    if (!this.balance.delete(pid)) return;
    if (pid === this.options.root) this.rootEnded = true;
    this.tellLost(1, `the end of process ${pid} was not reported`);
  }

  private tellLost(count: number, reason: string): void {
    this.lost += count;
    this.options.writer?.lost(this.newest, count, reason);
  }

  private line(b: Uint8Array, from: number, to: number): void {
    const f = this.fields;
    if (!isRawLine(b, from, to)) return this.remark(b, from, to);
    if (!readRawLine(b, from, to, f)) return this.tellLost(1, "bpftrace printed a line that cannot be read");
    this.lines++;
    if (this.options.writer !== undefined) this.numbers.add(f.seq);
    if (f.piece !== PIECE.none) {
      if (this.options.writer !== undefined) this.execs.piece(b, f, to);
      return;
    }
    this.count(f);
    if (this.options.writer === undefined) return;
    const isExec = f.kind === KIND.exec_part || f.kind === KIND.exec_failed;
    const told = isExec ? this.execs.take(f) : undefined;
    const whole = f.kind === KIND.exec_part && told?.truncated === true ? wholeWords(f, told) : undefined;
    const fields = { ...f, ts: Math.max(0, Math.round(f.ts + this.options.offset)) };
    this.waiting.push({ fields, exec: whole ?? told, argsFrom: whole === undefined ? undefined : "proc" });
    this.oldest = Math.min(this.oldest, fields.ts);
    this.newest = Math.max(this.newest, fields.ts);
  }

  private count(f: RawFields): void {
    const { root } = this.options;
    if (f.kind === KIND.exec_part && f.pid === root) this.started = true;
    if (f.mine !== 1) return;
    const change = f.kind === KIND.fork ? 1 : f.kind === KIND.exit ? -1 : 0;
    if (change === 1) this.processes++;
    if (change === -1 && f.pid === root) this.rootEnded = true;
    const count = (this.balance.get(f.pid) ?? 0) + change;
    if (count === 0) this.balance.delete(f.pid);
    else this.balance.set(f.pid, count);
  }

  private remark(b: Uint8Array, from: number, to: number): void {
    const lost = LOST.exec(latin1(b, from, Math.min(to, from + 64)));
    if (lost !== null) this.tellLost(Number(lost[1]), "bpftrace's buffer was full");
  }

  private writeUntil(horizon: number): void {
    const { writer } = this.options;
    if (writer === undefined || this.waiting.length === 0) return;
    this.waiting.sort((a, b) => a.fields.ts - b.fields.ts || a.fields.seq - b.fields.seq);
    let n = 0;
    while (n < this.waiting.length && this.waiting[n]!.fields.ts <= horizon) this.writeOne(writer, this.waiting[n++]!);
    this.waiting = this.waiting.slice(n);
    this.oldest = this.waiting[0]?.fields.ts ?? Infinity;
  }

  /** The root's own steps before it becomes the command belong to the recorder. */
  private suppressed = true;

  private writeOne(writer: RecordingWriter, { fields, exec, argsFrom }: Waiting): void {
    if (this.suppressed && fields.pid === this.options.root && fields.kind !== KIND.fork && fields.kind !== KIND.exit) {
      if (fields.kind !== KIND.exec_part) return;
      this.suppressed = false;
    }
    writeRawEvent(writer, fields, fields.ts, exec, {
      errorText: errnoText,
      ...(argsFrom === undefined ? {} : { argsFrom }),
    });
  }
}

/** Which of the numbers 0, 1, 2 ... have come. Only for a tree: with the whole system it is not known where they begin. */
class Numbers {
  private bits = new Uint8Array(1 << 12);
  private highest = -1;
  private count = 0;

  add(number: number): void {
    const at = number >> 3;
    if (number < 0 || number >= 2 ** 31) return;
    if (at >= this.bits.length) {
      const grown = new Uint8Array(Math.max(at + 1, this.bits.length * 2));
      grown.set(this.bits);
      this.bits = grown;
    }
    const bit = 1 << (number & 7);
    if ((this.bits[at]! & bit) === 0) this.count++;
    this.bits[at]! |= bit;
    this.highest = Math.max(this.highest, number);
  }

  get missing(): number {
    return this.highest + 1 - this.count;
  }
}

/** Longer argument lists than the script reads: what /proc says, if it is still about the same program. */
function wholeWords(f: RawFields, told: RawExec): RawExec | undefined {
  const all = readSmallFile(`/proc/${f.pid}/cmdline`);
  if (all === undefined || all.length === 0 || (f.argvBytes !== ABSENT && all.length !== f.argvBytes)) return undefined;
  const words = splitWords(all);
  const complete = told.words.slice(0, -1);
  const same = complete.every((word, i) => word.length === 0 || Buffer.compare(word, words[i] ?? EMPTY) === 0);
  return same ? { filename: told.filename, words, truncated: false } : undefined;
}

const EMPTY = new Uint8Array(0);
