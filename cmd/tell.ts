// What a verb says on stderr besides its result: problems in the input, notes.
import { printable } from "../lib/base/text.ts";
import { formatProblem, type Problems } from "../lib/model/problem.ts";
import { EXIT, say } from "./exit.ts";

/** A sentence that the user should know; the work goes on. */
export function note(sentence: string): void {
  say(`tk: ${printable(sentence)}`);
}

/** Prints the kept problems and how many more there were; the status to end with. */
export function tellProblems(problems: Problems, strict: boolean): number {
  for (const problem of problems.kept) note(formatProblem(problem));
  const more = problems.total - problems.kept.length;
  if (more > 0) {
    const kinds = [...problems.counts].map(([code, n]) => `${n} ${code}`).join(", ");
    note(`and ${more} more problems (in all: ${kinds})`);
  }
  return strict && problems.total > 0 ? EXIT.badData : EXIT.ok;
}
