// What can go wrong around a program under `tk exec`, one test each: the program never feels it, and no report is lost without a word.
import { beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { chalk, ExecBench, noTkIn, operations, readReports, reportersIn, waitUntil } from "../support/exec.ts";
import { killWithChildren } from "../support/signals.ts";
import { isRoot, requireTk, TK } from "../support/tk.ts";
import { lacks } from "../support/needs.ts";

setDefaultTimeout(60_000);
beforeAll(requireTk);

const noReporter = (bench: ExecBench) => noTkIn(bench.home);

const sink = (name: string, fields: string) =>
  `sink_config ${name} {\n${fields}\n}\nsubscribe("report", "${name}")\nunsubscribe("report", "default_out")\n`;

describe("a configuration that cannot be used: told with its place, and nothing is started", () => {
  const bench = new ExecBench();

  test.each<[string, string, RegExp]>([
    [
      "an unknown key",
      'report_template t { key._NO_SUCH.use = true }\noutconf.exec.report_template: "t"\n',
      /bad\.c4m:1.*_NO_SUCH/,
    ],
    ["an unknown template", 'outconf.exec.report_template: "nope"\n', /no report template 'nope'/],
    ["an unknown attribute", "exec.heartbeet: true\n", /bad\.c4m:1:\d+.*heartbeet/],
    ["an unknown sink", 'sink_config x { sink: "carrier_pigeon" }\n', /bad\.c4m:1.*carrier_pigeon/],
    ["a broken file", "exec {\n", /bad\.c4m:\d+:\d+/],
  ])("%s", async (_, text, said) => {
    const file = bench.file("bad.c4m", text);
    for (const mode of ["--no-as-parent", "--as-parent"]) {
      const ran = await bench.exec(["-f", file, mode, "--", "touch", "started"]);
      expect(ran.stderr).toMatch(said);
      expect(ran.stderr).not.toContain("    at ");
      expect(ran.status).toBe(125);
    }
    expect(existsSync(join(bench.home, "started"))).toBe(false);
  });

  test("a file that is not there", async () => {
    const ran = await bench.exec(["-f", "nowhere.c4m", "--", "touch", "started"]);
    expect([ran.status, ran.stdout]).toEqual([125, ""]);
    expect(ran.stderr).toContain("nowhere.c4m");
  });

  test("a template for heartbeats that does not exist, also without heartbeats on the command line", async () => {
    const ran = await bench.exec(["--report-template=nope", "--", "touch", "started"]);
    expect([ran.status, existsSync(join(bench.home, "started"))]).toEqual([125, false]);
  });
});

describe("sinks that fail", () => {
  test("cannot open: the program runs, the user is told, the report is kept", async () => {
    const bench = new ExecBench();
    const file = bench.file(
      "f.c4m",
      sink("f", 'sink: "file"\nfilename: "/proc/nowhere/x.log"\nuse_search_path: false'),
    );
    const ran = await bench.exec(["-f", file, "--", "sh", "-c", "echo ran; sleep 1; exit 4"]);
    expect([ran.stdout, ran.status]).toEqual(["ran\n", 4]);
    await noReporter(bench);
    expect(undelivered(bench)).toHaveLength(1);
  });

  test.skipIf(lacks("mount", "a mount namespace"))(
    "a full disk: told, kept, and delivered when there is room",
    async () => {
      if (!isRoot) {
        console.log("not run: mounting a small file system needs root");
        return;
      }
      const bench = new ExecBench();
      const file = bench.file(
        "full.c4m",
        sink("f", `sink: "file"\nfilename: "${bench.home}/disk/r.log"\nuse_search_path: false`),
      );
      const words = [TK, "exec", "-f", file, "--", "sh", "-c", "echo ran; exit 3"];
      const script = `mkdir disk && mount -t tmpfs -o size=8k none disk && dd if=/dev/zero of=disk/fill bs=1k count=100 2>/dev/null
      "$@"; echo status $?`;
      const ran = await bench.run(["unshare", "-m", "sh", "-c", script, "sh", ...words]);
      expect(ran.stdout).toContain("ran\nstatus 3\n");
      await noReporter(bench);
      expect(undelivered(bench)).toHaveLength(1);
      const room = bench.file("room.c4m", sink("f", `sink: "file"\nfilename: "${bench.home}/room.log"`));
      await bench.exec(["-f", room, "--", "true"]);
      await noReporter(bench);
      expect(JSON.parse(readFileSync(join(bench.home, "room.log"), "utf8")) as unknown[]).toHaveLength(2);
    },
  );

  test("an unreachable collector: kept, and the next run brings both", async () => {
    const bench = new ExecBench();
    const got: unknown[][] = [];
    const server = Bun.serve({
      port: 0,
      fetch: async (request) => {
        got.push((await request.json()) as unknown[]);
        return new Response("ok");
      },
    });
    const port = server.port;
    await server.stop(true);
    const file = bench.file("post.c4m", sink("p", `sink: "post"\nuri: "http://127.0.0.1:${port}/r"`));
    const ran = await bench.exec(["-f", file, "--", "sh", "-c", "exit 6"]);
    expect(ran.status).toBe(6);
    await noReporter(bench);
    expect(undelivered(bench)).toHaveLength(1);
    const again = Bun.serve({
      port: port ?? 0,
      fetch: async (request) => {
        got.push((await request.json()) as unknown[]);
        return new Response("ok");
      },
    });
    await bench.exec(["-f", file, "--", "true"]);
    await noReporter(bench);
    await again.stop(true);
    expect(got).toHaveLength(1);
    expect(got[0]).toHaveLength(2);
    expect(undelivered(bench)).toEqual([]);
  });

  test("a collector that hangs: nobody waits, other sinks and the beat go on, the reporter ends by itself", async () => {
    const bench = new ExecBench();
    const server = Bun.serve({ port: 0, idleTimeout: 60, fetch: () => new Promise<Response>(() => {}) });
    const text = `sink_config p {\nsink: "post"\nuri: "http://127.0.0.1:${server.port}/r"\ntimeout: 1500\n}\nsubscribe("report", "p")\n`;
    const file = bench.file("hang.c4m", `${text}exec.heartbeat: true\nexec.heartbeat_rate: <<200 ms>>\n`);
    const command = [TK, "exec", "-f", file, "--", "sh", "-c", "echo out; sleep 1; echo end"];
    const ran = await bench.run(["sh", "-c", `x=$("$@" 2>&1); echo "[$x]"`, "sh", ...command]);
    expect(ran.stdout).toBe("[out\nend]\n");
    expect(ran.ms).toBeLessThan(15_000);
    const reports = await bench.waitFor((all) => all.length >= 4);
    const times = reports.slice(1).map((r) => Number(r["_TIMESTAMP"]));
    expect(times[1]! - times[0]!).toBeLessThan(1000);
    await noReporter(bench);
    await server.stop(true);
    expect(undelivered(bench).length).toBeGreaterThan(0);
  });

  test("a home that nobody may write to: the program runs all the same", async () => {
    const bench = new ExecBench();
    const ran = await bench.exec(["--", "sh", "-c", "echo ran; exit 2"], { user: "ordinary", env: { HOME: "/proc" } });
    expect([ran.stdout, ran.status]).toEqual(["ran\n", 2]);
  });
});

/** What waits in the report cache. */
function undelivered(bench: ExecBench): string[] {
  const path = join(bench.home, ".local/state/tk/undelivered.jsonl");
  if (!existsSync(path)) return [];
  return readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line !== "");
}

