// A command line that was understood word by word but asks for what cannot be: one sentence, a hint, status 2.
import { Data } from "effect";
import { EXIT } from "./exit.ts";

export class UsageError extends Data.TaggedError("UsageError")<{ readonly message: string; readonly hint?: string }> {
  readonly exitStatus = EXIT.usage;

  constructor(message: string, hint?: string) {
    super(hint === undefined ? { message } : { message, hint });
  }
}
