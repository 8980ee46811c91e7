// `tk exec` as users run it: which program runs with which words, how it ends, and what is reported when.
// Transparency has its own test (exec_transparency), faults theirs (exec_faults), containers theirs (exec_container).
import { beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { chalk, ExecBench, noTkIn, operations, reportersIn, waitUntil } from "../support/exec.ts";
import { PLAIN_ENV, programs, temporaryFolder } from "../support/programs.ts";
import { killWithChildren } from "../support/signals.ts";
import { requireTk, run, TK } from "../support/tk.ts";
import { lacks } from "../support/needs.ts";

// Most of these take milliseconds; a machine with other work may take its time.
setDefaultTimeout(60_000);
beforeAll(requireTk);

describe("the program's words", () => {
  const bench = new ExecBench();
  const print = ["sh", "-c", 'printf "<%s>" "$@"', "sh"];

  test.each<[string, string[], string]>([
    ["behind --", ["--", ...print, "-la", "--heartbeat", "--"], "<-la><--heartbeat><-->"],
    ["behind the first word", [...print, "--help", "-f", "x", "--", "y"], "<--help><-f><x><--><y>"],
    ["behind --exec-command-name=NAME", ["--exec-command-name=echo", "-la", "a"], "-la a\n"],
    ["behind --exec-command-name NAME", ["--exec-command-name", "echo", "--", "--heartbeat"], "--heartbeat\n"],
    ["the value may be the next word", ["--exec-command-name=", "echo", "a"], "a\n"],
    ["flags of exec first", ["--exec-command-name=echo", "--no-heartbeat", "--log-level=none", "x"], "x\n"],
    [
      "flags of many programs",
      ["--exec-command-name=echo", "--verbose", "--help", "-o", "f"],
      "--verbose --help -o f\n",
    ],
    ["bundled letters that begin like tk's", ["--exec-command-name=echo", "-fsSL", "-lc", "-v"], "-fsSL -lc -v\n"],
    ["`help`", ["--", "echo", "help"], "help\n"],
  ])("%s", async (_, words, wanted) => {
    const ran = await bench.exec(words);
    expect([ran.stdout, ran.stderr, ran.shell]).toEqual([wanted, "", 0]);
  });

  test("flags may stand before the word exec", async () => {
    const file = bench.file("before.c4m", 'exec.command_name: "echo"\nexec.default_args: ["from", "the file"]\n');
    const ran = await bench.run([TK, "-f", file, "--error", "exec"]);
    expect([ran.stdout, ran.stderr, ran.shell]).toEqual(["from the file\n", "", 0]);
  });

  test.each<[string, string, string[], string, number]>([
    ["defaults", 'exec.default_args: ["echo", "a"]', [], "a\n", 0],
    ["replaced", 'exec.command_name: "echo"\nexec.default_args: ["a"]', ["b"], "b\n", 0],
    [
      "appended",
      'exec.command_name: "echo"\nexec.default_args: ["a"]\nexec.append_command_line_args: true\nexec.override_ok: false',
      ["b"],
      "a b\n",
      0,
    ],
    ["fixed", 'exec.command_name: "echo"\nexec.default_args: ["a"]\nexec.override_ok: false', ["b"], "", 2],
  ])("%s by the configuration", async (name, text, words, wanted, status) => {
    const file = bench.file(`${name}.c4m`, `${text}\n`);
    const ran = await bench.exec(["--config-file", file, ...words]);
    expect([ran.stdout, ran.shell]).toEqual([wanted, status]);
  });

  test("a program that only exec.search_path finds gets its path as argv[0]; others get their name", async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "shown"), "#!/bin/sh\ntr '\\0' ' ' </proc/$$/cmdline\n");
    chmodSync(join(folder, "shown"), 0o755);
    const file = bench.file("path.c4m", `exec.search_path: ["/nowhere", "${folder}"]\n`);
    const ran = await bench.exec(["-f", file, "--", "shown", "x"]);
    expect(ran.stdout).toBe(`/bin/sh ${folder}/shown x `);
    const python = ["-c", "import sys; print(sys.orig_argv[0])"];
    expect((await bench.exec(["--", "python3", ...python])).stdout).toBe("python3\n");
    const only = bench.file("only.c4m", 'exec.search_path: ["/usr/bin"]\nexec.use_path: false\n');
    expect((await bench.exec(["-f", only, "--", "python3", ...python])).stdout).toBe("/usr/bin/python3\n");
    expect((await bench.exec(["-f", only, "--", "shown"])).shell).toBe(127);
  });
});

