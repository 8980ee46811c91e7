// What `use NAME from "PLACE"` means: a file beside the one that says so, in a directory, or at an https address.
import { dirname, resolve } from "node:path";
import { SourceText } from "../config/source_text.ts";
import { MAX_FILE_SIZE } from "../config/parser.ts";
import { type Component, isSame, sourceName } from "./store.ts";
import { readTextFile } from "./trusted_file.ts";

export function isAddress(text: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(text);
}

/** Where a used file is, seen from the file that uses it. */
export function locate(
  name: string,
  from: string | undefined,
  by: string,
  directory: string,
): Pick<Component, "name" | "from"> {
  const bare = name.replace(/\.c4m$/, "");
  if (from !== undefined && isAddress(from)) return { name: bare, from: from.replace(/\/+$/, "") };
  if (isAddress(by)) return { name: bare, from: from === undefined ? by.slice(0, by.lastIndexOf("/")) : from };
  const base = by.startsWith("<") ? directory : dirname(by);
  const place = resolve(base, from ?? ".");
  return { name: bare, from: place };
}

/** Files that come from what was loaded, and else from disk. */
export class ComponentSource {
  private readonly stored: readonly Component[];
  private readonly directory: string;
  /** Read from disk or fetched since, by name. */
  readonly fresh = new Map<string, Component>();
  /** Addresses that are needed and were not fetched yet. */
  readonly wanted = new Set<string>();
  private readonly canFetch: boolean;
  /** What these use is looked up anew: they are just being loaded. */
  private readonly reread: Set<string>;
  private readonly asked = new Map<string, Component>();

  constructor(
    stored: readonly Component[],
    directory: string,
    more: { readonly canFetch?: boolean; readonly reread?: readonly string[] } = {},
  ) {
    this.stored = stored;
    this.directory = directory;
    this.canFetch = more.canFetch ?? false;
    this.reread = new Set(more.reread);
  }

  /** Everything that was found, each once. */
  used(): Component[] {
    return [...this.asked.values()];
  }

  supply(address: string, text: string): void {
    this.wanted.delete(address);
    const slash = address.lastIndexOf("/");
    const name = address.slice(slash + 1).replace(/\.c4m$/, "");
    this.fresh.set(address, { name, from: address.slice(0, slash), text, loaded: false });
  }

  find(name: string, from: string | undefined, by: SourceText): SourceText | string {
    const place = locate(name, from, by.name, this.directory);
    const source = sourceName(place);
    const isAnew = this.reread.has(by.name);
    if (isAnew) this.reread.add(source);
    const stored = this.stored.find((c) => isSame(c, place));
    const known = this.fresh.get(source) ?? (isAnew ? undefined : stored);
    const component = known ?? this.read(place, source) ?? stored;
    if (component === undefined) return this.why(source);
    this.asked.set(source, { ...component, loaded: false });
    return new SourceText(source, component.text);
  }

  private read(place: Pick<Component, "name" | "from">, source: string): Component | undefined {
    if (isAddress(source)) {
      if (this.canFetch && source.startsWith("https://")) this.wanted.add(source);
      return undefined;
    }
    const file = readTextFile(source, MAX_FILE_SIZE, true);
    if (file.kind !== "text") return undefined;
    const component = { ...place, text: file.text, loaded: false };
    this.fresh.set(source, component);
    return component;
  }

  private why(source: string): string {
    if (isAddress(source)) {
      if (!source.startsWith("https://")) return `'${source}' is not fetched, expected an https address`;
      return this.canFetch ? `'${source}' could not be fetched` : `'${source}' was not loaded; tk load fetches it`;
    }
    const file = readTextFile(source, MAX_FILE_SIZE, true);
    return `cannot read '${source}': ${file.kind === "refused" ? file.why : "there is no such file"}`;
  }
}
