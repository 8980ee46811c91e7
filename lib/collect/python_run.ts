// One interpreter's recording while it grows: its `.meta` text and its threads' raw streams, fed to a builder for each thread. Blocks that
// have been read to their end are deleted where the reader may do that.
import { closeSync, openSync, readSync, unlinkSync } from "node:fs";
import { BlockBuilder, type CodeInfo } from "../lines/block_builder.ts";
import type { LineSink } from "./line_sink.ts";
import { LineCutter, type MetaRecord, parseMetaLine } from "./meta_file.ts";
import { type RawBlockReader, type RawEvents, UNSTAMPED } from "./raw_block.ts";
import { readSourceFile, type SourceShelf } from "./source_shelf.ts";

export interface RunContext {
  /** Where the raw files are. */
  readonly directory: string;
  readonly sink: LineSink;
  readonly sources: SourceShelf;
  readonly blocks: RawBlockReader;
  /** Whether what has been read is deleted. */
  readonly consumes: boolean;
  /** A moment of the streams' clock on the reader's axis. */
  axis(at: bigint): number;
  /** The same of the wall clock, microseconds since 1970. */
  axisOfWall(micros: number): number;
  /** No event can be later than this. */
  latest(): number;
}

const MAIN_THREAD = "MainThread";
/** Unstamped events are held until the next stamp, up to this many. */
const MOST_HELD = 1 << 20;
const IDLE = "<idle>";

interface Stream {
  readonly number: number;
  readonly builder: BlockBuilder;
  tid: number;
  name: string;
  /** The block that is being read, and how many of its events have been. */
  block: number;
  at: number;
  /** Time of the last event that has one. */
  last: number;
  held: number[];
  /** The file that was no block when it was looked at last. */
  bad: string;
}

export class PythonRun {
  readonly id: string;
  /** 0 until its first record is there. */
  pid: number;
  /** When the recording began on the axis; undefined until that is known. */
  startedAt: number | undefined;
  /** Both clocks at its first record. */
  clocks: { readonly at: bigint; readonly wall: bigint } | undefined;
  /** When it said itself that it is over. */
  endedAt: number | undefined;
  private readonly context: RunContext;
  private readonly cutter = new LineCutter();
  private metaAt = 0;
  private metaLine = 0;
  private script = "";
  private readonly sourceOf = new Map<number, string>();
  private readonly codes = new Map<number, CodeInfo>();
  /** The process records; it does not only say why it cannot. */
  private isRecorded = false;
  private toldStopped = false;
  private readonly streams = new Map<number, Stream>();
  private readonly ended = new Set<number>();
  private readonly threadEnds = new Map<number, number>();
  private readonly piece = new Uint8Array(1 << 16);

  constructor(id: string, context: RunContext) {
    this.id = id;
    this.context = context;
    this.pid = Number.parseInt(id, 10) || 0;
  }

  /** Reads what was written since. `files`: what there is of each stream's blocks, as the rest of their names. */
  scan(files: ReadonlyMap<number, ReadonlySet<string>>): void {
    // Looked at before the blocks are: what an ended thread wrote is all there.
    const ends = [...this.threadEnds];
    this.readMeta();
    for (const [number, names] of files) if (!this.ended.has(number)) this.scanStream(this.stream(number), names);
    for (const [number, at] of ends) {
      this.threadEnds.delete(number);
      const stream = this.streams.get(number);
      if (stream === undefined) continue;
      this.endStream(stream, at);
      if (this.context.consumes)
        for (const name of files.get(number) ?? []) remove(`${this.context.directory}/${this.id}.${number}.${name}`);
    }
  }

  /** Nothing will be added; `at`: when the process ended, where that is known. */
  finish(at: number | undefined): void {
    this.readMeta();
    for (const stream of this.streams.values()) this.endStream(stream, at);
  }

  /** What has been read goes out as blocks, so that it can be seen. */
  flush(): void {
    for (const { builder } of this.streams.values()) if (builder.pending > 0) builder.flush();
  }

  private scanStream(stream: Stream, names: ReadonlySet<string>): void {
    const has = (block: number) => names.has(String(block)) || names.has(`${block}.z`);
    for (;;) {
      const { block } = stream;
      if (!has(block)) {
        // One that was lost, with its disk perhaps, must not hide those behind it.
        const next = nextBlock(names, block);
        if (next === undefined) return;
        this.context.sink.lost(this.pid, 0, `${next - block} blocks of stream ${this.id}.${stream.number} are missing`);
        stream.block = next;
        stream.at = 0;
        continue;
      }
      const packed = !names.has(String(block));
      const finished = packed || has(block + 1);
      this.readBlock(stream, `${this.id}.${stream.number}.${block}${packed ? ".z" : ""}`, finished);
      if (!finished) return;
      stream.block++;
      stream.at = 0;
    }
  }

  private readBlock(stream: Stream, name: string, finished: boolean): void {
    const { context } = this;
    const path = `${context.directory}/${name}`;
    const events = context.blocks.read(path, stream.at);
    if (typeof events === "string") {
      if (stream.bad !== name) context.sink.problem(name, events);
      stream.bad = name;
    } else if (events !== undefined) {
      if (events.stopped !== 0 && !this.toldStopped) {
        this.toldStopped = true;
        context.sink.lost(this.pid, 0, `recording stopped: ${stoppedWords(events.stopped)}`);
      }
      if (events.length > 0) {
        // A function is told before its first word: what the words mean is there by now.
        this.readMeta();
        this.feed(stream, events);
        stream.at += events.length;
      }
    }
    if (finished && context.consumes) remove(path);
  }

