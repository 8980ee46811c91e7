// Runs one typed command: waits for the recording, interprets, writes what came of it to where the line says, does what has to be done out
// here. The same for keys, scripts and -c.
import { Effect } from "effect";
import { readFileSync } from "node:fs";
import { errorWords, OutputError } from "../host/out.ts";
import { nearest } from "../base/nearest.ts";
import { printable } from "../base/text.ts";
import { align, Keys, makeSide } from "../diff/align.ts";
import { compare } from "../diff/compare.ts";
import { diffReport } from "../diff/diff_report.ts";
import { formatProblem } from "../model/problem.ts";
import { STAGES } from "../query/parser.ts";
import { markFitted } from "../query/query_error.ts";
import { readRecording } from "../pipeline/read.ts";
import { SourceError } from "../pipeline/source.ts";
import { Interrupted, makeTurn, type Turn } from "../pipeline/turn.ts";
import type { Book } from "../repl/book.ts";
import type { CommandError, Reply } from "../repl/command.ts";
import type { History } from "../repl/history.ts";
import { type Interpreted, interpret, splitCommands } from "../repl/interpret.ts";
import { formatOfFile, isWhole, type Line } from "../repl/line.ts";
import { lines, machine, makeView, type Output, tables } from "../repl/output.ts";
import { beginsQuery } from "../repl/registry.ts";
import { makeSession, type Session } from "../repl/session.ts";
import type { Format } from "../repl/line.ts";
import type { Opened } from "./opened.ts";
import { type Lender, Outlet, type Pieces } from "./outlet.ts";
import type { StateFiles } from "./state_files.ts";
import { giveFile, linesOf, placeWords, runFor, runHere, runShell } from "./tk_again.ts";

export interface RunnerOptions {
  readonly opened: Opened;
  readonly state: StateFiles;
  readonly history: History;
  readonly format: Format | undefined;
  readonly unicode: boolean;
  readonly color: boolean;
  /** Columns for people; Infinity where the output is no terminal. */
  readonly width: () => number;
  readonly lender: Lender | undefined;
  /** A sentence on the side: stderr of a script, a line of the terminal. */
  readonly tell: (sentence: string) => void;
  readonly clear: () => void;
}

export type Outcome = "done" | "failed" | "quit" | "interrupted";

/** A file of commands may name another, but not without end. */
const MOST_NESTED = 10;

export class Runner {
  session: Session;
  private readonly options: RunnerOptions;
  private readonly outlet: Outlet;
  private nested = 0;
  private toldProblems = false;

  constructor(options: RunnerOptions) {
    this.options = options;
    this.session = makeSession(options.state.filters(), options.format);
    this.outlet = new Outlet({ turn: makeTurn(), lender: options.lender, tell: options.tell });
  }

  /** Nobody reads what is written any more. */
  get readerGone(): boolean {
    return this.outlet.readerGone;
  }

  /** All commands of a text, up to the first that fails. */
  async runAll(text: string, signal: AbortSignal): Promise<Outcome> {
    for (const part of splitCommands(text, (p) => isWhole(p, beginsQuery))) {
      if (part.trim() === "") continue;
      const outcome = await this.run(part, signal);
      if (outcome !== "done") return outcome;
    }
    return "done";
  }

  async run(typed: string, signal: AbortSignal): Promise<Outcome> {
    const turn = makeTurn(signal);
    try {
      const book = await this.ready(signal);
      if (book === undefined) return "failed";
      const { unicode } = this.options;
      const steps = interpret(typed, { book, session: this.session, unicode, width: this.options.width() });
      const found = await drive(steps, turn);
      if (found.isErr()) {
        this.complain(found.error);
        return "failed";
      }
      return await this.reply(found.value, book, turn, signal);
    } catch (error) {
      if (error instanceof Interrupted) return "interrupted";
      if (error instanceof OutputError || error instanceof SourceError) {
        this.complain({ message: error.message, ...(error.hint === undefined ? {} : { hint: error.hint }) });
        return "failed";
      }
      throw error;
    }
  }

