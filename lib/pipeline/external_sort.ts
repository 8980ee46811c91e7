// Sorts any number of lines in bounded memory. Lines are gathered until the memory is full; then most of them, the
// earliest, leave in order and the rest waits, as the window in which disorder is mended for nothing. So a recording, which is nearly
// in order, becomes one run however long it is, and nothing is merged; any other disorder becomes more runs:
//
//   memory   [ earliest 7/8 of what is here | rest + new lines ... ]
//                 │ later than all that left before       │ earlier than that, but few      │ earlier, and many
//                 ▼                                       ▼                                  ▼
//            the main run grows                    a run of latecomers               a new main run begins
//
// Equal keys keep input order: of two such lines the one that came first left memory first, and runs are ranked
// by when they began. It knows lines, keys and spools; inputs, headers and where the result goes are its callers'.
import { Buffer } from "node:buffer";
import { LINE_LIMIT } from "../format/_lines.ts";
import type { Transcoder } from "../format/format.ts";
import { LINE } from "../format/line_keys.ts";
import { startsWithMark } from "../format/recording.ts";
import type { Out } from "../host/out.ts";
import { Spool } from "../host/spool.ts";
import { mergeRuns, type MergeSink } from "./merge.ts";
import { SortBatch } from "./sort_batch.ts";
import { KeyScan } from "./sort_keys.ts";
import { Run, type RunFile, RunReader } from "./sort_run.ts";
import type { Turn } from "./turn.ts";

/** What the runtime itself takes of the memory that was allowed. */
const RUNTIME_BYTES = 64 << 20;
const LEAST_BYTES = 4 << 20;
/** A reader of a merge with less than this would spend its time in system calls. */
const LEAST_BLOCK = 128 << 10;
const MOST_READERS = 64;
/** Bytes that are taken from a chunk at once. */
const PIECE = 1 << 20;
const NEWLINES = new Uint8Array(1 << 16).fill(10);

export interface SortEvents {
  /** A line that is no JSON object, or none of its end; `lineNumber` counts from 1 in the current input. */
  broken(lineNumber: number, cut: boolean): void;
  tooLong(lineNumber: number): void;
  /** A header line `b[from, to)`, without its newline. */
  header?(b: Uint8Array, from: number, to: number): void;
}

/** A file that runs are written to and read back from. */
export interface RunStore {
  readonly out: Out;
  readonly file: RunFile;
}

export interface SortLimits {
  /** Bytes of memory for lines and what is known of them. A line that is longer gets what it needs. */
  readonly budget: number;
  /** Directory for temporary files; $TMPDIR when undefined. */
  readonly temporary?: string | undefined;
  /** The file where the result is wanted: the main run is kept there, so that when it remains the only one nothing is copied. */
  readonly mainRun?: RunStore | undefined;
}

/** What is left for lines of the memory that the whole process may use. */
export function lineBudget(memory: number): number {
  return Math.max(LEAST_BYTES, memory - RUNTIME_BYTES, Math.floor(memory / 8));
}

export class ExternalSort {
  /** Rows that were taken. */
  lines = 0;
  /** Bytes that went through temporary files. */
  spilled = 0;
  /** Runs that were merged; 0 when the memory sufficed. */
  runCount = 0;
  private readonly events: SortEvents;
  private readonly limits: SortLimits;
  private readonly budget: number;
  private readonly batch: SortBatch;
  private readonly scan = new KeyScan();
  /** Where the line that is not whole yet begins in the batch, and how far it has been looked through. */
  private tail = 0;
  private lineNumber = 0;
  /** Passing over a line that is too long. */
  private skipping = false;
  /** The next row's predecessor has left memory. */
  private detached = false;
  private longest = 0;
  private runs: Run[] = [];
  private main: Run | undefined;
  private spool: RunStore | undefined;
  private transcoder: Transcoder | undefined;
  private mixed: (() => Transcoder) | undefined;

  constructor(limits: SortLimits, events: SortEvents) {
    this.limits = limits;
    this.events = events;
    this.budget = limits.budget;
    this.batch = new SortBatch(this.budget);
  }

