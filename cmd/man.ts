// tk man: the manual pages, made from the same descriptions as --help, so that the binary carries its own manual.
import { Effect } from "effect";
import { Argument, Command } from "effect/cli";
import { maybe } from "./flags.ts";

export const man = Command.make(
  "man",
  {
    verb: Argument.String("verb").pipe(
      Argument.withDescription("The verb whose page is wanted; tk's own page if omitted"),
      Argument.optional,
    ),
  },
  (c) => Effect.promise(() => import("./man_run.ts")).pipe(Effect.flatMap((m) => m.run(maybe(c.verb)))),
).pipe(
  Command.withDescription("Print a manual page in man's own format."),
  Command.withShortDescription("Print a manual page"),
  Command.withExamples([
    { command: "tk man record | man -l -", description: "read it" },
    { command: "tk man > ~/.local/share/man/man1/tk.1", description: "keep it" },
  ]),
);
