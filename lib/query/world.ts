// One recording as the columns that queries read: each is derived when it is first asked for and then kept. `fields.ts` says what
// they mean. Numbers are typed arrays in which NaN (doubles) or a negative number (integers) is "not known".
import { Analysis } from "../analyse/analysis.ts";
import type { Processes } from "../derive/processes.ts";
import type { ProcessTree } from "../derive/tree.ts";
import type { HeadTraces } from "../lines/line_track.ts";
import { eventAt } from "../model/event_at.ts";
import { KIND } from "../model/event.ts";
import { asFields, textField } from "../model/fields.ts";
import { ABSENT } from "../model/ids.ts";
import type { Recording } from "../model/recording.ts";
import { EVENT_KINDS, type TableName } from "./fields.ts";
import { type ExecText, ExecTexts } from "./exec_texts.ts";
import { eventNumbers, imageNumbers, processNumbers } from "./number_columns.ts";
import { type LineColumn, LineTable, placeOf, Starters } from "./line_table.ts";
import { gatheredTexts, StringPool, type TextColumn, textColumn } from "./text_pool.ts";

/** Doubles: NaN is not known. Integers: negative is not known. Bytes: 0 and 1 of a condition. */
export type NumberColumn = Float64Array | Int32Array | Uint8Array;

export interface WorldOptions {
  /** The executed lines, asked for when a query first needs them; undefined of a recording without any. */
  readonly lines?: () => HeadTraces | undefined;
}

const isExec = (kind: number) => kind === KIND.exec || kind === KIND.exec_part;
const decoder = new TextDecoder();
/** Rows that are looked at for values to offer. */
const SAMPLE = 2000;
const EMPTY = new Int32Array(0);

export class World {
  readonly recording: Recording;
  readonly analysis: Analysis;
  private readonly options: WorldOptions;
  private readonly numbersOf = new Map<string, NumberColumn>();
  private readonly textsOf = new Map<string, TextColumn>();
  private held: {
    images?: Int32Array;
    reports?: Int32Array;
    traces?: HeadTraces | undefined;
    lines?: LineTable | undefined;
    starters?: Starters | undefined;
    lives?: Map<number, number[]>;
  } = {};

  constructor(recording: Recording, options: WorldOptions = {}) {
    this.recording = recording;
    this.options = options;
    this.analysis = new Analysis(recording, { by: "program", unicode: true, full: true });
  }

  get processes(): Processes {
    return this.analysis.processes;
  }

  get tree(): ProcessTree {
    return this.analysis.tree;
  }

  /** Rows of a table. */
  lengthOf(table: TableName): number {
    switch (table) {
      case "procs":
        return this.processes.length;
      case "events":
        return this.recording.events.length;
      case "images":
        return this.processes.imageRow.length;
      case "lines":
        return this.lines?.length ?? 0;
      case "reports":
        return this.reports.length;
    }
  }

  /** By image: its life. */
  get imageLife(): Int32Array {
    if (this.held.images !== undefined) return this.held.images;
    const { imageAt, imageRow, length } = this.processes;
    const lives = new Int32Array(imageRow.length);
    for (let life = 0; life < length; life++) lives.fill(life, imageAt[life]!, imageAt[life + 1]!);
    return (this.held.images = lives);
  }

  /** Rows of the reports among the events. */
  private get reports(): Int32Array {
    if (this.held.reports !== undefined) return this.held.reports;
    const { kind, length } = this.recording.events;
    const rows: number[] = [];
    for (let row = kind.indexOf(KIND.report); row >= 0 && row < length; row = kind.indexOf(KIND.report, row + 1))
      rows.push(row);
    return (this.held.reports = Int32Array.from(rows));
  }

  private get lines(): LineTable | undefined {
    const { held, traces } = this;
    if (traces === undefined) return undefined;
    return (held.lines ??= new LineTable(traces, this.processes, (pid) => this.livesOf(pid)));
  }

  /** Which script line started each process; undefined of a recording without executed lines. */
  get starters(): Starters | undefined {
    const { held, traces } = this;
    if (traces === undefined) return undefined;
    return (held.starters ??= new Starters(traces, this.processes));
  }

  private get traces(): HeadTraces | undefined {
    if (!("traces" in this.held)) this.held.traces = this.options.lines?.();
    return this.held.traces;
  }

