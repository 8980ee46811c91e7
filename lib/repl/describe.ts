// One process or event in one line, as the shell names them everywhere: handle first, then when and what.
import { cutEnd } from "../base/text.ts";
import { ENDED, exitStatusOf } from "../derive/processes.ts";
import { errnoName } from "../query/value_type.ts";
import { EVENT_KINDS } from "../query/fields.ts";
import { KIND } from "../model/event.ts";
import { ABSENT } from "../model/ids.ts";
import { formatDuration, NS_PER_S } from "../model/time.ts";
import { failureText, noEndText } from "../render/commands.ts";
import { exitStatusAt } from "../model/event_at.ts";
import type { Book } from "./book.ts";

/** Seconds since the recording began, with microseconds: `+1.234567s`. */
export function moment(ns: number): string {
  return Number.isNaN(ns) ? "-" : `+${(ns / NS_PER_S).toFixed(6)}s`;
}

/** `exit 2`, `SIGKILL`, `running`; empty for success. */
export function endOf(book: Book, life: number): string {
  const { processes: p, recording } = book;
  if (p.ended[life] === ENDED.unseen) return noEndText(recording);
  if (p.ended[life] === ENDED.replaced) return "end lost";
  return failureText(exitStatusOf(p, life));
}

/** `4.5s`; of a process whose end was not seen at least this long: `>4.5s`. */
export function wallOf(book: Book, life: number): string {
  const { processes: p } = book;
  const end = p.end[life]!;
  if (!Number.isNaN(end)) return formatDuration(end - p.start[life]!);
  return `>${formatDuration(Math.max(0, p.lastTime - p.start[life]!))}`;
}

export function processLine(book: Book, life: number): string {
  const end = endOf(book, life);
  const facts = [`p${life}`, `pid ${book.processes.pid[life]}`, wallOf(book, life), end].filter((t) => t !== "");
  return `${facts.join("  ")}  ${book.commandOf(life)}`;
}

const NAMES = new Map<number, string>(EVENT_KINDS.map((name) => [KIND[name], name]));
NAMES.set(KIND.exec_part, "exec");

export function kindOf(book: Book, row: number): string {
  return NAMES.get(book.recording.events.kind[row]!) ?? "unknown";
}

/** What happened: the command of an exec, the status of an exit. */
export function whatOf(book: Book, row: number): string {
  const { events } = book.recording;
  switch (events.kind[row]) {
    case KIND.exec:
    case KIND.exec_part:
      return book.commands.ofExec(row);
    case KIND.exec_failed: {
      const code = events.code[row]!;
      return `${book.commands.ofExec(row)}${code === ABSENT ? "" : `: ${errnoName(code)}`}`;
    }
    case KIND.exit: {
      const status = failureText(exitStatusAt(events, row));
      const life = book.processes.owner[row]!;
      return `${status === "" ? "exit 0" : status}${life < 0 ? "" : `  (${book.programOf(life)})`}`;
    }
    case KIND.fork: {
      const life = book.processes.owner[row]!;
      const parent = life < 0 ? ABSENT : book.processes.parent[life]!;
      return parent < 0 ? "" : `by p${parent} ${book.programOf(parent)}`;
    }
    case KIND.setpgid:
      return `group ${events.pgid[row]}`;
    case KIND.setsid:
      return `session ${events.sid[row]}`;
    default:
      return "";
  }
}

export function eventLine(book: Book, row: number): string {
  const { events } = book.recording;
  const life = book.processes.owner[row]!;
  const who = life < 0 ? (events.pid[row] === ABSENT ? "" : `pid ${events.pid[row]}`) : `p${life}`;
  const parts = [`e${row}`, moment(events.ts[row]!), kindOf(book, row), who, whatOf(book, row)];
  return parts.filter((t) => t !== "").join("  ");
}

export function fit(text: string, width: number, unicode: boolean): string {
  return cutEnd(text, width, unicode ? "…" : "...");
}
