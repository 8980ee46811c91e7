// What may be typed at one place of a query: fields, stages, operators, functions, and values that the recording has. Pure, and fast enough
// for every key: values are taken from texts that are in memory already, or from a bounded number of rows.
import { FIELDS, findField, FUNCTIONS, linkTable, TABLE_SUMMARIES, TABLES, type TableName } from "./fields.ts";
import { lex, type Token } from "./lexer.ts";
import { KEYWORDS, parseQuery, STAGES } from "./parser.ts";
import { scopeAfter } from "./check_query.ts";
import { INNER, resolve, type Scope, scopeNames, tableScope } from "./scope.ts";
import { ERRNO_NUMBERS, SIGNAL_NUMBERS, TYPE_WORDS, type ValueType } from "./value_type.ts";
import type { World } from "./world.ts";

export type CompletionKind = "table" | "stage" | "field" | "function" | "operator" | "keyword" | "value" | "handle";

export interface Completion {
  /** What replaces the text from `from` to `to`. */
  readonly text: string;
  readonly kind: CompletionKind;
  /** One line about it; may be empty. */
  readonly summary: string;
}

export interface Completions {
  readonly from: number;
  readonly to: number;
  /** Those that begin with what is typed, the most likely first. */
  readonly items: readonly Completion[];
}

export interface CompleteOptions {
  /** The table of a query that names none. */
  readonly table: TableName;
  /** Only a condition is typed, not a pipeline. */
  readonly conditionOnly?: boolean;
}

const COMPARISONS: readonly (readonly [string, string])[] = [
  ["==", "equal"],
  ["!=", "not equal; false when not known"],
  ["<", "less"],
  ["<=", "at most"],
  [">", "more"],
  [">=", "at least"],
  ["~", "matches a regex: ~ /^gcc/"],
  ["!~", "does not match a regex"],
  ["like", 'matches a pattern with * and ?: like "*.c"'],
  ["in", "is one of: in (1, 2)"],
  ["between", "from a to b: between 1s and 2s"],
  ["is null", "is not known"],
  ["is not null", "is known"],
];

/** How many values of a recording are offered. */
const MOST_VALUES = 50;

export function completionsAt(
  text: string,
  cursor: number,
  world: World | undefined,
  options: CompleteOptions,
): Completions {
  const before = text.slice(0, cursor);
  const { tokens, error } = lex(before);
  const list = tokens.filter((t) => t.kind !== "end");
  if (error !== undefined)
    return openText(before, error.at, list, world, options) ?? { from: cursor, to: cursor, items: [] };
  const last = list.at(-1);
  const typing =
    last !== undefined &&
    last.at + last.length === cursor &&
    (last.kind === "word" || last.kind === "handle" || (last.kind === "number" && /^\d+$/.test(last.value)));
  const prefix = typing ? last.value : "";
  const from = typing ? last.at : cursor;
  const behind = /^[\p{L}\p{N}_]*/u.exec(text.slice(cursor))![0].length;
  const rest = typing ? list.slice(0, -1) : list;
  const all = candidates(rest, before, world, options, prefix);
  const items = all.filter((item) => item.text.startsWith(prefix));
  const loose =
    prefix === ""
      ? []
      : all.filter((item) => !item.text.startsWith(prefix) && item.text.toLowerCase().startsWith(prefix.toLowerCase()));
  return { from, to: cursor + behind, items: [...items, ...loose] };
}

/** Inside quotes that are not closed yet: values of the field that is compared. */
function openText(
  before: string,
  at: number,
  list: readonly Token[],
  world: World | undefined,
  options: CompleteOptions,
): Completions | undefined {
  const quote = before[at];
  if (quote !== '"' && quote !== "'") return undefined;
  const prefix = before.slice(at + 1);
  const subject = comparedField(list, scopeAt(list, before, options));
  if (subject === undefined) return undefined;
  const items = valuesOf(subject, world)
    .filter((value) => value.startsWith(prefix))
    .map((value): Completion => ({ text: quoted(value, quote), kind: "value", summary: "" }));
  return { from: at, to: before.length, items };
}

function quoted(value: string, quote = '"'): string {
  const inner = value
    .replaceAll("\\", "\\\\")
    .replaceAll(quote, "\\" + quote)
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (c) => `\\u{${c.codePointAt(0)!.toString(16)}}`);
  return quote + inner + quote;
}

const PLAIN_WORD = /^[\p{L}_][\p{L}\p{N}_]*$/u;
const isOperator = (token: Token | undefined, value: string) => token?.kind === "operator" && token.value === value;
const isWord = (token: Token | undefined, value: string) => token?.kind === "word" && token.value === value;

/** The fields in force at the end of `list`: the stages that are complete before the last `|`. */
function scopeAt(list: readonly Token[], text: string, options: CompleteOptions): Scope {
  const pipe = list.findLast((t) => isOperator(t, "|"));
  const written = pipe === undefined ? tableWord(list) : text.slice(0, pipe.at);
  if (written === undefined) return tableScope(options.table);
  const parsed = parseQuery(written);
  return parsed.isOk() ? scopeAfter(parsed.value, options) : tableScope(options.table);
}

