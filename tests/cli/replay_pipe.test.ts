// `tk replay` without a screen, as users run it in pipes: text and NDJSON, pace, windows, following, signals, readers that go.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { appendFileSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { enterWord } from "../../lib/lines/block_builder.ts";
import { LineRecording } from "../support/line_recording.ts";
import { PLAIN_ENV } from "../support/programs.ts";
import { timelineText } from "../support/timeline.ts";
import { requireTk, run, start, TK } from "../support/tk.ts";
import { fixtureLog } from "../support/trackexec.ts";

const folder = mkdtempSync(join(realpathSync(tmpdir()), "tk-replay-pipe-"));
const put = (name: string, text: string | Uint8Array) => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};
beforeAll(requireTk);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const play = (...words: string[]) => run([TK, "replay", "--no-tui", ...words]);

const BUILD = timelineText(`
recording root=10 make
0ms 10 exec make -j2
10ms 10 fork 11
20ms 11 exec:fail 2 /opt/cc a.c
30ms 11 exec cc -c a.c
200ms 11 exit 1
210ms lost 3 the buffer was full
220ms 10 exit 2
230ms end 2
`);

test("text: when, whose, what, in the order of time; the same without --no-tui in a pipe", async () => {
  const file = put("build.prof", BUILD);
  const expected = `   +0.000000s      10  exec         make -j2
   +0.010000s      10  fork         makes 11
   +0.020000s      11  exec failed  errno 2: /opt/cc a.c
   +0.030000s      11  exec         cc -c a.c
   +0.200000s      11  exit         exit 1, after 190ms
   +0.210000s          lost         3 events: the buffer was full
   +0.220000s      10  exit         exit 2, after at least 220ms
   +0.230000s          end          of the recording, exit 2
`;
  const max = await play("--speed", "max", file);
  expect(max.stderr).toBe("");
  expect(max.status).toBe(0);
  expect(max.stdout).toBe(expected);
  expect((await run([TK, "replay", "--speed", "0", file])).stdout).toBe(expected);
  // Longer than the recording took, and at ten times the speed not much of it.
  const real = await play(file);
  expect(real.stdout).toBe(expected);
  expect(real.ms).toBeGreaterThan(230);
  expect((await play("--speed", "100x", "--max-idle", "50ms", file)).stdout).toBe(expected);
});

test("NDJSON is the recording again, byte for byte and in order", async () => {
  const lines = BUILD.trimEnd().split("\n");
  const mixed = [lines[0]!, ...lines.slice(1).toReversed()].join("\n") + "\n";
  const file = put("mixed.prof", mixed);
  const r = await play("--speed", "max", "--format", "ndjson", file);
  expect(r.stdout).toBe(BUILD);
  const tree = (path: string) => run([TK, "render", "-d", "tree", path]);
  expect((await tree(put("again.prof", r.stdout))).stdout).toBe((await tree(put("build.prof", BUILD))).stdout);
});