describe("programs", () => {
  test("dies before the first report: reported all the same, by what is known", async () => {
    const bench = new ExecBench();
    for (const script of ["kill -KILL $$", "exit 0"]) await bench.exec(["--", "sh", "-c", script]);
    const reports = await bench.count(2);
    for (const report of reports) {
      expect(report["_OPERATION"]).toBe("exec");
      expect(typeof report["_OP_HOSTNAME"]).toBe("string");
      expect(chalk(report)["_OP_ARTIFACT_PATH"]).toMatch(/\/(da)?sh$/);
    }
    await noReporter(bench);
  });

  test("forks away (a daemon): tk ends with the program, the reporter as well, the daemon lives", async () => {
    const bench = new ExecBench();
    for (const mode of ["--no-as-parent", "--as-parent"]) {
      const script = `setsid sh -c 'echo $$ >daemon; sleep 60' >/dev/null 2>&1 </dev/null & while [ ! -s daemon ]; do sleep 0.01; done; echo started`;
      const ran = await bench.exec(["--heartbeat", "--heartbeat-rate=1s", mode, "--", "sh", "-c", script]);
      expect([ran.stdout, ran.status]).toEqual(["started\n", 0]);
      await noReporter(bench);
      const daemon = Number(readFileSync(join(bench.home, "daemon"), "utf8"));
      expect(existsSync(`/proc/${daemon}`)).toBe(true);
      killWithChildren(daemon);
      rmSync(join(bench.home, "daemon"));
    }
    const reports = bench.reports();
    expect(operations(reports).filter((o) => o === "exec")).toHaveLength(2);
    expect(reports.at(-1)!["_OPERATION"]).toBe("heartbeat");
  });

  test("becomes another program: reported as what it is then", async () => {
    const bench = new ExecBench();
    const words = ["--heartbeat", "--heartbeat-rate=100ms", "--", "sh", "-c", "sleep 0.3; exec sleep 30"];
    const file = bench.file("more.c4m", "report_template heartbeat { key._PROCESS_ARGV.use = true }\n");
    const running = bench.start(["-f", file, ...words]);
    await bench.waitFor((all) => all.some((r) => String(chalk(r)["_PROCESS_ARGV"]) === "sleep,30"));
    running.kill("SIGTERM");
    expect((await running.done).signal).toBe("SIGTERM");
    await noReporter(bench);
  });

  test("stopped and continued", async () => {
    const bench = new ExecBench();
    const file = bench.file("more.c4m", "report_template heartbeat { key._PROCESS_STATE.use = true }\n");
    const running = bench.start(["-f", file, "--heartbeat", "--heartbeat-rate=100ms", "--", "sleep", "60"]);
    await bench.count(2);
    running.kill("SIGSTOP");
    await bench.waitFor((all) => all.some((r) => chalk(r)["_PROCESS_STATE"] === "Stopped"));
    running.kill("SIGCONT");
    const before = bench.reports().length;
    await bench.waitFor((all) => all.slice(before).some((r) => chalk(r)["_PROCESS_STATE"] === "Sleeping"));
    running.kill("SIGKILL");
    await running.done;
    await noReporter(bench);
  });
});

