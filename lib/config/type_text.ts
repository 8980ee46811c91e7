// Types written in our own tables, parsed when first needed. Their variables are made anew each time they are used.
import { ConfigFault, Diagnostics } from "./diagnostic.ts";
import { lex } from "./lexer.ts";
import { SourceText } from "./source_text.ts";
import { TokenStream } from "./token_stream.ts";
import { instantiate, simpleType, type Type } from "./type.ts";
import { parseType } from "./type_parser.ts";

const parsed = new Map<string, Type>();

function parseText(text: string): Type {
  const known = parsed.get(text);
  if (known !== undefined) return known;
  const problems = new Diagnostics();
  const source = new SourceText("<type>", text);
  const stream = new TokenStream(source, lex(source, problems));
  const [wrong] = problems.list;
  if (wrong !== undefined) throw new ConfigFault(wrong);
  const type = parseType(stream);
  if (stream.peek().kind !== "end") throw stream.unexpected("the end of the type");
  parsed.set(text, type);
  return type;
}

/** The type that a text names; a ConfigFault when it names none. */
export function parseTypeText(text: string): Type {
  return simpleType(text) ?? instantiate(parseText(text));
}
