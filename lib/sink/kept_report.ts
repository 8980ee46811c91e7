// One line of the report cache, to and from text. Lines may come from the original or from anybody: what is no kept report
// is undefined, and a message is taken only when it is a JSON object.
import { createHash } from "node:crypto";
import { emptyObject, jsonText, type Json } from "../base/json_value.ts";

export interface Kept {
  readonly id: string;
  /** When it was kept, milliseconds since 1970. */
  readonly time: number;
  readonly operation: string;
  readonly topic: string;
  /** Names of the sink configurations that have not had it. */
  readonly sinks: readonly string[];
  /** Sink configuration to the time until which somebody is sending it there. */
  readonly leases: Readonly<Record<string, number>>;
  /** Sink configuration to how often it called the report unfit. */
  readonly refusals: Readonly<Record<string, number>>;
  /** JSON of the report object. */
  readonly message: string;
}

export function describeKept(report: Kept): string {
  const { id, time, operation, topic, sinks, leases, refusals, message } = report;
  return jsonText({
    $id: id,
    $time: time,
    $operation: operation,
    $topic: topic,
    $sinks: sinks,
    ...(Object.keys(leases).length > 0 ? { $leases: leases } : {}),
    ...(Object.keys(refusals).length > 0 ? { $refusals: refusals } : {}),
    $message: message,
  });
}

export function parseKept(line: string): Kept | undefined {
  const object = jsonObject(line);
  if (object === undefined) return undefined;
  const { $id, $time, $operation, $topic, $sinks, $leases, $refusals, $message } = object;
  if (typeof $topic !== "string" || typeof $message !== "string" || !Array.isArray($sinks)) return undefined;
  const sinks = $sinks.filter((name) => typeof name === "string");
  const report = sinks.length === 0 ? undefined : jsonObject($message);
  if (report === undefined) return undefined;
  return {
    // The original's lines have none; the same line has the same one every time.
    id: typeof $id === "string" && $id !== "" ? $id : createHash("sha256").update(line).digest("hex").slice(0, 16),
    time: typeof $time === "number" ? $time : 0,
    operation: typeof $operation === "string" ? $operation : "",
    topic: $topic,
    sinks,
    leases: numbers($leases),
    refusals: numbers($refusals),
    // Sinks write one line per delivery; the original may have kept several.
    message: /[\n\r]/.test($message) ? jsonText(report) : $message,
  };
}

function jsonObject(text: string): Readonly<Record<string, Json>> | undefined {
  try {
    const value = JSON.parse(text) as Json;
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, Json>>)
      : undefined;
  } catch {
    return undefined;
  }
}

function numbers(value: Json | undefined): Record<string, number> {
  const found = emptyObject<number>();
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    for (const [name, n] of Object.entries(value)) if (typeof n === "number" && Number.isFinite(n)) found[name] = n;
  return found;
}
