// The shell without a terminal: commands from -c, a file or a pipe, one after the other, up to the first that fails. And at a terminal that has no
// cursor (TERM=dumb): a prompt and whole lines, which the terminal itself edits.
import { readAnywhere } from "../pipeline/_bytes.ts";
import { isWhole } from "../repl/line.ts";
import { beginsQuery } from "../repl/registry.ts";
import type { Outcome, Runner } from "./runner.ts";

/** A command that is longer was never meant as one. */
const LONGEST = 1 << 20;

/** Rows of standard input; a last row without its newline counts. */
async function* rowsOfInput(signal: AbortSignal): AsyncGenerator<string, void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of readAnywhere(0)) {
    if (signal.aborted) return;
    const rows = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = rows.pop()!;
    yield* rows;
    if (rest.length > LONGEST) rest = rest.slice(0, LONGEST);
  }
  if (rest !== "") yield rest;
}

/** Runs what comes through a pipe, as it comes. */
export async function runInput(runner: Runner, signal: AbortSignal): Promise<Outcome> {
  let part = "";
  for await (const row of rowsOfInput(signal)) {
    part = part === "" ? row : `${part}\n${row}`;
    if (!isWhole(part, beginsQuery)) continue;
    const outcome = await runner.runAll(part, signal);
    part = "";
    if (outcome !== "done") return outcome;
  }
  return part.trim() === "" ? "done" : runner.runAll(part, signal);
}

/** What Ctrl-C meets: a command that runs, or a line that is being typed, which the terminal then drops by itself. */
export interface Asking {
  running: AbortController | undefined;
  dropped: boolean;
}

/** Lines that the terminal edits; a mistake is told and the next is asked for. */
export async function askLines(
  runner: Runner,
  prompt: () => string,
  write: (text: string) => void,
  asking: Asking,
): Promise<void> {
  let part = "";
  const over = new AbortController();
  write(prompt());
  for await (const row of rowsOfInput(over.signal)) {
    if (asking.dropped) part = "";
    asking.dropped = false;
    part = part === "" ? row : `${part}\n${row}`;
    if (!isWhole(part, beginsQuery)) {
      write("... ");
      continue;
    }
    asking.running = new AbortController();
    const outcome = await runner.runAll(part, asking.running.signal);
    asking.running = undefined;
    part = "";
    if (outcome === "quit") return;
    write(prompt());
  }
  write("\n");
}
