// A trackexec log as a track of blocks, for replay: any block in any order, of a log that may still be growing. The index is in memory (when
// each block began, how deep it went); a block's lines are decoded when they are asked for, which the older format makes necessary even to know which they are.
import { closeSync, openSync, readSync, statSync } from "node:fs";
import { LineCosts } from "../lines/line_costs.ts";
import { fileOf, LineRows, lineOf } from "../lines/line_rows.ts";
import { LineTotals } from "../lines/line_totals.ts";
import type { CostedTraces, LineBlockView, LineClock, LineCode, LineSource, LineTrack } from "../lines/line_track.ts";
import type { Problems } from "../model/problem.ts";
import { readArchiveTexts } from "./archive_texts.ts";
import { BLOCK_BYTES, BlockDecoder, MOST_ROWS } from "./block.ts";
import { IndexFile, readPid, StartTimes } from "./log_directory.ts";
import { MAP_BLOCKS, type MapFile, MapReader } from "./map_file.ts";

/** Unix time in steps of 2^-20 s. */
export const TRACKEXEC_CLOCK: LineClock = { ticksPerSecond: 2 ** 20, unixZero: 0 };

/** Decoded blocks that are kept: each has up to 4096 lines. */
const KEPT = 64;

/** Whether it has what a log has: its index, or at least its blocks. */
export function isTrackexecLog(dir: string): boolean {
  return stampOf(`${dir}/log_index`) !== "none" || stampOf(`${dir}/log_map`) !== "none";
}

export class TrackexecLines implements CostedTraces {
  readonly clock = TRACKEXEC_CLOCK;
  readonly sources: LineSource[] = [];
  readonly codes: LineCode[] = [];
  readonly tracks: readonly LineTrack[];
  readonly notes: readonly string[] = [];
  readonly dir: string;
  private readonly problems: Problems;
  private readonly track: TrackexecTrack;
  private archiveSeen = "";

  constructor(dir: string, problems: Problems) {
    this.dir = dir;
    this.problems = problems;
    this.track = new TrackexecTrack(dir, (file, message) =>
      problems.add({ code: "block", source: `${dir}/${file}`, line: 0, message }),
    );
    this.tracks = [this.track];
    this.readSources();
    this.knowFiles();
    this.track.onFile = (file) => this.knowFile(file);
  }

  refresh(): boolean {
    const grown = this.track.look();
    if (grown) this.readSources();
    return grown;
  }

  addCosts(costs: LineCosts): void {
    const totals = new LineTotals();
    this.track.eachRows((rows) => totals.add(rows));
    for (let i = 0; i < totals.length; i++) {
      const { file, line, count, cumulated, everyLevel, self } = totals.at(i);
      costs.add(file, line, count, cumulated, everyLevel, self);
    }
  }

  private readSources(): void {
    const path = `${this.dir}/log_sources.tar.gz`;
    const seen = stampOf(path);
    if (seen === this.archiveSeen) return;
    const first = this.archiveSeen === "";
    this.archiveSeen = seen;
    const texts = readArchiveTexts(path, (message) => {
      if (first) this.problems.add({ code: "cut", source: path, line: 0, message });
    });
    texts.forEach(({ path: name, bytes }, file) => {
      let text: string | undefined;
      this.knowFile(file);
      this.sources[file] = {
        path: name,
        text: () => (text ??= bytes === undefined ? undefined : new TextDecoder().decode(bytes)),
      };
    });
  }

  /** Files are numbered from 0; one that the archive does not have is known by its number. */
  private knowFile(file: number): void {
    for (let id = this.sources.length; id <= file; id++) {
      this.sources.push({ path: `(file ${id})`, text: () => undefined });
      this.codes.push({ file: id, name: undefined, firstLine: 0 });
    }
  }

  private knowFiles(): void {
    if (this.sources.length === 0) this.knowFile(0);
  }
}

function stampOf(path: string): string {
  try {
    const { ino, size, mtimeMs } = statSync(path);
    return `${ino}:${size}:${mtimeMs}`;
  } catch {
    return "none";
  }
}

interface Kept {
  readonly view: LineBlockView;
  /** Places of the lines that were executed, as `LineRows` has them. */
  readonly keys: ReadonlySet<number>;
}

class TrackexecTrack implements LineTrack {
  readonly index = 0;
  readonly kind = "trackexec";
  readonly pid: number | undefined;
  readonly tid: number | undefined;
  readonly name: string;
  readonly approximate = true;
  /** Told of each file that lines refer to. */
  onFile: (file: number) => void = () => {};
  private readonly dir: string;
  private readonly tell: (file: string, message: string) => void;
  private starts = new Float64Array(0);
  private minDepths: Uint16Array = new Uint16Array(0);
  private count = 0;
  /** By block: executed lines, -1 while not known; and which they are. */
  private counts: number[] = [];
  private keysOf: (ReadonlySet<number> | undefined)[] = [];
  private readonly told = new Set<number>();
  private readonly kept = new Map<number, Kept>();
  private readonly rows = new LineRows(MOST_ROWS);
  private readonly decoder = new BlockDecoder();
  private readonly maps: MapReader;
  private map: { readonly number: number; readonly file: MapFile | undefined } | undefined;

  constructor(dir: string, tell: (file: string, message: string) => void) {
    this.dir = dir;
    this.tell = tell;
    this.maps = new MapReader(dir);
    this.pid = readPid(`${dir}/pid`);
    this.tid = this.pid;
    this.name = dir.replace(/\/+$/, "").split("/").at(-1) ?? dir;
    this.look();
  }

  get blocks(): number {
    return this.count;
  }