  private feed(stream: Stream, { words, times, length }: RawEvents): void {
    const { builder, held } = stream;
    const latest = this.context.latest();
    for (let i = 0; i < length; i++) {
      const time = times[i]!;
      const word = words[i]!;
      if (time === UNSTAMPED || time > latest) {
        if (held.length < MOST_HELD) held.push(word);
        else builder.add(word, stream.last);
        continue;
      }
      if (held.length > 0) this.interpolate(stream, time);
      stream.last = time;
      builder.add(word, time);
    }
  }

  /** Events between two stamps: at equal distances. */
  private interpolate(stream: Stream, until: number): void {
    const { builder, held } = stream;
    const from = stream.last === UNSTAMPED ? until : stream.last;
    const step = Math.max(0, until - from) / (held.length + 1);
    builder.approximate = true;
    for (let i = 0; i < held.length; i++) builder.add(held[i]!, Math.round(from + step * (i + 1)));
    held.length = 0;
  }

  private endStream(stream: Stream, at: number | undefined): void {
    this.streams.delete(stream.number);
    this.ended.add(stream.number);
    const end = at ?? stream.last;
    if (stream.held.length > 0 && Number.isFinite(end)) this.interpolate(stream, Math.max(end, stream.last));
    stream.builder.flush(Number.isFinite(end) ? end : undefined);
    const { dropped } = stream.builder;
    if (dropped > 0)
      this.context.sink.problem(`${this.id}.${stream.number}`, `${dropped} events made no sense where they stood`);
  }

  private stream(number: number): Stream {
    const known = this.streams.get(number);
    if (known !== undefined) return known;
    const builder = new BlockBuilder((block) => {
      this.context.sink.block(
        {
          stream: `${this.id}.${number}`,
          kind: "python",
          pid: this.pid,
          tid: stream.tid,
          name: stream.name === MAIN_THREAD || stream.name === "" ? this.script || "python" : stream.name,
        },
        block,
      );
    });
    const stream: Stream = {
      number,
      builder,
      tid: this.pid,
      name: "",
      block: 0,
      at: 0,
      last: UNSTAMPED,
      held: [],
      bad: "",
    };
    for (const [code, info] of this.codes) builder.define(code, info);
    this.streams.set(number, stream);
    return stream;
  }

  private readMeta(): void {
    let fd: number;
    try {
      fd = openSync(`${this.context.directory}/${this.id}.meta`, "r");
    } catch {
      return;
    }
    try {
      for (;;) {
        const n = readSync(fd, this.piece, 0, this.piece.length, this.metaAt);
        if (n === 0) return;
        this.metaAt += n;
        const fits = this.cutter.push(this.piece.subarray(0, n), (line) => this.metaRecord(line));
        if (!fits) this.context.sink.problem(`${this.id}.meta`, "a line is longer than any record, left out");
      }
    } catch {
      // What cannot be read now may be at the next look.
    } finally {
      closeSync(fd);
    }
  }

  private metaRecord(line: Uint8Array): void {
    this.metaLine++;
    if (line.length === 0) return;
    const parsed = parseMetaLine(line);
    if (parsed.isErr()) this.context.sink.problem(`${this.id}.meta:${this.metaLine}`, parsed.error);
    else if (parsed.value !== undefined) this.take(parsed.value);
  }

  private take(record: MetaRecord): void {
    const { context } = this;
    switch (record.tag) {
      case "P":
        this.pid = record.pid;
        this.script = record.name;
        this.clocks = { at: record.at, wall: record.wall };
        this.isRecorded = record.engine !== "none";
        this.startedAt = context.axis(record.at);
        context.sink.reached(record.pid, this.startedAt);
        return;
      case "F":
        return this.file(record.file, record.path, record.key);
      case "C": {
        const info: CodeInfo = {
          source: record.name === IDLE ? undefined : this.sourceOf.get(record.file),
          firstLine: record.firstLine,
          name: record.name,
        };
        this.codes.set(record.code, info);
        for (const { builder } of this.streams.values()) builder.define(record.code, info);
        return;
      }
      case "S": {
        const stream = this.stream(record.stream);
        stream.tid = record.tid;
        stream.name = record.name;
        return;
      }
      case "X":
        this.threadEnds.set(record.stream, context.axis(record.at));
        return;
      case "L":
        return context.sink.lost(this.pid, record.count, record.reason);
      case "N":
        // One that is recorded says what is missing of its lines; of a pid, all are.
        return context.sink.note(this.isRecorded ? 0 : this.pid, record.sentence);
      case "E":
        this.endedAt = context.axis(record.at);
    }
  }

  private file(number: number, path: Uint8Array, key: string): void {
    // The name of a copy in `src`, and of nothing else.
    const kept = /^[A-Za-z0-9][A-Za-z0-9._-]{0,200}$/.test(key);
    const text = kept ? readSourceFile(`${this.context.directory}/src/${key}`) : undefined;
    if (key !== "" && !kept)
      this.context.sink.problem(
        `${this.id}.meta:${this.metaLine}`,
        `the copy of a source is called ${JSON.stringify(key.slice(0, 60))}, expected letters and digits`,
      );
    this.sourceOf.set(number, this.context.sources.add(path, text));
  }
}

/** What a process can say when it can write to no file of its recording any more. */
function stoppedWords(errno: number): string {
  if (errno === 1 || errno === 13) return "the process has become another user, who may not write here";
  if (errno === 2) return "the recording is not in the root in which the process lives now";
  return `error ${errno} when writing`;
}

function nextBlock(names: ReadonlySet<string>, after: number): number | undefined {
  let next = Infinity;
  for (const name of names) {
    const n = Number.parseInt(name, 10);
    if (n > after && n < next) next = n;
  }
  return next === Infinity ? undefined : next;
}

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Gone already.
  }
}
