// tk diff: flags to plain options, one call into lib/diff.
import { Effect } from "effect";
import { Argument, Command, Flag } from "effect/cli";
import { maybe, output, strict, wholeNumber } from "./flags.ts";

export const diff = Command.make(
  "diff",
  {
    base: Flag.String("base").pipe(
      Flag.withMetavar("FILE"),
      Flag.withDescription(
        "A recording of the base, more than once for several; then every operand is of the new side",
      ),
      Flag.atLeast(0),
    ),
    failOver: Flag.String("fail-over").pipe(
      Flag.withMetavar("CHANGE"),
      Flag.withDescription(
        "End with status 4 when the whole became slower by more than this, such as 10% or 500ms, and by more than the noise",
      ),
      Flag.optional,
    ),
    least: Flag.String("least").pipe(
      Flag.withMetavar("TIME"),
      Flag.withDescription("Differences of less are none (5ms if omitted)"),
      Flag.withDefault("5ms"),
    ),
    format: Flag.Literals("format", ["table", "json", "ndjson", "csv"]).pipe(
      Flag.withDescription("table for people; json, ndjson and csv for programs, with every row"),
      Flag.withDefault("table" as const),
    ),
    numItems: wholeNumber("num-items", 0).pipe(
      Flag.withMetavar("N"),
      Flag.withDescription("Rows of the table (30 if omitted); 0 is all"),
      Flag.optional,
    ),
    output,
    width: wholeNumber("width", 0).pipe(
      Flag.withMetavar("COLUMNS"),
      Flag.withDescription("table: fit this many columns (the terminal's if omitted; 0 is no limit)"),
      Flag.optional,
    ),
    color: Flag.Literals("color", ["auto", "always", "never"]).pipe(
      Flag.withDescription("table: colours; auto is a terminal without NO_COLOR"),
      Flag.withDefault("auto" as const),
    ),
    strict,
    recordings: Argument.String("recording").pipe(
      Argument.withDescription(
        "The base, then what is compared to it; with several on a side `--` stands between them",
      ),
      Argument.variadic(),
    ),
  },
  (c) =>
    Effect.promise(() => import("./diff_run.ts")).pipe(
      Effect.flatMap((m) =>
        m.run({
          base: c.base,
          recordings: c.recordings,
          failOver: maybe(c.failOver),
          least: c.least,
          format: c.format,
          numItems: maybe(c.numItems),
          output: maybe(c.output),
          width: maybe(c.width),
          color: c.color,
          strict: c.strict,
        }),
      ),
    ),
).pipe(
  Command.withDescription(
    "Compare two recordings of the same work, or two groups of them: what is new, gone, slower or faster.\n\n" +
      "Processes are matched by their place in the tree and by their words, without pids, names of temporary files and hashes. " +
      "With several recordings a side, medians are compared, and only what changed by more than the runs of one side differ among themselves is told.",
  ),
  Command.withShortDescription("Compare two recordings, or two groups of them"),
  Command.withExamples([
    { command: "tk diff before.prof after.prof", description: "what became slower" },
    { command: "tk diff a1.prof a2.prof a3.prof -- b1.prof b2.prof b3.prof", description: "medians, and the noise" },
    {
      command: "tk diff --base main.prof branch.prof --fail-over 10%",
      description: "for CI: status 4 when it is slower",
    },
    { command: `tk diff a.prof b.prof --format json | jq .summary` },
  ]),
);
