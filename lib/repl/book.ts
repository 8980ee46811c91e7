// A recording opened for looking at: its world of columns, and what the filters in force leave of it. What remains is kept as one mark per
// process life and one per event, so that every view, drawing and query is limited in the same way:
//
//   a filter over processes   keeps their events                    a filter over events   keeps the processes that they are about
//   the current process       keeps itself and everything below     a filter over images   keeps the execs and their processes
//   a filter over lines or reports   keeps those, and everything of the processes that they are of
import { err, ok, type Result } from "neverthrow";
import { KIND } from "../model/event.ts";
import { ABSENT } from "../model/ids.ts";
import type { Recording } from "../model/recording.ts";
import { Commands } from "../render/commands.ts";
import { compileCondition } from "../query/check_query.ts";
import { isTable, TABLES, type TableName } from "../query/fields.ts";
import { errorSentence, explainError } from "../query/query_error.ts";
import { finish, maskOf, type Within } from "../query/run.ts";
import type { Condition } from "../query/typed.ts";
import { World, type WorldOptions } from "../query/world.ts";
import { subtree } from "../derive/tree.ts";
import type { CommandError } from "./command.ts";
import type { Filter, Session } from "./session.ts";

/** What remains; undefined is everything. */
export interface Scope {
  /** By life: 1 for those that remain. */
  readonly lives: Uint8Array | undefined;
  /** By event row. */
  readonly rows: Uint8Array | undefined;
  /** By row of `lines` and `reports`, of those over which there is a filter. */
  readonly chosen?: ReadonlyMap<TableName, Uint8Array>;
  readonly liveCount: number;
  readonly rowCount: number;
}

const MOST_KEPT = 16;

export class Book {
  readonly world: World;
  readonly recording: Recording;
  readonly commands: Commands;
  readonly unicode: boolean;
  private readonly scopes = new Map<string, Scope>();
  private readonly masks = new Map<string, Uint8Array>();
  private readonly compiled = new Map<string, Condition>();

  constructor(recording: Recording, unicode: boolean, options: WorldOptions = {}) {
    this.recording = recording;
    this.unicode = unicode;
    this.world = new World(recording, options);
    this.commands = new Commands(recording, this.world.processes, this.world.tree, { unicode, full: false });
  }

  /** Makes the columns that are most likely asked for, one a step. */
  *warm(): Generator<void, void> {
    void this.world.processes;
    yield;
    this.world.texts("procs", "exe");
    yield;
    this.world.texts("events", "exe");
    yield;
    this.world.numbers("procs", "wall");
  }

  get processes() {
    return this.world.processes;
  }

  get tree() {
    return this.world.tree;
  }

  /** What a life is called: the command line it ran last. */
  commandOf(life: number): string {
    const { imageAt, imageRow } = this.processes;
    const last = imageAt[life + 1]! - 1;
    return last < imageAt[life]! ? this.commands.withoutExec(life) : this.commands.ofExec(imageRow[last]!);
  }

  programOf(life: number): string {
    const { imageAt, imageRow } = this.processes;
    const last = imageAt[life + 1]! - 1;
    return last < imageAt[life]! ? this.commands.inherited(life) : this.commands.programOf(imageRow[last]!);
  }

  /** A condition over one of the tables: the one that was named, else the first that knows all of its fields. */
  condition(text: string, table?: TableName): Result<Condition, CommandError> {
    const kept = this.compiled.get(`${table} ${text}`);
    if (kept !== undefined) return ok(kept);
    const found = checkCondition(text, table);
    if (found.isOk()) this.compiled.set(`${table} ${text}`, found.value);
    return found;
  }

  /** By row of the condition's table: 1 where it is true; found out once. */
  *matching(condition: Condition): Generator<void, Uint8Array> {
    const key = `${condition.table} ${condition.text}`;
    let mask = this.masks.get(key);
    if (mask === undefined) {
      mask = yield* maskOf(condition, this.world);
      this.masks.set(key, mask);
      if (this.masks.size > MOST_KEPT) this.masks.delete(this.masks.keys().next().value!);
    }
    return mask;
  }

  scope(session: Session): Scope {
    const { filters, position } = session;
    const key = `${position.life}|${filters.map((f) => `${f.table} ${f.text}`).join("|")}`;
    let scope = this.scopes.get(key);
    if (scope === undefined) {
      scope = this.findScope(filters, position.life);
      this.scopes.set(key, scope);
      if (this.scopes.size > MOST_KEPT) this.scopes.delete(this.scopes.keys().next().value!);
    }
    return scope;
  }