  /** The book, once there is one. */
  private async ready(signal: AbortSignal): Promise<Book | undefined> {
    const { opened, tell } = this.options;
    await Promise.race([opened.settled, aborted(signal)]);
    if (signal.aborted) throw new Interrupted("Interrupted");
    if (opened.failure !== undefined) {
      const { failure } = opened;
      const message = failure.message;
      this.complain({
        message,
        ...(failure instanceof SourceError && failure.hint !== undefined ? { hint: failure.hint } : {}),
      });
      return undefined;
    }
    const book = opened.current();
    this.tellProblems();
    for (const sentence of opened.news.splice(0)) tell(sentence);
    return book;
  }

  private tellProblems(): void {
    const { opened, tell } = this.options;
    const { problems } = opened;
    if (this.toldProblems || problems === undefined || problems.total === 0) return;
    this.toldProblems = true;
    for (const problem of problems.kept.slice(0, 5)) tell(formatProblem(problem));
    if (problems.total > 5)
      tell(`and ${problems.total - Math.min(5, problems.kept.length)} more problems in the recording`);
  }

  private complain(error: CommandError): void {
    const { tell, unicode } = this.options;
    // The last of the details is the sentence itself.
    const details = error.details ?? [];
    if (details.length >= 2) for (const line of markFitted(details[0]!, details[1]!, this.options.width())) tell(line);
    tell(printable(error.message, unicode));
    if (error.hint !== undefined) tell(`    ${printable(error.hint, unicode)}`);
  }

  private async reply({ line, reply }: Interpreted, book: Book, turn: Turn, signal: AbortSignal): Promise<Outcome> {
    if (reply.output !== undefined && !(await this.write(this.pieces(reply.output, line, book), line, turn)))
      return "failed";
    // Only a command that came to its end moves anything.
    if (reply.session !== undefined) this.session = reply.session;
    if (reply.note !== undefined) this.options.tell(reply.note);
    return reply.act === undefined ? "done" : await this.act(reply.act, line, book, turn, signal);
  }

  private formatOf(line: Line): Format {
    return (
      line.format ?? (line.file === undefined ? undefined : formatOfFile(line.file)) ?? this.session.format ?? "table"
    );
  }

  private pieces(output: Output, line: Line, book: Book): Pieces {
    const format = this.formatOf(line);
    const { unicode, color, width } = this.options;
    if (format !== "table") {
      // A file that is called a recording gets what makes it one: header, sources and end.
      const whole = line.file !== undefined && /\.prof(\.\w+)?$/.test(line.file);
      return machine(output, format, (rows) => linesOf(book, whole ? recordingOf(book, rows) : book.withParts(rows)));
    }
    const toFile = line.file !== undefined || line.pipe !== undefined;
    return output.text(makeView(toFile ? Infinity : width(), color && !toFile, unicode));
  }

  /** False when it could not be written where it was to go. */
  private async write(pieces: Pieces, line: Line, turn: Turn): Promise<boolean> {
    if (line.file !== undefined) await this.outlet.save(line.file, pieces, turn);
    else if (line.pipe !== undefined) {
      const status = await this.outlet.pipe(line.pipe, pieces, turn);
      // 126 and 127: there is no such command. Every other status is the command's own affair (grep that found nothing).
      if (status !== 126 && status !== 127) return true;
      const [name = ""] = line.pipe.split(/\s/);
      const near = nearest(name, [...STAGES.keys()]);
      this.complain({
        message: `the command '${name}' cannot be run`,
        ...(near.length > 0 ? { hint: `did you mean the stage ${near.join(" or ")}?` } : {}),
      });
      return false;
    } else await this.outlet.show(pieces, turn);
    return true;
  }

  private async act(
    act: NonNullable<Reply["act"]>,
    line: Line,
    book: Book,
    turn: Turn,
    signal: AbortSignal,
  ): Promise<Outcome> {
    const { state, lender, history, clear } = this.options;
    switch (act.kind) {
      case "quit":
        return "quit";
      case "clear":
        clear();
        return "done";
      case "save-filters":
        state.saveFilters(this.session.saved);
        return "done";
      case "history": {
        const all = Array.from({ length: history.length }, (_, i) => history.at(i)!).filter((l) =>
          l.includes(act.part),
        );
        await this.write(
          this.pieces(
            lines(
              "history",
              all.map((l) => printable(l.replaceAll("\n", " "))),
            ),
            line,
            book,
          ),
          line,
          turn,
        );
        return "done";
      }
      case "shell":
        return (await runShell(act.line, lender)) === 0 || lender !== undefined ? "done" : "failed";
      case "source":
        return await this.source(act.file, signal);
      case "diff":
        await this.diff(act.files, line, book, turn);
        return "done";
      case "tk":
        return await this.tkAgain(act.words, line, book, turn);
    }
  }

