// Laws of configurations: whatever bytes a file has, evaluating it ends soon, with settings or with errors that have a place;
// it never throws, never overflows, never prints what steers a terminal.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { formatDiagnostic, MAX_ERRORS } from "../../lib/config/diagnostic.ts";
import { BUILTINS } from "../../lib/config/builtins/registry.ts";
import { signatureOf } from "../../lib/config/builtin.ts";
import { filled, TARGET } from "../../scripts/docs_configuration.ts";
import { tryEvaluate } from "../support/config_host.ts";

const FIXTURES = join(import.meta.dir, "../fixtures/c4m");
const GUIDE = readdirSync(FIXTURES).map((name) => readFileSync(join(FIXTURES, name), "utf8"));

/** Evaluates, and checks what must hold of any outcome. */
function ends(text: string, limitMs = 3000): void {
  const began = performance.now();
  const result = tryEvaluate([["t.c4m", text]]);
  const ms = performance.now() - began;
  if (ms > limitMs) throw new Error(`took ${ms} ms: ${JSON.stringify(text.slice(0, 500))}`);
  if (!Array.isArray(result)) return;
  expect(result.length).toBeGreaterThan(0);
  expect(result.length).toBeLessThanOrEqual(MAX_ERRORS);
  for (const d of result) {
    const printed = formatDiagnostic(d);
    expect(printed).toMatch(/^t\.c4m:\d+:\d+: /);
    expect(printed.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(printed.length).toBeLessThan(5000);
  }
}

const WORDS = [
  ..."{ } [ ] ( ) : = := , . ; ~ + - * / % < > <= >= == != not and or ! ` ->".split(" "),
  ..."if elif else for from to func return var enum export use parameter break continue true false".split(" "),
  ..."exec heartbeat sink_config report_template key outconf x y subscribe env format int string list dict".split(" "),
  "\n",
  "\n",
  '"a"',
  "'c'",
  "1",
  "2.5",
  "<<1 sec>>",
  "<<x>>",
  "result",
  '"{x}"',
];

describe("any text ends in settings or in errors", () => {
  test("arbitrary bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => ends(new TextDecoder().decode(bytes))),
      { numRuns: 500 },
    );
  });

  test("arbitrary words of the language", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...WORDS), { maxLength: 80 }), (words) => ends(words.join(" "))),
      { numRuns: 2000 },
    );
  });

  test("the guide's files with pieces cut out, doubled and replaced", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...GUIDE),
        fc.array(fc.tuple(fc.nat(), fc.nat(20), fc.constantFrom(...WORDS, "")), { maxLength: 4 }),
        (text, edits) => {
          let t = text;
          for (const [at, length, word] of edits) {
            const from = at % (t.length + 1);
            t = t.slice(0, from) + word + t.slice(from + length);
          }
          ends(t);
        },
      ),
      { numRuns: 1000 },
    );
  });
});

