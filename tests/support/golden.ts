// Expected output as plain text files in tests/golden, one case each. `TK_UPDATE=1` rewrites them; the diff is then
// reviewed like code.
import { expect } from "bun:test";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const FOLDER = join(import.meta.dirname, "..", "golden");

export function expectGolden(name: string, text: string): void {
  const path = join(FOLDER, `${name}.txt`);
  if (process.env["TK_UPDATE"] === "1") {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    return;
  }
  if (!existsSync(path))
    throw new Error(`no tests/golden/${name}.txt: run with TK_UPDATE=1 and look at what it writes`);
  expect(text).toBe(readFileSync(path, "utf8"));
}
