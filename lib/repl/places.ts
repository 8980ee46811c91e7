// What a word means that names a place: `p12`, a pid, a program's name, `e400`, `event 400`, `+2s`, `1.5s`, `12:00:01`, a mark, `start`, `end`.
import { err, ok, type Result } from "neverthrow";
import { nearest } from "../base/nearest.ts";
import { ABSENT } from "../model/ids.ts";
import type { Book } from "./book.ts";
import type { CommandError } from "./command.ts";
import type { Position, Session } from "./session.ts";

const fail = (message: string, hint?: string): Result<never, CommandError> =>
  err(hint === undefined ? { message } : { message, hint });

/** The life that a word names: a handle, a pid, or a program that only one remaining process ran. */
export function lifeOf(word: string, book: Book, session: Session): Result<number, CommandError> {
  const { processes } = book;
  const handle = /^p(\d+)$/.exec(word);
  if (handle !== null) {
    const life = Number(handle[1]);
    if (life < processes.length) return ok(life);
    return fail(
      `there is no process ${word}`,
      processes.length === 0 ? undefined : `the last is p${processes.length - 1}`,
    );
  }
  const event = /^e(\d+)$/.exec(word);
  if (event !== null) {
    const life = processes.owner[Number(event[1])];
    return life === undefined || life < 0 ? fail(`${word} is no event of a process`) : ok(life);
  }
  if (/^\d+$/.test(word)) {
    const lives = book.world.livesOf(Number(word));
    if (lives.length === 0) return fail(`no process had the pid ${word}`, "handles such as p12 are in the column ID");
    return ok(nearestInTime(lives, book, session));
  }
  const { lives } = book.scope(session);
  const named: number[] = [];
  const { keys, pool } = book.world.texts("procs", "exe");
  for (let life = 0; life < processes.length && named.length < 50; life++) {
    if (lives !== undefined && lives[life] === 0) continue;
    if (keys[life]! >= 0 && pool.text(keys[life]!) === word) named.push(life);
  }
  if (named.length === 1) return ok(named[0]!);
  if (named.length > 1)
    return fail(
      `${named.length}${named.length === 50 ? " or more" : ""} processes are called ${word}`,
      `such as ${named
        .slice(0, 5)
        .map((p) => `p${p}`)
        .join(", ")}; procs where exe == "${word}" lists them`,
    );
  const near = nearest(word, poolTexts(book, 2000));
  return fail(
    `there is no process '${word}'`,
    near.length > 0
      ? `did you mean ${near.join(" or ")}?`
      : "expected a handle such as p12, a pid, or a program's name",
  );
}

function poolTexts(book: Book, most: number): string[] {
  const { pool } = book.world.texts("procs", "exe");
  return Array.from({ length: Math.min(most, pool.length) }, (_, key) => pool.text(key));
}

/** A pid may have been used again: the life that was there at the moment at hand, else the first. */
function nearestInTime(lives: readonly number[], { processes: p }: Book, { position }: Session): number {
  return lives.findLast((life) => p.start[life]! <= position.time) ?? lives[0]!;
}

const UNITS: Readonly<Record<string, number>> = { ns: 1, us: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 };

/** Nanoseconds since the recording began. */
export function momentOf(text: string, book: Book, now: number): number | undefined {
  const span = /^([+-]?)(\d+(?:\.\d+)?|\.\d+)(ns|us|ms|s|m|h)$/.exec(text);
  if (span !== null) {
    const ns = Number(span[2]) * UNITS[span[3]!]!;
    return span[1] === "" ? ns : now + (span[1] === "-" ? -ns : ns);
  }
  const clock = /^(?:(\d{4})-(\d{2})-(\d{2})[T ])?(\d{1,2}):(\d{2})(?::(\d{2})(\.\d{1,9})?)?$/.exec(text);
  const zero = unixZero(book);
  if (clock === null || zero === undefined) return undefined;
  const [, year, month, day, hours, minutes, seconds = "0", part = "0"] = clock;
  // A time of day is of the day at hand, in the reader's zone.
  const here = new Date((zero + now) / 1e6);
  const at = new Date(
    year === undefined ? here.getFullYear() : Number(year),
    month === undefined ? here.getMonth() : Number(month) - 1,
    day === undefined ? here.getDate() : Number(day),
    Number(hours),
    Number(minutes),
    Number(seconds),
  ).getTime();
  return Math.round(at * 1e6 - zero + Number(part) * 1e9);
}

