// The line recorder for Python, engine `exact`, on every CPython that is here: what it records, and that programs do not feel it.
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { lacks } from "../support/needs.ts";
import { PLAIN_ENV, removeTemporaryFolders, temporaryFolder } from "../support/programs.ts";
import {
  ALL_PYTHONS,
  ENGINES,
  PYTHONS,
  type Interpreter,
  asText,
  lineCounts,
  newRun,
  openFrames,
  record,
  recorderEnv,
} from "../support/python_lines.ts";
import { run } from "../support/tk.ts";

const PROGRAMS = join(import.meta.dir, "..", "programs");
const program = (name: string) => join(PROGRAMS, name);

console.log(`line recorder tests: CPython ${ALL_PYTHONS.map((p) => p.version).join(", ")}`);
setDefaultTimeout(30_000);
afterAll(removeTemporaryFolders);

/** Every stream's frames are all left, but for those of a process that did not end in order. */
function expectBalanced(interpreter: Interpreter): void {
  interpreter.streams.forEach((stream, i) => {
    const open = openFrames(interpreter, stream);
    const last = interpreter.streams.findLast((other) => other.name === stream.name) === stream;
    const cut = interpreter.lost.length > 0 && !last;
    if (interpreter.ended && !cut) expect([i, open]).toEqual([i, []]);
  });
}

describe.skipIf(lacks("python"))("what is recorded", () => {
  // From 3.13 a generator that is closed where nothing waits for it executes nothing.
  const close = { before: " numbers( !", since: "" };

  test.each(PYTHONS)("$version: every line, call, return, suspension and unwinding, with its time", async (python) => {
    const ran = await record([python.path, program("lines_small.py")]);
    expect([ran.status, ran.stdout, ran.stderr]).toEqual([0, "1\nend\n", ""]);
    const [one] = ran.interpreters;
    const main = one!.streams[0]!;
    expect(asText(one!, main)).toBe(
      [
        "<module>( 2 6 12 15 16 fails( 13 tries( 7 8 9 ) tries( 7 8 10 11 ) 14 ! 17 18 numbers( 3 4 ~",
        `${python.number < 313 ? close.before : close.since} 19`,
        " numbers( 3 4 ~ numbers( 3 4 ~ numbers( 3 5 ) 20 <module>( 1 2 ) 21 )",
      ].join(""),
    );
    expect(main.times.every((time) => time > 0n)).toBe(true);
    expect([one!.version, one!.name, one!.ended]).toEqual([python.version, program("lines_small.py"), true]);
    expect([main.name, main.interpreter]).toEqual(["MainThread", 0]);
    const source = [...one!.files.values()].find((file) => file.path === program("lines_small.py"))!;
    expect(readFileSync(join(ran.directory, "src", source.source), "utf8")).toBe(
      readFileSync(program("lines_small.py"), "utf8"),
    );
    // Nobody but the user reads it.
    for (const name of readdirSync(ran.directory))
      if (name !== "py") expect([name, statSync(join(ran.directory, name)).mode & 0o077]).toEqual([name, 0]);
  });

  test.each(PYTHONS)(
    "$version: threads, coroutines, recursion, pools and forks are balanced, output unchanged",
    async (python) => {
      const plain = await run([python.path, program("lines_many.py")], { env: PLAIN_ENV });
      const ran = await record([python.path, program("lines_many.py")]);
      expect([ran.stdout, ran.stderr, ran.status]).toEqual([plain.stdout, plain.stderr, plain.status]);
      expect(plain.stdout).toEndWith("end\n");
      ran.interpreters.forEach(expectBalanced);
      const [parent, ...children] = ran.interpreters;
      expect(parent!.ended).toBe(true);
      expect(children.length).toBeGreaterThanOrEqual(2); // a worker may get nothing to do
      for (const child of children) {
        expect(child.ppid).toBe(parent!.pid);
        expect(child.streams[0]!.words[0]).toBeLessThan(-3);
        expect(openFrames(child, child.streams[0]!)[0]).toBe("<module>");
      }
      expect(children.flatMap((child) => [...lineCounts(child, "pool").values()]).reduce((a, b) => a + b)).toBe(6);
      // Five threads beside one another: each of them did all of its work in a stream of its own.
      const work = new Map<string, number>();
      for (const stream of parent!.streams) {
        const first = parent!.codes.get(-4 - stream.words[0]!)!.name;
        if (first === "thread") work.set(`${stream.words.length}`, (work.get(`${stream.words.length}`) ?? 0) + 1);
      }
      expect([...work.values()]).toEqual([5]);
      const deep = lineCounts(parent!, "deep");
      expect([...deep.values()]).toEqual([9991]);
    },
  );

  test.each(PYTHONS.filter((python) => python.number >= 310))(
    "$version: handlers of signals run outside of the recorder",
    async (python) => {
      const ran = await record([python.path, program("lines_signals.py")]);
      expect(ran.stdout).toBe("['lines_signals.py']\nTrue True\n");
      expect(ran.stderr).toEndWith("KeyboardInterrupt\n");
      expect(ran.stderr).not.toContain("trackexec");
      expect(ran.signal).toBe("SIGINT");
      ran.interpreters.forEach(expectBalanced);
      expect(ran.interpreters[0]!.lost).toEqual([]);
      expect(lineCounts(ran.interpreters[0]!, "counts").get(5)).toBeGreaterThanOrEqual(20);
    },
  );

  test.each(PYTHONS)("$version: a program's own trace function works, and the recorder comes back", async (python) => {
    const plain = await run([python.path, program("lines_own_tracer.py")], { env: PLAIN_ENV });
    const ran = await record([python.path, program("lines_own_tracer.py")]);
    expect([ran.stdout, ran.stderr, ran.status]).toEqual([plain.stdout, plain.stderr, 0]);
    const [one] = ran.interpreters;
    expectBalanced(one!);
    const calls = (name: string) => [...lineCounts(one!, name).values()].at(-1);
    expect([calls("after"), calls("last")]).toEqual([2, 1]);
    if (python.number < 312) expect(one!.lost[0]).toBe("the program traces itself with sys.settrace");
    else expect([one!.lost, calls("f")]).toEqual([[], 6]);
  });

  test.each(PYTHONS)("$version: a trace function that was taken off is not called again", async (python) => {
    const ran = await record([python.path, program("lines_tracer_left.py")]);
    expect([ran.stdout, ran.stderr, ran.status]).toEqual(["True True\nTrue\n", "", 0]);
    ran.interpreters.forEach(expectBalanced);
  });
});

