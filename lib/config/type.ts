// The types of the c4m language: how they are written, and whether two of them can be the same (unification).
// Variables are bound in place while a configuration is checked; nothing here evaluates anything.

export const SIMPLE_TYPES = [
  "bool",
  "int",
  "float",
  "char",
  "string",
  "void",
  "Duration",
  "IPAddr",
  "CIDR",
  "Size",
  "Date",
  "Time",
  "DateTime",
] as const;
export type SimpleName = (typeof SIMPLE_TYPES)[number];

export interface TypeVariable {
  readonly kind: "variable";
  /** As written; a made-up one has none. */
  readonly name: string;
  bound: Type | undefined;
}

export type Type =
  | { readonly kind: SimpleName }
  | { readonly kind: "list"; readonly of: Type }
  | { readonly kind: "dict"; readonly key: Type; readonly value: Type }
  | { readonly kind: "tuple"; readonly items: readonly Type[] }
  | { readonly kind: "typespec"; readonly of: Type | undefined }
  | { readonly kind: "func"; readonly formals: readonly Type[]; readonly variadic: boolean; readonly result: Type }
  | { readonly kind: "or"; readonly choices: readonly Type[] }
  | TypeVariable;

const simple = new Map(SIMPLE_TYPES.map((kind): [string, Type] => [kind, { kind }]));

export function simpleType(name: string): Type | undefined {
  return simple.get(name);
}

export const BOOL = simple.get("bool")!;
export const INT = simple.get("int")!;
export const FLOAT = simple.get("float")!;
export const CHAR = simple.get("char")!;
export const STRING = simple.get("string")!;
export const VOID = simple.get("void")!;
export const DURATION = simple.get("Duration")!;

export function listOf(of: Type): Type {
  return { kind: "list", of };
}

export function dictOf(key: Type, value: Type): Type {
  return { kind: "dict", key, value };
}

export function freshVariable(name = ""): TypeVariable {
  return { kind: "variable", name, bound: undefined };
}

/** What a variable stands for so far. */
export function resolve(type: Type): Type {
  let t = type;
  while (t.kind === "variable" && t.bound !== undefined) t = t.bound;
  return t;
}

function occurs(variable: TypeVariable, type: Type): boolean {
  const t = resolve(type);
  switch (t.kind) {
    case "variable":
      return t === variable;
    case "list":
      return occurs(variable, t.of);
    case "dict":
      return occurs(variable, t.key) || occurs(variable, t.value);
    case "tuple":
      return t.items.some((item) => occurs(variable, item));
    case "func":
      return t.formals.some((f) => occurs(variable, f)) || occurs(variable, t.result);
    case "or":
      return t.choices.some((c) => occurs(variable, c));
    case "typespec":
      return t.of !== undefined && occurs(variable, t.of);
    default:
      return false;
  }
}

/** Bindings made since; undone when an attempt fails, so that overloads can be tried one after the other. */
export class Trail {
  private readonly bound: TypeVariable[] = [];

  bind(variable: TypeVariable, type: Type): void {
    variable.bound = type;
    this.bound.push(variable);
  }

  absorb(other: Trail): void {
    this.bound.push(...other.bound);
  }

  undo(): void {
    for (const variable of this.bound) variable.bound = undefined;
    this.bound.length = 0;
  }
}

/** Makes both the same, or says that they cannot be; a failed attempt leaves its bindings on `trail`. */
function same(a: Type, b: Type, trail: Trail): boolean {
  const x = resolve(a);
  const y = resolve(b);
  if (x === y) return true;
  if (x.kind === "variable" || y.kind === "variable") {
    const [variable, other] = x.kind === "variable" ? [x, y] : [y as TypeVariable, x];
    if (occurs(variable, other)) return false;
    trail.bind(variable, other);
    return true;
  }
  if (x.kind === "or") return x.choices.some((choice) => attempt(choice, y, trail));
  if (y.kind === "or") return y.choices.some((choice) => attempt(x, choice, trail));
  if (x.kind === "list" && y.kind === "list") return same(x.of, y.of, trail);
  if (x.kind === "dict" && y.kind === "dict") return same(x.key, y.key, trail) && same(x.value, y.value, trail);
  if (x.kind === "tuple" && y.kind === "tuple")
    return x.items.length === y.items.length && x.items.every((item, i) => same(item, y.items[i]!, trail));
  if (x.kind === "typespec" && y.kind === "typespec")
    return x.of === undefined || y.of === undefined || same(x.of, y.of, trail);
  if (x.kind === "func" && y.kind === "func") {
    if (x.variadic || y.variadic) return same(x.result, y.result, trail);
    return (
      x.formals.length === y.formals.length &&
      x.formals.every((formal, i) => same(formal, y.formals[i]!, trail)) &&
      same(x.result, y.result, trail)
    );
  }
  return x.kind === y.kind;
}