test("executed lines and events share one axis; their blocks stay in NDJSON", async () => {
  const rec = new LineRecording();
  rec.event("Recording", { version: 1, generator: "tk test", backend: "ptrace", root_pid: 10, cwd: "/w" });
  rec.event("ExecFull", { timestamp: 0, pid: 10, ppid: 1, pgid: 10, filename: "/bin/sh", args: ["sh", "x.sh"] });
  const source = rec.source("/w/x.sh", "echo one\nls \u001b[31m\nexit\n");
  const stream = rec.stream({ pid: 10, kind: "bash", name: "x.sh" });
  stream.define(0, { source, firstLine: 1, name: "x.sh" });
  stream.add(enterWord(0), 1_000_000);
  stream.add(1, 1_000_000);
  stream.add(2, 5_000_000);
  stream.add(3, 9_000_000);
  stream.flush(9_500_000);
  rec.event("Fork", { timestamp: 5_100_000, parent_pid: 10, child_pid: 11, parent_pgid: 10 });
  rec.event("Exit", { timestamp: 8_000_000, pid: 11, ppid: 10, pgid: 10, exit_code: 0 });
  rec.event("End", { timestamp: 10_000_000, exit_code: 0 });
  const file = put("lines.prof", rec.bytes());
  const text = await play("--speed", "max", file);
  expect(text.stderr).toBe("");
  expect(text.stdout).toBe(`   +0.000000s      10  exec         sh x.sh
   +0.001000s      10  line         x.sh:1  echo one
   +0.005000s      10  line         x.sh:2  ls \\x1b[31m
   +0.005100s      10  fork         makes 11
   +0.008000s      11  exit         exit 0, after 2.90ms
   +0.009000s      10  line         x.sh:3  exit
   +0.010000s          end          of the recording, exit 0
`);
  const nd = await play("--speed", "max", "--format", "ndjson", file);
  const sorted = (s: string) => s.trimEnd().split("\n").sort();
  expect(sorted(nd.stdout)).toEqual(sorted(rec.text()));
  const again = await play("--speed", "max", put("lines2.prof", nd.stdout));
  expect(again.stdout).toBe(text.stdout);
  const piped = await run(["bash", "-c", `cat "$1" | "$0" replay --follow --speed max -`, TK, file]);
  expect(piped.stdout.trimEnd().split("\n").toSorted()).toEqual(text.stdout.trimEnd().split("\n").toSorted());
  const window = await play("--speed", "max", "--from", "5ms", "--until", "8ms", file);
  expect(window.stdout.split("\n").map((l) => l.slice(4, 14).trim())).toEqual([
    "0.005000s",
    "0.005100s",
    "0.008000s",
    "",
  ]);
});

test("windows: from the start, from the end; what is no moment, speed or pause is refused", async () => {
  const file = put("build.prof", BUILD);
  const times = async (...words: string[]) =>
    (await play("--speed", "max", ...words, file)).stdout
      .split("\n")
      .flatMap((l) => (l === "" ? [] : [Number(l.slice(4, 12))]));
  expect(await times("--from", "30ms", "--until", "+0.2s")).toEqual([0.03, 0.2]);
  expect(await times("--from=-20ms")).toEqual([0.21, 0.22, 0.23]);
  expect(await times("--from", "1h")).toEqual([]);
  for (const [words, said] of [
    [["--from", "soon"], '--from: got "soon": expected +2s'],
    [["--until", "12:00:00"], "does not say when it was made"],
    [["--speed", "-1"], "expected a speed such as 10x"],
    [["--max-idle", "long"], "expected a time such as 1s"],
    [["--format", "xml"], "xml"],
  ] as const) {
    const r = await play(...words, file);
    expect(r.status).toBe(2);
    expect(r.stderr).toContain(said);
    expect(r.stdout).toBe("");
  }
});

test("a reader that goes ends it quietly; SIGINT ends it as SIGINT does", async () => {
  const file = put("build.prof", BUILD);
  const head = await run(["bash", "-c", `"$0" replay --no-tui "$1" | head -1; echo "\${PIPESTATUS[0]}"`, TK, file]);
  expect(head.stdout).toBe("   +0.000000s      10  exec         make -j2\n0\n");
  expect(head.stderr).toBe("");
  const slow = start([TK, "replay", "--no-tui", "--speed", "0.001x", file], { env: PLAIN_ENV });
  await Bun.sleep(700);
  slow.kill("SIGINT");
  const r = await slow.done;
  expect(r.shell).toBe(130);
  // What was due is with the reader, nothing is kept back.
  expect(r.stdout).toBe("   +0.000000s      10  exec         make -j2\n");
  expect(r.stderr).toBe("");
});

