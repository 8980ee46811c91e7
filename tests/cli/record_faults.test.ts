// What happens to the command and to the recording when something goes wrong: tk is killed, the disk is full, the output
// cannot be opened, the command is not there, a daemon stays behind. The command must never pay for it.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { lacks } from "../support/needs.ts";
import { PLAIN_ENV, programs, removeTemporaryFolders, temporaryFolder } from "../support/programs.ts";
import { KEY, Pty } from "../support/pty.ts";
import {
  type Mode,
  type Ran,
  TK,
  number,
  parseLines,
  readRecording,
  recording,
  requireTk,
  run,
  start,
  withTag,
} from "../support/tk.ts";

const folder = temporaryFolder();
let count = 0;
const fresh = (name: string) => join(folder, `${name}-${count++}`);
const MODES: readonly Mode[] = ["events", "complete"];
const mounted: string[] = [];
const leftBehind: number[] = [];

beforeAll(requireTk);
afterAll(async () => {
  for (const pid of leftBehind) if (alive(pid)) process.kill(pid, "SIGKILL");
  for (const path of mounted) await run(["umount", "-l", path]);
  removeTemporaryFolders();
});

async function until(what: string, claim: () => boolean, limit = 8000): Promise<void> {
  const end = performance.now() + limit;
  while (!claim()) {
    if (performance.now() > end) throw new Error(`waited ${limit} ms for: ${what}`);
    await Bun.sleep(5);
  }
}

function text(path: string): string {
  return existsSync(path) ? readFileSync(path, "utf8") : "";
}

