// The command tree, from the list of verbs.
import { Command, Flag, GlobalFlag } from "effect/cli";
import { analyse } from "./analyse.ts";
import { completions } from "./completions.ts";
import { doctor } from "./doctor.ts";
import { docker } from "./docker.ts";
import { dump } from "./dump.ts";
import { exec } from "./exec.ts";
import { ingest } from "./ingest.ts";
import { load } from "./load.ts";
import { man } from "./man.ts";
import { record } from "./record.ts";
import { render } from "./render.ts";
import { sort } from "./sort.ts";

export const root = Command.make("tk").pipe(
  Command.withDescription(
    "What did this command really do, and where did the time go?\n\n" +
      "tk records the life of every process under a command and shows it: as a tree, a timeline, or events for other programs to read.",
  ),
  Command.withExamples([
    { command: "tk record -o out.prof -- make -j4", description: "record a build" },
    { command: "tk render -d tree out.prof", description: "see what it did" },
    { command: "tk analyse out.prof", description: "say where the time went" },
    { command: "tk help record", description: "everything about one verb" },
  ]),
  Command.withSubcommands([
    { group: "Recording", commands: [record, doctor] },
    { group: "Ordering and cutting", commands: [sort, ingest] },
    { group: "Viewing", commands: [render, analyse] },
    { group: "Running", commands: [exec, docker] },
    { group: "Configuration", commands: [load, dump] },
    { group: "Help", commands: [man] },
  ]),
);

/** Every verb's name. */
export const VERBS: readonly string[] = root.subcommands.flatMap((group) =>
  group.commands.flatMap((verb) => (verb.alias === undefined ? [verb.name] : [verb.name, verb.alias])),
);

const version = GlobalFlag.Action({
  flag: Flag.Boolean("version").pipe(
    Flag.withAlias("V"),
    Flag.withDescription("Print the version"),
    Flag.withDefault(false),
    Flag.withoutNegation,
  ),
  run: GlobalFlag.Version.run,
});

const help = GlobalFlag.Action({
  flag: Flag.Boolean("help").pipe(
    Flag.withAlias("h"),
    Flag.withDescription("Print this help"),
    Flag.withDefault(false),
    Flag.withoutNegation,
  ),
  run: GlobalFlag.Help.run,
});

/** Flags that every verb has: help, version, completion scripts. */
export const BUILT_INS: readonly GlobalFlag.BuiltIn[] = [help, version, completions];
