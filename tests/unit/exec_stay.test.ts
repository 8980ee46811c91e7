// The program of one page that takes the reporter's place: what it is made of, and that it ends with whom it waits for.
import { expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { STAY_CODE, stayProgram } from "../../lib/exec/stay.ts";
import { lacks } from "../support/needs.ts";

test.each([
  ["x64", "x86_64"],
  ["arm64", "aarch64"],
] as const)("%s is its source, assembled", (arch, triple) => {
  const folder = mkdtempSync(join(tmpdir(), "tk-asm-"));
  const [object, binary] = [join(folder, "o"), join(folder, "bin")];
  const source = `lib/exec/stay_${arch}.s`;
  const assembled = spawnSync("llvm-mc", [`-triple=${triple}`, "-filetype=obj", source, "-o", object]);
  if (assembled.error !== undefined) {
    console.log(`not run: llvm-mc (package llvm) is not installed: ${assembled.error.message}`);
    rmSync(folder, { recursive: true });
    return;
  }
  expect(String(assembled.stderr)).toBe("");
  expect(spawnSync("llvm-objcopy", ["-O", "binary", "-j", ".text", object, binary]).status).toBe(0);
  const code = readFileSync(binary).toString("hex");
  rmSync(folder, { recursive: true });
  expect<string>(STAY_CODE[arch]).toBe(code);
});

test.skipIf(lacks("readelf"))("an executable that reads like one", () => {
  const folder = mkdtempSync(join(tmpdir(), "tk-stay-"));
  for (const [arch, machine] of [
    ["x64", /X86-64/],
    ["arm64", /AArch64/],
  ] as const) {
    const path = join(folder, arch);
    writeFileSync(path, stayProgram(7, arch));
    const said = spawnSync("readelf", ["-hl", path], { encoding: "utf8" });
    expect(said.stdout).toMatch(machine);
    expect(said.stdout).toMatch(/LOAD .*\n.*R E/);
    expect(said.stderr).toBe("");
  }
  rmSync(folder, { recursive: true });
});

test("waits until its descriptor is readable, and ends with 0", async () => {
  const folder = mkdtempSync(join(tmpdir(), "tk-stay-"));
  const path = join(folder, "stay");
  writeFileSync(path, stayProgram(0));
  chmodSync(path, 0o755);
  const child = Bun.spawn([path], { stdin: "pipe" });
  await Bun.sleep(100);
  expect(child.exitCode).toBeNull();
  child.kill("SIGCONT");
  void child.stdin.end();
  expect(await child.exited).toBe(0);
  rmSync(folder, { recursive: true });
});
