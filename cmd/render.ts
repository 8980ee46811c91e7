// tk render: flags to plain options, one call into lib/render or the sorter.
import { Effect } from "effect";
import { Command, Flag } from "effect/cli";
import { input, inputNames, inputs, maybe, output, strict, wholeNumber } from "./flags.ts";
import { memory } from "./sort.ts";
import { where } from "./where.ts";

/** Ids and aliases of lib/render/registry.ts; a law test compares the two, since loading it here would cost every start. */
export const DISPLAY_MODES = ["multiplexed", "sequential", "by-process", "mermaid", "tree", "lines", "heat"] as const;

export const render = Command.make(
  "render",
  {
    displayMode: Flag.Literals("display-mode", DISPLAY_MODES).pipe(
      Flag.withAlias("d"),
      Flag.withDescription(
        "multiplexed (or sequential, the default): the events in order; by-process: a blank line between processes; mermaid: a Gantt chart; tree: the process tree; lines: executed lines one by one; heat: sources with what each line cost",
      ),
      Flag.withDefault("multiplexed" as const),
    ),
    input,
    output,
    limit: wholeNumber("limit", 0).pipe(
      Flag.withMetavar("N"),
      Flag.withDescription(
        "mermaid and tree: draw at most N processes or bars (10000 in a tree, 500 in mermaid if omitted) and state the remainder; lines: the first N, heat: the hottest N files; 0 draws all",
      ),
      Flag.optional,
    ),
    format: Flag.Literals("format", ["text", "ndjson"]).pipe(
      Flag.withDescription("lines: text for people, or an object a line for programs"),
      Flag.withDefault("text" as const),
    ),
    full: Flag.Boolean("full").pipe(
      Flag.withDescription("Long forms, nothing shortened or cut"),
      Flag.withDefault(false),
      Flag.withoutNegation,
    ),
    width: wholeNumber("width", 0).pipe(
      Flag.withMetavar("COLUMNS"),
      Flag.withDescription("tree: fit this many columns (the terminal's if omitted; 0 is no limit)"),
      Flag.optional,
    ),
    color: Flag.Literals("color", ["auto", "always", "never"]).pipe(
      Flag.withDescription("tree: colours; auto is a terminal without NO_COLOR"),
      Flag.withDefault("auto" as const),
    ),
    memory,
    where,
    strict,
    recordings: inputs,
  },
  (c) =>
    Effect.promise(() => import("./render_run.ts")).pipe(
      Effect.flatMap((m) =>
        m.run({
          inputs: inputNames(c.input, c.recordings),
          mode: c.displayMode,
          output: maybe(c.output),
          limit: maybe(c.limit),
          format: c.format,
          full: c.full,
          width: maybe(c.width),
          color: c.color,
          memory: c.memory,
          where: maybe(c.where),
          strict: c.strict,
        }),
      ),
    ),
).pipe(
  Command.withDescription(
    "Show a recording. Reads what tk and proctrace write, plain or compressed, whole or cut off, and tells what it could not read. " +
      "A directory is a log of executed lines (trackexec's, or a spool of tk's recorders): it is shown as lines or heat.",
  ),
  Command.withShortDescription("Show a recording"),
  Command.withExamples([
    { command: "tk render -d tree out.prof", description: "the process tree with times and exit statuses" },
    { command: "tk render -d heat out.prof", description: "the recorded sources with what each line cost" },
    { command: "tk render -d mermaid out.prof > out.mmd", description: "a Gantt chart for Markdown" },
    { command: "tk render -d tree --where 'wall > 100ms' out.prof", description: "the slow processes alone" },
    { command: "tk render -d by-process -i out.prof", description: "each process's events together" },
    { command: `tk render out.prof | jq -c 'select(.ExecFull).ExecFull.args'` },
  ]),
);
