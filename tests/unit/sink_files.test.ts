// The sinks that write files: where they write, whole reports only, many writers, full disks, places that cannot be used.
import { afterAll, describe, expect, test } from "bun:test";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { openLocked, LockTimeout } from "../../lib/host/file_lock.ts";
import { defaultCacheName, resolveName } from "../../lib/sink/file_name.ts";
import { Bench, lines, type NamedSink } from "../support/sinks.ts";
import { lacks } from "../support/needs.ts";
import { asOrdinaryUser, isRoot } from "../support/tk.ts";

const bench = new Bench();
afterAll(() => bench.close());

const WRITER = join(import.meta.dir, "../programs/sink_writer.ts");

function file(filename: string, more: NamedSink["fields"] = {}): NamedSink {
  return { sink: "file", fields: { filename, ...more } };
}

interface Report {
  readonly pid: number;
  readonly n: number;
}

/** Every line is a whole array of whole reports. */
function reports(text: string): Report[] {
  return lines(text).flatMap((line) => JSON.parse(line) as Report[]);
}

function writer(folder: string, configs: Readonly<Record<string, NamedSink>>, count: number, size: number): string[] {
  return [process.execPath, WRITER, folder, JSON.stringify(configs), String(count), String(size)];
}

function run(command: readonly string[], env: Readonly<Record<string, string>> = {}): string {
  const home = bench.path("home");
  return execFileSync(command[0]!, command.slice(1), {
    encoding: "utf8",
    env: { ...process.env, HOME: home, XDG_STATE_HOME: bench.path("state"), TMPDIR: bench.path("tmp"), ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
}

describe("names of files", () => {
  const where = { directory: "/work dir", environment: { HOME: "/home/ann" } };

  test("`~`, relative names, dots and trailing slashes; $NAME stays", () => {
    expect(resolveName("~/a/../b/", where)).toBe("/home/ann/b");
    expect(resolveName("~", where)).toBe("/home/ann");
    expect(resolveName("./x.log", where)).toBe("/work dir/x.log");
    expect(resolveName("/abs//x", where)).toBe("/abs/x");
    expect(resolveName("$HOME/x", where)).toBe("/work dir/$HOME/x");
  });

  test("`~user` is that user's directory; a user who is not there stays", () => {
    const root = readFileSync("/etc/passwd", "utf8").match(/^root:.*:(\/[^:]*):[^:]*$/m)![1]!;
    expect(resolveName("~root/x", where)).toBe(join(root, "x"));
    expect(resolveName("~no-such-user/x", where)).toBe("/work dir/~no-such-user/x");
  });

  test("the report cache is in the directory for state, not in the current one", () => {
    expect(defaultCacheName(where)).toBe("/home/ann/.local/state/tk/undelivered.jsonl");
    expect(defaultCacheName({ ...where, environment: { HOME: "/h", XDG_STATE_HOME: "/s" } })).toBe(
      "/s/tk/undelivered.jsonl",
    );
    expect(defaultCacheName({ ...where, environment: { HOME: "/h", XDG_STATE_HOME: "rel" } })).toBe(
      "/h/.local/state/tk/undelivered.jsonl",
    );
  });
});

describe("file", () => {
  test("appends one line per report, makes directories, and is flushed when the delivery is told", async () => {
    const set = bench.open({ f: file("new/dir/out.log") });
    for (let n = 0; n < 3; n++) {
      expect(await set.publish("report", "exec", { pid: 1, n })).toEqual({ delivered: ["f"], kept: [], lost: [] });
      expect(reports(bench.text("new/dir/out.log"))).toHaveLength(n + 1);
    }
    await set.close();
    expect(bench.text("new/dir/out.log")).toBe('[{"pid":1,"n":0}]\n[{"pid":1,"n":1}]\n[{"pid":1,"n":2}]\n');
    const { mode } = statSync(bench.path("new/dir/out.log"));
    expect(mode & 0o7777 & ~(isRoot ? 0o600 : 0o640)).toBe(0);
    expect(bench.told).toEqual([]);
  });

  test("relative names are meant from where tk was started, wherever it is now", async () => {
    const before = process.cwd();
    const set = bench.open({ f: file("./here.log") });
    try {
      process.chdir("/");
      await set.publish("report", "exec", { n: 1 });
    } finally {
      process.chdir(before);
    }
    await set.close();
    expect(reports(bench.text("here.log"))).toHaveLength(1);
  });

  test("a file that was moved away or removed is made anew", async () => {
    const set = bench.open({ f: file("moved/x.log") });
    await set.publish("report", "exec", { n: 1 });
    renameSync(bench.path("moved/x.log"), bench.path("moved/x.log.1"));
    await set.publish("report", "exec", { n: 2 });
    rmSync(bench.path("moved"), { recursive: true });
    await set.publish("report", "exec", { n: 3 });
    await set.close();
    expect(reports(bench.text("moved/x.log")).map((r) => r.n)).toEqual([3]);
  });

  test("what a writer that died left behind does not swallow the next report", async () => {
    writeFileSync(bench.path("torn.log"), '[{"n":1}]\n[{"n":2,"ha');
    const set = bench.open({ f: file("torn.log") });
    await set.publish("report", "exec", { n: 3 });
    await set.close();
    expect(bench.text("torn.log")).toBe('[{"n":1}]\n[{"n":2,"ha\n[{"n":3}]\n');
  });

  test.skipIf(lacks("an ordinary user"))("a file that may only be written is written", () => {
    writeFileSync(bench.path("write_only.log"), "");
    chmodSync(bench.path("write_only.log"), 0o222);
    chmodSync(bench.folder, 0o755);
    const told = run(asOrdinaryUser(writer(bench.folder, { f: file("write_only.log") }, 2, 5)), {
      HOME: "/nonexistent",
    });
    expect(told).not.toContain("warn");
    expect(reports(bench.text("write_only.log"))).toHaveLength(2);
  });

  test("links that the user named are followed", async () => {
    symlinkSync(bench.path("target.log"), bench.path("link.log"));
    const set = bench.open({ f: file("link.log") });
    await set.publish("report", "exec", { n: 1 });
    await set.close();
    expect(reports(bench.text("target.log"))).toHaveLength(1);
  });

  test("a named pipe gets the report when somebody reads, and holds nothing up when nobody does", async () => {
    execFileSync("mkfifo", [bench.path("pipe")]);
    const set = bench.open({ f: file("pipe", { use_search_path: false }) });
    const started = performance.now();
    expect((await set.publish("report", "exec", { n: 1 })).kept).toEqual(["f"]);
    expect(performance.now() - started).toBeLessThan(1000);
    const fd = openSync(bench.path("pipe"), constants.O_RDONLY | constants.O_NONBLOCK);
    const big = "y".repeat(40_000);
    expect((await set.publish("report", "exec", { n: 2, big })).delivered).toEqual(["f"]);
    await set.close();
    const bytes = new Uint8Array(1 << 17);
    const n = readSync(fd, bytes);
    closeSync(fd);
    // Both: the one that nobody read was kept and sent with the next.
    expect(reports(Buffer.from(bytes.subarray(0, n)).toString()).map((r) => r.n)).toEqual([2, 1]);
  });

  test("a directory under the name is told once and the reports are kept", async () => {
    mkdirSync(bench.path("a_directory"));
    bench.told.length = 0;
    const set = bench.open({ dir: file("a_directory", { use_search_path: false }) });
    for (let n = 0; n < 2; n++) expect((await set.publish("report", "exec", { n })).kept).toEqual(["dir"]);
    await set.close();
    expect(bench.warnings()).toEqual([
      `warn: sink 'dir': '${bench.path("a_directory")}': it is a directory; what it does not take is kept in '${bench.cachePath}' and sent later`,
    ]);
    rmSync(bench.cachePath);
  });
});

describe("the search path", () => {
  test("in order: the named place, log_search_path, a private temporary directory; told once", async () => {
    writeFileSync(bench.path("no_directory"), "");
    bench.told.length = 0;
    const fields = { log_search_path: ["no_directory/deeper", "second", "third"] };
    const set = bench.open({ f: file("no_directory/x.log", fields) });
    await set.publish("report", "exec", { n: 1 });
    await set.publish("report", "exec", { n: 2 });
    await set.close();
    expect(reports(bench.text("second/x.log"))).toHaveLength(2);
    expect(bench.warnings()).toEqual([
      `warn: sink 'f': '${bench.path("no_directory/x.log")}' cannot be written (a part of the path is not a directory), so '${bench.path("second/x.log")}' is`,
    ]);
  });

  test("the global log_search_path holds when the sink has none", async () => {
    const set = bench.open({ f: file("no_directory/g.log") }, {}, { logSearchPath: ["~/logs"] });
    await set.publish("report", "exec", { n: 1 });
    await set.close();
    expect(reports(bench.text("home/logs/g.log"))).toHaveLength(1);
  });

  test("the last place is a directory that only this user can write; somebody else's is not taken", async () => {
    mkdirSync(bench.path("tmp"), { recursive: true });
    const mine = bench.path(`tmp/tk-${process.getuid!()}`);
    const set = bench.open({ f: file("no_directory/t.log") });
    await set.publish("report", "exec", { n: 1 });
    expect(reports(readFileSync(join(mine, "t.log"), "utf8"))).toHaveLength(1);
    await set.close();
    chmodSync(mine, 0o777);
    const other = bench.open({ f: file("no_directory/u.log") });
    expect((await other.publish("report", "exec", { n: 2 })).kept).toEqual(["f"]);
    await other.close();
    expect(existsSync(join(mine, "u.log"))).toBe(false);
    rmSync(bench.cachePath);
  });

  test("in places that others may write to, links are not followed", async () => {
    writeFileSync(bench.path("victim"), "");
    mkdirSync(bench.path("shared"));
    symlinkSync(bench.path("victim"), bench.path("shared/l.log"));
    const set = bench.open({ f: file("no_directory/l.log", { log_search_path: ["shared", "fourth"] }) });
    await set.publish("report", "exec", { n: 1 });
    await set.close();
    expect(bench.text("victim")).toBe("");
    expect(reports(bench.text("fourth/l.log"))).toHaveLength(1);
  });

  test("use_search_path: false means this file or none", async () => {
    const set = bench.open({ f: file("no_directory/n.log", { use_search_path: false, log_search_path: ["second"] }) });
    expect((await set.publish("report", "exec", { n: 1 })).kept).toEqual(["f"]);
    await set.close();
    expect(existsSync(bench.path("second/n.log"))).toBe(false);
    rmSync(bench.cachePath);
  });

  test.skipIf(lacks("an ordinary user"))("an unwritable directory, as an ordinary user", () => {
    mkdirSync(bench.path("locked"), { mode: 0o700 });
    mkdirSync(bench.path("open"), { mode: 0o777 });
    chmodSync(bench.path("open"), 0o777);
    chmodSync(bench.folder, 0o755);
    if (!isRoot) chmodSync(bench.path("locked"), 0o500);
    const told = run(
      asOrdinaryUser(writer(bench.folder, { f: file("locked/x.log", { log_search_path: ["open"] }) }, 1, 5)),
      { HOME: "/nonexistent" },
    );
    expect(told).toContain(
      `'${bench.path("locked/x.log")}' cannot be written (permission denied), so '${bench.path("open/x.log")}' is`,
    );
    expect(reports(bench.text("open/x.log"))).toHaveLength(1);
  });
});

describe("full disks", () => {
  test("a report that does not fit leaves nothing behind; kept, told once, delivered when there is room", () => {
    if (!isRoot) {
      console.warn("skipped: mounting a small tmpfs needs root");
      return;
    }
    const disk = bench.path("disk");
    mkdirSync(disk);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", disk]);
    try {
      const configs = { f: file(join(disk, "x.log"), { use_search_path: false }) };
      const told = run(writer(bench.folder, configs, 4, 25_000));
      expect(told.match(/"kept":\["f"\]/g)).toHaveLength(2);
      expect(told.match(/^warn: .*no space left on the device/gm)).toHaveLength(1);
      expect(reports(readFileSync(join(disk, "x.log"), "utf8")).map((r) => r.n)).toEqual([0, 1]);
      rmSync(join(disk, "x.log"));
      run(writer(bench.folder, configs, 1, 10));
      expect(reports(readFileSync(join(disk, "x.log"), "utf8")).map((r) => r.n)).toEqual([0, 2, 3]);
      expect(bench.kept()).toEqual([]);
    } finally {
      execFileSync("umount", [disk]);
      rmSync(bench.cachePath, { force: true });
    }
  });

  test("a limit on the file's size is the same, and does not end the process", () => {
    const configs = { f: file("limited.log", { use_search_path: false }) };
    const told = run(["prlimit", "--fsize=20000", ...writer(bench.folder, configs, 3, 8000)]);
    expect(told.match(/"delivered":\["f"\]/g)).toHaveLength(2);
    expect(told).toContain("the file is larger than its limit allows");
    expect(reports(bench.text("limited.log")).map((r) => r.n)).toEqual([0, 1]);
    rmSync(bench.cachePath, { force: true });
  });

  test("a read-only file system", () => {
    if (!isRoot) {
      console.warn("skipped: mounting needs root");
      return;
    }
    const disk = bench.path("read_only");
    mkdirSync(disk);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k,ro", "tmpfs", disk]);
    try {
      const configs = { f: file(join(disk, "x.log"), { use_search_path: false }) };
      // Nothing of it can be written, the cache included: the report is shown rather than lost.
      const command = writer(bench.folder, configs, 2, 10);
      const ran = spawnSync(command[0]!, command.slice(1), {
        encoding: "utf8",
        env: { ...process.env, HOME: disk, XDG_STATE_HOME: join(disk, "state") },
      });
      expect(ran.stdout.match(/the file system is read-only/g)!.length).toBe(2);
      expect(ran.stdout).toContain("undelivered reports cannot be kept in");
      expect(ran.stdout).toContain("no sink took the report and it cannot be kept");
      expect(ran.stdout).toContain("2 reports were lost");
      expect(reports(ran.stderr).map((r) => r.n)).toEqual([0]);
    } finally {
      execFileSync("umount", [disk]);
    }
  });
});

describe("many writers", () => {
  const start = (command: readonly string[]) =>
    new Promise<number | null>((done) => {
      const child = spawn(command[0]!, command.slice(1), {
        stdio: "ignore",
        env: { ...process.env, HOME: bench.path("home"), XDG_STATE_HOME: bench.path("state") },
      });
      child.on("close", done);
    });

  test("a hundred processes write one file: whole reports, none missing, none twice", async () => {
    const command = writer(bench.folder, { f: file("crowd.log", { use_search_path: false }) }, 4, 30_000);
    const ended = await Promise.all(Array.from({ length: 100 }, () => start(command)));
    expect(ended.every((status) => status === 0)).toBe(true);
    const all = reports(bench.text("crowd.log"));
    expect(all).toHaveLength(400);
    expect(new Set(all.map((r) => `${r.pid} ${r.n}`)).size).toBe(400);
  }, 60_000);

  test("rotation among twelve processes loses old lines only", async () => {
    const max = 100_000;
    const config = { r: { sink: "rotating_log", fields: { filename: "turn/r.log", max } } };
    const command = writer(bench.folder, config, 15, 3000);
    const ended = await Promise.all(Array.from({ length: 12 }, () => start(command)));
    expect(ended.every((status) => status === 0)).toBe(true);
    const text = bench.text("turn/r.log");
    expect(text.length).toBeLessThanOrEqual(max);
    // 180 reports of 3 kB were written; a quarter of the file goes each time.
    expect(text.length).toBeGreaterThan(max / 2);
    const all = reports(text);
    // Of each process that is still in it, the last reports without a gap.
    for (const pid of new Set(all.map((r) => r.pid))) {
      const mine = all.filter((r) => r.pid === pid).map((r) => r.n);
      expect(mine).toEqual(mine.map((_, i) => 15 - mine.length + i));
    }
    expect(readdirSync(bench.path("turn"))).toEqual(["r.log"]);
  }, 60_000);
});

describe("rotating_log", () => {
  const rotating = (filename: string, max: number, more: NamedSink["fields"] = {}): NamedSink => ({
    sink: "rotating_log",
    fields: { filename, max, ...more },
  });
  const line = (n: number) => `[{"pid":1,"n":${n},"fill":"${"x".repeat(80)}"}]\n`;

  async function fill(filename: string, sink: NamedSink, count: number): Promise<number[]> {
    const set = bench.open({ r: sink });
    for (let n = 10; n < 10 + count; n++) await set.publish("report", "exec", { pid: 1, n, fill: "x".repeat(80) });
    await set.close();
    return reports(bench.text(filename)).map((r) => r.n);
  }

  test("drops at least truncation_amount, in whole lines, when it is longer than max", async () => {
    const size = line(10).length;
    const max = 1024;
    const fits = Math.floor(max / size);
    expect(await fill("a.log", rotating("a.log", max, { truncation_amount: 1 }), fits)).toHaveLength(fits);
    const after = await fill("b.log", rotating("b.log", max, { truncation_amount: size + 1 }), fits + 1);
    expect(after).toEqual(Array.from({ length: fits - 1 }, (_, i) => 12 + i));
  });

  test("a quarter goes when nothing is said; the file never stays longer than max", async () => {
    await fill("c.log", rotating("c.log", 2048), 60);
    expect(bench.text("c.log").length).toBeLessThanOrEqual(2048);
    expect(reports(bench.text("c.log")).at(-1)!.n).toBe(69);
  });

  test("what a tk that was killed while it dropped lines left behind goes with the next time", async () => {
    mkdirSync(bench.path("killed"));
    writeFileSync(bench.path("killed/.r.log.tk"), "half of");
    expect((await fill("killed/r.log", rotating("killed/r.log", 1024), 20)).at(-1)).toBe(29);
    expect(readdirSync(bench.path("killed"))).toEqual(["r.log"]);
  });

  test("a report that is longer than max stays, alone", async () => {
    const set = bench.open({ r: rotating("d.log", 1024) });
    await set.publish("report", "exec", { n: 1 });
    await set.publish("report", "exec", { n: 2, fill: "x".repeat(5000) });
    expect(reports(bench.text("d.log")).map((r) => r.n)).toEqual([2]);
    await set.publish("report", "exec", { n: 3 });
    await set.close();
    expect(reports(bench.text("d.log")).map((r) => r.n)).toEqual([3]);
  });

  test("mode and owner survive, and a link stays a link", async () => {
    writeFileSync(bench.path("real.log"), line(1).repeat(20));
    chmodSync(bench.path("real.log"), 0o604);
    symlinkSync("real.log", bench.path("via.log"));
    await fill("via.log", rotating("via.log", 1024), 1);
    expect(statSync(bench.path("real.log")).mode & 0o7777).toBe(0o604);
    expect(readFileSync(bench.path("real.log"), "utf8").length).toBeLessThanOrEqual(1024);
    expect(existsSync(bench.path("via.log"))).toBe(true);
  });

  test.skipIf(lacks("an ordinary user"))(
    "a directory in which no new file can be made: the report is there, the file stays long, told once",
    () => {
      if (!isRoot) {
        console.warn("skipped: giving files to another user needs root");
        return;
      }
      mkdirSync(bench.path("fixed"));
      writeFileSync(bench.path("fixed/r.log"), line(1).repeat(20));
      chmodSync(bench.path("fixed/r.log"), 0o666);
      chmodSync(bench.path("fixed"), 0o755);
      chmodSync(bench.folder, 0o755);
      const told = run(asOrdinaryUser(writer(bench.folder, { r: rotating("fixed/r.log", 1024) }, 2, 5)), {
        HOME: "/nonexistent",
      });
      expect(told.match(/stays too long \(permission denied\)/g)).toHaveLength(1);
      expect(told.match(/"delivered":\["r"\]/g)).toHaveLength(2);
      expect(reports(bench.text("fixed/r.log"))).toHaveLength(22);
    },
  );
});

describe("the lock", () => {
  test("waits for its holder and gives up in time; a file that was replaced meanwhile is opened anew", async () => {
    const path = bench.path("locked.file");
    const { O_CREAT, O_RDWR, O_APPEND } = constants;
    const flags = O_CREAT | O_RDWR | O_APPEND;
    const first = await openLocked(path, flags, 0o600, 1000);
    const refused: unknown = await openLocked(path, flags, 0o600, 60).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(LockTimeout);
    const second = openLocked(path, flags, 0o600, 5000);
    await new Promise((done) => setTimeout(done, 20));
    writeFileSync(`${path}.new`, "new");
    renameSync(`${path}.new`, path);
    await first.close();
    const lock = await second;
    appendFileSync(lock.fd, "!");
    await lock.close();
    expect(readFileSync(path, "utf8")).toBe("new!");
    expect(readdirSync(dirname(path)).filter((name) => name.startsWith("locked.file"))).toEqual(["locked.file"]);
  });

  test("a holder that was stopped keeps no report from its file", async () => {
    const held = await openLocked(bench.path("stopped.log"), constants.O_CREAT | constants.O_RDWR, 0o600, 1000);
    const set = bench.open({ f: file("stopped.log") });
    expect((await set.publish("report", "exec", { n: 1 })).delivered).toEqual(["f"]);
    await held.close();
    await set.close();
    expect(reports(bench.text("stopped.log"))).toHaveLength(1);
  });
});
