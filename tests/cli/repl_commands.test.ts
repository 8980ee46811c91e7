// Every command of `tk repl`, typed into the real binary at a pseudo-terminal. The law at the end says which command has no such test.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { commands } from "../../lib/repl/registry.ts";
import { refilled } from "../../scripts/docs_repl.ts";
import { lacks } from "../support/needs.ts";
import { KEY, Pty } from "../support/pty.ts";
import { requireTk, TK } from "../support/tk.ts";
import { timelineText } from "../support/timeline.ts";

const BUILD = `
  recording root=10 make -j2
  0ms 10 exec make -j2
  1ms 10 fork 11
  2ms 11 exec:fail 2 /opt/bin/cc -c a.c
  3ms 11 exec cc -c a.c
  4ms 11 fork 12
  5ms 12 exec as -o a.o
  20ms 12 exit 0 user=10ms sys=1ms rss=2048
  30ms 11 exit 0 user=20ms sys=2ms rss=4096
  31ms 10 fork 13
  32ms 13 exec cc -c b.c
  90ms 13 exit 1 user=50ms sys=1ms rss=8192
  91ms 10 fork 14
  92ms 14 exec ld -o prog
  93ms 14 killed 9
  {"Report":{"seq":90,"timestamp":94000000,"pid":13,"operation":"heartbeat","report":{"n":1}}}
  100ms 10 exit 2 user=1ms sys=1ms rss=1024
  101ms end 2`;

