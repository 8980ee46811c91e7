// A program that brings its loader and libraries: ELF files changed in place, tried with small C programs of any shape, in a
// root file system with nothing else in it. Needs root for chroot; gcc makes the programs.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ElfError, ElfFile } from "../../lib/container/elf.ts";
import { LOADER_PROLOGUE } from "../../lib/container/loader_prologue.ts";
import { makePortable, pathInImage } from "../../lib/container/portable.ts";
import { lacks } from "../support/needs.ts";

const isRoot = process.getuid?.() === 0;
const folder = mkdtempSync(join(tmpdir(), "tk-portable-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const PROGRAM = `
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(int argc, char **argv, char **envp) {
  volatile double two = 2;
  printf("sqrt %.3f words %d\\n", sqrt(two), argc);
  for (char **e = envp; *e; e++) printf("env %s\\n", *e);
  char text[4096];
  FILE *f = fopen("/environ", "r");
  size_t n = f ? fread(text, 1, sizeof text, f) : 0;
  for (size_t i = 0; i < n; i += strlen(text + i) + 1) printf("kernel %s\\n", text + i);
  return argc;
}
`;

/** Static: starts /tk with its words as environment, so that nothing but /tk sees these variables. */
const STARTER = `
#include <unistd.h>
int main(int argc, char **argv) { char *words[] = {"/tk", 0}; execve("/tk", words, argv + 1); return 99; }
`;

const program = join(folder, "program");
const set = join(folder, "root");

function compile(source: string, out: string, ...flags: string[]): void {
  const c = `${out}.c`;
  writeFileSync(c, source);
  const gcc = spawnSync("gcc", ["-O1", "-o", out, c, ...flags], { encoding: "utf8" });
  expect(gcc.stderr).toBe("");
}

beforeAll(() => {
  if (lacks("gcc")) return;
  compile(PROGRAM, program, "-lm");
  expect(makePortable(program, set)).toEqual({ machine: "x64", notes: [] });
});

const inRoot = (env: Readonly<Record<string, string>>, ...words: string[]) =>
  spawnSync("/usr/sbin/chroot", [set, ...words], {
    env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", ...env },
    encoding: "utf8",
  });

describe.skipIf(lacks("gcc", "root"))("a portable set", () => {
  test("is the program, its loader, its libraries, and nothing else", () => {
    expect(readdirSync(set).sort()).toEqual([".tk", "tk"]);
    expect(readdirSync(join(set, ".tk")).sort()).toEqual(["c", "ld", "m"]);
    const file = new ElfFile(join(set, "tk"), "r");
    expect(file.interpreter).toBe("/.tk/ld");
    expect(file.needed.sort()).toEqual(["/.tk/c", "/.tk/m"]);
    file.close();
    expect(statSync(join(set, "tk")).size).toBe(statSync(program).size);
    for (const [path, mode] of [
      ["", 0o755],
      [".tk", 0o755],
      ["tk", 0o755],
      [".tk/ld", 0o755],
      [".tk/c", 0o644],
    ] as const)
      if (path !== "") expect(statSync(join(set, path)).mode & 0o777).toBe(mode);
  });

  test("runs in a root file system without anything", () => {
    if (!isRoot) return console.log("not run: chroot needs root");
    const ran = inRoot({}, "/tk", "x");
    expect(ran.stderr).toBe("");
    expect(ran.stdout).toContain("sqrt 1.414 words 2");
    expect(ran.status).toBe(2);
  });

  test("takes nothing from the image: not its preloads, its library folders, its cache", () => {
    if (!isRoot) return console.log("not run: chroot needs root");
    // A library with the name of one that is needed, whose presence in memory would show.
    const evil = '__attribute__((constructor)) static void loud(void) { puts("loaded from the image"); }';
    for (const path of ["lib/x86_64-linux-gnu", "usr/lib", "lib64", "lib", "evil", "etc"])
      mkdirSync(join(set, path), { recursive: true });
    const library = join(folder, "evil.so");
    compile(`#include <stdio.h>\n${evil}\n`, library, "-shared", "-fPIC");
    for (const path of [
      "lib/x86_64-linux-gnu/libm.so.6",
      "usr/lib/libm.so.6",
      "lib/libm.so.6",
      "evil/libm.so.6",
      "evil/p.so",
    ])
      copyFileSync(library, join(set, path));
    writeFileSync(join(set, "etc/ld.so.preload"), "/evil/p.so\n");
    compile(STARTER, join(set, "starter"), "-static");
    for (const variable of [
      "A=1",
      "LD_PRELOAD=/evil/p.so",
      "LD_LIBRARY_PATH=/evil",
      "LD_AUDIT=/evil/p.so",
      "LD_DEBUG=all",
    ]) {
      const ran = inRoot({}, "/starter", variable);
      expect(ran.stderr).toBe("");
      expect(ran.stdout.split("\n")[0]).toBe("sqrt 1.414 words 1");
    }
    for (const path of ["lib", "usr", "lib64", "evil", "etc", "starter"]) rmSync(join(set, path), { recursive: true });
  });

  test("the program's environment is as it was given", () => {
    if (!isRoot) return console.log("not run: chroot needs root");
    const probe = join(folder, "probe");
    compile(PROGRAM.replace("/environ", "/proc/self/environ"), probe, "-lm");
    const here = join(folder, "here");
    makePortable(probe, here);
    mkdirSync(join(here, "proc"));
    compile(STARTER, join(here, "starter"), "-static");
    const run = 'mount -t proc proc "$0/proc" && exec /usr/sbin/chroot "$0" /starter "$@"';
    const variables = ["LD_PRELOAD=/x.so", "A=1", "LD_LIBRARY_PATH=/y", "LD=2"];
    const ran = spawnSync("unshare", ["--mount", "sh", "-c", run, here, ...variables], { encoding: "utf8" });
    expect(ran.stderr).toBe("");
    const lines = ran.stdout.split("\n");
    // What the kernel keeps, and what `tk exec` gives to the program.
    expect(lines.filter((line) => line.startsWith("kernel"))).toEqual(variables.map((v) => `kernel ${v}`));
    // What the loader saw.
    expect(lines.filter((line) => line.startsWith("env"))).toEqual([
      "env D_PRELOAD=/x.so",
      "env A=1",
      "env D_LIBRARY_PATH=/y",
      "env LD=2",
    ]);
    expect(ran.status).toBe(1);
  });

  test("can be made from one again", () => {
    const again = join(folder, "again");
    makePortable(join(set, "tk"), again);
    for (const name of ["tk", ".tk/ld", ".tk/c", ".tk/m"])
      expect(readFileSync(join(again, name)).equals(readFileSync(join(set, name)))).toBe(true);
  });

  test("brings what libraries need themselves, from beside the program", () => {
    if (!isRoot) return console.log("not run: chroot needs root");
    const own = join(folder, "own");
    mkdirSync(own);
    compile(
      "int twice(int n) { return 2 * n; }",
      join(own, "libdeeper.so.1"),
      "-shared",
      "-fPIC",
      "-Wl,-soname,libdeeper.so.1",
    );
    compile(
      "int twice(int); int thrice(int n) { return twice(n) + n; }",
      join(own, "libdeep.so.1"),
      "-shared",
      "-fPIC",
      "-Wl,-soname,libdeep.so.1",
      join(own, "libdeeper.so.1"),
    );
    compile(
      "int thrice(int); int main(void) { return thrice(7); }",
      join(own, "tk"),
      join(own, "libdeep.so.1"),
      `-Wl,-rpath-link,${own}`,
    );
    const out = join(folder, "own-root");
    makePortable(join(own, "tk"), out);
    expect(readdirSync(join(out, ".tk")).sort()).toEqual(["c", "deep", "deeper", "ld"]);
    expect(spawnSync("/usr/sbin/chroot", [out, "/tk"]).status).toBe(21);
  });

  test("a static program needs nothing", () => {
    const fixed = join(folder, "fixed");
    compile("int main(void) { return 5; }", fixed, "-static");
    const out = join(folder, "fixed-root");
    makePortable(fixed, out);
    expect(readdirSync(out)).toEqual(["tk"]);
    expect(readFileSync(join(out, "tk")).equals(readFileSync(fixed))).toBe(true);
  });
});