describe("what cannot be run", () => {
  const bench = new ExecBench();

  test.each<[string, string[], number, RegExp]>([
    ["not found", ["--", "no-such-command"], 127, /Cannot run 'no-such-command': there is no such command in PATH/],
    ["no such path", ["--", "./no/such"], 127, /No such file or directory/],
    ["not executable", ["--", "/etc/passwd"], 126, /Cannot run '\/etc\/passwd': Permission denied/],
    ["a folder", ["--", "/usr"], 126, /Permission denied/],
    ["a bad interpreter", ["--", "BAD"], 127, /No such file or directory/],
    ["nothing", [], 2, /No program was named/],
    ["an unknown flag", ["--heartbeet", "--", "true"], 2, /Unknown option '--heartbeet'.*did you mean --heartbeat/],
    ["a flag without its value", ["--report-template"], 2, /--report-template needs a value/],
    ["a bad format", ["--format", "xml", "true"], 2, /expected json or ndjson/],
  ])("%s", async (_, words, status, said) => {
    if (words.includes("BAD") && lacks("gcc")) return;
    const real = words.map((word) => (word === "BAD" ? join(programs(), "bad_shebang") : word));
    for (const mode of [[], ["--as-parent"]]) {
      const ran = await bench.exec([...mode, ...real]);
      expect(ran.stderr).toMatch(said);
      expect(ran.stderr).not.toContain("    at ");
      expect([ran.shell, ran.stdout]).toEqual([status, ""]);
    }
    await noTkIn(bench.home);
    expect(existsSync(bench.log)).toBe(false);
  });

  test("a program that is being written to: only exec itself can tell, and then nothing is reported", async () => {
    for (const mode of ["--no-as-parent", "--as-parent"]) {
      const script = 'cp /bin/true busy; exec 9>>busy; "$@"';
      const ran = await bench.run(["sh", "-c", script, "sh", TK, "exec", mode, "--", "./busy"]);
      expect(ran.stderr).toContain("Cannot run './busy': Text file busy");
      expect(ran.shell).toBe(126);
    }
    await noTkIn(bench.home);
    expect(existsSync(bench.log)).toBe(false);
  });
});

describe("the ending", () => {
  const bench = new ExecBench();

  for (const mode of [[], ["--as-parent"]] as const) {
    const name = mode.length === 0 ? "in place" : "as parent";
    test(`${name}: exit statuses and signals are the program's`, async () => {
      for (const code of [0, 1, 7, 125, 127, 255])
        expect((await bench.exec([...mode, "--", "sh", "-c", `exit ${code}`])).status).toBe(code);
      for (const [signal, number] of [
        ["SIGTERM", 15],
        ["SIGKILL", 9],
        ["SIGSEGV", 11],
        ["SIGHUP", 1],
      ] as const) {
        const ran = await bench.exec([...mode, "--", "sh", "-c", `kill -${number} $$`]);
        expect([ran.signal, ran.shell]).toEqual([signal, 128 + number]);
      }
    });

    test(`${name}: a signal sent to tk's pid reaches the program, once`, async () => {
      const own = new ExecBench();
      const names = ["HUP", "INT", "QUIT", "USR1", "USR2", "ALRM", "WINCH", "RTMIN+3", "TERM"];
      const traps = names.map((n) => `trap 'echo ${n} >>got' ${n}`).join("; ");
      const running = own.start([
        ...mode,
        "--",
        "bash",
        "-c",
        `${traps}; echo ready >>got; while :; do sleep 0.02; done`,
      ]);
      const got = () => (existsSync(join(own.home, "got")) ? readFileSync(join(own.home, "got"), "utf8") : "");
      await waitUntil(() => (got() === "ready\n" ? true : undefined));
      for (const name of names) {
        await own.run(["bash", "-c", `kill -${name} ${running.pid}`]);
        await waitUntil(() => (got().endsWith(`${name}\n`) ? true : undefined), got);
      }
      // As parent, the program and the reporter are tk's children; all of them hold the pipe that `done` waits for.
      killWithChildren(running.pid);
      await running.done;
      expect(got()).toBe(["ready", ...names, ""].join("\n"));
    });
  }

  test("in place: the program has tk's pid and parent, and no child that it did not make", async () => {
    const ran = await bench.run([
      "bash",
      "-c",
      `"$@" & wait $!; echo $!; exit 0`,
      "bash",
      TK,
      "exec",
      "--heartbeat",
      "--",
      "sh",
      "-c",
      "echo $$ $PPID; sleep 0.4; cat /proc/$$/task/$$/children; echo .",
    ]);
    const [seen, children, started] = ran.stdout.trim().split("\n");
    expect(seen!.split(" ")[0]).toBe(started!);
    expect(
      children!
        .trim()
        .split(/\s+/)
        .filter((w) => w !== "."),
    ).toHaveLength(1); // cat itself
  });

  test("as parent: the program is tk's child, and its parent in the report is tk", async () => {
    const other = new ExecBench();
    const running = other.start(["--as-parent", "--", "sh", "-c", "echo $PPID; sleep 0.2"]);
    const ran = await running.done;
    expect(ran.stdout.trim()).toBe(String(running.pid));
    const [report] = await other.count(1);
    expect(chalk(report)["_PROCESS_PARENT_PID"]).toBe(running.pid);
    expect(chalk(report)["_PROCESS_PID"]).not.toBe(running.pid);
  });
});

