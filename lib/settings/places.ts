// Where configurations are: the directories that are searched, and where `tk load` keeps what was loaded.
//
// The current directory is not among them, unlike in chalk: a file there may come with somebody else's source tree, and a
// configuration decides where reports with parts of the environment go. `--config-file` and `tk load` take it from anywhere.
import { homedir } from "node:os";
import { isAbsolute, join, resolve } from "node:path";

export type Environment = Readonly<Record<string, string | undefined>>;

/** Names by which a configuration file is found, the first one first. */
export const FILE_NAMES: readonly string[] = ["tk.c4m", "chalk.c4m"];

export function homeOf(env: Environment): string {
  const home = env["HOME"];
  if (home !== undefined && isAbsolute(home)) return home;
  try {
    return homedir();
  } catch {
    return "/"; // No HOME, and a user without an entry in /etc/passwd.
  }
}

export function configHome(env: Environment): string {
  const named = env["XDG_CONFIG_HOME"];
  return named !== undefined && isAbsolute(named) ? named : join(homeOf(env), ".config");
}

/** In this order; the first file that is there is used, and no other. */
export function searchPath(env: Environment): string[] {
  const home = homeOf(env);
  return ["/etc/tk", "/etc/chalk", "/etc", join(configHome(env), "tk"), join(home, ".config", "chalk"), home];
}

/** What this user loaded. */
export function userStore(env: Environment): string {
  return join(configHome(env), "tk", "loaded.json");
}

/** What travels with the program into an image; written by `tk docker build`, never by `tk load`. */
export function programStore(executable: string): string {
  return `${executable}.loaded.json`;
}

/** Absolute; `~` at the beginning is the home directory. */
export function absolute(path: string, directory: string, env: Environment): string {
  if (path === "~") return homeOf(env);
  if (path.startsWith("~/")) return resolve(homeOf(env), path.slice(2));
  return resolve(directory, path);
}
