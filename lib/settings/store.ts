// What `tk load` keeps: the texts of the loaded files, in order, and the answers to their parameters; one JSON file that is
// replaced as a whole. A file that is none of ours is refused, never repaired.
import type { Json, JsonObject } from "../base/json_value.ts";
import { readTextFile } from "./trusted_file.ts";

/** A loaded file. */
export interface Component {
  /** The file's name without `.c4m`. */
  readonly name: string;
  /** Its directory, absolute, or what stands before the name in an https address; `-` for standard input. */
  readonly from: string;
  readonly text: string;
  /** Named by `tk load` itself, not only by a `use` in another one. */
  readonly loaded: boolean;
}

export interface Store {
  /** In the order in which they are evaluated. */
  readonly components: readonly Component[];
  /** Answers by parameter: `sink_config.x.uri`, or `var name`. */
  readonly parameters: Readonly<Record<string, Json>>;
}

export const EMPTY_STORE: Store = { components: [], parameters: {} };

const VERSION = 1;
/** Everything that was loaded together. */
const MAX_STORE = 16 << 20;

/** Where a component came from, as people know it. */
export function sourceName(component: Pick<Component, "name" | "from">): string {
  if (component.from === "-") return "<stdin>";
  const slash = component.from.endsWith("/") ? "" : "/";
  return `${component.from}${slash}${component.name}.c4m`;
}

export function isSame(a: Pick<Component, "name" | "from">, b: Pick<Component, "name" | "from">): boolean {
  return a.name === b.name && a.from === b.from;
}

export function storeText(store: Store): string {
  const components = store.components.map(({ name, from, text, loaded }) => ({ name, from, text, loaded }));
  return JSON.stringify({ version: VERSION, components, parameters: store.parameters }, undefined, 1) + "\n";
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function toComponent(value: unknown): Component | undefined {
  if (!isObject(value)) return undefined;
  const { name, from, text, loaded } = value;
  if (typeof name !== "string" || typeof from !== "string" || typeof text !== "string") return undefined;
  return { name, from, text, loaded: loaded !== false };
}

/** The store that a text is; a sentence when it is none. */
export function parseStore(text: string): Store | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return "it is no JSON";
  }
  if (!isObject(value)) return "it is no object";
  if (value["version"] !== VERSION) return `its version is ${JSON.stringify(value["version"])}, expected ${VERSION}`;
  const list = value["components"];
  const components = Array.isArray(list) ? list.map(toComponent) : [undefined];
  const parameters = value["parameters"] ?? {};
  if (components.includes(undefined) || !isObject(parameters)) return "its components or parameters are damaged";
  return { components: components.filter((c) => c !== undefined), parameters };
}

export type ReadStore =
  | { readonly kind: "store"; readonly store: Store }
  | { readonly kind: "missing" }
  | { readonly kind: "distrusted"; readonly why: string }
  | { readonly kind: "damaged"; readonly why: string };

export function readStore(path: string): ReadStore {
  const file = readTextFile(path, MAX_STORE, false);
  if (file.kind === "missing") return file;
  if (file.kind === "refused") return { kind: "distrusted", why: file.why };
  const store = parseStore(file.text);
  return typeof store === "string" ? { kind: "damaged", why: store } : { kind: "store", store };
}
