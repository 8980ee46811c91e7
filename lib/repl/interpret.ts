// From a line to a reply: finds the command, or says which one was probably meant. `procs where ?` says what may stand there.
import { err, ok, type Result } from "neverthrow";
import { nearest } from "../base/nearest.ts";
import { STAGES } from "../query/parser.ts";
import { asQuery, beginsCondition, isField, tableOf } from "./bare_condition.ts";
import type { Book } from "./book.ts";
import type { CommandError, Context, Reply } from "./command.ts";
import { completeLine } from "./complete.ts";
import { show } from "./commands/show.ts";
import { runText } from "./commands/views.ts";
import { type Line, parseLine, splitWords } from "./line.ts";
import { pairsOutput } from "./output.ts";
import { beginsQuery, commands } from "./registry.ts";
import type { Session } from "./session.ts";

export interface Setting {
  readonly book: Book;
  readonly session: Session;
  readonly unicode: boolean;
  readonly width: number;
}

export interface Interpreted {
  readonly line: Line;
  readonly reply: Reply;
}

/** Several commands of one text: rows that are whole by themselves. */
export function splitCommands(text: string, isWhole: (part: string) => boolean): string[] {
  const out: string[] = [];
  let part = "";
  for (const row of text.split("\n")) {
    part = part === "" ? row : `${part}\n${row}`;
    if (!isWhole(part)) {
      part = part.replace(/\\$/, " ");
      continue;
    }
    out.push(part);
    part = "";
  }
  if (part.trim() !== "") out.push(part);
  return out;
}

export function* interpret(typed: string, setting: Setting): Generator<void, Result<Interpreted, CommandError>> {
  const parsed = parseLine(typed.replace(/^\s*!\s*/, "shell "), beginsQuery);
  if (parsed.isErr()) return err({ message: parsed.error });
  const line = parsed.value;
  if (line.body.trim() === "" && (line.pipe !== undefined || line.file !== undefined))
    return err({ message: "expected a command before | or >" });
  if (line.asks) return ok({ line, reply: asked(line.body, setting) });
  const reply = yield* run(line.body, typed, setting);
  return reply.map((value) => ({ line, reply: value }));
}

function* run(body: string, typed: string, setting: Setting): Generator<void, Result<Reply, CommandError>> {
  const [first, ...words] = splitWords(body);
  if (first === undefined) return ok({});
  const text = body.slice(first.at + first.length).trim();
  const context: Context = { ...setting, words, text };
  const { session } = setting;
  const found = commands.find(first.text);
  const whole = body.trim();
  // `exit` leaves, but it is a field too.
  if (found.isOk() && (found.value.speaksQuery === true || !beginsCondition(whole, true))) {
    // What the system's shell is to run is not ours to cut.
    if (found.value.id === "shell")
      return yield* found.value.run({ ...context, text: typed.replace(/^\s*(!|shell\b)\s*/, "") });
    return yield* found.value.run(context);
  }
  if (STAGES.has(first.text)) return yield* runText(context, whole);
  // A handle alone: everything about it.
  if (words.length === 0 && /^[pe]\d+$/.test(first.text))
    return yield* show.run({ ...context, words: [first], text: first.text });
  if (beginsCondition(whole, found.isOk())) {
    const query = asQuery(whole);
    return yield* runText({ ...context, session: { ...session, table: tableOf(query) } }, query);
  }
  const lower = first.text.toLowerCase();
  const names = [...commands.names(), ...STAGES.keys()].filter((name) => name.length > 1);
  const near = names.includes(lower) ? [lower] : nearest(lower, names);
  return err({
    message: `there is no command '${first.text}'`,
    hint: isField(first.text)
      ? `${first.text} is a field: procs where ... lists rows, help fields says what there is`
      : near.length > 0
        ? `did you mean ${near.join(" or ")}?`
        : "help lists the commands",
  });
}

function asked(body: string, { book, session }: Setting): Reply {
  const [first] = splitWords(body);
  const { candidates } = completeLine(body, body.length, { book, session, files: () => [] });
  const rows = candidates.map((c) => [c.text, c.summary ?? ""] as const);
  const command = first === undefined ? undefined : commands.find(first.text).unwrapOr(undefined);
  const lead = command === undefined ? [] : [command.usage, command.summary];
  if (rows.length === 0 && command === undefined)
    return { output: pairsOutput("candidates", [`nothing that begins with '${body.trim()}'`], []) };
  return { output: pairsOutput("candidates", lead, rows) };
}
