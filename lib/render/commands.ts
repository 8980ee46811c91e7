// What a process is called in the documents: its command lines, or what stands for one when it never called exec.
// All text that comes out of here is safe to print; nothing here is cut to a width.
import { printable } from "../base/text.ts";
import type { Processes } from "../derive/processes.ts";
import type { ProcessTree } from "../derive/tree.ts";
import { programName, quoteArgv, shortenStorePaths } from "../model/argv.ts";
import { type Argv, KIND } from "../model/event.ts";
import { argvOf, eventAt, filenameOf } from "../model/event_at.ts";
import { ABSENT } from "../model/ids.ts";
import { isCutOff, type Recording } from "../model/recording.ts";
import { type ExitStatus, signalName } from "../model/status.ts";

/** Longest text that is quoted for display; argv may be megabytes, and no view shows that unless it is asked to. */
const LONGEST = 4096;

export interface CommandOptions {
  readonly unicode: boolean;
  readonly full: boolean;
}

/** Text of a command, for people, safe to print. */
export function commandText(argv: Argv, options: CommandOptions): string {
  const text = quoteArgv(options.full ? argv : clip(argv), options.unicode);
  return options.full ? text : shortenStorePaths(text);
}

/** The command that was recorded, as its header has it. */
export function recordedCommand({ header }: Recording): Argv | undefined {
  const words = header?.command ?? [];
  if (words.length === 0) return undefined;
  const bytes = header?.commandBytes;
  return bytes === undefined ? { words, joined: false } : { words, joined: false, bytes };
}

/** The beginning of a command that is longer than any view shows. */
function clip(argv: Argv): Argv {
  let total = 0;
  for (let i = 0; i < argv.words.length; i++) {
    const word = argv.words[i]!;
    if (total + word.length <= LONGEST) {
      total += word.length + 1;
      continue;
    }
    // A word that was cut has no exact bytes any more.
    const bytes = new Map([...(argv.bytes ?? [])].filter(([index]) => index < i));
    return { joined: argv.joined, words: [...argv.words.slice(0, i), word.slice(0, LONGEST - total) + "..."], bytes };
  }
  return argv;
}

export class Commands {
  private readonly recording: Recording;
  private readonly processes: Processes;
  private readonly tree: ProcessTree;
  private readonly options: CommandOptions;

  constructor(recording: Recording, processes: Processes, tree: ProcessTree, options: CommandOptions) {
    this.recording = recording;
    this.processes = processes;
    this.tree = tree;
    this.options = options;
  }

  /** The command line of the exec in `row`. */
  ofExec(row: number): string {
    const argv = argvOf(this.recording, row);
    if (argv !== undefined && argv.words.length > 0 && !(argv.joined && argv.words[0] === "")) {
      return commandText(argv, this.options);
    }
    const file = filenameOf(this.recording, row);
    if (file === undefined || file.text === "") return "(command not recorded)";
    const text = printable(file.text, this.options.unicode);
    return `(no argv) ${this.options.full ? text : shortenStorePaths(text)}`;
  }

  /** The program of the exec in `row`, without its folder and arguments. */
  programOf(row: number): string {
    const argv = argvOf(this.recording, row);
    const name = argv === undefined ? "" : programName(argv);
    if (name !== "") return printable(name, this.options.unicode);
    const file = filenameOf(this.recording, row);
    const base = file === undefined ? "" : programName({ words: [file.text], joined: false });
    return base === "" ? "?" : printable(base, this.options.unicode);
  }

  /**
   * What stands for a command before a life's first exec: the program it has from its creator, in parentheses;
   * `(?)` when that was not seen either.
   */
  inherited(life: number): string {
    const row = this.tree.inheritedRow[life]!;
    return row === ABSENT ? "(?)" : `(${this.programOf(row)})`;
  }

  /** For a life without a successful exec. */
  withoutExec(life: number): string {
    const p = this.processes;
    const { recording } = this;
    const isRoot = p.parent[life] === ABSENT && p.pid[life] === recording.header?.root_pid;
    const command = isRoot ? recordedCommand(recording) : undefined;
    if (command !== undefined) return `(${commandText(command, this.options)})`;
    const last = p.failedAt[life + 1]! - 1;
    if (last < p.failedAt[life]!) return this.inherited(life);
    return `${this.inherited(life)} could not run ${this.ofExec(p.failedRow[last]!)}`;
  }
}

/** For a command that does not fit: the program without its folders, `…/cc1 -quiet`, since the words after it say more. */
export function withoutFolders(command: string, mark: string): string {
  return command.replace(/^\/[^\s'"$]*\/(?=[^\s'"$/])/, `${mark}/`);
}

/** `exit 2`, `SIGKILL`, `SIGSEGV core`; empty for success and when the exit says nothing. */
export function failureText(status: ExitStatus): string {
  if (status.how === "signaled") return signalName(status.signal) + (status.coreDumped ? " core" : "");
  return status.how === "exited" && status.code !== 0 ? `exit ${status.code}` : "";
}

/** What stands for an exit status when no end was seen: a complete recording knows that the process was still there. */
export function noEndText(recording: Recording): string {
  return recording.end === undefined ? "no end" : "running";
}

/** What everybody who looks at this recording must be told, as sentences. */
export function caveats(recording: Recording): string[] {
  const out: string[] = [];
  const lines = lostLines(recording);
  if (lines > 0)
    out.push(
      `${lines} ${lines === 1 ? "event of executed lines was" : "events of executed lines were"} lost while recording`,
    );
  if (recording.lost > lines) {
    const n = recording.lost - lines;
    out.push(
      `${n} ${n === 1 ? "event was" : "events were"} lost while recording: processes may be missing or lack their end`,
    );
  }
  if (isCutOff(recording))
    out.push("the recording was cut off: it has no end, and what was running then has none either");
  return out;
}

/** Lost events that were about executed lines: no process is missing for them. */
function lostLines(recording: Recording): number {
  if (recording.lost === 0) return 0;
  const { kind, length } = recording.events;
  let lost = 0;
  for (let row = 0; row < length; row++) {
    if (kind[row] !== KIND.lost) continue;
    const event = eventAt(recording, row);
    if (event.kind === "lost" && /^lines( of pid \d+)?: /.test(event.reason)) lost += event.count;
  }
  return lost;
}
