// Times of executed lines as people read and type them: local time to the microsecond, as the older tool shows them, and
// the same rounding when a typed time is looked up, so that a time copied from the screen leads back to its line.
import type { LineClock } from "../lines/line_track.ts";

/** The older tool's clock: 2^20 ticks a second, since 1970. */
const isOlder = (clock: LineClock) => clock.ticksPerSecond === 1048576 && clock.unixZero === 0;

/** To the nearest whole number, halves to the even one. */
function roundEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  if (rest !== 0.5) return rest < 0.5 ? floor : floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}

interface UnixTime {
  readonly seconds: number;
  /** 0 to 999,999. */
  readonly micros: number;
}

export function unixTime(time: number, clock: LineClock): UnixTime {
  const { ticksPerSecond, unixZero } = clock;
  // In two parts: nanoseconds since 1970 are beyond what a double holds exactly.
  const zero = Math.floor(-unixZero / ticksPerSecond);
  const sinceZero = (time + (-unixZero - zero * ticksPerSecond)) / ticksPerSecond;
  const whole = Math.floor(sinceZero);
  const micros = roundEven((sinceZero - whole) * 1e6);
  return micros === 1e6 ? { seconds: zero + whole + 1, micros: 0 } : { seconds: zero + whole, micros };
}

const two = (n: number) => String(n).padStart(2, "0");

/** `2026-11-20 09:55:13.929884`; no fraction when it is 0. */
export function localTime(time: number, clock: LineClock): string {
  const { seconds, micros } = unixTime(time, clock);
  const d = new Date(seconds * 1000);
  if (Number.isNaN(d.getTime())) return "an impossible time";
  const date = `${String(d.getFullYear()).padStart(4, "0")}-${two(d.getMonth() + 1)}-${two(d.getDate())}`;
  const fraction = micros === 0 ? "" : `.${String(micros).padStart(6, "0")}`;
  return `${date} ${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}${fraction}`;
}

/** `+1.929884s`, since the recording (of a log directory: the track) began. */
export function sinceStart(time: number, start: number, clock: LineClock): string {
  const seconds = (time - start) / clock.ticksPerSecond;
  return `${seconds < 0 ? "-" : "+"}${Math.abs(seconds).toFixed(6)}s`;
}

/** Whether a line's time is at most `target`, as a jump asks. `typed`: the target was read by a person from a clock, to the microsecond. */
export function notAfter(target: number, clock: LineClock, typed: boolean): (time: number) => boolean {
  if (isOlder(clock)) {
    const ticks = clock.ticksPerSecond;
    return (time) => {
      const whole = Math.trunc(time / ticks);
      return Math.trunc((whole + roundEven((time / ticks - whole) * 1e6) / 1e6) * ticks) <= target;
    };
  }
  if (!typed) return (time) => time <= target;
  const { seconds, micros } = unixTime(target, clock);
  return (time) => {
    const t = unixTime(time, clock);
    return t.seconds < seconds || (t.seconds === seconds && t.micros <= micros);
  };
}

/** Whether a block is early enough to hold the target. */
export function beginsBefore(target: number, clock: LineClock, typed: boolean): (start: number) => boolean {
  return isOlder(clock) ? (start) => start < target : notAfter(target, clock, typed);
}
