// How a run of tk ends: any failure becomes one sentence, a hint and a status. The statuses are part of the
// interface and documented in docs/exit-status.md.
import { writeSync } from "node:fs";
import { printable } from "../lib/base/text.ts";

export const EXIT = {
  ok: 0,
  /** Could not do what was asked: a file, the disk, the data as a whole. */
  failed: 1,
  /** The command line was not understood. */
  usage: 2,
  /** With --strict: the work was done, but some of the input was bad. */
  badData: 3,
  /** `diff --fail-over`: slower by more than was allowed. */
  slower: 4,
  /** `record`: tk itself failed before the command was started. */
  recorderFailed: 125,
  notExecutable: 126,
  notFound: 127,
} as const;

/** What an error of ours may carry; every part is optional. */
interface Told {
  /** Lines that explain it, told first; safe to print as they are. */
  readonly details?: unknown;
  readonly message?: unknown;
  readonly hint?: unknown;
  readonly exitStatus?: unknown;
}

/** Writes to stderr at once; a stderr that is gone is nobody's problem. */
export function say(sentence: string): void {
  try {
    writeSync(2, sentence + "\n");
  } catch {
    // Nobody is listening.
  }
}

/** Tells the user about an expected failure and returns the status to end with. */
export function tellFailure(error: unknown): number {
  const told = (typeof error === "object" && error !== null ? error : { message: String(error) }) as Told;
  const message = typeof told.message === "string" && told.message !== "" ? told.message : String(error);
  if (Array.isArray(told.details)) for (const line of told.details) say(String(line));
  say(`tk: ${printable(message)}`);
  if (typeof told.hint === "string" && told.hint !== "") say(`    ${printable(told.hint)}`);
  return typeof told.exitStatus === "number" ? told.exitStatus : EXIT.failed;
}

/** Tells the user about a fault of ours. */
export function tellBug(error: unknown): number {
  say(`tk: this is a bug in tk, please report it with the command line that led here`);
  say(error instanceof Error ? (error.stack ?? String(error)) : String(error));
  return EXIT.failed;
}
