// The examples of docs/library.md run, and print what the page says they print.
import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { timelineText } from "../support/timeline.ts";

const ROOT = join(import.meta.dirname, "../..");

const PAGE = join(ROOT, "docs/library.md");
/** A `ts` block and the `text` block that follows it. */
const EXAMPLE = /```ts\n([\s\S]*?)```(\s*)```text\n([\s\S]*?)```/g;

const RECORDING = `
  recording root=10 make -j2
  0ms 10 exec make -j2
  1ms 10 fork 11
  2ms 11 exec cc -c a.c
  3ms 10 fork 12
  4ms 12 exec sh -c "exec cc -c 'b c.c'"
  5ms 12 exec cc -c "b c.c"
  90ms 11 exit 0 user=60ms sys=5ms
  120ms 12 exit 1 user=80ms sys=6ms
  125ms 10 exit 2 user=150ms sys=12ms
  126ms end 2`;

test("docs/library.md: every example runs and prints what it says (TK_UPDATE=1 fills the page)", async () => {
  const folder = mkdtempSync(join(tmpdir(), "tk-library-"));
  try {
    mkdirSync(join(folder, "node_modules"));
    symlinkSync(ROOT, join(folder, "node_modules/tk"));
    symlinkSync(join(ROOT, "node_modules/effect"), join(folder, "node_modules/effect"));
    writeFileSync(join(folder, "out.prof"), timelineText(RECORDING));
    const page = readFileSync(PAGE, "utf8");
    let filled = page;
    let found = 0;
    for (const [block, code = "", gap = ""] of page.matchAll(EXAMPLE)) {
      const file = join(folder, `example${found++}.ts`);
      writeFileSync(file, code);
      const run = Bun.spawn([process.execPath, file], { cwd: folder, stdout: "pipe", stderr: "pipe" });
      const [out, err] = await Promise.all([new Response(run.stdout).text(), new Response(run.stderr).text()]);
      expect(err).toBe("");
      filled = filled.replace(block, () => `\`\`\`ts\n${code}\`\`\`${gap}\`\`\`text\n${out}\`\`\``);
    }
    expect(found).toBe(5);
    if (process.env["TK_UPDATE"] === "1") writeFileSync(PAGE, filled);
    else expect(page).toBe(filled);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
