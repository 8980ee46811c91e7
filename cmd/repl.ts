// tk repl: flags to plain options; the shell itself is in lib/repl (pure) and lib/shell (terminal, files, children).
import { Effect } from "effect";
import { Argument, Command, Flag } from "effect/cli";
import { maybe } from "./flags.ts";

export const repl = Command.make(
  "repl",
  {
    command: Flag.String("command").pipe(
      Flag.withAlias("c"),
      Flag.withMetavar("CMD"),
      Flag.withDescription("Run this command and leave; several run in their order. Status 1 at the first that fails"),
      Flag.atLeast(0),
    ),
    file: Flag.String("file").pipe(
      Flag.withAlias("f"),
      Flag.withMetavar("FILE"),
      Flag.withDescription("Run the commands of this file and leave; after those of -c"),
      Flag.atLeast(0),
    ),
    format: Flag.Literals("format", ["table", "json", "ndjson", "csv"]).pipe(
      Flag.withDescription("How output is written: table if omitted. NDJSON of events is again a recording"),
      Flag.optional,
    ),
    live: Flag.Boolean("live").pipe(
      Flag.withDescription(
        "Record the command that follows `--` and look at it while it runs; what it prints goes to a file",
      ),
      Flag.withDefault(false),
      Flag.withoutNegation,
    ),
    output: Flag.String("output").pipe(
      Flag.withAlias("o"),
      Flag.withMetavar("FILE"),
      Flag.withDescription("--live: keep the recording here"),
      Flag.optional,
    ),
    follow: Flag.Boolean("follow").pipe(
      Flag.withDescription("The recording is still being written: new events arrive while you look"),
      Flag.withDefault(false),
      Flag.withoutNegation,
    ),
    width: Flag.Int("width").pipe(
      Flag.withMetavar("COLUMNS"),
      Flag.withDescription("Scripts: fit tables into this many columns (no limit if omitted)"),
      Flag.optional,
    ),
    color: Flag.Literals("color", ["auto", "always", "never"]).pipe(
      Flag.withDescription("Colours; auto is a terminal without NO_COLOR"),
      Flag.withDefault("auto" as const),
    ),
    recordings: Argument.String("recording").pipe(
      Argument.withDescription(
        "What to look at; several are merged; `-` is standard input, keys then come from the terminal",
      ),
      Argument.variadic(),
    ),
  },
  (c) =>
    Effect.promise(() => import("./repl_run.ts")).pipe(
      Effect.flatMap((m) =>
        m.run({
          commands: c.command,
          files: c.file,
          format: maybe(c.format),
          live: c.live,
          output: maybe(c.output),
          follow: c.follow,
          width: maybe(c.width),
          color: c.color,
          recordings: c.recordings,
        }),
      ),
    ),
).pipe(
  Command.withDescription(
    "A shell for looking into a recording: queries, filters, the tree, a timeline, the critical path.\n\n" +
      "It answers while the recording is still being read or written. Type help, or ? after the beginning of a command.",
  ),
  Command.withShortDescription("Look into a recording interactively"),
  Command.withExamples([
    { command: "tk repl out.prof", description: "at a terminal" },
    { command: "tk repl out.prof -c 'procs where exit != 0'", description: "one question" },
    { command: "tk repl out.prof -c 'events where kind == exec' --format ndjson > execs.prof" },
    { command: "tk repl --live -- make -j4", description: "look while it runs" },
    { command: "zstdcat out.prof.zst | tk repl -" },
  ]),
);
