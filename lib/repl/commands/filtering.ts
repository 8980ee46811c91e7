// The stack of filters: everything that is shown, drawn, counted or handed on is limited to what all of them leave.
import { err } from "neverthrow";
import { thousands } from "../../base/text.ts";
import { nearest } from "../../base/nearest.ts";
import { filterOf } from "../book.ts";
import type { Context, ReplCommand } from "../command.ts";
import { lines, tables } from "../output.ts";
import type { Filter, Session } from "../session.ts";
import { done, fail, type Ran, tooMany } from "./_shared.ts";

function remains(context: Context, session: Session): Ran {
  const { liveCount, rowCount } = context.book.scope(session);
  const text = `${thousands(liveCount)} processes and ${thousands(rowCount)} events remain`;
  return done({ session, output: lines("remaining", [text]) });
}

const NAME = /^[A-Za-z][\w-]{0,30}$/;

export const filter: ReplCommand = {
  id: "filter",
  aliases: ["push"],
  summary: "limit everything to what a condition is true of",
  group: "Filtering",
  usage: "filter [TABLE where] CONDITION",
  doc: "A condition over processes keeps their events, one over events keeps the processes that they are about, one over lines or reports those and everything of the processes that they are of. It is put on top of those in force; the prompt shows how many remain.",
  examples: [
    { line: "filter wall > 10ms", what: "processes that lived longer" },
    { line: 'filter lines where file like "*configure"', what: "lines of one script and the processes that ran them" },
    { line: "filter events where kind == exec_failed", what: "failed execs and who tried them" },
  ],
  arguments: ["condition"],
  speaksQuery: true,
  *run(context) {
    const { book, session } = context;
    const { table, condition: text } = filterOf(context.text);
    if (text === "") return fail("expected a condition", "such as filter wall > 10ms; filters lists those in force");
    const condition = book.condition(text, table);
    if (condition.isErr()) return err(condition.error);
    yield* book.matching(condition.value);
    const added: Filter = { table: condition.value.table, text };
    return remains(context, { ...session, filters: [...session.filters, added] });
  },
};

export const pop: ReplCommand = {
  id: "pop",
  summary: "take the last filter away, or some, or all",
  group: "Filtering",
  usage: "pop [N|all]",
  doc: "The one that was put on last goes first.",
  examples: [
    { line: "pop", what: "the last one" },
    { line: "pop all", what: "every one" },
  ],
  arguments: [["all"]],
  *run(context) {
    yield;
    const { session, words } = context;
    const extra = tooMany(words, 1, pop.usage);
    if (extra !== undefined) return extra;
    const word = words[0]?.text ?? "1";
    if (word !== "all" && !/^\d{1,6}$/.test(word)) return fail(`'${word}' is no number`, `usage: ${pop.usage}`);
    if (session.filters.length === 0) return fail("there is no filter in force");
    const left = word === "all" ? 0 : Math.max(0, session.filters.length - Number(word));
    return remains(context, { ...session, filters: session.filters.slice(0, left) });
  },
};

export const filters: ReplCommand = {
  id: "filters",
  summary: "the filters in force, and those that were saved",
  group: "Filtering",
  usage: "filters",
  doc: "In force: from the first to the last, with how many processes and events each leaves.",
  examples: [{ line: "filters", what: "the stack" }],
  arguments: [],
  *run(context) {
    yield;
    const { book, session } = context;
    const rows: (string | number | undefined)[][] = session.filters.map((f, i) => {
      const { liveCount, rowCount } = book.scope({ ...session, filters: session.filters.slice(0, i + 1) });
      return [String(i + 1), f.name, f.table, f.text, liveCount, rowCount];
    });
    for (const f of session.saved.values())
      if (!session.filters.some((g) => g.name === f.name))
        rows.push(["saved", f.name, f.table, f.text, undefined, undefined]);
    const columns = [
      { id: "place", title: "#", kind: "text", cut: "never" },
      { id: "name", title: "NAME", kind: "text", cut: "never" },
      { id: "table", title: "TABLE", kind: "text", cut: "never" },
      { id: "condition", title: "CONDITION", kind: "text" },
      { id: "processes", title: "PROCESSES", kind: "count", yields: 1 },
      { id: "events", title: "EVENTS", kind: "count", yields: 2 },
    ] as const;
    return (
      tooMany(context.words, 0, filters.usage) ??
      done({
        output: tables({
          tables: [{ id: "filters", title: "", columns, rows, empty: "no filters: everything is shown" }],
        }),
      })
    );
  },
};

