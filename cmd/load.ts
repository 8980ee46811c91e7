// tk load: flags to plain options, one call into lib/settings.
import { Effect } from "effect";
import { Argument, Command, Flag } from "effect/cli";

export const load = Command.make(
  "load",
  {
    replace: Flag.Boolean("replace").pipe(
      Flag.withDescription("Forget what was loaded before"),
      Flag.withDefault(false),
      Flag.withoutNegation,
    ),
    all: Flag.Boolean("all").pipe(
      Flag.withDescription("The file is what `tk dump all` wrote; it replaces everything"),
      Flag.withDefault(false),
      Flag.withoutNegation,
    ),
    params: Flag.Boolean("params").pipe(
      Flag.withDescription("Read the answers to the file's parameters as a JSON object from standard input"),
      Flag.withDefault(false),
      Flag.withoutNegation,
    ),
    file: Argument.String("file").pipe(
      Argument.withDescription(
        "A configuration file, an https address, `-` for standard input, or `default` to forget all",
      ),
    ),
  },
  (c) =>
    Effect.promise(() => import("./load_run.ts")).pipe(
      Effect.flatMap((m) => m.run({ what: c.file, replace: c.replace, all: c.all, params: c.params })),
    ),
).pipe(
  Command.withDescription(
    "Take a configuration into use for all later runs of tk by this user. Files add up, a later one wins, and a copy is kept, so the file may go. " +
      "A file that is wrong is refused and changes nothing.",
  ),
  Command.withShortDescription("Take a configuration into use"),
  Command.withExamples([
    { command: "tk load heartbeat.c4m", description: "from now on" },
    { command: "tk load --replace network.c4m", description: "this one only" },
    { command: "tk load default", description: "as it was at the beginning" },
    { command: "tk dump", description: "what is loaded" },
  ]),
);
