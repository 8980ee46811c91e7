// A command line that was understood word by word but asks for what cannot be: one sentence, a hint, status 2.
import { Data } from "effect";
import { EXIT } from "./exit.ts";

export class UsageError extends Data.TaggedError("UsageError")<{
  readonly message: string;
  readonly hint?: string;
  readonly details?: readonly string[];
}> {
  readonly exitStatus = EXIT.usage;

  /** `details`: lines that explain it, told first; they must be safe to print. */
  constructor(message: string, hint?: string, details?: readonly string[]) {
    super({ message, ...(hint === undefined ? {} : { hint }), ...(details === undefined ? {} : { details }) });
  }
}
