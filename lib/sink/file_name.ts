// Names of files as configurations write them: `~` and `~user`, relative to where tk was started. It only reads
// /etc/passwd, and only for `~user`; `$NAME` stays as it is, as in the original.
import { readFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { resolve } from "node:path";
import type { SinkWorld } from "./sink.ts";

type Whereabouts = Pick<SinkWorld, "directory" | "environment">;

/** Absolute, without `.`, `..` and trailing slashes. */
export function resolveName(name: string, where: Whereabouts): string {
  const home = /^~([^/]*)(\/.*)?$/s.exec(name);
  if (home === null) return resolve(where.directory, name);
  const base = home[1] === "" ? ownHome(where) : homeOf(home[1]!);
  // As in a shell, a user who is not there leaves the name as it is.
  return base === undefined ? resolve(where.directory, name) : resolve(base, `.${home[2] ?? ""}`);
}

function ownHome(where: Whereabouts): string {
  const home = where.environment.HOME;
  if (home !== undefined && home.startsWith("/")) return home;
  try {
    return homedir();
  } catch {
    return "/"; // No HOME, and a user without an entry in /etc/passwd.
  }
}

function homeOf(user: string): string | undefined {
  try {
    for (const line of readFileSync("/etc/passwd", "utf8").split("\n")) {
      const fields = line.split(":");
      if (fields[0] === user && fields[5]?.startsWith("/")) return fields[5];
    }
  } catch {
    return undefined; // A container without /etc/passwd has no users by name.
  }
  return undefined;
}

/** Where temporary files go. */
export function temporaryDirectory(where: Whereabouts): string {
  const named = where.environment.TMPDIR;
  return named !== undefined && named.startsWith("/") ? resolve(named) : tmpdir();
}

/** Where the report cache is unless the configuration names a place: in the directory for state, never the current one. */
export function defaultCacheName(where: Whereabouts): string {
  const state = where.environment.XDG_STATE_HOME;
  const base = state !== undefined && state.startsWith("/") ? state : resolve(ownHome(where), ".local/state");
  return resolve(base, "tk/undelivered.jsonl");
}
