// The process player of `tk replay` on a real terminal: keys, prompts, the way to a script's line and back, a recording that grows.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { enterWord } from "../../lib/lines/block_builder.ts";
import { lacks } from "../support/needs.ts";
import { LineRecording } from "../support/line_recording.ts";
import { Pty } from "../support/pty.ts";
import { timelineText } from "../support/timeline.ts";
import { requireTk, run, TK } from "../support/tk.ts";

const dir = mkdtempSync(join(tmpdir(), "tk-replay-processes-"));
const put = (name: string, text: string | Uint8Array) => {
  writeFileSync(join(dir, name), text);
  return join(dir, name);
};
beforeAll(requireTk);
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const UTF8 = { LANG: "C.UTF-8", LC_ALL: "C.UTF-8", TZ: "UTC" };

interface Options {
  readonly env?: Record<string, string>;
  readonly cols?: number;
  readonly rows?: number;
  readonly flags?: readonly string[];
}

async function started(file: string, options: Options = {}) {
  const pty = new Pty({
    command: [TK, "replay", "--view", "processes", ...(options.flags ?? []), file],
    env: { ...UTF8, ...options.env },
    cols: options.cols ?? 90,
    rows: options.rows ?? 20,
  });
  const see = async (keys: string, wanted: RegExp) => {
    if (keys !== "") pty.type(keys);
    const until = performance.now() + 4000;
    while (!wanted.test(pty.screen())) {
      if (performance.now() > until) throw new Error(`waited for ${wanted}; the screen is:\n${pty.screen()}`);
      await Bun.sleep(5);
    }
    return pty.screen();
  };
  await see("", /time: /);
  return { pty, see };
}

const BUILD = timelineText(`
recording root=10 make
0ms 10 exec make -j2
1ms 10 fork 11
2ms 11 exec sh -c "cc a.c"
3ms 11 fork 12
4ms 12 exec:fail 2 /opt/bin/cc a.c
5ms 12 exec cc a.c
6ms 10 fork 13
7ms 13 exec curl -s http://example.org/
8ms 12 exit 1
9ms 11 exit 2
150ms 13 killed 15
160ms 10 exit 2
161ms end 2
`);

