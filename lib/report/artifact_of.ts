// From the facts about a program to the file that stands for it: where its executable, its script and its image's mark are.
import { realpathSync } from "node:fs";
import { isAbsolute, resolve } from "node:path";
import type { Artifact } from "../mark/artifact.ts";
import { Inspector } from "../mark/inspect.ts";
import type { Facts } from "./facts/facts.ts";
import { lossy } from "./facts/proc_files.ts";

/** The kernel puts this behind the name of an executable that has been removed or replaced. */
const DELETED = / \(deleted\)$/;

/** Keeps what it has seen, so that a heartbeat costs two `stat` calls: one of it per program. */
export class ProgramArtifact {
  private readonly inspector = new Inspector();
  private readonly procRoot: string;

  constructor(procRoot = "/proc") {
    this.procRoot = procRoot;
  }

  /** `commandPath`: the file that was started. `wantsHash`: when a template shows `_CURRENT_HASH`. */
  async inspect(facts: Facts, commandPath: string | undefined, wantsHash: boolean): Promise<Artifact | undefined> {
    const exe = facts.exe === undefined ? undefined : lossy(facts.exe).replace(DELETED, "");
    const process = `${this.procRoot}/${facts.pid}`;
    const alive = facts.life === "alive";
    return this.inspector.inspect({
      imageMarks: alive ? [`${process}/root/chalk.json`] : ["/chalk.json"],
      script: isSameFile(commandPath, exe) ? undefined : (commandPath ?? scriptOf(facts)),
      executable: exe ?? commandPath,
      executableFiles: [...(alive && exe !== undefined ? [`${process}/exe`] : []), ...nonEmpty(exe ?? commandPath)],
      wantsHash,
    });
  }
}

function isSameFile(commandPath: string | undefined, exe: string | undefined): boolean {
  if (commandPath === undefined || exe === undefined) return false;
  try {
    return realpathSync(commandPath) === exe;
  } catch {
    return false;
  }
}

function nonEmpty(path: string | undefined): string[] {
  return path === undefined || path === "" ? [] : [path];
}

/** Without knowing what was started: the kernel puts a script's path behind the interpreter and at most one option. */
function scriptOf(facts: Facts): string | undefined {
  const cwd = facts.cwd === undefined ? undefined : lossy(facts.cwd);
  const comm = facts.comm === undefined ? "" : lossy(facts.comm);
  for (const word of facts.cmdline?.slice(1, 3) ?? []) {
    const path = lossy(word);
    // The process is called after the script, cut at 15 bytes: another word is just an argument.
    if (comm === "" || !(path.split("/").at(-1) ?? "").startsWith(comm)) continue;
    if (isAbsolute(path)) return path;
    if (cwd !== undefined) return resolve(cwd, path);
  }
  return undefined;
}
