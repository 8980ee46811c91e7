// The shape of a configuration: which sections and attributes there are, and of which type. The data is in
// schema_data.ts; here is how a dotted name is looked up in it.
import { nearest } from "../base/nearest.ts";
import { SINK_FIELD_TYPES } from "./sink_fields.ts";
import { ALIASES, ROOT } from "./schema_data.ts";
import type { Type } from "./type.ts";
import { parseTypeText } from "./type_text.ts";

export interface AttributeSpec {
  /** As written in a configuration: `list[string]`. */
  readonly type: string;
  /** As written in a configuration; undefined: no value unless set. */
  readonly fallback: string | undefined;
  readonly doc: string;
  /** chalk has it, tk accepts and ignores it. */
  readonly unused?: boolean;
}

export interface SectionSpec {
  /** Its members have names: `sink_config NAME { ... }`. */
  readonly named: boolean;
  readonly doc: string;
  readonly attributes: Readonly<Record<string, AttributeSpec>>;
  readonly sections: Readonly<Record<string, SectionSpec>>;
  /** Anything may stand in it: the fields depend on something else, or tk does not use it. */
  readonly open?: "sink" | "auth" | "unused";
}

export type Found =
  | { readonly kind: "attribute"; readonly path: readonly string[]; readonly spec: AttributeSpec }
  | { readonly kind: "section"; readonly path: readonly string[]; readonly spec: SectionSpec }
  /** Allowed, but its type is known only from elsewhere, or not at all. */
  | {
      readonly kind: "open";
      readonly path: readonly string[];
      readonly open: NonNullable<SectionSpec["open"]>;
      readonly name: string;
    }
  /** `step` is the first one that means nothing; `message` says why and what was expected. */
  | { readonly kind: "unknown"; readonly step: number; readonly message: string };

function own<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

function quotedNearest(name: string, spec: SectionSpec): string {
  if (name.length < 3) return "";
  const names = nearest(name, [...Object.keys(spec.attributes), ...Object.keys(spec.sections)]);
  return names.length === 0 ? "" : `; did you mean ${names.map((n) => `'${n}'`).join(" or ")}?`;
}

/** What a dotted name means; `as` says what it is used as, since old names of attributes are sections today. */
export function findPath(names: readonly string[], as: "attribute" | "section" | "any" = "any"): Found {
  if (as !== "section") {
    const alias = ALIASES.get(names.join("."));
    if (alias !== undefined) return findPath(alias.split("."), "attribute");
  }
  let spec = ROOT;
  let at = "";
  for (let i = 0; i < names.length; i++) {
    const name = names[i]!;
    const attribute = own(spec.attributes, name);
    if (attribute !== undefined && i === names.length - 1) return { kind: "attribute", path: names, spec: attribute };
    if (attribute !== undefined)
      return { kind: "unknown", step: i, message: `'${at}${name}' is an attribute, but is used as a section here` };
    const section = own(spec.sections, name);
    if (section === undefined) {
      if (spec.open === "unused" || (spec.open !== undefined && i === names.length - 1))
        return { kind: "open", path: names, open: spec.open, name };
      const where = at === "" ? "" : ` of '${at.slice(0, -1)}'`;
      const what = as === "section" && i === names.length - 1 ? "section" : "attribute";
      return { kind: "unknown", step: i, message: `unknown ${what} '${name}'${where}${quotedNearest(name, spec)}` };
    }
    if (section.named && i === names.length - 1 && section.open !== "unused")
      return { kind: "unknown", step: i, message: `'${name}' needs a name, expected ${name} NAME { ... }` };
    at += `${name}.`;
    if (section.named && i < names.length - 1) at += `${names[++i]!}.`;
    spec = section;
    if (spec.open === "unused") return { kind: "open", path: names, open: "unused", name };
  }
  return { kind: "section", path: names, spec };
}

/** The type that an attribute must have; undefined when any will do. */
export function typeOf(found: Found): Type | undefined {
  if (found.kind === "attribute") return parseTypeText(found.spec.type);
  if (found.kind === "open" && found.open === "sink") {
    const type = SINK_FIELD_TYPES.get(found.name);
    return type === undefined ? undefined : parseTypeText(type);
  }
  if (found.kind === "open" && found.open === "auth") return parseTypeText("string");
  return undefined;
}

/** Where a name that is read may stand: in the enclosing sections, the nearest first, then at the top. */
export function placesOf(section: readonly string[], names: readonly string[]): Found[] {
  const places: Found[] = [];
  for (let depth = section.length; depth >= 0; depth--) {
    const found = findPath([...section.slice(0, depth), ...names], "attribute");
    if (found.kind === "attribute") places.push(found);
    if (found.kind === "open" && (found.open === "unused" ? depth === 0 : typeOf(found) !== undefined))
      places.push(found);
  }
  return places;
}
