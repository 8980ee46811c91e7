// From words to an exit status. Alone decides how the process ends; verbs set `process.exitCode` or fail with an error
// that says what happened and what to do.
import { Cause, Effect, Exit, Fiber } from "effect";
import { CliError } from "effect/cli";
import { EXIT, tellBug, tellFailure } from "./exit.ts";
import { runWords } from "./parse.ts";
import { VERBS } from "./root.ts";
import { normaliseWords } from "./words.ts";

/** Verbs that deal with signals themselves, because a command of the user's is running. */
const OWN_SIGNALS: ReadonlySet<string | undefined> = new Set(["record"]);
/** In a shell at a terminal Ctrl-C stops what runs, not the shell. */
const OWN_INTERRUPT: ReadonlySet<string | undefined> = new Set(["repl"]);

export async function main(words: readonly string[]): Promise<void> {
  const normalised = normaliseWords(words, VERBS);
  const fiber = Effect.runFork(runWords(normalised));
  let signal: NodeJS.Signals | undefined;
  const SIGNALS = OWN_SIGNALS.has(normalised[0]) ? [] : (["SIGINT", "SIGTERM", "SIGHUP"] as const);
  const onSignal = (name: NodeJS.Signals) => {
    if (name === "SIGINT" && OWN_INTERRUPT.has(normalised[0]) && process.listenerCount(name) > 1) return;
    signal = name;
    for (const each of SIGNALS) process.off(each, onSignal);
    Effect.runFork(Fiber.interrupt(fiber));
  };
  for (const name of SIGNALS) process.on(name, onSignal);
  const exit = await Effect.runPromise(Fiber.await(fiber));
  // Temporary files are gone: end as the signal would have ended us.
  if (signal !== undefined) process.kill(process.pid, signal);
  else if (Exit.isFailure(exit)) process.exitCode = statusOf(exit.cause);
}

function statusOf(cause: Cause.Cause<unknown>): number {
  const error = Cause.squash(cause);
  if (Cause.hasDies(cause)) return tellBug(error);
  if (CliError.isCliError(error)) return error._tag === "ShowHelp" && error.errors.length === 0 ? EXIT.ok : EXIT.usage;
  return tellFailure(error);
}
