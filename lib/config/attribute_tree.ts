// The attributes that a configuration has set, with where it set them, and the sections that came into being.
// Knows locks and the command line's overrides; types were checked before.
import { type Diagnostics, type Spot } from "./diagnostic.ts";
import { formatPlace } from "./source_text.ts";
import { equal, printSource, type Value } from "./value.ts";

export interface StoredAttribute {
  readonly path: readonly string[];
  readonly value: Value;
  /** Undefined: set on the command line, where nothing can replace it. */
  readonly spot: Spot | undefined;
  readonly locked: boolean;
}

const SEPARATOR = "\u001f";

function keyOf(path: readonly string[]): string {
  return path.join(SEPARATOR);
}

/** A value in a message, not too long. */
export function shown(value: Value): string {
  const text = printSource(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

export class AttributeTree {
  private readonly attributes = new Map<string, StoredAttribute>();
  /** Every section and object, in the order in which they came into being. */
  private readonly sections = new Map<string, { readonly path: readonly string[]; readonly spot: Spot | undefined }>();
  private readonly problems: Diagnostics;

  constructor(problems: Diagnostics) {
    this.problems = problems;
  }

  override(path: readonly string[], value: Value): void {
    this.attributes.set(keyOf(path), { path, value, spot: undefined, locked: true });
    this.enter(path.slice(0, -1), undefined);
  }

  enter(path: readonly string[], spot: Spot | undefined): void {
    for (let length = 1; length <= path.length; length++) {
      const part = path.slice(0, length);
      const key = keyOf(part);
      if (!this.sections.has(key)) this.sections.set(key, { path: part, spot });
    }
  }

  set(path: readonly string[], value: Value, spot: Spot, locked: boolean): void {
    this.enter(path.slice(0, -1), spot);
    const key = keyOf(path);
    const before = this.attributes.get(key);
    if (before === undefined) {
      this.attributes.set(key, { path, value, spot, locked });
      return;
    }
    if (before.spot === undefined) return; // The command line's word is the last.
    const isSame = equal(before.value, value);
    if (!isSame) {
      const where = formatPlace(before.spot.source.place(before.spot.at));
      if (before.locked) {
        this.problems.error(
          spot,
          `'${path.join(".")}' is locked since ${where}, where it became ${shown(before.value)}; it cannot become ${shown(value)}`,
        );
        return;
      }
      if (before.spot.source !== spot.source)
        this.problems.info(
          spot,
          `'${path.join(".")}' becomes ${shown(value)} here, instead of ${shown(before.value)} of ${where}`,
        );
    }
    this.attributes.set(key, { path, value, spot: isSame ? before.spot : spot, locked: locked || before.locked });
  }

  get(path: readonly string[]): StoredAttribute | undefined {
    return this.attributes.get(keyOf(path));
  }

  hasSection(path: readonly string[]): boolean {
    return this.sections.has(keyOf(path));
  }

  /** Names of the objects of a named section, such as all `sink_config`s; in the order in which they came into being. */
  objects(path: readonly string[]): string[] {
    const names: string[] = [];
    for (const { path: p } of this.sections.values())
      if (p.length === path.length + 1 && startsWith(p, path)) names.push(p[p.length - 1]!);
    return names;
  }

  /** Attributes directly in a section, by name. */
  fields(path: readonly string[]): Map<string, StoredAttribute> {
    const found = new Map<string, StoredAttribute>();
    for (const attribute of this.attributes.values())
      if (attribute.path.length === path.length + 1 && startsWith(attribute.path, path))
        found.set(attribute.path[path.length]!, attribute);
    return found;
  }

  sectionSpot(path: readonly string[]): Spot | undefined {
    return this.sections.get(keyOf(path))?.spot;
  }
}

function startsWith(path: readonly string[], head: readonly string[]): boolean {
  return head.every((step, i) => path[i] === step);
}