  private findScope(filters: readonly Filter[], life: number): Scope {
    const { processes } = this;
    const total = this.recording.events.length;
    if (filters.length === 0 && life === ABSENT)
      return { lives: undefined, rows: undefined, liveCount: processes.length, rowCount: total };
    const lives = new Uint8Array(processes.length).fill(1);
    const rows = new Uint8Array(total).fill(1);
    const chosenRows = new Map<TableName, Uint8Array>();
    const { owner } = processes;
    const keepLives = (mask: Uint8Array) => {
      for (let p = 0; p < lives.length; p++) lives[p]! &= mask[p]!;
      for (let row = 0; row < total; row++) if (owner[row]! < 0 || mask[owner[row]!] === 0) rows[row] = 0;
    };
    if (life !== ABSENT) {
      const mask = new Uint8Array(processes.length);
      for (const p of subtree(this.tree, life)) mask[p] = 1;
      keepLives(mask);
    }
    for (const filter of filters) {
      const condition = this.condition(filter.text, filter.table);
      if (condition.isErr()) continue;
      const matching = finish(this.matching(condition.value));
      if (filter.table === "procs") {
        keepLives(matching);
        continue;
      }
      const mask = new Uint8Array(processes.length);
      if (filter.table === "events" || filter.table === "images") {
        const chosen = filter.table === "events" ? matching : new Uint8Array(total);
        if (filter.table === "images") matching.forEach((is, i) => (chosen[processes.imageRow[i]!]! |= is));
        for (let row = 0; row < total; row++) {
          rows[row]! &= chosen[row]!;
          if (rows[row] === 1 && owner[row]! >= 0) mask[owner[row]!] = 1;
        }
        for (let p = 0; p < lives.length; p++) lives[p]! &= mask[p]!;
        continue;
      }
      const before = chosenRows.get(filter.table);
      const both = before === undefined ? matching : matching.map((is, at) => is & before[at]!);
      chosenRows.set(filter.table, both);
      const proc = this.world.numbers(filter.table, "proc");
      both.forEach((is, at) => {
        if (is === 1 && proc[at]! >= 0) mask[proc[at]!] = 1;
      });
      keepLives(mask);
    }
    return { lives, rows, chosen: chosenRows, liveCount: count(lives), rowCount: count(rows) };
  }

  /** The rows of a table that remain, a byte a row; undefined is all of them. */
  remaining(table: TableName, session: Session): Within | undefined {
    const { lives, rows, chosen } = this.scope(session);
    if (lives === undefined || rows === undefined) return undefined;
    switch (table) {
      case "procs":
        return lives;
      case "events":
        return rows;
      case "images":
        return Uint8Array.from(this.processes.imageRow, (row) => rows[row]!);
      case "lines":
      case "reports": {
        const proc = this.world.numbers(table, "proc");
        const own = chosen?.get(table);
        return Uint8Array.from({ length: this.world.lengthOf(table) }, (_, at) =>
          proc[at]! >= 0 && own?.[at] !== 0 ? lives[proc[at]!]! : 0,
        );
      }
    }
  }

  /**
   * What remains as rows of events that are a recording: the header and the sources come with them, and what a process is without (its
   * fork, its exec) is not brought back.
   */
  recordingRows(session: Session): Int32Array | undefined {
    const { rows } = this.scope(session);
    if (rows === undefined) return undefined;
    return this.asRecording((row) => rows[row] === 1);
  }

  /** The rows that are wanted, and those without which they are no recording. */
  asRecording(wanted: (row: number) => boolean): Int32Array {
    const { kind, length } = this.recording.events;
    const mask = new Uint8Array(length);
    for (let row = 0; row < length; row++) {
      const k = kind[row]!;
      if (k === KIND.recording || k === KIND.source || k === KIND.lost || k === KIND.end) mask[row] = 1;
      if (!wanted(row)) continue;
      mask[row] = 1;
      for (const part of this.partsOf(row)) mask[part] = 1;
    }
    return chosen(length, (row) => mask[row] === 1);
  }

  /** The rows in their order, each exec that was recorded in parts with all of them. */
  withParts(rows: Int32Array): Int32Array {
    const { mate } = this.recording.events;
    if (!rows.some((row) => mate[row] !== ABSENT)) return rows;
    const seen = new Set<number>();
    for (const row of rows) {
      seen.add(row);
      for (const part of this.partsOf(row)) seen.add(part);
    }
    return Int32Array.from(seen);
  }

  /** Rows of the other parts of an exec (a ring, which in a damaged recording must not hold us). */
  private *partsOf(row: number): Generator<number, void> {
    const { mate } = this.recording.events;
    for (let part = mate[row]!, i = 0; part !== ABSENT && part !== row && i < 8; part = mate[part]!, i++) yield part;
  }
}

/** A condition over the named table, else over the first table that knows all of its fields. */
export function checkCondition(text: string, table?: TableName): Result<Condition, CommandError> {
  const tables = table === undefined ? TABLES : [table];
  const tried = tables.map((t) => compileCondition(text, { table: t }));
  const good = tried.find((r) => r.isOk());
  if (good !== undefined) return ok(good._unsafeUnwrap());
  // Of several explanations the one that got furthest says most.
  const errors = tried.map((r) => r._unsafeUnwrapErr());
  const error = errors.reduce((a, b) => (b.at > a.at ? b : a));
  return err({ message: errorSentence(error), details: explainError(text, error) });
}

/** `procs where wall > 1s` or only the condition. */
export function filterOf(text: string): { readonly table: TableName | undefined; readonly condition: string } {
  const m = /^\s*([a-z]+)\s+where\s+(.*)$/s.exec(text);
  if (m !== null && isTable(m[1]!)) return { table: m[1], condition: m[2]! };
  return { table: undefined, condition: text.trim().replace(/^where\s+/, "") };
}

function count(mask: Uint8Array): number {
  let n = 0;
  for (let i = 0; i < mask.length; i++) n += mask[i]!;
  return n;
}

function chosen(length: number, wanted: (at: number) => boolean): Int32Array {
  let n = 0;
  for (let at = 0; at < length; at++) if (wanted(at)) n++;
  const out = new Int32Array(n);
  n = 0;
  for (let at = 0; at < length; at++) if (wanted(at)) out[n++] = at;
  return out;
}
