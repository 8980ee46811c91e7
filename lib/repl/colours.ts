// Colours of the line that is being typed: commands, words of the language, texts, numbers, handles; red where the lexer gave up.
import { FUNCTIONS, isTable } from "../query/fields.ts";
import { lex } from "../query/lexer.ts";
import { KEYWORDS, STAGES } from "../query/parser.ts";
import { type Span, span, STYLE, type Style } from "../terminal/styled.ts";
import { beginsCondition } from "./bare_condition.ts";
import { beginsQuery, commands } from "./registry.ts";

const FUNCTION_NAMES: ReadonlySet<string> = new Set(FUNCTIONS.map((f) => f.name));
/** A longer text is not coloured: somebody has pasted it. */
const LONGEST = 4096;

/** Spans that together are the text. */
export function colour(text: string): Span[] {
  if (text.length > LONGEST) return [span(text)];
  const m = /^(\s*)(\S*)/.exec(text)!;
  const [, lead, first] = m as unknown as [string, string, string];
  const known = commands.find(first).isOk() || STAGES.has(first);
  const begins = commands.names().some((name) => name.startsWith(first)) || first.startsWith("!");
  const whole = text.length > lead.length + first.length;
  const style: Style = known ? STYLE.bold : begins && !whole ? STYLE.plain : STYLE.red;
  const out: Span[] = [span(lead), span(first, first.startsWith("!") ? STYLE.magenta : style)];
  if (!known && first !== "" && beginsCondition(text, false))
    return [span(lead), ...colourQuery(text.slice(lead.length))];
  const rest = text.slice(lead.length + first.length);
  if (beginsQuery(first, text)) out.push(...colourQuery(rest));
  else out.push(...colourWords(rest));
  return out.filter((s) => s.text !== "");
}

function colourQuery(text: string): Span[] {
  const { tokens, error } = lex(text);
  const out: Span[] = [];
  let at = 0;
  for (const token of tokens) {
    if (token.kind === "end") break;
    if (token.at > at)
      out.push(span(text.slice(at, token.at), text.slice(at, token.at).trim() === "" ? STYLE.plain : STYLE.dim));
    const part = text.slice(token.at, token.at + token.length);
    const next = text[token.at + token.length];
    out.push(span(part, tokenStyle(token.kind, token.value, next)));
    at = token.at + token.length;
  }
  const rest = text.slice(at);
  out.push(span(rest, error !== undefined && rest.trim() !== "" ? STYLE.red : STYLE.plain));
  return out;
}

function tokenStyle(kind: string, value: string, next: string | undefined): Style {
  switch (kind) {
    case "text":
      return STYLE.green;
    case "regex":
      return STYLE.green;
    case "number":
      return STYLE.yellow;
    case "handle":
      return STYLE.cyan;
    case "word":
      if (KEYWORDS.has(value)) return STYLE.magenta;
      if (STAGES.has(value) || isTable(value)) return STYLE.bold;
      return FUNCTION_NAMES.has(value) && next === "(" ? STYLE.blue : STYLE.plain;
    default:
      return STYLE.plain;
  }
}

function colourWords(text: string): Span[] {
  return text
    .split(/(\s+)/)
    .map((word) =>
      span(
        word,
        /^[pe]\d+$/.test(word)
          ? STYLE.cyan
          : /^["']/.test(word)
            ? STYLE.green
            : /^[+-]?\d/.test(word)
              ? STYLE.yellow
              : STYLE.plain,
      ),
    );
}
