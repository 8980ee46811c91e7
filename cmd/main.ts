// From words to an exit status. Alone decides how the process ends; verbs set `process.exitCode` or fail with an error
// that says what happened and what to do.
import { Cause, Effect, Exit } from "effect";
import { CliError } from "effect/cli";
import { EXIT, tellBug, tellFailure } from "./exit.ts";
import { runWords } from "./parse.ts";
import { normaliseWords } from "./words.ts";

export async function main(words: readonly string[]): Promise<void> {
  const exit = await Effect.runPromiseExit(runWords(normaliseWords(words)));
  if (Exit.isSuccess(exit)) return;
  process.exitCode = statusOf(exit.cause);
}

function statusOf(cause: Cause.Cause<unknown>): number {
  if (Cause.hasInterruptsOnly(cause)) return EXIT.failed;
  if (Cause.hasDies(cause)) return tellBug(Cause.squash(cause));
  const error = Cause.squash(cause);
  if (CliError.isCliError(error)) return error._tag === "ShowHelp" && error.errors.length === 0 ? EXIT.ok : EXIT.usage;
  return tellFailure(error);
}
