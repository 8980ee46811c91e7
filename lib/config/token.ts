// The words of the c4m language as the lexer hands them to the parser. Positions are offsets into the file's text.

export type TokenKind =
  /** End of a line, or `;`. */
  | "eos"
  | "end"
  | "name"
  | "keyword"
  | "int"
  | "float"
  | "string"
  | "char"
  /** `<< ... >>`, or a bare address or time. */
  | "other"
  | "operator";

export interface Token {
  readonly kind: TokenKind;
  /** As written; for strings, characters and other literals the value. */
  readonly text: string;
  readonly at: number;
  /** Just behind the last character. */
  readonly end: number;
}

export const KEYWORDS: ReadonlySet<string> = new Set([
  "var",
  "true",
  "True",
  "false",
  "False",
  "is",
  "and",
  "or",
  "not",
  "if",
  "elif",
  "else",
  "for",
  "from",
  "to",
  "break",
  "continue",
  "return",
  "enum",
  "func",
  "export",
]);

/** Longest first, as they are tried in this order. */
export const OPERATORS = [
  ":=",
  "==",
  "!=",
  "<=",
  ">=",
  "&&",
  "||",
  "->",
  "+",
  "-",
  "*",
  "/",
  "%",
  "<",
  ">",
  "=",
  ":",
  "!",
  "~",
  "`",
  ".",
  ",",
  "(",
  ")",
  "[",
  "]",
  "{",
  "}",
] as const;

/** Line ends behind these are swallowed: the statement cannot be over. */
export const CONTINUES: ReadonlySet<string> = new Set([
  "+",
  "-",
  "*",
  "/",
  "%",
  "<",
  ">",
  "<=",
  ">=",
  "==",
  "!=",
  "&&",
  "||",
  "and",
  "or",
  "is",
  ":",
  "=",
  ":=",
  ",",
  ".",
  "[",
  "(",
  "->",
]);
