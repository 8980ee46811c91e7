// `tk doctor` as users run it, and what it makes of machines that this one is not.
import { beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Check } from "../../lib/capture/backend.ts";
import { diagnosisTable, stateOf, type Diagnosis } from "../../lib/capture/doctor.ts";
import { lacks } from "../support/needs.ts";
import { temporaryFolder } from "../support/programs.ts";
import { asOrdinaryUser, isRoot, requireTk, run, TK } from "../support/tk.ts";

beforeAll(requireTk);

const ok = (name: string): Check => ({ name, state: "ok", found: "fine" });
const missing = (name: string): Check => ({ name, state: "missing", found: "not there", fix: "get it" });
const limited = (name: string): Check => ({ name, state: "limited", found: "half", fix: "get more" });

test("the table for people ends with what `tk record` will use", async () => {
  const ran = await run([TK, "doctor"]);
  expect([ran.status, ran.stderr]).toEqual([0, ""]);
  expect(ran.stdout).toMatch(/^tk \d+\.\d+\.\d+ on linux /);
  expect(ran.stdout).toMatch(/^ptrace: works/m);
  expect(ran.stdout).toMatch(/^bpftrace: /m);
  expect(ran.stdout.trimEnd().split("\n").at(-1)).toStartWith("tk record will use ptrace");
  expect(ran.stdout.split("\n").every((line) => line === line.trimEnd())).toBe(true);
}, 20_000);

test("the same as JSON", async () => {
  const ran = await run([TK, "doctor", "--format", "json"]);
  const told = JSON.parse(ran.stdout) as Diagnosis;
  expect(told.auto).toBe("ptrace");
  expect(told.backends.map((b) => b.id)).toEqual(["ptrace", "bpftrace"]);
  for (const backend of told.backends)
    for (const check of backend.checks) expect(["ok", "limited", "missing"]).toContain(check.state);
  if (isRoot && Bun.which("bpftrace") !== null) expect(told.backends[1]).toMatchObject({ state: "works" });
}, 20_000);

test("a bpftrace that is missing, and one that is too old, with what to do", async () => {
  const folder = temporaryFolder();
  const old = join(folder, "old");
  writeFileSync(old, "#!/bin/sh\necho bpftrace v0.9.4\n");
  chmodSync(old, 0o755);
  const none = await run([TK, "doctor", "-b", "/nonexistent/bpftrace"]);
  expect(none.stdout).toMatch(
    /missing +bpftrace +'\/nonexistent\/bpftrace' is not .*\n +-> install it .*apt install bpftrace/,
  );
  const aged = await run([TK, "doctor", "-b", old]);
  expect(aged.stdout).toMatch(/missing +bpftrace +.*\/old 0\.9\.4\n +-> install 0\.17 or newer/);
  expect(aged.stdout).toContain("bpftrace: cannot record here");
  // ptrace still can.
  expect([none.status, aged.status]).toEqual([0, 0]);
}, 20_000);

test("an ordinary user is told of sudo, and nothing is run by it", async () => {
  const ran = await run(asOrdinaryUser([TK, "doctor"]));
  expect(ran.status).toBe(0);
  expect(ran.stdout).toMatch(/ok +mode events /);
  if (isRoot) expect(ran.stdout).toMatch(/ privileges +not root/);
}, 20_000);

test.skipIf(lacks("strace"))(
  "traced already: nothing records by ptrace, and it says who is in the way",
  async () => {
    const under = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=none", "-e", "signal=none"];
    const ran = await run([...under, TK, "doctor", "-b", "/nonexistent/bpftrace"]);
    expect(ran.status).toBe(1);
    expect(ran.stdout).toMatch(/traced already +by strace/);
    expect(ran.stdout).toContain("ptrace: cannot record here");
    expect(ran.stdout.trimEnd().split("\n").at(-1)).toStartWith("tk record cannot record here");
  },
  20_000,
);

describe("what follows from the checks", () => {
  test("every need must be met, and of several modes one is enough", () => {
    expect(stateOf([ok("a"), ok("mode x")])).toBe("works");
    expect(stateOf([ok("a"), missing("b"), ok("mode x")])).toBe("cannot");
    expect(stateOf([ok("a"), ok("mode x"), missing("mode y")])).toBe("limited");
    expect(stateOf([ok("a"), missing("mode x"), missing("mode y")])).toBe("cannot");
    expect(stateOf([limited("a")])).toBe("limited");
  });

  test("the table is printable whatever is in a path", () => {
    const table = diagnosisTable({
      generator: "tk 0",
      system: { os: "linux", kernel: "6", arch: "x64", user: "root", container: [] },
      backends: [
        { id: "ptrace", summary: "s", state: "cannot", checks: [missing("a")] },
        { id: "bpftrace", summary: "s", state: "limited", checks: [{ ...limited("b"), found: "/x\x1b[31m" }] },
      ],
      auto: "bpftrace",
    });
    expect(table).toContain("/x\\x1b[31m");
    expect(table).toContain("-> get it");
    expect(table.trimEnd()).toEndWith("tk record will use bpftrace");
  });
});
