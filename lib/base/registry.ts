// One pattern for every plug point: a hand-written sorted list of constants, found by id.
// The law test (tests/laws/registry_test.ts) compares each list with its folder.
import { err, ok, type Result } from "neverthrow";
import { nearest } from "./nearest.ts";

export interface Entry {
  /** What people type: kebab-case, unique in its registry. */
  readonly id: string;
  /** One line, a claim without a final period. */
  readonly summary: string;
  /** Other names that mean the same. */
  readonly aliases?: readonly string[];
}

export interface UnknownEntry {
  readonly _tag: "UnknownEntry";
  readonly registry: string;
  readonly id: string;
  readonly nearest: readonly string[];
  readonly known: readonly string[];
}

export interface Registry<E extends Entry> {
  readonly name: string;
  readonly entries: readonly E[];
  find(id: string): Result<E, UnknownEntry>;
  /** Every id and alias, in the order of the entries. */
  names(): string[];
}

export function makeRegistry<E extends Entry>(name: string, entries: readonly E[]): Registry<E> {
  const byName = new Map<string, E>();
  for (const entry of entries)
    for (const id of [entry.id, ...(entry.aliases ?? [])]) {
      if (byName.has(id)) throw new Error(`registry ${name}: two entries are called ${id}`);
      byName.set(id, entry);
    }
  const names = () => [...byName.keys()];
  return {
    name,
    entries,
    names,
    find(id) {
      const entry = byName.get(id);
      if (entry) return ok(entry);
      return err({ _tag: "UnknownEntry", registry: name, id, nearest: nearest(id, names()), known: names() });
    },
  };
}
