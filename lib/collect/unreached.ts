// Which processes ran Python or a shell without their lines being recorded, and why: kept while the command runs, told at its end in the
// recording and to the user.
import { count, printable } from "../base/text.ts";
import type { RecordingWriter } from "../format/recording_writer.ts";
import type { Reach } from "./reach.ts";

interface Start extends Reach {
  readonly at: number;
}

/** Pids that are kept of each reason. */
const MOST_PIDS = 1000;
const SHOWN_PIDS = 4;
const MOST_SENTENCES = 6;
/** Bash says when it began by the wall clock, which is slewed. */
const CLOCK_SLACK = 50e6;
/** Different reasons; those of hostile or very varied recorders share one. */
const MOST_REASONS = 200;

export class Unreached {
  /** Started by exec, and nothing has come of it yet. */
  private readonly starts = new Map<number, Start[]>();
  private readonly notes = new Map<string, Set<number>>();
  private readonly counts = new Map<string, number>();

  started(pid: number, at: number, reach: Reach): void {
    const start = { ...reach, at };
    const before = this.starts.get(pid);
    if (before === undefined) this.starts.set(pid, [start]);
    else before.push(start);
  }

  /** Its recorder has begun to write. */
  reached(pid: number, at: number): void {
    const starts = this.starts.get(pid);
    if (starts === undefined) return;
    for (let i = starts.length - 1; i >= 0; i--)
      if (starts[i]!.at <= at + CLOCK_SLACK) {
        starts.splice(i, 1);
        break;
      }
    if (starts.length === 0) this.starts.delete(pid);
  }

  /** The recorder itself says so. */
  note(pid: number, sentence: string): void {
    const reason = this.notes.has(sentence) || this.notes.size < MOST_REASONS ? sentence : "other reasons";
    let pids = this.notes.get(reason);
    if (pids === undefined) {
      pids = new Set();
      this.notes.set(reason, pids);
    }
    this.counts.set(reason, (this.counts.get(reason) ?? 0) + 1);
    if (pid > 0 && pids.size < MOST_PIDS) pids.add(pid);
  }

  /** Writes a note for each reason; as sentences for the user. */
  tell(writer: RecordingWriter, now: number): string[] {
    for (const [pid, starts] of this.starts)
      for (const { kind, why } of starts) {
        // A Python that was not hindered has executed no line of the selection.
        if (why !== undefined) this.note(pid, why);
        else if (kind === "bash") this.note(pid, "Bash did not come to its first command, or had no script");
      }
    const sentences: string[] = [];
    for (const [reason, pids] of this.notes) {
      const n = this.counts.get(reason) ?? pids.size;
      if (pids.size === 0) {
        // What a recorder's files hold: some lines may be missing, but of no process all.
        writer.lineNote(now, reason, 0, []);
        sentences.push(`lines: ${printable(reason)}`);
        continue;
      }
      writer.lineNote(now, reason, n, [...pids]);
      sentences.push(`no lines of ${count(n, "process", "processes")}: ${printable(reason)}${pidList([...pids], n)}`);
    }
    const shown = sentences.slice(0, MOST_SENTENCES);
    const more = sentences.length - shown.length;
    if (more > 0) shown.push(`${count(more, "more reason")} for lines that are not recorded in the recording's notes`);
    return shown;
  }
}

function pidList(pids: readonly number[], n: number): string {
  if (pids.length === 0) return "";
  const shown = pids.slice(0, SHOWN_PIDS);
  const more = Math.max(0, n - shown.length);
  const word = pids.length === 1 && more === 0 ? "pid" : "pids";
  return ` (${word} ${shown.join(", ")}${more > 0 ? ` and ${more} more` : ""})`;
}
