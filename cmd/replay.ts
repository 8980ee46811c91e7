// tk replay: flags to plain options, one call into the player.
import { Effect } from "effect";
import { Argument, Command, Flag } from "effect/cli";
import { maybe, strict } from "./flags.ts";

export const replay = Command.make(
  "replay",
  {
    recording: Argument.String("recording").pipe(
      Argument.withDescription("A recording, or a directory that is a log of executed lines; `-` is standard input"),
    ),
    view: Flag.Literals("view", ["lines", "processes"]).pipe(
      Flag.withDescription("What to show first; <Tab> switches. Executed lines if omitted, where there are any"),
      Flag.optional,
    ),
    color: Flag.Literals("color", ["auto", "always", "never"]).pipe(
      Flag.withDescription("Colours; auto is a terminal without NO_COLOR"),
      Flag.withDefault("auto" as const),
    ),
    strict,
  },
  (c) =>
    Effect.promise(() => import("./replay_run.ts")).pipe(
      Effect.flatMap((m) => m.run({ recording: c.recording, view: maybe(c.view), color: c.color, strict: c.strict })),
    ),
).pipe(
  Command.withDescription(
    "Walk through a recording as with a debugger, forwards and backwards.\n\n" +
      "Of programs whose executed lines were recorded it shows the source, the current line, the stack and when it was; " +
      "of processes the tree as of the moment. Press h for the keys. Nothing is run: what is replayed has happened.\n\n" +
      "A directory is a log of executed lines as trackexec keeps it.",
  ),
  Command.withShortDescription("Walk through a recording as with a debugger"),
  Command.withExamples([
    { command: "tk replay out.prof", description: "step through what was recorded" },
    {
      command: "tk replay /var/log/walt/trackexec/latest/server-main",
      description: "the same for an older tool's log",
    },
  ]),
);