/** The last filter under a name, in the stack and among the saved ones. */
function named(context: Context, usage: string, kept: boolean): Session | ReturnType<typeof fail> {
  const { session, words } = context;
  const last = session.filters.at(-1);
  if (last === undefined) return fail("there is no filter in force to name", "filter CONDITION puts one on");
  const name = words[0]?.text ?? last.name;
  if (name === undefined || words.length > 1 || !NAME.test(name))
    return fail("expected one name: letters, digits, - and _", `usage: ${usage}`);
  const filter: Filter = { ...last, name, kept: kept || session.saved.get(name)?.kept === true };
  return {
    ...session,
    filters: [...session.filters.slice(0, -1), filter],
    saved: new Map(session.saved).set(name, filter),
  };
}

export const name: ReplCommand = {
  id: "name",
  summary: "give the last filter a name, for use in this session",
  group: "Filtering",
  usage: "name NAME",
  doc: "use NAME puts it on again. save keeps it for other sessions too.",
  examples: [{ line: "name slow", what: "call the last filter slow" }],
  arguments: ["words"],
  *run(context) {
    yield;
    if (context.words.length === 0) return fail("expected a name", `usage: ${name.usage}`);
    const session = named(context, name.usage, false);
    return "position" in session
      ? done({ session, output: lines("filter", [`${context.words[0]!.text}: ${session.filters.at(-1)!.text}`]) })
      : session;
  },
};

export const save: ReplCommand = {
  id: "save",
  summary: "keep the last filter under a name, for other sessions too",
  group: "Filtering",
  usage: "save [NAME]",
  doc: "Kept in the file filters beside the history. forget takes it away.",
  examples: [{ line: "save slow", what: "keep the last filter as slow" }],
  arguments: ["words"],
  *run(context) {
    yield;
    const session = named(context, save.usage, true);
    if (!("position" in session)) return session;
    const last = session.filters.at(-1)!;
    return done({ session, act: { kind: "save-filters" }, output: lines("filter", [`${last.name}: ${last.text}`]) });
  },
};

export const use: ReplCommand = {
  id: "use",
  summary: "put a named filter on the stack",
  group: "Filtering",
  usage: "use NAME",
  doc: "filters lists the names.",
  examples: [{ line: "use slow", what: "the filter that was named slow" }],
  arguments: ["filter"],
  *run(context) {
    yield;
    const { book, session, words } = context;
    const extra = tooMany(words, 1, use.usage);
    if (extra !== undefined) return extra;
    const wanted = words[0]?.text;
    if (wanted === undefined) return fail("expected the name of a filter", "filters lists them");
    const found = session.saved.get(wanted);
    if (found === undefined) {
      const near = nearest(wanted, [...session.saved.keys()]);
      return fail(
        `there is no filter called '${wanted}'`,
        near.length > 0 ? `did you mean ${near.join(" or ")}?` : "filters lists them",
      );
    }
    const condition = book.condition(found.text, found.table);
    if (condition.isErr()) return err(condition.error);
    yield* book.matching(condition.value);
    return remains(context, { ...session, filters: [...session.filters, found] });
  },
};

export const forget: ReplCommand = {
  id: "forget",
  summary: "take a named filter away for good",
  group: "Filtering",
  usage: "forget NAME",
  doc: "Where it is in force it stays until it is popped.",
  examples: [{ line: "forget slow", what: "no longer a name" }],
  arguments: ["filter"],
  *run(context) {
    yield;
    const { session, words } = context;
    const extra = tooMany(words, 1, forget.usage);
    if (extra !== undefined) return extra;
    const wanted = words[0]?.text ?? "";
    if (!session.saved.has(wanted)) return fail(`there is no filter called '${wanted}'`, "filters lists them");
    const saved = new Map(session.saved);
    saved.delete(wanted);
    return done({
      session: { ...session, saved },
      act: { kind: "save-filters" },
      output: lines("filter", [`forgot ${wanted}`]),
    });
  },
};
