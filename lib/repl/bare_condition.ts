// A condition that is typed without a command lists what it is true of: `wall > 10ms`, `exit != 0 or signal`, `any(child.exit != 0) | count`.
// It has to be told from a command whose output goes to a file (`tree > x`) and from a misspelt command.
import { FIELDS, FUNCTIONS, TABLES, type TableName } from "../query/fields.ts";
import { compileQuery } from "../query/check_query.ts";
import { INNER } from "../query/scope.ts";

const FIELD_NAMES: ReadonlySet<string> = new Set(TABLES.flatMap((table) => FIELDS[table].map((field) => field.name)));
const CONDITIONS: ReadonlySet<string> = new Set(
  TABLES.flatMap((table) => FIELDS[table].filter((field) => field.type === "bool").map((field) => field.name)),
);
const FUNCTION_NAMES: ReadonlySet<string> = new Set(FUNCTIONS.map((f) => f.name));

/** A word, perhaps with fields behind points, and what stands behind it. */
const START = /^\s*(not\b\s*)?\(*\s*([a-z_]\w*)((?:\.\w*)*)\s*(.*)$/is;
const COMPARES =
  /^(==|!=|<>|<=|>=|=|<|~|!~)|^(in|is|between|like|not\s+(in|like|between)|contains|matches|startswith|endswith|equals)\b/i;
const CALCULATES = /^[-+*/%]\s*[\w(]/;

/** `isCommand`: the first word is a command too (`exit != 0`). */
export function beginsCondition(text: string, isCommand: boolean): boolean {
  const m = START.exec(text);
  if (m === null) return false;
  const [, not, word, path, rest] = m as unknown as [string, string | undefined, string, string, string];
  const named = FIELD_NAMES.has(word) || INNER[word] !== undefined || /^[pe]\d+$/.test(word);
  if (isCommand) return named && (COMPARES.test(rest) || /^>\s*=?\s*-?\d/.test(rest));
  if (not !== undefined || /^\s*\(/.test(text)) return true;
  if (FUNCTION_NAMES.has(word) && rest.startsWith("(")) return true;
  // Of a name that is no field's only what nothing else can be: `wal > 10ms`, but not `tre > x`.
  if (!named) return COMPARES.test(rest) || /^>\s*=?\s*-?\d/.test(rest);
  if (rest === "" || /^\|(?!\|)/.test(rest)) return path === "" && CONDITIONS.has(word);
  return (
    path !== "" ||
    COMPARES.test(rest) ||
    rest.startsWith(">") ||
    CALCULATES.test(rest) ||
    /^(and|or)\b|^(&&|\|\|)/i.test(rest)
  );
}

/** As a query: a word alone (`failed | count`) would be a table. */
export function asQuery(text: string): string {
  return /^\s*\w+\s*($|\|(?!\|))/.test(text) ? `where ${text}` : text;
}

/** A field alone asks for nothing. */
export function isField(word: string): boolean {
  return FIELD_NAMES.has(word);
}

/** The first table that knows all that the text names; where none does, the one that got furthest, which says most. */
export function tableOf(text: string): TableName {
  let best: { table: TableName; at: number } | undefined;
  for (const table of TABLES) {
    const plan = compileQuery(text, { table });
    if (plan.isOk()) return table;
    if (best === undefined || plan.error.at > best.at) best = { table, at: plan.error.at };
  }
  return best!.table;
}