  /** Lives that a pid had. */
  livesOf(pid: number): readonly number[] {
    if (this.held.lives === undefined) {
      const lives = new Map<number, number[]>();
      const { pid: pids, length } = this.processes;
      for (let life = 0; life < length; life++) {
        const known = lives.get(pids[life]!);
        if (known === undefined) lives.set(pids[life]!, [life]);
        else known.push(life);
      }
      this.held.lives = lives;
    }
    return this.held.lives.get(pid) ?? [];
  }

  /** A column of numbers, conditions or handles. */
  numbers(table: TableName, name: string): NumberColumn {
    const key = `${table}.${name}`;
    let column = this.numbersOf.get(key);
    if (column === undefined) {
      column = this.deriveNumbers(table, name);
      this.numbersOf.set(key, column);
    }
    return column;
  }

  private deriveNumbers(table: TableName, name: string): NumberColumn {
    switch (table) {
      case "procs":
        return processNumbers(this.analysis, name);
      case "events":
        return eventNumbers(this.recording.events, this.processes, name);
      case "images":
        return imageNumbers(this.processes, this.imageLife, name);
      case "lines":
        return this.lines?.numbers(name as LineColumn) ?? EMPTY;
      case "reports":
        return this.reportNumbers(name);
    }
  }

  private reportNumbers(name: string): NumberColumn {
    const { reports } = this;
    if (name === "id") return reports;
    const { events } = this.recording;
    if (name === "size") return reports.map((row) => events.len[row]!);
    const column = this.numbers("events", name);
    return column instanceof Float64Array
      ? Float64Array.from(reports, (row) => column[row]!)
      : reports.map((row) => column[row]!);
  }

  /** A column of process lives to go on from: `proc`, `parent`. */
  link(table: TableName, name: string): Int32Array {
    return this.numbers(table, name) as Int32Array;
  }

  texts(table: TableName, name: string): TextColumn {
    const key = `${table}.${name}`;
    let column = this.textsOf.get(key);
    if (column === undefined) {
      column = this.deriveTexts(table, name);
      this.textsOf.set(key, column);
    }
    return column;
  }

  /** Texts that the field has, the most frequent first: of those that are in memory, else of a sample of rows. */
  someTexts(table: TableName, name: string, most: number): string[] {
    const column = this.textsOf.get(`${table}.${name}`);
    const read = column === undefined ? this.textReader(table, name) : undefined;
    const length = this.lengthOf(table);
    const seen = new Map<string | number, number>();
    const step = Math.max(1, Math.floor(length / SAMPLE));
    for (let row = 0; row < length; row += step) {
      const value = column === undefined ? read?.(row) : column.keys[row];
      if (value !== undefined && value !== ABSENT) seen.set(value, (seen.get(value) ?? 0) + 1);
    }
    return [...seen]
      .sort((a, b) => b[1] - a[1])
      .slice(0, most)
      .map(([value]) => (typeof value === "string" ? value : column!.pool.text(value)));
  }

  /** Reads one text where it stands, without putting all into a pool; undefined where there is no such way, or the pool is there. */
  textReader(table: TableName, name: string): ((row: number) => string | undefined) | undefined {
    const ofExec = name === "argv" || name === "file" || name === "cwd" || name === "exe";
    if (!ofExec || this.textsOf.has(`${table}.${name}`) || this.textsOf.has(`exec.${name}`)) return undefined;
    const source = new ExecTexts(this.recording, name);
    const decoded = (row: number) => {
      const bytes = row < 0 ? undefined : source.bytesOf(row);
      return bytes === undefined ? undefined : decoder.decode(bytes);
    };
    if (table === "events" && name !== "exe") {
      const { kind } = this.recording.events;
      return (row) => (isExec(kind[row]!) || kind[row] === KIND.exec_failed ? decoded(row) : undefined);
    }
    if (table === "images") return (row) => decoded(this.processes.imageRow[row]!);
    if (table !== "procs") return undefined;
    const rows = this.lastImages();
    const { inheritedRow } = this.tree;
    return (life) => decoded(rows[life] === ABSENT && name === "exe" ? inheritedRow[life]! : rows[life]!);
  }

  private deriveTexts(table: TableName, name: string): TextColumn {
    switch (table) {
      case "procs":
        if (name === "started_by" || name === "started_by_sure") return this.startedBy(name);
        return name === "exe" ? this.programs() : gatheredTexts(this.execs(name as ExecText), this.lastImages());
      case "images":
        return gatheredTexts(this.execs(name as ExecText), this.processes.imageRow);
      case "events":
        if (name === "started_by") return this.causeOfEvents();
        return name === "kind" ? this.kinds() : name === "exe" ? this.running() : this.execs(name as ExecText);
      case "lines":
        return this.lines?.texts(name) ?? { keys: EMPTY, pool: new StringPool() };
      case "reports":
        return this.reportTexts(name);
    }
  }

