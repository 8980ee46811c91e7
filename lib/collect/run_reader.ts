// Reads a directory of raw streams while recorders fill it: every interpreter's and every Bash's files, found by their names, from where
// the last look ended. The collector beside a recording deletes what it has read; whoever opens a spool directory leaves it as it is.
import { readdirSync, unlinkSync } from "node:fs";
import { BashRun } from "./bash_run.ts";
import type { LineSink } from "./line_sink.ts";
import { PythonRun, type RunContext } from "./python_run.ts";
import { RawBlockReader } from "./raw_block.ts";
import { SourceShelf } from "./source_shelf.ts";

export interface RunReaderOptions {
  readonly directory: string;
  readonly sink: LineSink;
  /** The moment of the streams' clock that is 0 on the axis, and the wall clock then, both in nanoseconds. */
  readonly zero: bigint;
  readonly wallZero: () => bigint;
  /** Whether what has been read is deleted. */
  readonly consumes: boolean;
  /** No event can be later than this on the axis. */
  readonly latest: () => number;
}

/** `4711-1c3f09.meta`, `.bash`, or block n of stream s. */
const NAME = /^(\d{1,10}-[0-9a-f]{1,20})\.(?:(meta|bash)|(\d{1,6})\.(\d{1,9}(?:\.z)?))$/;

interface Listed {
  kind: "python" | "bash";
  readonly names: string[];
  readonly blocks: Map<number, Set<string>>;
}

export class RunReader {
  private readonly options: RunReaderOptions;
  private readonly context: RunContext;
  private readonly pythons = new Map<string, PythonRun>();
  private readonly bashes = new Map<string, BashRun>();
  /** Ids that are finished: where files stay they are not read again. */
  private readonly done = new Set<string>();
  /** Processes that ended since the last look, and when. */
  private ends = new Map<number, number>();
  /** Processes that became another program since the last look, and when. */
  private replaced = new Map<number, number[]>();
  /** The wall clock at the axis's 0. */
  private wallMicros = 0;
  private wallNanos = 0;

  constructor(options: RunReaderOptions) {
    this.options = options;
    const { zero, sink } = options;
    this.context = {
      directory: options.directory,
      sink,
      sources: new SourceShelf(sink),
      blocks: new RawBlockReader(zero),
      consumes: options.consumes,
      axis: (at) => Number(at - zero),
      axisOfWall: (micros) => (micros - this.wallMicros) * 1000 - this.wallNanos,
      latest: options.latest,
    };
  }

  /** A process has ended; what it wrote is there. */
  processEnded(pid: number, at: number): void {
    this.ends.set(pid, at);
  }

  /** A process runs another program from now on: an interpreter that it was has ended. What a shell's line started goes on. */
  processBecame(pid: number, at: number): void {
    const times = this.replaced.get(pid);
    if (times === undefined) this.replaced.set(pid, [at]);
    else times.push(at);
  }

  /** Takes what was written since the last look. */
  scan(): void {
    const { ends, replaced } = this;
    this.ends = new Map();
    this.replaced = new Map();
    const wall = this.options.wallZero();
    this.wallMicros = Number(wall / 1000n);
    this.wallNanos = Number(wall % 1000n);
    const finished = [...this.pythons.values()].filter((run) => run.endedAt !== undefined);
    const listed = this.list();
    for (const [id, files] of listed) {
      if (this.done.has(id)) continue;
      if (files.kind === "python") this.scanPython(id, files, ends, replaced);
      else this.scanBash(id, files, ends);
    }
    for (const run of finished) this.finishPython(run, run.endedAt, listed.get(run.id));
  }

  /** Blocks of all that was taken, for those who look at the recording while it is made. */
  flush(): void {
    for (const run of this.pythons.values()) run.flush();
    for (const run of this.bashes.values()) run.flush();
  }

  /** Nothing will be written any more, or nobody will look: `at` is the end of what still runs. */
  finish(at: number | undefined): void {
    this.scan();
    this.scan();
    for (const run of this.pythons.values()) this.finishPython(run, run.endedAt ?? at, undefined);
    for (const run of this.bashes.values()) this.finishBash(run, at, undefined);
  }

  private scanPython(
    id: string,
    files: Listed,
    ends: ReadonlyMap<number, number>,
    replaced: ReadonlyMap<number, number[]>,
  ): void {
    let run = this.pythons.get(id);
    if (run === undefined) {
      run = new PythonRun(id, this.context);
      this.pythons.set(id, run);
    }
    run.scan(files.blocks);
    const { startedAt } = run;
    const end =
      startedAt === undefined ? undefined : (replaced.get(run.pid)?.find((at) => at > startedAt) ?? endOf(run, ends));
    if (end !== undefined && run.endedAt === undefined) this.finishPython(run, end, files);
  }

  private scanBash(id: string, files: Listed, ends: ReadonlyMap<number, number>): void {
    let run = this.bashes.get(id);
    if (run === undefined) {
      run = new BashRun(id, this.context);
      this.bashes.set(id, run);
    }
    run.scan();
    for (const [pid, at] of ends) if (pid !== run.pid) run.processEnded(pid, at);
    const end = endOf(run, ends);
    // Its subshells may outlive it, and write on.
    if (end !== undefined) run.processEnded(run.pid, end);
    if (!run.isOpen && (end !== undefined || run.isOver)) this.finishBash(run, end, files);
    else if (end !== undefined) run.isOver = true;
  }

  private finishPython(run: PythonRun, at: number | undefined, files: Listed | undefined): void {
    if (!this.pythons.delete(run.id)) return;
    run.finish(at);
    this.close(run.id, files);
  }

  private finishBash(run: BashRun, at: number | undefined, files: Listed | undefined): void {
    if (!this.bashes.delete(run.id)) return;
    run.finish(at);
    this.close(run.id, files);
  }

  private close(id: string, files: Listed | undefined): void {
    if (!this.options.consumes) this.done.add(id);
    else
      for (const name of files?.names ?? [])
        try {
          unlinkSync(`${this.options.directory}/${name}`);
        } catch {
          // Read and deleted, or never there.
        }
  }

  private list(): Map<string, Listed> {
    const listed = new Map<string, Listed>();
    let names: string[];
    try {
      names = readdirSync(this.options.directory);
    } catch {
      return listed;
    }
    for (const name of names) {
      const m = NAME.exec(name);
      if (m === null) continue;
      const [, id, text, stream, block] = m;
      let files = listed.get(id!);
      if (files === undefined) {
        files = { kind: "python", names: [], blocks: new Map() };
        listed.set(id!, files);
      }
      files.names.push(name);
      if (text === "bash") files.kind = "bash";
      if (stream === undefined) continue;
      const blocks = files.blocks.get(Number(stream));
      if (blocks === undefined) files.blocks.set(Number(stream), new Set([block!]));
      else blocks.add(block!);
    }
    return listed;
  }
}

/** When the process that it belongs to ended, and not an earlier one of that pid. */
function endOf(run: PythonRun | BashRun, ends: ReadonlyMap<number, number>): number | undefined {
  const end = ends.get(run.pid);
  return end !== undefined && run.startedAt !== undefined && end < run.startedAt - CLOCK_SLACK ? undefined : end;
}

/** Bash stamps with the wall clock, which is slewed. */
const CLOCK_SLACK = 50e6;
