// Everything about one process or one event.
import { count, padStart, printable, thousands } from "../../base/text.ts";
import { formatBytes } from "../../analyse/text_table.ts";
import type { Report, Table } from "../../analyse/table.ts";
import { exitStatusOf } from "../../derive/processes.ts";
import { quoteArgv, quoteWord } from "../../model/argv.ts";
import { KIND } from "../../model/event.ts";
import { argvOf, eventAt, filenameOf, lineAt } from "../../model/event_at.ts";
import { asFields, type Fields } from "../../model/fields.ts";
import { ABSENT } from "../../model/ids.ts";
import { formatDuration } from "../../model/time.ts";
import { failureText } from "../../render/commands.ts";
import { compileQuery } from "../../query/check_query.ts";
import { placeOf, type Starter } from "../../query/line_table.ts";
import { runNow } from "../../query/run.ts";
import { toTable } from "../../query/result.ts";
import type { Book } from "../book.ts";
import type { Context, ReplCommand } from "../command.ts";
import { endOf, eventLine, fit, kindOf, moment, processLine, wallOf } from "../describe.ts";
import type { Output } from "../output.ts";
import { unixZero } from "../places.ts";
import { done, fail, processAt, tooMany, type Ran } from "./_shared.ts";

/** A command line longer than this is cut; JSON has all of it. */
const LONGEST = 1 << 16;
const MOST_ROWS = 20;

type Fact = readonly [string, string];

