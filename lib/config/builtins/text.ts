// Built-in functions over texts and characters. Indices count characters, as people do.
import { decodeBase64, encodeBase64 } from "../../base/base64.ts";
import { builtin, type Builtin, type Call } from "../builtin.ts";
import { fromPlain, type Key, print, toFieldValue, type Value } from "../value.ts";

const s = (v: Value | undefined) => v as string;
const n = (v: Value | undefined) => Number(v as bigint);
const c = (v: Value | undefined) => (v as { readonly text: string }).text;

/** Texts longer than this are refused before they are made. */
const MAX_TEXT = 1_000_000;

function tooLong(call: Call): never {
  return call.fail("the text would be too long, expected at most a million characters");
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function fromUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function fromBase64(text: string): string | undefined {
  const bytes = decodeBase64(text.replaceAll("-", "+").replaceAll("_", "/"));
  return bytes === undefined ? undefined : fromUtf8(bytes);
}

function replaceAll(text: string, what: string, by: string, call: Call): string {
  if (what === "") return call.fail("replace: nothing to look for");
  const parts = text.split(what);
  if (text.length + (parts.length - 1) * by.length > MAX_TEXT) return tooLong(call);
  return parts.join(by);
}

function joined(parts: readonly string[], separator: string, call: Call): string {
  let length = parts.length * separator.length;
  for (const part of parts) length += part.length;
  return length > MAX_TEXT ? tooLong(call) : parts.join(separator);
}

/** Where a slice begins or ends; negative counts from the end. */
export function slicePoint(at: number, length: number): number {
  return Math.max(0, Math.min(length, at < 0 ? length + at : at));
}

function sliceText(text: string, from: number, to: number): string {
  const characters = Array.from(text);
  return characters.slice(slicePoint(from, characters.length), slicePoint(to, characters.length)).join("");
}

/** `{name}` becomes its value, `{{` and `}}` are braces. */
function format(template: string, call: Call): string {
  let missing: string | undefined;
  let length = template.length;
  const text = template.replace(/\{\{|\}\}|\{([^{}]*)\}/g, (whole, name: string | undefined) => {
    if (name === undefined) return whole[0]!;
    const value = call.lookUp(name.trim());
    if (value === undefined) {
      missing ??= name;
      return "";
    }
    const printed = print(value);
    length += printed.length;
    return length > MAX_TEXT ? tooLong(call) : printed;
  });
  if (missing !== undefined)
    return call.fail(`format: '{${missing}}' names neither a variable nor an attribute that has a value`);
  return text;
}

function mimeToDict(text: string): Value {
  const headers = new Map<Key, Value>();
  for (const line of text.split("\n")) {
    const colon = line.indexOf(":");
    if (colon > 0) headers.set(line.slice(0, colon).trim(), line.slice(colon + 1).trim());
  }
  return headers;
}

function parseJson(text: string, call: Call): Value {
  // The usual default of a parameter.
  if (text.trim() === "") return "";
  let plain: unknown;
  try {
    plain = JSON.parse(text);
  } catch {
    return call.fail("parse_json: the text is no JSON");
  }
  return fromPlain(plain) ?? call.fail("parse_json: the value is nested too deeply");
}

function toJson(value: Value, call: Call): string {
  const plain = toFieldValue(value);
  if (plain === undefined) return call.fail("to_json: the value cannot be written as JSON");
  return JSON.stringify(plain);
}

function quote(text: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'"'"'`)}'`;
}

function jwtExpiry(token: string): number | undefined {
  const parts = token.split(".");
  const payload = parts.length === 3 ? fromBase64(parts[1]!) : undefined;
  if (payload === undefined) return undefined;
  try {
    const claims: unknown = JSON.parse(payload);
    if (typeof claims !== "object" || claims === null) return undefined;
    const exp = (claims as { readonly exp?: unknown }).exp;
    return exp === undefined ? Infinity : typeof exp === "number" ? exp : undefined;
  } catch {
    return undefined;
  }
}

/** A token that can be read and has not expired. */
export function isJwtValid(token: string, nowMs: number): boolean {
  const expiry = jwtExpiry(token.trim());
  return expiry !== undefined && expiry * 1000 > nowMs;
}

function pad(text: string, width: number): string {
  const missing = Math.min(1 << 20, width) - Array.from(text).length;
  return missing > 0 ? text + " ".repeat(missing) : text;
}

const LETTER = {
  lower: /^\p{Ll}$/u,
  upper: /^\p{Lu}$/u,
  space: /^\s$/u,
  alpha: /^\p{L}$/u,
  digit: /^\p{Nd}$/u,
  alphanumeric: /^[\p{L}\p{Nd}]$/u,
  combining: /^\p{M}$/u,
} as const;

export const TEXT_BUILTINS: readonly Builtin[] = [
  builtin("contains(string, string) -> bool", "Whether the second is part of the first", ([a, b]) =>
    s(a).includes(s(b)),
  ),
  builtin("starts_with(string, string) -> bool", "Whether the first begins with the second", ([a, b]) =>
    s(a).startsWith(s(b)),
  ),
  builtin("ends_with(string, string) -> bool", "Whether the first ends with the second", ([a, b]) =>
    s(a).endsWith(s(b)),
  ),
  builtin("find(string, string) -> int", "Where the second begins in the first; -1 when it does not", ([a, b]) => {
    const at = s(a).indexOf(s(b));
    return BigInt(at < 0 ? -1 : Array.from(s(a).slice(0, at)).length);
  }),
  builtin("len(string) -> int", "How many characters", ([a]) => BigInt(Array.from(s(a)).length)),
  builtin("slice(string, int) -> string", "From a character on", ([a, from]) => sliceText(s(a), n(from), Infinity)),
  builtin("slice(string, int, int) -> string", "From a character up to and without another", ([a, from, to]) =>
    sliceText(s(a), n(from), n(to)),
  ),
  builtin("split(string, string) -> list[string]", "The parts between separators", ([a, b]) =>
    s(b) === "" ? Array.from(s(a)) : s(a).split(s(b)),
  ),
  builtin("join(list[string], string) -> string", "All of them with a separator between", ([a, b], call) =>
    joined(a as readonly string[], s(b), call),
  ),
  builtin("strip(string) -> string", "Without blanks at both ends", ([a]) => s(a).trim()),
  builtin("pad(string, int) -> string", "With blanks at the end up to a width", ([a, w]) => pad(s(a), n(w))),
  builtin(
    "replace(string, string, string) -> string",
    "Every occurrence of the second becomes the third",
    ([a, b, r], call) => replaceAll(s(a), s(b), s(r), call),
  ),
  builtin("upper(string) -> string", "In capitals", ([a]) => s(a).toUpperCase()),
  builtin("lower(string) -> string", "In small letters", ([a]) => s(a).toLowerCase()),
  builtin(
    "format(string) -> string",
    "`{name}` becomes the value of a variable or attribute, `{{` is a brace",
    ([a], call) => format(s(a), call),
  ),
  builtin("quote(string) -> string", "As one word of a shell", ([a]) => quote(s(a))),
  builtin("base64(string) -> string", "Base64", ([a]) => encodeBase64(utf8(s(a)))),
  builtin("base64_web(string) -> string", "Base64 for addresses", ([a]) =>
    encodeBase64(utf8(s(a)))
      .replaceAll("+", "-")
      .replaceAll("/", "_"),
  ),
  builtin(
    "debase64(string) -> string",
    "What Base64 text stands for",
    ([a], call) => fromBase64(s(a)) ?? call.fail("debase64: the text is no Base64 of a UTF-8 text"),
  ),
  builtin("hex(string) -> string", "The bytes in hexadecimal", ([a]) =>
    Array.from(utf8(s(a)), (byte) => byte.toString(16).padStart(2, "0")).join(""),
  ),
  builtin("hex(int) -> string", "A number in hexadecimal, 16 digits", ([a]) =>
    BigInt.asUintN(64, a as bigint)
      .toString(16)
      .padStart(16, "0"),
  ),
  builtin("dehex(string) -> string", "What hexadecimal text stands for", ([a], call) => {
    const text = s(a);
    if (text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(text)) return call.fail("dehex: the text is not hexadecimal");
    const bytes = Uint8Array.from({ length: text.length / 2 }, (_, i) =>
      Number.parseInt(text.slice(2 * i, 2 * i + 2), 16),
    );
    return fromUtf8(bytes) ?? call.fail("dehex: the bytes are no UTF-8 text");
  }),
  builtin("sha256(string) -> string", "SHA-256 in hexadecimal", ([a], call) =>
    call.session.host.digest("sha256", s(a)),
  ),
  builtin("sha512(string) -> string", "SHA-512 in hexadecimal", ([a], call) =>
    call.session.host.digest("sha512", s(a)),
  ),
  builtin("mime_to_dict(string) -> dict[string, string]", "`Name: value` lines as a dictionary", ([a]) =>
    mimeToDict(s(a)),
  ),
  builtin("parse_json(string) -> `x", "The value of JSON text", ([a], call) => parseJson(s(a), call)),
  builtin("parse_jsonl(string) -> `x", "The values of JSON lines", ([a], call) =>
    s(a)
      .split("\n")
      .filter((line) => line.trim() !== "")
      .map((line) => parseJson(line, call)),
  ),
  builtin("to_json(`x) -> string", "JSON text", ([a], call) => toJson(a!, call)),
  builtin("is_jwt_valid(string) -> bool", "Whether a token can be read and has not expired", ([a], call) =>
    isJwtValid(s(a), call.session.host.now()),
  ),
  builtin("to_chars(string) -> list[char]", "The characters", ([a]) =>
    Array.from(s(a), (text): Value => ({ kind: "char", text })),
  ),
  builtin("to_bytes(string) -> list[char]", "The bytes, as characters", ([a]) =>
    Array.from(utf8(s(a)), (byte): Value => ({ kind: "char", text: String.fromCharCode(byte) })),
  ),
  builtin("to_string(list[char]) -> string", "The text of characters", ([a]) =>
    (a as readonly Value[]).map(c).join(""),
  ),
  builtin("utf8_len(char) -> int", "Its bytes in UTF-8", ([a]) => BigInt(utf8(c(a)).length)),
  builtin("is_combining(char) -> bool", "Whether it is a mark on another", ([a]) => LETTER.combining.test(c(a))),
  builtin("is_lower(char) -> bool", "Whether it is a small letter", ([a]) => LETTER.lower.test(c(a))),
  builtin("is_upper(char) -> bool", "Whether it is a capital letter", ([a]) => LETTER.upper.test(c(a))),
  builtin("is_space(char) -> bool", "Whether it is a blank", ([a]) => LETTER.space.test(c(a))),
  builtin("is_alpha(char) -> bool", "Whether it is a letter", ([a]) => LETTER.alpha.test(c(a))),
  builtin("is_num(char) -> bool", "Whether it is a digit", ([a]) => LETTER.digit.test(c(a))),
  builtin("is_alphanum(char) -> bool", "Whether it is a letter or a digit", ([a]) => LETTER.alphanumeric.test(c(a))),
];