  /**
   * The lines that follow are those of another input. `transcoder` makes event lines of it; `mixed` makes one for an input
   * whose first backend line comes later.
   */
  beginInput(transcoder?: Transcoder, mixed?: () => Transcoder): void {
    this.scan.set();
    this.lineNumber = 0;
    this.detached = false;
    this.transcoder = transcoder;
    this.mixed = mixed;
  }

  /** Takes a chunk, cut anywhere; it may be used again afterwards. */
  feed(chunk: Uint8Array): void {
    this.take(this.transcoder === undefined ? chunk : this.transcoder.push(chunk));
  }

  private take(chunk: Uint8Array): void {
    const { batch } = this;
    for (let from = 0; from < chunk.length;) {
      if (this.skipping) {
        const newline = chunk.indexOf(10, from);
        if (newline < 0) return;
        from = newline + 1;
        this.skipping = false;
        continue;
      }
      if (batch.full || batch.room === 0) this.makeRoom();
      const n = Math.min(chunk.length - from, batch.room, PIECE);
      batch.bytes.set(chunk.subarray(from, from + n), batch.used);
      const seen = batch.used;
      batch.used += n;
      from += n;
      if (this.takeLines(seen)) continue;
      // A backend's line: from here on all goes through a transcoder.
      const rest = Buffer.concat([batch.bytes.subarray(this.tail, batch.used), chunk.subarray(from)]);
      batch.used = this.tail;
      this.transcode(rest);
      return;
    }
  }

  private transcode(rest: Uint8Array): void {
    const transcoder = this.mixed?.();
    if (transcoder === undefined) return;
    this.transcoder = transcoder;
    // It counts lines too.
    for (let n = this.lineNumber; n > 0; n -= NEWLINES.length) transcoder.push(NEWLINES.subarray(0, n));
    this.take(transcoder.push(rest));
  }

  /** The input is over; a last line without a newline counts when it is whole. */
  endInput(): void {
    const { batch } = this;
    if (this.transcoder !== undefined) this.take(this.transcoder.end());
    this.skipping = false;
    if (batch.used === this.tail) return;
    if (batch.used === batch.capacity || batch.full) this.makeRoom();
    if (this.skipping) {
      this.skipping = false;
      return;
    }
    const end = batch.used;
    batch.bytes[end] = 10;
    batch.used++;
    if (!this.takeLine(end, true)) {
      const rest = batch.bytes.subarray(this.tail, end);
      batch.used = this.tail;
      this.transcode(Buffer.from(rest));
      if (this.transcoder !== undefined) this.take(this.transcoder.end());
    }
    this.tail = batch.used;
  }

  /** Takes the whole lines behind `tail`, of which the first has no newline before `seen`; false at a line to be transcoded. */
  private takeLines(seen: number): boolean {
    const { batch } = this;
    let look = seen;
    let text = batch.bytes.subarray(0, batch.used);
    for (;;) {
      const newline = text.indexOf(10, look);
      if (newline < 0) return true;
      if (batch.length === batch.ts.length) {
        const before = this.tail;
        this.drain(false);
        look = newline - (before - this.tail);
        text = batch.bytes.subarray(0, batch.used);
        continue;
      }
      if (!this.takeLine(newline, false)) return false;
      this.tail = look = newline + 1;
    }
  }

  private takeLine(newline: number, last: boolean): boolean {
    const { batch, scan } = this;
    this.lineNumber++;
    if (this.lineNumber === 1 && startsWithMark(batch.bytes.subarray(this.tail, newline))) this.tail += 3;
    const { tail } = this;
    const what = scan.next(batch.bytes, tail, newline);
    if (what === LINE.raw && this.transcoder === undefined && this.mixed !== undefined) {
      this.lineNumber--;
      return false;
    }
    const size = newline + 1 - tail;
    if (size > LINE_LIMIT) this.events.tooLong(this.lineNumber);
    else if (what === LINE.event) {
      if (size > this.longest) this.longest = size;
      if (scan.header) this.events.header?.(batch.bytes, tail, newline);
      if (this.detached) {
        if (scan.inherited) batch.orphans.push(batch.length);
        this.detached = false;
      }
      batch.add(scan.ts, scan.seq, tail, size);
      this.lines++;
    } else if (what !== LINE.blank) this.events.broken(this.lineNumber, last);
    return true;
  }

