// The settings that hold for a run: defaults, then what travels with the program, then what this user loaded, then the
// configuration file, with the command line's own values above all. Reads files; starts and changes nothing.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { err, ok, type Result } from "neverthrow";
import { Configuration, type Override } from "../config/configuration.ts";
import { type Diagnostic } from "../config/diagnostic.ts";
import type { LogLevel, Settings } from "../config/settings.ts";
import { MAX_FILE_SIZE } from "../config/parser.ts";
import { SourceText } from "../config/source_text.ts";
import { ComponentSource } from "./component_source.ts";
import { ConfigError } from "./config_error.ts";
import { hostOf, type Run } from "./facts.ts";
import { knownNames } from "./known_names.ts";
import { absolute, type Environment, FILE_NAMES, programStore, searchPath, userStore } from "./places.ts";
import { type Component, readStore, sourceName, type Store } from "./store.ts";
import { readTextFile } from "./trusted_file.ts";

export interface SettingsOptions {
  /** `--config-file`: this file and no other is the external one. */
  readonly configFile?: string | undefined;
  /** Flags that set attributes; no file can replace them. */
  readonly overrides?: readonly Override[];
  /** `--no-use-embedded-config`: false ignores what was loaded. */
  readonly useLoaded?: boolean;
  /** `--no-use-external-config`: false looks for no file. */
  readonly useExternal?: boolean;
  readonly commandName: string;
  readonly commandArguments?: readonly string[];
  readonly environment?: Environment;
  /** Where tk was started. */
  readonly directory?: string;
}

/** What a configuration said by itself: `info("...")`. */
export interface ConfigMessage {
  readonly level: LogLevel | "echo";
  readonly text: string;
}

export interface LoadedSettings {
  readonly settings: Settings;
  /** Warnings and remarks about the files. Show warnings; show the rest when asked. */
  readonly notes: readonly Diagnostic[];
  readonly messages: readonly ConfigMessage[];
  /** Files that took part, in order. */
  readonly files: readonly string[];
  /** The external file's text, when there was one. */
  readonly external: SourceText | undefined;
}

function remark(severity: Diagnostic["severity"], message: string): Diagnostic {
  return { severity, place: undefined, message, sourceLine: "" };
}

/** Without Effect: a program under `tk exec` waits for what is loaded here. */
export function readSettings(options: SettingsOptions): Result<LoadedSettings, ConfigError> {
  const run: Run = {
    environment: options.environment ?? process.env,
    directory: options.directory ?? process.cwd(),
    commandName: options.commandName,
    commandArguments: options.commandArguments ?? [],
  };
  const remarks: Diagnostic[] = [];
  const messages: ConfigMessage[] = [];
  const stores = readStores(run, options.useLoaded !== false, remarks);
  if (stores instanceof ConfigError) return err(stores);
  const components = stores.flatMap((store) => store.components);
  const parameters = Object.assign({}, ...stores.map((store) => store.parameters)) as Store["parameters"];
  const sources = new ComponentSource(components, run.directory);
  const configuration = new Configuration(
    {
      ...hostOf(run),
      log: (level, text) => messages.push({ level, text }),
      component: (name, from, by) => sources.find(name, from, by),
      parameter: (path) => (Object.hasOwn(parameters, path) ? parameters[path] : undefined),
    },
    options.overrides,
  );
  const files: string[] = [];
  const add = (source: SourceText) => {
    files.push(source.name);
    configuration.add(source);
  };
  for (const component of components) if (component.loaded) add(new SourceText(sourceName(component), component.text));
  const external = findExternal(options, run, configuration, remarks);
  if (external instanceof ConfigError) return err(external);
  if (external !== undefined) add(external);
  return configuration.finish(knownNames()).match<Result<LoadedSettings, ConfigError>>(
    ({ settings, notes }) => ok({ settings, notes: [...remarks, ...notes], messages, files, external }),
    (diagnostics) =>
      err(
        new ConfigError("Could not use the configuration, nothing was started", {
          diagnostics,
          hint: adviceFor(diagnostics, components),
        }),
      ),
  );
}

function adviceFor(diagnostics: readonly Diagnostic[], components: readonly Component[]): string | undefined {
  const loaded = new Set(components.map(sourceName));
  return diagnostics.some((d) => d.place !== undefined && loaded.has(d.place.file))
    ? "The file was loaded: correct it and `tk load` it again, or forget everything with `tk load default`"
    : undefined;
}

function readStores(run: Run, wanted: boolean, remarks: Diagnostic[]): Store[] | ConfigError {
  const stores: Store[] = [];
  if (!wanted) return stores;
  for (const path of [programStore(process.execPath), userStore(run.environment)]) {
    const read = readStore(path);
    if (read.kind === "store") stores.push(read.store);
    if (read.kind === "distrusted") remarks.push(remark("warning", `'${path}' is not used: ${read.why}`));
    if (read.kind === "damaged")
      return new ConfigError(`Cannot read what was loaded from '${path}': ${read.why}`, {
        hint: "`tk load default` begins anew",
      });
  }
  return stores;
}

function strings(value: unknown): string[] | undefined {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : undefined;
}

function findExternal(
  options: SettingsOptions,
  run: Run,
  configuration: Configuration,
  remarks: Diagnostic[],
): SourceText | ConfigError | undefined {
  if (options.configFile !== undefined) return readNamed(options.configFile, run);
  if (options.useExternal === false || configuration.peek("load_external_config") === false) return undefined;
  const asked = strings(configuration.peek("config_path"));
  const directories = (asked ?? searchPath(run.environment)).map((d) => absolute(d, run.directory, run.environment));
  const name = configuration.peek("config_filename");
  const names = typeof name === "string" && name !== "" ? [name] : FILE_NAMES;
  for (const directory of new Set(directories))
    for (const file of names) {
      const path = join(directory, file);
      const read = readTextFile(path, MAX_FILE_SIZE, false);
      if (read.kind === "text") return new SourceText(path, read.text);
      if (read.kind === "refused") remarks.push(remark("warning", `'${path}' is not used: ${read.why}`));
    }
  for (const file of names)
    if (!directories.includes(run.directory) && existsSync(join(run.directory, file)))
      remarks.push(
        remark(
          "info",
          `'${join(run.directory, file)}' is not read by itself; --config-file ${file} or tk load uses it`,
        ),
      );
  return undefined;
}

function readNamed(file: string, run: Run): SourceText | ConfigError {
  const path = absolute(file, run.directory, run.environment);
  const read = readTextFile(path, MAX_FILE_SIZE, true);
  if (read.kind === "text") return new SourceText(path, read.text);
  const why = read.kind === "missing" ? "there is no such file" : read.why;
  return new ConfigError(`Cannot read the configuration '${file}': ${why}`);
}
