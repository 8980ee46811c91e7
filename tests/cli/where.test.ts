// `--where` of render, sort, analyse and replay as users type it: what stays, what is again a recording, and what is said about mistakes.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { timelineText } from "../support/timeline.ts";
import { parseLines, requireTk, run, TK } from "../support/tk.ts";

const folder = mkdtempSync(join(realpathSync(tmpdir()), "tk-where-"));
const path = join(folder, "make.prof");
const TEXT = timelineText(`
  recording root=10 make
  1ms 10 exec make all
  2ms 10 fork 11
  3ms 11 exec:fail 2 /usr/local/bin/cc
  4ms 11 exec cc -c a.c
  5ms lost 7 the buffer was full
  30ms 11 exit 1 user=20ms rss=2048
  31ms 10 fork 12
  32ms 12 exec curl http://example.com
  {"Later":{"timestamp":33000000,"pid":12,"what":"kept as it is"}}
  40ms 12 killed 9
  50ms 10 exit 2
  50ms end 2`);

beforeAll(() => {
  requireTk();
  writeFileSync(path, TEXT);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const tk = (...words: string[]) => run([TK, ...words]);
const tags = (text: string) => parseLines(text).map((line) => line.tag);

test("what sort writes is again a recording: header, end and lost events stay, lines are those that were read", async () => {
  const { stdout, status, stderr } = await tk("sort", "--where", "proc.exe == curl or kind == unknown", path);
  expect([status, stderr]).toEqual([0, ""]);
  expect(tags(stdout)).toEqual(["Recording", "Lost", "Fork", "ExecFull", "Later", "Exit", "End"]);
  for (const line of stdout.trim().split("\n")) expect(TEXT).toContain(line + "\n");
  writeFileSync(join(folder, "part.prof"), stdout);
  const tree = await tk("render", "-d", "tree", join(folder, "part.prof"));
  expect(tree.stdout).toContain("curl http://example.com");
  expect(tree.stdout).not.toContain("cc -c");
});

test("--filter is the same, in place, and nothing true leaves header and end", async () => {
  const other = join(folder, "other.prof");
  writeFileSync(other, TEXT);
  expect((await tk("sort", "--filter", "pid == 99", other, "-o", other)).status).toBe(0);
  expect(tags(readFileSync(other, "utf8"))).toEqual(["Recording", "Lost", "End"]);
});

test("render and analyse look at what is left", async () => {
  const lines = await tk("render", "--where", "kind == exec and argv ~ /^cc/", path);
  expect(tags(lines.stdout)).toEqual(["Recording", "ExecFull", "Lost", "End"]);
  const blocks = await tk("render", "-d", "by-process", "--where", "exit != 0", path);
  expect(blocks.stdout).not.toContain("curl");
  const report = await tk("analyse", "--where", "proc.exe == cc", "--section", "commands", "--format", "csv", path);
  expect(report.stdout).toContain("cc");
  expect(report.stdout).not.toContain("curl");
});

test("replay plays what is left, as text and as lines", async () => {
  const played = await tk(
    "replay",
    "--no-tui",
    "--speed",
    "max",
    "--format",
    "ndjson",
    "--where",
    "proc.exe == cc",
    path,
  );
  expect(tags(played.stdout)).toEqual(["Recording", "Fork", "BadExec", "ExecFull", "Lost", "Exit", "End"]);
  const refused = await tk("replay", "--no-tui", "--follow", "--where", "exe == cc", path);
  expect([refused.status, refused.stderr]).toEqual([2, expect.stringContaining("--follow")]);
});

test("a mistake is shown with its place before anything is read", async () => {
  const { status, stderr, stdout } = await tk(
    "sort",
    "--where",
    "exe == cc and wal > 3ms",
    join(folder, "missing.prof"),
  );
  expect([status, stdout]).toEqual([2, ""]);
  expect(stderr.split("\n").slice(0, 3)).toEqual([
    "  exe == cc and wal > 3ms",
    "                ^^^",
    "tk: --where: there is no field 'wal' in events; did you mean wall?",
  ]);
});

test("hostile words and patterns: escapes are shown, nothing hangs", async () => {
  const hostile = await tk("sort", "--where", "exe == '\x1b[31m\u202e", path);
  expect(hostile.status).toBe(2);
  expect(hostile.stderr).not.toMatch(/[\p{Cf}]/u);
  expect(hostile.stderr).not.toContain("\x1b");
  const long = join(folder, "long.prof");
  writeFileSync(long, `{"ExecFull":{"timestamp":1,"pid":5,"args":["${"a".repeat(2 << 20)}"]}}\n`);
  const slow = await tk("sort", "--where", "argv ~ /(a*)*b/", long);
  expect([slow.status, slow.stdout]).toEqual([0, ""]);
  const deep = await tk("sort", "--where", "(".repeat(50_000), path);
  expect([deep.status, deep.stderr]).toEqual([2, expect.stringContaining("nested")]);
});

test("truncated and foreign recordings are filtered like any other", async () => {
  const cut = join(folder, "cut.prof");
  writeFileSync(cut, TEXT.slice(0, -60));
  const { status, stdout, stderr } = await tk("sort", "--where", "pid == 12", cut);
  expect(status).toBe(0);
  expect(stderr).toContain("cut off");
  expect(tags(stdout)).toEqual(["Recording", "Lost", "Fork", "ExecFull", "Exit"]);
  const raw = join(folder, "raw.log");
  writeFileSync(
    raw,
    '{"Exec":{"timestamp":5,"pid":7,"ppid":6,"pgid":7,"cmdline":null}}\n{"ExecArgs":{"timestamp":6,"pid":7,"args":"make all"}}\n{"Exec":{"timestamp":7,"pid":8,"ppid":6,"pgid":8,"cmdline":["ls"]}}\n',
  );
  const parts = await tk("sort", "--where", "argv ~ /make/", raw);
  expect(tags(parts.stdout)).toEqual(["Exec", "ExecArgs"]);
});
