// What the shell keeps between sessions, in the user's state directory: the lines that were typed and the named filters. Both hold what the
// user looked for, so they are the user's alone (0600, the folder 0700). Where they cannot be written it is told once, and nothing else changes.
import {
  appendFileSync,
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { homedir } from "node:os";
import { dirname, isAbsolute, join } from "node:path";
import { errorWords } from "../host/out.ts";
import { HISTORY_LIMIT, historyLine, parseHistory } from "../repl/history.ts";
import { type Filter, parseSaved, savedLine } from "../repl/session.ts";
import { isTable } from "../query/fields.ts";

/** A file larger than this is not ours. */
const MOST_BYTES = 16 << 20;

function stateDirectory(): string | undefined {
  const named = process.env["XDG_STATE_HOME"];
  if (named !== undefined && isAbsolute(named)) return join(named, "tk");
  try {
    const home = process.env["HOME"] ?? homedir();
    return isAbsolute(home) ? join(home, ".local", "state", "tk") : undefined;
  } catch {
    return undefined;
  }
}

/** A regular file of reasonable size; undefined for everything else. */
function readOwn(path: string): string | undefined {
  let fd: number | undefined;
  try {
    // Not blocking: the name may be a pipe that nobody writes to.
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stat = fstatSync(fd);
    return stat.isFile() && stat.size <= MOST_BYTES ? readFileSync(fd, "utf8") : undefined;
  } catch {
    return undefined;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

export class StateFiles {
  /** Undefined: no history is kept. */
  private readonly historyPath: string | undefined;
  private readonly filtersPath: string | undefined;
  private told = false;
  private readonly tell: (sentence: string) => void;

  constructor(tell: (sentence: string) => void) {
    this.tell = tell;
    const directory = stateDirectory();
    const named = process.env["TK_HISTORY"];
    this.historyPath = named === undefined ? directory && join(directory, "history") : named === "" ? undefined : named;
    this.filtersPath = directory && join(directory, "filters");
  }

  history(): string[] {
    const text = this.historyPath === undefined ? undefined : readOwn(this.historyPath);
    return text === undefined ? [] : parseHistory(text);
  }

  filters(): Map<string, Filter> {
    const text = this.filtersPath === undefined ? undefined : readOwn(this.filtersPath);
    return text === undefined ? new Map() : parseSaved(text, isTable);
  }

  /** One more line at the end, so that two shells at once do not lose each other's. */
  addHistory(entry: string): void {
    const path = this.historyPath;
    if (path === undefined) return;
    let fd: number | undefined;
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      fd = openSync(path, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK, 0o600);
      if ((fstatSync(fd).mode & 0o077) !== 0) fchmodSync(fd, 0o600);
      writeSync(fd, historyLine(entry) + "\n");
    } catch (error) {
      this.complain(path, error);
    } finally {
      if (fd !== undefined) closeSync(fd);
    }
  }

  /** Old lines go when there are twice as many as are kept. */
  trimHistory(): void {
    const path = this.historyPath;
    const text = path === undefined ? undefined : readOwn(path);
    if (path === undefined || text === undefined) return;
    const lines = text.split("\n");
    if (lines.length <= HISTORY_LIMIT * 2) return;
    this.replace(path, lines.slice(-HISTORY_LIMIT - 1).join("\n"));
  }

  saveFilters(saved: ReadonlyMap<string, Filter>): void {
    const path = this.filtersPath;
    if (path === undefined) return;
    this.replace(
      path,
      [...saved.values()]
        .filter((f) => f.kept === true)
        .map((f) => savedLine(f) + "\n")
        .join(""),
    );
  }

  private replace(path: string, text: string): void {
    const beside = `${path}.${process.pid}`;
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      writeFileSync(beside, "", { mode: 0o600, flag: "wx" });
      appendFileSync(beside, text);
      renameSync(beside, path);
    } catch (error) {
      this.complain(path, error);
    }
  }

  private complain(path: string, error: unknown): void {
    if (this.told) return;
    this.told = true;
    this.tell(`cannot write '${path}': ${errorWords(error)}; what is typed is not kept`);
  }
}
