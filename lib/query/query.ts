// What scripts and programs that use tk as a library need of the query language, in one place.
export { compileCondition, compileQuery } from "./check_query.ts";
export { FIELDS, FUNCTIONS, TABLE_SUMMARIES, TABLES } from "./fields.ts";
export { STAGES } from "./parser.ts";
export { explainError } from "./query_error.ts";
export { toTable } from "./result.ts";
export { finish, maskOf, runNow } from "./run.ts";
export { World } from "./world.ts";
