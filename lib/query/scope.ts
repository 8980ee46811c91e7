// What names mean at one place of a query: the fields of a table, or the columns that a stage before has computed.
import { nearest } from "../base/nearest.ts";
import type { Name } from "./ast.ts";
import { fieldNames, FIELDS, findField, linkTable, nearestFields, type TableName, TABLES } from "./fields.ts";
import { queryError, type QueryError } from "./query_error.ts";
import type { FieldRef, RowPath, Step } from "./typed.ts";
import type { ValueType } from "./value_type.ts";

/** What stands for the inner rows of any(), all(), count(), sum(). */
export const INNER: Readonly<Record<string, "child" | "image">> = { child: "child", image: "image" };

export type Resolved =
  | {
      readonly is: "field";
      readonly field: FieldRef;
      readonly type: ValueType;
      readonly values: readonly string[] | undefined;
    }
  | { readonly is: "column"; readonly index: number; readonly type: ValueType };

export interface ComputedColumn {
  readonly name: string;
  readonly type: ValueType;
}

export type Scope =
  | { readonly of: "table"; readonly table: TableName; readonly inner: "child" | "image" | undefined }
  | { readonly of: "columns"; readonly columns: readonly ComputedColumn[] };

export const tableScope = (table: TableName): Scope => ({ of: "table", table, inner: undefined });

export function scopeNames(scope: Scope): string[] {
  return scope.of === "table" ? fieldNames(scope.table) : scope.columns.map((c) => c.name);
}

const spanOf = (parts: readonly Name[]) => {
  const last = parts.at(-1)!;
  return { at: parts[0]!.at, length: last.at + last.length - parts[0]!.at };
};

/** The steps from a row of `table` to its process. */
export function toProcess(table: TableName): readonly Step[] {
  return table === "procs" ? [] : [{ table, column: "proc" }];
}

export function resolve(scope: Scope, parts: readonly Name[]): Resolved | QueryError {
  if (scope.of === "columns") {
    const name = parts.map((p) => p.name).join(".");
    const index = scope.columns.findIndex((c) => c.name === name);
    if (index >= 0) return { is: "column", index, type: scope.columns[index]!.type };
    const names = scopeNames(scope);
    return queryError(
      spanOf(parts),
      `there is no column '${name}' here`,
      nearest(name, names),
      `the columns are ${names.join(", ")}`,
    );
  }
  const inner = scope.inner !== undefined && parts[0]!.name === scope.inner;
  if (inner && parts.length === 1)
    return queryError(parts[0]!, `expected a field of ${scope.inner}`, [], `such as ${scope.inner}.exe`);
  const frame = inner ? 1 : 0;
  const table: TableName = inner ? (scope.inner === "child" ? "procs" : "images") : scope.table;
  return resolveFrom({ frame, at: 0, steps: [] }, table, inner ? parts.slice(1) : parts);
}

/** The field that `parts` name, seen from the row at the end of `path`. */
export function resolveFrom(start: RowPath, from: TableName, parts: readonly Name[]): Resolved | QueryError {
  let table = from;
  const steps = [...start.steps];
  for (let i = 0; ; i++) {
    const part = parts[i]!;
    const found = findField(table, part.name);
    if (found === undefined) return noField(table, part);
    if (found.ofProcess) {
      steps.push(...toProcess(table));
      table = "procs";
    }
    const { field } = found;
    if (i === parts.length - 1) {
      const ref: FieldRef = { path: { ...start, steps }, table, name: field.name };
      return { is: "field", field: ref, type: field.type, values: field.values };
    }
    const to = linkTable(field);
    if (to === undefined)
      return queryError(parts[i + 1]!, `${part.name} has no fields`, [], "only proc and parent have: parent.exe");
    steps.push({ table, column: field.name });
    table = to;
  }
}

function noField(table: TableName, part: Name): QueryError {
  const said =
    INNER[part.name] === undefined
      ? undefined
      : `${part.name} stands inside any(), all(), count() and sum(): any(${part.name}.exe == make)`;
  const elsewhere = TABLES.filter((other) => FIELDS[other].some((f) => f.name === part.name));
  const near = said === undefined && elsewhere.length === 0 ? nearestFields(table, part.name) : [];
  const hint = said ?? (elsewhere.length > 0 ? `it is a field of ${elsewhere.join(", ")}` : undefined);
  return queryError(part, `there is no field '${part.name}' in ${table}`, near, hint);
}