test("a hundred at once into one file: every report whole", async () => {
  const bench = new ExecBench();
  const file = bench.file("one.c4m", sink("f", 'sink: "file"\nfilename: "./all.log"'));
  const script = 'for i in $(seq 100); do "$@" & done; wait';
  const ran = await bench.run(["bash", "-c", script, "bash", TK, "exec", "-f", file, "--", "echo", "x"]);
  expect(ran.stdout).toBe("x\n".repeat(100));
  expect(ran.stderr).toBe("");
  const path = join(bench.home, "all.log");
  await waitUntil(
    () => (existsSync(path) && lines(path) === 100 ? true : undefined),
    () => `${lines(path)} lines`,
  );
  const reports = readReports(readFileSync(path, "utf8"));
  expect(new Set(reports.map((r) => r["_EXEC_ID"])).size).toBe(100);
  expect(new Set(reports.map((r) => r["_OPERATION"]))).toEqual(new Set(["exec"]));
  await noReporter(bench);
}, 120_000);

const lines = (path: string) => readFileSync(path).filter((b) => b === 10).length;

describe("a hostile environment", () => {
  const ENV = 'env_default_action: "show"\n';

  test("control characters, invalid UTF-8 and a mebibyte of values: shown harmlessly, given to the program as they were", async () => {
    const bench = new ExecBench();
    const file = bench.file("show.c4m", ENV);
    const big = "for i in 1 2 3 4 5 6 7 8; do export BIG$i=$(head -c 130000 /dev/zero | tr '\\0' b); done";
    const hostile = `export ESC=$'\\x1b]0;x\\a' BAD=$'\\xff\\xfe' LINES=$'a\\nb' BIDI=$'\\u202e' __proto__=p AWS_SECRET_ACCESS_KEY=hidden`;
    const script = `${big}; ${hostile}; "$@" >under; env >plain`;
    const ran = await bench.run(["bash", "-c", script, "bash", TK, "exec", "-f", file, "--", "env"]);
    expect([ran.stderr, ran.status]).toEqual(["", 0]);
    const under = readFileSync(join(bench.home, "under"))
      .toString("latin1")
      .split("\n")
      .filter((l) => !l.startsWith("_="));
    const plain = readFileSync(join(bench.home, "plain"))
      .toString("latin1")
      .split("\n")
      .filter((l) => !l.startsWith("_="));
    expect(under.join("\n") === plain.join("\n")).toBe(true);
    const [report] = await bench.count(1);
    const shown = report!["_ENV"] as Record<string, string>;
    expect([shown["ESC"], shown["LINES"], shown["BAD"], shown["AWS_SECRET_ACCESS_KEY"]]).toEqual([
      "\x1b]0;x\x07",
      "a\nb",
      "\ufffd\ufffd",
      "<<redact>>",
    ]);
    expect(shown["BIG8"]).toHaveLength(130_000);
    // In the file itself nothing steers a terminal.
    expect(readFileSync(bench.log).some((b) => b < 0x20 && b !== 10)).toBe(false);
  });

  test("by default five names are shown and nothing of it stands in the reporter's command line", async () => {
    const bench = new ExecBench();
    const running = bench.start(["--heartbeat", "--", "sleep", "30"], { env: { SECRET: "hush", USER: "me" } });
    const [report] = await bench.count(1);
    expect(Object.keys(report!["_ENV"] as object).sort()).toEqual(["PATH", "USER"]);
    const [reporter] = reportersIn(bench.home);
    expect(readFileSync(`/proc/${reporter}/cmdline`, "latin1").split("\0").slice(0, -1)).toEqual([
      TK,
      "exec-reporter",
      expect.stringMatching(/^\d+$/) as unknown as string,
    ]);
    running.kill("SIGKILL");
    await running.done;
    await noReporter(bench);
  });
});

