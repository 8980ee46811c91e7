// What `tk repl` does once its words are understood: the recording is opened behind the shell, and the shell runs at the terminal, from a
// script, or line by line where the terminal has no cursor.
import { Effect, type Scope } from "effect";
import { readFileSync } from "node:fs";
import { errorWords, type OutputError } from "../lib/host/out.ts";
import { printable } from "../lib/base/text.ts";
import { dieLike } from "../lib/host/signals.ts";
import { History } from "../lib/repl/history.ts";
import type { Format } from "../lib/repl/line.ts";
import { makePrompt } from "../lib/repl/prompt.ts";
import { interact } from "../lib/shell/interactive.ts";
import { type Live, startLive } from "../lib/shell/live.ts";
import type { SourceError } from "../lib/pipeline/source.ts";
import { keepIndexAfterwards } from "../lib/shell/keep_index.ts";
import { Opened } from "../lib/shell/opened.ts";
import { type Outcome, Runner } from "../lib/shell/runner.ts";
import { type Asking, askLines, runInput } from "../lib/shell/script.ts";
import { StateFiles } from "../lib/shell/state_files.ts";
import { recordingLines } from "../lib/traces/recording_lines.ts";
import { openTty, type Tty, type TtyError } from "../lib/tty/tty.ts";
import { EXIT } from "./exit.ts";
import { speaksUnicode, wantsColor } from "./screen.ts";
import { note } from "./tell.ts";
import { UsageError } from "./usage_error.ts";

export interface ReplOptions {
  readonly commands: readonly string[];
  readonly files: readonly string[];
  readonly format: Format | undefined;
  readonly live: boolean;
  readonly output: string | undefined;
  readonly follow: boolean;
  readonly width: number | undefined;
  readonly color: "auto" | "always" | "never";
  readonly recordings: readonly string[];
}

type ReplError = UsageError | TtyError | SourceError | OutputError;

export const run = (c: ReplOptions): Effect.Effect<void, ReplError> =>
  Effect.scoped(
    Effect.gen(function* () {
      if (c.live && c.recordings.length === 0)
        return yield* new UsageError("--live: expected the command to record", "tk repl --live -- make -j4");
      if (c.output !== undefined && !c.live)
        return yield* new UsageError("--output is for --live", "a file is written with > inside the shell");
      if (!c.live && c.recordings.length === 0)
        return yield* new UsageError("expected a recording", "tk repl out.prof, or tk repl --live -- make");
      const scripted = c.commands.length > 0 || c.files.length > 0;
      const fromInput = !c.live && c.recordings.includes("-");
      const atTerminal = !scripted && process.stdout.isTTY && (fromInput || process.stdin.isTTY);
      if (fromInput && !scripted && !process.stdout.isTTY)
        return yield* new UsageError(
          "commands and the recording cannot both come from standard input",
          "give commands with -c or -f",
        );
      const live = c.live ? yield* startLive(c.recordings, c.output) : undefined;
      const opened = new Opened({
        inputs: live === undefined ? c.recordings : [live.recording],
        follow: c.follow || live !== undefined,
        stream: atTerminal,
        unicode: speaksUnicode() || !process.stdout.isTTY,
        lines: (recording) => recordingLines(recording, recording.problems),
      });
      if (atTerminal && process.env["TERM"] !== "dumb") return yield* atScreen(c, opened, live);
      return yield* withoutScreen(c, opened, live, atTerminal);
    }),
  ).pipe(
    // A read of standard input that waits for what never comes would keep us: everything is closed, so we end.
    Effect.tap(() =>
      Effect.sync(() => c.recordings.includes("-") && dieLike({ how: "exited", code: Number(process.exitCode ?? 0) })),
    ),
  );

const atScreen = (
  c: ReplOptions,
  opened: Opened,
  live: Live | undefined,
): Effect.Effect<void, ReplError, Scope.Scope> =>
  Effect.gen(function* () {
    const tty = yield* openTty({ fullScreen: false });
    const color = wantsColor(c.color, true);
    const unicode = speaksUnicode();
    const tell = (sentence: string) => tty.write(`${printable(sentence, unicode)}\r\n`);
    const state = new StateFiles(tell);
    const history = new History(state.history());
    const runner = new Runner({
      opened,
      state,
      history,
      format: c.format,
      unicode,
      color,
      width: () => tty.columns,
      lender: lenderOf(tty),
      tell,
      clear: () => tty.write("\x1b[H\x1b[2J"),
    });
    // A first look at the terminal comes before the first byte of the recording.
    const shell = interact({ tty, opened, runner, history, state, unicode, color, staying: () => live?.staying() });
    yield* Effect.forkScoped(opened.load());
    yield* Effect.promise(() => shell);
    state.trimHistory();
    if (opened.failure !== undefined) return yield* Effect.fail(opened.failure);
  });

function lenderOf(tty: Tty) {
  return {
    leave: () => tty.lend(),
    enter: () => tty.enter(),
    get rows() {
      return tty.rows;
    },
  };
}

const withoutScreen = (
  c: ReplOptions,
  opened: Opened,
  live: Live | undefined,
  atTerminal: boolean,
): Effect.Effect<void, ReplError, Scope.Scope> =>
  Effect.gen(function* () {
    const state = new StateFiles(note);
    const history = new History(atTerminal ? state.history() : []);
    const unicode = speaksUnicode() || !process.stdout.isTTY;
    const columns = c.width ?? (process.stdout.isTTY ? process.stdout.columns : 0);
    const runner = new Runner({
      opened,
      state,
      history,
      format: c.format,
      unicode,
      color: wantsColor(c.color, false),
      width: () => (columns > 0 ? columns : Infinity),
      lender: undefined,
      tell: note,
      clear: () => {},
    });
    yield* Effect.forkScoped(opened.load());
    if (live !== undefined) yield* Effect.promise(() => live.ended);
    if (atTerminal) return yield* Effect.promise(() => atDumbTerminal(runner, opened, unicode));
    const outcome = yield* Effect.promise((signal) => scripts(c, runner, signal));
    if (outcome === "failed") process.exitCode = EXIT.failed;
    if (live === undefined && !runner.readerGone)
      yield* Effect.promise((signal) => keepIndexAfterwards(opened, signal));
  });

async function scripts(c: ReplOptions, runner: Runner, signal: AbortSignal): Promise<Outcome> {
  for (const command of c.commands) {
    const outcome = await runner.runAll(command, signal);
    if (outcome !== "done") return outcome;
  }
  for (const file of c.files) {
    let text: string;
    try {
      text = readFileSync(file === "-" ? 0 : file, "utf8");
    } catch (error) {
      note(`cannot read '${file}': ${errorWords(error)}`);
      return "failed";
    }
    const outcome = await runner.runAll(text, signal);
    if (outcome !== "done") return outcome;
  }
  return c.commands.length > 0 || c.files.length > 0 ? "done" : runInput(runner, signal);
}

async function atDumbTerminal(runner: Runner, opened: Opened, unicode: boolean): Promise<void> {
  const asking: Asking = { running: undefined, dropped: false };
  const write = (text: string) => void process.stdout.write(text);
  const prompt = () =>
    makePrompt(
      { book: opened.lastBook, session: runner.session, loading: opened.loading, growing: opened.growing },
      80,
      unicode,
    )
      .map((s) => s.text)
      .join("");
  const stop = () => {
    if (asking.running !== undefined) return asking.running.abort();
    asking.dropped = true;
    write("\n" + prompt());
  };
  process.on("SIGINT", stop);
  try {
    await askLines(runner, prompt, write, asking);
  } finally {
    process.off("SIGINT", stop);
  }
}
