// Commands about the shell itself: help, history, the format of output, leaving.
import { nearest } from "../../base/nearest.ts";
import { isTable, TABLES, type TableName } from "../../query/fields.ts";
import { fieldsTable, functionsTable, stagesTable } from "../../query/help.ts";
import { GROUPS, type ReplCommand } from "../command.ts";
import { FORMATS, isFormat } from "../line.ts";
import { lines, type Output, pairsOutput, tables, type View } from "../output.ts";
import { done, fail, tooMany } from "./_shared.ts";

const TOPICS = ["fields", "functions", "stages", "keys", "output"] as const;

const KEYS: readonly (readonly [string, string])[] = [
  ["Tab", "complete; again to choose"],
  ["up, down", "history; only lines that begin with what was typed"],
  ["Ctrl-R", "search the history backwards"],
  ["right, End", "take the grey suggestion; Alt-F a word of it"],
  ["Alt-Enter", "another row"],
  ["Ctrl-A, Ctrl-E, Alt-B, Alt-F", "move"],
  ["Ctrl-W, Ctrl-U, Ctrl-K, Alt-D", "cut; Ctrl-Y puts back, Alt-Y an earlier one"],
  ["Ctrl-_", "undo"],
  ["Ctrl-L", "clear the screen"],
  ["Ctrl-C", "stop the command, or drop the line"],
  ["Ctrl-D", "leave"],
  ["?", "after a partial command: what may follow"],
];

const OUTPUT: readonly (readonly [string, string])[] = [
  ["procs > slow.csv", "to a file; the format is that of its name"],
  ["procs --format json", "table, json, ndjson or csv"],
  ["procs | grep cc", "to a shell command; |! when its name is a stage (|! sort)"],
  ["events > part.prof", "events as NDJSON are a recording again"],
];

/** `commands` is the registry, which has this command in it. */
export function makeHelp(commands: () => readonly ReplCommand[]): ReplCommand {
  const help: ReplCommand = {
    id: "help",
    aliases: ["h"],
    summary: "the commands, one command with examples, or a topic",
    group: "The shell",
    usage: `help [COMMAND|${TOPICS.join("|")}] [TABLE]`,
    doc: "The fields are those of the query language; docs/query.md has all of it.",
    examples: [
      { line: "help goto", what: "one command" },
      { line: "help fields procs", what: "what can be asked of processes" },
    ],
    arguments: ["command", "table"],
    *run(context) {
      yield;
      const { words } = context;
      const topic = words[0]?.text;
      const all = commands();
      if (topic === undefined) return done({ output: overview(all) });
      if (topic === "fields") {
        const table = words[1]?.text;
        if (table !== undefined && !isTable(table))
          return fail(`there is no table '${table}'`, `the tables are ${TABLES.join(", ")}`);
        return done({
          output: tables({ tables: (table === undefined ? TABLES : [table as TableName]).map((t) => fieldsTable(t)) }),
        });
      }
      if (topic === "functions") return done({ output: tables({ tables: [functionsTable()] }) });
      if (topic === "stages") return done({ output: tables({ tables: [stagesTable()] }) });
      if (topic === "keys") return done({ output: pairsOutput("keys", [], KEYS) });
      if (topic === "output") return done({ output: pairsOutput("output", [], OUTPUT) });
      const command = all.find((c) => c.id === topic || c.aliases?.includes(topic));
      if (command !== undefined) return done({ output: oneCommand(command) });
      const near = nearest(topic, [...all.map((c) => c.id), ...TOPICS]);
      return fail(
        `there is no help for '${topic}'`,
        near.length > 0 ? `did you mean ${near.join(" or ")}?` : "help lists the commands",
      );
    },
  };
  return help;
}

