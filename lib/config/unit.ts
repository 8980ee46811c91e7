// One configuration file on its way from text to effect: its statements, functions and exported variables,
// and the other files it uses. Filled by the checker, run by the evaluator.
import type { FunctionDefinition, Program, UseStatement } from "./ast.ts";
import type { Type, TypeVariable } from "./type.ts";
import type { Value } from "./value.ts";

export interface FunctionInfo {
  readonly definition: FunctionDefinition;
  readonly unit: Unit;
  /** Argument types in order and the result; variables are bound while the body is checked. */
  readonly formals: readonly Type[];
  readonly result: TypeVariable;
  state: "new" | "checking" | "done";
  /** Whether anything gives it a result. */
  returns: boolean;
}

export interface Unit {
  readonly program: Program;
  readonly functions: Map<string, FunctionInfo>;
  readonly enums: Map<string, bigint>;
  /** Exported variables: their types, and once they have one their values. */
  readonly exports: Map<string, { readonly type: Type; value: Value | undefined }>;
  /** What the `use` statements named. */
  readonly uses: Map<UseStatement, Unit>;
  state: "checking" | "checked" | "evaluating" | "evaluated";
}

export function newUnit(program: Program): Unit {
  return {
    program,
    functions: new Map(),
    enums: new Map(),
    exports: new Map(),
    uses: new Map(),
    state: "checking",
  };
}

/** The function of that name: the file's own, then those of the files it uses. */
export function findFunction(unit: Unit, name: string): FunctionInfo | undefined {
  const own = unit.functions.get(name);
  if (own !== undefined) return own;
  for (const used of unit.uses.values()) {
    const info = used.functions.get(name);
    if (info !== undefined) return info;
  }
  return undefined;
}

export function findExport(unit: Unit, name: string): { readonly type: Type; value: Value | undefined } | undefined {
  const own = unit.exports.get(name);
  if (own !== undefined) return own;
  for (const used of unit.uses.values()) {
    const found = used.exports.get(name);
    if (found !== undefined) return found;
  }
  return undefined;
}

export function findEnum(unit: Unit, name: string): bigint | undefined {
  const own = unit.enums.get(name) ?? CONSTANTS.get(name);
  if (own !== undefined) return own;
  for (const used of unit.uses.values()) {
    const found = used.enums.get(name);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Kinds of keys in `keyspec`, as the original numbers them. */
export const CONSTANTS: ReadonlyMap<string, bigint> = new Map([
  ["ChalkTimeHost", 0n],
  ["ChalkTimeArtifact", 1n],
  ["RunTimeArtifact", 2n],
  ["RunTimeHost", 3n],
]);
