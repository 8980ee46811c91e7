// Text inside a Mermaid Gantt chart. Mermaid (12.3, `encodeEntities`) turns `#58;` into the character with that number
// after it has parsed the chart, so every character that means something to its lexer is written that way: the text is
// seen as it was and is never syntax or markup. Letters outside ASCII stay letters.

/**
 * `:` ends a label, `;` and `#` end a line, `%%` begins a comment, `%%{` a directive; `<>&"` are for HTML, and the
 * backtick and `$$` for Markdown and formulas. U+FB02 begins Mermaid's own mark for an entity, U+00B6 ends it.
 */
const SYNTAX = /[:;#%<>&"`{}\ufb02\u00b6]|\$(?=\$)/g;
const NOT_ASCII = /[^\x20-\x7e]/gu;
/** Words that begin a statement (ganttDiagram's lexer, case ignored), and what looks like a date. */
const STATEMENT =
  /^(?:gantt|dateformat|inclusiveenddates|topaxis|axisformat|tickinterval|includes|excludes|todaymarker|weekday|weekend|title|acctitle|accdesc|section|click|call|href|end|style|classdef|---|\d{4}-\d\d-\d\d)/i;

const entity = (c: string) => `#${c.codePointAt(0)};`;

/** `text`, which must be printable, as part of a label or of a section's name. */
export function mermaidText(text: string, unicode = true): string {
  let out = text.trim().replace(SYNTAX, entity);
  if (!unicode) out = out.replace(NOT_ASCII, entity);
  if (STATEMENT.test(out)) out = entity(out) + out.slice(1);
  // The mark of a shortened store path is written plainly, as proctrace does; it is no markup to Mermaid.
  return out.replaceAll("#60;store#62;/", "<store>/");
}
