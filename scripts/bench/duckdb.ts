// One count by DuckDB's read_json, for the bench `query`: `bun scripts/bench/duckdb.ts FOLDER FILE`. FOLDER has @duckdb/node-api in its
// node_modules (npm install @duckdb/node-api); the package is no dependency of tk.
import { createRequire } from "node:module";
import { join } from "node:path";

interface DuckDb {
  readonly DuckDBInstance: { create(path: string): Promise<{ connect(): Promise<Connection> }> };
}
interface Connection {
  runAndReadAll(sql: string): Promise<{ getRows(): readonly (readonly unknown[])[] }>;
}

const [folder = "", file = ""] = process.argv.slice(2);
const { DuckDBInstance } = createRequire(join(folder, "package.json"))("@duckdb/node-api") as DuckDb;
const db = await (await DuckDBInstance.create(":memory:")).connect();
const path = file.replaceAll("'", "''");
const answer = await db.runAndReadAll(
  `SELECT count(*) FROM read_json('${path}', format = 'newline_delimited') WHERE "Exit".exit_code <> 0`,
);
console.log(String(answer.getRows()[0]![0]));
