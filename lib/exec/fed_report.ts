// One line of the pipe from the reporter to the recorder. The writer is tk itself, but may be killed in the middle. Pure.
import type { JsonObject } from "../base/json_value.ts";
import type { FedReport } from "../capture/report_feed.ts";

export function readFedReport(line: string): FedReport | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const { at, pid, operation, report } = value as Readonly<Record<string, unknown>>;
  if (typeof at !== "number" || typeof pid !== "number" || typeof operation !== "string") return undefined;
  return { at, pid, operation, report: report as JsonObject };
}
