// A log directory that trackexec wrote (a tool of walt-python-packages): finished, still growing, cut off or damaged. `log_index` says how
// many blocks there are and when each began; `log_map/N` or `log_map/N.gz` holds blocks 32 N to 32 N + 31. One map
// is in memory at a time. The readers' own cache (a pickle) is not looked at: its totals can be of another moment.
import { Effect, type Scope } from "effect";
import { closeSync, constants, fstatSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import { thousands } from "../base/text.ts";
import { errorCode } from "../host/out.ts";
import { LineRows } from "../lines/line_rows.ts";
import type { ProblemCode, Problems } from "../model/problem.ts";
import type { Turn } from "../pipeline/turn.ts";
import { BLOCK_BYTES, BlockDecoder, MOST_ROWS } from "./block.ts";
import { MAP_BLOCKS, MapReader } from "./map_file.ts";
import { TrackexecError, trackexecError } from "./trackexec_error.ts";

const RECORD_BYTES = 10;

export interface TrackexecLog {
  /** As the user named it. */
  readonly dir: string;
  /** Blocks that the index knew when the log was opened; a log that grows has more by now. */
  readonly blocks: number;
  /** Of the process that was recorded. */
  readonly pid: number | undefined;
  /** Hands over every block in order; the rows are valid during the call only. May be asked for once. */
  eachBlock(take: (rows: LineRows, block: number) => void, turn: Turn, told?: (done: number) => void): Promise<void>;
}

export const openTrackexec = (
  dir: string,
  problems: Problems,
): Effect.Effect<TrackexecLog, TrackexecError, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.try({
      try: () => new LogDirectory(dir, problems),
      catch: (cause) => (cause instanceof TrackexecError ? cause : trackexecError(dir, dir, cause)),
    }),
    (log) => Effect.sync(() => log.close()),
  );

class LogDirectory implements TrackexecLog {
  readonly dir: string;
  readonly blocks: number;
  readonly pid: number | undefined;
  private readonly problems: Problems;
  private readonly index: IndexFile;

  constructor(dir: string, problems: Problems) {
    this.dir = dir;
    this.problems = problems;
    if (!statSync(dir).isDirectory()) throw new TrackexecError({ dir, reason: { _tag: "NotADirectory" } });
    this.index = new IndexFile(`${dir}/log_index`);
    this.blocks = this.index.records;
    if (!this.index.isThere) {
      if (mapNumbers(dir).length === 0)
        throw new TrackexecError({ dir, reason: { _tag: "NotALog", logs: logsInside(dir) } });
      this.tell("cut", "log_index", "it is missing: lines are counted, but between blocks no time is known");
    } else if (this.index.rest > 0) this.tell("cut", "log_index", "it ends in the middle of a record");
    this.pid = readPid(`${dir}/pid`);
  }

  close(): void {
    this.index.close();
  }

  async eachBlock(take: (rows: LineRows, block: number) => void, turn: Turn, told?: (done: number) => void) {
    const { blocks } = this;
    const maps = new MapReader(this.dir);
    const rows = new LineRows(MOST_ROWS);
    const decoder = new BlockDecoder();
    const times = new StartTimes(this.index);
    /** Blocks in maps that were there; blocks that are in a map but not in the index. */
    let found = 0;
    let extra = 0;
    for (const number of mapNumbers(this.dir)) {
      await turn();
      const first = number * MAP_BLOCKS;
      const expected = Math.max(0, Math.min(MAP_BLOCKS, blocks - first));
      const file = this.readMap(maps, number, expected);
      if (file === undefined) continue;
      const there = Math.min(MAP_BLOCKS, Math.ceil(file.bytes / BLOCK_BYTES));
      // Without an index there is nothing but the maps to go by.
      const used = blocks === 0 ? there : Math.min(there, expected);
      // One more is what a log has whose last map is being filled, or whose writer was killed between two steps.
      if (there - used > 1 || expected === 0 || file.name.endsWith(".gz")) extra += there - used;
      found += used;
      const wrong = times.load(first, expected);
      if (wrong !== undefined) this.tell("clock", "log_index", wrong);
      let bad = 0;
      for (let nth = 0; nth < used; nth++) {
        const block = first + nth;
        const fault = decoder.decode(maps.block(file, nth), times.of(block, decoder.lastStamp), rows);
        if (fault !== undefined) {
          bad++;
          if (file.damage !== undefined) continue;
          this.tell("block", file.name, `block ${block}: ${fault}; the rest of it is kept`);
        }
        take(rows, block);
      }
      if (file.damage !== undefined) {
        const kept = thousands(used - bad);
        this.tell("compressed", file.name, `${file.damage}; of its ${expected || there} blocks ${kept} could be used`);
      } else if (used < expected) this.tell("cut", file.name, `it ends after ${used} of ${expected} blocks`);
      told?.(Math.min(blocks, first + MAP_BLOCKS));
    }
    this.tellMissing(found, extra);
  }

  private readMap(maps: MapReader, number: number, expected: number) {
    try {
      return maps.read(number, expected);
    } catch (error) {
      if (errorCode(error) === "") throw error;
      const { message } = trackexecError(this.dir, `${this.dir}/log_map/${number}`, error);
      this.tell("cut", `log_map/${number}`, message);
      return undefined;
    }
  }

