// Commands as text: a shell reads back exactly what was run, and a terminal is never steered.
import { expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import * as fc from "fast-check";
import { basename, programName, quoteArgv, quoteWord, shortenStorePaths } from "../../lib/model/argv.ts";

const words = (...w: string[]) => ({ words: w, joined: false });

test("quoteWord leaves plain words, quotes others, and shows what must not be printed", () => {
  expect(quoteWord("-O2")).toBe("-O2");
  expect(quoteWord("a=b,c:d@e%f+g")).toBe("a=b,c:d@e%f+g");
  expect(quoteWord("")).toBe("''");
  expect(quoteWord("a b")).toBe("'a b'");
  expect(quoteWord("it's")).toBe("'it'\\''s'");
  expect(quoteWord("~root")).toBe("'~root'");
  expect(quoteWord('*?[]{}$`"!;&|<>()#')).toBe("'*?[]{}$`\"!;&|<>()#'");
  expect(quoteWord("\x1b]0;title\x07'\\")).toBe("$'\\x1b]0;title\\x07\\'\\\\'");
  expect(quoteWord("\u202e")).toBe("$'\\u202e'");
  expect(quoteWord("é")).toBe("'é'");
  expect(quoteWord("é", false)).toBe("$'\\u00e9'");
  expect(quoteWord("a\ufffdb", true, new Uint8Array([97, 0xff, 98, 0xc3, 0xa9, 39]))).toBe("$'a\\xffbé\\''");
});

test("quoteArgv guards the first word against being an assignment or a keyword", () => {
  expect(quoteArgv(words("A=1", "x"))).toBe("'A=1' x");
  expect(quoteArgv(words("if", "if"))).toBe("'if' if");
  expect(quoteArgv(words("A=\x01"))).toBe("$'A=\\x01'");
  expect(quoteArgv(words("[", "-f", "x", "]"))).toBe("'[' -f x ']'");
  expect(quoteArgv({ words: ["sh -c sleep\x1b 1"], joined: true })).toBe("sh -c sleep\\x1b 1");
  expect(quoteArgv(words())).toBe("");
});

test("bash reads back what quoteArgv wrote, byte for byte", () => {
  const samples = fc.sample(
    fc.array(fc.oneof(fc.string({ unit: "binary" }), fc.string(), fc.constantFrom("if", "a=b", "~", "-n", "")), {
      minLength: 1,
      maxLength: 8,
    }),
    { numRuns: 60, seed: 7 },
  );
  const clean = samples.map((w) => w.map((x) => x.replaceAll("\0", "").replace(/\p{Cs}/gu, "")));
  for (const unicode of [true, false]) {
    const script = clean.map((w) => `printf '%s\\0' ${quoteArgv(words("x", ...w), unicode)}`).join("\n");
    const r = spawnSync("bash", { input: script, env: { LC_ALL: "C.UTF-8" } });
    expect(r.stderr.toString()).toBe("");
    expect(r.stdout.toString()).toBe(clean.map((w) => ["x", ...w].map((x) => x + "\0").join("")).join(""));
  }
});

test("basename and programName", () => {
  expect(basename("/usr/bin/make")).toBe("make");
  expect(basename("-bash")).toBe("-bash");
  expect(basename("dir/")).toBe("dir");
  expect(basename("")).toBe("");
  expect(programName(words("/bin/sh", "-c"))).toBe("sh");
  expect(programName(words())).toBe("");
  expect(programName({ words: [" /bin/sh -c a/b"], joined: true })).toBe("sh");
});

test("shortenStorePaths names the program, or the package of anything else", () => {
  const bash = "/nix/store/lm10ywzflq9qfhr4fl0zqxrhiksf28ks-bash-5.2-p15";
  expect(shortenStorePaths(`${bash}/bin/bash -c ${bash}/bin/x`)).toBe("<store>/bash -c <store>/x");
  expect(shortenStorePaths(`${bash}/lib/a.so`)).toBe("<store>/bash-5.2-p15/lib/a.so");
  expect(shortenStorePaths("/nix/store/short/bin/x")).toBe("/nix/store/short/bin/x");
});