  /** Lets lines leave until there is room, or gives a line that is longer than the memory what it needs. */
  private makeRoom(): void {
    const { batch } = this;
    this.drain(false);
    if (batch.room > 0) return;
    const pending = batch.used - this.tail;
    if (batch.length > 0 && pending < batch.capacity / 2) return this.makeRoom();
    if (batch.length > 0) this.drain(true);
    if (batch.room > 0) return;
    if (pending > LINE_LIMIT) {
      this.lineNumber++;
      this.events.tooLong(this.lineNumber);
      batch.used = this.tail;
      this.skipping = true;
      return;
    }
    batch.grow(Math.min(pending * 2, LINE_LIMIT + PIECE * 2));
  }

  /** Orders what is here and lets the earliest of it leave; `all`: everything but the unfinished line. */
  private drain(all: boolean): void {
    const { batch } = this;
    batch.sort();
    const leaving = all ? batch.length : this.chooseLeaving();
    if (leaving > 0) this.writeFirst(leaving);
    // Without rows too: lines that were left out have taken room.
    batch.keepFrom(leaving, this.tail);
    this.tail = batch.length > 0 ? batch.at[batch.length - 1]! + batch.size[batch.length - 1]! : 0;
    this.detached = true;
  }

  /** Appends the first ordered rows to the runs where they belong. */
  private writeFirst(leaving: number): void {
    const { batch } = this;
    let from = 0;
    if (this.main !== undefined) {
      const late = Math.min(leaving, batch.countBefore(this.main.lastTs, this.main.lastSeq));
      if (late > leaving / 4) this.main = undefined;
      else if (late > 0) {
        this.write(this.newRun(false), 0, late);
        from = late;
      }
    }
    if (leaving > from) {
      this.main ??= this.newRun(true);
      this.write(this.main, from, leaving);
    }
  }

  /** Seven eighths, by bytes and by rows, and whoever has the same key as the last of them. */
  private chooseLeaving(): number {
    const { batch } = this;
    const { order, size, ts, seq, length } = batch;
    let total = 0;
    for (let row = 0; row < length; row++) total += size[row]!;
    // Mostly room of lines that were left out: taking that back is enough.
    if (this.tail - total > batch.capacity / 4) return 0;
    const enough = (total / 8) * 7;
    let bytes = 0;
    let n = 0;
    while (n < length && (bytes < enough || n < (length / 8) * 7)) bytes += size[order[n++]!]!;
    while (n < length && n > 0) {
      const a = order[n - 1]!;
      const b = order[n]!;
      if (ts[a] !== ts[b] || seq[a] !== seq[b]) break;
      n++;
    }
    return n;
  }

  private newRun(main: boolean): Run {
    const store =
      main && this.runs.length === 0 && this.limits.mainRun !== undefined ? this.limits.mainRun : this.store();
    const run = new Run(store.file);
    this.runs.push(run);
    this.runCount++;
    return run;
  }

  private store(): RunStore {
    this.spool ??= openStore(this.limits.temporary);
    return this.spool;
  }

  /** Appends the ordered rows `[from, to)` to a run. */
  private write(run: Run, from: number, to: number): void {
    const { order, ts, seq } = this.batch;
    const own = this.limits.mainRun;
    const { out } = own !== undefined && run.file === own.file ? own : this.store();
    const start = out.size;
    const offset = run.length - start;
    this.batch.emit(out, from, to, (row) => run.orphans.push({ at: offset + out.size, ts: ts[row]!, seq: seq[row]! }));
    out.flush();
    run.extend(start, out.size);
    this.spilled += out.size - start;
    const last = order[to - 1]!;
    run.lastTs = ts[last]!;
    run.lastSeq = seq[last]!;
  }

