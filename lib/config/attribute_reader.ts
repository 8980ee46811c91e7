// Reads attributes of one section out of the tree as plain values, with the checks that types cannot express.
// What was never set, or is wrong, is the default; wrong ones are told with their place.
import { nearest } from "../base/nearest.ts";
import type { AttributeTree, StoredAttribute } from "./attribute_tree.ts";
import { type Diagnostics, type Spot, suggestion } from "./diagnostic.ts";
import type { FieldValue } from "./field_value.ts";
import { toFieldValue, type Value } from "./value.ts";

export class AttributeReader {
  readonly tree: AttributeTree;
  readonly problems: Diagnostics;
  private readonly path: readonly string[];

  constructor(tree: AttributeTree, problems: Diagnostics, path: readonly string[]) {
    this.tree = tree;
    this.problems = problems;
    this.path = path;
  }

  in(...names: readonly string[]): AttributeReader {
    return new AttributeReader(this.tree, this.problems, [...this.path, ...names]);
  }

  stored(name: string): StoredAttribute | undefined {
    return this.tree.get([...this.path, name]);
  }

  /** Where an attribute was set; else where the section began. */
  spot(name: string): Spot | undefined {
    return this.stored(name)?.spot ?? this.tree.sectionSpot(this.path);
  }

  /** An error at an attribute. */
  refuse(name: string, message: string): void {
    this.report("error", name, message);
  }

  warn(name: string, message: string): void {
    this.report("warning", name, message);
  }

  private report(severity: "error" | "warning", name: string, message: string): void {
    const spot = this.spot(name);
    const dotted = [...this.path, name].join(".");
    if (spot === undefined)
      this.problems.add({ severity, place: undefined, message: `${dotted}: ${message}`, sourceLine: "" });
    else if (severity === "error") this.problems.error(spot, message);
    else this.problems.warn(spot, message);
  }

  value(name: string): Value | undefined {
    return this.stored(name)?.value;
  }

  plain(name: string): FieldValue | undefined {
    const value = this.value(name);
    return value === undefined ? undefined : toFieldValue(value);
  }

  bool(name: string, fallback: boolean): boolean {
    const value = this.value(name);
    return typeof value === "boolean" ? value : fallback;
  }

  string(name: string, fallback: string): string {
    const value = this.value(name);
    return typeof value === "string" ? value : fallback;
  }

  /** One of `choices`. */
  choice<C extends string>(name: string, choices: readonly C[], fallback: C): C;
  choice<C extends string>(name: string, choices: readonly C[], fallback: undefined): C | undefined;
  choice<C extends string>(name: string, choices: readonly C[], fallback: C | undefined): C | undefined {
    const value = this.value(name);
    if (typeof value !== "string") return fallback;
    const found = choices.find((choice) => choice === value);
    if (found === undefined)
      this.refuse(name, `'${name}' is '${value}', expected ${listed(choices)}${suggestion(nearest(value, choices))}`);
    return found ?? fallback;
  }

  int(name: string, fallback: number, least: number, most = Number.MAX_SAFE_INTEGER): number {
    const value = this.value(name);
    if (typeof value !== "bigint") return fallback;
    if (value < BigInt(least) || value > BigInt(most)) {
      const range = most === Number.MAX_SAFE_INTEGER ? `${least} or more` : `${least} to ${most}`;
      this.refuse(name, `'${name}' is ${value}, expected ${range}`);
      return fallback;
    }
    return Number(value);
  }

  /** Milliseconds. */
  duration(name: string, fallback: number, least = 0): number {
    const ms = this.plain(name);
    if (typeof ms !== "number") return fallback;
    if (ms > MAX_MS || ms < least) {
      this.refuse(
        name,
        `'${name}' is too ${ms < least ? "short" : "long"}, expected ${least > 0 ? `at least ${least} ms and ` : ""}at most 10 years`,
      );
      return fallback;
    }
    return ms;
  }

  /** Bytes. */
  size(name: string, fallback: number): number {
    const bytes = this.plain(name);
    return typeof bytes === "number" ? bytes : fallback;
  }

  strings(name: string, fallback: readonly string[]): readonly string[] {
    const value = this.plain(name);
    return Array.isArray(value) ? (value as readonly string[]) : fallback;
  }

  dict<V extends string | number>(name: string, fallback: Readonly<Record<string, V>>): Readonly<Record<string, V>> {
    const value = this.plain(name);
    return typeof value === "object" && !Array.isArray(value) ? (value as Readonly<Record<string, V>>) : fallback;
  }

  /** Every element of a list must be one of `choices`. */
  eachOf(name: string, values: readonly string[], choices: readonly string[]): void {
    for (const value of values)
      if (!choices.includes(value))
        this.refuse(
          name,
          `unknown '${value}' in '${name}', expected ${listed(choices)}${suggestion(nearest(value, choices))}`,
        );
  }
}

const MAX_MS = 10 * 365 * 86_400_000;

/** `a, b or c`; long lists are cut. */
export function listed(names: readonly string[]): string {
  if (names.length <= 1) return names.join("");
  const shown = names.slice(0, 20);
  const last = names.length > shown.length ? "..." : shown.pop()!;
  return `${shown.join(", ")} or ${last}`;
}