  private async source(file: string, signal: AbortSignal): Promise<Outcome> {
    if (this.nested >= MOST_NESTED) {
      this.complain({ message: `'${file}' names files that name one another` });
      return "failed";
    }
    let text: string;
    try {
      text = readFileSync(file, "utf8");
    } catch (error) {
      this.complain({ message: `cannot read '${file}': ${errorWords(error)}` });
      return "failed";
    }
    this.nested++;
    try {
      return await this.runAll(text, signal);
    } finally {
      this.nested--;
    }
  }

  private async diff(files: readonly string[], line: Line, book: Book, turn: Turn): Promise<void> {
    const { unicode, tell } = this.options;
    const machineFormat = this.formatOf(line) !== "table";
    const make = Effect.scoped(
      Effect.gen(function* () {
        const others = yield* Effect.forEach(files, (file) => readRecording(file));
        yield* Effect.promise(turn);
        for (const { problems } of others)
          for (const problem of problems.kept.slice(0, 3)) tell(formatProblem(problem));
        const keys = new Keys();
        const aligned = align(
          [book.recording, ...others].map((recording) => makeSide(recording, keys)),
          keys,
        );
        const comparison = compare(aligned, 1, { least: 5e6, leastPart: 0.02 });
        return diffReport(comparison, {
          unicode,
          full: machineFormat,
          limit: machineFormat ? Infinity : 30,
          base: book.recording.name,
          fresh: files.length === 1 ? files[0]! : `${files[0]} and ${files.length - 1} more`,
        });
      }),
    );
    const report = await Effect.runPromise(Effect.result(make));
    if (report._tag === "Failure") throw report.failure;
    await this.write(this.pieces(tables(report.success), line, book), line, turn);
  }

  private async tkAgain(words: readonly string[], line: Line, book: Book, turn: Turn): Promise<Outcome> {
    const { lender, opened, color, width } = this.options;
    const [verb = "render", ...rest] = words;
    const given = await giveFile(book, this.session, opened.file, turn);
    try {
      const has = (...names: string[]) => rest.some((w) => names.some((n) => w === n || w.startsWith(`${n}=`)));
      const extra: string[] = [];
      if (verb === "render" && !rest.some((w) => w.startsWith("-d")) && !has("--display-mode"))
        extra.push("-d", "tree");
      if (verb === "analyse" && line.format !== undefined && !has("--format")) extra.push("--format", line.format);
      if (verb === "replay" && !has("--at", "--from", "--follow", "-f"))
        extra.push(...placeWords(book, this.session, given));
      const toScreen = line.file === undefined && line.pipe === undefined;
      if (verb === "replay" && toScreen && lender !== undefined)
        return (await runHere([verb, ...extra, ...rest, given.path], lender)) === 0 ? "done" : "failed";
      if (toScreen && lender !== undefined && verb !== "replay") {
        if (!has("--width") && Number.isFinite(width())) extra.push("--width", String(width()));
        if (!has("--color")) extra.push("--color", color ? "always" : "never");
      }
      let status = 0;
      await this.write(
        runFor([verb, ...extra, ...rest, given.path], (s) => (status = s)),
        line,
        turn,
      );
      return status === 0 ? "done" : "failed";
    } finally {
      given.release();
    }
  }
}

function recordingOf(book: Book, rows: Int32Array): Int32Array {
  const wanted = new Uint8Array(book.recording.events.length);
  for (const row of rows) wanted[row] = 1;
  return book.asRecording((row) => wanted[row] === 1);
}

const SLICE = 8;

/** Runs the steps, and looks for Ctrl-C every few milliseconds. */
async function drive<T>(steps: Generator<void, T>, turn: Turn): Promise<T> {
  let last = performance.now();
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    if (performance.now() - last < SLICE) continue;
    await turn();
    last = performance.now();
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resume) => {
    if (signal.aborted) resume();
    else signal.addEventListener("abort", () => resume(), { once: true });
  });
}
