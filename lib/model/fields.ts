// Values out of parsed JSON from strangers, by type: anything else is undefined, never an exception.
import { decodeBase64 } from "../base/base64.ts";
import type { Argv, Text } from "./event.ts";
import type { RecordingEnd, RecordingHeader } from "./recording.ts";

/** A JSON object that is not an array; own fields only. */
export type Fields = { readonly [name: string]: unknown };

export function asFields(value: unknown): Fields | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
}

export function field(fields: Fields, name: string): unknown {
  return Object.hasOwn(fields, name) ? fields[name] : undefined;
}

export function textField(fields: Fields, name: string): string | undefined {
  const value = field(fields, name);
  return typeof value === "string" ? value : undefined;
}

/** A whole number from 0 to 2^53 - 1. */
export function countField(fields: Fields, name: string): number | undefined {
  const value = field(fields, name);
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

/** A text field with the exact bytes beside it in `<name>_b64`. */
export function bytesField(fields: Fields, name: string): Text | undefined {
  const text = textField(fields, name);
  if (text === undefined) return undefined;
  const exact = decoded(field(fields, name + "_b64"));
  return exact === undefined ? { text } : { text, exact };
}

function decoded(value: unknown): Uint8Array | undefined {
  return typeof value === "string" ? decodeBase64(value) : undefined;
}

/** The words of an exec, an array or one string; undefined when the field has neither. */
export function argvField(fields: Fields, name: string): Argv | undefined {
  const value = field(fields, name);
  const encoded = field(fields, name + "_b64");
  if (typeof value === "string") {
    const exact = decoded(encoded);
    return exact === undefined
      ? { words: [value], joined: true }
      : { words: [value], joined: true, bytes: new Map([[0, exact]]) };
  }
  if (!Array.isArray(value)) return undefined;
  const words: string[] = [];
  for (const word of value as unknown[]) words.push(typeof word === "string" ? word : "");
  if (!Array.isArray(encoded)) return { words, joined: false };
  const bytes = new Map<number, Uint8Array>();
  for (let i = 0; i < encoded.length && i < words.length; i++) {
    const exact = decoded((encoded as unknown[])[i]);
    if (exact !== undefined) bytes.set(i, exact);
  }
  return bytes.size > 0 ? { words, joined: false, bytes } : { words, joined: false };
}

function textList(fields: Fields, name: string): string[] | undefined {
  const value = field(fields, name);
  if (!Array.isArray(value)) return undefined;
  return (value as unknown[]).filter((x): x is string => typeof x === "string");
}

/** The header's known fields; those of a wrong type are left out. */
export function headerOf(fields: Fields): RecordingHeader {
  const header: { -readonly [K in keyof RecordingHeader]: RecordingHeader[K] } = {};
  for (const name of [
    "generator",
    "backend",
    "mode",
    "started_at",
    "started_unix_ns",
    "cwd",
    "hostname",
    "os",
    "arch",
    "kernel",
    "user",
  ] as const) {
    const value = textField(fields, name);
    if (value !== undefined) header[name] = value;
  }
  for (const name of ["version", "root_pid"] as const) {
    const value = countField(fields, name);
    if (value !== undefined) header[name] = value;
  }
  const command = argvField(fields, "command");
  if (command !== undefined && !command.joined) {
    header.command = command.words;
    if (command.bytes !== undefined) header.commandBytes = command.bytes;
  }
  const limits = textList(fields, "limits");
  if (limits !== undefined) header.limits = limits;
  return header;
}

export function endOf(fields: Fields): RecordingEnd {
  const end: { -readonly [K in keyof RecordingEnd]: RecordingEnd[K] } = {
    timestamp: countField(fields, "timestamp") ?? 0,
  };
  for (const name of ["events", "processes", "lost", "exit_code", "signal"] as const) {
    const value = countField(fields, name);
    if (value !== undefined) end[name] = value;
  }
  return end;
}
