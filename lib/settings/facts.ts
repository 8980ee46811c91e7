// What configurations may ask about the machine and tk's run, answered for real, each only when asked.
import {
  accessSync,
  constants,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  type Stats,
} from "node:fs";
import * as os from "node:os";
import { basename, dirname, join } from "node:path";
import { VERSION } from "../base/version.ts";
import type { ConfigHost, HostFacts, HostFiles } from "../config/host.ts";
import { absolute, type Environment, homeOf } from "./places.ts";
import { readTextFile } from "./trusted_file.ts";

export interface Run {
  readonly environment: Environment;
  readonly directory: string;
  readonly commandName: string;
  readonly commandArguments: readonly string[];
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined; // Not there, or not ours to see: the function's answer for "unknown".
  }
}

function containerId(): string {
  const text = attempt(() => readFileSync("/proc/self/mountinfo", "utf8")) ?? "";
  return /\/containers\/([0-9a-f]{64})\//.exec(text)?.[1] ?? "";
}

function firstAddress(): string {
  for (const list of Object.values(os.networkInterfaces()))
    for (const address of list ?? []) if (!address.internal && address.family === "IPv4") return address.address;
  return "";
}

function isProgram(path: string): boolean {
  return (
    attempt(() => {
      accessSync(path, constants.X_OK);
      return statSync(path).isFile();
    }) ?? false
  );
}

/** Loaded when a configuration asks for it: it brings all of the runtime's streams along, which takes milliseconds. */
function isTerminal(fd: number): boolean {
  return process.getBuiltinModule("node:tty").isatty(fd);
}

export function hostFacts(run: Run): HostFacts {
  return {
    version: () => VERSION,
    commandName: () => run.commandName,
    commandArguments: () => run.commandArguments,
    programPath: () => process.execPath,
    osName: () => process.platform,
    architecture: () => os.machine(),
    uname: () => [os.type(), os.hostname(), os.release(), os.version(), os.machine()],
    pid: () => process.pid,
    uid: () => process.getuid?.() ?? 0,
    effectiveUid: () => process.geteuid?.() ?? 0,
    usingTerminal: () => [0, 1, 2].some((fd) => isTerminal(fd)),
    terminalName: () => {
      const fd = [0, 1, 2].find((n) => isTerminal(n));
      return fd === undefined ? "" : (attempt(() => readlinkSync(`/proc/self/fd/${fd}`)) ?? "");
    },
    inContainer: () => containerId() !== "" || attempt(() => statSync("/.dockerenv")) !== undefined,
    containerName: containerId,
    externalAddress: firstAddress,
    dockerProgram: () => findProgram("docker", (run.environment["PATH"] ?? "").split(":")),
  };
}

function findProgram(name: string, directories: readonly string[]): string {
  if (name === "") return "";
  const candidates = name.includes("/") ? [name] : directories.filter((d) => d !== "").map((d) => join(d, name));
  return candidates.find(isProgram) ?? "";
}

function kindOf(stat: Stats | undefined): "file" | "directory" | "link" | "other" | "missing" {
  if (stat === undefined) return "missing";
  return stat.isFile() ? "file" : stat.isDirectory() ? "directory" : stat.isSymbolicLink() ? "link" : "other";
}

export function hostFiles(run: Run): HostFiles {
  const resolve = (path: string) => absolute(path, run.directory, run.environment);
  return {
    currentDirectory: () => run.directory,
    homeDirectory: () => homeOf(run.environment),
    kind: (path) => kindOf(attempt(() => lstatSync(resolve(path)))),
    kindBehindLinks: (path) => {
      const kind = kindOf(attempt(() => statSync(resolve(path))));
      return kind === "link" ? "other" : kind;
    },
    list: (path) => attempt(() => readdirSync(resolve(path)).sort()),
    read: (path, limit) => {
      const whole = resolve(path);
      // A device or a pipe would never end.
      if (attempt(() => statSync(whole).isFile()) !== true) return undefined;
      const file = readTextFile(whole, limit, true);
      return file.kind === "text" ? file.text : undefined;
    },
    size: (path) => attempt(() => statSync(resolve(path)).size),
    resolve,
    join,
    split: (path) => [dirname(path), basename(path)],
    findProgram,
  };
}

/** What is the same for every evaluation of a run. */
export function hostOf(run: Run): Omit<ConfigHost, "log" | "component" | "parameter"> {
  return {
    environment: () => run.environment,
    now: () => Date.now(),
    random: () => crypto.getRandomValues(new BigUint64Array(1))[0]!,
    // Loaded when a configuration asks for it: most do not, and a program waits for what is loaded here.
    digest: (algorithm, text) =>
      process.getBuiltinModule("node:crypto").createHash(algorithm).update(text).digest("hex"),
    facts: hostFacts(run),
    files: hostFiles(run),
  };
}
