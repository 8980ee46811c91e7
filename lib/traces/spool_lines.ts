// The raw streams that recorders of lines leave in a directory, as tracks, without a recording: while programs still write them, or long
// after. Converted in memory (blocks are kept compressed); the directory stays as it is.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { printable } from "../base/text.ts";
import { blockCodec } from "../host/block_codec.ts";
import { decodeHead } from "../lines/block_head.ts";
import type { Problems } from "../model/problem.ts";
import { RunReader } from "../collect/run_reader.ts";
import { BlockTraces } from "./block_traces.ts";

const MOST_BYTES = 64 << 20;
/** Runs inside a directory that are opened together. */
const MOST_RUNS = 256;
const MOST_NOTES = 50;

const STREAM_FILE = /^\d{1,10}-[0-9a-f]{1,20}\.(meta|bash)$/;

/** Directories with streams: `dir` itself, what `dir/latest` leads to, or the folders inside. */
function spoolRuns(dir: string): string[] {
  const names = namesIn(dir);
  if (names.some((name) => STREAM_FILE.test(name))) return [dir];
  const base = dir.replace(/\/+$/, "");
  if (names.includes("latest")) {
    const runs = spoolRuns(`${base}/latest`);
    if (runs.length > 0) return runs;
  }
  return names
    .slice(0, 10 * MOST_RUNS)
    .map((name) => `${base}/${name}`)
    .filter((path) => isFolder(path) && namesIn(path).some((name) => STREAM_FILE.test(name)))
    .slice(0, MOST_RUNS);
}

function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir).sort();
  } catch {
    return [];
  }
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

interface Axis {
  /** The streams' clock and the wall clock at the axis's 0, nanoseconds. */
  readonly zero: bigint;
  readonly wall: bigint;
}

/** The axis begins with the first interpreter; of Bash alone with the first script. */
function axisOf(runs: readonly string[]): Axis {
  let first: Axis | undefined;
  let script: bigint | undefined;
  for (const run of runs)
    for (const name of namesIn(run)) {
      if (!STREAM_FILE.test(name)) continue;
      if (name.endsWith(".bash")) {
        const micros = /^\d+-(\d{1,18})\.bash$/.exec(name)?.[1];
        const at = micros === undefined ? undefined : BigInt(micros) * 1000n;
        if (at !== undefined && (script === undefined || at < script)) script = at;
        continue;
      }
      const [, , , perf, wall] = firstLine(`${run}/${name}`).split("\t");
      if (!/^\d{1,19}$/.test(perf ?? "") || !/^\d{1,19}$/.test(wall ?? "")) continue;
      const axis = { zero: BigInt(perf!), wall: BigInt(wall!) };
      if (first === undefined || axis.zero < first.zero) first = axis;
    }
  const axis = first ?? { zero: 0n, wall: script ?? 0n };
  // A script may have begun before the first interpreter.
  if (first === undefined || script === undefined || script >= axis.wall) return axis;
  return { zero: axis.zero - (axis.wall - script), wall: script };
}

function firstLine(path: string): string {
  try {
    return readFileSync(path, "utf8").split("\n", 1)[0] ?? "";
  } catch {
    return "";
  }
}

/** Undefined when there is no stream in it, nor in what is inside. */
export function openSpool(dir: string, problems: Problems): SpoolLines | undefined {
  const runs = spoolRuns(dir);
  return runs.length > 0 ? new SpoolLines(dir, runs, problems) : undefined;
}

class SpoolLines extends BlockTraces {
  private readonly readers: readonly RunReader[];

  constructor(dir: string, runs: readonly string[], problems: Problems) {
    const axis = axisOf(runs);
    super({ ticksPerSecond: 1e9, unixZero: -Number(axis.wall) }, (code, message) =>
      problems.add({ code, source: dir, line: 0, message }),
    );
    this.readers = runs.map((directory) => this.reader(directory, axis, problems));
    this.read();
  }

  override refresh(): boolean {
    const before = this.tracks.reduce((n, t) => n + t.blocks, 0);
    this.read();
    return this.tracks.reduce((n, t) => n + t.blocks, 0) > before;
  }

  private read(): void {
    for (const reader of this.readers) {
      reader.scan();
      reader.flush();
    }
    this.checkWhole();
  }

  private reader(directory: string, axis: Axis, problems: Problems): RunReader {
    return new RunReader({
      directory,
      zero: axis.zero,
      wallZero: () => axis.wall,
      consumes: false,
      latest: () => Infinity,
      sink: {
        source: ({ id, path, sha256, text }) => {
          const kept = text?.slice();
          this.addSource(id, new TextDecoder().decode(path), sha256, kept === undefined ? undefined : () => kept);
        },
        block: (info, block) => {
          const first = decodeHead(block.head);
          if (typeof first === "string") return;
          const head = blockCodec.compress(block.head);
          const data = blockCodec.compress(block.data);
          this.addBlock(
            { ...info, name: printable(info.name), start: block.start, end: block.end, block: block.block },
            first,
            {
              head: () => {
                const bytes = blockCodec.decompress(head, MOST_BYTES);
                return bytes === undefined ? "its head is damaged" : decodeHead(bytes);
              },
              data: () => blockCodec.decompress(data, MOST_BYTES) ?? "its events are damaged",
            },
          );
        },
        lost: (pid, count, reason) =>
          this.note(`process ${pid}: ${count > 0 ? `${count} events lost` : "events lost"}: ${printable(reason)}`),
        note: (pid, sentence) => this.note(`process ${pid}: ${printable(sentence)}`),
        reached: () => {},
        problem: (file, message) => problems.add({ code: "block", source: `${directory}/${file}`, line: 0, message }),
      },
    });
  }

  private note(sentence: string): void {
    if (this.notes.length < MOST_NOTES && !this.notes.includes(sentence)) this.notes.push(sentence);
  }
}