function overview(all: readonly ReplCommand[]): Output {
  const columns = [
    { id: "command", title: "COMMAND", kind: "text", cut: "never" },
    { id: "summary", title: "SUMMARY", kind: "text" },
  ] as const;
  const groups = GROUPS.map((group) => ({ group, commands: all.filter((c) => c.group === group) }));
  return {
    *text(view) {
      const width = Math.max(...all.map((c) => c.id.length));
      for (const { group, commands } of groups) {
        yield view.paint.strong(group) + "\n";
        for (const c of commands) yield shorten(`  ${c.id.padEnd(width)}  ${c.summary}`, view) + "\n";
      }
      yield shorten(`help COMMAND for examples; help ${TOPICS.join(", ")}`, view) + "\n";
    },
    report: () => ({
      headline: [],
      facts: [],
      notes: [],
      tables: [{ id: "commands", title: "", columns, rows: all.map((c) => [c.id, c.summary]) }],
    }),
  };
}

function shorten(text: string, view: View): string {
  return text.length <= view.width ? text : text.slice(0, view.width);
}

function oneCommand(c: ReplCommand): Output {
  const examples = c.examples.map(({ line, what }) => [line, what] as const);
  const plain = [
    `usage: ${c.usage}`,
    ...(c.aliases === undefined ? [] : [`also: ${c.aliases.join(", ")}`]),
    `${c.summary}. ${c.doc}`,
  ];
  return {
    *text(view) {
      yield view.paint.strong(c.usage) + "\n";
      if (c.aliases !== undefined) yield view.paint.dim(`also: ${c.aliases.join(", ")}`) + "\n";
      yield `${c.summary}\n`;
      yield `${c.doc}\n`;
      for (const [line, what] of examples) yield `  ${line}   ${view.paint.dim(`# ${what}`)}\n`;
    },
    report: () => lines("help", [...plain, ...examples.map(([line, what]) => `${line}  # ${what}`)]).report(),
  };
}

export const history: ReplCommand = {
  id: "history",
  summary: "the lines that were typed",
  group: "The shell",
  usage: "history [PART]",
  doc: "Only those that hold PART. A line that begins with a blank is not kept. TK_HISTORY names another file; empty keeps none.",
  examples: [{ line: "history where", what: "queries" }],
  arguments: ["words"],
  *run(context) {
    yield;
    return done({ act: { kind: "history", part: context.text.trim() } });
  },
};

export const format: ReplCommand = {
  id: "format",
  summary: "how output is written from now on",
  group: "The shell",
  usage: `format [${FORMATS.join("|")}]`,
  doc: "--format on a line is for that line alone. Without a word: what it is now.",
  examples: [{ line: "format csv", what: "for a spreadsheet" }],
  arguments: [[...FORMATS]],
  *run(context) {
    yield;
    const { session, words } = context;
    const extra = tooMany(words, 1, format.usage);
    if (extra !== undefined) return extra;
    const wanted = words[0]?.text;
    if (wanted === undefined) return done({ output: lines("format", [session.format ?? "table"]) });
    if (!isFormat(wanted)) return fail(`'${wanted}' is no format`, `expected ${FORMATS.join(", ")}`);
    return done({ session: { ...session, format: wanted } });
  },
};

export const clear: ReplCommand = {
  id: "clear",
  summary: "clear the screen",
  group: "The shell",
  usage: "clear",
  doc: "As Ctrl-L does.",
  examples: [{ line: "clear", what: "an empty screen" }],
  arguments: [],
  *run(context) {
    yield;
    return tooMany(context.words, 0, clear.usage) ?? done({ act: { kind: "clear" } });
  },
};

export const quit: ReplCommand = {
  id: "quit",
  aliases: ["exit", "q"],
  summary: "leave",
  group: "The shell",
  usage: "quit",
  doc: "As Ctrl-D does.",
  examples: [{ line: "quit", what: "back to the shell" }],
  arguments: [],
  *run(context) {
    yield;
    return tooMany(context.words, 0, quit.usage) ?? done({ act: { kind: "quit" } });
  },
};