/** The time of day, in the reader's zone; undefined when the recording does not say when it began. */
function clockText(book: Book, ns: number): string | undefined {
  const zero = unixZero(book);
  if (zero === undefined || Number.isNaN(ns)) return undefined;
  const at = new Date((zero + ns) / 1e6);
  const two = (n: number) => String(n).padStart(2, "0");
  const ms = String(at.getMilliseconds()).padStart(3, "0");
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${ms}`;
}

/** The environment that an exec was given, where it was recorded. */
function envOf(book: Book, row: number): ReadonlyMap<string, string> | undefined {
  let body: Fields | undefined;
  try {
    const line = asFields(JSON.parse(lineAt(book.recording, row)));
    body = line === undefined ? undefined : asFields(Object.values(line)[0]);
  } catch {
    return undefined;
  }
  const env = body?.["env"];
  const out = new Map<string, string>();
  if (Array.isArray(env)) {
    for (const entry of env) {
      if (typeof entry !== "string") continue;
      const at = entry.indexOf("=");
      out.set(at < 0 ? entry : entry.slice(0, at), at < 0 ? "" : entry.slice(at + 1));
    }
    return out;
  }
  const fields = asFields(env);
  if (fields === undefined) return undefined;
  for (const [name, value] of Object.entries(fields)) if (typeof value === "string") out.set(name, value);
  return out;
}

/** What an exec's environment has that the exec before it had not: `+NAME=value`, `-NAME`. */
function envChanges(book: Book, life: number, row: number): string[] {
  const own = envOf(book, row);
  if (own === undefined) return [];
  const { imageAt, imageRow, parent } = book.processes;
  let before: ReadonlyMap<string, string> | undefined;
  for (let i = imageAt[life + 1]! - 1; i >= imageAt[life]! && before === undefined; i--)
    if (imageRow[i]! < row) before = envOf(book, imageRow[i]!);
  for (let above = parent[life]!; above !== ABSENT && before === undefined; above = parent[above]!) {
    const last = imageAt[above + 1]! - 1;
    if (last >= imageAt[above]!) before = envOf(book, imageRow[last]!);
  }
  const out: string[] = [];
  for (const [name, value] of own)
    if (before?.get(name) !== value)
      out.push(`+${printable(name)}=${quoteWord(value.slice(0, LONGEST), book.unicode)}`);
  for (const name of before?.keys() ?? []) if (!own.has(name)) out.push(`-${printable(name)}`);
  return out.sort();
}

function commandFacts(book: Book, life: number, row: number): Fact[] {
  const { recording, unicode } = book;
  const argv = argvOf(recording, row);
  const facts: Fact[] = [];
  if (argv !== undefined) {
    const whole = quoteArgv(argv, unicode);
    const cut = whole.length > LONGEST;
    facts.push(["command", cut ? `${whole.slice(0, LONGEST)}... (${thousands(whole.length)} characters)` : whole]);
  } else facts.push(["command", book.commands.ofExec(row)]);
  const file = filenameOf(recording, row);
  if (file !== undefined) facts.push(["file", printable(file.text, unicode)]);
  const event = eventAt(recording, row);
  if (event.kind === "exec" && event.cwd !== undefined) facts.push(["directory", printable(event.cwd.text, unicode)]);
  for (const change of envChanges(book, life, row)) facts.push(["environment", change]);
  return facts;
}

/** The script line behind a process or an event, how sure that is, and the line itself. */
function starterText(book: Book, starter: Starter | undefined): string | undefined {
  if (starter === undefined) return undefined;
  const source = book.world.starters?.source(starter);
  const text = `${placeOf(starter)}  (${starter.certainty})${source === undefined ? "" : `  ${source}`}`;
  return printable(text, book.unicode);
}

function processFacts(book: Book, life: number): Fact[] {
  const { processes: p, tree, world } = book;
  const facts: Fact[] = [];
  const { imageAt, imageRow, imageStart } = p;
  const first = imageAt[life]!;
  const after = imageAt[life + 1]!;
  if (after === first) facts.push(["command", book.commands.withoutExec(life)]);
  for (let i = first; i < after; i++) {
    if (after - first > 1) facts.push(["became", `${moment(imageStart[i]!)} e${imageRow[i]}`]);
    facts.push(...commandFacts(book, life, imageRow[i]!));
  }
  facts.push(["pid", String(p.pid[life])]);
  const parent = p.parent[life]!;
  facts.push(["parent", parent === ABSENT ? "not recorded" : processLine(book, parent)]);
  const starter = starterText(book, world.starters?.ofLife(life));
  if (starter !== undefined) facts.push(["started by", starter]);
  const start = clockText(book, p.start[life]!);
  const end = clockText(book, p.end[life]!);
  facts.push(["started", `${moment(p.start[life]!)}${start === undefined ? "" : `  ${start}`}`]);
  const status = endOf(book, life) || "exit 0";
  facts.push(["ended", `${moment(p.end[life]!)}${end === undefined ? "" : `  ${end}`}  ${status}`]);
  facts.push(["wall", wallOf(book, life)]);
  const value = (name: string) => Number(world.numbers("procs", name)[life]);
  const cpu = value("cpu");
  if (!Number.isNaN(cpu) && cpu >= 0) facts.push(["CPU", formatDuration(cpu)]);
  const rss = value("rss");
  if (!Number.isNaN(rss) && rss >= 0) facts.push(["peak memory", formatBytes(rss)]);
  const critical = value("critical");
  if (critical > 0) facts.push(["critical", `${formatDuration(critical)} of the critical path`]);
  const below = tree.size[life]! - 1;
  if (below > 0)
    facts.push([
      "below",
      `${count(tree.childAt[life + 1]! - tree.childAt[life]!, "child", "children")}, ${thousands(below)} in all`,
    ]);
  const failed = p.failedAt[life + 1]! - p.failedAt[life]!;
  if (failed > 0) facts.push(["failed execs", thousands(failed)]);
  return facts;
}

function queryTable(book: Book, text: string, title: string, id: string): Table | undefined {
  const plan = compileQuery(text, { table: "procs" });
  if (plan.isErr()) return undefined;
  const result = runNow(plan.value, book.world);
  return result.length === 0 ? undefined : { ...toTable(result), id, title };
}

function showProcess(context: Context, life: number): Ran {
  const { book } = context;
  const { tree, processes: p } = book;
  const facts = processFacts(book, life);
  const children = [...tree.child.subarray(tree.childAt[life]!, tree.childAt[life + 1]!)];
  const rows: number[] = [];
  for (const row of p.order) if (p.owner[row] === life) rows.push(row);
  const lines = queryTable(
    book,
    `lines where proc == p${life} | top ${MOST_ROWS} by self | select file, line, function, count, self, cumulated, source`,
    "Lines",
    "lines",
  );
  const output: Output = {
    *text(view) {
      const { paint } = view;
      yield paint.strong(fit(processLine(book, life), view.width, view.unicode)) + "\n";
      for (const [name, value] of facts) yield `${paint.dim(name.padEnd(13))}${value}\n`;
      const list = function* (title: string, all: readonly number[], line: (at: number) => string, more: string) {
        if (all.length === 0) return;
        yield "\n" + paint.strong(`${title} (${thousands(all.length)})`) + "\n";
        for (const at of all.slice(0, MOST_ROWS)) yield "  " + fit(line(at), view.width - 2, view.unicode) + "\n";
        if (all.length > MOST_ROWS)
          yield paint.dim(fit(`  ${thousands(all.length - MOST_ROWS)} more: ${more}`, view.width, view.unicode)) + "\n";
      };
      yield* list("Children", children, (at) => processLine(book, at), `ls p${life}`);
      yield* list("Events", rows, (at) => eventLine(book, at), `events where proc == p${life}`);
      if (lines !== undefined) {
        yield "\n" + paint.strong("Lines that cost most") + "\n";
        for (const [path, line, name, times, self, , source] of lines.rows) {
          const cost = padStart(typeof self === "number" ? formatDuration(self) : "-", 6);
          const place = path === undefined ? String(name ?? "?") : `${path}:${line}`;
          const whole = printable(`${cost}  ${times}x  ${place}  ${source ?? ""}`, view.unicode).trimEnd();
          yield `  ${fit(whole, view.width - 2, view.unicode)}\n`;
        }
      }
    },
    report: () => processReport(book, life, facts, children, rows, lines),
  };
  return done({ output });
}

function processReport(
  book: Book,
  life: number,
  facts: readonly Fact[],
  children: readonly number[],
  rows: readonly number[],
  lines: Table | undefined,
): Report {
  const status = exitStatusOf(book.processes, life);
  return {
    headline: [],
    facts: [
      { id: "id", value: `p${life}` },
      { id: "status", value: failureText(status) || (status.how === "exited" ? "exit 0" : undefined) },
    ],
    notes: [],
    tables: [
      {
        id: "process",
        title: "",
        columns: [
          { id: "name", title: "NAME", kind: "text" },
          { id: "value", title: "VALUE", kind: "text" },
        ],
        rows: facts,
      },
      {
        id: "children",
        title: "",
        columns: [
          { id: "id", title: "ID", kind: "text" },
          { id: "command", title: "COMMAND", kind: "text" },
        ],
        rows: children.map((at) => [`p${at}`, book.commandOf(at)]),
      },
      {
        id: "events",
        title: "",
        columns: [
          { id: "id", title: "ID", kind: "text" },
          { id: "ts_ns", title: "TS", kind: "time" },
          { id: "kind", title: "KIND", kind: "text" },
        ],
        rows: rows.map((row) => [`e${row}`, book.recording.events.ts[row]!, kindOf(book, row)]),
      },
      ...(lines === undefined ? [] : [lines]),
    ],
  };
}

function showEvent(context: Context, row: number): Ran {
  const { book } = context;
  const { events } = book.recording;
  if (row >= events.length) return fail(`there is no event e${row}`, `the last is e${events.length - 1}`);
  const life = book.processes.owner[row]!;
  const clock = clockText(book, events.ts[row]!);
  const facts: Fact[] = [
    ["kind", kindOf(book, row)],
    ["time", `${moment(events.ts[row]!)}${clock === undefined ? "" : `  ${clock}`}`],
  ];
  if (life >= 0) facts.push(["process", processLine(book, life)]);
  const kind = events.kind[row];
  const isStart = kind === KIND.fork || kind === KIND.exec || kind === KIND.exec_part || kind === KIND.exec_failed;
  const starter = isStart ? starterText(book, book.world.starters?.ofEvent(row)) : undefined;
  if (starter !== undefined) facts.push(["made by", starter]);
  if (kind === KIND.exec || kind === KIND.exec_part || kind === KIND.exec_failed)
    facts.push(...commandFacts(book, life, row));
  const line = lineAt(book.recording, row);
  const raw = line.length > LONGEST ? `${line.slice(0, LONGEST)}... (${thousands(line.length)} characters)` : line;
  facts.push(["line", printable(raw, book.unicode)]);
  return done({
    output: {
      *text(view) {
        yield view.paint.strong(fit(eventLine(book, row), view.width, view.unicode)) + "\n";
        for (const [name, value] of facts) yield `${view.paint.dim(name.padEnd(13))}${value}\n`;
      },
      events: Int32Array.of(row),
      report: () => ({
        headline: [],
        facts: [],
        notes: [],
        tables: [
          {
            id: "event",
            title: "",
            columns: [
              { id: "name", title: "NAME", kind: "text" },
              { id: "value", title: "VALUE", kind: "text" },
            ],
            rows: [["id", `e${row}`], ...facts],
          },
        ],
      }),
    },
  });
}

export const show: ReplCommand = {
  id: "show",
  summary: "everything about one process, or one event",
  group: "Looking",
  usage: "show [PROCESS|EVENT]",
  doc: "Its command lines quoted for a shell, environment where it was recorded, times, end, children, events and lines. Without a word: the process of the current event, or the one you are in.",
  examples: [
    { line: "show p2", what: "a process" },
    { line: "show e4", what: "an event" },
  ],
  arguments: ["place"],
  *run(context) {
    yield;
    const { words } = context;
    const event =
      /^e(\d{1,9})$/.exec(words[0]?.text ?? "") ??
      (words[0]?.text === "event" ? /^e?(\d{1,9})$/.exec(words[1]?.text ?? "") : null);
    const extra = tooMany(words, words[0]?.text === "event" ? 2 : 1, show.usage);
    if (extra !== undefined) return extra;
    if (event !== null) return showEvent(context, Number(event[1]));
    const life = processAt(context, words[0]);
    return life.isErr() ? fail(life.error.message, life.error.hint) : showProcess(context, life.value);
  },
};
