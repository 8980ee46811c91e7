// The line recorder for Python where the world is against it: no disk, no rights, no directory, odd code, programs that close
// every descriptor. The program must not notice, and what was recorded before stays good.
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { lacks } from "../support/needs.ts";
import { removeTemporaryFolders, temporaryFolder } from "../support/programs.ts";
import {
  ENGINES,
  PYTHONS,
  lineCounts,
  newRun,
  openFrames,
  readRun,
  record,
  recorderEnv,
} from "../support/python_lines.ts";
import { run } from "../support/tk.ts";

const PROGRAMS = join(import.meta.dir, "..", "programs");
const SPIN = `
import sys
def spin(n):
    i = 0
    while i < n:
        i += 1
    return i
print(spin(200000))
sys.stderr.write("said\\n")
sys.exit(7)
`;
const UNTOUCHED = { stdout: "200000\n", stderr: "said\n", status: 7 };

setDefaultTimeout(30_000);
afterAll(removeTemporaryFolders);

describe.skipIf(lacks("python"))("a directory that cannot be written", () => {
  test.skipIf(lacks("mount")).each(ENGINES)(
    "$version: a full disk ends the recording, told when there is room to tell it",
    async (python) => {
      const directory = temporaryFolder();
      spawnSync("mount", ["-t", "tmpfs", "-o", "size=1500k", "tmpfs", directory]);
      try {
        newRun(directory);
        const ran = await record([python.path, "-c", SPIN], { directory });
        expect(ran).toMatchObject(UNTOUCHED);
        const [one] = ran.interpreters;
        expect(one!.lost).toEqual(["recording stopped: No space left on device"]);
        // The first blocks are whole, and nothing half-made stands beside them.
        expect(one!.streams[0]!.words.length).toBe(4096 + 65536);
        expect(readdirSync(directory).filter((name) => name.includes("new"))).toEqual([]);
        const room = join(directory, "py", "filler");
        spawnSync("dd", ["if=/dev/zero", `of=${room}`, "bs=64k"]);
        expect(await record([python.path, "-c", SPIN], { directory })).toMatchObject(UNTOUCHED);
      } finally {
        spawnSync("umount", ["-l", directory]);
      }
    },
  );

  test.skipIf(lacks("mount")).each(ENGINES)("$version: a read-only file system", async (python) => {
    const directory = temporaryFolder();
    spawnSync("mount", ["-t", "tmpfs", "-o", "size=1500k", "tmpfs", directory]);
    try {
      newRun(directory);
      spawnSync("mount", ["-o", "remount,ro", directory]);
      expect(await record([python.path, "-c", SPIN], { directory })).toMatchObject({ ...UNTOUCHED, interpreters: [] });
    } finally {
      spawnSync("umount", ["-l", directory]);
    }
  });

  test.each(ENGINES)("$version: no directory, one that goes away, a limit on file sizes", async (python) => {
    const gone = newRun();
    const env = { ...recorderEnv(gone), TK_LINES_DIR: join(gone, "none") };
    expect(await run([python.path, "-c", SPIN], { env })).toMatchObject(UNTOUCHED);
    const removes = `import shutil; shutil.rmtree(${JSON.stringify(gone)})\n${SPIN}`;
    expect(await run([python.path, "-c", removes], { env: recorderEnv(gone) })).toMatchObject(UNTOUCHED);
    const limited = await record(["sh", "-c", 'ulimit -f 700; exec "$@"', "sh", python.path, "-c", SPIN]);
    expect(limited).toMatchObject(UNTOUCHED);
    expect(limited.interpreters[0]!.lost).toEqual(["recording stopped: File too large"]);
  });

  test.skipIf(lacks("an ordinary user", "root"))("a process that has become another user", async () => {
    const directory = newRun();
    chmodSync(directory, 0o755);
    const becomes = SPIN.replace("print(", "spin(1)\nimport os\nos.setuid(4711)\nprint(");
    const ran = await record(["/usr/bin/python3", "-c", becomes], { directory });
    expect(ran).toMatchObject(UNTOUCHED);
    expect(ran.interpreters[0]!.streams[0]!.words.length).toBe(4096);
  });

  test.each(ENGINES)(
    "$version: no descriptor is free: what is missed is told, then recording goes on",
    async (python) => {
      const text = `
import os
def spin(n):
    i = 0
    while i < n:
        i += 1
    return i
spin(100)
held = []
try:
    while True:
        held.append(os.open("/dev/null", os.O_RDONLY))
except OSError:
    pass
spin(50000)
for fd in held:
    os.close(fd)
spin(50000)
print("done")
`;
      const ran = await record(["sh", "-c", 'ulimit -n 40; exec "$@"', "sh", python.path, "-c", text]);
      expect(ran).toMatchObject({ stdout: "done\n", stderr: "", status: 0 });
      const [one] = ran.interpreters;
      expect(one!.lost.length).toBeGreaterThan(0);
      expect(lineCounts(one!, "spin").get(6)).toBeGreaterThan(50000);
      const last = one!.streams.at(-1)!;
      expect(openFrames(one!, last)).toEqual([]);
    },
  );
});