test("hostile words steer nothing, colours only where they are wanted", async () => {
  const evil = JSON.stringify("a\u001b]0;x\u0007\n\u202eb");
  const file = put("evil.prof", timelineText(`0ms 10 exec ${evil} ${evil}\n1ms 10 exit 3`));
  const plain = await play("--speed", "max", file);
  // oxlint-disable-next-line no-control-regex
  expect(plain.stdout).not.toMatch(/[\u001b\u0007\u202e]/);
  expect(plain.stdout.split("\n")).toHaveLength(3);
  const color = await play("--speed", "max", "--color", "always", file);
  expect(color.stdout).toContain("\u001b[31m");
  const refused = await run([TK, "replay", "--speed", "max", file], { env: { ...PLAIN_ENV, NO_COLOR: "1" } });
  expect(refused.stdout).not.toContain("\u001b[");
});

test("a recording that is cut off, damaged or empty plays what there is and says what it left out", async () => {
  const cut = await play("--speed", "max", put("cut.prof", BUILD.slice(0, BUILD.indexOf('"Exit"') + 20)));
  expect(cut.status).toBe(0);
  expect(cut.stdout.split("\n")).toHaveLength(5);
  expect(cut.stderr).toContain("cut.prof:6: the last line is cut off");
  const bad = await play("--speed", "max", "--strict", put("bad.prof", `nonsense\n${BUILD}`));
  expect(bad.status).toBe(3);
  expect(bad.stderr).toContain("bad.prof:1: not JSON");
  expect(bad.stdout.split("\n")).toHaveLength(9);
  expect((await play(put("empty.prof", ""))).stdout).toBe("");
  const none = await play(join(folder, "nowhere"));
  expect(none.status).toBe(1);
  expect(none.stderr).toContain("there is no such file");
});

test("--follow goes on with what is written, in pieces, to the end of the recording", async () => {
  const bytes = new TextEncoder().encode(BUILD);
  const file = put("growing.prof", bytes.subarray(0, 150));
  const following = start([TK, "replay", "--follow", "--speed", "max", file], { env: PLAIN_ENV });
  for (let at = 150; at < bytes.length; at += 211) {
    await Bun.sleep(60);
    appendFileSync(file, bytes.subarray(at, at + 211));
  }
  const r = await following.done;
  expect(r.stderr).toBe("");
  expect(r.status).toBe(0);
  const whole = await play("--speed", "max", put("build.prof", BUILD));
  expect(r.stdout).toBe(whole.stdout);
});

test("--follow through a pipe shows an event as it comes; a packed file cannot be followed, and it is said", async () => {
  const r = await run([
    "bash",
    "-c",
    `(head -3 "$1"; sleep 0.5; tail -n +4 "$1") | "$0" replay --follow --speed max - | while IFS= read -r line; do echo "$SECONDS $line"; done`,
    TK,
    put("build.prof", BUILD),
  ]);
  expect(r.status).toBe(0);
  expect(r.stdout.split("\n").filter((l) => l !== "")).toHaveLength(8);
  const nd = await run([
    "bash",
    "-c",
    `cat "$1" | "$0" replay --follow --speed max --format ndjson -`,
    TK,
    put("b2.prof", BUILD),
  ]);
  expect(nd.stdout).toBe(BUILD);
  const cut = BUILD.slice(0, BUILD.indexOf('{"End"'));
  const packed = await play("--follow", "--speed", "max", put("packed.prof.gz", gzipSync(cut)));
  expect(packed.stderr).toContain("cannot be followed");
  expect(packed.stdout.split("\n")).toHaveLength(8);
});

test("--at a moment of a log of executed lines is --from; handles are of recordings", async () => {
  const log = fixtureLog("evloop");
  const at = await play("--speed", "max", "--at", "1ms", log);
  const from = await play("--speed", "max", "--from", "1ms", log);
  expect([at.status, at.stdout]).toEqual([0, from.stdout]);
  expect(at.stdout).toMatch(/^ +~\+0\.00\d+s/);
  const wrong = await play("--at", "p1", log);
  expect([wrong.status, wrong.stderr]).toEqual([2, expect.stringContaining("no processes and events")]);
});
