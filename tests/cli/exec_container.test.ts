// `tk exec` as the first process of a PID namespace, as in a container: zombies are waited for, SIGTERM reaches the
// program, its exit status comes out, and reports are made. Needs root for unshare(1).
import { beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { chalk, ExecBench, noTkIn, waitUntil } from "../support/exec.ts";
import { requireTk, TK } from "../support/tk.ts";
import { lacks } from "../support/needs.ts";

setDefaultTimeout(60_000);
beforeAll(requireTk);

const container = (...words: string[]) => [
  "unshare",
  "--pid",
  "--fork",
  "--kill-child",
  "--mount-proc",
  TK,
  "exec",
  ...words,
];
const noReporter = (bench: ExecBench) => noTkIn(bench.home);

/** A program that, unlike a shell, never waits for children that it did not make. */
const CARELESS = `
import os, sys, time
def zombies():
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try: stat = open(f"/proc/{name}/stat").read()
            except OSError: continue
            if stat.rpartition(")")[2].split()[0] == "Z": found.append(name)
    return found
end = time.time() + float(sys.argv[1])
seen = 0
while time.time() < end:
    time.sleep(0.05)
    seen = seen + 1 if zombies() else 0
print("pid", os.getpid(), "zombies that stay:", seen > 4)
sys.exit(5)
`;

describe.skipIf(lacks("root", "a pid namespace", "python"))("pid 1 of a PID namespace", () => {
  test("in place: the program is pid 1, its status comes out, the report is delivered, no zombie stays", async () => {
    const bench = new ExecBench();
    const script = bench.file("careless.py", CARELESS);
    const ran = await bench.run(container("--", "/usr/bin/python3", script, "2"));
    expect([ran.stderr, ran.stdout, ran.status]).toEqual(["", "pid 1 zombies that stay: False\n", 5]);
    const [report] = await bench.count(1);
    expect([chalk(report)["_PROCESS_PID"], chalk(report)["_PROCESS_PARENT_PID"]]).toEqual([1, 0]);
    await noReporter(bench);
  });

  test("in place: heartbeats until the program ends", async () => {
    const bench = new ExecBench();
    const ran = await bench.run(
      container("--heartbeat", "--heartbeat-rate=100ms", "--", "sh", "-c", "sleep 1; exit 6"),
    );
    expect(ran.status).toBe(6);
    expect(bench.reports().length).toBeGreaterThan(3);
    await noReporter(bench);
  });

  test("as parent: orphans are waited for, the report is delivered also for a program that ends at once", async () => {
    const bench = new ExecBench();
    const script =
      "for i in 1 2 3 4 5; do (true & ); done; (sleep 0.2 &); sleep 0.6; grep -l 'State:.Z' /proc/[0-9]*/status; exit 7";
    const ran = await bench.run(container("--as-parent", "--", "sh", "-c", script));
    expect([ran.stderr, ran.stdout, ran.status]).toEqual(["", "", 7]);
    expect(bench.reports()).toHaveLength(1);
    expect((await bench.run(container("--as-parent", "--", "true"))).status).toBe(0);
    expect(bench.reports()).toHaveLength(2);
    expect(chalk(bench.reports()[0])["_PROCESS_PARENT_PID"]).toBe(1);
  });

  for (const mode of ["--no-as-parent", "--as-parent"])
    test(`${mode}: SIGTERM reaches the program`, async () => {
      const bench = new ExecBench();
      const script = `trap "echo got TERM; exit 3" TERM; echo ready >ready; while :; do sleep 0.05; done`;
      const command = container(mode, "--", "sh", "-c", script);
      const running = bench.run(["sh", "-c", `"$@" & echo $! >unshare; wait $!`, "sh", ...command]);
      await waitUntil(() => (readIf(join(bench.home, "ready")) === "ready\n" ? true : undefined));
      const unshare = readFileSync(join(bench.home, "unshare"), "utf8").trim();
      const first = readFileSync(`/proc/${unshare}/task/${unshare}/children`, "utf8").trim();
      process.kill(Number(first), "SIGTERM");
      const ran = await running;
      expect([ran.stdout, ran.status]).toEqual(["got TERM\n", 3]);
      await noReporter(bench);
    });

  for (const mode of ["--no-as-parent", "--as-parent"])
    test(`${mode}: death by a signal comes out as a status of 128 and more`, async () => {
      const bench = new ExecBench();
      // A first process cannot be killed from inside by a signal that it has no handler for; its child can.
      const ran = await bench.run(container(mode, "--", "sh", "-c", "sh -c 'kill -KILL $$'; exit $?"));
      expect(ran.status).toBe(137);
      await noReporter(bench);
    });

  test("without /dev and without a home, as another user", async () => {
    const bench = new ExecBench();
    const inside = 'mount -t tmpfs none /dev && exec "$@"';
    const words = [TK, "exec", "--log-level=none", "--", "sh", "-c", "echo fine; exit 9"];
    const ran = await bench.run(
      ["unshare", "--pid", "--fork", "--mount", "--mount-proc", "sh", "-c", inside, "sh", ...words],
      {
        env: { HOME: "/proc" },
      },
    );
    expect([ran.stdout, ran.status]).toEqual(["fine\n", 9]);
  });
});

function readIf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