  /** By event row: a text of the exec or failed exec in it. */
  private execs(what: ExecText): TextColumn {
    const key = `exec.${what}`;
    let column = this.textsOf.get(key);
    if (column === undefined) {
      const { events } = this.recording;
      const { kind } = events;
      // A program's name is that of execs alone: a failed one runs nothing.
      const failed = what === "exe" ? -1 : KIND.exec_failed;
      column = textColumn(new ExecTexts(this.recording, what), events.length, (row) => {
        const k = kind[row]!;
        return isExec(k) || k === failed;
      });
      this.textsOf.set(key, column);
    }
    return column;
  }

  /** By life: row of its last exec. */
  private lastImages(): Int32Array {
    const { imageAt, imageRow, length } = this.processes;
    const rows = new Int32Array(length);
    for (let life = 0; life < length; life++) {
      const end = imageAt[life + 1]!;
      rows[life] = end > imageAt[life]! ? imageRow[end - 1]! : ABSENT;
    }
    return rows;
  }

  /** By life: what it ran last, its creator's program when it never called exec. */
  private programs(): TextColumn {
    const rows = this.lastImages();
    const { inheritedRow } = this.tree;
    for (let life = 0; life < rows.length; life++) if (rows[life] === ABSENT) rows[life] = inheritedRow[life]!;
    return gatheredTexts(this.execs("exe"), rows);
  }

  /** By event row: what its process ran at that time. */
  private running(): TextColumn {
    const { keys, pool } = this.execs("exe");
    const { owner, order, length } = this.processes;
    const { kind } = this.recording.events;
    const { inheritedRow } = this.tree;
    const now = new Int32Array(length);
    for (let life = 0; life < length; life++) now[life] = inheritedRow[life]! < 0 ? ABSENT : keys[inheritedRow[life]!]!;
    const at = new Int32Array(keys.length).fill(ABSENT);
    for (let i = 0; i < order.length; i++) {
      const row = order[i]!;
      const life = owner[row]!;
      if (life < 0) continue;
      if (isExec(kind[row]!)) now[life] = keys[row]!;
      at[row] = now[life]!;
    }
    return { keys: at, pool };
  }

  private startedBy(name: string): TextColumn {
    const { starters, processes } = this;
    const keys = new Int32Array(processes.length).fill(ABSENT);
    const pool = new StringPool();
    if (starters === undefined) return { keys, pool };
    for (let life = 0; life < keys.length; life++) {
      const starter = starters.ofLife(life);
      if (starter !== undefined) keys[life] = pool.key(name === "started_by" ? placeOf(starter) : starter.certainty);
    }
    return { keys, pool };
  }

  /** By event row: the line that made it, of forks and execs. */
  private causeOfEvents(): TextColumn {
    const { starters } = this;
    const { kind, length } = this.recording.events;
    const keys = new Int32Array(length).fill(ABSENT);
    const pool = new StringPool();
    if (starters === undefined) return { keys, pool };
    for (let row = 0; row < length; row++) {
      const k = kind[row]!;
      if (k !== KIND.fork && k !== KIND.exec_failed && !isExec(k)) continue;
      const starter = starters.ofEvent(row);
      if (starter !== undefined) keys[row] = pool.key(placeOf(starter));
    }
    return { keys, pool };
  }

  private kinds(): TextColumn {
    const { kind, length } = this.recording.events;
    const ofCode = new Int32Array(256).fill(EVENT_KINDS.indexOf("unknown"));
    EVENT_KINDS.forEach((name, key) => (ofCode[KIND[name]] = key));
    ofCode[KIND.exec_part] = EVENT_KINDS.indexOf("exec");
    const keys = new Int32Array(length);
    for (let row = 0; row < length; row++) keys[row] = ofCode[kind[row]!]!;
    return { keys, pool: new StringPool(EVENT_KINDS) };
  }

  private reportTexts(name: string): TextColumn {
    const pool = new StringPool();
    const keys = this.reports.map((row) => {
      const event = eventAt(this.recording, row);
      const body = event.kind === "report" ? asFields(event.body) : undefined;
      if (body === undefined) return ABSENT;
      if (name === "report") return pool.key(JSON.stringify(body["report"] ?? null));
      const text = textField(body, name);
      return text === undefined ? ABSENT : pool.key(text);
    });
    return { keys, pool };
  }
}
