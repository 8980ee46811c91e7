// The query language once more, as slowly and plainly as possible: an expression is walked for one row at a time over values of JavaScript, and
// what a field means is looked up in events as objects. The laws compare it with the column scans of lib/query.
import { exitStatusOf, type Processes } from "../../lib/derive/processes.ts";
import { deriveTree } from "../../lib/derive/tree.ts";
import { programOf } from "../../lib/derive/exec_keys.ts";
import { argvOf, eventAt, filenameOf } from "../../lib/model/event_at.ts";
import type { ProcEvent } from "../../lib/model/event.ts";
import type { Recording } from "../../lib/model/recording.ts";
import { processesOf } from "../../lib/derive/processes.ts";
import type { Expression } from "../../lib/query/ast.ts";
import { findField, isTable, type TableName } from "../../lib/query/fields.ts";
import { ERRNO_NUMBERS, SIGNAL_NUMBERS } from "../../lib/query/value_type.ts";

export type Value = number | string | boolean | null;

/** A row of a table, and the child or image beside it. */
interface At {
  readonly table: TableName;
  readonly row: number;
  readonly inner?: { readonly name: string; readonly row: number };
}

const defined = (value: number | undefined): Value =>
  value === undefined || value < 0 || Number.isNaN(value) ? null : value;
const filled = (text: string | undefined): Value => (text === undefined || text === "" ? null : text);

export class NaiveWorld {
  readonly recording: Recording;
  readonly p: Processes;
  private readonly events: ProcEvent[];

  constructor(recording: Recording) {
    this.recording = recording;
    this.p = processesOf(recording);
    this.events = Array.from({ length: recording.events.length }, (_, row) => eventAt(recording, row));
  }

  private children(life: number): number[] {
    return [...this.p.parent.keys()].filter((child) => this.p.parent[child] === life);
  }

  private images(life: number): number[] {
    return Array.from(
      { length: this.p.imageAt[life + 1]! - this.p.imageAt[life]! },
      (_, i) => this.p.imageAt[life]! + i,
    );
  }

  private below(life: number): number[] {
    return this.children(life).flatMap((child) => [child, ...this.below(child)]);
  }

  private exe(row: number): Value {
    return filled(programOf(argvOf(this.recording, row), () => filenameOf(this.recording, row)?.text));
  }

  private argv(row: number): Value {
    const words = argvOf(this.recording, row)?.words;
    return words === undefined || words.length === 0 ? null : words.join(" ");
  }

  private exec(row: number, name: string): Value {
    if (name === "argv") return this.argv(row);
    if (name === "file") return filled(filenameOf(this.recording, row)?.text);
    return this.exe(row);
  }

  private process(life: number, name: string): Value {
    const { p } = this;
    const status = exitStatusOf(p, life);
    const images = this.images(life);
    switch (name) {
      case "id":
        return life;
      case "pid":
        return p.pid[life]!;
      case "ppid":
        return p.parent[life]! >= 0
          ? p.pid[p.parent[life]!]!
          : p.forkRow[life]! >= 0
            ? defined(this.recording.events.ppid[p.forkRow[life]!])
            : null;
      case "parent":
        return defined(p.parent[life]);
      case "start":
        return p.start[life]!;
      case "end":
        return defined(p.end[life]);
      case "wall":
        return Number.isNaN(p.end[life]!) ? null : p.end[life]! - p.start[life]!;
      case "exit":
        return status.how === "exited" ? status.code : null;
      case "signal":
        return status.how === "signaled" ? status.signal : null;
      case "core":
        return status.how === "signaled" && status.coreDumped;
      case "failed":
        return status.how === "signaled" || (status.how === "exited" && status.code !== 0);
      case "execs":
        return images.length;
      case "probes":
        return p.failedAt[life + 1]! - p.failedAt[life]!;
      case "children":
        return this.children(life).length;
      case "descendants":
        return this.below(life).length;
      case "depth": {
        let depth = 0;
        for (let at = p.parent[life]!; at >= 0; at = p.parent[at]!) depth++;
        return depth;
      }
      case "exe":
        if (images.length === 0) {
          const row = deriveTree(p).inheritedRow[life]!;
          return row < 0 ? null : this.exe(row);
        }
        return this.exe(p.imageRow[images.at(-1)!]!);
      case "argv":
      case "file":
        return images.length === 0 ? null : this.exec(p.imageRow[images.at(-1)!]!, name);
    }
    throw new Error(`the naive evaluator has no procs.${name}`);
  }

