// What is wrong in a configuration, or worth knowing: a place, a sentence and the source line, told the same way everywhere.
import { printable } from "../base/text.ts";
import { formatPlace, type Place, type SourceText } from "./source_text.ts";

export interface Diagnostic {
  /** `error`: the configuration is refused. `warning`: probably not what was meant. `info`: told when asked. */
  readonly severity: "error" | "warning" | "info";
  /** Undefined for what has no place in a file, such as a value from the command line. */
  readonly place: Place | undefined;
  /** What was wrong, what was expected; no final period. */
  readonly message: string;
  /** The line of the file; empty when there is none to show. */
  readonly sourceLine: string;
}

/** Where in a text: what evaluation carries around instead of places, which cost a search each. */
export interface Spot {
  readonly source: SourceText;
  readonly at: number;
}

export function diagnosticAt(severity: Diagnostic["severity"], spot: Spot, message: string): Diagnostic {
  const place = spot.source.place(spot.at);
  return { severity, place, message, sourceLine: spot.source.line(place.line) };
}

/** Stops the evaluation of a configuration; caught in `configuration.ts`, never seen outside of lib/config but for UserKey. */
export class ConfigFault extends Error {
  override readonly name = "ConfigFault";
  readonly diagnostic: Diagnostic;

  constructor(diagnostic: Diagnostic) {
    super(diagnostic.message);
    this.diagnostic = diagnostic;
  }
}

export function fault(spot: Spot, message: string): ConfigFault {
  return new ConfigFault(diagnosticAt("error", spot, message));
}

/** How many errors are told at once; a file that is no configuration at all would fill the screen. */
export const MAX_ERRORS = 20;

/** Columns of a source line that are shown around a place. */
const SHOWN = 100;

/** `file:3:7: what`, then the line and a caret under the column. Safe to print. */
export function formatDiagnostic(d: Diagnostic): string {
  const where = d.place === undefined ? "" : `${formatPlace(d.place)}: `;
  const head = printable(`${where}${d.severity === "error" ? "" : `${d.severity}: `}${d.message}`);
  if (d.place === undefined || d.sourceLine.trim() === "") return head;
  const characters = [...d.sourceLine];
  const column = d.place.column - 1;
  const from = column > SHOWN - 20 ? column - 40 : 0;
  const before = printable(characters.slice(from, column).join("").replaceAll("\t", " "));
  const after = printable(
    characters
      .slice(column, from + SHOWN)
      .join("")
      .replaceAll("\t", " "),
  );
  return `${head}\n  ${before}${after}\n  ${" ".repeat([...before].length)}^`;
}

/** Errors, capped, and everything else that was noticed. */
export class Diagnostics {
  readonly list: Diagnostic[] = [];
  errors = 0;
  /** A sentence once: the same line may be evaluated many times. */
  private readonly seen = new Set<string>();

  /** More errors would not be told; looking on is of no use. */
  get isFull(): boolean {
    return this.errors >= MAX_ERRORS;
  }

  add(diagnostic: Diagnostic): void {
    if (diagnostic.severity === "error" && ++this.errors > MAX_ERRORS) return;
    if (this.list.length >= 4 * MAX_ERRORS && diagnostic.severity !== "error") return;
    const { place, message } = diagnostic;
    const key = `${place === undefined ? "" : formatPlace(place)} ${message}`;
    if (this.seen.has(key)) {
      if (diagnostic.severity === "error") this.errors--;
      return;
    }
    this.seen.add(key);
    this.list.push(diagnostic);
  }

  error(spot: Spot, message: string): void {
    this.add(diagnosticAt("error", spot, message));
  }

  warn(spot: Spot, message: string): void {
    this.add(diagnosticAt("warning", spot, message));
  }

  info(spot: Spot, message: string): void {
    this.add(diagnosticAt("info", spot, message));
  }
}

/** `did you mean 'a' or 'b'?` with a leading `; `, or nothing. */
export function suggestion(names: readonly string[]): string {
  if (names.length === 0) return "";
  return `; did you mean ${names.map((n) => `'${n}'`).join(" or ")}?`;
}
