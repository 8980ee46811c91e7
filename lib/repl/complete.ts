// What Tab offers: commands, then what their words are; inside a query what the language's own completion says. Never reads the recording's
// text: what is offered of values is in memory.
import { FIELDS, FUNCTIONS, TABLES } from "../query/fields.ts";
import { completionsAt } from "../query/complete.ts";
import { STAGES } from "../query/parser.ts";
import { ABSENT } from "../model/ids.ts";
import { beginsCondition, tableOf } from "./bare_condition.ts";
import { DISPLAY_MODES } from "./commands/elsewhere.ts";
import type { Book } from "./book.ts";
import { filterOf } from "./book.ts";
import type { ArgumentKind } from "./command.ts";
import type { Candidate, Completion } from "./editor.ts";
import { FORMATS, splitWords } from "./line.ts";
import { beginsQuery, commands } from "./registry.ts";
import type { Session } from "./session.ts";

export interface CompleteSetting {
  /** Undefined while the recording is being read. */
  readonly book: Book | undefined;
  readonly session: Session;
  /** File names that begin with what was typed. */
  readonly files: (typed: string) => readonly Candidate[];
}

const MOST = 100;

export function completeLine(text: string, cursor: number, setting: CompleteSetting): Completion {
  const before = text.slice(0, cursor);
  const redirect = />\s*([^\s>|"']*)$/.exec(before);
  const words = splitWords(before);
  const first = words[0]?.text ?? "";
  const typing = words.length === 0 || (words.length === 1 && !/\s$/.test(before));
  if (typing && !before.includes("|") && /^!?\w*$/.test(first))
    return starting(
      first === "" ? commandCandidates() : [...commandCandidates(), ...conditionCandidates()],
      first,
      cursor,
    );
  const last = /\s$/.test(before) ? "" : (words.at(-1)?.text ?? "");
  const from = cursor - last.length;
  if (/(^|\s)--format$/.test(before.slice(0, from).trimEnd()))
    return starting(
      FORMATS.map((f) => ({ text: f })),
      last,
      cursor,
    );
  if (last.startsWith("--"))
    return starting([{ text: "--format", summary: "table, json, ndjson or csv" }], last, cursor);
  if (redirect !== null && !beginsQuery(first, before)) return fileCompletion(redirect[1]!, cursor, setting);
  // After a table alone `>` compares nothing.
  if (
    redirect !== null &&
    (/[./]/.test(redirect[1]!) || TABLES.some((table) => new RegExp(`^\\s*${table}\\s*>`).test(before)))
  )
    return fileCompletion(redirect[1]!, cursor, setting);
  const command = commands.find(first);
  if (command.isOk() && command.value.speaksQuery !== true && !beginsCondition(before, true)) {
    const place = words.length - 1 - (last === "" ? 0 : 1);
    const kinds = command.value.arguments;
    if (command.value.id === "render" && /\s(-d|--display-mode)\s+\S*$/.test(before))
      return starting(
        DISPLAY_MODES.map((text) => ({ text })),
        last,
        cursor,
      );
    const kind = kinds[Math.min(place, kinds.length - 1)];
    return kind === undefined ? { from: cursor, candidates: [] } : argument(kind, last, cursor, setting);
  }
  return query(first, before, text, cursor, setting);
}

function commandCandidates(): Candidate[] {
  const all = commands.entries.map((c) => ({ text: c.id, summary: c.summary }));
  return [
    ...all,
    ...[...STAGES].filter(([name]) => name !== "agg").map(([name, summary]) => ({ text: name, summary })),
  ].sort((a, b) => (a.text < b.text ? -1 : 1));
}

/** What a condition by itself begins with. */
function conditionCandidates(): Candidate[] {
  const fields = new Map<string, Candidate>();
  for (const table of TABLES)
    for (const { name, summary } of FIELDS[table])
      if (!fields.has(name) && commands.find(name).isErr()) fields.set(name, { text: name, summary });
  const calls = FUNCTIONS.filter((f) => f.role !== "aggregate").map((f) => candidate(`${f.name}(`, f.summary));
  return [...fields.values(), ...calls];
}

function query(
  first: string,
  before: string,
  text: string,
  cursor: number,
  { book, session }: CompleteSetting,
): Completion {
  const isTable = (TABLES as readonly string[]).includes(first);
  if (isTable || STAGES.has(first)) {
    const found = completionsAt(text, cursor, book?.world, { table: session.table });
    return { from: found.from, candidates: found.items.map(({ text: t, summary }) => candidate(t, summary)) };
  }
  // A condition by itself; its table is not known before it is whole.
  if (beginsCondition(before, commands.find(first).isOk())) {
    const found = completionsAt(text, cursor, book?.world, { table: tableOf(before) });
    return { from: found.from, candidates: found.items.map(({ text: t, summary }) => candidate(t, summary)) };
  }
  if (commands.find(first).isErr()) return { from: cursor, candidates: [] };
  // filter and find: a condition after the command's word, perhaps with a table before it.
  const start = before.indexOf(first) + first.length;
  const { table } = filterOf(text.slice(start));
  const where = table === undefined ? start : start + text.slice(start).indexOf("where") + 5;
  const inner = text.slice(where);
  const names = table === undefined ? (["procs", "events"] as const) : [table];
  const candidates = new Map<string, Candidate>();
  let from = cursor;
  for (const name of names) {
    const found = completionsAt(inner, cursor - where, book?.world, { table: name, conditionOnly: true });
    from = found.from + where;
    for (const item of found.items)
      if (!candidates.has(item.text)) candidates.set(item.text, candidate(item.text, item.summary));
  }
  return { from, candidates: [...candidates.values()].slice(0, MOST) };
}

function candidate(text: string, summary: string): Candidate {
  const open = text.endsWith("(");
  return { text, ...(summary === "" ? {} : { summary }), ...(open ? { open } : {}) };
}

function argument(kind: ArgumentKind, typed: string, cursor: number, setting: CompleteSetting): Completion {
  const { session } = setting;
  if (typeof kind !== "string")
    return starting(
      kind.map((text) => ({ text })),
      typed,
      cursor,
    );
  switch (kind) {
    case "process":
      return starting(processes(typed, setting), typed, cursor);
    case "place":
      return starting(
        [
          ...[...session.marks.keys()].map((text) => ({ text, summary: "a mark" })),
          { text: "start", summary: "the first event" },
          { text: "end", summary: "the last event" },
          ...processes(typed, setting),
        ],
        typed,
        cursor,
      );
    case "mark":
      return starting(
        [...session.marks.keys()].map((text) => ({ text })),
        typed,
        cursor,
      );
    case "filter":
      return starting(
        [...session.saved.values()].map((f) => ({ text: f.name ?? "", summary: f.text })),
        typed,
        cursor,
      );
    case "command":
      return starting(
        [
          ...commandCandidates(),
          ...["fields", "functions", "keys", "output", "stages"].map((text) => ({ text, summary: "a topic" })),
        ],
        typed,
        cursor,
      );
    case "table":
      return starting(
        TABLES.map((text) => ({ text, summary: `${FIELDS[text].length} fields` })),
        typed,
        cursor,
      );
    case "file":
      return fileCompletion(typed, cursor, setting);
    default:
      return { from: cursor, candidates: [] };
  }
}

/** Handles of the processes that one is likely to mean: children of the current one, then all that remain. */
function processes(typed: string, { book, session }: CompleteSetting): Candidate[] {
  if (book === undefined) return [];
  const out: Candidate[] = [];
  const { processes: p, tree } = book;
  const add = (life: number) => {
    if (out.length >= MOST) return;
    const handle = `p${life}`;
    if (handle.startsWith(typed)) out.push({ text: handle, summary: book.programOf(life) });
  };
  const { life } = session.position;
  const near = life === ABSENT ? tree.roots : tree.child.subarray(tree.childAt[life]!, tree.childAt[life + 1]!);
  const seen = new Set<number>();
  for (const one of near.subarray(0, MOST)) {
    seen.add(one);
    add(one);
  }
  if (/^p\d*$/.test(typed)) for (let one = 0; one < p.length && out.length < MOST; one++) if (!seen.has(one)) add(one);
  if (/^\d+$/.test(typed)) {
    const pids = new Set<number>();
    for (let one = 0; one < p.length && pids.size < MOST; one++) {
      const pid = p.pid[one]!;
      if (String(pid).startsWith(typed) && !pids.has(pid)) {
        pids.add(pid);
        out.push({ text: String(pid), summary: book.programOf(one) });
      }
    }
  }
  if (/^[^p\d]/.test(typed) || /^p[^\d]/.test(typed)) {
    const { pool } = book.world.texts("procs", "exe");
    for (let key = 0; key < pool.length && out.length < MOST; key++) {
      const name = pool.text(key);
      if (name.startsWith(typed) && /^[\w.+-]+$/.test(name)) out.push({ text: name, summary: "a program" });
    }
  }
  return out;
}

function fileCompletion(typed: string, cursor: number, { files }: CompleteSetting): Completion {
  return { from: cursor - typed.length, candidates: files(typed) };
}

function starting(all: readonly Candidate[], typed: string, cursor: number): Completion {
  return { from: cursor - typed.length, candidates: all.filter((c) => c.text.startsWith(typed)) };
}

/** What the line means so far, shown dimly behind it: how the command is used. */
export function hintFor(text: string): string {
  const m = /^\s*(\S+)\s+$/.exec(text);
  if (m === null) return "";
  const command = commands.find(m[1]!);
  if (command.isErr()) return "";
  const rest = command.value.usage.replace(/^\S+\s*/, "");
  return rest === "" ? "" : rest;
}
