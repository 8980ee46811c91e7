// The command line of docker, as far as a build is concerned: where the build's own words begin, which of its flags take
// a value, and which of them matter here. Pure; what docker itself says of its flags comes in as the text of its help.
import { err, ok, type Result } from "neverthrow";

/** Flags before the sub-command that take a value in the next word. */
const GLOBAL_VALUED: ReadonlySet<string> = new Set([
  "--config",
  "-c",
  "--context",
  "-H",
  "--host",
  "-l",
  "--log-level",
  "--tlscacert",
  "--tlscert",
  "--tlskey",
  "--builder",
]);
const GLOBAL_PLAIN: ReadonlySet<string> = new Set(["-D", "--debug", "--tls", "--tlsverify"]);

const BUILDS: readonly (readonly string[])[] = [
  ["build"],
  ["image", "build"],
  ["builder", "build"],
  ["buildx", "build"],
  ["buildx", "b"],
];

/** Where a build's words begin. */
export interface BuildPlace {
  /** Words before the sub-command: which docker is meant. */
  readonly globals: number;
  /** Words before the build's own flags. */
  readonly head: number;
}

/** Undefined for every other sub-command, and where that cannot be told. */
export function findBuild(words: readonly string[]): BuildPlace | undefined {
  const names: string[] = [];
  let globals = 0;
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    if (word.startsWith("-")) {
      if (GLOBAL_VALUED.has(word)) at++;
      else if (!GLOBAL_PLAIN.has(word) && !GLOBAL_VALUED.has(word.slice(0, word.indexOf("=")))) return undefined;
      continue;
    }
    if (names.length === 0) globals = at;
    names.push(word);
    if (BUILDS.some((build) => build.join(" ") === names.join(" "))) return { globals, head: at + 1 };
    if (!BUILDS.some((build) => build.length > names.length && build[0] === names[0])) return undefined;
  }
  return undefined;
}

/** `docker build --help` and its like build nothing. */
export function asksOnly(words: readonly string[]): boolean {
  return words.some((word) => word === "-h" || /^--(help|check|print|call)(=|$)/.test(word));
}

/** Sub-commands that build images without `docker build`; wrapping does not reach into them. */
export function buildsOtherwise(words: readonly string[]): string | undefined {
  const names = words.filter((word) => !word.startsWith("-"));
  if (names[0] === "compose" && (names.includes("build") || words.includes("--build"))) return "docker compose";
  if (names[0] === "buildx" && names[1] === "bake") return "docker buildx bake";
  return undefined;
}

/** What docker's help says of its flags, and what is known of those that it hides. */
export class BuildFlags {
  private readonly valued = new Set(HIDDEN_VALUED);
  private readonly plain = new Set(HIDDEN_PLAIN);
  private readonly long = new Map<string, string>();

  constructor(help: string) {
    for (const [, short, long, type] of help.matchAll(/^ +(?:-(\w), +|    )--([\w-]+)(?: (\S+))?(?: {2,}|$)/gm)) {
      const name = `--${long}`;
      (type === undefined ? this.plain : this.valued).add(name);
      (type === undefined ? this.valued : this.plain).delete(name);
      if (short !== undefined) this.long.set(`-${short}`, name);
    }
    for (const [short, long] of SHORT) if (!this.long.has(short)) this.long.set(short, long);
  }

  /** `--build-context`: files can be given to the build without being in its context. */
  get namedContexts(): boolean {
    return this.valued.has("--build-context");
  }

  /** Undefined: nobody knows this flag. */
  takesValue(flag: string): boolean | undefined {
    return this.valued.has(flag) ? true : this.plain.has(flag) ? false : undefined;
  }

  longName(short: string): string | undefined {
    return this.long.get(short);
  }
}

const SHORT: readonly (readonly [string, string])[] = [
  ["-f", "--file"],
  ["-t", "--tag"],
  ["-o", "--output"],
  ["-q", "--quiet"],
  ["-m", "--memory"],
  ["-c", "--cpu-shares"],
  ["-D", "--debug"],
  ["-h", "--help"],
];

/** Named contexts are not among them: whether there are any must be seen in the help. */
const HIDDEN_VALUED =
  "add-host allow annotation attest build-arg builder cache-from cache-to call cgroup-parent cpu-period cpu-quota cpu-shares cpuset-cpus cpuset-mems file iidfile isolation label memory memory-swap metadata-file network no-cache-filter output platform print progress provenance sbom secret security-opt shm-size ssh tag target ulimit"
    .split(" ")
    .map((name) => `--${name}`);
const HIDDEN_PLAIN =
  "check compress debug disable-content-trust force-rm help load no-cache pull push quiet rm squash stream"
    .split(" ")
    .map((name) => `--${name}`);

export interface BuildCommand {
  /** What stands before every sub-command: `--context x`. */
  readonly globals: readonly string[];
  /** Everything before the build's own flags: `--context x buildx build`. */
  readonly head: readonly string[];
  /** The rest without -f. */
  readonly rest: readonly string[];
  /** -f; undefined without. */
  readonly file: string | undefined;
  readonly target: string | undefined;
  readonly platforms: readonly string[];
  /** --build-arg, those without a value from the environment. */
  readonly arguments: ReadonlyMap<string, string>;
  /** Names of the user's own --build-context, with what they stand for. */
  readonly contexts: ReadonlyMap<string, string>;
  /** A directory, `-`, or an address. */
  readonly context: string;
  readonly pull: boolean;
  /** buildx's --builder, before or behind the word build. */
  readonly builder: string | undefined;
}

