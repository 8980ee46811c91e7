// Which program tk exec is to run, with which words: from the command line and the `exec` settings, as bytes.
import { candidates, keepsLooking } from "../capture/launch/command.ts";
import type { Attempt } from "../capture/launch/become.ts";
import type { ExecSettings } from "../config/settings.ts";
import { checkExecutable, latin1 } from "../host/descriptors.ts";
import { ERRNO } from "../host/errno.ts";
import { commandError, ExecError } from "./exec_error.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const SLASH = 0x2f;

export interface Wanted {
  /** From --exec-command-name. */
  readonly name: Uint8Array | undefined;
  readonly args: readonly Uint8Array[];
}

export interface Words {
  readonly name: Uint8Array;
  readonly args: readonly Uint8Array[];
}

/** The program's words, by the rules of the original. */
export function programWords(wanted: Wanted, settings: ExecSettings): Words {
  const defaults = settings.defaultArgs.map((text) => encoder.encode(text));
  let args = wanted.args;
  if (settings.appendCommandLineArgs) args = [...defaults, ...args];
  else if (args.length > 0 && !settings.overrideOk) throw new ExecError({ _tag: "ArgumentsFixed" });
  else if (args.length === 0) args = defaults;
  const name = wanted.name ?? (settings.commandName === "" ? undefined : encoder.encode(settings.commandName));
  if (name !== undefined && name.length > 0) return { name, args };
  const [first, ...rest] = args;
  if (first === undefined || first.length === 0 || !settings.commandNameFromArgs)
    throw new ExecError({ _tag: "NoCommand" });
  return { name: first, args: rest };
}

function join(directory: string, name: Uint8Array, home: string): Uint8Array {
  const expanded = directory === "~" || directory.startsWith("~/") ? home + directory.slice(1) : directory;
  const folder = encoder.encode(expanded === "" ? "." : expanded);
  const out = new Uint8Array(folder.length + 1 + name.length);
  out.set(folder);
  out[folder.length] = SLASH;
  out.set(name, folder.length + 1);
  return out;
}

/**
 * The files to try, with the first word that each gets. A program that a shell would have found gets its name as a shell
 * would have given it; one that was found by `exec.search_path` alone gets its path, by which programs such as
 * Python's virtual environments find what belongs to them.
 */
export function attemptsFor(
  name: Uint8Array,
  settings: Pick<ExecSettings, "searchPath" | "usePath">,
  environment: readonly Uint8Array[],
): Attempt[] {
  const byPath = () => candidates(name, environment).map((file) => ({ file, name }));
  if (name.includes(SLASH) || settings.searchPath === undefined) return byPath();
  const home = environment.find((entry) => latin1(entry, 0, 5) === "HOME=");
  const homeText = home === undefined ? "" : decoder.decode(home.subarray(5));
  const searched = settings.searchPath.map((directory) => {
    const file = join(directory, name, homeText);
    return { file, name: file };
  });
  return settings.usePath ? [...searched, ...byPath()] : searched;
}

/** The attempt that can be expected to work. Throws ExecError with the error that execvp would end with. */
export function expectedAttempt(command: Uint8Array, attempts: readonly Attempt[]): Attempt {
  let refused = 0;
  for (const attempt of attempts) {
    const errno = -checkExecutable(attempt.file);
    if (errno === 0) return attempt;
    if (command.includes(SLASH) || !keepsLooking(errno)) throw commandError(decoder.decode(command), errno);
    if (errno === ERRNO.EACCES) refused = errno;
  }
  throw commandError(decoder.decode(command), refused || ERRNO.ENOENT);
}
