// Built-in functions about the configuration itself: subscriptions, templates, and looking at sections and attributes.
import { encodeBase64 } from "../../base/base64.ts";
import { builtin, type Builtin, type Call } from "../builtin.ts";
import { findPath } from "../schema.ts";
import { findFunction } from "../unit.ts";
import { isDict, isList, type Key, kindOf, type Value } from "../value.ts";
import {
  BOOL,
  CHAR,
  dictOf,
  FLOAT,
  freshVariable,
  INT,
  listOf,
  printType,
  simpleType,
  STRING,
  type Type,
} from "../type.ts";

const s = (v: Value | undefined) => v as string;

function typeOfValue(value: Value, depth = 0): Type {
  if (depth > 20) return freshVariable();
  switch (typeof value) {
    case "boolean":
      return BOOL;
    case "bigint":
      return INT;
    case "number":
      return FLOAT;
    case "string":
      return STRING;
    default:
      break;
  }
  if (isList(value)) return listOf(value.length === 0 ? freshVariable() : typeOfValue(value[0]!, depth + 1));
  if (isDict(value)) {
    for (const [k, v] of value) return dictOf(typeOfValue(k), typeOfValue(v, depth + 1));
    return dictOf(freshVariable(), freshVariable());
  }
  const kinded = value as { readonly kind: string };
  if (kinded.kind === "char") return CHAR;
  return simpleType(kinded.kind) ?? freshVariable();
}

function attribute(dotted: string, call: Call): Value | undefined {
  const found = findPath(dotted.split("."), "attribute");
  return call.session.tree.get(found.kind === "unknown" ? dotted.split(".") : found.path)?.value;
}

function authHeaders(name: string, call: Call): Value {
  const fields = call.session.tree.fields(["auth_config", name]);
  const field = (id: string) => {
    const value = fields.get(id)?.value;
    return typeof value === "string" ? value : "";
  };
  const headers = new Map<Key, Value>();
  if (field("auth") === "basic") {
    headers.set("Authorization", `Basic ${basic(field("username"), field("password"))}`);
  } else if (field("auth") === "jwt") headers.set("Authorization", `Bearer ${field("token")}`);
  else return call.fail(`auth_headers: unknown auth_config '${name}'`);
  return headers;
}

function basic(user: string, password: string): string {
  return encodeBase64(new TextEncoder().encode(`${user}:${password}`));
}

export const CONFIGURATION_BUILTINS: readonly Builtin[] = [
  builtin(
    "subscribe(string, string) -> bool",
    "Lets a sink_config have what is published on a topic",
    ([topic, config], call) => call.session.subscribe(s(topic), s(config), call.spot),
  ),
  builtin("unsubscribe(string, string) -> bool", "Takes that back", ([topic, config], call) =>
    call.session.unsubscribe(s(topic), s(config)),
  ),
  builtin(
    "copy_report_template_keys(string, string) -> void",
    "Keys of the first template that the second does not mention are added to it",
    ([from, to], call) => {
      call.session.templateCopies.push({ from: s(from), to: s(to), spot: call.spot });
      return undefined;
    },
  ),
  builtin("auth_headers(string) -> dict[string, string]", "The request headers of an auth_config", ([a], call) =>
    authHeaders(s(a), call),
  ),
  builtin("sections(string) -> list[string]", "Names of what is in a section", ([a], call) =>
    call.session.tree.objects(s(a) === "" ? [] : s(a).split(".")),
  ),
  builtin("fields(string) -> list[string]", "Names of the attributes that a section has", ([a], call) => [
    ...call.session.tree.fields(s(a) === "" ? [] : s(a).split(".")).keys(),
  ]),
  builtin(
    "attr_exists(string) -> bool",
    "Whether an attribute was set",
    ([a], call) => attribute(s(a), call) !== undefined,
  ),
  builtin(
    "attr_get(string, typespec[`t]) -> `t",
    "The value of an attribute",
    ([a], call) => call.lookUp(s(a)) ?? call.fail(`attr_get: '${s(a).slice(0, 100)}' has no value`),
  ),
  builtin("attr_type(string) -> typespec", "The type of an attribute's value", ([a], call) => {
    const value = call.lookUp(s(a)) ?? call.fail(`attr_type: '${s(a).slice(0, 100)}' has no value`);
    return { kind: "type", type: typeOfValue(value) };
  }),
  builtin("attr_typecmp(string, string) -> bool", "Whether two attributes have values of one type", ([a, b], call) => {
    const [x, y] = [call.lookUp(s(a)), call.lookUp(s(b))];
    return x !== undefined && y !== undefined && kindOf(x) === kindOf(y);
  }),
  builtin("attr_split(string) -> tuple[string, string]", "The section and the last name", ([a]) => {
    const at = s(a).lastIndexOf(".");
    return { kind: "tuple", items: [s(a).slice(0, Math.max(0, at)), s(a).slice(at + 1)] };
  }),
  builtin("typeof(`a) -> typespec", "The type of a value", ([a]) => ({ kind: "type", type: typeOfValue(a!) })),
  builtin("typecmp(typespec, typespec) -> bool", "Whether two types are the same", ([a, b]) => {
    const type = (v: Value | undefined) => printType((v as { readonly type: Type }).type);
    return type(a) === type(b);
  }),
  builtin(
    "function_exists(string) -> bool",
    "Whether there is a function of that name",
    ([a], call) => findFunction(call.unit, s(a)) !== undefined || call.isBuiltin(s(a)),
  ),
];
