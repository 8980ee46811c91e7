// Time on a recording's axis, and the only place that knows 1e9.
import type { Brand } from "../base/brand.ts";

/** Whole nanoseconds of CLOCK_MONOTONIC since the recording began. Exact below 2^53, which is about 104 days. */
export type Nanos = Brand<number, "Nanos">;

export const NS_PER_US = 1e3;
export const NS_PER_MS = 1e6;
export const NS_PER_S = 1e9;

/** A duration for people, three significant digits: `950ns`, `12.3us`, `4.56ms`, `7.89s`, `2m03s`, `1h02m`. */
export function formatDuration(ns: number): string {
  if (!Number.isFinite(ns)) return "?";
  if (ns < 0) return "-" + formatDuration(-ns);
  if (ns < NS_PER_US) return `${Math.round(ns)}ns`;
  if (ns < NS_PER_MS * 0.9995) return threeDigits(ns / NS_PER_US) + "us";
  if (ns < NS_PER_S * 0.9995) return threeDigits(ns / NS_PER_MS) + "ms";
  const s = ns / NS_PER_S;
  if (s < 59.95) return threeDigits(s) + "s";
  const whole = Math.round(s);
  if (whole < 3600) return `${Math.floor(whole / 60)}m${pad2(whole % 60)}s`;
  const minutes = Math.round(s / 60);
  return `${Math.floor(minutes / 60)}h${pad2(minutes % 60)}m`;
}

function threeDigits(x: number): string {
  return x >= 99.95 ? x.toFixed(0) : x >= 9.995 ? x.toFixed(1) : x.toFixed(2);
}

function pad2(n: number): string {
  return String(n).padStart(2, "0");
}
