// Something wrong in the data: it is noted with its place, the rest is kept, and the run goes on.

export type ProblemCode =
  | "not-json" // the line is not a JSON object
  | "cut" // the last line has no end
  | "shape" // a known tag with a field that is missing or of the wrong type
  | "number" // a number beyond 2^53, or not whole
  | "too-long" // a line over the limit
  | "orphan-args" // ExecArgs or ExecFilename without its Exec
  | "clock" // time runs backwards where it must not
  | "raw" // a backend's own message or a raw line that is none of its kinds
  | "empty" // there is no event at all
  | "compressed" // the compressed stream is cut or corrupt
  | "block"; // a block of executed lines that cannot be understood whole

export interface Problem {
  readonly code: ProblemCode;
  /** File name as the user gave it, or `stdin`. */
  readonly source: string;
  /** From 1; 0 where there is no line. */
  readonly line: number;
  /** What was wrong and what was expected; starts lower case, no final period. Holds no unescaped input. */
  readonly message: string;
}

/** All problems are counted, the first of them are kept. */
export class Problems {
  readonly kept: Problem[] = [];
  readonly counts = new Map<ProblemCode, number>();
  readonly limit: number;
  total = 0;

  constructor(limit = 20) {
    this.limit = limit;
  }

  add(problem: Problem): void {
    this.total++;
    this.counts.set(problem.code, (this.counts.get(problem.code) ?? 0) + 1);
    if (this.kept.length < this.limit) this.kept.push(problem);
  }

  /** Adds what another collection holds. */
  takeOver(other: Problems): void {
    this.total += other.total;
    for (const [code, n] of other.counts) this.counts.set(code, (this.counts.get(code) ?? 0) + n);
    for (const problem of other.kept) if (this.kept.length < this.limit) this.kept.push(problem);
  }
}

/** `file:line: what was wrong`. */
export function formatProblem(p: Problem): string {
  return p.line > 0 ? `${p.source}:${p.line}: ${p.message}` : `${p.source}: ${p.message}`;
}
