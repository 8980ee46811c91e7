// The executed lines of a recording as the table that queries read: one row a source line, the function it ran in and the thread that ran it.
// Made of the heads of blocks alone. And who started each process, which is asked one by one: a view of twenty rows asks for twenty.
import { Float64List, Int32List } from "../base/columns.ts";
import type { Processes } from "../derive/processes.ts";
import { type Cause, type Causes, causesOf, lifeOfTrack } from "../lines/causes.ts";
import { CodeCosts } from "../lines/code_costs.ts";
import type { HeadTraces, LineTraces } from "../lines/line_track.ts";
import { splitLines, strip } from "../lines/source_text.ts";
import { ABSENT } from "../model/ids.ts";
import { StringPool, type TextColumn } from "./text_pool.ts";

/** Nobody reads more of one line. */
const MOST_LINE = 4096;

export type LineColumn = "line" | "proc" | "pid" | "tid" | "count" | "self" | "cumulated";

export class LineTable {
  readonly length: number;
  private readonly traces: HeadTraces;
  private readonly columns: Readonly<Record<LineColumn, Float64Array | Int32Array>>;
  /** By row: index in the codes of the traces, and the track. */
  private readonly code: Int32Array;
  private readonly track: Int32Array;

  constructor(traces: HeadTraces, processes: Processes, livesOf: (pid: number) => readonly number[]) {
    this.traces = traces;
    const ns = 1e9 / traces.clock.ticksPerSecond;
    const code = new Int32List();
    const track = new Int32List();
    const line = new Int32List();
    const proc = new Int32List();
    const count = new Float64List();
    const self = new Float64List();
    const cumulated = new Float64List();
    for (const one of traces.tracks) {
      const costs = new CodeCosts();
      traces.addCosts(costs, one.index);
      // A pid that was used again is another process.
      const life = lifeOfTrack(processes, one, one.pid === undefined ? [] : livesOf(one.pid));
      for (let i = 0; i < costs.length; i++) {
        code.push(costs.code.get(i));
        line.push(costs.line.get(i));
        count.push(costs.count.get(i));
        self.push(costs.self.get(i) * ns);
        cumulated.push(costs.cumulated.get(i) * ns);
        track.push(one.index);
        proc.push(life);
      }
    }
    this.code = code.view();
    this.track = track.view();
    this.length = this.code.length;
    const ofTrack = (of: (track: number) => number | undefined) => this.track.map((index) => of(index) ?? ABSENT);
    this.columns = {
      line: line.view(),
      proc: proc.view(),
      pid: ofTrack((index) => traces.tracks[index]!.pid),
      tid: ofTrack((index) => traces.tracks[index]!.tid),
      count: count.view(),
      self: self.view(),
      cumulated: cumulated.view(),
    };
  }

  numbers(name: LineColumn): Float64Array | Int32Array {
    return this.columns[name];
  }

  texts(name: string): TextColumn {
    const { codes, tracks, sources } = this.traces;
    const pool = new StringPool();
    const byCode = (text: (code: number) => string | undefined) => {
      const keys = codes.map((_, code) => {
        const found = text(code);
        return found === undefined ? ABSENT : pool.key(found);
      });
      return { keys: this.code.map((code) => keys[code]!), pool };
    };
    switch (name) {
      case "file":
        return byCode((code) => sources[codes[code]!.file]?.path);
      case "function":
        return byCode((code) => codes[code]!.name);
      case "thread":
        return { keys: this.track.map((index) => pool.key(tracks[index]!.name)), pool };
      default:
        return this.sourceTexts();
    }
  }

  /** The lines' own texts, one file after the other: few of them are in memory at once. */
  private sourceTexts(): TextColumn {
    const { codes, sources } = this.traces;
    const { line } = this.columns;
    const pool = new StringPool();
    const keys = new Int32Array(this.length).fill(ABSENT);
    const rowsOf = new Map<number, number[]>();
    this.code.forEach((code, row) => {
      const { file } = codes[code]!;
      const rows = rowsOf.get(file);
      if (rows === undefined) rowsOf.set(file, [row]);
      else rows.push(row);
    });
    for (const [file, rows] of rowsOf) {
      const text = sources[file]?.text();
      if (text === undefined) continue;
      const lines = splitLines(text);
      for (const row of rows) {
        const found = lines[line[row]! - 1];
        if (found !== undefined) keys[row] = pool.key(strip(found.slice(0, MOST_LINE)));
      }
    }
    return { keys, pool };
  }
}

/** The line of a script that started a process, or made an event. */
export interface Starter {
  /** As it was recorded: not made safe. */
  readonly path: string;
  readonly line: number;
  readonly certainty: Cause["certainty"];
}

export class Starters {
  private readonly traces: LineTraces;
  private readonly causes: Causes;

  constructor(traces: LineTraces, processes: Processes) {
    this.traces = traces;
    this.causes = causesOf(processes, traces);
  }

  ofLife(life: number): Starter | undefined {
    return this.told(this.causes.causeOfLife(life));
  }

  /** Of the fork or exec in a row. */
  ofEvent(row: number): Starter | undefined {
    return this.told(this.causes.causeOf(row));
  }

  /** The text of the line; undefined when it was not kept. */
  source({ path, line }: Starter): string | undefined {
    const text = this.traces.sources.find((source) => source.path === path)?.text();
    const found = text === undefined ? undefined : splitLines(text)[line - 1];
    return found === undefined ? undefined : strip(found.slice(0, MOST_LINE));
  }

  private told(cause: Cause | undefined): Starter | undefined {
    if (cause === undefined) return undefined;
    const path = this.traces.sources[cause.file]?.path ?? "?";
    return { path, line: cause.line, certainty: cause.certainty };
  }
}

/** `/srv/build.sh:12`. */
export const placeOf = ({ path, line }: Starter): string => `${path}:${line}`;
