// tk dump: flags to plain options, one call into lib/settings.
import { Effect } from "effect";
import { Argument, Command } from "effect/cli";
import { maybe } from "./flags.ts";

export const dump = Command.make(
  "dump",
  {
    what: Argument.String("file").pipe(
      Argument.withDescription(
        "Where to write, standard output if omitted; or `cache` (the loaded files' texts), `params` (answers), `all` (everything, for tk load --all)",
      ),
      Argument.optional,
    ),
  },
  (c) => Effect.promise(() => import("./dump_run.ts")).pipe(Effect.flatMap((m) => m.run({ what: maybe(c.what) }))),
).pipe(
  Command.withDescription("Show what was loaded, as the lines of a configuration that would load it again."),
  Command.withShortDescription("Show what was loaded"),
  Command.withExamples([
    { command: "tk dump", description: "which files are loaded" },
    { command: "tk dump cache", description: "what stands in them" },
    { command: "tk dump all > backup.json && tk load --all backup.json" },
  ]),
);
