// The way in: configuration files one after the other, and what they come to. Pure; files come as texts, the world as a host.
import { err, ok, type Result } from "neverthrow";
import { checkFile } from "./checker.ts";
import { ConfigFault, type Diagnostic, Diagnostics } from "./diagnostic.ts";
import { evaluateUnit } from "./evaluator.ts";
import type { ConfigHost } from "./host.ts";
import type { KnownNames } from "./report_settings.ts";
import { findPath, typeOf } from "./schema.ts";
import { type DeclaredParameter, Session } from "./session.ts";
import type { Settings } from "./settings.ts";
import type { SourceText } from "./source_text.ts";
import { toSettings } from "./to_settings.ts";
import { printType } from "./type.ts";
import { parseLiteralAs, type LiteralKind, LITERAL_PARSERS } from "./literal.ts";
import { fits, fromPlain, type Value } from "./value.ts";

/** What a configuration came to. */
export interface Evaluated {
  readonly settings: Settings;
  /** Warnings and remarks, in the order in which they were noticed. */
  readonly notes: readonly Diagnostic[];
  readonly parameters: readonly DeclaredParameter[];
}

/** A value for an attribute that no file can replace: from a flag of the command line. */
export interface Override {
  /** Dotted: `exec.heartbeat.run`. */
  readonly path: string;
  /** Plain data; durations and sizes as text: `10 seconds`. */
  readonly value: boolean | number | string | readonly string[];
}

export class Configuration {
  private readonly problems = new Diagnostics();
  private readonly session: Session;

  constructor(host: ConfigHost, overrides: readonly Override[] = []) {
    this.session = new Session(this.problems, host);
    for (const override of overrides) this.override(override);
  }

  private override({ path, value }: Override): void {
    const found = findPath(path.split("."), "attribute");
    const type = typeOf(found);
    const kind = type?.kind;
    const literal =
      typeof value === "string" && kind !== undefined && kind in LITERAL_PARSERS
        ? parseLiteralAs(kind as LiteralKind, value)
        : undefined;
    const given: Value | undefined = literal ?? fromPlain(value);
    if (found.kind === "unknown" || given === undefined || (type !== undefined && !fits(given, type))) {
      const message =
        found.kind === "unknown"
          ? found.message
          : `'${path}' on the command line is ${JSON.stringify(value)}, expected ${type === undefined ? "a value" : printType(type)}`;
      this.problems.add({ severity: "error", place: undefined, message, sourceLine: "" });
      return;
    }
    this.session.tree.override(found.path, given);
  }

  /** Checks and runs one more file. After an error the next file is still checked, but nothing is run any more. */
  add(source: SourceText): void {
    this.guarded(source, () => {
      const unit = checkFile(source, this.session);
      if (this.problems.errors === 0) evaluateUnit(unit, this.session);
    });
  }

  private guarded(source: SourceText, run: () => void): void {
    try {
      run();
    } catch (error) {
      if (error instanceof ConfigFault) this.problems.add(error.diagnostic);
      else if (error instanceof RangeError)
        // The limits above should make this impossible; a hostile file must still end in a sentence.
        this.problems.error({ source, at: 0 }, "the file is nested too deeply");
      else throw error;
    }
  }

  /** Parameters that the files declared so far. */
  get parameters(): readonly DeclaredParameter[] {
    return this.session.parameters;
  }

  /** A text attribute that decides what is read next, such as `config_filename`; undefined when it was never set. */
  peek(path: string): Value | undefined {
    return this.session.tree.get(path.split("."))?.value;
  }

  /** The settings, or everything that is wrong. */
  finish(known: KnownNames): Result<Evaluated, readonly Diagnostic[]> {
    let settings: Settings | undefined;
    if (this.problems.errors === 0) settings = toSettings(this.session, known);
    const { list } = this.problems;
    if (this.problems.errors > 0 || settings === undefined) return err(list.filter((d) => d.severity === "error"));
    return ok({ settings, notes: [...list], parameters: this.session.parameters });
  }
}
