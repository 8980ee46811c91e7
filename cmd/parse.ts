// Runs the command tree on words: the few services that the parser asks for, and how it presents help and mistakes.
import { Console, Effect, FileSystem, Layer, Path, Stdio, Terminal } from "effect";
import { CliConfig, CliOutput, Command } from "effect/cli";
import { ChildProcessSpawner } from "effect/process";
import { printable } from "../lib/base/text.ts";
import { VERSION } from "../lib/base/version.ts";
import { say } from "./exit.ts";
import { formatHelp } from "./help.ts";
import { BUILT_INS, treeFor } from "./root.ts";

// The parser only needs these to exist: no verb of ours goes through them, and the full layers cost start-up time.
const unused = Effect.die("not used by tk's command line");
const services = Layer.mergeAll(
  FileSystem.layerNoop({}),
  Path.layer,
  Stdio.layerTest({}),
  Layer.succeed(
    Terminal.Terminal,
    Terminal.make({
      columns: Effect.sync(() => process.stdout.columns ?? 80),
      rows: Effect.sync(() => process.stdout.rows ?? 24),
      size: unused,
      readInput: unused,
      readLine: unused,
      display: () => unused,
    }),
  ),
  Layer.succeed(
    ChildProcessSpawner.ChildProcessSpawner,
    ChildProcessSpawner.make(() => unused),
  ),
);

const helpWidth = () => Math.max(40, Math.min(100, process.stdout.columns ?? 80));

/** Help goes to stdout when it was asked for; mistakes go to stderr in a line each, with where to read on. */
export const presenter: CliOutput.Presenter = {
  present: (event) => {
    if (event._tag === "Help") return Console.log(formatHelp(event.helpDoc, helpWidth()).trimEnd());
    if (event._tag === "Version") return Console.log(`tk ${event.version}`);
    return Effect.sync(() => {
      const at = event.commandPath.join(" ");
      // The message quotes what was typed, or what a script was given by somebody else.
      for (const error of event.errors)
        say(
          `${at}: ${error.message
            .split("\n")
            .map((line) => printable(line))
            .join("\n")}`,
        );
      say(`Try '${at} --help'.`);
    });
  },
};

export const runWords = (words: readonly string[], present = presenter) =>
  Effect.promise(() => treeFor(words.includes("--completions") ? undefined : words[0])).pipe(
    Effect.flatMap((tree) => Command.runWith(tree, { version: VERSION, renderErrors: true })(words)),
    Effect.provide(
      Layer.mergeAll(services, CliConfig.layer({ builtIns: BUILT_INS }), CliOutput.layerPresenter(present)),
    ),
    // A list of commands has lost their types: verbs need nothing besides, see cmd/exit.ts for what they fail with.
  ) as Effect.Effect<void, unknown>;