/** What is typed, and what the shell answers; one after the other in one session each. */
const TYPED: Readonly<Record<string, readonly (readonly [line: string, answer: RegExp])[]>> = {
  views: [
    ["procs where wall > 25ms | sort -wall | select id, exe", /p0 +make\s+p3 +cc\s+p1 +cc/],
    ["count", /\b5\b/],
    ["events where kind == exec_failed | select id, file", /\/opt\/bin\/cc/],
    ["images | count", /\b5\b/],
    ["lines | top 3 by self", /no rows/],
    ["reports", /heartbeat/],
  ],
  looking: [
    ["tree", /p1 +29\.0ms +├─ cc -c a\.c/],
    ["tree p0 -d 1", /cc -c a\.c \(\+1\)/],
    ["ls p1", /as -o a\.o/],
    ["show p3", /peak memory +8\.00MiB/],
    ["show e4", /exec_failed|cc -c/],
    ["info", /command +make -j2/],
    ["timeline 3", /█+\s+make/],
    ["hot", /COMMAND[\s\S]*cc/],
    ["path 5", /longest segments? of/],
  ],
  moving: [
    ["cd p1", /p1 {2}pid 11/],
    ["ls", /as -o a\.o/],
    ["up", /p0 {2}pid 10/],
    ["root", /all processes/],
    ["goto p3", /\+0\.031000s {2}fork/],
    ["next", /exec {2}p3/],
    ["mark here", /here: e\d+/],
    ["next exit", /exit 1/],
    ["prev", /exec {2}p3|e\d+ {2}\+0\.03/],
    ["marks", /here +0\.032000/],
    ["goto here", /cc -c b\.c/],
    ["find kind == exit and failed", /\+0\.090000s {2}exit {2}p3 {2}exit 1/],
    ["find", /SIGKILL/],
    ["back", /\+0\.090000s/],
    ["goto +1ms", /\+0\.09\d+s/],
  ],
  filtering: [
    ["filter exe == cc", /2 processes and \d+ events remain/],
    ["name compilers", /compilers: exe == cc/],
    ["push wall > 50ms", /1 processes and/],
    ["filters", /compilers +procs +exe == cc/],
    ["pop", /2 processes/],
    ["save compilers", /compilers: exe == cc/],
    ["pop all", /5 processes/],
    ["use compilers", /2 processes/],
    ["forget compilers", /forgot compilers/],
    ["use compilers", /there is no filter called/],
  ],
  elsewhere: [
    ["render", /├─ cc -c a\.c/],
    ["filter exe == ld", /1 processes/],
    ["render -d multiplexed | cat", /"args":\["ld","-o","prog"\]/],
    ["analyse --section commands", /Commands, by program/],
    ["pop", /5 processes/],
    ["diff other.prof", /new +1 .*extra/],
    ["source look.tk", /from a script +p3|p3/],
    ["shell echo $((40 + 2))", /42\r\n/],
    ["!echo $((40 + 3))", /43\r\n/],
    ["replay --no-tui --speed max | grep -c cc", /[1-9]\d*\r\n/],
  ],
  shell: [
    ["help", /The shell[\s\S]*help COMMAND for examples/],
    ["help goto", /ten milliseconds on/],
    ["help fields procs", /peak memory of its own/],
    ["help keys", /search the history backwards/],
    ["format csv", /tk/],
    ["format", /^text\s+csv|csv/m],
    ["procs | top 1", /id,pid,exe/],
    ["format table", /tk/],
    ["history ield", /help fields procs/],
    // oxlint-disable-next-line no-control-regex
    ["clear", /\x1b\[2J/],
  ],
};

let dir = "";
let file = "";

beforeAll(() => {
  requireTk();
  dir = mkdtempSync(join(tmpdir(), "tk-repl-"));
  file = join(dir, "build.prof");
  writeFileSync(file, timelineText(BUILD));
  const other = BUILD.replace(
    "  100ms 10 exit 2",
    "  95ms 10 fork 15\n  95ms 15 exec extra work\n  99ms 15 exit 0\n  100ms 10 exit 2",
  );
  writeFileSync(join(dir, "other.prof"), timelineText(other));
  writeFileSync(join(dir, "look.tk"), "# a comment\nprocs where failed | select id, exe # and another\n");
});

afterAll(() => rmSync(dir, { recursive: true, force: true }));

function open(
  words: readonly string[] = [file],
  env: Readonly<Record<string, string>> = {},
  cols = 100,
  rows = 40,
): Pty {
  return new Pty({
    command: [TK, "repl", ...words],
    cwd: dir,
    cols,
    rows,
    env: { NO_COLOR: "1", LC_ALL: "C.UTF-8", PAGER: "cat", XDG_STATE_HOME: join(dir, "state"), ...env },
  });
}

// oxlint-disable-next-line no-control-regex
const PROMPT = /tk[^\n]*> \x1b\[K\r\x1b\[\d+C\x1b\[\?25h$/;

for (const [group, typed] of Object.entries(TYPED))
  test.skipIf(lacks("terminal"))(`commands typed at a terminal: ${group}`, async () => {
    const pty = open();
    try {
      await pty.waitFor(/tk> /);
      for (const [line, answer] of typed) {
        const from = pty.mark();
        pty.type(`${line}\r`);
        // The echo of the line must not be taken for the answer.
        await pty.waitFor(/\r\n/, from);
        const behind = from + pty.written().slice(from).indexOf("\r\n");
        try {
          await pty.waitFor(answer, behind);
        } catch (error) {
          throw new Error(`${line}: ${String(error)}`, { cause: error });
        }
        await pty.waitFor(PROMPT, behind);
      }
    } finally {
      await pty.close();
    }
  });

test.skipIf(lacks("terminal"))("quit leaves with status 0, and so does Ctrl-D", async () => {
  for (const keys of ["quit\r", KEY.ctrlD]) {
    const pty = new Pty({ cwd: dir, env: { NO_COLOR: "1", XDG_STATE_HOME: join(dir, "state") } });
    try {
      await pty.waitFor(/\]> $/);
      const from = pty.mark();
      pty.type(`${TK} repl ${file}\r`);
      await pty.waitFor(/tk> /, from);
      expect(await pty.keys(keys)).toBe(0);
    } finally {
      await pty.close();
    }
  }
});

test("no command lacks a test that types it", () => {
  const lines = Object.values(TYPED).flatMap((typed) => typed.map(([line]) => line.split(/\s/)[0]));
  const missing = commands.entries.filter(({ id }) => id !== "quit" && !lines.includes(id)).map(({ id }) => id);
  expect(missing).toEqual([]);
});

test("every command says how it is used, with examples that are whole", () => {
  for (const command of commands.entries) {
    expect(command.usage.split(" ")[0]).toBe(command.id);
    expect(command.examples.length).toBeGreaterThan(0);
    expect(command.doc.length).toBeGreaterThan(5);
    expect(command.summary).not.toEndWith(".");
    for (const { line } of command.examples) expect(line.split(/\s/)[0]).toBe(command.id);
  }
});

test("docs/repl.md lists the commands as the registry has them (scripts/docs_repl.ts refills it)", () => {
  const doc = readFileSync(join(import.meta.dir, "..", "..", "docs", "repl.md"), "utf8");
  expect(refilled(doc)).toBe(doc);
});
