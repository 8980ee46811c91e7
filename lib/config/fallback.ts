// Default values of attributes, from the text in the schema; made when a configuration reads one.
import type { AttributeSpec } from "./schema.ts";
import { Diagnostics } from "./diagnostic.ts";
import { ExpressionParser } from "./expression_parser.ts";
import { lex } from "./lexer.ts";
import { OPERATIONS, DEFAULT_OUTCONF } from "./settings.ts";
import type { Session } from "./session.ts";
import { SourceText } from "./source_text.ts";
import { TokenStream } from "./token_stream.ts";
import type { Expression } from "./ast.ts";
import type { Key, Value } from "./value.ts";

/** Defaults are literals, lists and dictionaries of literals. */
function literal(e: Expression): Value | undefined {
  switch (e.kind) {
    case "bool":
    case "int":
    case "float":
    case "string":
    case "other":
      return e.value;
    case "list":
      return e.items.map((item) => literal(item)!);
    case "dict":
      return new Map(e.entries.map(([k, v]) => [literal(k) as Key, literal(v)!] as const));
    default:
      return undefined;
  }
}

export function parseFallback(text: string): Value | undefined {
  const problems = new Diagnostics();
  const source = new SourceText("<default>", text);
  return literal(new ExpressionParser(new TokenStream(source, lex(source, problems)), problems).expression());
}

/** What reading an attribute gives that was never set; undefined when it has no value then. */
export function fallbackOf(path: readonly string[], spec: AttributeSpec, session: Session): Value | undefined {
  if (path.join(".") === "exec.search_path") {
    const env = session.host.environment()["PATH"] ?? "";
    return [...env.split(":").filter((directory) => directory !== ""), "."];
  }
  if (path[0] === "outconf" && path[2] === "report_template") {
    const operation = OPERATIONS.find((name) => name === path[1]);
    return operation === undefined ? undefined : DEFAULT_OUTCONF[operation].reportTemplate;
  }
  return spec.fallback === undefined ? undefined : parseFallback(spec.fallback);
}
