// Moments as people type them, for every player: `+2s` from here, `12:00:16.5` of the day, `2024-01-27` at this time of day, or both.
// The meaning is that of the older line tracer's player (shared/reference/trackexec-format.md, 7.2); units below a second, a date
// with a time, and hours without seconds are ours. Times of day are the reader's local ones, as views show them.
import { err, ok, type Result } from "neverthrow";

export type Jump =
  /** Seconds from the present moment, either way. */
  | { readonly kind: "by"; readonly seconds: number }
  /** A time of the present day; hours beyond 23 are of the next days. */
  | { readonly kind: "clock"; readonly hours: number; readonly minutes: number; readonly seconds: number }
  /** A day, at the present time of day. */
  | { readonly kind: "day"; readonly year: number; readonly month: number; readonly day: number }
  /** A moment by itself. */
  | {
      readonly kind: "moment";
      readonly year: number;
      readonly month: number;
      readonly day: number;
      readonly hours: number;
      readonly minutes: number;
      readonly seconds: number;
    };

/** How a clock counts; `LineClock` of lib/lines is one. */
export interface JumpClock {
  readonly ticksPerSecond: number;
  /** The clock's reading at 1970-01-01T00:00Z. */
  readonly unixZero: number;
}

/** What a prompt says when a moment cannot be read. */
export const JUMP_FORMS = "+2s, -3m, +1h, -15d, 12:00:16.5 or 2024-01-27";

const UNITS: Readonly<Record<string, number>> = { ns: 1e-9, us: 1e-6, ms: 1e-3, s: 1, m: 60, h: 3600, d: 86_400 };
const BY = /^([+-])(\d+\.?\d*|\.\d+)(ns|us|ms|s|m|h|d)$/;
const DAY = /^(\d{1,4})-(\d{1,2})-(\d{1,2})(?:[T ](\S+))?$/;
const CLOCK = /^(\d{1,6}):(\d{1,2})(?::(\d{1,2}(?:\.\d*)?))?$/;

export function parseJump(text: string): Result<Jump, string> {
  const typed = text.trim().replace(/\s+/g, " ");
  const by = BY.exec(typed);
  if (by !== null) {
    const seconds = Number(by[2]) * UNITS[by[3]!]!;
    return ok({ kind: "by", seconds: by[1] === "-" ? -seconds : seconds });
  }
  const day = DAY.exec(typed);
  if (day !== null) {
    const date = { year: Number(day[1]), month: Number(day[2]), day: Number(day[3]) };
    if (!isDay(date)) return err("there is no such day");
    if (day[4] === undefined) return ok({ kind: "day", ...date });
    const time = parseClock(day[4]);
    return time === undefined ? bad() : ok({ kind: "moment", ...date, ...time });
  }
  const time = parseClock(typed);
  return time === undefined ? bad() : ok({ kind: "clock", ...time });
}

const bad = (): Result<Jump, string> => err(`expected ${JUMP_FORMS}`);

interface ClockTime {
  readonly hours: number;
  readonly minutes: number;
  readonly seconds: number;
}

function parseClock(text: string): ClockTime | undefined {
  const m = CLOCK.exec(text);
  if (m === null) return undefined;
  const time = { hours: Number(m[1]), minutes: Number(m[2]), seconds: Number(m[3] ?? "0") };
  return time.minutes < 60 && time.seconds < 60 ? time : undefined;
}

function isDay({ year, month, day }: { year: number; month: number; day: number }): boolean {
  if (year < 1 || month < 1 || month > 12 || day < 1) return false;
  // The zeroth day of the next month is the last of this one.
  return day <= new Date(Date.UTC(year < 100 ? year + 400 : year, month, 0)).getUTCDate();
}

/** The clock's reading at the moment that was asked for, from its reading now; whole ticks, towards zero of what is absolute. */
export function jumpTarget(jump: Jump, now: number, clock: JumpClock): number {
  const { ticksPerSecond: ticks, unixZero } = clock;
  if (jump.kind === "by") return now + jump.seconds * ticks;
  const unix = (now - unixZero) / ticks;
  const here = new Date(Math.floor(unix) * 1000);
  const date =
    jump.kind === "clock" ? { year: here.getFullYear(), month: here.getMonth() + 1, day: here.getDate() } : jump;
  const time =
    jump.kind === "day"
      ? { hours: here.getHours(), minutes: here.getMinutes(), seconds: here.getSeconds() + (unix - Math.floor(unix)) }
      : jump;
  const whole = Math.floor(time.seconds);
  const local = new Date(2000, 0, 1);
  // Not in the constructor: it takes years below 100 for 19xx.
  local.setFullYear(date.year, date.month - 1, date.day);
  local.setHours(time.hours, time.minutes, whole, 0);
  return Math.trunc((local.getTime() / 1000) * ticks + (time.seconds - whole) * ticks + unixZero);
}

/** Where a recording lies on its own clock. */
export interface Extent {
  readonly start: number;
  readonly end: number;
  /** Undefined when the recording does not say when it was made. */
  readonly clock: JumpClock | undefined;
}

/** A moment of a recording as options name it: `2s` and `+2s` from its start, `-2s` from its end, a time of its day, a day's beginning. */
export function parseMoment(text: string, { start, end, clock }: Extent): Result<number, string> {
  const typed = text.trim();
  return parseJump(/^[\d.]+[a-z]+$/.test(typed) ? `+${typed}` : typed).andThen((jump) => {
    if (jump.kind === "by") {
      const back = typed.startsWith("-");
      return ok(jumpTarget(jump, back ? end : start, clock ?? { ticksPerSecond: 1e9, unixZero: 0 }));
    }
    if (clock === undefined)
      return err("the recording does not say when it was made; give a time from its start, such as 2s");
    const day: Jump = jump.kind === "day" ? { ...jump, kind: "moment", hours: 0, minutes: 0, seconds: 0 } : jump;
    return ok(jumpTarget(day, start, clock));
  });
}
