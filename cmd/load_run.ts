// What `tk load` does once its words are understood: answers to parameters, the load itself, and what holds afterwards.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline/promises";
import { Effect } from "effect";
import type { Json, JsonObject } from "../lib/base/json_value.ts";
import { printable } from "../lib/base/text.ts";
import { formatDiagnostic } from "../lib/config/diagnostic.ts";
import type { DeclaredParameter } from "../lib/config/session.ts";
import { print } from "../lib/config/value.ts";
import { ConfigError } from "../lib/settings/config_error.ts";
import { loadFile } from "../lib/settings/load_file.ts";
import { sourceName, type Store } from "../lib/settings/store.ts";
import { say } from "./exit.ts";
import { note } from "./tell.ts";

export interface LoadCommand {
  readonly what: string;
  readonly replace: boolean;
  readonly all: boolean;
  readonly params: boolean;
}

export const run = (c: LoadCommand): Effect.Effect<void, ConfigError> =>
  Effect.gen(function* () {
    const answers = c.params ? yield* readAnswers(c.what) : {};
    const isInteractive = !c.params && process.stdin.isTTY && process.stderr.isTTY && c.what !== "-";
    const loaded = yield* loadFile({
      ...c,
      answers,
      ask: isInteractive ? ask : undefined,
      environment: process.env,
      directory: process.cwd(),
    });
    for (const { level, text } of loaded.messages)
      if (level !== "trace") note(level === "echo" ? text : `${level}: ${text}`);
    for (const diagnostic of loaded.notes) say(formatDiagnostic(diagnostic));
    if (loaded.source !== undefined) note(`loaded ${loaded.source}`);
    tellActive(loaded.store);
  });

function tellActive(store: Store): void {
  const names = store.components.filter((c) => c.loaded).map(sourceName);
  if (names.length === 0) note("nothing is loaded now; the defaults hold");
  else note(`active now, a later one wins: ${names.join(", ")}`);
}

const readAnswers = (what: string): Effect.Effect<JsonObject, ConfigError> =>
  Effect.try({
    try: () => {
      if (what === "-") throw new Error("standard input cannot be both the file and the answers");
      const value = JSON.parse(readFileSync(0, "utf8")) as Json;
      if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Error("no JSON object");
      return value as JsonObject;
    },
    catch: (error) =>
      new ConfigError(`Cannot read the answers of --params: ${error instanceof Error ? error.message : String(error)}`),
  });

async function ask(parameter: DeclaredParameter): Promise<string> {
  const { shortdoc, doc, path, value, sensitive } = parameter;
  if (doc !== "") say(printable(doc.slice(0, 1000)));
  const shown = value === undefined || sensitive ? "" : ` [${print(value)}]`;
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await lines.question(printable(`${shortdoc === "" ? path : shortdoc} (${path})${shown}: `));
  } finally {
    lines.close();
  }
}
