// The same sources under Deno: what runs there must do what the compiled binary does.
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readRecording, run, TK, withTag } from "../support/tk.ts";

const root = join(import.meta.dir, "..", "..");
const DENO = [join(root, "node_modules", ".bin", "deno"), "run", "-A", join(root, "cmd", "tk.ts")];
const env = { PATH: process.env.PATH ?? "", HOME: "/nonexistent", DENO_DIR: join(tmpdir(), "tk-deno"), NO_COLOR: "1" };
const work = mkdtempSync(join(tmpdir(), "tk-deno-test-"));
afterAll(() => rmSync(work, { recursive: true, force: true }));

test("deno run records with ptrace, in both modes, and ends as the command did", async () => {
  for (const mode of ["events", "complete"]) {
    const path = join(work, `${mode}.prof`);
    const ran = await run(
      [...DENO, "record", "--mode", mode, "-o", path, "--", "sh", "-c", "ls / | cat; env nosuch; exit 7"],
      { env },
    );
    expect(ran.stdout).toContain("tmp");
    expect(ran.status).toBe(7);
    const lines = readRecording(path);
    expect(withTag(lines, "Fork").length).toBe(withTag(lines, "Exit").length);
    expect(withTag(lines, "ExecFull").map((l) => l.f.args)).toContainEqual(["ls", "/"]);
    expect(withTag(lines, "BadExec").length > 0).toBe(mode === "complete");
    expect(withTag(lines, "End").length).toBe(1);
  }
  const killed = await run([...DENO, "record", "-q", "-o", join(work, "k.prof"), "--", "sh", "-c", "kill -TERM $$"], {
    env,
  });
  expect(killed.shell).toBe(128 + 15);
});

test("deno run sorts and renders to the same bytes as the binary", async () => {
  const path = join(work, "a.prof");
  await run([
    TK,
    "record",
    "-q",
    "-o",
    path,
    "--",
    "bash",
    "-c",
    "for i in 1 2 3; do (sleep 0.0$i; ls /) & done; wait",
  ]);
  const stdin = readFileSync(path, "utf8").split("\n").toReversed().join("\n");
  for (const words of [
    ["sort"],
    ["render", "-d", "tree"],
    ["render", "-d", "mermaid"],
    ["render", "-d", "by-process"],
  ]) {
    const [here, there] = await Promise.all([run([...DENO, ...words], { env, stdin }), run([TK, ...words], { stdin })]);
    expect(here.stderr).toBe(there.stderr);
    expect(here.stdout).toBe(there.stdout);
    expect(there.stdout.length).toBeGreaterThan(100);
  }
});

test("deno run becomes the program and reports on it, also as its parent", async () => {
  const home = join(work, "home");
  for (const mode of ["--no-as-parent", "--as-parent"]) {
    const log = join(work, `exec${mode}.log`);
    const words = [
      "exec",
      mode,
      "--heartbeat",
      "--heartbeat-rate=100ms",
      "-o",
      log,
      "--",
      "sh",
      "-c",
      "sleep 0.5; exit 7",
    ];
    const ran = await run([...DENO, ...words], { env: { ...env, HOME: home } });
    expect([ran.stderr, ran.status]).toEqual(["", 7]);
    const until = performance.now() + 10_000;
    const reports = () => readFileSync(log, "utf8").split("\n").slice(0, -1);
    while (reports().length < 3 && performance.now() < until) await Bun.sleep(20);
    const [first] = JSON.parse(reports()[0]!) as [{ _CHALKS: [Record<string, unknown>] }];
    expect(first._CHALKS[0]["_PROCESS_ARGV"]).toEqual(["sh", "-c", "sleep 0.5; exit 7"]);
    expect(reports().length).toBeGreaterThanOrEqual(3);
  }
}, 30_000);
