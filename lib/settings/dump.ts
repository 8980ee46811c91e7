// What `tk dump` prints: the loaded files as `use` lines, their texts, the answers to parameters, or everything as JSON.
import { jsonText } from "../base/json_value.ts";
import { printable } from "../base/text.ts";
import { ConfigError } from "./config_error.ts";
import { type Environment, userStore } from "./places.ts";
import { type Component, EMPTY_STORE, readStore, sourceName, type Store, storeText } from "./store.ts";

export type DumpKind = "uses" | "cache" | "params" | "all";

/** What is loaded now. */
export function readLoaded(environment: Environment): Store {
  const path = userStore(environment);
  const read = readStore(path);
  if (read.kind === "store") return read.store;
  if (read.kind === "missing") return EMPTY_STORE;
  throw new ConfigError(`Cannot read what was loaded, '${path}': ${read.why}`, {
    hint: "`tk load default` begins anew",
  });
}

function quoted(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`;
}

/** A line that loads it again; names that are no identifiers stand in quotes. */
export function useLine({ name, from }: Pick<Component, "name" | "from">): string {
  if (from === "-") return "# Standard input was loaded, too: `tk dump cache` shows it, `tk dump all` keeps it.";
  const word = /^[\p{L}_][\p{L}\p{N}_]*$/u.test(name) ? name : quoted(name);
  return printable(`use ${word} from ${quoted(from)}`);
}

export function dumpText(store: Store, kind: DumpKind): string {
  switch (kind) {
    case "all":
      return storeText(store);
    case "params":
      return `${jsonText(store.parameters, 2)}\n`;
    case "cache":
      return store.components.length === 0 ? NOTHING : store.components.map(sourceText).join("\n");
    case "uses": {
      const loaded = store.components.filter((c) => c.loaded);
      return loaded.length === 0 ? NOTHING : loaded.map((c) => `${useLine(c)}\n`).join("");
    }
  }
}

const NOTHING = "# Nothing is loaded: the default configuration is empty.\n";

function sourceText(component: Component): string {
  const { text } = component;
  return `# ${printable(sourceName(component))}\n${text}${text.endsWith("\n") ? "" : "\n"}`;
}