  /** Looks at every block that was not looked at before. */
  get events(): number {
    let n = 0;
    for (let block = 0; block < this.count; block++) n += this.countOf(block);
    return n;
  }

  /** Reads the index again; true when there is more. */
  look(): boolean {
    const index = new IndexFile(`${this.dir}/log_index`);
    try {
      const blocks = index.isThere ? index.records : 0;
      if (blocks === this.count) return false;
      const times = new StartTimes(index);
      const starts = new Float64Array(blocks);
      for (let first = 0; first < blocks; first += MAP_BLOCKS) {
        const n = Math.min(MAP_BLOCKS, blocks - first);
        const wrong = times.load(first, n);
        if (wrong !== undefined && first >= this.count) this.tell("log_index", wrong);
        for (let i = 0; i < n; i++) starts[first + i] = times.of(first + i, 0).start;
      }
      // The block that was the last has an end only now.
      if (this.count > 0) this.forget(this.count - 1);
      this.minDepths = readMinDepths(`${this.dir}/log_index`, blocks);
      this.starts = starts;
      this.count = blocks;
      this.map = undefined;
      while (this.counts.length < blocks) this.counts.push(-1);
      this.keysOf.length = blocks;
      return true;
    } finally {
      index.close();
    }
  }

  startOf = (block: number): number => this.starts[block]!;
  minDepthOf = (block: number): number => this.minDepths[block]!;

  endOf(block: number): number {
    return block + 1 < this.count ? this.starts[block + 1]! : this.keptOf(block).view.end;
  }

  countOf(block: number): number {
    if (this.counts[block]! < 0) this.keptOf(block);
    return this.counts[block]!;
  }

  has(block: number, file: number, line: number): boolean {
    if (this.keysOf[block] === undefined) this.keptOf(block);
    return line <= 0xffff && this.keysOf[block]!.has(file * 65536 + line);
  }

  load(block: number): LineBlockView {
    return this.keptOf(block).view;
  }

  /** Every block's rows in order; valid during the call only. */
  eachRows(take: (rows: LineRows) => void): void {
    for (let block = 0; block < this.count; block++) {
      this.decode(block);
      take(this.rows);
    }
  }

  private forget(block: number): void {
    this.kept.delete(block);
    this.counts[block] = -1;
    this.keysOf[block] = undefined;
  }

  private keptOf(block: number): Kept {
    const known = this.kept.get(block);
    if (known !== undefined) {
      this.kept.delete(block);
      this.kept.set(block, known);
      return known;
    }
    this.decode(block);
    const view = viewOf(this.rows, block);
    const keys = new Set<number>(this.rows.key.subarray(this.rows.snapshot, this.rows.length));
    let highest = -1;
    for (let i = 0; i < this.rows.length; i++) highest = Math.max(highest, fileOf(this.rows.key[i]!));
    if (highest >= 0) this.onFile(highest);
    const kept = { view, keys };
    this.counts[block] = view.count;
    this.keysOf[block] = keys;
    this.kept.set(block, kept);
    if (this.kept.size > KEPT)
      for (const oldest of this.kept.keys()) {
        this.kept.delete(oldest);
        break;
      }
    return kept;
  }

  private decode(block: number): void {
    const number = Math.floor(block / MAP_BLOCKS);
    if (this.map?.number !== number) this.map = { number, file: this.readMap(number) };
    const { file } = this.map;
    const start = this.starts[block]!;
    const end = block + 1 < this.count ? this.starts[block + 1]! : undefined;
    const nth = block - number * MAP_BLOCKS;
    if (file === undefined || nth * BLOCK_BYTES >= file.bytes) {
      this.rows.clear(start);
      this.rows.end = end ?? start;
      return this.once(block, "log_map", "it is missing");
    }
    const fault = this.decoder.decode(this.maps.block(file, nth), { start, end }, this.rows);
    if (fault !== undefined) this.once(block, file.name, `${fault}; the rest of it is kept`);
  }

  private readMap(number: number): MapFile | undefined {
    try {
      return this.maps.read(number, Math.min(MAP_BLOCKS, this.count - number * MAP_BLOCKS));
    } catch {
      return undefined;
    }
  }

  private once(block: number, file: string, what: string): void {
    if (this.told.has(block)) return;
    this.told.add(block);
    this.tell(file, `block ${block}: ${what}`);
  }
}

function viewOf(rows: LineRows, block: number): LineBlockView {
  const { snapshot, length } = rows;
  const files = Int32Array.from(rows.key.subarray(0, length), fileOf);
  const lines = Int32Array.from(rows.key.subarray(0, length), lineOf);
  return {
    block,
    stackCode: files.subarray(0, snapshot),
    stackLine: lines.subarray(0, snapshot),
    start: rows.start,
    end: rows.end,
    count: length - snapshot,
    code: files.subarray(snapshot),
    line: lines.subarray(snapshot),
    depth: Int32Array.from(rows.depth.subarray(snapshot, length)),
    time: rows.time.slice(snapshot, length),
  };
}

const RECORD_BYTES = 10;

function readMinDepths(path: string, blocks: number): Uint16Array {
  const depths = new Uint16Array(blocks);
  const bytes = new Uint8Array(blocks * RECORD_BYTES);
  let fd: number | undefined;
  try {
    fd = openSync(path, "r");
    const n = readSync(fd, bytes, 0, bytes.length, 0);
    for (let block = 0; (block + 1) * RECORD_BYTES <= n; block++)
      depths[block] = bytes[block * RECORD_BYTES + 8]! | (bytes[block * RECORD_BYTES + 9]! << 8);
  } catch {
    // The index was there a moment ago; without it no block is skipped.
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
  return depths;
}
