// What can keep a recording from being made, as facts; the sentence, the hint and the status are derived from them.
// Nothing here ends a command that runs: these happen before it starts, or are told after it has ended.
import { Data } from "effect";
import { errnoText } from "../host/errno.ts";

export type CaptureReason =
  /** No recording on this system at all. */
  | { readonly _tag: "Unsupported"; readonly what: string }
  /** Options that do not go together. */
  | { readonly _tag: "Contradiction"; readonly what: string; readonly instead: string }
  /** The command is not there. */
  | { readonly _tag: "CommandMissing"; readonly command: string; readonly searched: boolean }
  /** The command is there and cannot be run. */
  | { readonly _tag: "CommandRefused"; readonly command: string; readonly errno: number }
  /** The recording cannot be opened or begun. */
  | { readonly _tag: "OutputRefused"; readonly path: string; readonly errno: number }
  /** A process of the command could not be made. */
  | { readonly _tag: "StartFailed"; readonly step: string; readonly errno: number }
  /** The kernel does not let us trace. */
  | { readonly _tag: "TraceForbidden"; readonly why: string; readonly instead: string; readonly errno: number }
  /** A program that the backend runs is not there. */
  | { readonly _tag: "ToolMissing"; readonly tool: string; readonly instead: string }
  /** Privileges that the backend needs. */
  | { readonly _tag: "NotPermitted"; readonly what: string; readonly instead: string }
  /** The backend's program ended or spoke nonsense before the command started. */
  | { readonly _tag: "ToolFailed"; readonly tool: string; readonly said: string }
  /** `auto`: neither backend can. */
  | { readonly _tag: "NothingWorks"; readonly ptrace: CaptureError; readonly bpftrace: CaptureError };

/** A name as it may stand in a sentence. */
function quoted(name: string): string {
  return `'${name}'`;
}

function describe(reason: CaptureReason): string {
  switch (reason._tag) {
    case "Unsupported":
      return `Cannot record here: ${reason.what}`;
    case "Contradiction":
      return reason.what;
    case "CommandMissing":
      return reason.searched
        ? `Cannot run ${quoted(reason.command)}: there is no such command in PATH`
        : `Cannot run ${quoted(reason.command)}: ${errnoText(2)}`;
    case "CommandRefused":
      return `Cannot run ${quoted(reason.command)}: ${errnoText(reason.errno)}`;
    case "OutputRefused":
      return `Cannot write the recording to ${quoted(reason.path)}: ${errnoText(reason.errno)}`;
    case "StartFailed":
      return `Cannot start the command: ${reason.step}: ${errnoText(reason.errno)}`;
    case "TraceForbidden":
      return `Cannot trace the command: ${reason.why}`;
    case "ToolMissing":
      return `Cannot find ${quoted(reason.tool)}`;
    case "NotPermitted":
      return `Cannot record: ${reason.what}`;
    case "ToolFailed":
      return `${reason.tool} failed: ${reason.said}`;
    case "NothingWorks":
      return `Cannot record here. By ptrace: ${reason.ptrace.message}. By bpftrace: ${reason.bpftrace.message}`;
  }
}

function advise(reason: CaptureReason): string {
  switch (reason._tag) {
    case "Unsupported":
      return "sort, ingest and render work here; `tk doctor` says what recording needs";
    case "Contradiction":
    case "TraceForbidden":
    case "ToolMissing":
    case "NotPermitted":
      return reason.instead;
    case "CommandMissing":
      if (/[ |&;<>$]/.test(reason.command)) return "for a line of shell say: tk record -- sh -c '...'";
      return reason.searched ? "check the spelling, or give the path of the program" : "check the path";
    case "CommandRefused":
      if (reason.errno === 13) return "is it a file with execute permission? `ls -l` and `chmod +x` tell and mend";
      if (reason.errno === 8)
        return "it is not a program for this machine; a script needs a first line such as #!/bin/sh";
      if (reason.errno === 7) return "arguments and environment are too long together";
      return "";
    case "OutputRefused":
      return "choose another place with -o; the command was not started";
    case "StartFailed":
      return "";
    case "ToolFailed":
      return "`tk doctor` looks at what it needs";
    case "NothingWorks":
      return `for ptrace: ${reason.ptrace.hint}; for bpftrace: ${reason.bpftrace.hint}`;
  }
}

/** Exit statuses of `tk record` when the command has not run, as env(1) and timeout(1) have them. */
const RECORDER_FAILED = 125;
const NOT_EXECUTABLE = 126;
const NOT_FOUND = 127;
const USAGE = 2;

export class CaptureError extends Data.TaggedError("CaptureError")<{
  readonly backend: string;
  readonly reason: CaptureReason;
}> {
  override get message(): string {
    return describe(this.reason);
  }

  /** What to do; empty when there is nothing to say. */
  get hint(): string {
    return advise(this.reason);
  }

  get exitStatus(): number {
    switch (this.reason._tag) {
      case "CommandMissing":
        return NOT_FOUND;
      case "CommandRefused":
        return NOT_EXECUTABLE;
      case "Contradiction":
        return USAGE;
      default:
        return RECORDER_FAILED;
    }
  }
}
