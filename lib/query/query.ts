// What the rest of tk uses of the query language, in one place.
export { type CheckOptions, compileCondition, compileQuery } from "./check_query.ts";
export {
  type Completion,
  type CompletionKind,
  type Completions,
  completionsAt,
  type CompleteOptions,
} from "./complete.ts";
export { FIELDS, FUNCTIONS, isTable, TABLE_SUMMARIES, type TableName, TABLES } from "./fields.ts";
export { fieldsHelp, functionsTable, stagesTable } from "./help.ts";
export { lex, type Token } from "./lexer.ts";
export { KEYWORDS, parseExpression, parseQuery, STAGES } from "./parser.ts";
export { errorSentence, explainError, type QueryError } from "./query_error.ts";
export { cellAt, columnOf, type QueryResult, type ResultColumn, toTable } from "./result.ts";
export { finish, maskOf, rowsOf, rowTest, runNow, runQuery, type Within } from "./run.ts";
export type { Condition, Plan } from "./typed.ts";
export { type LineTable, World, type WorldOptions } from "./world.ts";