function tableWord(list: readonly Token[]): string | undefined {
  const first = list[0];
  if (first?.kind !== "word" || list.length < 2 || !(TABLES as readonly string[]).includes(first.value))
    return undefined;
  return list[1]!.kind === "word" && STAGES.has(list[1]!.value) ? first.value : undefined;
}

const completion = (text: string, kind: CompletionKind, summary: string): Completion => ({ text, kind, summary });

const stageCompletions = () => [...STAGES].map(([name, summary]) => completion(name, "stage", summary));

function candidates(
  list: readonly Token[],
  text: string,
  world: World | undefined,
  options: CompleteOptions,
  prefix: string,
): Completion[] {
  const last = list.at(-1);
  const pipelines = options.conditionOnly !== true;
  const scope = scopeAt(list, text, options);
  if (last === undefined) {
    const tables = pipelines ? TABLES.map((t) => completion(t, "table", TABLE_SUMMARIES[t])) : [];
    return [...tables, ...operands(scope, false), ...(pipelines ? stageCompletions() : [])];
  }
  if (isOperator(last, "|")) return stageCompletions();
  if (isOperator(last, ".")) return linkFields(list, scope);
  if (isTableAlone(list)) return [completion("|", "operator", "a stage follows"), ...stageCompletions()];
  if (isWord(last, "is"))
    return [completion("null", "keyword", "not known"), completion("not null", "keyword", "known")];
  const stage = stageOf(list);
  if (last.kind === "word" && STAGES.has(last.value) && last === stage) return afterStage(last.value, scope);
  const subject = comparedField(list, scope);
  if (subject !== undefined) {
    const values = valuesOf(subject, world).map((v) =>
      completion(PLAIN_WORD.test(v) && !KEYWORDS.has(v) ? v : quoted(v), "value", ""),
    );
    return [
      ...values,
      ...handles(subject, world, prefix),
      ...(PIDS.has(subject.name) ? pids(world, prefix) : []),
      ...(/^\d/.test(prefix) ? [] : operands(scope, insideCall(list))),
    ];
  }
  if (/^\d/.test(prefix) && !isWord(list.at(-2), "under")) return [];
  if (isOperator(last, "(") && isWord(list.at(-2), "under"))
    return [...handlesOf(world, prefix), ...pids(world, prefix)];
  if (expectsOperand(last))
    return operands(scope, insideCall(list), stage?.value === "agg" || stage?.value === "group");
  return operators(list, stage?.value, pipelines);
}

function isTableAlone(list: readonly Token[]): boolean {
  return list.length === 1 && list[0]!.kind === "word" && (TABLES as readonly string[]).includes(list[0]!.value);
}

/** The word of the stage that the end of `list` stands in. */
function stageOf(list: readonly Token[]): Token | undefined {
  for (let i = list.length - 1; i >= 0; i--) {
    const token = list[i]!;
    if (token.kind !== "word" || !STAGES.has(token.value) || isOperator(list[i + 1], "(")) continue;
    if (i === 0 || isOperator(list[i - 1], "|") || (i === 1 && isTableAlone(list.slice(0, 1)))) return token;
    if (token.value === "agg") return token;
  }
  return undefined;
}

function afterStage(stage: string, scope: Scope): Completion[] {
  if (stage === "top" || stage === "limit" || stage === "skip")
    return ["10", "20", "100"].map((n) => completion(n, "value", "rows"));
  if (stage === "count") return [completion("|", "operator", "another stage")];
  return operands(scope, false, stage === "agg");
}

function expectsOperand(last: Token): boolean {
  if (last.kind === "operator") return last.value !== ")";
  return (
    last.kind === "word" &&
    (["and", "or", "not", "by", "between", "in", "like"].includes(last.value) || STAGES.has(last.value))
  );
}

function insideCall(list: readonly Token[]): boolean {
  let open = 0;
  for (let i = list.length - 1; i > 0; i--) {
    if (isOperator(list[i], ")")) open--;
    if (isOperator(list[i], "(") && ++open > 0)
      return list[i - 1]!.kind === "word" && FUNCTIONS.some((f) => f.name === list[i - 1]!.value);
  }
  return false;
}

const typeSummary = (type: ValueType, summary: string) => `${TYPE_WORDS[type].replace(/^an? /, "")}: ${summary}`;

function operands(scope: Scope, inner: boolean, aggregates = false): Completion[] {
  const items: Completion[] = [];
  if (scope.of === "table") {
    for (const name of scopeNames(scope)) {
      const { field } = findField(scope.table, name)!;
      items.push(completion(name, "field", typeSummary(field.type, field.summary)));
    }
    if (inner)
      for (const name of Object.keys(INNER))
        items.push(completion(name, "keyword", `each ${name} of the process: ${name}.exe`));
  } else for (const { name, type } of scope.columns) items.push(completion(name, "field", TYPE_WORDS[type]));
  const called = FUNCTIONS.filter((f) => f.role === "row" || f.role === "each" || aggregates).map((f) =>
    completion(`${f.name}(`, "function", `${f.usage}: ${f.summary}`),
  );
  const functions = aggregates ? called.toReversed() : called;
  return aggregates ? [...functions, ...items] : [...items, ...functions, completion("not", "keyword", "the opposite")];
}

