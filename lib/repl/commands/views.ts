// The tables, as commands: each is a query of the language, limited to what is in force. A stage without a table (`where exit != 0`,
// `top 10 by wall`) goes on from the table that was looked at last.
import { err } from "neverthrow";
import { compileQuery } from "../../query/check_query.ts";
import { TABLE_SUMMARIES, type TableName } from "../../query/fields.ts";
import { errorSentence, explainError } from "../../query/query_error.ts";
import { runQuery } from "../../query/run.ts";
import type { Context, Example, ReplCommand } from "../command.ts";
import { answer } from "../output.ts";
import { done, type Ran } from "./_shared.ts";

/** Runs a query of the language on what remains. */
export function* runText(context: Context, text: string): Generator<void, Ran> {
  const { book, session } = context;
  const plan = compileQuery(text, { table: session.table });
  if (plan.isErr())
    return err({
      message: errorSentence(plan.error),
      details: explainError(text, plan.error).slice(0, 2),
      ...hintOf(plan.error),
    });
  const { table } = plan.value;
  const result = yield* runQuery(plan.value, book.world, book.remaining(table, session));
  const rows = result.of === "events" && result.rows !== undefined ? result.rows : undefined;
  return done({ output: answer(result, rows), session: { ...session, table } });
}

const hintOf = ({ hint }: { readonly hint?: string }) => (hint === undefined ? {} : { hint });

function view(id: TableName, doc: string, examples: readonly Example[]): ReplCommand {
  return {
    id,
    summary: TABLE_SUMMARIES[id],
    group: "Looking",
    usage: `${id} [where CONDITION] [| STAGE]...`,
    doc,
    examples,
    arguments: ["query"],
    speaksQuery: true,
    *run(context) {
      const blank = context.text.trim() === "";
      return yield* runText(context, blank ? id : `${id} ${context.text}`);
    },
  };
}

export const procs = view(
  "procs",
  "The first column is the handle (p12) that every command takes. help fields lists what can be asked for.",
  [
    { line: "procs where wall > 100ms | sort -wall | top 10", what: "the ten longest" },
    { line: "procs where failed", what: "what ended badly" },
    {
      line: "procs group started_by | agg n = count(), total = sum(wall) | sort -total | top 10",
      what: "by the script line that started them",
    },
    { line: "procs group exe | agg n = count(), total = sum(wall) | sort -total | top 10", what: "by program" },
  ],
);

export const events = view("events", "NDJSON of events (> file.ndjson, > file.prof) is a recording again.", [
  { line: "events where kind == exec_failed | top 5", what: "failed execs" },
  { line: "events where kind == exec > execs.prof", what: "a recording of the execs alone" },
]);

export const images = view("images", "A process that called exec twice has two images.", [
  { line: "images where wall > 50ms | sort -wall | top 10", what: "the longest runs of one program" },
]);

export const linesView = view(
  "lines",
  "Empty unless lines were recorded (tk record --lines). A line is told function by function and thread by thread; hot lines adds up.",
  [
    { line: "lines | top 20 by self", what: "the lines that cost most" },
    { line: 'lines where file like "*configure" | sort -self | top 10', what: "those of one script" },
  ],
);

export const reports = view("reports", "What tk exec told of the processes that it started.", [
  { line: "reports where operation == heartbeat | top 5", what: "heartbeats" },
]);
