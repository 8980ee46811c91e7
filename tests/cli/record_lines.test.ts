// `tk record --lines` as a user runs it: what programs print stays as it is, their lines are in the recording, nothing is left behind,
// whatever happens to them or to tk.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, readFileSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zstdDecompressSync } from "node:zlib";
import { decodeHead } from "../../lib/lines/block_head.ts";
import { lacks } from "../support/needs.ts";
import { type Line, number, type Ran, readRecording, requireTk, run, start, TK, withTag } from "../support/tk.ts";

let folder: string;
let temporary: string;
const env = () => ({ PATH: "/usr/bin:/bin", TMPDIR: temporary, LANG: "C.UTF-8" });

beforeAll(() => {
  requireTk();
  folder = mkdtempSync(join(tmpdir(), "tk-lines-test-"));
  // For ordinary users, too.
  chmodSync(folder, 0o755);
  temporary = join(folder, "tmp");
  mkdirSync(temporary);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

interface Recorded {
  readonly ran: Ran;
  readonly lines: Line[];
  /** tk's own lines on standard error. */
  readonly said: string;
}

async function record(command: readonly string[], ...options: string[]): Promise<Recorded> {
  const out = join(folder, `${crypto.randomUUID()}.prof`);
  const ran = await run([TK, "record", "--lines", "-o", out, ...options, "--", ...command], {
    cwd: folder,
    env: env(),
  });
  const said = ran.stderr
    .split("\n")
    .filter((line) => line.startsWith("tk: "))
    .join("\n");
  return { ran, lines: readRecording(out), said };
}

/** `file name:line` and how often, over all tracks. */
function counts(lines: readonly Line[]): Record<string, number> {
  const names = new Map(withTag(lines, "Source").map((s) => [s.f.id, String(s.f.path).replace(/^.*\//, "")]));
  const out: Record<string, number> = {};
  for (const block of withTag(lines, "LineBlock")) {
    const head = decodeHead(zstdDecompressSync(Buffer.from(String(block.f.head), "base64")));
    if (typeof head === "string") throw new Error(head);
    const { totals, codes, sources } = head;
    for (let i = 0; i < totals.length; i++) {
      const source = codes[totals.code[i]!]!.source;
      const key = `${names.get(sources[source])}:${totals.line[i]}`;
      out[key] = (out[key] ?? 0) + totals.count[i]!;
    }
  }
  return out;
}

const leftovers = (): string[] => readdirSync(temporary);

async function expectUnchanged(command: readonly string[]): Promise<Recorded> {
  const plain = await run(command, { cwd: folder, env: env() });
  const recorded = await record(command);
  const stderr = recorded.ran.stderr
    .split("\n")
    .filter((line) => !line.startsWith("tk: "))
    .join("\n");
  expect([recorded.ran.stdout, stderr, recorded.ran.shell]).toEqual([plain.stdout, plain.stderr, plain.shell]);
  expect(leftovers()).toEqual([]);
  return recorded;
}

const SCRIPT = `#!/bin/bash
set -eu -o pipefail
f() {
  echo "f $1" >&2
  return 3
}
source ./part.sh
f one || echo "status $?"
x=$(echo sub; in_part 2)
echo "$x" | tr a-z A-Z
( echo group; exit 4 ) || echo "group $?"
for i in 1 2 3; do
  /bin/true
done
eval 'echo evaluated'
echo background & wait
coproc cat; echo hi >&"\${COPROC[1]}"; read -r line <&"\${COPROC[0]}"; echo "$line"
cat <(echo process substitution)
cat <<TEXT
$(echo here)
TEXT
bash -c 'g() { echo child; }; g'
trap 'echo trapped $?' EXIT
echo "$0 \${FUNCNAME-} \${BASH_SOURCE[0]} \${#BASH_SOURCE[@]} \${PIPESTATUS[0]} $LINENO"
exit 5
`;

describe.skipIf(lacks("bash"))("Bash", () => {
  test("a script with everything in it prints what it prints, and is recorded", async () => {
    file("part.sh", "in_part() {\n  echo part\n}\n");
    const { lines } = await expectUnchanged(["bash", file("everything.sh", SCRIPT)]);
    const seen = counts(lines);
    expect(seen["everything.sh:13"]).toBe(3);
    expect(seen["everything.sh:4"]).toBe(1);
    expect(seen["part.sh:2"]).toBe(1);
    const shells = withTag(lines, "LineBlock");
    expect(shells.every((b) => b.f.kind === "bash")).toBe(true);
    expect(new Set(shells.map((b) => b.f.pid)).size).toBeGreaterThan(6);
    const loop = withTag(lines, "LineBlock").find((b) => b.f.name === "bash");
    expect(loop).toBeDefined();
  });

  test("scripts that would notice are left alone, and that is said", async () => {
    const cases: [string, string, string][] = [
      ["xtrace.sh", "set -x; echo traced; set +x; echo no", "mentions xtrace"],
      ["closes.sh", 'for fd in 3 231 255; do eval "exec $fd>&-"; done; echo closed', "closes descriptors"],
    ];
    for (const [name, text, why] of cases) {
      const { lines, said } = await expectUnchanged(["bash", file(name, text)]);
      expect(said).toContain(why);
      expect(withTag(lines, "LineBlock")).toEqual([]);
    }
    const flag = await expectUnchanged(["bash", "-x", file("plain.sh", "echo a; echo b")]);
    expect(flag.said).toContain("was started with -x");
    const pipe = await expectUnchanged(["sh", "-c", `echo 'set -x; echo "$0"' | bash`]);
    expect(pipe.said).toContain("comes through a pipe");
    await expectUnchanged(["bash", "-v", file("verbose.sh", "echo a # comment")]);
    await expectUnchanged(["env", "SHELLOPTS=braceexpand:errexit", "bash", "-c", "bash -c 'echo nested'"]);
    await expectUnchanged(["bash", "-c", "exec 231>&1; echo mine >&231"]);
  });

  test("a script that is standard input is recorded, with its text", async () => {
    const script = file("input.sh", "f() { echo f; }\nset -u\nf\nbash -c true\n");
    const { ran, lines } = await record(["bash", "-c", `bash -e < ${script}; :`]);
    expect([ran.stdout, ran.status]).toEqual(["f\n", 0]);
    expect(counts(lines)).toMatchObject({ "standard input:1": 1, "standard input:3": 1, "standard input:4": 1 });
    const source = withTag(lines, "Source").find((one) => one.f.path === "standard input");
    expect(source?.f.text).toStartWith("f() {");
  });

  test("functions with the names of commands, exported or of the script, are not called by the recorder", async () => {
    const names = "echo printf set unset eval declare trap mapfile compgen shift";
    const inner = file("named_inner.sh", "trap() { builtin echo trap; }\nPS4='+ '\nx=1\nbuiltin echo $x\n");
    const outer = file(
      "named.sh",
      `for f in ${names}; do builtin eval "$f() { builtin echo $f; builtin $f \\"\\$@\\"; }; export -f $f"; done\nbash ${inner}\n`,
    );
    const { ran, lines } = await record(["bash", outer]);
    expect([ran.stdout, ran.status]).toEqual(["1\n", 0]);
    expect(counts(lines)).toMatchObject({ "named_inner.sh:3": 1, "named_inner.sh:4": 1 });
  });

  test("a script that sets PS4 as configure does is recorded to its end", async () => {
    const text = "PS1='$ '\nPS2='> '\nPS4='+ '\necho one\nfor i in 1 2; do\n  echo $i\ndone\n";
    const { lines } = await expectUnchanged(["bash", file("ps4.sh", text)]);
    expect(counts(lines)).toMatchObject({ "ps4.sh:3": 1, "ps4.sh:4": 1, "ps4.sh:6": 2 });
  });

  test("configure starts itself again with CONFIG_SHELL: not in the shell that runs it, and else it is left alone", async () => {
    // The preamble that autoconf 2.69 writes, which takes BASH_ENV away and hands $- on.
    const text = `if test x"\${_as_can_reexec}" != xno && test "x$CONFIG_SHELL" != x; then
  _as_can_reexec=no; export _as_can_reexec
  BASH_ENV=/dev/null; ENV=/dev/null; unset BASH_ENV ENV
  case $- in *x*) as_opts=-x ;; *) as_opts= ;; esac
  exec $CONFIG_SHELL $as_opts "$0" "$@"
fi
{ _as_can_reexec=; unset _as_can_reexec;}
echo configured "\${_as_can_reexec-unset}"
`;
    const script = file("configure.sh", text);
    const same = await expectUnchanged(["env", `CONFIG_SHELL=${Bun.which("bash")}`, "bash", script]);
    expect(counts(same.lines)).toMatchObject({ "configure.sh:8": 1 });
    const other = await expectUnchanged(["env", "CONFIG_SHELL=/bin/sh", "bash", script]);
    expect(other.said).toContain("CONFIG_SHELL");
    expect(withTag(other.lines, "LineBlock")).toEqual([]);
  });

  test("the last line lasts until its process ends, and a killed script is recorded", async () => {
    const { ran, lines } = await record(["bash", file("killed.sh", "echo begin\nsleep 0.3\nkill -9 $$\n")]);
    expect(ran.shell).toBe(137);
    expect(counts(lines)).toMatchObject({ "killed.sh:1": 1, "killed.sh:2": 1, "killed.sh:3": 1 });
    const main = withTag(lines, "LineBlock")[0]!;
    expect(number(main, "end") - number(main, "timestamp")).toBeGreaterThan(0.29e9);
    expect(number(main, "end")).toBe(number(withTag(lines, "Exit").at(-1)!, "timestamp"));
  });

  test("the user's own BASH_ENV stays in force", async () => {
    file("own env.sh", "FROM_ENV=$((40 + 2))\n");
    const command = ["env", `BASH_ENV=$PWD/own env.sh`, TK, "record", "--lines", "-q", "-o", join(folder, "o.prof")];
    const ran = await run([...command, "--", "bash", "-c", 'echo "$FROM_ENV"'], {
      cwd: folder,
      env: { ...env(), PWD: folder },
    });
    expect(ran.stdout).toBe("42\n");
  });
});

const PROGRAM = `import sys, subprocess, threading

def work(n):
    total = 0
    for i in range(n):
        total += i
    return total

threads = [threading.Thread(target=work, args=(10,)) for _ in range(2)]
for t in threads: t.start()
for t in threads: t.join()
print(work(5))
print("error", file=sys.stderr)
subprocess.run([sys.executable, "-c", "print('child')"])
sys.exit(3)
`;

describe.skipIf(lacks("python"))("Python", () => {
  test("prints what it prints, and its lines are there, of threads and children too", async () => {
    const { lines } = await expectUnchanged(["/usr/bin/python3", file("program.py", PROGRAM)]);
    expect(counts(lines)).toMatchObject({ "program.py:4": 3, "program.py:6": 25, "program.py:12": 1, "-c:1": 1 });
    const source = withTag(lines, "Source").find((s) => String(s.f.path).endsWith("program.py"))!;
    expect(source.f.text).toBe(PROGRAM);
    const first = withTag(lines, "ExecFull")[0]!;
    for (const block of withTag(lines, "LineBlock"))
      expect(number(block, "timestamp")).toBeGreaterThan(number(first, "timestamp"));
    const end = withTag(lines, "End")[0]!;
    expect(number(end, "events")).toBe(lines.length - 2);
  });

  test("only the selection is recorded", async () => {
    file("chosen.py", "def f():\n    return 1\n");
    const main = file("main.py", "import chosen\nprint(chosen.f())\n");
    const out = join(folder, "selected.prof");
    const words = [TK, "record", "--lines=chosen,./nothing", "-q", "-o", out, "--", "/usr/bin/python3", main];
    const ran = await run(words, { cwd: folder, env: env() });
    expect([ran.stdout, ran.stderr]).toEqual(["1\n", ""]);
    expect(Object.keys(counts(readRecording(out))).map((k) => k.split(":")[0])).not.toContain("main.py");
    expect(counts(readRecording(out))).toMatchObject({ "chosen.py:2": 1 });
  });

  test("what cannot be reached is said, on standard error and in the recording", async () => {
    const script =
      "python3 -I -c 'x = 1'\nenv -i python3 -c 'x = 1'\nPYTHONPATH=/x python3 -c 'x = 1'\nbash -p -c true\n";
    const { said, lines } = await record(["bash", file("unreached.sh", script)]);
    const notes = withTag(lines, "Note");
    for (const why of [
      "python -I ignores the environment",
      "its environment was emptied, or replaced by another",
      "PYTHONPATH was overwritten on the way",
      "bash -p ignores the environment",
    ]) {
      expect(said).toContain(`no lines of 1 process: ${why}`);
      expect(notes.find((n) => n.f.message === why)?.f).toMatchObject({ count: 1, about: "lines" });
    }
    const told = notes.flatMap((n) => n.f.pids);
    const ran = withTag(lines, "ExecFull").map((e) => e.f.pid);
    for (const pid of told) expect(ran).toContain(pid);
  });

  test.skipIf(lacks("root", "an ordinary user"))(
    "another user's processes run on without lines or complaints",
    async () => {
      const drop = ["setpriv", "--reuid=4711", "--clear-groups"];
      for (const command of [
        [...drop, "/usr/bin/python3", "-c", "print(1)"],
        [...drop, "bash", "-c", "echo 2"],
      ])
        expect((await expectUnchanged(command)).said).toContain("another user (uid 4711)");
    },
  );
});

describe.skipIf(lacks("make", "bash"))("make", () => {
  test("a build with both is unchanged", async () => {
    const text =
      "SHELL = /bin/bash\nall: a b\n\t@echo done\na:\n\tx=1; echo $$x\nb:\n\tbash ./part.sh && python3 -c 'print(\"b\")'\n";
    file("part.sh", "echo part\n");
    const { lines } = await expectUnchanged(["make", "-f", file("build.mk", text)]);
    expect(counts(lines)["part.sh:1"]).toBe(1);
  });
});

describe.skipIf(lacks("python", "bash"))("faults", () => {
  const LOOP =
    "import time\ndef f():\n    return 1\nend = time.time() + 1.2\nwhile time.time() < end:\n    f()\nprint('over')\n";

  test("a command that is not there leaves nothing", async () => {
    const ran = await run([TK, "record", "--lines", "-o", join(folder, "none.prof"), "--", "no-such-command"], {
      cwd: folder,
      env: env(),
    });
    expect(ran.status).toBe(127);
    expect(leftovers()).toEqual([]);
  });

  test("tk killed: the command goes on, the private directory goes", async () => {
    const out = join(folder, "cut.prof");
    const words = [TK, "record", "--lines", "-o", out, "--", "/usr/bin/python3", file("loop.py", LOOP)];
    const tk = start(words, { cwd: folder, env: env() });
    await Bun.sleep(700);
    expect(leftovers()).toHaveLength(1);
    tk.kill("SIGKILL");
    const ran = await tk.done;
    expect(ran.stdout).toBe("over\n");
    expect(leftovers()).toEqual([]);
    expect(withTag(readRecording(out), "End")).toEqual([]);
  });

  test("the collector killed: the command goes on, and what is missing is said", async () => {
    const out = join(folder, "alone.prof");
    const words = [TK, "record", "--lines", "-o", out, "--", "/usr/bin/python3", file("loop2.py", LOOP)];
    const tk = start(words, { cwd: folder, env: env() });
    await Bun.sleep(700);
    const children = readFileSync(`/proc/${tk.pid}/task/${tk.pid}/children`, "utf8").trim().split(" ");
    const collectors = children.filter((pid) =>
      readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("lines-collector"),
    );
    expect(collectors).toHaveLength(1);
    process.kill(Number(collectors[0]), "SIGKILL");
    const ran = await tk.done;
    expect(ran.stdout).toBe("over\n");
    expect(ran.stderr).toContain("the collector of lines ended too early: lines are missing");
    expect(leftovers()).toEqual([]);
    const lines = readRecording(out);
    expect(withTag(lines, "Lost")).toHaveLength(1);
    expect(withTag(lines, "End")[0]!.f).toMatchObject({ lost: 1, exit_code: 0 });
  });

  test("what a run left behind is removed by the next", async () => {
    mkdirSync(join(temporary, "tk-lines-left"));
    writeFileSync(join(temporary, "tk-lines-left", "lock"), "");
    await record(["true"]);
    expect(leftovers()).toEqual([]);
  });

  test("many short processes: all are there, no file stays", async () => {
    const script =
      "for ((i = 0; i < 60; i++)); do bash -c 'a=1; b=2'; done\nfor ((i = 0; i < 10; i++)); do python3 -c 'x = 1'; done\n";
    const { lines } = await expectUnchanged(["bash", file("many.sh", script)]);
    expect(counts(lines)).toMatchObject({ "bash -c:1": 120, "-c:1": 10 });
  });

  test("exec from inside Python ends one recording and begins another", async () => {
    const text = "import os, sys\nos.execv(sys.executable, [sys.executable, '-c', 'print(2)'])\n";
    const { lines } = await expectUnchanged(["/usr/bin/python3", file("becomes.py", text)]);
    expect(counts(lines)).toMatchObject({ "becomes.py:2": 1, "-c:1": 1 });
    const [first, second] = withTag(lines, "LineBlock").toSorted(
      (a, b) => number(a, "timestamp") - number(b, "timestamp"),
    );
    expect(number(first!, "end")).toBeLessThanOrEqual(number(second!, "timestamp"));
  });

  test.skipIf(lacks("a mount namespace", "root"))(
    "a full disk for the streams: programs run on, losses are told",
    async () => {
      const text = `import os
def f():
    return 1
for i in range(50): f()
try:
    with open("/tmp/fill", "wb") as fill:
        while True: fill.write(bytes(65536))
except OSError: pass
for i in range(300000): f()
print("over", os.listdir("/tmp")[0][:9])
`;
      const out = mkdtempSync("/dev/shm/tk-lines-test-");
      try {
        const program = join(out, "full.py");
        writeFileSync(program, text);
        const script =
          'mount --bind "$0" "$1"; mount -t tmpfs -o size=6m tmpfs /tmp; mount -t tmpfs -o size=1m tmpfs /var/tmp; "$@"; status=$?; ls /tmp; exit $status';
        const tk = join(out, "tk");
        writeFileSync(tk, "");
        const words = ["unshare", "-m", "sh", "-c", script, TK, tk, "record", "--lines", "-o", join(out, "full.prof")];
        const ran = await run([...words, "--", "/usr/bin/python3", program], {
          cwd: "/",
          env: { PATH: "/usr/bin:/bin" },
        });
        expect(ran.status).toBe(0);
        expect(ran.stdout).toMatch(/^over .*\nfill\n$/);
        expect(ran.stderr).toContain("LOST");
        const lines = readRecording(join(out, "full.prof"));
        expect(withTag(lines, "Lost").length).toBeGreaterThan(0);
        expect(counts(lines)["full.py:4"]).toBeGreaterThan(0);
      } finally {
        rmSync(out, { recursive: true });
      }
    },
  );

  test("options that do not go together", async () => {
    const words = (...w: string[]) => [TK, "record", ...w, "-o", join(folder, "x.prof"), "--", "true"];
    const empty = await run(words("--lines=a,,b"));
    expect([empty.status, empty.stderr.split("\n")[0]]).toEqual([
      2,
      "tk: --lines is 'a,,b', expected packages or paths with a comma between them, such as --lines=mypkg,./src",
    ]);
    const backend = await run(words("--backend", "bpftrace", "--lines"));
    expect([backend.status, backend.stderr.split("\n")[0]]).toEqual([2, "tk: --lines needs the ptrace backend"]);
  });
});
