// How much slower is too slow: `10%` of the base, or a time such as `500ms`.
import type { Measure } from "./compare.ts";

export type Limit = { readonly part: number } | { readonly ns: number };

const UNITS: Readonly<Record<string, number>> = { ns: 1, us: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 };

/** Nanoseconds of `500ms`, `1.5s`, `2m`. */
export function parseSpan(text: string): number | undefined {
  const m = /^(\d+(?:\.\d+)?)(ns|us|ms|s|m|h)$/.exec(text.trim());
  return m === null ? undefined : Number(m[1]) * UNITS[m[2]!]!;
}

export function parseChange(text: string): Limit | undefined {
  const part = /^(\d+(?:\.\d+)?)%$/.exec(text.trim());
  if (part !== null) return { part: Number(part[1]) / 100 };
  const ns = parseSpan(text);
  return ns === undefined ? undefined : { ns };
}

/** Slower by more than the limit, and by more than the runs differ by themselves where that is known. */
export function tooSlow(total: Measure, limit: Limit): boolean {
  const most = "ns" in limit ? limit.ns : limit.part * total.base.median;
  return total.change > most && (Number.isNaN(total.noise) || total.change > total.noise);
}