/** Not gone, and not merely waiting to be reaped. */
function alive(pid: number): boolean {
  try {
    return !/^State:\s*[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

async function pidIn(path: string): Promise<number> {
  await until(`a pid in ${path}`, () => /^\d+\n/.test(text(path)));
  const pid = Number(text(path).trim());
  leftBehind.push(pid);
  return pid;
}

/** Every whole line parses; the last may be cut only when nothing wrote it whole. */
function wholeLines(path: string) {
  const content = text(path);
  expect(content.endsWith("\n")).toBe(true);
  return parseLines(content);
}

describe("streaming", () => {
  test.each(MODES)("%s: the file grows while the command runs, in whole lines", async (mode) => {
    const out = fresh("stream");
    const go = fresh("go");
    const script = `for i in 1 2 3; do /bin/true $i; while [ ! -e ${go}$i ]; do sleep 0.02; done; done; exit 6`;
    const running = start(recording(out, mode, ["bash", "-c", script], "--quiet"), { cwd: folder });
    const execs = () => withTag(parseLines(text(out).replace(/[^\n]*$/, "")), "ExecFull");
    for (const i of [1, 2, 3]) {
      await until(`the exec of true ${i}`, () =>
        execs().some((l) => JSON.stringify(l.f.args) === `["/bin/true","${i}"]`),
      );
      expect(withTag(wholeLines(out), "End")).toHaveLength(0);
      writeFileSync(`${go}${i}`, "");
    }
    const ran = await running.done;
    expect([ran.status, ran.stdout, ran.stderr]).toEqual([6, "", ""]);
    const lines = wholeLines(out);
    expect(lines[0]!.tag).toBe("Recording");
    expect(lines.at(-1)!.tag).toBe("End");
    const header = lines[0]!.f;
    expect(header).toMatchObject({ version: 1, backend: "ptrace", mode, command: ["bash", "-c", script], cwd: folder });
    expect(Array.isArray(header.limits)).toBe(true);
  });
});

describe("tk is killed with SIGKILL", () => {
  const script = (pid: string, go: string, done: string) =>
    `sleep 60 & echo $! >${pid}.child; echo $$ >${pid}; while [ ! -e ${go} ]; do sleep 0.02; done; kill %1; /bin/true; grep TracerPid /proc/self/status >${done}`;

  test("events: a valid file, and the command lives on to its end", async () => {
    const [out, pid, go, done] = [fresh("killed"), fresh("pid"), fresh("go"), fresh("done")];
    const running = start(recording(out, "events", ["bash", "-c", script(pid, go, done)]), { cwd: folder });
    const command = await pidIn(pid);
    await pidIn(`${pid}.child`);
    await until("recorded", () => /sleep/.test(text(out)));
    running.kill("SIGKILL");
    await until("tk is gone", () => !alive(running.pid));
    const lines = wholeLines(out);
    expect(lines[0]!.tag).toBe("Recording");
    expect(withTag(lines, "ExecFull").length).toBeGreaterThanOrEqual(2);
    expect(withTag(lines, "End")).toHaveLength(0);
    expect(alive(command)).toBe(true);
    writeFileSync(go, "");
    await until("the command's end", () => text(done) !== "");
    expect(text(done)).toMatch(/^TracerPid:\s*0$/m);
    expect((await running.done).signal).toBe("SIGKILL");
  });

  test("complete: a valid file, and the whole tree ends (its filter would refuse every exec)", async () => {
    const [out, pid, go, done] = [fresh("killed"), fresh("pid"), fresh("go"), fresh("done")];
    const running = start(recording(out, "complete", ["bash", "-c", script(pid, go, done)]), { cwd: folder });
    const command = await pidIn(pid);
    const child = await pidIn(`${pid}.child`);
    await until("recorded", () => /sleep/.test(text(out)));
    running.kill("SIGKILL");
    await until("the tree is gone", () => !alive(command) && !alive(child));
    expect(withTag(wholeLines(out), "End")).toHaveLength(0);
    expect(existsSync(done)).toBe(false);
    await running.done;
  });

  test.skipIf(lacks("gcc"))(
    "events: in the middle of a storm of processes, which goes on to its end untouched",
    async () => {
      for (const after of [60, 150, 300]) {
        const [out, done] = [fresh("storm"), fresh("done")];
        const script = `seq 1500 | xargs -P8 -n1 ${programs()}/tiny; echo "complete $?" >${done}`;
        const running = start(recording(out, "events", ["sh", "-c", script]), { cwd: folder });
        await until("the storm has begun", () => text(out).includes("/tiny"));
        await Bun.sleep(after);
        running.kill("SIGKILL");
        await until("the command's end", () => text(done) !== "", 30_000);
        expect(text(done)).toBe("complete 0\n");
        await running.done;
        // what is in the file is whole, and no process is told of before its birth
        const born = new Set<number>();
        for (const line of wholeLines(out)) {
          if (line.tag === "Fork") born.add(number(line, "child_pid"));
          else if (line.tag === "ExecFull" || line.tag === "Exit") expect(born.has(number(line, "pid"))).toBe(true);
        }
      }
    },
    60_000,
  );
});

describe("signals sent to tk", () => {
  test.skipIf(lacks("gcc")).each(MODES)("%s: each reaches the command once, as from its sender", async (mode) => {
    const out = fresh("signals");
    const said = fresh("said");
    const running = start(recording(out, mode, ["sh", "-c", `exec ${programs()}/signals >${said}`], "--quiet"));
    await until("ready", () => text(said).startsWith("ready\n"));
    for (const signal of ["SIGHUP", "SIGTERM", "SIGINT", "SIGQUIT", "SIGUSR1", "SIGTSTP", "SIGUSR2"] as const) {
      const before = text(said).length;
      process.kill(running.pid, signal);
      await until(`${signal} has come`, () => text(said).length > before);
    }
    await Bun.sleep(250);
    process.kill(running.pid, "SIGUSR2");
    const ran = await running.done;
    expect(ran.status).toBe(21);
    const uid = process.getuid?.() ?? 0;
    expect(text(said).trim().split("\n").slice(1)).toEqual(
      [1, 15, 2, 3, 10, 20, 12, 12].map((s) => `${s} code 0 uid ${uid} from parent 0`),
    );
  });

  test.each(MODES)(
    "%s: a command that dies of SIGTERM takes tk with it, and the recording is complete",
    async (mode) => {
      const out = fresh("term");
      const running = start(recording(out, mode, ["sleep", "60"], "--quiet"));
      await until("started", () => withTag(parseLines(text(out).replace(/[^\n]*$/, "")), "ExecFull").length === 1);
      process.kill(running.pid, "SIGTERM");
      const ran = await running.done;
      expect(ran.signal).toBe("SIGTERM");
      expect(withTag(wholeLines(out), "End")[0]!.f.signal).toBe(15);
    },
  );

  test.each(MODES)("%s: timeout 1 ends the tree, 124, and nothing is left", async (mode) => {
    const out = fresh("timeout");
    const pid = fresh("pid");
    const ran = await run([
      "timeout",
      "1",
      ...recording(out, mode, ["bash", "-c", `sleep 60 & echo $! >${pid}; sleep 60`], "--quiet"),
    ]);
    expect(ran.status).toBe(124);
    const child = await pidIn(pid);
    await until("the child is gone", () => !alive(child));
    expect(withTag(wholeLines(out), "End")).toHaveLength(1);
  });
});

describe("exit status and death by signal become tk's", () => {
  test.each(MODES)("%s: codes", async (mode) => {
    for (const code of [0, 1, 2, 42, 125, 126, 127, 255]) {
      const out = fresh("code");
      const ran = await run(recording(out, mode, ["sh", "-c", `exit ${code}`], "--quiet"));
      expect([ran.status, ran.signal, ran.stderr]).toEqual([code, null, ""]);
      expect(withTag(wholeLines(out), "End")[0]!.f.exit_code).toBe(code);
    }
  });

  test.skipIf(lacks("python")).each(MODES)(
    "%s: signals, and a core dump stays the command's own",
    async (mode) => {
      const cores = fresh("cores");
      mkdirSync(cores);
      chmodSync(cores, 0o777);
      for (const [name, signal] of [
        ["KILL", 9],
        ["TERM", 15],
        ["HUP", 1],
        ["INT", 2],
        ["QUIT", 3],
        ["SEGV", 11],
        ["ABRT", 6],
        ["PIPE", 13],
        ["USR1", 10],
      ] as const) {
        const out = fresh("signal");
        const python =
          "import os,sys\np=os.spawnvp(os.P_NOWAIT,sys.argv[1],sys.argv[1:])\ns=os.waitpid(p,0)[1]\nprint(os.WIFSIGNALED(s),os.WTERMSIG(s),os.WCOREDUMP(s))";
        const plain = await run([
          "sh",
          "-c",
          `ulimit -c unlimited; cd ${cores}; exec /usr/bin/python3 -c '${python}' sh -c 'kill -${name} $$'`,
        ]);
        const before = readdirSync(cores).length;
        const words = recording(out, mode, ["sh", "-c", `kill -${name} $$`], "--quiet").map((w) => `'${w}'`);
        const ran = await run([
          "sh",
          "-c",
          `ulimit -c unlimited; cd ${cores}; exec /usr/bin/python3 -c "${python}" ${words.join(" ")}`,
        ]);
        expect(ran.stdout.split(" ").slice(0, 2).join(" ")).toBe(`True ${signal}`);
        expect(ran.stdout.trim().split(" ")[2]).toBe("False"); // tk itself leaves no core
        expect(ran.stderr).toBe("");
        const dumped = plain.stdout.trim().endsWith("True");
        expect(readdirSync(cores).length - before).toBeLessThanOrEqual(1);
        const exit = withTag(wholeLines(out), "Exit").at(-1)!.f;
        expect([exit.signal, exit.core_dumped ?? false]).toEqual([signal, dumped]);
        expect(withTag(wholeLines(out), "End")[0]!.f.signal).toBe(signal);
      }
    },
    20_000,
  );
});

describe.skipIf(lacks("gcc"))("the command cannot be started", () => {
  const cases: readonly (readonly [name: string, command: readonly string[], status: number, says: RegExp])[] = [
    ["missing from PATH", ["no-such-command-here"], 127, /no-such-command-here/],
    ["missing path", ["/no/such/path"], 127, /\/no\/such\/path/],
    ["not executable", ["/etc/passwd"], 126, /\/etc\/passwd.*[Pp]ermission/s],
    ["a directory", ["/usr"], 126, /\/usr/],
    ["a folder on the way is a file", ["/etc/passwd/x"], 126, /\/etc\/passwd\/x/],
    ["its interpreter is missing", ["./bad_shebang"], 127, /bad_shebang/],
    ["an empty name", [""], 127, /''|""/],
  ];
  for (const [name, command, status, says] of cases) {
    test(name, async () => {
      for (const mode of MODES) {
        const out = fresh("missing");
        const ran = await run(recording(out, mode, command), { cwd: programs() });
        expect([mode, ran.status, ran.signal]).toEqual([mode, status, null]);
        const plain = await run(["env", "--", ...command], { cwd: programs() });
        expect(plain.status).toBe(status);
        expect(ran.stderr).toMatch(says);
        expect(ran.stderr).toMatch(/^tk: /);
        expect(ran.stderr).not.toMatch(/\n\s+at /); // no stack trace
        expect(ran.stdout).toBe("");
      }
    });
  }

  test("not a program: goes to /bin/sh as execvp does, which says what it thinks of it", async () => {
    for (const mode of MODES) {
      const plain = await run(["env", "./garbage"], { cwd: programs() });
      const ran = await run(recording(fresh("garbage"), mode, ["./garbage"], "--quiet"), { cwd: programs() });
      expect([ran.status, ran.stderr]).toEqual([plain.status, plain.stderr]);
    }
  });

  test("a script without #! runs as env(1) would run it", async () => {
    for (const mode of MODES) {
      const plain = await run(["env", "./no_shebang", "a", "b c"], { cwd: programs() });
      const ran = await run(recording(fresh("script"), mode, ["./no_shebang", "a", "b c"], "--quiet"), {
        cwd: programs(),
      });
      expect([ran.status, ran.stderr]).toEqual([plain.status, plain.stderr]);
    }
  });

  test("no command at all is a mistake of usage", async () => {
    const ran = await run([TK, "record", "-o", fresh("none"), "--"]);
    expect(ran.status).toBe(2);
    expect(ran.stderr).not.toBe("");
  });
});

describe("the output cannot be opened", () => {
  const marker = fresh("started");
  const command = ["touch", marker];
  const attempt = async (path: string, user: "root" | "ordinary" = "ordinary") => {
    const ran = await run(recording(path, "events", command), { user });
    expect([path, ran.status, ran.stdout]).toEqual([path, 125, ""]);
    expect(ran.stderr).toContain(path);
    expect(ran.stderr).toMatch(/^tk: /);
    expect(ran.stderr).not.toMatch(/\n\s+at /);
    expect(existsSync(marker)).toBe(false);
  };

  test("a directory", () => attempt(folder));
  test("in a folder that is missing", () => attempt("/no/such/folder/out"));
  test("below a file", () => attempt("/etc/passwd/out"));
  test("a socket", async () => {
    const path = fresh("socket");
    const server = Bun.listen({ unix: path, socket: { data() {} } });
    chmodSync(path, 0o666);
    await attempt(path);
    server.stop(true);
  });
  test("standard output, which is closed", async () => {
    const ran = await run(["bash", "-c", '"$@" >&-; exit $?', "x", TK, "record", "--", ...command]);
    expect([ran.status, ran.stdout]).toEqual([125, ""]);
    expect(ran.stderr).toMatch(/^tk: .*standard output.*Bad file descriptor/);
    expect(existsSync(marker)).toBe(false);
  });
  // As root the folder is another's to the ordinary user; to anybody else it is their own.
  test.skipIf(lacks("root"))("no permission", async () => {
    const closed = fresh("closed");
    mkdirSync(closed);
    chmodSync(closed, 0o555);
    await attempt(join(closed, "out"));
  });
  test("an existing recording is not destroyed when the command is missing from PATH", async () => {
    const out = fresh("kept");
    writeFileSync(out, "precious\n");
    const ran = await run(recording(out, "events", ["no-such-command-here"]));
    expect(ran.status).toBe(127);
    expect(text(out)).toBe("precious\n");
  });
});

describe("writing fails while the command runs", () => {
  const loop =
    "for i in $(seq 300); do /bin/true padding-$i-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done; echo done; exit 5";

  test.each(MODES)("%s: a device that is always full: said, and nothing started", async (mode) => {
    const ran = await run(recording("/dev/full", mode, ["bash", "-c", loop]));
    expect([ran.status, ran.stdout]).toEqual([125, ""]);
    expect(ran.stderr).toMatch(/^tk: .*\/dev\/full.*No space left on device/);
  });

  test.skipIf(lacks("mount")).each(MODES)("%s: a disk that fills up", async (mode) => {
    const disk = fresh("disk");
    mkdirSync(disk);
    const mount = await run(["mount", "-t", "tmpfs", "-o", "size=32k,mode=777", "tmpfs", disk]);
    expect(mount.status).toBe(0);
    mounted.push(disk);
    const out = join(disk, "out");
    const ran = await run(recording(out, mode, ["bash", "-c", loop]));
    expect([ran.status, ran.stdout]).toEqual([5, "done\n"]);
    expect(ran.stderr).toMatch(/[1-9][\d,]* events lost \(No space left on device\)/i);
    // all that fitted is there, line by line; at most the very last is cut
    const kept = parseLines(text(out).replace(/[^\n]*$/, ""));
    expect(kept.length).toBeGreaterThan(20);
    expect(statSync(out).size).toBeGreaterThan(16_000);
  });

  test.skipIf(lacks("mount")).each(MODES)("%s: room again later: the loss is in the recording", async (mode) => {
    const disk = fresh("disk");
    mkdirSync(disk);
    const mount = await run(["mount", "-t", "tmpfs", "-o", "size=64k,mode=777", "tmpfs", disk]);
    expect(mount.status).toBe(0);
    mounted.push(disk);
    writeFileSync(join(disk, "ballast"), Buffer.alloc(40_000));
    const out = join(disk, "out");
    const script = `for i in $(seq 200); do /bin/true padding-$i; done; rm ${disk}/ballast; for i in $(seq 20); do /bin/true after-$i; done; exit 4`;
    const ran = await run(recording(out, mode, ["bash", "-c", script]));
    expect(ran.status).toBe(4);
    const lines = wholeLines(out);
    const lost = withTag(lines, "Lost").reduce((sum, l) => sum + number(l, "count"), 0);
    expect(lost).toBeGreaterThan(0);
    const end = withTag(lines, "End")[0]!;
    expect(end.f.lost).toBe(lost);
    expect(text(out)).toContain("after-20");
    // nothing vanished without being counted
    const events = lines.filter((l) => l.tag !== "Recording" && l.tag !== "End" && l.tag !== "Lost").length;
    expect(events + lost).toBeGreaterThanOrEqual(220 * 3 + 2);
  });

  test("a limit on the size of files", async () => {
    const out = fresh("limited");
    const script = `ulimit -f 2; "$@"; echo $?`;
    const ran = await run(["bash", "-c", script, "x", ...recording(out, "events", ["bash", "-c", loop])]);
    expect(ran.stdout).toBe("done\n5\n");
    expect(ran.stderr).toMatch(/events lost \(File too large\)/i);
    expect(statSync(out).size).toBeLessThanOrEqual(2048);
  });

  test.each(MODES)("%s: the reader of standard output goes away", async (mode) => {
    const done = fresh("done");
    const script = `"$@" | head -n 1 >${done}.first; echo "\${PIPESTATUS[0]}"`;
    const inner = `for i in $(seq 50); do /bin/true; done; echo finished >${done}; exit 3`;
    const ran = await run([
      "bash",
      "-c",
      script,
      "x",
      TK,
      "record",
      "--mode",
      mode,
      "--quiet",
      "--",
      "bash",
      "-c",
      inner,
    ]);
    expect(ran.stdout).toBe("3\n");
    expect(text(done)).toBe("finished\n");
    expect(text(`${done}.first`)).toMatch(/^\{"Recording":/);
  });
});

describe("already traced", () => {
  const refused = (marker: string, ran: Ran) => {
    expect(ran.status).toBe(125);
    expect(ran.stderr).toMatch(/^tk: .*trace/m);
    expect(ran.stderr).not.toMatch(/\n\s+at /);
    expect(existsSync(marker)).toBe(false);
  };

  test.skipIf(lacks("strace")).each(MODES)("%s: inside strace: said, and nothing started", async (mode) => {
    const marker = fresh("marker");
    const command = recording(fresh("out"), mode, ["touch", marker], "--backend", "ptrace");
    refused(marker, await run(["strace", "-f", "-o", "/dev/null", ...command]));
  });

  test.each(MODES)("%s: inside another tk record: said, and nothing started", async (mode) => {
    const marker = fresh("marker");
    const inner = recording(fresh("inner"), mode, ["touch", marker], "--backend", "ptrace");
    refused(marker, await run(recording(fresh("out"), mode, inner, "--quiet")));
  });

  test("an ordinary user, to whom no other backend is open, is not asked for a password", async () => {
    const marker = fresh("marker");
    // The checkout may be in a folder of root's, where nobody else finds dist/tk.
    const copy = fresh("tk");
    copyFileSync(TK, copy);
    const inner = [copy, ...recording(fresh("inner"), "events", ["touch", marker]).slice(1)];
    refused(
      marker,
      await run(recording(fresh("out"), "events", inner, "--quiet"), { user: "ordinary", limit: 10_000 }),
    );
  });
});

describe("standard output and standard error", () => {
  test.each(MODES)("%s: without -o the recording alone is on stdout, the command's stdout on stderr", async (mode) => {
    const ran = await run([
      TK,
      "record",
      "--mode",
      mode,
      "--quiet",
      "--",
      "sh",
      "-c",
      "echo out; echo err >&2; exit 3",
    ]);
    expect(ran.status).toBe(3);
    const lines = parseLines(ran.stdout);
    expect(lines[0]!.tag).toBe("Recording");
    expect(lines.at(-1)!.tag).toBe("End");
    expect(ran.stderr.split("\n").sort()).toEqual(["", "err", "out"]);
  });

  test("-o /dev/stdout, or the file that standard output goes to: as without -o, and nothing is overwritten", async () => {
    for (const output of ["/dev/stdout", "-", "shared"]) {
      const out = join(folder, "shared");
      const script = `{ echo before; "$1" record -q -o "$2" -- sh -c 'echo out; exit 3'; echo "after $?"; } >shared`;
      const ran = await run(["sh", "-c", script, "sh", TK, output], { cwd: folder });
      expect([ran.status, ran.stderr]).toEqual([0, "out\n"]);
      const [first, ...rest] = text(out).trimEnd().split("\n");
      expect([first, rest.pop()]).toEqual(["before", "after 3"]);
      const lines = parseLines(rest.join("\n"));
      expect([lines[0]!.tag, lines.at(-1)!.tag]).toEqual(["Recording", "End"]);
    }
    const ran = await run(["sh", "-c", `"$1" record -q -o /dev/null -- echo out >/dev/null`, "sh", TK]);
    expect([ran.status, ran.stdout, ran.stderr]).toEqual([0, "", ""]);
  });

  test("with -o nothing is printed but one line at the end, and with --quiet not even that", async () => {
    const out = fresh("summary");
    const ran = await run(recording(out, "events", ["sh", "-c", "true; /bin/true; echo out; echo err >&2"]));
    expect(ran.stdout).toBe("out\n");
    expect(ran.stderr).toMatch(/^err\ntk: [^\n]+\n$/);
    expect(ran.stderr).toContain(out);
    expect(ran.stderr).toMatch(/2 processes/);
    const quiet = await run(recording(out, "events", ["sh", "-c", "echo out; echo err >&2"], "--quiet"));
    expect([quiet.stdout, quiet.stderr]).toEqual(["out\n", "err\n"]);
  });

  test("stdin is the command's, whole and in order", async () => {
    const input = "line\n".repeat(50_000);
    const ran = await run(
      recording(fresh("stdin"), "events", ["sh", "-c", "read first; echo $first; wc -c"], "--quiet"),
      { stdin: input },
    );
    expect(ran.stdout.replaceAll(" ", "")).toBe(`line\n${input.length - 5}\n`);
  });

  test("a recording into a named pipe", async () => {
    const ran = await run([
      "bash",
      "-c",
      `"$0" record -q -o >(cat >${folder}/piped) -- sh -c 'exit 8'; echo $?; wait $!; sleep 0.1`,
      TK,
    ]);
    expect(ran.stdout).toBe("8\n");
    await until("the reader has written", () => text(join(folder, "piped")).includes('"End"'));
    expect(withTag(readRecording(join(folder, "piped")), "Exit")).toHaveLength(1);
  });
});

describe("a daemon stays behind", () => {
  const daemonScript = (pid: string) =>
    `setsid sh -c 'echo $$ >${pid}; exec sleep 60' </dev/null >/dev/null 2>&1 & while [ ! -s ${pid} ]; do sleep 0.02; done; exit 4`;

  test("--until root does not wait, and leaves it running (events)", async () => {
    const [out, pid] = [fresh("root"), fresh("pid")];
    const ran = await run(recording(out, "events", ["bash", "-c", daemonScript(pid)], "--quiet", "--until", "root"), {
      limit: 10_000,
    });
    expect(ran.status).toBe(4);
    const daemon = await pidIn(pid);
    expect(alive(daemon)).toBe(true);
    expect(readFileSync(`/proc/${daemon}/status`, "utf8")).toMatch(/^TracerPid:\s*0$/m);
    expect(withTag(wholeLines(out), "End")[0]!.f.exit_code).toBe(4);
  });

  test.skipIf(lacks("gcc"))("--until tree waits for a daemon and records its end", async () => {
    for (const mode of MODES) {
      const out = fresh("tree");
      const ran = await run(recording(out, mode, ["./forks", "slow-daemon"], "--quiet", "--until", "tree"), {
        cwd: programs(),
      });
      expect([ran.status, ran.stderr]).toEqual([0, ""]);
      expect(ran.ms).toBeGreaterThan(650);
      const exits = withTag(wholeLines(out), "Exit");
      expect(exits.at(-1)!.f.exit_code).toBe(61);
    }
  });

  test.skipIf(lacks("terminal"))(
    "on a terminal: tk says what it waits for; Ctrl-C leaves with the command's status, the daemon lives (events)",
    async () => {
      const [out, pid] = [fresh("daemon"), fresh("pid")];
      const pty = new Pty({ cwd: folder, env: { ...PLAIN_ENV, R: recording(out, "events", []).join(" ") } });
      try {
        await pty.prompt(0);
        const from = pty.mark();
        writeFileSync(join(folder, "daemon.sh"), daemonScript(pid));
        pty.type(`$R bash daemon.sh${KEY.enter}`);
        await pty.waitFor(/Ctrl-C/, from);
        const daemon = await pidIn(pid);
        expect(pty.screen()).toContain(String(daemon));
        expect(await pty.keys(KEY.ctrlC)).toBe(4);
        expect(alive(daemon)).toBe(true);
        expect(readFileSync(`/proc/${daemon}/status`, "utf8")).toMatch(/^TracerPid:\s*0$/m);
        const lines = wholeLines(out);
        expect(withTag(lines, "End")[0]!.f.exit_code).toBe(4);
      } finally {
        await pty.close();
      }
    },
    20_000,
  );

  test.skipIf(lacks("terminal"))(
    "on a terminal, complete mode: it says what leaving would do",
    async () => {
      const [out, pid] = [fresh("daemon"), fresh("pid")];
      const pty = new Pty({ cwd: folder, env: { ...PLAIN_ENV, R: recording(out, "complete", []).join(" ") } });
      try {
        await pty.prompt(0);
        const from = pty.mark();
        writeFileSync(join(folder, "daemon2.sh"), daemonScript(pid));
        pty.type(`$R bash daemon2.sh${KEY.enter}`);
        const daemon = await pidIn(pid);
        await pty.waitFor(new RegExp(String(daemon)), from);
        process.kill(daemon, "SIGTERM");
        expect(await pty.prompt(from)).toBe(4);
        expect(withTag(wholeLines(out), "End")[0]!.f.exit_code).toBe(4);
      } finally {
        await pty.close();
      }
    },
    20_000,
  );
});

test("nothing of this suite is left behind", () => {
  rmSync(join(folder, "daemon.sh"), { force: true });
  for (const pid of leftBehind) if (alive(pid)) process.kill(pid, "SIGKILL");
  expect(leftBehind.length).toBeGreaterThan(0);
});