  /**
   * All inputs are over: hands everything in order to the sink, which is opened when its first line is there.
   * Returns true when the result is in `mainRun` already, and nothing was handed over.
   */
  async finish(openSink: () => MergeSink, turn: Turn): Promise<boolean> {
    const { batch } = this;
    if (this.runs.length === 0) {
      const sink = openSink();
      batch.sort();
      const step = 1 << 16;
      for (let from = 0; from < batch.length && sink.closed !== true; from += step) {
        batch.emit(sink, from, Math.min(batch.length, from + step));
        await turn();
      }
      return false;
    }
    this.drain(true);
    await turn();
    const only = this.runs.length === 1 ? this.runs[0] : undefined;
    if (only !== undefined && only.file === this.limits.mainRun?.file) return true;
    const sink = openSink();
    if (only !== undefined) await this.copy(only, sink, turn);
    else await this.mergeAll(sink, turn);
    return false;
  }

  private async copy(run: Run, sink: MergeSink, turn: Turn): Promise<void> {
    const { bytes } = this.batch;
    const block = Math.min(bytes.length, 1 << 22);
    for (let e = 0; e < run.extents.length; e += 2)
      for (let at = run.extents[e]!; at < run.extents[e + 1]! && sink.closed !== true;) {
        const n = run.file.text.read(bytes, 0, Math.min(block, run.extents[e + 1]! - at), at);
        if (n === 0) break;
        sink.bytes(bytes, 0, n);
        at += n;
        await turn();
      }
    run.release();
    this.runs = [];
  }

  private async mergeAll(sink: MergeSink, turn: Turn): Promise<void> {
    const most = Math.max(
      2,
      Math.min(MOST_READERS, Math.floor((this.budget * 0.7) / Math.max(LEAST_BLOCK, this.longest))),
    );
    while (this.runs.length > most) {
      const count = Math.min(most, this.runs.length - most + 1);
      const first = smallestWindow(this.runs, count);
      const group = this.runs.slice(first, first + count);
      const { out, file } = openStore(this.limits.temporary);
      const merged = new Run(file);
      this.runs.splice(first, count, merged);
      await this.merge(
        group,
        {
          bytes: (b, from, to) => out.bytes(b, from, to),
          orphan: (ts, seq) => merged.orphans.push({ at: out.size, ts, seq }),
        },
        turn,
      );
      out.flush();
      merged.extend(0, out.size);
      this.spilled += out.size;
    }
    await this.merge(this.runs, sink, turn);
    this.runs = [];
  }

  /** Merges neighbours into `sink` and releases them. The batch's memory, empty by now, is shared among the readers. */
  private async merge(runs: readonly Run[], sink: MergeSink, turn: Turn): Promise<void> {
    const { batch } = this;
    const bytes = Math.floor((this.budget * 0.7) / runs.length);
    const rows = Math.floor((batch.ts.length * 0.8) / runs.length);
    const readers = runs.map(
      (run, i) =>
        new RunReader(run, i, {
          bytes: batch.bytes.subarray(i * bytes, (i + 1) * bytes),
          ts: batch.ts.subarray(i * rows, (i + 1) * rows),
          seq: batch.seq.subarray(i * rows, (i + 1) * rows),
          end: batch.at.subarray(i * rows, (i + 1) * rows),
        }),
    );
    await mergeRuns(readers, sink, turn);
    for (const run of runs) run.release();
  }

  /** Gives up whatever is left in temporary files; safe to call at any time. */
  close(): void {
    for (const run of this.runs) run.file.text.close();
    this.runs = [];
    this.spool?.file.text.close();
    this.batch.clear();
  }
}

function openStore(directory: string | undefined): RunStore {
  const spool = new Spool(directory);
  return { out: spool.out, file: { text: spool, users: 0 } };
}

/** Which `count` neighbours are smallest together: neighbours, so that ranks stay in order. */
function smallestWindow(runs: readonly Run[], count: number): number {
  let best = 0;
  let bestSize = Infinity;
  for (let from = 0; from + count <= runs.length; from++) {
    let size = 0;
    for (let i = from; i < from + count; i++) size += runs[i]!.length;
    if (size < bestSize) {
      bestSize = size;
      best = from;
    }
  }
  return best;
}