test.skipIf(lacks("terminal"))("stepping, breakpoints, search, jumps, choosing a process, help", async () => {
  const { pty, see } = await started(put("build.prof", BUILD));
  try {
    await see("", /\+0\.000000s {2}\[START OF RECORDING\]/);
    await see("n", /event: 10 fork {2}makes 11/);
    await see("n", /event: 10 fork {2}makes 13/);
    await see("N", /makes 11/);
    await see("s", /event: 11 exec {2}sh -c 'cc a\.c'/);
    await see("R", /event: 11 exit {2}exit 2, after 8\.00ms/);
    await see("E", /event: 10 fork {2}makes 11/);
    await see("bexec cu\t\r", /\[ exec curl: 1 hit \]/);
    await see("b exit != 0\r", /\[ exit != 0: 4 hits \]/);
    await see("c", /event: 13 exec {2}curl[^]*breakpoint: exec curl/);
    await see("c", /event: 12 exit {2}exit 1/);
    await see("C", /event: 13 exec/);
    await see("L", /1 {2}exec curl {2}\(1 hit\)\n.*2 {2}exit != 0 {2}\(4 hits\)/);
    await see("\x1b[B\r", /event: 12 exit {2}exit 1/);
    await see("b exce x\r", /\[ b: "exce" is not known, did you mean exec or exit\? \]/);
    await see("b wall > 100ms\r", /wall > 100ms: 2 hits/);
    await see(" c 3\r", /event: 10 exit {2}exit 2, after at least 160ms/);
    await see("j -155ms\r", /event: 12 exec {2}cc a\.c/);
    await see("/EXAMPLE\r", /does not occur after this event \(0 hits in all\)/);
    await see("/example\r", /event: 13 exec/);
    await see(" p 11\r", /\* 11 .* sh -c/);
    // A breakpoint on the way holds.
    await see("n", /event: 12 exit/);
    await see("\x1b[A", /\* 11/);
    await see("h", /next \(previous\) event of this process/);
    await see("h", /time: /);
    await see("\r", /no executed line is known to have caused this event/);
    const from = pty.mark();
    pty.type("q");
    // oxlint-disable-next-line no-control-regex
    await pty.waitFor(/\x1b\[\?1049l/, from);
  } finally {
    await pty.close();
  }
});

test.skipIf(lacks("terminal"))("enter goes to the line behind an event, tab comes back", async () => {
  const rec = new LineRecording();
  rec.event("Recording", { version: 1, backend: "ptrace", started_unix_ns: "1700000000000000000", root_pid: 10 });
  rec.event("ExecFull", { timestamp: 0, pid: 10, ppid: 1, pgid: 10, filename: "/bin/sh", args: ["sh", "x.sh"] });
  const source = rec.source("/w/x.sh", "echo one\nls -l\nexit\n");
  const stream = rec.stream({ pid: 10, tid: 10, kind: "bash", name: "x.sh" });
  stream.define(0, { source, firstLine: 1, name: "x.sh" });
  stream.add(enterWord(0), 1_000_000);
  [1, 2, 3].forEach((line, i) => stream.add(line, 1_000_000 + i * 4_000_000));
  stream.flush(9_500_000);
  rec.event("Fork", { timestamp: 5_100_000, parent_pid: 10, child_pid: 11, parent_pgid: 10 });
  rec.event("ExecFull", { timestamp: 5_500_000, pid: 11, ppid: 10, pgid: 10, filename: "/bin/ls", args: ["ls", "-l"] });
  rec.event("Exit", { timestamp: 8_000_000, pid: 11, ppid: 10, pgid: 10, exit_code: 0 });
  rec.event("End", { timestamp: 10_000_000, exit_code: 0 });
  const { pty, see } = await started(put("lines.prof", rec.bytes()));
  try {
    await see("s", /event: 10 fork {2}makes 11\nline: \/w\/x\.sh:2 {2}ls -l/);
    await see("s", /line: \/w\/x\.sh:2 {2}ls -l \(parent at fork\)/);
    await see("\r", /location: \/w\/x\.sh:2/);
    await see("\t", /event: 11 exec {2}ls -l/);
    await see("\r", /location: \/w\/x\.sh:2/);
    await see("n", /location: \/w\/x\.sh:3/);
    await see("\t", /event: 11 exit/);
  } finally {
    await pty.close();
  }
});

test.skipIf(lacks("terminal"))(
  "a recording that is still written: browsed to its present end, F follows; one that is replaced is told",
  async () => {
    const lines = BUILD.split("\n");
    const file = put("growing.prof", `${lines.slice(0, 4).join("\n")}\n${lines[4]!.slice(0, 20)}`);
    const { pty, see } = await started(file);
    try {
      await see("j end\r", /event 3 of 3\n! the recording has no end yet/);
      await see("b failed\r", /failed: 0 hits/);
      appendFileSync(file, `${lines[4]!.slice(20)}\n${lines[5]}\n`);
      await see("", /event 3 of 5/);
      await see("F", /event 5 of 5[^]*following/);
      appendFileSync(file, lines.slice(6).join("\n"));
      await see("", /event 13 of 13[^]*/);
      await see("", /END OF RECORDING/);
      await see("C", /event: 10 exit[^]*breakpoint: failed/);
    } finally {
      await pty.close();
    }
    const cut = put("cut.prof", lines.slice(0, 6).join("\n"));
    const second = await started(cut);
    try {
      renameSync(put("other.prof", BUILD), cut);
      await second.see("", /was replaced by another file; open it again/);
    } finally {
      await second.pty.close();
    }
    const third = await started(put("begun.prof", lines.slice(0, 6).join("\n")), { flags: ["--follow"] });
    try {
      await third.see("", /event 5 of 5[^]*FOLLOWING/);
    } finally {
      await third.pty.close();
    }
  },
);

test.skipIf(lacks("terminal"))("small screens, no colour, a locale of bytes, hostile words", async () => {
  const evil = JSON.stringify("\u001b]0;x\u0007\u202eé");
  const file = put(
    "evil.prof",
    timelineText(`0ms 10 exec ${evil} x\n1ms 10 fork 11\n2ms 11 exec ${evil}\n3ms 11 exit 1`),
  );
  const { pty, see } = await started(file, { env: { NO_COLOR: "1", LANG: "C", LC_ALL: "C" }, cols: 60 });
  try {
    await see("s", /fork {2}makes 11/);
    await see("s", /> 11|>\*11|>\* 11/);
    // oxlint-disable-next-line no-control-regex
    expect(pty.written()).not.toMatch(/\x1b\[[0-9;]*[1-9][0-9;]*m/);
    // oxlint-disable-next-line no-control-regex
    expect(pty.written()).toMatch(/^[\x00-\x7f]*$/);
    expect(pty.written()).not.toContain("]0;x\u0007");
    for (const [cols, rows] of [
      [20, 6],
      [5, 3],
      [1, 1],
      [100, 30],
    ] as const) {
      pty.resize(cols, rows);
      await see("S", rows > 5 ? (cols > 50 ? /event: / : /time/) : /^/);
    }
  } finally {
    await pty.close();
  }
});

test.skipIf(lacks("terminal"))("a recording of one real build, stepped from its beginning to its end", async () => {
  const file = join(dir, "real.prof");
  const script = "for i in 1 2 3; do /bin/true; done; (exit 3); exec sed -n 1p /dev/null";
  const recorded = await run([TK, "record", "-o", file, "--", "bash", "-c", script]);
  expect(recorded.status).toBe(0);
  const { pty, see } = await started(file);
  try {
    await see("b exit != 0\r", /exit != 0: 1 hit/);
    await see("c", /exit 3, after/);
    await see("R", /event: \d+ exit {2}exit 0[^]*sed -n 1p \/dev\/null/);
    await see("s", /END OF RECORDING/);
  } finally {
    await pty.close();
  }
});
