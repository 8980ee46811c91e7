// `tk record --spool DIR`: into a run of the spool when somebody has made DIR, else tk becomes the command.
import { CaptureError } from "../lib/capture/capture_error.ts";
import { candidates } from "../lib/capture/launch/command.ts";
import { learnInherited } from "../lib/capture/launch/inherited.ts";
import { commandError, requireKernel } from "../lib/capture/preparation.ts";
import { openSpool, spoolIsOn, type SpoolLimits } from "../lib/capture/spool_directory.ts";
import { takePlace } from "../lib/exec/take_place.ts";
import { printable } from "../lib/base/text.ts";
import { say } from "./exit.ts";

export interface WantedSpool {
  readonly directory: string;
  readonly limits: SpoolLimits;
}

/** The recording's path. Does not come back when there is nothing to record, unless the command cannot be run. */
export function spooledOutput(
  { directory, limits }: WantedSpool,
  argv: readonly Uint8Array[],
  words: readonly string[],
  output: string | undefined,
): string {
  if (output !== undefined)
    throw new CaptureError({
      backend: "spool",
      reason: {
        _tag: "Contradiction",
        what: "--spool says where the recording goes, and so does -o",
        instead: "leave out one of them",
      },
    });
  if (!spoolIsOn(directory)) return becomeCommand(argv);
  const run = openSpool(directory, words[0] ?? "command", limits);
  if (typeof run !== "string") return run.path;
  // A service is to run, whatever becomes of its recording.
  say(`tk: ${printable(run)}; the command runs without being recorded`);
  return becomeCommand(argv);
}

function becomeCommand(argv: readonly Uint8Array[]): never {
  requireKernel("spool");
  const [name, ...args] = argv as readonly [Uint8Array, ...Uint8Array[]];
  const inherited = learnInherited();
  const { environment } = inherited;
  const attempts = candidates(name, environment).map((file) => ({ file, name }));
  const errno = takePlace({ program: { attempts, args, environment }, inherited });
  throw commandError(name, errno, "spool");
}

/** Hands on what was expected to go wrong; anything else is a fault of ours. */
export function expected(error: unknown): CaptureError {
  if (error instanceof CaptureError) return error;
  throw error;
}
