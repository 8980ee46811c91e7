// The arrows between folders hold, and the pure ones stay pure.
import { expect, test } from "bun:test";
import { checkImports } from "../../scripts/check_imports.ts";

test("every import follows the table in scripts/check_imports.ts", () => {
  expect(checkImports(process.cwd())).toEqual([]);
});
