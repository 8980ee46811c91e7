// Why no settings could be made: what is wrong in the files, or why a file could not be read or kept. Ends tk before anything is started.
import { type Diagnostic, formatDiagnostic } from "../config/diagnostic.ts";

export class ConfigError extends Error {
  readonly _tag = "ConfigError";
  override readonly name = "ConfigError";
  /** What is wrong in the files, as it is printed: places, source lines and carets; safe to print. */
  readonly details: readonly string[];
  readonly diagnostics: readonly Diagnostic[];
  readonly hint: string | undefined;
  readonly exitStatus = 1;

  constructor(
    message: string,
    more: { readonly diagnostics?: readonly Diagnostic[]; readonly hint?: string | undefined } = {},
  ) {
    super(message);
    this.diagnostics = more.diagnostics ?? [];
    this.details = this.diagnostics.map(formatDiagnostic);
    this.hint = more.hint;
  }
}
