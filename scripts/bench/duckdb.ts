// One count by DuckDB's read_json, for the bench `query`: `bun scripts/bench/duckdb.ts FOLDER FILE QUESTION`. FOLDER has @duckdb/node-api in its
// node_modules (npm install @duckdb/node-api); the package is no dependency of tk.
import { createRequire } from "node:module";
import { join } from "node:path";

interface DuckDb {
  readonly DuckDBInstance: { create(path: string): Promise<{ connect(): Promise<Connection> }> };
}
interface Connection {
  runAndReadAll(sql: string): Promise<{ getRows(): readonly (readonly unknown[])[] }>;
}

const [folder = "", file = "", question = ""] = process.argv.slice(2);
const { DuckDBInstance } = createRequire(join(folder, "package.json"))("@duckdb/node-api") as DuckDb;
const db = await (await DuckDBInstance.create(":memory:")).connect();
const path = file.replaceAll("'", "''");
const source = `read_json('${path}', format = 'newline_delimited')`;
const queries: Readonly<Record<string, string>> = {
  "exit status": `SELECT count(*) FROM ${source} WHERE "Exit".exit_code <> 0`,
  // Process lives as far as one query tells them: pids are taken for identities.
  "wall by pid": `SELECT count(*) FROM (
    SELECT coalesce("Fork".child_pid, "ExecFull".pid, "BadExec".pid, "Exit".pid) AS p,
      min(coalesce("Fork".timestamp, "ExecFull".timestamp, "BadExec".timestamp)) AS born, max("Exit".timestamp) AS ended
    FROM ${source} GROUP BY p) WHERE ended - born > 10000000`,
};
const answer = await db.runAndReadAll(queries[question]!);
console.log(String(answer.getRows()[0]![0]));
