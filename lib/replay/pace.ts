// When what was recorded is due to be shown again: recorded gaps, shortened to a longest one, then divided by the speed. Knows no clock.
import { err, ok, type Result } from "neverthrow";

export class Pace {
  private readonly speed: number;
  private readonly longest: number;
  private last = NaN;
  private played = 0;

  /** `speed`: Infinity never waits. `longest`: nanoseconds of recorded time. */
  constructor(speed: number, longest: number) {
    this.speed = speed;
    this.longest = longest;
  }

  /** Nanoseconds after the first moment at which this one is due. Moments come in order; one that is late is due at once. */
  due(time: number): number {
    const gap = time > this.last ? time - this.last : 0;
    if (Number.isNaN(this.last) || gap > 0) this.last = time;
    if (this.speed !== Infinity) this.played += Math.min(gap, this.longest) / this.speed;
    return this.played;
  }
}

/** `10x`, `0.5`, `max` or `0`: how many recorded seconds are one. */
export function parseSpeed(text: string): Result<number, string> {
  if (text === "max") return ok(Infinity);
  const m = /^(\d+\.?\d*|\.\d+)x?$/.exec(text.trim());
  if (m === null) return err("expected a speed such as 10x, 0.5x or max");
  const speed = Number(m[1]);
  return ok(speed === 0 ? Infinity : speed);
}

const UNITS: Readonly<Record<string, number>> = { ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 };

/** `1s`, `500ms`; without a unit, seconds. Nanoseconds. */
export function parseIdle(text: string): Result<number, string> {
  const m = /^(\d+\.?\d*|\.\d+)(ms|s|m|h)?$/.exec(text.trim());
  return m === null ? err("expected a time such as 1s or 500ms") : ok(Number(m[1]) * UNITS[m[2] ?? "s"]!);
}