  private tellMissing(found: number, extra: number): void {
    const { blocks } = this;
    if (found === 0 && blocks > 0) this.tell("cut", "log_map", `none of its ${thousands(blocks)} blocks could be read`);
    else if (found < blocks)
      this.tell("cut", "log_map", `${thousands(blocks - found)} of ${thousands(blocks)} blocks are missing`);
    if (extra > 0)
      this.tell(
        "cut",
        "log_index",
        `${thousands(extra)} blocks of log_map are not in it and have no times; they are left out`,
      );
  }

  private tell(code: ProblemCode, file: string, message: string): void {
    this.problems.add({ code, source: `${this.dir}/${file}`, line: 0, message });
  }
}

/** `log_index`: per block when it began (8 bytes) and its smallest stack (2 bytes, of use to a player only: trackexec_lines.ts). */
export class IndexFile {
  readonly isThere: boolean;
  readonly records: number;
  /** Bytes after the last whole record. */
  readonly rest: number;
  private readonly fd: number | undefined;

  constructor(path: string) {
    try {
      this.fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    } catch (error) {
      if (errorCode(error) !== "ENOENT") throw trackexecError(path, path, error);
    }
    const stat = this.fd === undefined ? undefined : fstatSync(this.fd);
    this.isThere = stat?.isFile() ?? false;
    const size = stat?.isFile() ? stat.size : 0;
    this.records = Math.floor(size / RECORD_BYTES);
    this.rest = size % RECORD_BYTES;
  }

  /** When block `first` and those after it began, as many as there are; NaN for a number beyond 2^53. */
  times(first: number, count: number): number[] {
    const n = Math.max(0, Math.min(count, this.records - first));
    if (this.fd === undefined || n === 0) return [];
    const b = new Uint8Array(n * RECORD_BYTES);
    const got = readSync(this.fd, b, 0, b.length, first * RECORD_BYTES);
    const view = new DataView(b.buffer);
    const times: number[] = [];
    for (let at = 0; at + RECORD_BYTES <= got; at += RECORD_BYTES) {
      const high = view.getUint32(at + 4, true);
      times.push(high < 2 ** 21 ? high * 2 ** 32 + view.getUint32(at, true) : NaN);
    }
    return times;
  }

  close(): void {
    if (this.fd !== undefined) closeSync(this.fd);
  }
}

/** When blocks began, made never to decrease: the recorder sees to that, a damaged index does not. */
export class StartTimes {
  private readonly index: IndexFile;
  private first = 0;
  private starts: number[] = [];
  private last = 0;

  constructor(index: IndexFile) {
    this.index = index;
  }

  /**
   * Looks up `count` blocks from `first` on, and the start of the one after them, which is their end. Returns what was wrong with
   * them, in one sentence.
   */
  load(first: number, count: number): string | undefined {
    const raw = count > 0 ? this.index.times(first, count + 3) : [];
    this.first = first;
    this.starts = [];
    let last = this.last;
    let wrong: string | undefined;
    let more = 0;
    for (let i = 0; i < Math.min(raw.length, count + 1); i++) {
      const time = raw[i]!;
      const next = raw[i + 1] ?? NaN;
      const afterNext = raw[i + 2] ?? Infinity;
      let what: string | undefined;
      if (Number.isNaN(time)) what = "is beyond 2^53 ticks";
      else if (time < last) what = "is before that of the block before it";
      // Too late for its successors, which fit its predecessor: this one is the wrong one, and not the next.
      else if (next < time && next >= last && (afterNext < time || afterNext === Infinity))
        what = "is after that of the block after it";
      // A wrong time becomes the next one that can be right: the block before lasts until then.
      if (what === undefined) last = time;
      else if (next > last) last = next;
      this.starts.push(last);
      // The one after the map's own blocks is looked at, and told, with the next map.
      if (i === count) break;
      this.last = last;
      if (what === undefined) continue;
      if (wrong === undefined) wrong = `the time of block ${first + i} ${what}`;
      else more++;
    }
    return more > 0 ? `${wrong}, and ${more} of the next ${count - 1} are no better` : wrong;
  }

  /** `lastStamp`: the latest time known, for a block that the index does not know. */
  of(block: number, lastStamp: number) {
    const start = this.starts[block - this.first];
    if (start === undefined) return { start: lastStamp, end: undefined, endsAtStamp: true };
    return { start, end: this.starts[block - this.first + 1] };
  }
}

/** Numbers of the map files that are there, in order. */
function mapNumbers(dir: string): number[] {
  let names: string[];
  try {
    names = readdirSync(`${dir}/log_map`);
  } catch {
    return [];
  }
  const numbers = new Set<number>();
  for (const name of names) {
    const number = /^(0|[1-9]\d{0,8})(\.gz)?$/.exec(name)?.[1];
    if (number !== undefined) numbers.add(Number(number));
  }
  return [...numbers].sort((a, b) => a - b);
}

/** Folders right inside that are logs: the user named the run instead of one of its processes. */
function logsInside(dir: string): string[] {
  const isLog = (name: string) => {
    try {
      return statSync(`${dir}/${name}/log_index`).isFile();
    } catch {
      return false;
    }
  };
  return readdirSync(dir).slice(0, 1000).filter(isLog).sort().slice(0, 3);
}

export function readPid(path: string): number | undefined {
  let fd: number | undefined;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const b = new Uint8Array(16);
    const text = new TextDecoder("latin1").decode(b.subarray(0, readSync(fd, b, 0, b.length, null)));
    const pid = /^\s*(\d{1,10})\s*$/.exec(text)?.[1];
    return pid === undefined ? undefined : Number(pid);
  } catch {
    return undefined; // Nothing depends on it.
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
