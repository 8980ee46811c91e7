// What a configuration may ask of the world, as an interface: lib/settings answers for real, tests with fixed facts.
// Reading only: a configuration never starts programs, writes files or opens connections.
import type { LogLevel } from "./settings.ts";
import type { SourceText } from "./source_text.ts";

export interface ConfigHost {
  /** The environment of tk; text that is no UTF-8 comes with replacement characters. */
  environment(): Readonly<Record<string, string | undefined>>;
  /** A message of the configuration itself: `info("...")`; `echo` is always shown. */
  log(level: LogLevel | "echo", message: string): void;
  /** The file that `use NAME from "FROM"` in `by` means, or a sentence saying why there is none. */
  component(name: string, from: string | undefined, by: SourceText): SourceText | string;
  /** What was answered for a parameter when the file was loaded; plain data, undefined when nothing was. */
  parameter(path: string): unknown;
  /** Milliseconds since 1970. */
  now(): number;
  /** 64 random bits. */
  random(): bigint;
  digest(algorithm: "sha256" | "sha512", text: string): string;
  readonly facts: HostFacts;
  readonly files: HostFiles;
}

export interface HostFacts {
  version(): string;
  /** The verb and its operands. */
  commandName(): string;
  commandArguments(): readonly string[];
  programPath(): string;
  osName(): string;
  architecture(): string;
  /** sysname, nodename, release, version, machine. */
  uname(): readonly string[];
  pid(): number;
  uid(): number;
  effectiveUid(): number;
  /** Whether any of the three standard streams is a terminal. */
  usingTerminal(): boolean;
  terminalName(): string;
  inContainer(): boolean;
  containerName(): string;
  /** The local address that would be used towards the Internet; empty when there is none. */
  externalAddress(): string;
  dockerProgram(): string;
}

export interface HostFiles {
  currentDirectory(): string;
  homeDirectory(): string;
  kind(path: string): "file" | "directory" | "link" | "other" | "missing";
  /** What `path` is when links are followed. */
  kindBehindLinks(path: string): "file" | "directory" | "other" | "missing";
  /** Names in it, sorted; undefined when it cannot be read. */
  list(path: string): readonly string[] | undefined;
  /** The text of a file of at most `limit` bytes; undefined when it cannot be read or is longer. */
  read(path: string, limit: number): string | undefined;
  size(path: string): number | undefined;
  /** Absolute, `.` and `..` gone, `~` the home directory. */
  resolve(path: string): string;
  join(a: string, b: string): string;
  split(path: string): readonly [string, string];
  /** First program of that name in the directories; empty when there is none. */
  findProgram(name: string, directories: readonly string[]): string;
}
