// lib/tty gives the terminal back whatever the program does, and makes keys of what is typed; on a pseudo-terminal.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lacks } from "../support/needs.ts";
import { Pty } from "../support/pty.ts";

const MODULE = join(import.meta.dir, "..", "..", "lib", "tty", "tty.ts");

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "tk-tty-"));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Runs a program that has the terminal, under a plain sh that writes down what the terminal's modes are before and after. */
function withTerminal(
  name: string,
  body: string,
): { readonly pty: Pty; readonly modes: () => readonly [string, string] } {
  const file = join(dir, `${name}.ts`);
  const at = (when: string) => join(dir, `${name}.${when}`);
  writeFileSync(file, `import { Tty } from ${JSON.stringify(MODULE)};\n${body}\n`);
  const script = `echo shell; stty -a > '${at("before")}'; '${process.execPath}' '${file}'; echo "status $?"; stty -a > '${at("after")}'; echo done`;
  const pty = new Pty({ command: ["sh", "-c", script], cols: 80, rows: 10 });
  return { pty, modes: () => [readFileSync(at("before"), "utf8"), readFileSync(at("after"), "utf8")] };
}

test.skipIf(lacks("terminal")).each([
  ["an exception", `setTimeout(() => { throw new Error("boom"); }, 20);`, 1],
  ["a rejection", `setTimeout(() => void Promise.reject(new Error("boom")), 20);`, 1],
  ["process.exit", `setTimeout(() => process.exit(7), 20);`, 7],
  ["an ordinary end", `setTimeout(() => tty.close(), 20);`, 0],
])("after %s", async (what, act, status) => {
  const { pty, modes } = withTerminal(
    what.replaceAll(" ", "-"),
    `const tty = new Tty({ fullScreen: true });\ntty.write("ready");\n${act}`,
  );
  try {
    await pty.waitFor(/ready/);
    await pty.waitFor(/done/);
    expect(pty.screen()).toContain(`status ${status}`);
    expect(pty.screen()).toContain("shell");
    expect(pty.screen()).not.toContain("ready");
    const [before, after] = modes();
    expect(before).toContain(" icanon");
    expect(after).toBe(before);
  } finally {
    await pty.close();
  }
});

test.skipIf(lacks("terminal"))(
  "keys, a lone escape, pastes and sizes come as events; a line editor's screen stays the shell's",
  async () => {
    const { pty } = withTerminal(
      "events",
      `const tty = new Tty({ fullScreen: false });
tty.write("ready ");
for (;;) {
  const event = await tty.next();
  const size = tty.columns + "x" + tty.rows;
  tty.write("<" + (event.kind === "key" ? event.key.chord + ":" + event.key.text : event.kind === "resize" ? size : event.kind) + ">");
  if (event.kind === "key" && event.key.chord === "q") break;
}
tty.write(" " + (await tty.next(10)).kind + " ");
tty.close();`,
    );
    try {
      await pty.waitFor(/ready/);
      for (const [typed, wanted] of [
        ["a", /<a:a>/],
        ["\x1b", /<escape:>/],
        ["\x1b[A", /<up:>/],
        ["\x1b[200~é\nx\x1b[201~", /<paste:é/],
        ["\x03", /<C-c:>/],
        ["\x1a", /<C-z:>/],
      ] as const) {
        const from = pty.mark();
        pty.type(typed);
        await pty.waitFor(wanted, from);
      }
      const from = pty.mark();
      pty.resize(66, 9);
      await pty.waitFor(/<66x9>/, from);
      pty.type("q");
      await pty.waitFor(/<q:q> timeout [^]*status 0/, from);
      expect(pty.written()).not.toContain("\x1b[?1049h");
      expect(pty.screen()).toContain("shell");
    } finally {
      await pty.close();
    }
  },
);
