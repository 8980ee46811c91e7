// What the reporter of `tk exec` says, and that it does not hold open what the program's readers wait for.
import { beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { join } from "node:path";
import { ExecBench, noTkIn, reportersIn } from "../support/exec.ts";
import { requireTk, TK } from "../support/tk.ts";

setDefaultTimeout(60_000);
beforeAll(requireTk);

/** A collector that nobody can reach. */
const NOWHERE = `sink_config p {\nsink: "post"\nuri: "http://127.0.0.1:1/r"\n}\nsubscribe("report", "p")\n`;
const log = (bench: ExecBench) => join(bench.home, ".local/state/tk/messages.log");
const gone = (bench: ExecBench) => noTkIn(bench.home);

test("a pipe that is the program's stderr is not open in the reporter; a file is", async () => {
  const bench = new ExecBench();
  const command = [
    TK,
    "exec",
    "--heartbeat",
    "--heartbeat-rate",
    "60",
    "--",
    "sh",
    "-c",
    "until test -e done; do sleep 0.05; done",
  ];
  for (const [how, wanted] of [
    ['"$@" 2>&1 | cat', /^\/dev\/null$/],
    ['"$@" 2>said', /\/said$/],
  ] as const) {
    const running = bench.run(["sh", "-c", `rm -f done; ${how}`, "sh", ...command]);
    await bench.waitFor((reports) => reports.length >= (how.includes("cat") ? 1 : 3));
    const [pid] = reportersIn(bench.home);
    expect(readlinkSync(`/proc/${pid}/fd/2`)).toMatch(wanted);
    bench.file("done", "");
    await running;
    await gone(bench);
  }
});

test("a program that lives hears about a failed sink where its own messages go, also through a pipe", async () => {
  const bench = new ExecBench();
  const file = bench.file("nowhere.c4m", NOWHERE);
  const wait = "i=0; until grep -q sink said || test $i = 200; do sleep 0.05; i=$((i+1)); done";
  const command = [TK, "exec", "-f", file, "--", "sh", "-c", wait];
  await bench.run(["sh", "-c", `: >said; "$@" 2>&1 | cat >>said`, "sh", ...command]);
  expect(readFileSync(join(bench.home, "said"), "utf8")).toMatch(/^tk: sink 'p': http:\/\/127\.0\.0\.1:1: /);
  await gone(bench);
  expect(existsSync(log(bench))).toBe(false);
});

test("what nobody can be told any more is in a file that only its owner reads", async () => {
  const bench = new ExecBench();
  const file = bench.file("nowhere.c4m", NOWHERE);
  const ran = await bench.run(["sh", "-c", `"$@" 2>&1 | cat`, "sh", TK, "exec", "-f", file, "--", "true"]);
  expect(ran.stdout).toBe("");
  await gone(bench);
  expect(readFileSync(log(bench), "utf8")).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z \d+ tk: sink 'p': /);
  expect(statSync(log(bench)).mode & 0o777).toBe(0o600);
});

test("a report that has no place at all is shown through the program's pipe", async () => {
  const bench = new ExecBench();
  const file = bench.file("no.c4m", `use_report_cache: false\n${NOWHERE}unsubscribe("report", "default_out")\n`);
  const wait = "i=0; until grep -q _OPERATION said || test $i = 200; do sleep 0.05; i=$((i+1)); done";
  const command = [TK, "exec", "-f", file, "--", "sh", "-c", wait];
  await bench.run(["sh", "-c", `: >said; "$@" 2>&1 | cat >>said`, "sh", ...command]);
  expect(readFileSync(join(bench.home, "said"), "utf8")).toMatch(
    /so it is shown here[^\n]*\n\[\{"_OPERATION":"exec".*\}\]\n/,
  );
  await gone(bench);
});

test("what a sink is opened with is not in the reports that other sinks get", async () => {
  const bench = new ExecBench();
  const file = bench.file(
    "secret.c4m",
    NOWHERE.replace('/r"', '/r?token=TOPSECRET"\nheaders: mime_to_dict("Authorization: Bearer TOPSECRET")'),
  );
  await bench.run(["sh", "-c", `"$@" 2>&1 | cat`, "sh", TK, "exec", "-f", file, "--", "true"]);
  await gone(bench);
  const state = join(bench.home, ".local/state/tk");
  for (const name of ["reports.log", "messages.log", "undelivered.jsonl"]) {
    const text = readFileSync(join(state, name), "utf8");
    expect(text).not.toBe("");
    expect(text).not.toContain("TOPSECRET");
  }
});
