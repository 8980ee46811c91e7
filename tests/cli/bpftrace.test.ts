// The bpftrace backend, really run: the same lives as ptrace tells, the words byte for byte, the whole system and one
// tree cut out of it, and everything that can go wrong around it. Needs root and bpftrace.
import { afterEach, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { counts, livesOfRecording, treeText } from "../support/lives.ts";
import { lacks } from "../support/needs.ts";
import { programs, temporaryFolder } from "../support/programs.ts";
import { KEY, Pty } from "../support/pty.ts";
import {
  argsOf,
  type Line,
  number,
  parseLines,
  readRecording,
  requireTk,
  run,
  start,
  TK,
  withTag,
} from "../support/tk.ts";

const here = describe.skipIf(lacks("root", "bpftrace"));
const folder = temporaryFolder();
let files = 0;
const file = () => join(folder, `rec-${files++}`);

beforeAll(requireTk);

function recordWith(path: string, command: readonly string[], ...options: string[]): string[] {
  return [TK, "record", "--backend", "bpftrace", "-o", path, ...options, "--", ...command];
}

/** Lines in exact order: live recordings are nearly sorted. Numbered anew, as the sort would have been. */
function inOrder(lines: readonly Line[]): Line[] {
  const body = lines.filter((line) => line.tag !== "Recording");
  body.sort((a, b) => number(a, "timestamp") - number(b, "timestamp") || number(a, "seq") - number(b, "seq"));
  const header = lines.filter((line) => line.tag === "Recording");
  return [...header, ...body.map((line, seq) => ({ tag: line.tag, f: { ...line.f, seq } }))];
}

const ENAMETOOLONG = 36;
/** What docs/recording.md says bpftrace cuts: the words of argument lists that are too long for it, on both sides alike. */
function withoutWhatIsCut(lines: readonly Line[]): Line[] {
  return lines.map((line) => {
    const bytes = (argsOf(line) ?? []).reduce((n, word) => n + word.length + 1, 0);
    const cut = line.tag === "ExecFull" ? bytes > 131_072 : bytes > 18_000 || line.f.errno === ENAMETOOLONG;
    return cut ? { tag: line.tag, f: { ...line.f, args: ["cut"], args_b64: undefined } } : line;
  });
}

/** Waits for text in a file that grows. */
async function fileSays(path: string, wanted: RegExp, limit = 45_000): Promise<void> {
  const until = performance.now() + limit;
  while (!existsSync(path) || !wanted.test(readFileSync(path, "utf8"))) {
    if (performance.now() > until) throw new Error(`${path} did not come to say ${wanted}`);
    await Bun.sleep(10);
  }
}

/** Children of a process whose program is called so. */
function childrenCalled(pid: number, name: string): number[] {
  const found: number[] = [];
  for (const child of readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ")) {
    if (child === "") continue;
    if (readFileSync(`/proc/${child}/comm`, "utf8").trim() === name) found.push(Number(child));
  }
  return found;
}

here("a recording by bpftrace", () => {
  test("tells the same lives as ptrace's complete mode", async () => {
    const cwd = programs();
    const ptraced = file();
    const traced = file();
    const one = await run([TK, "record", "--mode", "complete", "-q", "-o", ptraced, "--", "./det.sh"], { cwd });
    const two = await run(recordWith(traced, ["./det.sh"], "--quiet"), { cwd });
    expect([one.status, two.status]).toEqual([42, 42]);
    expect(two.stdout).toBe(one.stdout);
    const expected = livesOfRecording(withoutWhatIsCut(readRecording(ptraced)));
    const lines = readRecording(traced);
    const told = livesOfRecording(withoutWhatIsCut(inOrder(lines)));
    expect(counts(told)).toEqual(counts(expected));
    expect(treeText(told, "complete")).toEqual(treeText(expected, "complete"));
    const header = withTag(lines, "Recording")[0]!;
    expect(header.f).toMatchObject({ backend: "bpftrace", command: ["./det.sh"] });
    expect(header.f.limits).toBeArray();
    expect(withTag(lines, "End")[0]!.f).toMatchObject({ lost: 0, exit_code: 42, processes: counts(told).processes });
    // Groups and parents are the kernel's, on execs as on exits.
    for (const line of [...withTag(lines, "ExecFull"), ...withTag(lines, "Exit")]) {
      expect(number(line, "pgid")).toBeGreaterThan(0);
      expect(number(line, "ppid")).toBeGreaterThan(0);
    }
  }, 60_000);

  test("keeps every byte of every word", async () => {
    const words = [
      "two words",
      "a\nnewline",
      "EXIT: seq=1,ts=1,pid=1,ppid=1,pgid=1",
      "co,mma",
      'qu"ote',
      "",
      "back\\x41slash",
      "umläut",
      "x".repeat(20_000),
      ...Array.from({ length: 400 }, (_, i) => `word ${i}`),
    ];
    const path = file();
    const bytes = Buffer.from("\xff\xfe not utf-8", "latin1");
    const script = join(folder, "words.sh");
    const quoted = words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
    writeFileSync(script, `/bin/true ${quoted} $'\\xff\\xfe not utf-8'\n/nonexistent/prog ${quoted}\n`);
    const ran = await run(recordWith(path, ["bash", script], "--quiet"));
    expect(ran.status).toBe(127);
    const lines = readRecording(path);
    const exec = withTag(lines, "ExecFull").find((line) => line.f.filename === "/bin/true")!;
    expect(exec.f.args_truncated).toBeUndefined();
    expect(argsOf(exec)!).toEqual([...["/bin/true", ...words].map((word) => Buffer.from(word)), bytes]);
    const bad = withTag(lines, "BadExec").find((line) => line.f.filename === "/nonexistent/prog")!;
    expect(bad.f).toMatchObject({ errno: 2, error: "No such file or directory", args_truncated: true });
    // As many pieces as there are: the long word takes most of them.
    expect(argsOf(bad)!.slice(0, 9)).toEqual(
      ["/nonexistent/prog", ...words.slice(0, 8)].map((word) => Buffer.from(word)),
    );
  }, 30_000);

  test("has argument lists beyond its own limit from /proc, and says so, or says that they are cut", async () => {
    const path = file();
    const script = "sleep 0.3 $(yes 0 | head -n 90000); /bin/true $(yes 0 | head -n 90000)";
    const ran = await run(recordWith(path, ["bash", "-c", script], "--quiet"));
    expect(ran.status).toBe(0);
    const execs = withTag(readRecording(path), "ExecFull");
    const long = execs.find((line) => String(line.f.filename).endsWith("/sleep"))!;
    expect(argsOf(long)!).toHaveLength(90_002);
    expect(long.f).toMatchObject({ args_from: "proc" });
    const short = execs.find((line) => String(line.f.filename).endsWith("/true"))!;
    // It may still be there when /proc is asked.
    expect(short.f.args_from === "proc" || short.f.args_truncated === true).toBe(true);
  }, 30_000);

  test("long file names are whole", async () => {
    const path = file();
    const deep = `${folder}/${"d".repeat(120)}/${"e".repeat(120)}/${"f".repeat(100)}`;
    await run(["sh", "-c", `mkdir -p ${deep}; cp /bin/true ${deep}/prog`]);
    await run(recordWith(path, ["bash", "-c", `${deep}/prog; ${deep}/missing; true`], "--quiet"));
    const lines = readRecording(path);
    expect(withTag(lines, "ExecFull").map((line) => line.f.filename)).toContain(`${deep}/prog`);
    expect(withTag(lines, "BadExec").map((line) => line.f.filename)).toContain(`${deep}/missing`);
  }, 30_000);

  test("the whole system with --raw; a tree cut out of it is the tree; the lines sort", async () => {
    const cwd = programs();
    const log = file();
    const tree = file();
    const noise = start(["sh", "-c", "while :; do /bin/true noise; sleep 0.05; done"], { limit: 20_000 });
    const noisy = noise.done.catch(() => undefined);
    const ran = await run(recordWith(log, ["sh", "-c", "./forks spawn; ./forks groups; exit 5"], "--raw"), { cwd });
    noise.kill("SIGKILL");
    await noisy;
    expect(ran.status).toBe(5);
    const root = Number(/tk ingest -p (\d+) /.exec(ran.stderr)![1]);
    expect(ran.stderr).toContain(`under pid ${root}`);
    const text = readFileSync(log, "utf8");
    const [header, ...raw] = text.trimEnd().split("\n");
    expect(parseLines(header!)[0]!.f).toMatchObject({ backend: "bpftrace", mode: "system", root_pid: root });
    // bpftrace ends with empty lines, tk with the end of the recording.
    expect(raw.slice(0, -1).filter((line) => line !== "" && !/^[A-Z_]+: seq=/.test(line))).toEqual([]);
    expect(raw.some((line) => line.startsWith("EXIT: ") && line.endsWith(",mine=0"))).toBe(true);
    const ingested = await run([TK, "ingest", "-p", String(root), "-o", tree, log]);
    expect([ingested.status, ingested.stderr]).toEqual([0, ""]);
    const lines = readRecording(tree);
    const files = withTag(lines, "ExecFull").map((line) => argsOf(line)!.join(" "));
    expect(files).toContain("tiny spawned");
    expect(files.some((words) => words.includes("noise"))).toBe(false);
    expect(withTag(lines, "SetPGID").length).toBeGreaterThan(0);
    const exit = withTag(lines, "Exit").find((line) => number(line, "pid") === root)!;
    expect(exit.f).toMatchObject({ exit_code: 5 });
    const sorted = await run([TK, "sort", log]);
    expect([sorted.status, sorted.stderr]).toEqual([0, ""]);
  }, 60_000);
});

here("around the command", () => {
  test("its death by a signal is tk's", async () => {
    const ran = await run(recordWith(file(), ["sh", "-c", "kill -TERM $$"], "--quiet"));
    expect(ran.shell).toBe(143);
  }, 20_000);

  test("standard output can be the recording; the command's own goes to standard error", async () => {
    const ran = await run([TK, "record", "--backend", "bpftrace", "-q", "--", "sh", "-c", "echo said"]);
    expect(ran.stderr).toBe("said\n");
    expect(parseLines(ran.stdout).at(-1)!.tag).toBe("End");
  }, 20_000);

  test("with --until root a daemon lives on and the terminal is free at once", async () => {
    const path = file();
    const ran = await run(
      recordWith(path, ["sh", "-c", "setsid sleep 30 >/dev/null 2>&1 & echo $!"], "--until", "root"),
    );
    expect(ran.ms).toBeLessThan(15_000);
    const daemon = Number(ran.stdout);
    process.kill(daemon, "SIGTERM");
    expect(ran.stderr).toContain("1 process still running");
    expect(withTag(readRecording(path), "End")).toHaveLength(1);
  }, 30_000);

  test("a tree that lives on is awaited and told, and SIGINT ends the recording without harm to it", async () => {
    const path = file();
    const tk = start(recordWith(path, ["sh", "-c", "setsid sleep 30 >/dev/null 2>&1 & echo $!; exit 3"]));
    await fileSays(path, /"exit_code":3/);
    await Bun.sleep(1300);
    tk.kill("SIGINT");
    const ran = await tk.done;
    expect(ran.status).toBe(3);
    expect(ran.stderr).toContain("the command has ended, its recording goes on");
    process.kill(Number(ran.stdout), "SIGTERM");
  }, 30_000);

  test("tk killed: bpftrace ends, the command goes on, the file is whole lines", async () => {
    const path = file();
    const [go, done] = [join(folder, "go-on"), join(folder, "survived")];
    const tk = start(
      recordWith(path, ["sh", "-c", `while [ ! -e ${go} ]; do sleep 0.05; done; /bin/true; echo yes > ${done}`]),
    );
    await fileSays(path, /"ExecFull"/);
    const [bpftrace] = childrenCalled(tk.pid, "bpftrace");
    expect(bpftrace).toBeGreaterThan(0);
    tk.kill("SIGKILL");
    await Bun.sleep(100);
    writeFileSync(go, "");
    await fileSays(done, /yes/);
    expect((await tk.done).signal).toBe("SIGKILL");
    const lines = readRecording(path);
    expect(lines[0]!.tag).toBe("Recording");
    expect(withTag(lines, "End")).toHaveLength(0);
    const ended = () => {
      try {
        return readFileSync(`/proc/${bpftrace}/stat`, "utf8").includes(") Z ");
      } catch {
        return true;
      }
    };
    for (let i = 0; i < 300 && !ended(); i++) await Bun.sleep(10);
    expect(ended()).toBe(true);
  }, 30_000);

  test("bpftrace killed: the command goes on, the recording says what happened", async () => {
    const path = file();
    const go = join(folder, "go");
    const tk = start(recordWith(path, ["sh", "-c", `while [ ! -e ${go} ]; do sleep 0.05; done; exit 7`]));
    await fileSays(path, /"ExecFull"/);
    const [bpftrace] = childrenCalled(tk.pid, "bpftrace");
    process.kill(bpftrace!, "SIGKILL");
    await Bun.sleep(200);
    writeFileSync(go, "");
    const ran = await tk.done;
    expect(ran.status).toBe(7);
    expect(ran.stderr).toContain("bpftrace ended before the command did");
    const lines = readRecording(path);
    expect(withTag(lines, "Lost").map((line) => line.f.reason)).toContain("bpftrace ended before the command did");
    expect(withTag(lines, "End")[0]!.f.exit_code).toBe(7);
  }, 30_000);
});

here("in a terminal", () => {
  const open: Pty[] = [];
  afterEach(async () => {
    for (const pty of open.splice(0)) await pty.close();
  });

  async function shell(path: string): Promise<Pty> {
    const pty = new Pty({ env: { R: recordWith(path, [], "--quiet").join(" ") } });
    open.push(pty);
    await pty.prompt(0);
    return pty;
  }

  test("Ctrl-C is the command's, and bpftrace goes on", async () => {
    const path = file();
    const pty = await shell(path);
    const from = pty.mark();
    pty.type(
      `$R sh -c 'trap "echo caught" INT; sleep 20 & echo ready; wait; kill $!; /bin/true after; exit 6'${KEY.enter}`,
    );
    await pty.waitFor(/[\r\n]ready/, from, 45_000);
    expect(await pty.keys(KEY.ctrlC, 45_000)).toBe(6);
    expect(pty.screen()).toContain("caught");
    const words = withTag(readRecording(path), "ExecFull").map((line) => argsOf(line)!.join(" "));
    expect(words).toContain("/bin/true after");
  }, 40_000);

  test("Ctrl-Z stops both, fg goes on with both", async () => {
    const path = file();
    const pty = await shell(path);
    const from = pty.mark();
    // By exec: dash starts others by vfork, and a child that is stopped before its exec keeps its parent from stopping.
    pty.type(`$R sh -c 'echo ready; exec sleep 0.6'${KEY.enter}`);
    await pty.waitFor(/[\r\n]ready/, from, 45_000);
    expect(await pty.keys(KEY.ctrlZ, 45_000)).toBe(148);
    expect(await pty.line("fg", 45_000)).toBe(0);
    expect(withTag(readRecording(path), "End")[0]!.f.exit_code).toBe(0);
  }, 40_000);
});

here("as an ordinary user", () => {
  test("bpftrace runs by sudo, the command is not elevated", async () => {
    const path = join(folder, "by-sudo");
    writeFileSync(path, "");
    chmodSync(path, 0o666);
    const sudoers = join(folder, "sudoers");
    writeFileSync(sudoers, "nobody ALL=(ALL) NOPASSWD: ALL\n");
    chmodSync(sudoers, 0o440);
    // The file of the system is covered for this one process tree.
    const covered = `mount --bind ${sudoers} /etc/sudoers && exec setpriv --reuid=nobody --regid=nogroup --clear-groups "$@"`;
    const words = recordWith(path, ["sh", "-c", "id -un; grep NoNewPrivs /proc/self/status"], "--quiet");
    const ran = await run(["unshare", "--mount", "sh", "-c", covered, "sh", ...words]);
    expect([ran.status, ran.stderr]).toEqual([0, ""]);
    expect(ran.stdout).toBe("nobody\nNoNewPrivs:\t0\n");
    expect(livesOfRecording(inOrder(readRecording(path))).end).toBe("exited 0");
  }, 30_000);
});

here("when it cannot be", () => {
  const old = "an older recording\n";
  function kept(): string {
    const path = file();
    writeFileSync(path, old);
    return path;
  }
  function program(name: string, text: string): string {
    const path = join(folder, name);
    writeFileSync(path, `#!/bin/sh\n${text}\n`);
    chmodSync(path, 0o755);
    return path;
  }
  const ran = join(folder, "ran");

  async function refused(words: readonly string[], wanted: RegExp): Promise<void> {
    const path = kept();
    const result = await run(recordWith(path, ["touch", ran], ...words));
    expect(result.status).toBe(125);
    expect(result.stderr).toMatch(wanted);
    expect(readFileSync(path, "utf8")).toBe(old);
    expect(existsSync(ran)).toBe(false);
    rmSync(path);
  }

  test("missing", () =>
    refused(["-b", "/nonexistent/bpftrace"], /Cannot find '\/nonexistent\/bpftrace'\n {4}.*apt install bpftrace/));

  test("too old", () =>
    refused(["-b", program("old", "echo bpftrace v0.16.0")], /is version 0\.16\.0, and 0\.17 is the oldest/));

  test("it fails, in its own words and without the terminal codes of strangers", () =>
    refused(
      [
        "-b",
        program(
          "failing",
          `[ "$1" = --version ] && echo bpftrace v0.21.0 && exit; printf 'ERROR: no \\033[31mprobes\\n'; exit 1`,
        ),
      ],
      /failed: ERROR: no \\x1b\[31mprobes/,
    ));

  test("it may not", () =>
    refused(
      [
        "-b",
        program(
          "mayNot",
          `[ "$1" = --version ] && exit; echo 'ERROR: bpftrace currently only supports running as the root user.'; exit 1`,
        ),
      ],
      /was not allowed to trace: ERROR: .*root user/,
    ));

  test("where ptrace is forbidden, auto takes bpftrace; where neither can be, both reasons are told", async () => {
    const path = file();
    const under = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=none", "-e", "signal=none"];
    const words = (...options: string[]) => [
      ...under,
      TK,
      "record",
      "-o",
      path,
      ...options,
      "--",
      "sh",
      "-c",
      "exit 9",
    ];
    const neither = await run(words("-b", "/nonexistent/bpftrace"));
    expect(neither.status).toBe(125);
    expect(neither.stderr).toMatch(/By ptrace: .*traced by strace.*By bpftrace: Cannot find '\/nonexistent\/bpftrace'/);
    const second = await run(words());
    expect(second.status).toBe(9);
    expect(second.stderr).toContain("trying bpftrace");
    expect(readRecording(path)[0]!.f.backend).toBe("bpftrace");
  }, 60_000);

  test("a command that is not there: status 127, and no recording is begun", async () => {
    const path = kept();
    const result = await run(recordWith(path, ["no-such-command-at-all"]));
    expect(result.status).toBe(127);
    expect(readFileSync(path, "utf8")).toBe(old);
  });
});
