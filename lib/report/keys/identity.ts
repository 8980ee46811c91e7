// Which run, which report of it, and when.
import type { Json } from "../../base/json_value.ts";
import { monotonicNs } from "../../host/clock.ts";
import type { ReportContext, ReportKey } from "../key.ts";

const SINCE = "0.1.0";

/** When the operation began: the tool's start for the first report, the collection for all later ones. */
function beganUnixMs(c: ReportContext): number {
  return c.operation === "exec" ? c.run.startedUnixMs : c.facts.unixMs;
}

function beganMonotonicMs(c: ReportContext): number {
  return c.operation === "exec" ? Math.floor(c.run.startedMonotonicMs) : Math.floor(c.facts.monotonicNs / 1e6);
}

const two = (n: number) => String(n).padStart(2, "0");

/** Local date, time of day and offset; UTC is `+00:00`. */
export function localTime(unixMs: number, offsetMinutes = -new Date(unixMs).getTimezoneOffset()) {
  const iso = new Date(unixMs + offsetMinutes * 60_000).toISOString();
  const size = Math.abs(offsetMinutes);
  return {
    date: iso.slice(0, 10),
    time: iso.slice(11, 23),
    offset: `${offsetMinutes < 0 ? "-" : "+"}${two(Math.floor(size / 60))}:${two(size % 60)}`,
  };
}

function key(
  id: string,
  type: string,
  on: boolean,
  doc: string,
  source: string,
  compute: (c: ReportContext) => Json | undefined,
  more: Partial<ReportKey> = {},
): ReportKey {
  return { id, level: "host", type, since: SINCE, doc, source, on, facts: [], compute, ...more };
}

export const identityKeys: readonly ReportKey[] = [
  key("_OPERATION", "string", true, "What reports: `exec`, `heartbeat`, `load`, ...", "tk", (c) => c.operation, {
    differs: "in every report, also when the template does not mention it; `use = false` removes it",
  }),
  key(
    "_ACTION_ID",
    "string",
    true,
    "Random number of this collection, 16 lower-case hex digits; custom reports about the same moment share it.",
    "random",
    (c) => c.actionId,
  ),
  key(
    "_EXEC_ID",
    "string",
    true,
    "Random number of this run of tk, 16 lower-case hex digits: the same in the first report and in all its heartbeats.",
    "random",
    (c) => c.run.execId,
  ),
  key(
    "_HEARTBEAT_COUNT",
    "int",
    false,
    "1, 2, 3, ...; only in heartbeats.",
    "tk",
    (c) => (c.operation === "heartbeat" ? c.heartbeatCount : undefined),
    { differs: "on in the template `heartbeat`" },
  ),
  key(
    "_TIMESTAMP",
    "int",
    true,
    "When the operation began, since 1970: the start of tk in the `exec` report, the moment of collection in later ones.",
    "clock_gettime(CLOCK_REALTIME)",
    beganUnixMs,
    { unit: "ms" },
  ),
  key(
    "_DATETIME",
    "string",
    true,
    "The instant of `_TIMESTAMP` in local time, `2024-03-05T14:35:22.781-05:00`.",
    "`_TIMESTAMP` and the local time zone",
    (c) => {
      const t = localTime(beganUnixMs(c));
      return `${t.date}T${t.time}${t.offset}`;
    },
  ),
  key("_DATE", "string", false, "Local date, `2024-03-05`.", "`_TIMESTAMP` and the local time zone", (c) => {
    return localTime(beganUnixMs(c)).date;
  }),
  key("_TIME", "string", false, "Local time of day, `14:35:22.781`.", "`_TIMESTAMP` and the local time zone", (c) => {
    return localTime(beganUnixMs(c)).time;
  }),
  key("_TZ_OFFSET", "string", false, "Offset of local time from UTC, `-05:00`.", "the local time zone", (c) => {
    return localTime(beganUnixMs(c)).offset;
  }),
  key(
    "_MONOTIME",
    "int",
    true,
    "The monotonic clock when the operation began.",
    "clock_gettime(CLOCK_MONOTONIC)",
    beganMonotonicMs,
    { unit: "ms" },
  ),
  key(
    "_SINCE_TIMESTAMP",
    "int",
    false,
    "From the start of tk to the beginning of this operation, by the wall clock; 0 in the `exec` report.",
    "clock_gettime(CLOCK_REALTIME)",
    (c) => beganUnixMs(c) - c.run.startedUnixMs,
    { unit: "ms" },
  ),
  key(
    "_SINCE_MONOTIME",
    "int",
    false,
    "From the start of tk to the beginning of this operation, by the monotonic clock; 0 in the `exec` report.",
    "clock_gettime(CLOCK_MONOTONIC)",
    (c) => beganMonotonicMs(c) - Math.floor(c.run.startedMonotonicMs),
    { unit: "ms" },
  ),
  key(
    "_CHALK_RUN_TIME",
    "int",
    false,
    "From the beginning of the operation to the making of this report.",
    "clock_gettime(CLOCK_MONOTONIC)",
    (c) => Math.max(0, Math.floor(monotonicNs() / 1e6) - beganMonotonicMs(c)),
    { unit: "ms" },
  ),
  key("_OP_EXIT_CODE", "int", false, "tk's own exit status so far.", "tk", (c) => c.run.exitCode ?? 0),
];
