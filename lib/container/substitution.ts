// Variables of a FROM line. Its ARGs are those before the first FROM, with the command line's values above them, and what the
// builder knows of platforms. Rules: BuildKit's shell lexer (frontend/dockerfile/shell). Pure.
import type { GlobalArgument } from "./dockerfile.ts";

export type Variables = ReadonlyMap<string, string>;

/** The text with its variables' values; undefined when it has a form that is not known here. */
export function substitute(text: string, variables: Variables, escape: string): string | undefined {
  let out = "";
  for (let at = 0; at < text.length;) {
    const c = text[at]!;
    if (c === escape && at + 1 < text.length) {
      out += text[at + 1]!;
      at += 2;
    } else if (c === "'" || c === '"') {
      const end = text.indexOf(c, at + 1);
      if (end < 0) return undefined;
      const inner = text.slice(at + 1, end);
      const value = c === "'" ? inner : substitute(inner, variables, escape);
      if (value === undefined) return undefined;
      out += value;
      at = end + 1;
    } else if (c !== "$") {
      out += c;
      at++;
    } else {
      const found = variableAt(text, at, variables, escape);
      if (found === undefined) return undefined;
      out += found.value;
      at = found.end;
    }
  }
  return out;
}

function variableAt(
  text: string,
  at: number,
  variables: Variables,
  escape: string,
): { readonly value: string; readonly end: number } | undefined {
  const bare = /^\$([A-Za-z_]\w*)/.exec(text.slice(at));
  if (bare !== null) return { value: variables.get(bare[1]!) ?? "", end: at + bare[0].length };
  const braced = /^\$\{([A-Za-z_]\w*)/.exec(text.slice(at));
  if (braced === null) return undefined;
  const name = braced[1]!;
  const rest = at + braced[0].length;
  const close = closingBrace(text, rest);
  if (close < 0) return undefined;
  const modifier = text.slice(rest, close);
  const end = close + 1;
  const value = variables.get(name);
  if (modifier === "") return { value: value ?? "", end };
  const parts = /^(:?)([-+?])([\s\S]*)$/.exec(modifier);
  if (parts === null) return undefined;
  const word = substitute(parts[3]!, variables, escape);
  if (word === undefined) return undefined;
  const isThere = parts[1] === ":" ? value !== undefined && value !== "" : value !== undefined;
  switch (parts[2]) {
    case "-":
      return { value: isThere ? value! : word, end };
    case "+":
      return { value: isThere ? word : "", end };
    default:
      return isThere ? { value: value!, end } : undefined;
  }
}

function closingBrace(text: string, from: number): number {
  let depth = 1;
  for (let at = from; at < text.length; at++) {
    if (text.startsWith("${", at)) depth++;
    else if (text[at] === "}" && --depth === 0) return at;
  }
  return -1;
}

/** `linux/arm64/v8` and what is derived from it: TARGETPLATFORM, TARGETOS, TARGETARCH, TARGETVARIANT. */
function platformVariables(prefix: string, platform: string): [string, string][] {
  const [os = "", arch = "", variant = ""] = platform.split("/");
  return [
    [`${prefix}PLATFORM`, platform],
    [`${prefix}OS`, os],
    [`${prefix}ARCH`, arch],
    [`${prefix}VARIANT`, variant],
  ];
}

/** What FROM lines may use. */
export function fromVariables(
  globals: readonly GlobalArgument[],
  given: ReadonlyMap<string, string>,
  platforms: { readonly build: string; readonly target: string },
  escape: string,
): Variables {
  const variables = new Map([
    ...platformVariables("BUILD", platforms.build),
    ...platformVariables("TARGET", platforms.target),
  ]);
  for (const { name, value } of globals) {
    const fallback = value === undefined ? undefined : substitute(value, variables, escape);
    const final = given.get(name) ?? fallback ?? (value === undefined ? variables.get(name) : undefined);
    if (final === undefined) variables.delete(name);
    else variables.set(name, final);
  }
  return variables;
}