describe("reports", () => {
  test("the first one says what the kernel says, while the program lives", async () => {
    const bench = new ExecBench();
    const running = bench.start(["--", "sleep", "30"]);
    const [report] = await bench.count(1);
    const proc = (name: string) => readFileSync(`/proc/${running.pid}/${name}`, "utf8");
    const seen = chalk(report);
    expect(seen["_PROCESS_PID"]).toBe(running.pid);
    expect(seen["_PROCESS_PARENT_PID"]).toBe(process.pid);
    expect(seen["_PROCESS_ARGV"]).toEqual(["sleep", "30"]);
    expect(seen["_PROCESS_COMMAND_NAME"]).toBe(proc("comm").trim());
    expect(seen["_PROCESS_CWD"]).toBe(bench.home);
    expect(seen["_PROCESS_STATE"]).toBe("Sleeping");
    const start = Number(proc("stat").split(") ")[1]!.split(" ")[19]) / 100;
    expect(seen["_PROCESS_START_TIME"]).toBeCloseTo(start, 2);
    expect(report!["_OPERATION"]).toBe("exec");
    expect(Math.abs(Number(report!["_TIMESTAMP"]) - Date.now())).toBeLessThan(30_000);
    expect(report!["_OP_ARGV"]).toEqual([TK, "exec", "--", "sleep", "30"]);
    // Without heartbeats the reporter has done its work.
    await noTkIn(bench.home);
    running.kill("SIGKILL");
    await running.done;
  });

  test("a script: interpreter and script as the kernel has them", async () => {
    const bench = new ExecBench();
    chmodSync(bench.file("hello.sh", "#!/bin/bash\nsleep 30 & wait\n"), 0o755);
    const running = bench.start(["--exec-command-name=./hello.sh"]);
    const seen = chalk((await bench.count(1))[0]);
    killWithChildren(running.pid);
    await running.done;
    expect(seen["_PROCESS_COMMAND_NAME"]).toBe("hello.sh");
    expect(seen["_PROCESS_ARGV"]).toEqual(["/bin/bash", "./hello.sh"]);
  });

  test("a program that ends at once is reported; most of the time with what it was", async () => {
    const bench = new ExecBench();
    for (let i = 1; i <= 10; i++) {
      expect((await bench.exec(["--", "ls", "-la", "/"])).status).toBe(0);
      await bench.count(i);
    }
    const reports = bench.reports();
    expect(operations(reports)).toEqual(Array.from({ length: 10 }, () => "exec"));
    for (const report of reports) expect(report["_OP_ARGV"]).toEqual([TK, "exec", "--", "ls", "-la", "/"]);
    const seen = reports.filter((report) => "_PROCESS_ARGV" in chalk(report));
    // Nothing holds the program back, so on a busy machine it may be gone before anybody has looked.
    for (const report of seen) {
      expect(chalk(report)["_PROCESS_ARGV"]).toEqual(["ls", "-la", "/"]);
      expect(chalk(report)["_PROCESS_CWD"]).toBe(bench.home);
    }
  });

  test("nothing of it reaches the program's output, and nobody waits for it", async () => {
    const bench = new ExecBench();
    const ran = await bench.run(["sh", "-c", `x=$("$@" 2>&1); echo "[$x]"`, "sh", TK, "exec", "--", "echo", "hi"]);
    expect(ran.stdout).toBe("[hi]\n");
    expect(ran.stderr).toBe("");
  });

  test("switched-off reports start no reporter", async () => {
    const bench = new ExecBench();
    const running = bench.start(["--skip-command-report", "--", "sh", "-c", "echo up >up; sleep 30"]);
    await waitUntil(() => (existsSync(join(bench.home, "up")) ? true : undefined));
    expect(reportersIn(bench.home)).toEqual([]);
    killWithChildren(running.pid);
    await running.done;
    expect(bench.reports()).toEqual([]);
  });

  test("subscribed to standard output, it stands between the program's lines", async () => {
    const bench = new ExecBench();
    const file = bench.file("console.c4m", 'subscribe("report", "json_console_out")\n');
    const running = bench.start([
      "-f",
      file,
      "--",
      "sh",
      "-c",
      "echo first; while [ ! -e go ]; do sleep 0.02; done; echo last",
    ]);
    await bench.count(1);
    await noTkIn(bench.home);
    bench.file("go", "");
    const ran = await running.done;
    expect(ran.stdout.startsWith("first\n[\n  {\n")).toBe(true);
    expect(ran.stdout.endsWith("last\n")).toBe(true);
    const text = ran.stdout.slice("first\n".length, -"last\n".length);
    const [report] = JSON.parse(text) as [Record<string, unknown>];
    expect(report["_OPERATION"]).toBe("exec");
  });
});