describe.skipIf(lacks("gcc", "root"))("files that are none", () => {
  const bad = join(folder, "bad");
  const refusal = (content: Uint8Array) => {
    writeFileSync(bad, content);
    try {
      makePortable(bad, join(folder, "nowhere"));
      return "made";
    } catch (error) {
      return (error as Error).message;
    }
  };

  test("a script, nothing, a cut one, one of another machine", () => {
    const good = readFileSync(program);
    expect(refusal(Buffer.from("#!/bin/sh\n".repeat(20)))).toBe("it is not an ELF file");
    expect(refusal(new Uint8Array())).toBe("it is cut off, or its headers are wrong");
    expect(refusal(good.subarray(0, 100))).toBe("it is cut off, or its headers are wrong");
    const other = Buffer.from(good);
    other.writeUInt16LE(8, 18);
    expect(refusal(other)).toBe("it is for a machine that tk does not know");
    other.writeUInt8(1, 4);
    expect(refusal(other)).toBe("it is not for a 64-bit little-endian machine");
  });

  test("any flipped bytes of its headers end in a sentence or in a file of the same size", () => {
    const good = readFileSync(program);
    let seed = 7;
    const next = (n: number) => (seed = (seed * 48271) % 2147483647) % n;
    for (let i = 0; i < 150; i++) {
      const broken = Buffer.from(good);
      for (let j = 0; j < 3; j++) broken[next(0x400)] = next(256);
      writeFileSync(bad, broken);
      try {
        const file = new ElfFile(bad);
        try {
          for (const name of file.needed) file.setNeeded(name, "/x");
          file.setInterpreter("/y");
          file.replaceTexts(/^\/.*$/, () => "/z");
          file.prependEntry(16, () => new Uint8Array(16));
        } finally {
          file.close();
        }
      } catch (error) {
        expect(error).toBeInstanceOf(ElfError);
      }
      expect(statSync(bad).size).toBe(good.length);
    }
  });

  test("names that do not fit", () => {
    expect(pathInImage("libpthread.so.0")).toBe("/.tk/pthread");
    expect(pathInImage("libstdc++.so.6")).toBe("/.tk/stdc++");
    expect(pathInImage("libc.musl-x86_64.so.1")).toBe("/.tk/c.musl-x86_64");
    for (const name of ["", "/abs/lib.so", "lib\u0001.so", "libld.so.1"])
      expect(() => pathInImage(name)).toThrow("odd name");
    copyFileSync(program, bad);
    const file = new ElfFile(bad);
    expect(() => file.setNeeded("libm.so.6", "/.tk/longer")).toThrow("does not fit");
    expect(() => file.setNeeded("libz.so.1", "/z")).toThrow("does not need");
    expect(() => file.setInterpreter(`/${"x".repeat(100)}`)).toThrow("no room");
    file.close();
  });

  test("a name that shares its text with a symbol is left alone", () => {
    const one = join(folder, "sharing");
    // The linker lets the symbol `so.6` end where the library's name ends.
    compile(
      'int odd(void) __asm__("so.6"); int odd(void) { return 1; } int main(void) { return odd(); }',
      one,
      "-rdynamic",
    );
    const file = new ElfFile(one);
    expect(() => file.setNeeded("libc.so.6", "/.tk/c")).toThrow("shares its text with another name");
    file.close();
  });
});

describe("the code before the loader", () => {
  for (const [arch, triple] of [
    ["x64", "x86_64"],
    ["arm64", "aarch64"],
  ] as const)
    test(`${arch} is its source, assembled`, () => {
      const [object, binary] = [join(folder, "o"), join(folder, "bin")];
      const assembled = spawnSync("llvm-mc", [
        `-triple=${triple}`,
        "-filetype=obj",
        `lib/container/loader_prologue_${arch}.s`,
        "-o",
        object,
      ]);
      if (assembled.error !== undefined)
        return console.log(`not run: llvm-mc (package llvm) is not installed: ${assembled.error.message}`);
      expect(String(assembled.stderr)).toBe("");
      expect(spawnSync("llvm-objcopy", ["-O", "binary", "-j", ".text", object, binary]).status).toBe(0);
      expect(LOADER_PROLOGUE[arch]).toBe(readFileSync(binary).toString("hex"));
    });
});
