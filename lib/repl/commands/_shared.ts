// What several commands need: failing with a sentence, numbers and processes among their words.
import { err, ok, type Result } from "neverthrow";
import { ABSENT } from "../../model/ids.ts";
import type { CommandError, Context, Reply } from "../command.ts";
import { lifeOf } from "../places.ts";
import type { Word } from "../line.ts";

export type Ran = Result<Reply, CommandError>;

export function fail(message: string, hint?: string): Result<never, CommandError> {
  return err(hint === undefined ? { message } : { message, hint });
}

export const done = (reply: Reply): Ran => ok(reply);

/** The words without a whole number among them, and that number. */
export function takeCount(
  words: readonly Word[],
  usual: number,
): { readonly count: number; readonly rest: readonly Word[] } {
  const at = words.findIndex((w) => /^\d{1,9}$/.test(w.text) && !w.quoted);
  if (at < 0) return { count: usual, rest: words };
  const count = Number(words[at]!.text);
  return { count: count === 0 ? Infinity : count, rest: words.filter((_, i) => i !== at) };
}

/** The process that the first word names, else that of the position: the event at hand, or the process that was entered. */
export function processAt(context: Context, word: Word | undefined): Result<number, CommandError> {
  const { book, session } = context;
  if (word !== undefined) return lifeOf(word.text, book, session);
  const { row, life } = session.position;
  if (row >= 0 && book.processes.owner[row]! >= 0) return ok(book.processes.owner[row]!);
  if (life !== ABSENT) return ok(life);
  const { roots } = book.tree;
  return roots.length === 0 ? fail("there is no process in this recording") : ok(roots[0]!);
}

/** Refuses words that a command has no use for. */
export function tooMany(words: readonly Word[], most: number, usage: string): Result<never, CommandError> | undefined {
  return words.length > most ? fail(`'${words[most]!.text}' is one word too many`, `usage: ${usage}`) : undefined;
}
