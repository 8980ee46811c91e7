// The command tree. A verb's flags are loaded when that verb was typed, since building all of them would cost every start; help
// and completions load them all.
import { Command, Flag, GlobalFlag } from "effect/cli";
import { completions } from "./completions.ts";

interface VerbEntry {
  readonly name: string;
  readonly alias?: string;
  readonly load: () => Promise<Command.Command.Any>;
}

interface VerbGroup {
  readonly group: string;
  readonly verbs: readonly VerbEntry[];
}

/** In the order in which help shows them. Aliases are those of the verbs' own files; a law test compares. */
export const GROUPS: readonly VerbGroup[] = [
  {
    group: "Recording",
    verbs: [
      { name: "record", load: () => import("./record.ts").then((m) => m.record) },
      { name: "doctor", load: () => import("./doctor.ts").then((m) => m.doctor) },
    ],
  },
  {
    group: "Ordering and cutting",
    verbs: [
      { name: "sort", load: () => import("./sort.ts").then((m) => m.sort) },
      { name: "ingest", load: () => import("./ingest.ts").then((m) => m.ingest) },
    ],
  },
  {
    group: "Viewing",
    verbs: [
      { name: "render", load: () => import("./render.ts").then((m) => m.render) },
      { name: "analyse", alias: "analyze", load: () => import("./analyse.ts").then((m) => m.analyse) },
      { name: "diff", load: () => import("./diff.ts").then((m) => m.diff) },
      { name: "repl", load: () => import("./repl.ts").then((m) => m.repl) },
      { name: "replay", load: () => import("./replay.ts").then((m) => m.replay) },
    ],
  },
  {
    group: "Running",
    verbs: [
      { name: "exec", load: () => import("./exec.ts").then((m) => m.exec) },
      { name: "docker", load: () => import("./docker.ts").then((m) => m.docker) },
    ],
  },
  {
    group: "Configuration",
    verbs: [
      { name: "load", load: () => import("./load.ts").then((m) => m.load) },
      { name: "dump", load: () => import("./dump.ts").then((m) => m.dump) },
    ],
  },
  { group: "Help", verbs: [{ name: "man", load: () => import("./man.ts").then((m) => m.man) }] },
];

const isNamed = (verb: VerbEntry, word: string) => word === verb.name || word === verb.alias;

/** Every verb's name. */
export const VERBS: readonly string[] = GROUPS.flatMap(({ verbs }) =>
  verbs.flatMap(({ name, alias }) => (alias === undefined ? [name] : [name, alias])),
);

/** The tree with the verb that `word` names, or with all verbs when it names none. */
export async function treeFor(word: string | undefined) {
  const named = word !== undefined && VERBS.includes(word);
  const groups: Command.Command.SubcommandGroup[] = [];
  for (const { group, verbs } of GROUPS) {
    const wanted = named ? verbs.filter((verb) => isNamed(verb, word)) : verbs;
    if (wanted.length > 0) groups.push({ group, commands: await Promise.all(wanted.map((verb) => verb.load())) });
  }
  return bare.pipe(Command.withSubcommands(groups));
}

const bare = Command.make("tk").pipe(
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
