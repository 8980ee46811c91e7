// The module `tk_trackexec` in programs that use it by themselves, as a service does: record, stop, precise sections, the spool.
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, readlinkSync, statSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { lacks } from "../support/needs.ts";
import { ORDINARY_UID, run } from "../support/tk.ts";
import { PLAIN_ENV, removeTemporaryFolders, temporaryFolder } from "../support/programs.ts";
import {
  ALL_PYTHONS,
  ENGINES,
  PYTHONS,
  type Stream,
  asText,
  lineCounts,
  newRun,
  openFrames,
  readRun,
  record,
} from "../support/python_lines.ts";

const SERVICE = join(import.meta.dir, "..", "programs", "lines_service.py");
const MODULE = join(newRun(), "py");
for (const folder of [MODULE, join(MODULE, "..")]) chmodSync(folder, 0o755);

setDefaultTimeout(30_000);
afterAll(removeTemporaryFolders);

const serve = (python: string, spool: string, mode: string, name = "server-main") =>
  run([python, SERVICE, MODULE, spool, name, mode]);
const runs = (spool: string) =>
  readdirSync(spool)
    .filter((name) => name !== "latest")
    .sort();
const stamped = (stream: Stream) => stream.times.filter((time) => time !== 0n).length;

describe.skipIf(lacks("python"))("record in a program", () => {
  test.each(ALL_PYTHONS.filter((p) => p.number >= 306))("$version: nothing without the directory", async (python) => {
    const spool = join(temporaryFolder(), "trackexec");
    if (python.number === 306) {
      // Too old to record, and asyncio.run is not there: only what the module says.
      const text = `import sys; sys.path.insert(0, ${JSON.stringify(MODULE)})
from tk_trackexec import record, stop, precise_timestamping
print(record(dir="/tmp"))
with precise_timestamping(): stop()`;
      expect(await run([python.path, "-c", text])).toMatchObject({ stdout: "None\n", stderr: "", status: 0 });
      return;
    }
    expect(await serve(python.path, spool, "exact")).toMatchObject({
      stdout: "False\nserved\n",
      stderr: "",
      status: 0,
    });
    expect(existsSync(spool)).toBe(false);
  });

  test.each(PYTHONS)(
    "$version: a directory turns it on: every event timed, waits of the event loop marked",
    async (python) => {
      const spool = temporaryFolder();
      expect(await serve(python.path, spool, "exact")).toMatchObject({
        stdout: "True\nserved\n",
        stderr: "",
        status: 0,
      });
      const [name] = runs(spool);
      expect(name).toMatch(/^\d{6}-\d{6}$/);
      expect(readlinkSync(join(spool, "latest"))).toBe(name!);
      const directory = join(spool, name!, "server-main");
      const [one] = readRun(directory);
      const main = one!.streams[0]!;
      expect(stamped(main)).toBe(main.words.length);
      expect(one!.ended).toBe(true);
      // After stop nothing is recorded; `record` was in the middle of the module.
      expect(openFrames(one!, main)).toEqual(["<module>"]);
      expect(lineCounts(one!, "spin").get(11)).toBe(40005);
      const idle = [...one!.codes].find(([, code]) => code.name === "<idle>")!;
      expect(idle[1].file).toBe(-1);
      let waited = 0n;
      main.words.forEach((word, i) => {
        if (word === -4 - idle[0]) waited += main.times[i + 1]! - main.times[i]!;
      });
      expect(Number(waited) / 1e6).toBeGreaterThan(25);
      expect(Number(waited) / 1e6).toBeLessThan(1000);
      // Finished blocks are compressed.
      const files = readdirSync(directory)
        .filter((file) => /\.0\.\d+(\.z)?$/.test(file))
        .sort();
      expect(files.slice(0, -1).every((file) => file.endsWith(".z"))).toBe(true);
      expect(files.at(-1)).not.toEndWith(".z");
      expect(files.length).toBeGreaterThan(1);
      for (const file of files) expect(statSync(join(directory, file)).mode & 0o077).toBe(0);
    },
  );

  test.each(PYTHONS)(
    "$version: sparse: times at the start of blocks, in precise sections and around waits",
    async (python) => {
      const spool = temporaryFolder();
      expect((await serve(python.path, spool, "sparse")).stdout).toBe("True\nserved\n");
      const [one] = readRun(join(spool, "latest", "server-main"));
      const main = one!.streams[0]!;
      openFrames(one!, main);
      expect(stamped(main)).toBeLessThan(60);
      // The lines of the section and the one after it have times; what went before has not.
      const precise = main.words.findIndex((word) => word <= -4 && one!.codes.get(-4 - word)!.name === "precise");
      expect(asText(one!, { ...main, words: main.words.slice(precise, precise + 5) })).toBe("precise( 14 15 16 )");
      const times = main.times.slice(precise - 2, precise + 10).map((time) => time !== 0n);
      // From 3.10 leaving the section is a line of its own.
      const after = times.indexOf(false, 2);
      expect([times[0], times.slice(2, 8), after === 8 || after === 9]).toEqual([false, Array(6).fill(true), true]);
      expect(Number(main.times[precise + 3]! - main.times[precise + 2]!) / 1e6).toBeGreaterThan(1.9);
      const counts = lineCounts(one!, "spin");
      expect(counts.get(11)).toBe(40005);
    },
  );

  test.each(PYTHONS)("$version: forked children and children of other names are in the same run", async (python) => {
    const spool = temporaryFolder();
    expect((await serve(python.path, spool, "fork")).stdout).toBe("True\nserved\n");
    const forked = readRun(join(spool, "latest", "server-main"));
    expect(forked.length).toBe(2);
    expect(lineCounts(forked[1]!, "spin").get(11)).toBe(3);
    const other = temporaryFolder();
    expect((await serve(python.path, other, "child")).stdout).toContain("True\nserved\n");
    expect(runs(other).length).toBe(1);
    expect(readdirSync(join(other, "latest")).sort()).toEqual(["server-db", "server-main"]);
  });

  test("the oldest runs that have ended are removed, beyond a number and beyond a size", async () => {
    const python = ENGINES[0]!.path;
    const spool = temporaryFolder();
    mkdirSync(join(spool, "notes"));
    writeFileSync(join(spool, "240101-000000"), "a file that only looks like a run");
    const text = `import sys, os; sys.path.insert(0, ${JSON.stringify(MODULE)})
import tk_trackexec as t
def spin(n):
    for i in range(n): pass
for turn in range(6):
    os.environ.pop("TK_TRACKEXEC_RUN", None)
    print(t.record("__main__", dir=${JSON.stringify(spool)}, name="a/b", **eval(sys.argv[1])))
    spin(2000)
    t.stop()
`;
    const made = (await run([python, "-c", text, "dict(keep=3)"])).stdout.trim().split("\n");
    expect(new Set(made).size).toBe(6);
    expect(made.every((path) => basename(path) === "a_b")).toBe(true);
    const left = () => runs(spool).filter((name) => name !== "notes" && name !== "240101-000000");
    expect(left().length).toBe(3);
    expect(existsSync(join(spool, "240101-000000"))).toBe(true);
    expect(readlinkSync(join(spool, "latest"))).toBe(basename(join(made[5]!, "..")));
    await run([python, "-c", text, "dict(max_bytes=150000)"]);
    expect(left().length).toBeLessThanOrEqual(3);
    expect(left()).toContain(readlinkSync(join(spool, "latest")));
  });

  test("a run whose process is alive is never removed", async () => {
    const python = ENGINES[0]!.path;
    const spool = temporaryFolder();
    const text = `import sys, os, subprocess; sys.path.insert(0, ${JSON.stringify(MODULE)})
import tk_trackexec as t
first = t.record("__main__", dir=${JSON.stringify(spool)}, name="first")
def f(): return 1
f()
os.environ.pop("TK_TRACKEXEC_RUN")
for i in range(4): subprocess.run([sys.executable, ${JSON.stringify(SERVICE)}, ${JSON.stringify(MODULE)}, ${JSON.stringify(spool)}, "other", "exact"], check=True)
print(os.path.isdir(first))
`;
    const ran = await run([python, "-c", text]);
    expect([ran.stdout.trim().split("\n").at(-1), ran.stderr]).toEqual(["True", ""]);
    expect(runs(spool).length).toBeLessThanOrEqual(4);
  });

  test.skipIf(lacks("an ordinary user", "root"))(
    "a spool that cannot be written: said once, and the service runs on",
    async () => {
      const spool = temporaryFolder(false);
      const words = ["/usr/bin/python3", SERVICE, MODULE, spool, "server-main", "exact"];
      const ran = await run(words, { user: "ordinary" });
      expect(ran).toMatchObject({ stdout: "False\nserved\n", status: 0 });
      expect(ran.stderr).toBe(`tk_trackexec: cannot record into ${spool}: Permission denied\n`);
      expect(ORDINARY_UID).toBeGreaterThan(0);
    },
  );

  test.skipIf(lacks("mount"))("a spool on a full disk: the service runs on", async () => {
    const spool = temporaryFolder();
    spawnSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", spool]);
    try {
      expect(await serve(ENGINES[0]!.path, spool, "exact")).toMatchObject({
        stdout: "True\nserved\n",
        stderr: "",
        status: 0,
      });
    } finally {
      spawnSync("umount", ["-l", spool]);
    }
  });

  test.each(ENGINES)("$version: under tk's recording the module leaves that recording alone", async (python) => {
    const spool = temporaryFolder();
    const ran = await record([python.path, SERVICE, MODULE, spool, "server-main", "sparse"]);
    expect([ran.stdout, ran.stderr]).toEqual(["True\nserved\n", ""]);
    expect(readdirSync(spool)).toEqual([]);
    const [one] = ran.interpreters;
    // Also what comes after stop(), and every event has its time.
    expect(lineCounts(one!, "spin").get(11)).toBe(40008);
    expect(stamped(one!.streams[0]!)).toBe(one!.streams[0]!.words.length);
    expect(openFrames(one!, one!.streams[0]!)).toEqual([]);
  });

  test.each(ENGINES)("$version: begun in the middle of threads, stopped, begun again", async (python) => {
    const spool = temporaryFolder();
    const text = `import sys, threading, time; sys.path.insert(0, ${JSON.stringify(MODULE)})
import tk_trackexec as t
go = threading.Event(); end = threading.Event()
def spin(n):
    x = 0
    for i in range(n):
        x += i
    return x
def worker():
    go.wait(); spin(100); end.set()
w = threading.Thread(target=worker); w.start()
one = t.record("__main__", dir=${JSON.stringify(spool)}, name="one")
print(t.record("__main__", dir=${JSON.stringify(spool)}, name="two") == one)
spin(10)
go.set(); end.wait(); w.join()
t.stop()
spin(1000)
two = t.record("__main__", dir=${JSON.stringify(spool)}, name="two")
spin(20)
t.stop()
t.stop()
print(one)
print(two)
`;
    const ran = await run([python.path, "-c", text], { env: PLAIN_ENV });
    const [same, first, second] = ran.stdout.split("\n");
    expect([same, ran.stderr, basename(first!), basename(second!)]).toEqual(["True", "", "one", "two"]);
    const [one] = readRun(first!);
    for (const stream of one!.streams) openFrames(one!, stream);
    const spun = Math.max(...lineCounts(one!, "spin").values());
    // A thread that ran before settrace was there cannot be reached by it.
    expect(spun).toBe(python.number < 312 ? 11 : 112);
    const [two] = readRun(second!);
    expect(Math.max(...lineCounts(two!, "spin").values())).toBe(21);
  });
});
