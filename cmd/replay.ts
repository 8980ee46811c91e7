// tk replay: flags to plain options, one call into the player.
import { Effect } from "effect";
import { Argument, Command, Flag } from "effect/cli";
import { maybe, strict } from "./flags.ts";
import { where } from "./where.ts";

/** A flag of the player without a screen. */
const words = (name: string, metavar: string, description: string) =>
  Flag.String(name).pipe(Flag.withMetavar(metavar), Flag.withDescription(description), Flag.optional);

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
    noTui: Flag.Boolean("no-tui").pipe(
      Flag.withDescription(
        "Print what happened at the pace at which it happened, as is done when the output is no terminal",
      ),
      Flag.withDefault(false),
      Flag.withoutNegation,
    ),
    format: Flag.Literals("format", ["text", "ndjson"]).pipe(
      Flag.withDescription("Printing: a line for people each, or the recording's own lines, again a recording"),
      Flag.withDefault("text" as const),
    ),
    speed: words("speed", "10x", "Printing: so many recorded seconds in one (1x if omitted); max never waits"),
    maxIdle: words("max-idle", "TIME", "Printing: recorded pauses longer than this, such as 1s, are cut to it"),
    from: words(
      "from",
      "TIME",
      "Printing: begin at 2s (after the start), -2s (before the end), 12:00:16.5, 2024-01-27",
    ),
    at: words("at", "PLACE", "Begin there: at p12 (the start of a process), e400 (an event) or a moment as of --from"),
    until: words("until", "TIME", "Printing: stop behind this moment"),
    follow: Flag.Boolean("follow").pipe(
      Flag.withAlias("f"),
      Flag.withDescription("Go on with what is still being written; on the screen the key F does it, too"),
      Flag.withDefault(false),
      Flag.withoutNegation,
    ),
    where,
    strict,
  },
  (c) =>
    Effect.promise(() => import("./replay_run.ts")).pipe(
      Effect.flatMap((m) =>
        m.run({
          recording: c.recording,
          view: maybe(c.view),
          color: c.color,
          strict: c.strict,
          noTui: c.noTui,
          format: c.format,
          speed: maybe(c.speed),
          maxIdle: maybe(c.maxIdle),
          from: maybe(c.from),
          until: maybe(c.until),
          at: maybe(c.at),
          follow: c.follow,
          where: maybe(c.where),
        }),
      ),
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
    { command: "tk replay --at p12 out.prof", description: "begin where a process begins" },
    {
      command: "tk replay --no-tui --speed 10x --max-idle 1s out.prof",
      description: "print the events, ten times as fast as they happened",
    },
    {
      command: "tk replay /var/log/walt/trackexec/latest/server-main",
      description: "the same for an older tool's log",
    },
  ]),
);
