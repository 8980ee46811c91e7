// Any JSON value, and its text made safe for every place it may end up in: one line, and nothing in it that steers a
// terminal or reorders a line. The escapes are JSON's own, so a reader gets exactly the value that was written.

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;

export interface JsonObject {
  readonly [key: string]: Json;
}

/** Controls above U+001F, format characters (bidi, zero width, tags) and line separators; JSON.stringify leaves them raw. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;
const UNSAFE_ALL = new RegExp(UNSAFE.source, "gu");

function escape(c: string): string {
  let s = "";
  for (let i = 0; i < c.length; i++) s += "\\u" + c.charCodeAt(i).toString(16).padStart(4, "0");
  return s;
}

/** The value as JSON text; with `indent` blanks per level on several lines, without it on one. */
export function jsonText(value: Json, indent = 0): string {
  const text = JSON.stringify(value, undefined, indent);
  if (indent === 0) return UNSAFE.test(text) ? text.replace(UNSAFE_ALL, escape) : text;
  return text
    .split("\n")
    .map((line) => (UNSAFE.test(line) ? line.replace(UNSAFE_ALL, escape) : line))
    .join("\n");
}

/** An object without a prototype: names of strangers, `__proto__` included, are plain keys of it. */
export function emptyObject<V extends Json>(): Record<string, V> {
  return Object.create(null) as Record<string, V>;
}
