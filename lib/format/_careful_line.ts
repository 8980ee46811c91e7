// The careful path into a row: any line, through JSON.parse, every field checked and every fault put into words.
// It defines what a line means; the fast path only agrees with it.
import { KIND, TAG_KIND } from "../model/event.ts";
import { asFields, field, type Fields } from "../model/fields.ts";
import type { ProblemCode } from "../model/problem.ts";
import { ESSENTIAL, FIELD, FIELD_NAMES, type FieldName, FIELDS_OF, LEAST, MOST, NUMERIC } from "./_fields.ts";
import type { Row } from "./_row.ts";

export interface Careful {
  /** Whether the row counts; without its essentials an event is left out. */
  readonly kept: boolean;
  /** What is behind the tag; undefined when there is no object. */
  readonly body: Fields | undefined;
  /** At most one fault is told per line: the first. */
  readonly fault: { readonly code: ProblemCode; readonly message: string } | undefined;
}

const EXAMPLE = 'an event such as {"Fork":{...}}';

/** Reads one line into `row`. Never throws. */
export function carefulLine(text: string, row: Row): Careful {
  row.clear(KIND.unknown);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    const what = text.charCodeAt(0) === 0 ? "NUL bytes, as a crash leaves them" : "not JSON";
    return dropped("not-json", `${what}, expected ${EXAMPLE}`);
  }
  const line = asFields(value);
  if (line === undefined) return dropped("not-json", `${typeName(value)}, expected ${EXAMPLE}`);
  const tags = Object.keys(line);
  const tag = tags[0];
  if (tag === undefined || tags.length > 1)
    return kept(undefined, "shape", `an object with ${tags.length} keys, expected one, the tag`);
  const kind = TAG_KIND.get(tag) ?? KIND.unknown;
  const body = asFields(line[tag]);
  if (body === undefined) {
    if (kind === KIND.unknown) return kept(undefined);
    return dropped("shape", `${tag} with ${typeName(line[tag])}, expected an object; left out`);
  }
  row.kind = kind;
  return fill(row, tag, body);
}

function dropped(code: ProblemCode, message: string): Careful {
  return { kept: false, body: undefined, fault: { code, message } };
}

function kept(body: Fields | undefined, code?: ProblemCode, message = ""): Careful {
  return { kept: true, body, fault: code === undefined ? undefined : { code, message } };
}

function fill(row: Row, tag: string, body: Fields): Careful {
  const kind = row.kind;
  const mine = FIELDS_OF[kind]!;
  const essential = ESSENTIAL[kind]!;
  let code: ProblemCode | undefined;
  let message = "";
  let missing: string[] | undefined;
  for (const name of FIELD_NAMES) {
    const id = FIELD[name];
    const bit = 1 << id;
    if ((mine & bit) === 0) continue;
    const value = field(body, name);
    if (value === undefined || value === null) {
      if (essential & bit) (missing ??= []).push(name);
      continue;
    }
    const fault = take(row, name, value);
    // Nobody knows what a field of an unknown tag may be.
    if (fault === undefined || kind === KIND.unknown) continue;
    if (essential & bit)
      return { kept: false, body, fault: { code: fault.code, message: `${tag}.${name}: ${fault.message}; left out` } };
    if (code !== undefined) continue;
    code = fault.code;
    message = `${tag}.${name}: ${fault.message}`;
  }
  if (missing !== undefined)
    return {
      kept: false,
      body,
      fault: { code: "shape", message: `${tag} without ${missing.join(" and ")}; left out` },
    };
  return kept(body, code, message);
}

interface Fault {
  readonly code: "number" | "shape";
  readonly message: string;
}

function take(row: Row, name: FieldName, value: unknown): Fault | undefined {
  const id = FIELD[name];
  if (NUMERIC & (1 << id)) {
    const least = LEAST[id]!;
    const most = MOST[id]!;
    if (typeof value !== "number") return { code: "shape", message: `${typeName(value)}, expected a whole number` };
    if (!Number.isSafeInteger(value) || value < least || value > most) {
      const range = most === Number.MAX_SAFE_INTEGER ? "to below 2^53" : `to ${most}`;
      return { code: "number", message: `${value}, expected a whole number from ${least} ${range}` };
    }
    row.set(id, value);
    return undefined;
  }
  if (id === FIELD.core_dumped) {
    if (typeof value !== "boolean") return { code: "shape", message: `${typeName(value)}, expected true or false` };
    row.core = value;
    return undefined;
  }
  if (typeof value === "string") return undefined;
  if (id === FIELD.filename) return { code: "shape", message: `${typeName(value)}, expected a string` };
  if (!Array.isArray(value) || !value.every((word) => typeof word === "string"))
    return { code: "shape", message: `${typeName(value)}, expected an array of strings or a string` };
  row.list = true;
  return undefined;
}

function typeName(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return value.every((x) => typeof x === "string") ? "an array" : "an array of other things";
  switch (typeof value) {
    case "string":
      return "a string";
    case "number":
      return "a number";
    case "boolean":
      return String(value);
    default:
      return "an object";
  }
}
