// tk ingest: flags to plain options, one call into lib/pipeline.
import { Effect } from "effect";
import { Command, Flag } from "effect/cli";
import { input, inputNames, inputs, maybe, output, strict } from "./flags.ts";

export const ingest = Command.make(
  "ingest",
  {
    input,
    pid: Flag.Int("pid").pipe(
      Flag.withAlias("p"),
      Flag.withMetavar("PID"),
      Flag.withDescription("The process whose tree is wanted: itself and everything under it"),
    ),
    output,
    strict,
    recordings: inputs,
  },
  (c) =>
    Effect.promise(() => import("./ingest_run.ts")).pipe(
      Effect.flatMap((m) =>
        m.run({ inputs: inputNames(c.input, c.recordings), pid: c.pid, output: maybe(c.output), strict: c.strict }),
      ),
    ),
).pipe(
  Command.withDescription(
    "Turn raw backend lines into a recording of one process tree, or cut a subtree out of a finished recording.",
  ),
  Command.withShortDescription("Cut one process tree out of raw lines or a recording"),
  Command.withExamples([
    { command: "tk ingest -i raw.log -p 186539 -o out.prof", description: "after `tk record --raw`" },
    { command: "tk ingest -p 4711 out.prof | tk render -d tree", description: "one subtree of a recording" },
  ]),
);
