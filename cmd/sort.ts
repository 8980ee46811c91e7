// tk sort: flags to plain options, one call into lib/pipeline.
import { Effect, Option } from "effect";
import { Command, Flag } from "effect/cli";
import { where } from "./where.ts";
import { input, inputNames, inputs, maybe, output, parseSize, strict } from "./flags.ts";

export const memory = Flag.String("memory").pipe(
  Flag.withMetavar("SIZE"),
  Flag.withDescription("Memory for sorting, such as 64M or 1G (256M if omitted); more goes through $TMPDIR"),
  Flag.withDefault("256M"),
  Flag.filterMap(
    (text) => {
      const size = parseSize(text);
      return size !== undefined && size >= 1 << 20 ? Option.some(size) : Option.none();
    },
    () => "a size of at least 1M, such as 64M or 1G",
  ),
);

export const sort = Command.make(
  "sort",
  {
    input,
    output,
    memory,
    align: Flag.Literals("align", ["own", "wall"]).pipe(
      Flag.withDescription(
        "Several recordings: keep each one's own timestamps, or shift them all onto one axis by the wall clock in their headers",
      ),
      Flag.withDefault("own" as const),
    ),
    where,
    strict,
    recordings: inputs,
  },
  (c) =>
    Effect.promise(() => import("./sort_run.ts")).pipe(
      Effect.flatMap((m) =>
        m.run({
          inputs: inputNames(c.input, c.recordings),
          output: maybe(c.output),
          memory: c.memory,
          align: c.align,
          where: maybe(c.where),
          strict: c.strict,
        }),
      ),
    ),
).pipe(
  Command.withDescription(
    "Put the events of one or more recordings in order: by timestamp, then by sequence number, then as they came.\n\n" +
      "Every line is written back byte for byte. The output may be one of the inputs. Recordings larger than memory are sorted through temporary files in $TMPDIR.",
  ),
  Command.withShortDescription("Put a recording in order"),
  Command.withExamples([
    { command: "tk sort -i out.prof -o out.prof", description: "in place" },
    { command: "tk sort a.prof b.prof.zst | tk render -d tree", description: "merge two recordings" },
    { command: "tk sort --where 'under(4711)' out.prof > part.prof", description: "a process and what it started" },
    { command: "cat out.prof | tk sort - > sorted.prof" },
  ]),
);
