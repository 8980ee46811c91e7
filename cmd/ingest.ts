// tk ingest: flags to plain options, one call into lib/pipeline.
import { Effect } from "effect";
import { Command, Flag } from "effect/cli";
import { input, inputNames, inputs, maybe, output, strict, wholeNumber } from "./flags.ts";
import { memory } from "./sort.ts";

export const ingest = Command.make(
  "ingest",
  {
    input,
    pid: wholeNumber("pid", 0).pipe(
      Flag.withAlias("p"),
      Flag.withMetavar("PID"),
      Flag.withDescription("The process whose tree is wanted: itself and everything under it"),
    ),
    life: wholeNumber("life", 1).pipe(
      Flag.withMetavar("N"),
      Flag.withDescription("Which process of that pid, when the pid was used again: 1 is the first"),
      Flag.optional,
    ),
    output,
    memory,
    strict,
    recordings: inputs,
  },
  (c) =>
    Effect.promise(() => import("./ingest_run.ts")).pipe(
      Effect.flatMap((m) =>
        m.run({
          inputs: inputNames(c.input, c.recordings),
          pid: c.pid,
          life: maybe(c.life),
          output: maybe(c.output),
          memory: c.memory,
          strict: c.strict,
        }),
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
