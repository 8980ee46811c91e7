// The contract of a built-in function: its signature as it would be written, what it says about itself, and what it does.
import type { Diagnostics, Spot } from "./diagnostic.ts";
import { instantiate, type Type } from "./type.ts";
import { parseTypeText } from "./type_text.ts";
import type { Session } from "./session.ts";
import type { Unit } from "./unit.ts";
import type { Value } from "./value.ts";

/** What a call knows besides its arguments. */
export interface Call {
  readonly session: Session;
  readonly problems: Diagnostics;
  readonly spot: Spot;
  readonly unit: Unit;
  /** The value of a variable or attribute as the caller sees it; undefined when there is none. */
  lookUp(dotted: string): Value | undefined;
  isBuiltin(name: string): boolean;
  fail(message: string): never;
}

export interface Builtin {
  readonly name: string;
  /** `(string, string) -> bool`; variadic arguments as `*`a`. */
  readonly signature: string;
  readonly doc: string;
  run(args: readonly Value[], call: Call): Value | undefined;
}

/** Functions of chalk that a configuration of tk cannot call, and why. */
export interface RefusedBuiltin {
  readonly name: string;
  readonly why: string;
}

export function builtin(written: string, doc: string, run: Builtin["run"]): Builtin {
  const open = written.indexOf("(");
  return { name: written.slice(0, open), signature: written.slice(open), doc, run };
}

export function signatureOf(entry: Builtin): Extract<Type, { readonly kind: "func" }> {
  const type = instantiate(parseTypeText(`func ${entry.signature}`));
  return type as Extract<Type, { readonly kind: "func" }>;
}
