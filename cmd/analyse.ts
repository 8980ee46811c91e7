// tk analyse: flags to plain options, one call into lib/analyse.
import { Effect } from "effect";
import { Command, Flag } from "effect/cli";
import { input, inputNames, inputs, maybe, output, strict } from "./flags.ts";
import { memory } from "./sort.ts";
import { where } from "./where.ts";

/** Ids of lib/analyse/registry.ts; a law test compares the two, since loading it here would cost every start. */
export const SECTIONS = [
  "commands",
  "critical-path",
  "lines",
  "line-threads",
  "started-by",
  "parallelism",
  "serial-windows",
  "timeline",
  "probes",
  "probe-folders",
  "waste",
  "wrappers",
  "short",
  "repeated",
] as const;

export const analyse = Command.make(
  "analyse",
  {
    section: Flag.Literals("section", SECTIONS).pipe(
      Flag.withDescription(
        "One section instead of the report: commands, critical-path, parallelism (serial-windows, timeline), probes (probe-folders), waste (wrappers, short, repeated)",
      ),
      Flag.optional,
    ),
    by: Flag.Literals("by", ["program", "argv", "exe"]).pipe(
      Flag.withDescription("What makes two runs the same command: the program's name, all its words, or its file"),
      Flag.withDefault("program" as const),
    ),
    input,
    output,
    format: Flag.Literals("format", ["table", "json", "ndjson", "csv"]).pipe(
      Flag.withDescription("table for people; json, ndjson and csv (one section) for programs, with every row"),
      Flag.withDefault("table" as const),
    ),
    numItems: Flag.Int("num-items").pipe(
      Flag.withMetavar("N"),
      Flag.withDescription("Rows of each table (20 of one section, 10 of the report if omitted); 0 is all"),
      Flag.optional,
    ),
    sortColumn: Flag.String("sort-column").pipe(
      Flag.withMetavar("COLUMN"),
      Flag.withDescription(
        "Sort the section by this column, such as total, cpu, runs (the report: its commands); executed lines: cumulated-runtime, average-runtime, frequency, self-runtime",
      ),
      Flag.optional,
    ),
    width: Flag.Int("width").pipe(
      Flag.withMetavar("COLUMNS"),
      Flag.withDescription("table: fit this many columns (the terminal's if omitted; 0 is no limit)"),
      Flag.optional,
    ),
    color: Flag.Literals("color", ["auto", "always", "never"]).pipe(
      Flag.withDescription("table: colours; auto is a terminal without NO_COLOR"),
      Flag.withDefault("auto" as const),
    ),
    fileId: Flag.Int("file-id").pipe(
      Flag.withMetavar("N"),
      Flag.withDescription("Executed lines: list every line of this file with what it cost, instead of the hot points"),
      Flag.optional,
    ),
    self: Flag.Boolean("self").pipe(
      Flag.withDescription("Executed lines: show each line's own time, without what it called"),
      Flag.withDefault(false),
      Flag.withoutNegation,
    ),
    compatible: Flag.Boolean("compatible").pipe(
      Flag.withDescription("Executed lines: exactly what the older tool prints, recursion counted on every level"),
      Flag.withDefault(false),
      Flag.withoutNegation,
    ),
    memory,
    where,
    strict,
    recordings: inputs,
  },
  (c) =>
    Effect.promise(() => import("./analyse_run.ts")).pipe(
      Effect.flatMap((m) =>
        m.run({
          inputs: inputNames(c.input, c.recordings),
          section: maybe(c.section),
          by: c.by,
          output: maybe(c.output),
          format: c.format,
          numItems: maybe(c.numItems),
          sortColumn: maybe(c.sortColumn),
          width: maybe(c.width),
          color: c.color,
          memory: c.memory,
          where: maybe(c.where),
          strict: c.strict,
          fileId: maybe(c.fileId),
          self: c.self,
          compatible: c.compatible,
        }),
      ),
    ),
).pipe(
  Command.withAlias("analyze"),
  Command.withDescription(
    "Say where the time went in a recording.\n\n" +
      "Of processes: each command's times, CPU, memory and failures; the critical path, which is the chain of processes that the end waited for; " +
      "how much ran in parallel; and what could have been left out.\n\n" +
      "A directory is a log of executed lines as trackexec keeps it: it is analysed for its hot points, with that tool's columns.",
  ),
  Command.withShortDescription("Say where the time went"),
  Command.withExamples([
    { command: "tk analyse out.prof", description: "the report" },
    { command: "tk analyse out.prof --section critical-path --num-items 50" },
    {
      command: "tk analyse out.prof --section commands --by argv --sort-column total",
      description: "the slowest command lines",
    },
    { command: "tk analyse out.prof --section commands --format csv -o commands.csv" },
    { command: `tk analyse out.prof --format json | jq .summary` },
  ]),
);
