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

/** A value in a message, not too long. */
export function shown(value: Value): string {
  const text = printSource(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

/** A section or object: what is set in it, and what is in it, in the order in which they came into being. */
interface Section {
  readonly attributes: Map<string, StoredAttribute>;
  readonly sections: Map<string, Section>;
  readonly spot: Spot | undefined;
}

function newSection(spot: Spot | undefined): Section {
  return { attributes: new Map(), sections: new Map(), spot };
}

export class AttributeTree {
  private readonly root = newSection(undefined);
  private readonly problems: Diagnostics;

  constructor(problems: Diagnostics) {
    this.problems = problems;
  }

  private find(path: readonly string[]): Section | undefined {
    let section: Section | undefined = this.root;
    for (const name of path) section = section?.sections.get(name);
    return section;
  }

  /** The section, which comes into being here when it is new. */
  enter(path: readonly string[], spot: Spot | undefined): Section {
    let section = this.root;
    for (const name of path) {
      let inner = section.sections.get(name);
      if (inner === undefined) section.sections.set(name, (inner = newSection(spot)));
      section = inner;
    }
    return section;
  }

  override(path: readonly string[], value: Value): void {
    this.enter(path.slice(0, -1), undefined).attributes.set(path.at(-1)!, {
      path,
      value,
      spot: undefined,
      locked: true,
    });
  }

  set(path: readonly string[], value: Value, spot: Spot, locked: boolean): void {
    const { attributes } = this.enter(path.slice(0, -1), spot);
    const name = path.at(-1)!;
    const before = attributes.get(name);
    if (before === undefined) {
      attributes.set(name, { path, value, spot, locked });
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
    attributes.set(name, { path, value, spot: isSame ? before.spot : spot, locked: locked || before.locked });
  }

  get(path: readonly string[]): StoredAttribute | undefined {
    return this.find(path.slice(0, -1))?.attributes.get(path.at(-1)!);
  }

  /** Names of the objects of a named section, such as all `sink_config`s; in the order in which they came into being. */
  objects(path: readonly string[]): string[] {
    return [...(this.find(path)?.sections.keys() ?? [])];
  }

  hasObject(path: readonly string[], name: string): boolean {
    return this.find(path)?.sections.has(name) === true;
  }

  /** Attributes directly in a section, by name. */
  fields(path: readonly string[]): ReadonlyMap<string, StoredAttribute> {
    return this.find(path)?.attributes ?? NO_FIELDS;
  }

  sectionSpot(path: readonly string[]): Spot | undefined {
    return this.find(path)?.spot;
  }
}

const NO_FIELDS: ReadonlyMap<string, StoredAttribute> = new Map();
