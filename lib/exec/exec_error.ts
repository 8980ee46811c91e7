// Why tk exec could not start the program, as facts; sentence, hint and status come from them. Without Effect: nothing on
// the way to the program loads it.
import { ERRNO, errnoText } from "../host/errno.ts";

export type ExecReason =
  | { readonly _tag: "Unsupported"; readonly what: string }
  /** Nothing was named, neither on the command line nor in the configuration. */
  | { readonly _tag: "NoCommand" }
  /** `exec.override_ok` is false, and arguments were given. */
  | { readonly _tag: "ArgumentsFixed" }
  | { readonly _tag: "CommandMissing"; readonly command: string; readonly searched: boolean }
  | { readonly _tag: "CommandRefused"; readonly command: string; readonly errno: number }
  /** Settings that cannot be used, one sentence each. */
  | { readonly _tag: "BadSettings"; readonly problems: readonly string[] }
  | { readonly _tag: "OutputRefused"; readonly path: string; readonly errno: number }
  | { readonly _tag: "StartFailed"; readonly step: string; readonly errno: number };

const FAILED = 125;
const NOT_EXECUTABLE = 126;
const NOT_FOUND = 127;
const USAGE = 2;

export class ExecError extends Error {
  readonly _tag = "ExecError";
  override readonly name = "ExecError";
  readonly reason: ExecReason;

  constructor(reason: ExecReason) {
    super(describe(reason));
    this.reason = reason;
  }

  get hint(): string {
    return advise(this.reason);
  }

  get exitStatus(): number {
    switch (this.reason._tag) {
      case "CommandMissing":
        return NOT_FOUND;
      case "CommandRefused":
        return NOT_EXECUTABLE;
      case "NoCommand":
      case "ArgumentsFixed":
        return USAGE;
      default:
        return FAILED;
    }
  }
}

/** The error of a command that could not be run, from execvp's errno. */
export function commandError(command: string, errno: number): ExecError {
  return errno === ERRNO.ENOENT
    ? new ExecError({ _tag: "CommandMissing", command, searched: !command.includes("/") })
    : new ExecError({ _tag: "CommandRefused", command, errno });
}

function describe(reason: ExecReason): string {
  switch (reason._tag) {
    case "Unsupported":
      return `Cannot run a program here: ${reason.what}`;
    case "NoCommand":
      return "No program was named";
    case "ArgumentsFixed":
      return "Cannot override default arguments on the command line";
    case "CommandMissing":
      return reason.searched
        ? `Cannot run '${reason.command}': there is no such command in PATH`
        : `Cannot run '${reason.command}': ${errnoText(ERRNO.ENOENT)}`;
    case "CommandRefused":
      return `Cannot run '${reason.command}': ${errnoText(reason.errno)}`;
    case "BadSettings":
      return reason.problems.join("\ntk: ");
    case "OutputRefused":
      return `Cannot write reports to '${reason.path}': ${errnoText(reason.errno)}`;
    case "StartFailed":
      return `Cannot start the program: ${reason.step}: ${errnoText(reason.errno)}`;
  }
}

function advise(reason: ExecReason): string {
  switch (reason._tag) {
    case "NoCommand":
      return "say `tk exec -- COMMAND ARGS...`, or set exec.command_name in a configuration";
    case "ArgumentsFixed":
      return "the configuration sets exec.override_ok to false; leave the arguments out, or set exec.append_command_line_args";
    case "CommandMissing":
      if (/[ |&;<>$]/.test(reason.command)) return "for a line of shell say: tk exec -- sh -c '...'";
      return reason.searched ? "check the spelling, or give the path of the program" : "check the path";
    case "CommandRefused":
      if (reason.errno === ERRNO.EACCES)
        return "is it a file with execute permission? `ls -l` and `chmod +x` tell and mend";
      if (reason.errno === ERRNO.ENOEXEC)
        return "it is not a program for this machine; a script needs a first line such as #!/bin/sh";
      if (reason.errno === ERRNO.E2BIG) return "arguments and environment are too long together";
      return "";
    case "BadSettings":
      return "the program was not started";
    case "OutputRefused":
      return "choose another place with -o; the program was not started";
    default:
      return "";
  }
}