/** Wall clock of the recording's beginning in nanoseconds, to a microsecond or so; undefined when it is not known. */
export function unixZero({ recording: { header } }: Book): number | undefined {
  const text = header?.started_unix_ns;
  if (text !== undefined && /^\d{1,20}$/.test(text)) return Number(text);
  const parsed = header?.started_at === undefined ? NaN : Date.parse(header.started_at);
  return Number.isNaN(parsed) ? undefined : parsed * 1e6;
}

/** The last event at or before a moment, of those that remain; -1 when there is none. */
export function rowAt(time: number, book: Book, session: Session): number {
  const { order } = book.processes;
  const { ts } = book.recording.events;
  const { rows } = book.scope(session);
  let low = 0;
  let high = order.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ts[order[middle]!]! <= time) low = middle + 1;
    else high = middle;
  }
  for (let i = low - 1; i >= 0; i--) if (rows === undefined || rows[order[i]!] === 1) return order[i]!;
  return -1;
}

/** Where an event stands in the order of time. */
export function rankOf(row: number, book: Book): number {
  const { order } = book.processes;
  const { ts } = book.recording.events;
  if (row < 0) return -1;
  const time = ts[row]!;
  let low = 0;
  let high = order.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ts[order[middle]!]! < time) low = middle + 1;
    else high = middle;
  }
  for (let i = low; i < order.length && ts[order[i]!] === time; i++) if (order[i] === row) return i;
  return low - 1;
}

/** The next event that remains, forwards or backwards, `count` of them on; ABSENT at the end. */
export function neighbour(session: Session, book: Book, step: 1 | -1, count: number, wanted?: Uint8Array): number {
  const { order } = book.processes;
  const { rows } = book.scope(session);
  let found = ABSENT;
  let left = count;
  const { row } = session.position;
  for (let i = rankOf(row, book) + step; i >= 0 && i < order.length && left > 0; i += step) {
    const at = order[i]!;
    if ((rows !== undefined && rows[at] === 0) || (wanted !== undefined && wanted[at] === 0)) continue;
    found = at;
    left--;
  }
  return found;
}

/** The position that words name: `+2s`, `12:00:01`, `p12`, `event 400`, `e400`, `start`, `end`, a mark. */
export function positionOf(
  words: readonly string[],
  book: Book,
  session: Session,
): Result<Partial<Position>, CommandError> {
  const [first = "", second] = words;
  const { events } = book.recording;
  const toRow = (row: number): Result<Partial<Position>, CommandError> => {
    if (row >= events.length || events.length === 0)
      return fail(`there is no event ${row}`, events.length === 0 ? undefined : `the last is e${events.length - 1}`);
    const time = events.ts[row]!;
    return ok({ row, time: Number.isNaN(time) ? session.position.time : time });
  };
  if (first === "event" && second !== undefined && /^e?\d+$/.test(second))
    return toRow(Number(second.replace("e", "")));
  if (/^e\d+$/.test(first)) return toRow(Number(first.slice(1)));
  if (first === "start")
    return ok({ row: rowAt(book.processes.firstTime, book, session), time: book.processes.firstTime });
  if (first === "end") return ok({ row: rowAt(book.processes.lastTime, book, session), time: book.processes.lastTime });
  const mark = session.marks.get(first);
  if (mark !== undefined) return ok(mark);
  const time = momentOf(words.join(" "), book, session.position.time);
  if (time !== undefined) {
    const clamped = Math.min(Math.max(time, 0), Math.max(book.processes.lastTime, 0));
    return ok({ time: clamped, row: rowAt(clamped, book, session) });
  }
  if (/^\d{1,2}:\d{2}/.test(first) || /^\d{4}-/.test(first))
    return fail(
      unixZero(book) === undefined
        ? "this recording does not say at what time of day it began"
        : `'${words.join(" ")}' is no moment, expected such as 12:00:01.5`,
    );
  const life = lifeOf(first, book, session);
  if (life.isErr()) {
    if (/^p\d+$|^\d+$/.test(first)) return err(life.error);
    return fail(
      `'${words.join(" ")}' is no place`,
      "expected +2s, 1.5s, 12:00:01, p12, event 400, start, end or a mark",
    );
  }
  const start = book.processes.start[life.value]!;
  const row =
    book.processes.order.find((r) => book.processes.owner[r] === life.value && events.ts[r] === start) ??
    rowAt(start, book, session);
  return ok({ time: start, row });
}
