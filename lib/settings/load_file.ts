// `tk load`: takes a file in, checks that everything that is loaded then still makes sense together, and keeps it.
// Whatever goes wrong, what was loaded before stays as it was.
import { basename, dirname } from "node:path";
import { Effect } from "effect";
import type { Json, JsonObject } from "../base/json_value.ts";
import { Configuration } from "../config/configuration.ts";
import type { Diagnostic } from "../config/diagnostic.ts";
import { MAX_FILE_SIZE } from "../config/parser.ts";
import type { DeclaredParameter } from "../config/session.ts";
import { SourceText } from "../config/source_text.ts";
import { ComponentSource, isAddress } from "./component_source.ts";
import { ConfigError } from "./config_error.ts";
import { hostOf, type Run } from "./facts.ts";
import { fetchFile } from "./fetch_file.ts";
import { knownNames } from "./known_names.ts";
import type { ConfigMessage } from "./load_settings.ts";
import { absolute, userStore } from "./places.ts";
import { type Component, EMPTY_STORE, isSame, parseStore, sourceName, type Store } from "./store.ts";
import { changeStore } from "./store_file.ts";
import { readTextFile } from "./trusted_file.ts";

export interface LoadOptions {
  /** A file, an https address, `-`, or `default`. */
  readonly what: string;
  /** Forget what was loaded before. */
  readonly replace: boolean;
  /** The file is what `tk dump all` wrote. */
  readonly all: boolean;
  /** Answers to parameters, by name. */
  readonly answers: JsonObject;
  /** Asks somebody who is there; undefined: nobody is. An empty answer means the default. */
  readonly ask: ((parameter: DeclaredParameter) => Promise<string>) | undefined;
  readonly environment: Run["environment"];
  readonly directory: string;
}

export interface Loaded {
  readonly store: Store;
  /** What was loaded now; undefined after `default` and `--all`. */
  readonly source: string | undefined;
  readonly notes: readonly Diagnostic[];
  readonly messages: readonly ConfigMessage[];
}

export const loadFile = (options: LoadOptions): Effect.Effect<Loaded, ConfigError> =>
  Effect.tryPromise({
    try: () => load(options),
    catch: (error) => {
      if (error instanceof ConfigError) return error;
      throw error;
    },
  });

async function load(options: LoadOptions): Promise<Loaded> {
  const path = userStore(options.environment);
  if (options.what === "default")
    return changeStore(path, true, () =>
      Promise.resolve({ store: EMPTY_STORE, source: undefined, notes: [], messages: [] }),
    );
  if (options.all) {
    const store = parseStore((await readSource(options)).text);
    if (typeof store === "string") throw new ConfigError(`Cannot load '${options.what}' as a dump: ${store}`);
    return changeStore(path, true, () => settle(store, undefined, options));
  }
  const component = await readSource(options);
  return changeStore(path, options.replace, (before) => {
    const others = before.components.filter((c) => !isSame(c, component));
    return settle({ ...before, components: [...others, component] }, component, options);
  });
}

