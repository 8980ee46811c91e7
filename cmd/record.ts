// tk record: flags to plain options, one call into lib/capture.
import { Effect, Option } from "effect";
import { Argument, Command, Flag } from "effect/cli";
import { maybe, output, parseSize, wholeNumber } from "./flags.ts";

export const record = Command.make(
  "record",
  {
    output,
    backend: Flag.Literals("backend", ["auto", "ptrace", "bpftrace"]).pipe(
      Flag.withDescription(
        "How to record: ptrace needs no privileges, bpftrace needs root; auto (the default) takes ptrace where it works",
      ),
      Flag.withDefault("auto" as const),
    ),
    mode: Flag.Literals("mode", ["events", "complete"]).pipe(
      Flag.withDescription(
        "ptrace: `events` (the default) records fork, exec and exit and lets the command live on if tk is killed; `complete` adds failed execs, setpgid and setsid, and ends the command's processes if tk is killed",
      ),
      Flag.withDefault("events" as const),
    ),
    until: Flag.Literals("until", ["tree", "root"]).pipe(
      Flag.withDescription(
        "Record until the whole process tree has ended (the default), or only until the command itself has",
      ),
      Flag.withDefault("tree" as const),
    ),
    raw: Flag.Boolean("raw").pipe(
      Flag.withAlias("r"),
      Flag.withDescription("Record with bpftrace and write its own lines for the whole system; see `tk ingest`"),
      Flag.withDefault(false),
      Flag.withoutNegation,
    ),
    bpftracePath: Flag.String("bpftrace-path").pipe(
      Flag.withAlias("b"),
      Flag.withMetavar("PATH"),
      Flag.withDescription("The bpftrace to run, when root does not have it in its PATH"),
      Flag.optional,
    ),
    report: Flag.String("report").pipe(
      Flag.withMetavar("WHAT"),
      Flag.withDescription(
        "ptrace: put reports about the command itself into the recording, as `tk exec` makes them: exec, heartbeat, heartbeat=TIME, or several with commas",
      ),
      Flag.optional,
    ),
    lines: Flag.String("lines").pipe(
      Flag.withMetavar("SELECTION"),
      Flag.withDescription(
        "ptrace: also record the lines that Python and Bash execute, in the whole process tree. Without a value everything outside the standard library and site-packages; else packages or paths with commas: --lines=mypkg,./src",
      ),
      Flag.withOptionalValue(""),
      Flag.optional,
    ),
    linesEngine: Flag.Literals("lines-engine", ["exact", "fast"]).pipe(
      Flag.withDescription(
        "How Python's lines are recorded: `exact` (the default) by the interpreter's own events, `fast` by rewriting the selected modules when they are imported",
      ),
      Flag.withDefault("exact" as const),
    ),
    spool: Flag.String("spool").pipe(
      Flag.withMetavar("DIR"),
      Flag.withDescription(
        "Record only when DIR exists, into DIR/YYMMDD-HHMMSS/COMMAND.prof; else run the command as if tk were not there. DIR/latest points to the newest run",
      ),
      Flag.optional,
    ),
    spoolRuns: wholeNumber("spool-runs", 1).pipe(
      Flag.withDescription("How many runs --spool keeps, the new one among them (10)"),
      Flag.withDefault(10),
    ),
    spoolSize: Flag.String("spool-size").pipe(
      Flag.filterMap(
        (text) => Option.fromNullishOr(parseSize(text)),
        () => "a size such as 512M or 2GiB",
      ),
      Flag.withDescription("How much all runs of --spool may take before the oldest go (1 GiB)"),
      Flag.withDefault(1 << 30),
    ),
    quiet: Flag.Boolean("quiet").pipe(
      Flag.withAlias("q"),
      Flag.withDescription("Do not print the summary line at the end"),
      Flag.withDefault(false),
      Flag.withoutNegation,
    ),
    debug: Flag.Boolean("debug").pipe(
      Flag.withDescription("Tell on standard error what the recorder does"),
      Flag.withDefault(false),
      Flag.withoutNegation,
    ),
    command: Argument.String("command").pipe(
      Argument.withDescription("The command to record, and its arguments"),
      Argument.variadic({ min: 1 }),
    ),
  },
  (c) =>
    Effect.promise(() => import("./record_run.ts")).pipe(
      Effect.flatMap((m) =>
        m.run({
          words: c.command,
          output: maybe(c.output),
          backend: c.backend,
          mode: c.mode,
          until: c.until,
          raw: c.raw,
          bpftracePath: Option.getOrUndefined(c.bpftracePath),
          report: maybe(c.report),
          wantedLines: Option.isNone(c.lines) ? undefined : { selection: c.lines.value, engine: c.linesEngine },
          spool: Option.isNone(c.spool)
            ? undefined
            : { directory: c.spool.value, limits: { runs: c.spoolRuns, bytes: c.spoolSize } },
          quiet: c.quiet,
          debug: c.debug,
        }),
      ),
    ),
).pipe(
  Command.withDescription(
    "Record the life of every process under a command: fork, exec with its arguments, exit.\n\n" +
      "The command runs as if tk were not there, on the same terminal, and its exit status becomes tk's. " +
      "With -o the recording goes to a file while the command runs. Without -o it goes to standard output and what the " +
      "command writes to its standard output goes to standard error instead; on a terminal the recording is printed after the command has ended.",
  ),
  Command.withShortDescription("Record the processes of a command"),
  Command.withExamples([
    { command: "tk record -o out.prof -- make -j4", description: "record a build" },
    {
      command: "tk record --mode complete -o out.prof -- ./configure",
      description: "also failed execs (PATH probes), setpgid and setsid",
    },
    { command: "tk record -- bash -lc true | tk render -d tree", description: "why is my shell slow to start?" },
    {
      command: "tk record --report exec,heartbeat=1s -o out.prof -- ./server",
      description: "with what `tk exec` reports",
    },
    {
      command: "tk record --lines -o out.prof -- python3 app.py",
      description: "with the lines that Python and Bash execute, for `tk replay` and `tk analyse`",
    },
    {
      command: "tk record --spool /var/spool/tk -- ./service",
      description: "record when somebody has made that directory",
    },
    {
      command: "tk record --backend bpftrace --raw -o raw.log -- make",
      description: "the whole system; cut a tree out of it with `tk ingest`",
    },
  ]),
);