describe("heartbeats", () => {
  test("on time, without drift, numbered, and one at once after the end", async () => {
    const bench = new ExecBench();
    const rate = 200;
    const ran = await bench.exec(["--heartbeat", `--heartbeat-rate=${rate} ms`, "--", "sleep", "1.5"]);
    const ended = Date.now();
    expect(ran.status).toBe(0);
    const reports = await bench.waitFor((all) => {
      const last = all.at(-1);
      return last !== undefined && last["_OPERATION"] === "heartbeat" && !("_TK_RSS_BYTES" in chalkOrNothing(last));
    });
    const beats = reports.slice(1);
    expect(reports[0]!["_OPERATION"]).toBe("exec");
    expect(beats.map((r) => r["_HEARTBEAT_COUNT"])).toEqual(beats.map((_, i) => i + 1));
    expect(new Set(reports.map((r) => r["_EXEC_ID"])).size).toBe(1);
    // Multiples of the rate after the first beat, give or take what a busy machine adds.
    const times = beats.slice(0, -1).map((r) => Number(r["_TIMESTAMP"]));
    for (const time of times) {
      const since = time - times[0]!;
      expect(Math.abs(since - Math.round(since / rate) * rate)).toBeLessThan(rate * 0.45);
    }
    expect(beats.length).toBeGreaterThanOrEqual(4);
    expect(Number(beats.at(-1)!["_TIMESTAMP"]) - ended).toBeLessThan(1000);
    await noTkIn(bench.home);
  }, 30_000);

  test("both generations of names", async () => {
    for (const text of [
      "exec.heartbeat: true\nexec.heartbeat_rate: <<100 ms>>\n",
      "exec {\n heartbeat {\n run: true\n rate: <<100 ms>>\n }\n}\n",
    ]) {
      const bench = new ExecBench();
      const file = bench.file("beat.c4m", text);
      await bench.exec(["-f", file, "--", "sleep", "0.6"]);
      await bench.waitFor((all) => all.length >= 3);
    }
  });

  test("fresh values each time, small and nice", async () => {
    const bench = new ExecBench();
    const file = bench.file(
      "fresh.c4m",
      "exec.heartbeat: true\nexec.heartbeat_rate: <<150 ms>>\nreport_template heartbeat { key._PROCESS_UTIME.use = true }\n",
    );
    const running = bench.start(["-f", file, "--", "sh", "-c", "while :; do :; done"]);
    const reports = await bench.waitFor((all) => all.length >= 5);
    const [reporter] = reportersIn(bench.home);
    const stat = readFileSync(`/proc/${reporter}/stat`, "utf8").split(") ")[1]!.split(" ");
    expect(Number(stat[16])).toBe(5);
    const status = readFileSync(`/proc/${reporter}/status`, "utf8");
    expect(Number(/^RssAnon:\s+(\d+)/m.exec(status)![1])).toBeLessThan(40_000);
    // A session of its own: no signal of the program's terminal reaches it.
    expect(Number(stat[3])).toBe(reporter!);
    running.kill("SIGKILL");
    await running.done;
    const times = reports.slice(1).map((r) => Number(chalk(r)["_PROCESS_UTIME"]));
    expect(times.at(-1)!).toBeGreaterThan(times[0]!);
    await noTkIn(bench.home);
  });
});

function chalkOrNothing(report: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const list = report["_CHALKS"];
  return Array.isArray(list) ? (list[0] as Record<string, unknown>) : {};
}

test("help and completion know exec", async () => {
  const help = await run([TK, "exec", "--help"], { env: PLAIN_ENV });
  expect(help.stdout).toContain("--heartbeat-rate TIME");
  expect((await run([TK, "help", "exec"], { env: PLAIN_ENV })).stdout).toBe(help.stdout);
});