async function readSource({ what, directory, environment }: LoadOptions): Promise<Component> {
  if (what === "-") return { name: "stdin", from: "-", text: readPlace("/dev/stdin", "standard input"), loaded: true };
  if (isAddress(what)) {
    const text = await fetchFile(what);
    const plain = what.replace(/[?#].*$/, "");
    const slash = plain.lastIndexOf("/");
    return { name: plain.slice(slash + 1).replace(/\.c4m$/, ""), from: plain.slice(0, slash), text, loaded: true };
  }
  const path = absolute(what, directory, environment);
  const named = path.endsWith(".c4m") || readTextFile(path, 0, true).kind !== "missing" ? path : `${path}.c4m`;
  const text = readPlace(named, what);
  return { name: basename(named).replace(/\.c4m$/, ""), from: dirname(named), text, loaded: true };
}

function readPlace(path: string, what: string): string {
  const file = readTextFile(path, MAX_FILE_SIZE, true);
  if (file.kind === "text") return file.text;
  throw new ConfigError(`Cannot load '${what}': ${file.kind === "missing" ? "there is no such file" : file.why}`);
}

/** Files at https addresses that files at https addresses use, and so on. */
const MAX_FETCHES = 20;
/** Questions and their answers. */
const MAX_ROUNDS = 50;

/** Evaluates the candidate, fetching and asking until nothing is missing. */
async function settle(store: Store, fresh: Component | undefined, options: LoadOptions): Promise<Loaded> {
  const sources = new ComponentSource(store.components, options.directory, {
    canFetch: true,
    reread: fresh === undefined ? [] : [sourceName(fresh)],
  });
  const answers: Record<string, Json> = { ...store.parameters, ...named(options.answers) };
  const asked = new Set<string>();
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const trial = evaluate(store, sources, answers, options);
    if (sources.wanted.size > 0 && sources.fresh.size < MAX_FETCHES) {
      for (const address of sources.wanted) sources.supply(address, await fetchFile(address));
      continue;
    }
    const open = trial.parameters.filter((p) => answers[keyOf(p)] === undefined && !asked.has(keyOf(p)));
    if (open.length > 0 && options.ask !== undefined) {
      for (const parameter of open) {
        asked.add(keyOf(parameter));
        const answer = toAnswer(await options.ask(parameter), parameter);
        if (answer !== undefined) answers[keyOf(parameter)] = answer;
      }
      continue;
    }
    return { ...trial.finish(fresh), source: fresh === undefined ? undefined : sourceName(fresh) };
  }
  throw new ConfigError("Cannot load: the file asks for more and more");
}

function evaluate(
  store: Store,
  sources: ComponentSource,
  answers: Readonly<Record<string, Json>>,
  options: LoadOptions,
) {
  const messages: ConfigMessage[] = [];
  const configuration = new Configuration({
    ...hostOf({ ...options, commandName: "load", commandArguments: [options.what] }),
    log: (level, text) => messages.push({ level, text }),
    component: (name, from, by) => sources.find(name, from, by),
    parameter: (path) => answers[path],
  });
  const top = store.components.filter((c) => c.loaded);
  for (const component of top) configuration.add(new SourceText(sourceName(component), component.text));
  return {
    parameters: configuration.parameters,
    finish: (fresh: Component | undefined) => {
      for (const p of configuration.parameters)
        if (p.value === undefined)
          throw new ConfigError(`Cannot load: the parameter '${p.path}' has no answer and no default`, {
            hint: `Give it as JSON: echo '{"${p.path}": ...}' | tk load --params ${options.what}`,
          });
      const result = configuration.finish(knownNames());
      if (result.isErr())
        throw new ConfigError(
          `Could not load ${fresh === undefined ? `'${options.what}'` : `'${sourceName(fresh)}'`}, nothing was changed`,
          { diagnostics: result.error },
        );
      const used = sources.used().filter((c) => !top.some((t) => isSame(t, c)));
      const mine = new Set(configuration.parameters.map(keyOf));
      const parameters = Object.fromEntries(Object.entries(answers).filter(([key]) => mine.has(key)));
      return { store: { components: [...top, ...used], parameters }, notes: result.value.notes, messages };
    },
  };
}

function keyOf(parameter: DeclaredParameter): string {
  return parameter.isVariable ? `var ${parameter.path}` : parameter.path;
}

/** Answers may name a variable with or without `var`. */
function named(answers: JsonObject): JsonObject {
  const both = Object.entries(answers).flatMap(([key, value]): [string, Json][] =>
    key.startsWith("var ") || key.includes(".")
      ? [[key, value]]
      : [
          [key, value],
          [`var ${key}`, value],
        ],
  );
  return Object.fromEntries(both);
}

/** What somebody typed, as the type that the default has. */
function toAnswer(typed: string, { value }: DeclaredParameter): Json | undefined {
  const text = typed.trim();
  if (text === "") return undefined;
  if (typeof value === "boolean") return /^(y|yes|true|on|1)$/i.test(text);
  if ((typeof value === "bigint" || typeof value === "number") && Number.isFinite(Number(text))) return Number(text);
  if (Array.isArray(value)) return text.split(",").map((part) => part.trim());
  return text;
}
