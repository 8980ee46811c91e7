// What every backend does before it starts the command: learn what the command is to inherit, see whether the command
// can be run at all, open the recording. In this order, and before anything of the user's has been changed.
import { latin1 } from "../host/descriptors.ts";
import { ERRNO } from "../host/errno.ts";
import { NoKernel, openKernel } from "../host/kernel.ts";
import { CaptureError } from "./capture_error.ts";
import { lookUp } from "./launch/command.ts";
import { learnInherited, type Inherited } from "./launch/inherited.ts";
import { openRecordingFile, type RecordingFile } from "./recording_file.ts";

export interface Preparation {
  readonly inherited: Inherited;
  readonly file: RecordingFile;
}

export interface PrepareOptions {
  readonly argv: readonly Uint8Array[];
  readonly output?: string | undefined;
  readonly backend: string;
}

export function prepare(options: PrepareOptions): Preparation {
  requireKernel(options.backend);
  const inherited = learnInherited();
  requireCommand(options.argv[0]!, inherited, options.backend);
  return { inherited, file: openRecordingFile(options.output, options.backend) };
}

/** Turns "no system calls here" into an error of this folder. */
export function requireKernel(backend: string): void {
  try {
    openKernel();
  } catch (error) {
    if (!(error instanceof NoKernel)) throw error;
    const needs =
      error.what === "platform" || error.what === "arch" ? "; recording needs Linux on x86_64 or arm64" : "";
    throw new CaptureError({ backend, reason: { _tag: "Unsupported", what: error.message + needs } });
  }
}

function requireCommand(command: Uint8Array, inherited: Inherited, backend: string): void {
  const errno = lookUp(command, inherited.environment);
  if (errno !== 0) throw commandError(command, errno, backend);
}

/** The error of a command that could not be run, from execvp's errno. */
export function commandError(command: Uint8Array, errno: number, backend: string): CaptureError {
  const name = new TextDecoder().decode(command);
  if (errno === ERRNO.ENOENT)
    return new CaptureError({
      backend,
      reason: { _tag: "CommandMissing", command: name, searched: !latin1(command).includes("/") },
    });
  return new CaptureError({ backend, reason: { _tag: "CommandRefused", command: name, errno } });
}