describe("hostile files end soon", () => {
  const repeat = (text: string, n: number) => text.repeat(n);
  const lines = (n: number, line: (i: number) => string) => Array.from({ length: n }, (_, i) => line(i)).join("\n");
  test.each([
    ["open brackets", `x := ${repeat("(", 100_000)}`],
    ["open lists", `x := ${repeat("[", 100_000)}`],
    ["open blocks", repeat("exec {\n", 50_000)],
    ["not not not", `x := ${repeat("not ", 100_000)}true`],
    ["minus minus", `x := ${repeat("-", 100_000)}1`],
    ["a long sum", `x := 1${repeat(" + 1", 100_000)}`],
    ["a long chain of names", `x := a${repeat(".a", 100_000)}`],
    ["a long path", `a${repeat(".a", 100_000)}: 1`],
    ["a long chain of calls", `x := "a"${repeat(".upper()", 20_000)}`],
    ["nested types", `var x: ${repeat("list[", 50_000)}`],
    [
      "types that double",
      `a := (1, 1)\n${lines(60, (i) => `a${i} := (${i === 0 ? "a" : `a${i - 1}`}, ${i === 0 ? "a" : `a${i - 1}`})`)}`,
    ],
    [
      "values that double",
      `a := [1]\n${lines(60, (i) => `b${i} := [${i === 0 ? "a" : `b${i - 1}`}, ${i === 0 ? "a" : `b${i - 1}`}]`)}`,
    ],
    ["texts that double", 's := "aaaaaaaaaaaaaaaa"\nfor i from 0 to 1000 { s := s + s }'],
    ["a huge loop", "for i from 0 to 9223372036854775807 { }"],
    ["loops in loops", "for i from 0 to 99999 { for j from 0 to 99999 { for k from 0 to 99999 { } } }"],
    ["endless recursion", "func f(n) { return f(n) }\nx := f(1)"],
    ["recursion that branches", "func f(n) { if n <= 0 { return 0 }\n return f(n - 1) + f(n - 1) }\nx := f(140)"],
    [
      "functions that call each other",
      `${lines(5000, (i) => `func f${i}(n) { return f${i + 1}(n) }`)}\nfunc f5000(n) { return n }\nx := f0(1)`,
    ],
    [
      "a function of a pair, again and again",
      `func p(a) { return (a, a) }\nx := ${repeat("p(", 90)}1${repeat(")", 90)}`,
    ],
    ["replace that explodes", 's := pad("", 900000)\nt := replace(s, " ", s)'],
    ["format that explodes", 's := pad("", 900000)\nt := format("{s}{s}{s}{s}{s}{s}{s}{s}")'],
    ["join that explodes", 's := pad("", 900000)\nt := join(split(s, " "), s)'],
    ["work without growth", 's := pad("", 900000)\nfor i from 0 to 99999 { t := upper(s) }'],
    [
      "comparing what is shared",
      `a := [[1]]\n${lines(12, () => "a := [a[0]]")}\nfor i from 0 to 9999 { x := contains([a, a, a, a], a) }`,
    ],
    ["ten thousand errors", repeat("blah blah blah\n", 10_000)],
    ["noise on one line", repeat("@", 500_000)],
    ["two megabytes", repeat("# comment\n", 200_000)],
    ["a literal that backtracks", `x := <<${repeat("1 sec ", 40_000)}>>`],
    ["deep JSON", `x := parse_json("${repeat("[", 100_000)}")`],
    ["many line ends", `if true { }${repeat("\n", 200_000)}`],
    ["if in if", `${repeat("if true { }\n", 20_000)}`],
    ["sections of one name", lines(20_000, (i) => `sink_config s${i} { sink: "stdout" }`)],
    ["many wrong names", lines(30_000, (i) => `exec.comand${i}: 1`)],
    ["many wrong keys", `report_template t { ${lines(30_000, (i) => `key._PROCES_${i}.use = true`)} }`],
    ["many subscriptions", lines(10_000, (i) => `sink_config s${i} { sink: "stdout" }\nsubscribe("report", "s${i}")`)],
    ["many copies", lines(20_000, (i) => `copy_report_template_keys("a${i}", "b")`)],
    ["many functions", lines(15_000, (i) => `func f${i}() { return ${i} }`)],
    ["NUL", 'x := "\u0000"\nlog_level: \u0000'],
  ])("%s", (_, text) => {
    ends(text, 4000);
  });
});

describe("tables", () => {
  test("every built-in function has a signature that parses, and says what it does", () => {
    const seen = new Set<string>();
    for (const entry of BUILTINS) {
      expect(signatureOf(entry).kind).toBe("func");
      expect(entry.doc).not.toBe("");
      const form = entry.name + entry.signature;
      expect(seen.has(form)).toBe(false);
      seen.add(form);
    }
  });

  test("docs/configuration.md has the tables as the code has them", () => {
    const now = readFileSync(join(import.meta.dir, "../..", TARGET), "utf8");
    expect(filled(now)).toBe(now);
    for (const name of ["attributes", "sinks", "builtins", "refused", "unused"])
      expect(now).toContain(`<!-- table ${name} -->`);
  });
});
