// A host of fixed facts for evaluating configurations in tests, and short ways to evaluate one.
import { createHash } from "node:crypto";
import { posix } from "node:path";
import { Configuration, type Evaluated, type Override } from "../../lib/config/configuration.ts";
import { type Diagnostic, formatDiagnostic } from "../../lib/config/diagnostic.ts";
import type { ConfigHost } from "../../lib/config/host.ts";
import type { KnownNames } from "../../lib/config/report_settings.ts";
import { SourceText } from "../../lib/config/source_text.ts";

export interface FakeWorld {
  readonly env?: Readonly<Record<string, string>>;
  /** Files by absolute path. */
  readonly files?: Readonly<Record<string, string>>;
  /** Components by name. */
  readonly components?: Readonly<Record<string, string>>;
  readonly parameters?: Readonly<Record<string, unknown>>;
  readonly terminal?: boolean;
}

export interface FakeHost extends ConfigHost {
  readonly logged: string[];
}

export function fakeHost(world: FakeWorld = {}): FakeHost {
  const logged: string[] = [];
  const files = world.files ?? {};
  const resolve = (path: string) => posix.resolve("/work", path.replace(/^~/, "/home/u"));
  return {
    logged,
    environment: () => world.env ?? { PATH: "/usr/bin:/bin", HOME: "/home/u" },
    log: (level, message) => void logged.push(`${level}: ${message}`),
    component: (name) => {
      const text = world.components?.[name];
      return text === undefined ? `cannot read '${name}'` : new SourceText(`${name}.c4m`, text);
    },
    parameter: (path) => world.parameters?.[path],
    now: () => 1_709_667_322_781,
    random: () => 0x0123456789abcdefn,
    digest: (algorithm, text) => createHash(algorithm).update(text).digest("hex"),
    facts: {
      version: () => "1.2.3",
      commandName: () => "exec",
      commandArguments: () => ["ls", "-la"],
      programPath: () => "/usr/bin/tk",
      osName: () => "linux",
      architecture: () => "x86_64",
      uname: () => ["Linux", "node", "6.0", "#1", "x86_64"],
      pid: () => 42,
      uid: () => 1000,
      effectiveUid: () => 1000,
      usingTerminal: () => world.terminal ?? false,
      terminalName: () => "",
      inContainer: () => false,
      containerName: () => "",
      externalAddress: () => "192.0.2.1",
      dockerProgram: () => "",
    },
    files: {
      currentDirectory: () => "/work",
      homeDirectory: () => "/home/u",
      kind: (path) => (files[resolve(path)] === undefined ? "missing" : "file"),
      kindBehindLinks: (path) => (files[resolve(path)] === undefined ? "missing" : "file"),
      list: () => Object.keys(files).sort(),
      read: (path, limit) => files[resolve(path)]?.slice(0, limit),
      size: (path) => files[resolve(path)]?.length,
      resolve,
      join: posix.join,
      split: (path) => [posix.dirname(path), posix.basename(path)],
      findProgram: () => "",
    },
  };
}

export const KNOWN: KnownNames = {
  keys: new Set([
    "_PROCESS_PID",
    "_PROCESS_STATE",
    "_PROCESS_CWD",
    "_OP_TCP_SOCKET_INFO",
    "_OP_UDP_SOCKET_INFO",
    "_OP_IPV4_ROUTES",
    "_OP_IPV6_ROUTES",
    "_OP_IPV4_INTERFACES",
    "_OP_ARP_TABLE",
    "_TIMESTAMP",
    "_DATETIME",
    "_OPERATION",
    "_CHALKS",
    "METADATA_ID",
  ]),
  templates: new Set(["null", "report_default", "report_all", "heartbeat", "insertion_default"]),
};

export function evaluate(text: string, world: FakeWorld = {}, overrides: readonly Override[] = []): Evaluated {
  const result = tryEvaluate([["test.c4m", text]], world, overrides);
  if (Array.isArray(result)) throw new Error(result.map(formatDiagnostic).join("\n"));
  return result as Evaluated;
}

/** Several files in a row; the diagnostics when they are refused. */
export function tryEvaluate(
  files: readonly (readonly [string, string])[],
  world: FakeWorld = {},
  overrides: readonly Override[] = [],
): Evaluated | readonly Diagnostic[] {
  const configuration = new Configuration(fakeHost(world), overrides);
  for (const [name, text] of files) configuration.add(new SourceText(name, text));
  const result = configuration.finish(KNOWN);
  return result.isOk() ? result.value : result.error;
}

/** The errors of a text, as they are printed; empty when there are none. */
export function errorsOf(text: string, world: FakeWorld = {}): string[] {
  const result = tryEvaluate([["test.c4m", text]], world);
  return Array.isArray(result) ? result.map(formatDiagnostic) : [];
}