describe.skipIf(lacks("python"))("ends of processes", () => {
  const status: Record<string, number> = { kill: 137, _exit: 5, crash: 139, exec: 0, terminate: 0 };
  for (const python of ENGINES)
    test.each(Object.keys(status))(`${python.version}: %s loses nothing`, async (how) => {
      const ran = await record([python.path, program("lines_ends.py"), how]);
      expect(ran.shell).toBe(status[how]!);
      const spun = ran.interpreters.map((one) => lineCounts(one, "spin").get(6) ?? 0);
      expect(spun.filter((count) => count === 70000).length).toBe(1);
      const it = ran.interpreters[spun.indexOf(70000)]!;
      expect(it.ended).toBe(false);
      expectBalanced(it);
      if (how === "exec") {
        expect(ran.interpreters[1]!.pid).toBe(it.pid);
        expect(ran.interpreters[1]!.name).toBe("-c");
        expect(asText(ran.interpreters[1]!, ran.interpreters[1]!.streams[0]!)).toBe("<module>( 1 2 )");
      }
    });

  test.each(ENGINES)("$version: processes that multiprocessing spawns or has a server fork", async (python) => {
    const ran = await record([python.path, program("lines_ends.py"), "spawn"]);
    expect([ran.status, ran.stderr]).toEqual([0, ""]);
    const spun = ran.interpreters.map((one) => lineCounts(one, "spin").get(6) ?? 0);
    expect(spun.filter((count) => count === 10).length).toBe(2);
    ran.interpreters.forEach(expectBalanced);
  });
});