  private event(row: number, name: string): Value {
    const event = this.events[row]!;
    const all = event as unknown as Readonly<Record<string, number | undefined>>;
    switch (name) {
      case "id":
        return row;
      case "kind":
        return event.kind;
      case "ts":
        return defined(event.ts);
      case "pid":
      case "ppid":
      case "seq":
        return defined(all[name]);
      case "proc":
        return defined(this.p.owner[row]);
      case "errno":
        return event.kind === "exec_failed" ? defined(event.errno) : null;
      case "failed":
        return (
          event.kind === "exec_failed" ||
          (event.kind === "exit" &&
            (event.status.how === "signaled" || (event.status.how === "exited" && event.status.code !== 0)))
        );
      case "exe": {
        const life = this.p.owner[row]!;
        const inherited = life < 0 ? -1 : deriveTree(this.p).inheritedRow[life]!;
        let exe: Value = inherited < 0 ? null : this.exe(inherited);
        for (const at of this.p.order) {
          if (life >= 0 && this.p.owner[at] === life && this.events[at]!.kind === "exec") exe = this.exe(at);
          if (at === row) return exe;
        }
        return null;
      }
      case "argv":
      case "file":
        return event.kind === "exec" || event.kind === "exec_failed" ? this.exec(row, name) : null;
    }
    throw new Error(`the naive evaluator has no events.${name}`);
  }

  private image(image: number, name: string): Value {
    const { p } = this;
    const life = [...p.pid.keys()].find((of) => p.imageAt[of]! <= image && image < p.imageAt[of + 1]!)!;
    const end = image + 1 < p.imageAt[life + 1]! ? p.imageStart[image + 1]! : p.end[life]!;
    switch (name) {
      case "pid":
        return p.pid[life]!;
      case "proc":
        return life;
      case "nth":
        return image - p.imageAt[life]! + 1;
      case "start":
        return p.imageStart[image]!;
      case "end":
        return defined(end);
      case "wall":
        return Number.isNaN(end) ? null : end - p.imageStart[image]!;
      case "last":
        return image + 1 === p.imageAt[life + 1];
      case "exe":
      case "argv":
      case "file":
        return this.exec(p.imageRow[image]!, name);
    }
    throw new Error(`the naive evaluator has no images.${name}`);
  }

  field(table: TableName, row: number, name: string): Value {
    const found = findField(table, name);
    if (found === undefined) throw new Error(`no field ${name}`);
    if (found.ofProcess) {
      const life = this.field(table, row, "proc");
      return life === null ? null : this.process(life as number, name);
    }
    if (table === "procs") return this.process(row, name);
    return table === "images" ? this.image(row, name) : this.event(row, name);
  }

  private path(at: At, parts: readonly string[]): Value {
    let { table, row } = at;
    let names = parts;
    if (at.inner !== undefined && parts[0] === at.inner.name) {
      table = at.inner.name === "child" ? "procs" : "images";
      row = at.inner.row;
      names = parts.slice(1);
    }
    for (const [i, name] of names.entries()) {
      const value = this.field(table, row, name);
      if (i === names.length - 1) return value;
      if (value === null) return null;
      table = "procs";
      row = value as number;
    }
    throw new Error("an empty path");
  }

  private has(at: At, parts: readonly string[]): boolean {
    if (at.inner !== undefined && parts[0] === at.inner.name) return true;
    return findField(at.table, parts[0]!) !== undefined;
  }

  condition(e: Expression, at: At): boolean {
    const value = this.value(e, at);
    if (typeof value === "string") return true;
    return typeof value === "number" ? value !== 0 : value === true;
  }

  value(e: Expression, at: At): Value {
    switch (e.node) {
      case "number":
      case "text":
      case "bool":
        return e.value;
      case "null":
        return null;
      case "handle":
        return e.field === undefined ? e.index : this.handleField(e.of, e.index, e.field.name);
      case "name": {
        const parts = e.parts.map((p) => p.name);
        return this.has(at, parts) ? this.path(at, parts) : parts.join(".");
      }
      case "unary": {
        if (e.op === "not") return !this.condition(e.operand, at);
        const value = this.value(e.operand, at);
        return value === null ? null : -(value as number);
      }
      case "binary":
        return this.binary(e.op, e, at);
      case "between": {
        const [x, low, high] = [e.left, e.low, e.high].map((part) => this.value(part, at));
        return e.negated !== (x !== null && low !== null && high !== null && x! >= low! && x! <= high!);
      }
      case "in":
        return e.negated !== e.items.some((item) => this.equal(e.left, item, at));
      case "is-null":
        return e.negated !== (this.value(e.left, at) === null);
      case "match": {
        const value = this.value(e.left, at);
        const source = e.how === "regex" ? e.pattern.source : globSource(e.pattern.source);
        return (
          e.negated !==
          (typeof value === "string" &&
            new RegExp(source, e.pattern.flags + "u" + (e.how === "glob" ? "s" : "")).test(value))
        );
      }
      case "call":
        return this.call(e.name.name, e.args, at);
    }
  }

