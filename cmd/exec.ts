// tk exec as help, completions and manual pages show it. The words themselves are read by exec_words.ts, which must not wait
// for the command tree to load (see tk.ts).
import { Effect } from "effect";
import { Argument, Command, Flag } from "effect/cli";
import { output } from "./flags.ts";

const toggle = (name: string, text: string) =>
  Flag.Boolean(name).pipe(Flag.withDescription(text), Flag.withDefault(false));

const text = (name: string, metavar: string, description: string) =>
  Flag.String(name).pipe(Flag.withMetavar(metavar), Flag.withDescription(description), Flag.optional);

export const exec = Command.make(
  "exec",
  {
    name: text(
      "exec-command-name",
      "NAME",
      "The program; what follows is its arguments, but for flags of exec that come first. Or simply: tk exec -- NAME ARGS",
    ),
    heartbeat: toggle("heartbeat", "Report again and again until the program ends (exec.heartbeat.run)"),
    rate: text("heartbeat-rate", "TIME", "Time between heartbeats, such as `10 seconds`; a number is seconds"),
    asParent: toggle(
      "as-parent",
      "Stay the program's parent instead of becoming the program (--chalk-as-parent, --pg13)",
    ),
    template: text("report-template", "NAME", "Template of the first report"),
    configFile: Flag.String("config-file").pipe(
      Flag.withAlias("f"),
      Flag.withMetavar("FILE"),
      Flag.withDescription("This configuration instead of those that are searched for"),
      Flag.optional,
    ),
    useEmbedded: toggle(
      "use-embedded-config",
      "What `tk load` has stored counts; --no-use-embedded-config: it does not",
    ),
    useExternal: toggle("use-external-config", "Configuration files count; --no-use-external-config: they do not"),
    format: Flag.Literals("format", ["json", "ndjson"]).pipe(
      Flag.withDescription(
        "Write reports also to standard output, or to -o: json, an array in a line for each; ndjson, a recording for `tk render`. The program's standard output then goes to standard error, unless there is -o",
      ),
      Flag.optional,
    ),
    output,
    skipSummary: toggle("skip-summary-report", "Do not show reports on the terminal"),
    skipCommand: toggle("skip-command-report", "Do not make the report that subscribed sinks get"),
    skipCustom: toggle("skip-custom-reports", "Do not make the reports that a configuration defines"),
    enableReport: text("enable-report", "NAMES", "Custom reports to make although they are disabled"),
    disableReport: text(
      "disable-report",
      "NAMES",
      "Custom reports not to make; terminal_other_op is the one on the terminal",
    ),
    cacheFile: text("report-cache-file", "FILE", "Where reports wait that no sink took"),
    logLevel: text("log-level", "LEVEL", "trace, verbose, info, warn, error or none"),
    command: Argument.String("command").pipe(
      Argument.withDescription("The program and its arguments"),
      Argument.variadic(),
    ),
  },
  () => Effect.promise(() => import("./exec_run.ts").then((m) => m.main(process.argv.slice(2), 0))),
).pipe(
  Command.withDescription(
    "Run a program and report what it is and what surrounds it: once, or as a heartbeat until it ends.\n\n" +
      "The program runs as if tk were not there: tk becomes the program, with the same pid, and a separate reporter watches " +
      "it from outside. Reports go where the configuration says (see `tk load`): by default to " +
      "~/.local/state/tk/reports.log, and to the terminal when there is one. With --as-parent tk waits for the program, " +
      "hands on signals, and ends as the program did.",
  ),
  Command.withShortDescription("Run a program and report on it"),
  Command.withExamples([
    { command: "tk exec -- ./server --port 80", description: "one report when it starts" },
    { command: "tk exec --heartbeat --heartbeat-rate 10s -- ./server", description: "and one every ten seconds" },
    { command: "tk exec --exec-command-name=ls -la", description: "the original's way of saying it" },
    { command: "tk exec --format ndjson -o run.prof -- make", description: "reports as a recording" },
  ]),
);
