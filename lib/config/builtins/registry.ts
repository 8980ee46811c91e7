// All built-in functions by name; several of one name differ in their arguments.
import type { Builtin } from "../builtin.ts";
import { COLLECTION_BUILTINS } from "./collection.ts";
import { CONFIGURATION_BUILTINS } from "./configuration.ts";
import { CONVERSION_BUILTINS } from "./conversion.ts";
import { REFUSED_BUILTINS } from "./refused.ts";
import { TEXT_BUILTINS } from "./text.ts";
import { WORLD_BUILTINS } from "./world.ts";

export const BUILTINS: readonly Builtin[] = [
  ...TEXT_BUILTINS,
  ...COLLECTION_BUILTINS,
  ...CONVERSION_BUILTINS,
  ...WORLD_BUILTINS,
  ...CONFIGURATION_BUILTINS,
];

const byName = new Map<string, Builtin[]>();
for (const entry of BUILTINS) {
  const group = byName.get(entry.name);
  if (group === undefined) byName.set(entry.name, [entry]);
  else group.push(entry);
}

const refused = new Map(REFUSED_BUILTINS.map((entry) => [entry.name, entry.why]));

/** All functions of that name; empty when there is none. */
export function findBuiltins(name: string): readonly Builtin[] {
  return byName.get(name) ?? [];
}

/** Why a function of chalk cannot be called here; undefined when it is none of those. */
export function whyRefused(name: string): string | undefined {
  return refused.get(name);
}

export function builtinNames(): string[] {
  return [...byName.keys()];
}