  private handleField(of: "proc" | "event", index: number, name: string): Value {
    const table: TableName = of === "proc" ? "procs" : "events";
    const length = of === "proc" ? this.p.length : this.recording.events.length;
    return index < length ? this.field(table, index, name) : null;
  }

  private equal(left: Expression, right: Expression, at: At): boolean {
    const [a, b] = this.sides(left, right, at);
    return a !== null && b !== null && a === b;
  }

  /** Names of errors and signals are numbers, and a process compared with a number is its pid. */
  private sides(left: Expression, right: Expression, at: At): [Value, Value] {
    const named = left.node === "name" ? left.parts.at(-1)!.name : "";
    // `kind == exit`: the kind is meant, not the field.
    const word = named === "kind" && right.node === "name" ? right.parts[0]!.name : undefined;
    const [a, b] = [this.value(left, at), word ?? this.value(right, at)];
    if (typeof b === "string" && named === "errno") return [a, ERRNO_NUMBERS.get(b) ?? null];
    if (typeof b === "string" && named === "signal") return [a, SIGNAL_NUMBERS.get(b) ?? null];
    const isLife = named === "parent" || named === "proc";
    if (isLife && right.node === "number") return [a === null ? null : this.p.pid[a as number]!, b];
    return [a, b];
  }

  private binary(op: string, e: Expression & { node: "binary" }, at: At): Value {
    if (op === "and") return this.condition(e.left, at) && this.condition(e.right, at);
    if (op === "or") return this.condition(e.left, at) || this.condition(e.right, at);
    if (e.right.node === "null") return (this.value(e.left, at) === null) === (op === "==");
    const [a, b] = this.sides(e.left, e.right, at);
    const arithmetic = "+-*/%".includes(op);
    if (a === null || b === null) return arithmetic ? null : false;
    const [x, y] = [a as number, b as number];
    switch (op) {
      case "+":
        return x + y;
      case "-":
        return x - y;
      case "*":
        return x * y;
      case "/":
        return y === 0 ? null : x / y;
      case "%":
        return y === 0 ? null : x % y;
      case "==":
        return x === y;
      case "!=":
        return x !== y;
      case "<":
        return x < y;
      case "<=":
        return x <= y;
      case ">":
        return x > y;
      default:
        return x >= y;
    }
  }

  private call(name: string, args: readonly Expression[], at: At): Value {
    const arg = args[0]!;
    if (name === "known") return this.value(arg, at) !== null;
    if (name === "abs") {
      const value = this.value(arg, at);
      return value === null ? null : Math.abs(value as number);
    }
    if (name === "lower") {
      const value = this.value(arg, at);
      return value === null ? null : String(value).toLowerCase();
    }
    const life = at.table === "procs" ? at.row : this.field(at.table, at.row, "proc");
    if (name === "under") {
      if (life === null) return false;
      const roots = args.flatMap((a) =>
        a.node === "handle"
          ? [a.index]
          : [...this.p.pid.keys()].filter((of) => this.p.pid[of] === (a as { value: number }).value),
      );
      return roots.some((root) => root < this.p.length && (root === life || this.below(root).includes(life as number)));
    }
    const text = JSON.stringify(arg);
    const inner = text.includes('"image"') ? "image" : "child";
    if (life === null) return name === "any" || name === "all" ? false : null;
    const rows = inner === "child" ? this.children(life as number) : this.images(life as number);
    const each = <T>(f: (at: At) => T) => rows.map((row) => f({ ...at, inner: { name: inner, row } }));
    if (name === "any") return each((a) => this.condition(arg, a)).some(Boolean);
    if (name === "all") return each((a) => this.condition(arg, a)).every(Boolean);
    if (name === "count")
      return arg.node === "name" && arg.parts.length === 1
        ? rows.length
        : each((a) => this.condition(arg, a)).filter(Boolean).length;
    const values = each((a) => this.value(arg, a)).filter((v): v is number => v !== null);
    const sum = values.reduce((a, b) => a + b, 0);
    if (name === "sum") return sum;
    if (values.length === 0) return null;
    return name === "avg" ? sum / values.length : name === "min" ? Math.min(...values) : Math.max(...values);
  }

  lengthOf(table: TableName): number {
    if (!isTable(table)) throw new Error(table);
    return table === "procs"
      ? this.p.length
      : table === "images"
        ? this.p.imageRow.length
        : this.recording.events.length;
  }
}

function globSource(pattern: string): string {
  return `^${pattern
    .replace(/[.+^${}()|\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".")}$`;
}
