// Built-in functions that ask about the machine and tk's own run, all of them through the host, and the ones that tell something.
// Nothing here changes the world.
import { builtin, type Builtin, type Call } from "../builtin.ts";
import type { Key, Value } from "../value.ts";
import { print } from "../value.ts";

const s = (v: Value | undefined) => v as string;
const world = (call: Call) => call.session.host;

function strings(record: Readonly<Record<string, string | undefined>>): Value {
  const dict = new Map<Key, Value>();
  for (const [name, value] of Object.entries(record)) if (value !== undefined) dict.set(name, value);
  return dict;
}

function variable(name: string, call: Call): string | undefined {
  const environment = world(call).environment();
  return Object.hasOwn(environment, name) ? environment[name] : undefined;
}

function log(level: "error" | "warn" | "info" | "trace"): Builtin {
  return builtin(`${level}(string) -> void`, `A message of level ${level}`, ([a], call) => {
    world(call).log(level, s(a));
    return undefined;
  });
}

const MAX_READ = 1_000_000;

function unreadable(what: string, path: string, call: Call): never {
  return call.fail(`${what}: cannot read '${path.slice(0, 200)}', or it is longer than ${MAX_READ} bytes`);
}

export const WORLD_BUILTINS: readonly Builtin[] = [
  builtin(
    "env(string) -> string",
    "A variable of the environment; empty when it is not set",
    ([a], call) => variable(s(a), call) ?? "",
  ),
  builtin("env() -> dict[string, string]", "The environment", (_, call) => strings(world(call).environment())),
  builtin("env_exists(string) -> bool", "Whether a variable is set", ([a], call) => variable(s(a), call) !== undefined),
  log("error"),
  log("warn"),
  log("info"),
  log("trace"),
  builtin("echo(*`a) -> void", "A line on standard error", (args, call) => {
    world(call).log("echo", args.map((arg) => print(arg)).join(" "));
    return undefined;
  }),
  builtin("abort(string) -> void", "Ends tk with a message", ([a], call) => call.fail(`abort: ${s(a)}`)),
  builtin("version() -> string", "tk's version", (_, call) => world(call).facts.version()),
  builtin("command_name() -> string", "The verb", (_, call) => world(call).facts.commandName()),
  builtin("command_argv() -> list[string]", "The verb's operands", (_, call) => world(call).facts.commandArguments()),
  builtin("program_path() -> string", "Where tk is", (_, call) => world(call).facts.programPath()),
  builtin(
    "program_name() -> string",
    "What tk is called",
    (_, call) => world(call).files.split(world(call).facts.programPath())[1],
  ),
  builtin("program_args() -> list[string]", "The words after tk's name", (_, call) => [
    world(call).facts.commandName(),
    ...world(call).facts.commandArguments(),
  ]),
  builtin("using_tty() -> bool", "Whether any of the standard streams is a terminal", (_, call) =>
    world(call).facts.usingTerminal(),
  ),
  builtin("tty_name() -> string", "The terminal's device", (_, call) => world(call).facts.terminalName()),
  builtin("in_container() -> bool", "Whether tk runs in a container", (_, call) => world(call).facts.inContainer()),
  builtin("container_name() -> string", "The container's id", (_, call) => world(call).facts.containerName()),
  builtin("osname() -> string", "The operating system", (_, call) => world(call).facts.osName()),
  builtin("arch() -> string", "The processor", (_, call) => world(call).facts.architecture()),
  builtin("uname() -> list[string]", "sysname, nodename, release, version, machine", (_, call) =>
    world(call).facts.uname(),
  ),
  builtin("getpid() -> int", "tk's process", (_, call) => BigInt(world(call).facts.pid())),
  builtin("getuid() -> int", "The real user", (_, call) => BigInt(world(call).facts.uid())),
  builtin("geteuid() -> int", "The effective user", (_, call) => BigInt(world(call).facts.effectiveUid())),
  builtin("external_ip() -> string", "The address used towards the Internet; nothing is sent", (_, call) =>
    world(call).facts.externalAddress(),
  ),
  builtin("docker_exe() -> string", "The docker program; empty when there is none", (_, call) =>
    world(call).facts.dockerProgram(),
  ),
  builtin("now() -> int", "Milliseconds since 1970", (_, call) => BigInt(world(call).now())),
  builtin("rand() -> int", "A random number", (_, call) => BigInt.asIntN(64, world(call).random())),
  builtin("cwd() -> string", "The current directory", (_, call) => world(call).files.currentDirectory()),
  builtin(
    "list_dir() -> list[string]",
    "What is in the current directory",
    (_, call) => world(call).files.list(".") ?? [],
  ),
  builtin(
    "list_dir(string) -> list[string]",
    "What is in a directory",
    ([a], call) => world(call).files.list(s(a)) ?? [],
  ),
  builtin(
    "read_file(string) -> string",
    "The text of a file",
    ([a], call) => world(call).files.read(s(a), MAX_READ) ?? unreadable("read_file", s(a), call),
  ),
  builtin(
    "is_dir(string) -> bool",
    "Whether it is a directory",
    ([a], call) => world(call).files.kindBehindLinks(s(a)) === "directory",
  ),
  builtin(
    "is_file(string) -> bool",
    "Whether it is a file",
    ([a], call) => world(call).files.kindBehindLinks(s(a)) === "file",
  ),
  builtin(
    "is_link(string) -> bool",
    "Whether it is a symbolic link",
    ([a], call) => world(call).files.kind(s(a)) === "link",
  ),
  builtin("file_len(string) -> int", "A file's bytes; -1 when it is not there", ([a], call) =>
    BigInt(world(call).files.size(s(a)) ?? -1),
  ),
  builtin("join_path(string, string) -> string", "One path behind the other", ([a, b], call) =>
    world(call).files.join(s(a), s(b)),
  ),
  builtin("resolve_path(string) -> string", "The whole path", ([a], call) => world(call).files.resolve(s(a))),
  builtin("path_split(string) -> tuple[string, string]", "Directory and name", ([a], call) => ({
    kind: "tuple",
    items: world(call).files.split(s(a)),
  })),
  builtin(
    "find_exe(string, list[string]) -> string",
    "A program in directories or $PATH; empty when there is none",
    ([a, b], call) => {
      const path = (variable("PATH", call) ?? "").split(":");
      return world(call).files.findProgram(s(a), [...(b as readonly string[]), ...path]);
    },
  ),
];