interface Flag {
  readonly name: string;
  readonly value: string;
}

interface Walked {
  readonly flags: readonly Flag[];
  readonly operands: readonly string[];
  readonly rest: readonly string[];
}

/** Reads the words as docker's flag parser does. The error is a clause: why this build is left alone. */
export function parseBuild(
  words: readonly string[],
  place: BuildPlace,
  known: BuildFlags,
  environment: Readonly<Record<string, string | undefined>>,
): Result<BuildCommand, string> {
  return walk(words.slice(place.head), known).andThen(({ flags, operands, rest }) => {
    if (operands.length !== 1) return err(`docker build takes one context, and here are ${operands.length}`);
    const all = (name: string) => flags.filter((flag) => flag.name === name).map((flag) => flag.value);
    const isOn = (name: string) => !["false", "0", undefined].includes(all(name).at(-1));
    const file = all("--file").at(-1);
    return ok({
      globals: words.slice(0, place.globals),
      head: words.slice(0, place.head),
      rest,
      file: file === "" ? undefined : file,
      target: all("--target").at(-1),
      platforms: all("--platform").flatMap((value) => value.split(",").map((p) => p.trim())),
      arguments: pairs(all("--build-arg"), environment),
      contexts: pairs(all("--build-context"), {}),
      context: operands[0]!,
      pull: isOn("--pull"),
      builder: all("--builder").at(-1) ?? builderBefore(words.slice(place.globals, place.head)),
    });
  });
}

/** `buildx --builder NAME build`. */
function builderBefore(words: readonly string[]): string | undefined {
  const at = words.findLastIndex((word) => word === "--builder" || word.startsWith("--builder="));
  if (at < 0) return undefined;
  return words[at] === "--builder" ? words[at + 1] : words[at]!.slice("--builder=".length);
}

function pairs(
  values: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Map<string, string> {
  const out = new Map<string, string>();
  for (const value of values) {
    const equals = value.indexOf("=");
    const name = equals < 0 ? value : value.slice(0, equals);
    const given = equals < 0 ? environment[name] : value.slice(equals + 1);
    if (given !== undefined) out.set(name, given);
  }
  return out;
}

function walk(words: readonly string[], known: BuildFlags): Result<Walked, string> {
  const flags: Flag[] = [];
  const operands: string[] = [];
  const rest: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    const from = at;
    if (word === "--") {
      operands.push(...words.slice(at + 1));
      rest.push(...words.slice(at));
      break;
    }
    if (word === "-" || !word.startsWith("-")) {
      operands.push(word);
      rest.push(word);
      continue;
    }
    const read = word.startsWith("--") ? readLong(word, words[at + 1], known) : readShort(word, words[at + 1], known);
    if (typeof read === "string") return err(read);
    if (read.usedNext) at++;
    flags.push(...read.flags);
    const others = read.flags.filter((flag) => flag.name !== "--file");
    // -qf FILE is two flags in one word: what is left of it is written out.
    if (others.length === read.flags.length) rest.push(...words.slice(from, at + 1));
    else rest.push(...others.map((flag) => `${flag.name}=${flag.value}`));
  }
  return ok({ flags, operands, rest });
}

interface Read {
  readonly flags: readonly Flag[];
  readonly usedNext: boolean;
}

function readLong(word: string, next: string | undefined, known: BuildFlags): Read | string {
  const equals = word.indexOf("=");
  if (equals >= 0) return { flags: [{ name: word.slice(0, equals), value: word.slice(equals + 1) }], usedNext: false };
  const valued = known.takesValue(word);
  if (valued === undefined) return `its flag ${word} is not known`;
  if (!valued) return { flags: [{ name: word, value: "true" }], usedNext: false };
  if (next === undefined) return `its flag ${word} has no value`;
  return { flags: [{ name: word, value: next }], usedNext: true };
}

/** `-t name`, `-tname`, `-t=name`, `-qt name`. */
function readShort(word: string, next: string | undefined, known: BuildFlags): Read | string {
  const flags: Flag[] = [];
  for (let at = 1; at < word.length; at++) {
    const name = known.longName(`-${word[at]}`);
    const valued = name === undefined ? undefined : known.takesValue(name);
    if (name === undefined || valued === undefined) return `its flag -${word[at]} is not known`;
    if (!valued) {
      if (word[at + 1] === "=") return { flags: [...flags, { name, value: word.slice(at + 2) }], usedNext: false };
      flags.push({ name, value: "true" });
      continue;
    }
    const glued = word.slice(at + 1).replace(/^=/, "");
    if (word.length > at + 1) return { flags: [...flags, { name, value: glued }], usedNext: false };
    if (next === undefined) return `its flag -${word[at]} has no value`;
    return { flags: [...flags, { name, value: next }], usedNext: true };
  }
  return { flags, usedNext: false };
}

/** The same build with another Dockerfile and more flags. */
export function buildWith(command: BuildCommand, more: readonly string[]): string[] {
  return [...command.head, ...more, ...command.rest];
}
