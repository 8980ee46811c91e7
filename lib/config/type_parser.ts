// Types as they are written: `string`, `list[int]`, `dict[string, `x]`, `func (string) -> bool`.
import { fault } from "./diagnostic.ts";
import type { TokenStream } from "./token_stream.ts";
import { freshVariable, simpleType, type Type, type TypeVariable, VOID } from "./type.ts";

const CONTAINERS: ReadonlySet<string> = new Set(["list", "dict", "tuple"]);

/** Whether a type comes, where a value could come as well: `string` is one, `string(x)` a call. */
export function startsType(stream: TokenStream): boolean {
  const token = stream.peek();
  if (token.kind !== "name") return false;
  if (CONTAINERS.has(token.text)) return stream.is("[", 1);
  if (token.text === "typespec") return !stream.is("(", 1);
  return simpleType(token.text) !== undefined && !stream.is("(", 1) && !stream.is(".", 1);
}

/** One whole type; the same written variable means the same type within it. */
export function parseType(stream: TokenStream, variables = new Map<string, TypeVariable>()): Type {
  return stream.nested(() => {
    const first = parseOne(stream, variables);
    if (!stream.is("or")) return first;
    const choices = [first];
    while (stream.takeIf("or")) choices.push(parseOne(stream, variables));
    return { kind: "or", choices };
  });
}

function parseOne(stream: TokenStream, variables: Map<string, TypeVariable>): Type {
  if (stream.takeIf("`")) return variable(stream, variables);
  if (stream.is("func") || stream.is("(")) return parseFunction(stream, variables);
  const token = stream.expectName("a type");
  if (token.text === "list") return { kind: "list", of: inner(stream, variables, 1)[0]! };
  if (token.text === "dict") {
    const [key, value] = inner(stream, variables, 2);
    return { kind: "dict", key: key!, value: value! };
  }
  if (token.text === "tuple") return { kind: "tuple", items: inner(stream, variables, undefined) };
  if (token.text === "typespec")
    return { kind: "typespec", of: stream.is("[") ? inner(stream, variables, 1)[0]! : undefined };
  const type = simpleType(token.text);
  if (type === undefined)
    throw fault(
      stream.spot(token.at),
      `'${token.text}' is not a type, expected bool, int, float, char, string, list[...], dict[...], Duration, Size, ...`,
    );
  return type;
}

function variable(stream: TokenStream, variables: Map<string, TypeVariable>): TypeVariable {
  const { text } = stream.expectName("the name of a type variable after `");
  let found = variables.get(text);
  if (found === undefined) variables.set(text, (found = freshVariable(text)));
  return found;
}

/** `[a, b]`; `count` undefined is two or more. */
function inner(stream: TokenStream, variables: Map<string, TypeVariable>, count: number | undefined): Type[] {
  stream.expect("[", "'[' and the type of the contents");
  stream.enterBrackets();
  const types = [parseType(stream, variables)];
  while (stream.takeIf(",")) types.push(parseType(stream, variables));
  const { at } = stream.peek();
  stream.leaveBrackets("]", "',' or ']' in a type");
  if (count === undefined ? types.length < 2 : types.length !== count)
    throw fault(stream.spot(at), `${types.length} types in brackets, expected ${count ?? "two or more"}`);
  return types;
}

function parseFunction(stream: TokenStream, variables: Map<string, TypeVariable>): Type {
  stream.takeIf("func");
  stream.expect("(", "'(' and the types of the arguments");
  stream.enterBrackets();
  const formals: Type[] = [];
  let variadic = false;
  while (!stream.is(")") && !variadic) {
    variadic = stream.takeIf("*");
    formals.push(parseType(stream, variables));
    if (!stream.takeIf(",")) break;
  }
  stream.leaveBrackets(")", "',' or ')' after the type of an argument");
  const result = stream.takeIf("->") ? parseType(stream, variables) : VOID;
  return { kind: "func", formals, variadic, result };
}
