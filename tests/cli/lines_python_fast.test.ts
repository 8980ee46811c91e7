// Engine `fast` beside `exact`: the same program, the same output, the same calls in the same order, the same counts of lines.
// What may differ is marked in the programs (`differs`) or left out here with its reason.
import { afterAll, describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { lacks } from "../support/needs.ts";
import { removeTemporaryFolders, temporaryFolder } from "../support/programs.ts";
import {
  ENGINES,
  type Interpreter,
  PYTHONS,
  type Recorded,
  lineCounts,
  openFrames,
  record,
} from "../support/python_lines.ts";
import { run } from "../support/tk.ts";

const PROGRAMS = join(import.meta.dir, "..", "programs");
const REWRITTEN = PYTHONS.filter((python) => python.number >= 308);
const MODULES = ["loops", "generators", "errors", "coroutines", "workers"];

afterAll(removeTemporaryFolders);

const recorded = (
  python: string,
  engine: string,
  command: readonly string[],
  lines = "lines_fast",
): Promise<Recorded> =>
  record([python, "-B", ...command], { lines, pythonPath: PROGRAMS, env: { TK_LINES_ENGINE: engine } });

/** Before 3.11 `exact` knows no qualified names. */
const short = (name: string) => name.split(".").at(-1)!;

/** Only these two have frames of their own in `exact` but not in `fast`; and it waits in `<idle>` on every version. */
const isSmall = (name: string) => /^<(listcomp|lambda|genexpr|dictcomp|setcomp|idle)>$/.test(short(name));

/** Who called whom, in order, one line an entry or exit; streams by name, since threads begin in any order. */
function calls(interpreters: readonly Interpreter[]): string[] {
  return interpreters.flatMap((interpreter) =>
    interpreter.streams
      .map((stream) => {
        const open: string[] = [];
        const out: string[] = [];
        for (const word of stream.words) {
          if (word > 0) continue;
          if (word <= -4) open.push(short(interpreter.codes.get(-4 - word)!.name));
          const name = open.at(-1)!;
          if (word > -4) open.pop();
          const depth = open.filter((n) => !isSmall(n)).length;
          if (!isSmall(name)) out.push(`${"  ".repeat(depth)}${word > -4 ? ["<", "~", "!"][-1 - word] : ""}${name}`);
        }
        return `${stream.name}\n${out.join("\n")}`;
      })
      .sort(),
  );
}

/** Lines that the interpreter itself tells more or less often than once for each time, with the versions that do. */
const ODDITIES: readonly [RegExp, (number: number) => boolean][] = [
  [/# differs/, () => true],
  // Their ends are told as well; `while True` never is.
  [/^\s*(except .*|with .*|while True):/, (n) => n < 310],
  // Once more when it is back.
  [/\bawait /, (n) => n < 310 || n >= 313],
];

function counts(interpreters: readonly Interpreter[], module: string, python: number): Map<string, number> {
  const source = readFileSync(join(PROGRAMS, "lines_fast", `${module}.py`), "utf8").split("\n");
  const all = new Map<string, number>();
  for (const interpreter of interpreters)
    for (const name of new Set([...interpreter.codes.values()].map((c) => c.name))) {
      // A module's docstring and `from __future__` have no event; class bodies have one less for their names.
      if (isSmall(name) || name === "<module>" || /^[A-Z]\w+$/.test(short(name))) continue;
      for (const [line, count] of lineCounts(interpreter, name))
        if (!ODDITIES.some(([what, versions]) => versions(python) && what.test(source[line - 1]!))) {
          const key = `${short(name)}:${line}`;
          all.set(key, (all.get(key) ?? 0) + count);
        }
    }
  return new Map([...all].sort());
}

describe.skipIf(lacks("python"))("fast beside exact", () => {
  describe.each(REWRITTEN)("$version", (python) => {
    test.each(MODULES)("%s", async (module) => {
      const command = ["-c", `import lines_fast.${module}`];
      const plain = await run([python.path, "-B", ...command], { env: { PYTHONPATH: PROGRAMS } });
      const exact = await recorded(python.path, "exact", command);
      const fast = await recorded(python.path, "fast", command);
      expect(fast).toMatchObject({ stdout: plain.stdout, stderr: plain.stderr, status: plain.status });
      expect(fast.interpreters.flatMap((i) => i.notes)).toEqual([]);
      for (const interpreter of fast.interpreters)
        for (const stream of interpreter.streams) {
          const forked = interpreter.ppid === fast.interpreters[0]!.pid;
          if (!forked) expect(openFrames(interpreter, stream)).toEqual([]);
        }
      expect(calls(fast.interpreters)).toEqual(calls(exact.interpreters));
      const mine = counts(fast.interpreters, module, python.number);
      const its = counts(exact.interpreters, module, python.number);
      if (python.number >= 310) expect([...mine]).toEqual([...its]);
      else {
        // Before PEP 626 the ends of blocks have lines of their own choice.
        expect([...mine.keys()]).toEqual([...its.keys()]);
        for (const [line, count] of mine) expect(count, line).toBeLessThanOrEqual(its.get(line)!);
      }
    });
  });
});

describe.skipIf(lacks("python"))("what fast leaves to others", () => {
  const script = `
import lines_fast.loops as loops
import compiled
def here(n):
    return loops.factorial(n)
print(here(3), compiled.twice(4), compiled.plain(1))
`;
  const compiled = `
def jit(function):
    return function
@jit
def twice(n):
    return n * 2
def plain(n):
    return n
`;
  const prepared = () => {
    const folder = temporaryFolder(false);
    writeFileSync(join(folder, "script.py"), script);
    writeFileSync(join(folder, "compiled.py"), compiled);
    return folder;
  };

  test.each(REWRITTEN)("$version: the script itself, functions for a compiler", async (python) => {
    const folder = prepared();
    const ran = await recorded(python.path, "fast", [join(folder, "script.py")], "lines_fast,compiled");
    expect(ran.stdout).toEndWith("6 8 1\n");
    const names = ran.interpreters[0]!;
    expect(names.notes.filter((note) => /twice is not rewritten: compiled by @jit/.test(note))).toHaveLength(1);
    const selected = await recorded(python.path, "fast", [join(folder, "script.py")], `lines_fast,compiled,${folder}`);
    // From 3.12 by monitoring in the same stream, before by `exact` for all.
    const [one] = selected.interpreters;
    expect(one!.streams).toHaveLength(1);
    expect(calls([one!])[0]).toMatch(/here\n {6}factorial\n {8}factorial/);
    expect([...one!.codes.values()].map((c) => short(c.name))).toContain("twice");
    expect(openFrames(one!, one!.streams[0]!)).toEqual([]);
  });

  test.each(ENGINES)("$version: a killed process loses nothing", async (python) => {
    const folder = temporaryFolder(false);
    const killed =
      "import os\ndef spin(n):\n    i = 0\n    while i < n:\n        i += 1\n    os.kill(os.getpid(), 9)\nspin(100003)\n";
    writeFileSync(join(folder, "killed.py"), killed);
    const ran = await record([python.path, "-c", "import killed"], {
      lines: "killed",
      pythonPath: folder,
      env: { TK_LINES_ENGINE: "fast" },
    });
    const [one] = ran.interpreters;
    expect(one!.ended).toBeFalse();
    expect([...lineCounts(one!, "spin")]).toEqual([
      [3, 1],
      [4, 100_004],
      [5, 100_003],
      [6, 1],
    ]);
  });

  test.each(REWRITTEN)("$version: the recursion limit leaves every frame left", async (python) => {
    const folder = temporaryFolder(false);
    const deep =
      "import sys\ndef g(n):\n    return g(n + 1)\nsys.setrecursionlimit(150)\nfor i in range(3):\n    try: g(0)\n    except RecursionError: print(i)\n";
    writeFileSync(join(folder, "deep.py"), deep);
    const ran = await record([python.path, "-c", "import deep"], {
      lines: "deep",
      pythonPath: folder,
      env: { TK_LINES_ENGINE: "fast" },
    });
    expect(ran.stdout).toBe("0\n1\n2\n");
    const [one] = ran.interpreters;
    expect(openFrames(one!, one!.streams[0]!)).toEqual([]);
    expect(lineCounts(one!, "g").get(3)).toBeGreaterThan(150);
  });

  test.each(REWRITTEN)("$version: compiled files are neither read nor written", async (python) => {
    const folder = prepared();
    const env = { TK_LINES_ENGINE: "fast" };
    const ran = await record([python.path, "-c", "import compiled; print(compiled.__cached__ is None)"], {
      lines: "compiled",
      pythonPath: folder,
      env,
    });
    expect(ran.stdout).toBe("False\n");
    expect(readdirSync(folder).sort()).toEqual(["compiled.py", "script.py"]);
  });
});

// A few of CPython's own tests with themselves and what they test rewritten; Debian's python3 comes without them.
const OWN_TESTS: readonly (readonly [string, string])[] = [
  ["test_json.test_indent", "json,test.test_json"],
  ["test_contextlib", "contextlib,test.test_contextlib"],
  ["test_contextlib_async", "contextlib,test.test_contextlib_async"],
  ["test_asyncgen", "asyncio,test.test_asyncgen"],
  ["test_textwrap", "textwrap,test.test_textwrap"],
];
const WITH_TESTS = ENGINES.filter(
  (python) => spawnSync(python.path, ["-c", "import test.test_json, test.test_asyncgen"]).status === 0,
).slice(-1);

describe.skipIf(lacks("python"))("CPython's own tests, rewritten", () => {
  for (const python of WITH_TESTS)
    test.each(OWN_TESTS)(
      `${python.version}: %s`,
      async (name, lines) => {
        const command = ["-m", "unittest", "-q", `test.${name}`];
        const plain = await run([python.path, "-B", ...command], { cwd: temporaryFolder(false) });
        const fast = await record([python.path, "-B", ...command], {
          lines,
          env: { TK_LINES_ENGINE: "fast" },
          cwd: temporaryFolder(false),
        });
        const told = (text: string) => /Ran \d+ tests?|OK.*|FAILED.*/g[Symbol.match](text);
        expect(told(fast.stderr)).toEqual(told(plain.stderr));
        expect(fast.interpreters[0]!.streams[0]!.words.length).toBeGreaterThan(500);
      },
      60_000,
    );
  if (WITH_TESTS.length === 0) console.log("no CPython here that comes with its own tests");
});