describe("the reporter", () => {
  test("killed: the program does not notice", async () => {
    const bench = new ExecBench();
    for (const mode of ["--no-as-parent", "--as-parent"]) {
      const running = bench.start([
        "--heartbeat",
        mode,
        "--",
        "sh",
        "-c",
        "while [ ! -e go ]; do sleep 0.02; done; echo fine; exit 8",
      ]);
      const [reporter] = await waitUntil(() =>
        reportersIn(bench.home).length > 0 ? reportersIn(bench.home) : undefined,
      );
      process.kill(reporter!, "SIGKILL");
      await waitUntil(() => (reportersIn(bench.home).length === 0 ? true : undefined));
      bench.file("go", "");
      const ran = await running.done;
      expect([ran.stdout, ran.status]).toEqual(["fine\n", 8]);
      await bench.run(["rm", "go"]);
    }
  });

  test("holds only what it needs: no descriptor of the program's, standard output only when it is written to", async () => {
    const bench = new ExecBench();
    const script = `exec 7<>/dev/zero 8< <(exec sleep 3 >/dev/null 2>&1); "$@" | cat`;
    const running = bench.run(["bash", "-c", script, "bash", TK, "exec", "--heartbeat", "--", "sleep", "1"]);
    await bench.count(1);
    const [reporter] = await waitUntil(() =>
      reportersIn(bench.home).length > 0 ? reportersIn(bench.home) : undefined,
    );
    const open = (await bench.run(["ls", "-l", `/proc/${reporter}/fd`])).stdout;
    expect(open).not.toMatch(/\b7 -> \/dev\/zero|\b8 -> pipe/);
    expect(open).toMatch(/\b0 -> \/dev\/null/);
    expect(open).toMatch(/\b1 -> \/dev\/null/);
    await running;
    await noReporter(bench);
  });

  test("asked to end while the program lives, it does, and says nothing", async () => {
    const bench = new ExecBench();
    const running = bench.start(["--heartbeat", "--heartbeat-rate=100ms", "--", "sleep", "60"]);
    await bench.count(3);
    const [reporter] = reportersIn(bench.home);
    process.kill(reporter!, "SIGTERM");
    await noReporter(bench);
    running.kill("SIGKILL");
    const ran = await running.done;
    expect(ran.stderr).toBe("");
  });

  test("called by hand, it says that it is none of the user's business", async () => {
    const bench = new ExecBench();
    for (const words of [["exec-reporter"], ["exec-reporter", "0"], ["exec-reporter", "99"], ["exec-reporter", "x"]]) {
      const ran = await bench.run([TK, ...words]);
      expect([ran.status, ran.stdout]).toEqual([2, ""]);
      expect(ran.stderr).toContain("nothing to do here");
    }
  });
});

test("-o: a new file each time, refused before the program runs when it cannot be opened", async () => {
  const bench = new ExecBench();
  for (let i = 0; i < 2; i++) {
    await bench.exec(["-o", "out.json", "--", "true"]);
    await noReporter(bench);
    expect(operations(bench.reports(join(bench.home, "out.json")))).toEqual(["exec"]);
  }
  const ran = await bench.exec(["-o", "no/such/folder/x", "--", "touch", "started"]);
  expect([ran.status, existsSync(join(bench.home, "started"))]).toEqual([125, false]);
  expect(ran.stderr).toContain("Cannot write reports to 'no/such/folder/x'");
  if (isRoot) expect(statSync(join(bench.home, "out.json")).mode & 0o777).toBe(0o600);
});

test("started in a directory that has been removed: the program runs there, and is reported", async () => {
  const bench = new ExecBench();
  const script = 'mkdir gone && cd gone && rmdir ../gone && "$@"';
  for (const mode of ["--no-as-parent", "--as-parent"]) {
    const ran = await bench.run(["sh", "-c", script, "sh", TK, "exec", mode, "--", "readlink", "/proc/self/cwd"]);
    expect([ran.stdout, ran.stderr, ran.status]).toEqual([`${bench.home}/gone (deleted)\n`, "", 0]);
  }
  await bench.count(2);
  await noReporter(bench);
});
