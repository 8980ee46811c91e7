// A run: lines that are in order already, kept in a spool as one or more stretches of bytes, and a reader over it.
// Keys are not stored but found again in the bytes; only a line whose key came from a line that is elsewhere has it noted here.
import { Buffer } from "node:buffer";
import { invariant } from "../base/assert.ts";
import { OutputError } from "../host/out.ts";
import type { ReadBack } from "../host/spool.ts";
import { KeyScan } from "./sort_keys.ts";

/** What a run reads from; the spool goes when its last run has gone. */
export interface RunFile {
  readonly text: ReadBack;
  /** Runs that are still to be read. */
  users: number;
}

export interface OrphanKey {
  /** Offset in the run. */
  readonly at: number;
  readonly ts: number;
  readonly seq: number;
}

export class Run {
  readonly file: RunFile;
  /** Pairs of from and to. */
  readonly extents: number[] = [];
  length = 0;
  readonly orphans: OrphanKey[] = [];
  /** Greatest key so far. */
  lastTs = -Infinity;
  lastSeq = -Infinity;

  constructor(file: RunFile) {
    this.file = file;
    file.users++;
  }

  /** Bytes were appended to the spool at `from`. */
  extend(from: number, to: number): void {
    const e = this.extents;
    if (e.length > 0 && e[e.length - 1] === from) e[e.length - 1] = to;
    else e.push(from, to);
    this.length += to - from;
  }

  release(): void {
    this.file.users--;
    if (this.file.users === 0) this.file.text.close();
  }
}

/** Memory that a reader works in; the columns are of one length. */
export interface ReaderBlock {
  readonly bytes: Buffer;
  readonly ts: Float64Array;
  readonly seq: Float64Array;
  readonly end: Uint32Array;
}

/** Reads a run line by line, a block at a time. Of the current line: `ts`, `seq`, and `[from, to)` in `bytes`. */
export class RunReader {
  readonly run: Run;
  /** Order of creation: decides between equal keys. */
  readonly rank: number;
  bytes: Buffer;
  /** Lines of the block: keys and ends; line `i` begins where the one before it ends. */
  private readonly tsOf: Float64Array;
  private readonly seqOf: Float64Array;
  private readonly endOf: Uint32Array;
  private lines = 0;
  private line = 0;
  ts = 0;
  seq = 0;
  from = 0;
  to = 0;
  done = false;
  /** Bytes in the block, of which those behind the last whole line are carried to the next. */
  private filled = 0;
  private lineEnd = 0;
  /** Where the block begins in the run. */
  private blockAt = 0;
  private nextExtent = 0;
  private inExtent = 0;
  private nextOrphan = 0;
  private readonly scan = new KeyScan();

  constructor(run: Run, rank: number, block: ReaderBlock) {
    this.run = run;
    this.rank = rank;
    this.bytes = block.bytes;
    this.tsOf = block.ts;
    this.seqOf = block.seq;
    this.endOf = block.end;
    this.load();
  }

  /** To the next line of the block; false when the block is used up: then what was read of it must be taken, and `load` called. */
  advance(): boolean {
    const i = ++this.line;
    if (i >= this.lines) return false;
    this.ts = this.tsOf[i]!;
    this.seq = this.seqOf[i]!;
    this.from = this.to;
    this.to = this.endOf[i]!;
    return true;
  }

  /** Whether the current line is noted as one whose key is not in the bytes before it. */
  isOrphan(): boolean {
    const { orphans } = this.run;
    if (orphans.length === 0) return false;
    const at = this.blockAt + this.from;
    let low = 0;
    let high = orphans.length;
    while (low < high) {
      const m = (low + high) >>> 1;
      if (orphans[m]!.at < at) low = m + 1;
      else high = m;
    }
    return orphans[low]?.at === at;
  }

  /** The next block; sets `done` at the end of the run. */
  load(): void {
    this.bytes.copyWithin(0, this.lineEnd, this.filled);
    this.filled -= this.lineEnd;
    this.blockAt += this.lineEnd;
    this.lineEnd = 0;
    this.lines = 0;
    this.line = 0;
    this.from = 0;
    this.to = 0;
    for (;;) {
      this.fill();
      this.scanLines();
      if (this.lines > 0) break;
      if (this.filled === 0) {
        this.done = true;
        return;
      }
      invariant(this.filled === this.bytes.length, "a run ends with a newline");
      const grown = Buffer.allocUnsafeSlow(this.bytes.length * 2);
      this.bytes.copy(grown, 0, 0, this.filled);
      this.bytes = grown;
    }
    this.ts = this.tsOf[0]!;
    this.seq = this.seqOf[0]!;
    this.to = this.endOf[0]!;
  }

  private fill(): void {
    const { extents, file } = this.run;
    while (this.filled < this.bytes.length && this.nextExtent < extents.length) {
      const from = extents[this.nextExtent]! + this.inExtent;
      const to = extents[this.nextExtent + 1]!;
      const want = Math.min(to - from, this.bytes.length - this.filled);
      const n = file.text.read(this.bytes, this.filled, want, from);
      if (n < want)
        throw new OutputError("Cannot read back a temporary file: it is shorter than what was written to it");
      this.filled += n;
      this.inExtent += n;
      if (from + n === to) {
        this.nextExtent += 2;
        this.inExtent = 0;
      }
    }
  }

  private scanLines(): void {
    const { bytes, scan, run } = this;
    let at = 0;
    while (this.lines < this.endOf.length) {
      const newline = bytes.indexOf(10, at);
      if (newline < 0 || newline >= this.filled) break;
      const orphan = run.orphans[this.nextOrphan];
      if (orphan !== undefined && orphan.at === this.blockAt + at) {
        scan.set(orphan.ts, orphan.seq);
        this.nextOrphan++;
      }
      scan.next(bytes, at, newline);
      this.tsOf[this.lines] = scan.ts;
      this.seqOf[this.lines] = scan.seq;
      at = newline + 1;
      this.endOf[this.lines++] = at;
    }
    this.lineEnd = at;
  }
}
