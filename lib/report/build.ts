// Makes a report out of facts and a template: the object with its keys in the documented order, empty values left out,
// artifact keys inside `_CHALKS`. It computes and arranges; it reads nothing and sends nothing.
import { emptyObject, jsonText, type Json, type JsonObject } from "../base/json_value.ts";
import type { UserKey } from "../config/settings.ts";
import type { FieldValue } from "../config/field_value.ts";
import type { ReportContext, ReportKey } from "./key.ts";
import { compareByOrder } from "./order.ts";
import { keyById } from "./registry.ts";
import type { Report } from "./run.ts";
import type { EnabledKeys } from "./template.ts";

/** 64 random bits as 16 lower-case hex digits: `_EXEC_ID` and `_ACTION_ID`. */
export function randomId(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(8))).toString("hex");
}

function isEmpty(value: Json): boolean {
  if (value === null || value === "") return true;
  if (typeof value !== "object") return false;
  return Array.isArray(value) ? value.length === 0 : Object.keys(value).length === 0;
}

/** A key that could not be computed, for `_OP_FAILED_KEYS`. */
interface Failures {
  [id: string]: Json;
}

function put(into: Map<string, Json>, id: string, value: Json | undefined, keepEmpty: boolean): void {
  if (value !== undefined && (keepEmpty || !isEmpty(value))) into.set(id, value);
}

function computeAll(keys: readonly ReportKey[], context: ReportContext): Map<string, Json> {
  const values = new Map<string, Json>();
  for (const key of keys) put(values, key.id, key.compute(context), key.keepEmpty === true);
  return values;
}

function userValue(key: UserKey, path: string, failures: Failures): FieldValue | undefined {
  try {
    return key.compute(path);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    failures[key.name] = [
      { code: "KEY_COLLECTION_ERROR", error: text, description: `The function of key ${key.name} failed` },
    ];
    return undefined;
  }
}

function addUserKeys(
  level: "host" | "artifact",
  values: Map<string, Json>,
  context: ReportContext,
  keys: EnabledKeys,
  failures: Failures,
): void {
  for (const id of keys.userKeys) {
    const key = context.settings.userKeys.get(id);
    if (key === undefined || key.level !== level || keyById(id) !== undefined) continue;
    const path = level === "artifact" ? (context.artifact?.path ?? "") : "";
    put(values, id, userValue(key, path, failures), false);
  }
}

/** The element of `_CHALKS`: the mark's keys first, since they say what the file is, then what was seen of the process. */
function artifactObject(context: ReportContext, keys: EnabledKeys, failures: Failures): JsonObject | undefined {
  const values = new Map<string, Json>();
  for (const [id, value] of context.artifact?.mark ?? [])
    if (!id.startsWith("_") && keys.showsMarkKey(id)) put(values, id, value, false);
  for (const [id, value] of computeAll(keys.artifact, context)) values.set(id, value);
  addUserKeys("artifact", values, context, keys, failures);
  return values.size === 0 ? undefined : ordered(values, [...values.keys()]);
}

function ordered(values: ReadonlyMap<string, Json>, ids: readonly string[]): JsonObject {
  const object = emptyObject<Json>();
  for (const id of ids) object[id] = values.get(id)!;
  return object;
}

/**
 * One report. `custom`: made for a custom_report, where artifact keys appear only if the template enables `_CHALKS`;
 * the report of the command itself always has them.
 */
export function buildReport(context: ReportContext, keys: EnabledKeys, custom = false): Report {
  const failures = emptyObject<Json>();
  const values = computeAll(keys.host, context);
  if (!custom || keys.shows("_CHALKS")) {
    const element = artifactObject(context, keys, failures);
    if (element !== undefined) values.set("_CHALKS", [element]);
  }
  addUserKeys("host", values, context, keys, failures);
  if (keys.shows("_OP_FAILED_KEYS")) put(values, "_OP_FAILED_KEYS", failures, false);
  const byOrder = (a: string, b: string) => compareByOrder(a, b, keys.order);
  if (keys.shows("_OP_HOST_REPORT_KEYS"))
    values.set("_OP_HOST_REPORT_KEYS", [...values.keys(), "_OP_HOST_REPORT_KEYS"].sort(byOrder));
  return ordered(values, [...values.keys()].sort(byOrder));
}

/** What sinks get: an array with one object, on one line, without the newline. */
export function reportText(report: Report): string {
  return jsonText([report]);
}