describe.skipIf(lacks("python"))("ways to start", () => {
  const folder = temporaryFolder(false);
  mkdirSync(join(folder, "pkg"));
  writeFileSync(join(folder, "pkg", "__init__.py"), "x = 1\n");
  writeFileSync(join(folder, "pkg", "__main__.py"), "from pkg import part\npart.go()\n");
  writeFileSync(join(folder, "pkg", "part.py"), "import json\ndef go():\n    json.dumps({'a': [1]}, indent=1)\n");
  writeFileSync(join(folder, "app.py"), "#!/usr/bin/env python3\nimport pkg.part\npkg.part.go()\n");
  chmodSync(join(folder, "app.py"), 0o755);
  writeFileSync(join(folder, "Makefile"), "all:\n\t@python3 app.py\n");
  const paths = (interpreters: readonly Interpreter[]) =>
    interpreters.flatMap((one) => [...one.files.values()].map((file) => file.path.replace(`${folder}/`, "")));

  test.each(ENGINES)(
    "$version: script, module, -c, standard input, a Makefile, options that change the interpreter",
    async (python) => {
      const at = { cwd: folder, env: { PATH: `${join(python.path, "..")}:/usr/bin:/bin` } };
      const made = (...more: string[]) => ["pkg/__init__.py", "pkg/part.py", ...more].sort();
      const files = async (...words: string[]) => {
        const ran = await record([python.path, ...words], at);
        expect([ran.status, ran.stderr]).toEqual([0, ""]);
        return paths(ran.interpreters).sort();
      };
      expect(await files("app.py")).toEqual(made("app.py"));
      expect(await files("-m", "pkg")).toEqual(made("pkg/__main__.py"));
      expect(await files("-c", "import pkg.part\npkg.part.go()")).toEqual(made("-c"));
      expect(await files("-W", "error", "-X", "dev", "-O", "-B", "-s", "app.py")).toEqual(made("app.py"));
      const piped = await record([python.path, "-"], { ...at, stdin: "import pkg.part\npkg.part.go()\n" });
      expect(paths(piped.interpreters).sort()).toEqual(made("<stdin>"));
      const shebang = await record([join(folder, "app.py")], at);
      expect(paths(shebang.interpreters).sort()).toEqual(made("app.py"));
      if (!lacks("make")) {
        const make = await record(["make", "-s"], at);
        expect(paths(make.interpreters).sort()).toEqual(made("app.py"));
      }
    },
  );

  test.each(ENGINES)("$version: a virtual environment", async (python) => {
    const venv = join(temporaryFolder(), "venv");
    expect((await run([python.path, "-m", "venv", "--without-pip", venv])).status).toBe(0);
    const ran = await record([join(venv, "bin", "python"), "app.py"], { cwd: folder });
    expect([ran.status, paths(ran.interpreters)]).toEqual([0, ["app.py", "pkg/__init__.py", "pkg/part.py"]]);
  });

  test.each(ENGINES)("$version: packages and paths select; the rest is not even declared", async (python) => {
    const files = async (lines: string) =>
      paths((await record([python.path, "app.py"], { cwd: folder, lines })).interpreters).sort();
    expect(await files("pkg")).toEqual(["pkg/__init__.py", "pkg/part.py"]);
    expect(await files("pkg.part")).toEqual(["pkg/part.py"]);
    expect(await files("app")).toEqual(["app.py"]);
    expect(await files("./pkg")).toEqual(["pkg/__init__.py", "pkg/part.py"]);
    expect(await files(join(folder, "app.py"))).toEqual(["app.py"]);
    expect(await files("nothing")).toEqual([]);
    expect((await files("json")).every((path) => path.includes("/json/"))).toBe(true);
    expect((await files("json,app")).length).toBeGreaterThan(2);
  });

  test.each(ENGINES)(
    "$version: the program's own sitecustomize runs, or fails, as without the recorder",
    async (python) => {
      for (const text of [
        "print('site', __file__)\n",
        "raise ValueError('no')\n",
        "import no_such_module\n",
        "raise ImportError\n",
      ]) {
        const site = temporaryFolder();
        writeFileSync(join(site, "sitecustomize.py"), text);
        const plain = await run([python.path, "app.py"], { cwd: folder, env: { ...PLAIN_ENV, PYTHONPATH: site } });
        const ran = await record([python.path, "app.py"], { cwd: folder, pythonPath: site });
        expect([text, ran.stdout, ran.stderr, ran.status]).toEqual([text, plain.stdout, plain.stderr, plain.status]);
        expect(paths(ran.interpreters)).toContain("app.py");
      }
      const asks = [
        "-c",
        "import sys; print('sitecustomize' in sys.modules, [p for p in sys.path if p.endswith('/py')])",
      ];
      const ran = await record([python.path, ...asks]);
      expect(ran.stdout).toBe("True []\n");
    },
  );

  test.each(PYTHONS.filter((p) => p.number >= 308))(
    "$version: nothing is left where PYTHONPYCACHEPREFIX puts compiled files",
    async (python) => {
      const prefix = temporaryFolder();
      for (const engine of ["exact", "fast"]) {
        const env = { PYTHONPYCACHEPREFIX: prefix, TK_LINES_ENGINE: engine };
        const ran = await record([python.path, "-c", "import app"], { cwd: folder, env });
        expect([ran.status, ran.stderr]).toEqual([0, ""]);
        const left = readdirSync(prefix, { recursive: true, encoding: "utf8" });
        expect(left.filter((name) => /_tk_|tk_trackexec|\/py(\/|$)/.test(name))).toEqual([]);
      }
    },
  );

  const old = ALL_PYTHONS.filter((p) => p.number < 307);
  const noOld = "what needs a Python before 3.7: there is none here (TK_TEST_PYTHONS names more)";
  if (old.length === 0 && process.env["TK_TEST_SKIP_NOTHING"]) throw new Error(noOld);
  if (old.length === 0) console.log(`skipping ${noOld}`);
  test.skipIf(old.length === 0)("Pythons before 3.7 run as always and say why nothing is recorded", async () => {
    for (const python of old) {
      const site = temporaryFolder();
      writeFileSync(join(site, "sitecustomize.py"), "import sys\nsys.stdout.write('site\\n')\n");
      const ran = await record([python.path, "-c", "import sys\nsys.stdout.write('ran\\n')"], { pythonPath: site });
      expect([ran.stdout, ran.stderr, ran.status]).toEqual(["site\nran\n", "", 0]);
      expect(ran.interpreters.map((one) => one.notes)).toEqual([
        [`Python ${python.version} is too old to be recorded: 3.7 is needed`],
      ]);
    }
  });

  test.each(ENGINES)("$version: subinterpreters are recorded beside the main one", async (python) => {
    const text = `
try:
    import _interpreters as I
except ImportError:
    import _xxsubinterpreters as I
i = I.create()
(getattr(I, "exec", None) or I.run_string)(i, "def inside(n):\\n    return n\\ninside(1)\\n")
I.destroy(i)
`;
    const ran = await record([python.path, "-c", text]);
    expect([ran.status, ran.stderr]).toEqual([0, ""]);
    expect(ran.interpreters.map((one) => one.pid)).toEqual([ran.interpreters[0]!.pid, ran.interpreters[0]!.pid]);
    expect([...lineCounts(ran.interpreters[1]!, "inside").values()]).toEqual([1]);
    ran.interpreters.forEach(expectBalanced);
  });

  test("an interpreter that inherits only half of the environment runs", async () => {
    for (const python of ENGINES) {
      const env = recorderEnv(newRun());
      const without = { ...PLAIN_ENV, PYTHONPATH: env.PYTHONPATH! };
      expect(await run([python.path, "-c", "print(1)"], { env: without })).toMatchObject({ stdout: "1\n", stderr: "" });
      expect(await run([python.path, "-I", "-c", "print(1)"], { env })).toMatchObject({ stdout: "1\n", stderr: "" });
    }
  });
});