function attempt(a: Type, b: Type, trail: Trail): boolean {
  const own = new Trail();
  if (!same(a, b, own)) {
    own.undo();
    return false;
  }
  trail.absorb(own);
  return true;
}

/** The same for every pair, all or nothing; the trail undoes it. Undefined when it cannot be. */
export function unifyAll(a: readonly Type[], b: readonly Type[]): Trail | undefined {
  const trail = new Trail();
  if (a.length === b.length && a.every((type, i) => same(type, b[i]!, trail))) return trail;
  trail.undo();
  return undefined;
}

/** Parts of a type, counted up to `limit`: hostile types double with every line. */
export function sizeOfType(type: Type, limit: number): number {
  const t = resolve(type);
  const sum = (parts: readonly Type[]) => {
    let size = 1;
    for (const part of parts) {
      if (size >= limit) return size;
      size += sizeOfType(part, limit - size);
    }
    return size;
  };
  switch (t.kind) {
    case "list":
      return sum([t.of]);
    case "dict":
      return sum([t.key, t.value]);
    case "tuple":
      return sum(t.items);
    case "func":
      return sum([...t.formals, t.result]);
    case "or":
      return sum(t.choices);
    default:
      return 1;
  }
}

/** Whether anything about a type is still open. */
export function isOpen(type: Type): boolean {
  const t = resolve(type);
  switch (t.kind) {
    case "variable":
      return true;
    case "list":
      return isOpen(t.of);
    case "dict":
      return isOpen(t.key) || isOpen(t.value);
    case "tuple":
      return t.items.some(isOpen);
    default:
      return false;
  }
}

/** Makes two types the same where that is possible; changes nothing where it is not. */
export function unify(a: Type, b: Type): boolean {
  const trail = new Trail();
  if (same(a, b, trail)) return true;
  trail.undo();
  return false;
}

/** A copy with variables of its own, so that a function can be used at several types. */
export function instantiate(type: Type, copies: Map<TypeVariable, Type> = new Map()): Type {
  const t = resolve(type);
  switch (t.kind) {
    case "variable": {
      let copy = copies.get(t);
      if (copy === undefined) copies.set(t, (copy = freshVariable(t.name)));
      return copy;
    }
    case "list":
      return listOf(instantiate(t.of, copies));
    case "dict":
      return dictOf(instantiate(t.key, copies), instantiate(t.value, copies));
    case "tuple":
      return { kind: "tuple", items: t.items.map((item) => instantiate(item, copies)) };
    case "func":
      return {
        kind: "func",
        formals: t.formals.map((f) => instantiate(f, copies)),
        variadic: t.variadic,
        result: instantiate(t.result, copies),
      };
    case "or":
      return { kind: "or", choices: t.choices.map((c) => instantiate(c, copies)) };
    case "typespec":
      return { kind: "typespec", of: t.of === undefined ? undefined : instantiate(t.of, copies) };
    default:
      return t;
  }
}

/** As it would be written in a configuration. */
export function printType(type: Type): string {
  const t = resolve(type);
  switch (t.kind) {
    case "variable":
      return t.name === "" ? "any type" : `\`${t.name}`;
    case "list":
      return `list[${printType(t.of)}]`;
    case "dict":
      return `dict[${printType(t.key)}, ${printType(t.value)}]`;
    case "tuple":
      return `tuple[${t.items.map(printType).join(", ")}]`;
    case "typespec":
      return t.of === undefined ? "typespec" : `typespec[${printType(t.of)}]`;
    case "func": {
      const formals = t.formals.map((f, i) => (t.variadic && i === t.formals.length - 1 ? "*" : "") + printType(f));
      return `func (${formals.join(", ")}) -> ${printType(t.result)}`;
    }
    case "or":
      return t.choices.map(printType).join(" or ");
    default:
      return t.kind;
  }
}
