// What happened, in a few words: one event of a process for people. The same words in the player's header and in the player for pipes.
// Everything that comes out is safe to print.
import { count, printable } from "../base/text.ts";
import type { Derived } from "../derive/derived.ts";
import { KIND } from "../model/event.ts";
import { eventAt, exitStatusAt, filenameOf } from "../model/event_at.ts";
import { asFields, countField, textField } from "../model/fields.ts";
import { ABSENT } from "../model/ids.ts";
import { formatDuration } from "../model/time.ts";
import { Commands, failureText } from "../render/commands.ts";

export interface EventText {
  /** Of the process that did it; undefined where it is nobody's. */
  readonly pid: number | undefined;
  /** One short word, or two. */
  readonly verb: string;
  readonly text: string;
  readonly mood: "plain" | "bad" | "odd";
}

const LONGEST_ERROR = 80;
/** The kernel's own limit of a path. */
const LONGEST_FILE = 4096;

export class EventWords {
  private readonly derived: Derived;
  private readonly unicode: boolean;
  readonly commands: Commands;

  constructor(derived: Derived, unicode: boolean, full = false) {
    this.derived = derived;
    this.unicode = unicode;
    this.commands = new Commands(derived.recording, derived.processes, derived.tree, { unicode, full });
  }

  of(row: number): EventText {
    const { processes } = this.derived;
    const e = processes.events;
    const pid = e.pid[row] === ABSENT ? undefined : e.pid[row]!;
    const plain = (verb: string, text: string): EventText => ({ pid, verb, text, mood: "plain" });
    switch (e.kind[row]) {
      case KIND.fork: {
        const parent = e.ppid[row] === ABSENT ? undefined : e.ppid[row]!;
        return { pid: parent ?? pid, verb: "fork", text: `makes ${e.pid[row]!}`, mood: "plain" };
      }
      case KIND.exec:
      case KIND.exec_part:
        return plain("exec", this.commands.ofExec(row));
      case KIND.exec_failed:
        return { pid, verb: "exec failed", text: `${this.errorOf(row)}: ${this.tried(row)}`, mood: "bad" };
      case KIND.exit:
        return this.exit(row, pid);
      case KIND.setpgid:
        return plain("setpgid", e.pgid[row] === ABSENT ? "" : `group ${e.pgid[row]!}`);
      case KIND.setsid:
        return plain("setsid", e.sid[row] === ABSENT ? "" : `session ${e.sid[row]!}`);
      default:
        return this.other(row, pid);
    }
  }

  private errorOf(row: number): string {
    const event = eventAt(this.derived.recording, row);
    if (event.kind !== "exec_failed") return "failed";
    if (event.error !== undefined && event.error !== "")
      return printable(event.error.slice(0, LONGEST_ERROR), this.unicode);
    return event.errno === undefined ? "failed" : `errno ${event.errno}`;
  }

  /** Of a search along PATH only the file differs from one exec to the next. */
  private tried(row: number): string {
    const command = this.commands.ofExec(row);
    const file = filenameOf(this.derived.recording, row)?.text;
    if (file === undefined || file === "") return command;
    const shown = printable(file.slice(0, LONGEST_FILE), this.unicode);
    return command === shown || command.startsWith(`${shown} `) || command.startsWith("(no argv)")
      ? command
      : `${shown} (${command})`;
  }

  private exit(row: number, pid: number | undefined): EventText {
    const { processes } = this.derived;
    const status = exitStatusAt(processes.events, row);
    const failure = failureText(status);
    const how = failure !== "" ? failure : status.how === "exited" ? "exit 0" : "status not known";
    const life = processes.owner[row]!;
    const lived = life >= 0 && processes.exitRow[life] === row ? processes.end[life]! - processes.start[life]! : NaN;
    const seen = life >= 0 && processes.forkRow[life] !== ABSENT ? "" : "at least ";
    const after = Number.isNaN(lived) ? "" : `, after ${seen}${formatDuration(lived)}`;
    return { pid, verb: "exit", text: how + after, mood: failure === "" ? "plain" : "bad" };
  }

  private other(row: number, pid: number | undefined): EventText {
    const event = eventAt(this.derived.recording, row);
    switch (event.kind) {
      case "lost": {
        const reason = event.reason === "" ? "" : `: ${printable(event.reason.slice(0, 200), this.unicode)}`;
        return { pid: undefined, verb: "lost", text: count(event.count, "event") + reason, mood: "odd" };
      }
      case "end": {
        const { exit_code, signal } = event.end;
        const status =
          signal !== undefined && signal > 0
            ? failureText({ how: "signaled", signal, coreDumped: false })
            : exit_code === undefined
              ? ""
              : `exit ${exit_code}`;
        return { pid: undefined, verb: "end", text: `of the recording${status && `, ${status}`}`, mood: "plain" };
      }
      case "report": {
        const body = asFields(event.body);
        const operation = body === undefined ? undefined : textField(body, "operation");
        return {
          pid,
          verb: "report",
          text: printable((operation ?? "").slice(0, 80), this.unicode),
          mood: "plain",
        };
      }
      case "exec_args":
      case "exec_filename":
        return { pid, verb: "exec part", text: this.commands.ofExec(row), mood: "odd" };
      default: {
        const tag = "tag" in event ? event.tag : event.kind;
        const note = tag === "Note" && "body" in event ? noteText(event.body) : undefined;
        if (note !== undefined) return { pid, verb: "note", text: printable(note, this.unicode), mood: "odd" };
        return { pid, verb: "other", text: printable(tag.slice(0, 80), this.unicode), mood: "plain" };
      }
    }
  }
}

/** What a recorder says of its own work, such as processes whose lines it could not get. */
function noteText(body: unknown): string | undefined {
  const fields = asFields(body);
  const message = fields === undefined ? undefined : textField(fields, "message");
  if (fields === undefined || message === undefined) return undefined;
  const about = textField(fields, "about");
  const n = countField(fields, "count");
  const lead = about === undefined ? "" : `${about.slice(0, 40)}: `;
  return lead + message.slice(0, 300) + (n === undefined ? "" : ` (${n} times)`);
}