describe.skipIf(lacks("python"))("odd programs", () => {
  test.each(PYTHONS)("$version: code of all origins, a hundred threads, lines beyond 65,535", async (python) => {
    const ran = await record([python.path, "-W", "error", "-X", "dev", join(PROGRAMS, "lines_odd.py")], {
      cwd: temporaryFolder(),
    });
    expect([ran.stdout, ran.stderr, ran.status]).toEqual(["odd\n", "", 0]);
    const [one] = ran.interpreters;
    expect(one!.streams.length).toBe(101);
    for (const stream of one!.streams) expect(openFrames(one!, stream)).toEqual([]);
    expect(lineCounts(one!, "far")).toEqual(new Map([[70002, 1]]));
    expect(lineCounts(one!, "work").get(6)).toBe(500);
    // Each made function under its own name, though their code had the same address in turn.
    const made = [...one!.codes.values()].filter((code) => code.name.startsWith("made")).map((code) => code.name);
    expect(new Set(made).size).toBe(300);
    for (const name of ["made0", "made299", "call", "later"]) expect(lineCounts(one!, name).size).toBe(1);
    const source = (name: string) => {
      const file = [...one!.files.values()].find((f) => f.path.endsWith(name))!;
      return file.source === "" ? undefined : readFileSync(join(ran.directory, "src", file.source));
    };
    expect(source("vanishing.py")?.toString()).toBe("def call():\n    return 1\n");
    expect(source("latin.py")?.toString("latin1")).toContain("'été'");
    expect(source("<made>")).toBe(undefined);
    expect([...one!.files.values()].filter((f) => f.path === join(PROGRAMS, "lines_odd.py")).length).toBe(1);
  });

  test.each(PYTHONS)("$version: descriptors have the numbers they have without the recorder", async (python) => {
    const cwd = temporaryFolder();
    const plain = await run([python.path, join(PROGRAMS, "lines_descriptors.py")], { cwd });
    const ran = await record([python.path, join(PROGRAMS, "lines_descriptors.py")], { cwd });
    expect([ran.stdout, ran.stderr, ran.status]).toEqual([plain.stdout, "", 0]);
    for (let i = 0; i < 4; i++) expect(readFileSync(join(cwd, `kept${i}`), "utf8")).toBe("kept\n");
    expect(ran.interpreters[0]!.lost).toEqual([]);
    expect(lineCounts(ran.interpreters[0]!, "spin").get(6)).toBe(205000);
  });

  test.each(ENGINES)("$version: names with control characters stay one field", async (python) => {
    const cwd = temporaryFolder();
    const name = "a\tb%\n\u001b[31mc.py";
    writeFileSync(join(cwd, name), "x = 1\n");
    const ran = await record([python.path, name], { cwd });
    expect(ran.status).toBe(0);
    expect([...ran.interpreters[0]!.files.values()].map((file) => file.path)).toEqual([join(cwd, name)]);
    expect(ran.interpreters[0]!.name).toBe(name);
  });

  test.each(ENGINES)("$version: tracebacks, warnings and exit statuses are the program's own", async (python) => {
    const folder = temporaryFolder();
    const file = join(folder, "fails.py");
    const texts = [
      "def f(n):\n    return 1 / n\ntry:\n    f(0)\nexcept ZeroDivisionError:\n    raise KeyError('k')\n",
      "import warnings\nwarnings.warn('careful')\ndef g():\n    yield 1\nfor x in g():\n    raise SystemExit('bye')\n",
      "import traceback, sys\ndef h():\n    traceback.print_stack()\n    sys.exit(3)\nh()\n",
      "import threading\ndef t():\n    raise ValueError('in a thread')\nx = threading.Thread(target=t); x.start(); x.join()\n",
      "import asyncio\nasync def a():\n    await asyncio.sleep(0)\n    raise OSError('async')\nasyncio.run(a())\n",
      "def r(n):\n    return r(n + 1)\ntry:\n    r(0)\nexcept RecursionError as e:\n    print(type(e))\nx = 1\n",
      "def broken(:\n",
      "import atexit, os\nclass D:\n    def __del__(self):\n        os.write(1, b'del\\n')\nd = D()\natexit.register(print, 'exit')\n",
    ];
    for (const text of texts) {
      writeFileSync(file, text);
      const address = (out: string) => out.replaceAll(/0x[0-9a-f]+/g, "0x").replaceAll(/\d{10,}/g, "N");
      const plain = await run([python.path, file]);
      const ran = await record([python.path, file]);
      expect([text, ran.stdout, address(ran.stderr), ran.status]).toEqual([
        text,
        plain.stdout,
        address(plain.stderr),
        plain.status,
      ]);
    }
  });

  test("two runs at once share sources and keep their streams apart", async () => {
    const directory = newRun();
    const all = await Promise.all(
      ENGINES.flatMap((python) =>
        [1, 2].map(() => run([python.path, join(PROGRAMS, "lines_small.py")], { env: recorderEnv(directory) })),
      ),
    );
    expect(all.map((ran) => ran.status)).toEqual(all.map(() => 0));
    const interpreters = readRun(directory);
    expect(interpreters.length).toBe(all.length);
    const sources = new Set(
      interpreters.flatMap((one) => [...one.files.values()].map((file) => file.source).filter(Boolean)),
    );
    expect(sources.size).toBe(1);
    expect(readdirSync(join(directory, "src"))).toEqual([...sources]);
    rmSync(directory, { recursive: true });
  });

  test.each(ENGINES)("$version: programs in a zip archive bring their source", async (python) => {
    const cwd = temporaryFolder();
    mkdirSync(join(cwd, "src"));
    writeFileSync(join(cwd, "src", "__main__.py"), "import inzip\ninzip.go()\n");
    writeFileSync(join(cwd, "src", "inzip.py"), "def go():\n    return 1\n");
    await run([python.path, "-m", "zipapp", "src", "-o", "app.pyz"], { cwd });
    const ran = await record([python.path, "app.pyz"], { cwd });
    const [one] = ran.interpreters;
    const file = [...one!.files.values()].find((f) => f.path.endsWith("app.pyz/inzip.py"))!;
    expect(readFileSync(join(ran.directory, "src", file.source), "utf8")).toBe("def go():\n    return 1\n");
    expect(lineCounts(one!, "go")).toEqual(new Map([[2, 1]]));
  });
});