function operators(list: readonly Token[], stage: string | undefined, pipelines: boolean): Completion[] {
  const items = COMPARISONS.map(([op, summary]) => completion(op, "operator", summary));
  items.push(completion("and", "keyword", "both"), completion("or", "keyword", "at least one"));
  if (stage === "sort") items.unshift(completion("desc", "keyword", "from the largest"));
  if (stage === "top") items.unshift(completion("by", "keyword", "the largest of"));
  if (stage === "group") items.unshift(completion("agg", "stage", STAGES.get("agg")!));
  if (pipelines && list.length > 0) items.push(completion("|", "operator", "another stage"));
  return items;
}

/** `parent.` and `child.`: the fields of a process. */
function linkFields(list: readonly Token[], scope: Scope): Completion[] {
  const owner = list.at(-2);
  if (owner?.kind === "handle") return fieldsOf(owner.value.startsWith("p") ? "procs" : "events");
  if (owner?.kind !== "word" || scope.of !== "table") return [];
  if (Object.hasOwn(INNER, owner.value)) return fieldsOf(INNER[owner.value] === "child" ? "procs" : "images");
  const found = [scope.table, "procs" as const]
    .map((t) => findField(t, owner.value)?.field)
    .find((f) => f !== undefined);
  return found !== undefined && linkTable(found) !== undefined ? fieldsOf("procs") : [];
}

function fieldsOf(table: TableName): Completion[] {
  return FIELDS[table].map((f) => completion(f.name, "field", typeSummary(f.type, f.summary)));
}

interface Subject {
  readonly type: ValueType;
  readonly values: readonly string[] | undefined;
  readonly table: TableName | undefined;
  readonly name: string;
}

/** The field whose value is being typed: what stands before `==`, `!=`, `in (` and the like. */
function comparedField(list: readonly Token[], scope: Scope): Subject | undefined {
  let i = list.length - 1;
  // `exe in ("cc1", `
  if (isOperator(list[i], "(") || isOperator(list[i], ",")) {
    while (i > 0 && !isOperator(list[i], "(")) i--;
    if (!isWord(list[i - 1], "in")) return undefined;
    i--;
  } else if (list[i]?.kind !== "operator" || !["==", "=", "!=", "<", "<=", ">", ">="].includes(list[i]!.value)) {
    if (!isWord(list[i], "like")) return undefined;
  }
  i--;
  if (isWord(list[i], "not")) i--;
  let from = i;
  while (isOperator(list[from - 1], ".") && list[from - 2]?.kind === "word") from -= 2;
  const parts = list.slice(from, i + 1).filter((t) => t.kind === "word");
  if (parts.length === 0 || list[i]?.kind !== "word") return undefined;
  const names = parts.map((t) => ({ name: t.value, at: t.at, length: t.length }));
  const inner = INNER[names[0]!.name];
  const found = resolve(scope.of === "table" && inner !== undefined ? { ...scope, inner } : scope, names);
  if ("_tag" in found) return undefined;
  if (found.is === "column") return { type: found.type, values: undefined, table: undefined, name: names[0]!.name };
  return { type: found.type, values: found.values, table: found.field.table, name: found.field.name };
}

function valuesOf(subject: Subject, world: World | undefined): readonly string[] {
  if (subject.values !== undefined) return subject.values;
  if (subject.type === "errno") return [...ERRNO_NUMBERS.keys()];
  if (subject.type === "signal") return [...SIGNAL_NUMBERS.keys()].filter((name) => name.startsWith("SIG"));
  if (subject.type === "bool") return ["true", "false"];
  if (subject.type !== "text" || world === undefined || subject.table === undefined) return [];
  return world.someTexts(subject.table, subject.name, MOST_VALUES);
}

/** Processes whose handle begins as typed. */
function handles(subject: Subject, world: World | undefined, prefix: string): Completion[] {
  return subject.type === "proc" ? handlesOf(world, prefix) : [];
}

function handlesOf(world: World | undefined, prefix: string): Completion[] {
  if (world === undefined || !/^(p\d*)?$/.test(prefix)) return [];
  const items: Completion[] = [];
  const { length, pid } = world.processes;
  for (let life = 0; life < length && items.length < MOST_VALUES; life++)
    if (`p${life}`.startsWith(prefix)) items.push(completion(`p${life}`, "handle", `pid ${pid[life]}`));
  return items;
}

const PIDS: ReadonlySet<string> = new Set(["pid", "ppid"]);

/** Pids that begin as typed, each once. */
function pids(world: World | undefined, prefix: string): Completion[] {
  if (world === undefined || !/^\d*$/.test(prefix)) return [];
  const seen = new Map<string, number>();
  const { length, pid } = world.processes;
  for (let life = 0; life < length && seen.size < MOST_VALUES; life++) {
    const text = String(pid[life]);
    if (text.startsWith(prefix) && !seen.has(text)) seen.set(text, life);
  }
  return [...seen].map(([text, life]) => completion(text, "value", `p${life}`));
}
