// Completion scripts for shells, from the command tree. Files are completed where tk itself takes plain words,
// because to the parser a path would make `-` (standard input) a file of that name.
import { Console, Effect, Option } from "effect";
import { Completions, Flag, GlobalFlag } from "effect/cli";

const FILE_OPERANDS: ReadonlySet<string> = new Set(["recording", "command"]);
const FILE_FLAGS: ReadonlySet<string> = new Set(["input", "output", "bpftrace-path"]);

const ANY_PATH = { _tag: "Path", pathType: "either" } as const;

function withFiles(command: Completions.CommandDescriptor): Completions.CommandDescriptor {
  return {
    ...command,
    flags: command.flags.map((flag) => (FILE_FLAGS.has(flag.name) ? { ...flag, type: ANY_PATH } : flag)),
    arguments: command.arguments.map((arg) => (FILE_OPERANDS.has(arg.name) ? { ...arg, type: ANY_PATH } : arg)),
    subcommands: command.subcommands.map(withFiles),
  };
}

export const completions = GlobalFlag.Action({
  flag: Flag.Literals("completions", ["bash", "zsh", "fish", "powershell"]).pipe(
    Flag.withDescription("Print a completion script for a shell"),
    Flag.optional,
  ),
  run: (shell, context) =>
    Option.match(shell, {
      onNone: () => Effect.void,
      onSome: (name) =>
        Console.log(Completions.generate("tk", name, withFiles(Completions.fromCommand(context.command))).trimEnd()),
    }),
});
