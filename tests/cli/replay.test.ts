// `tk replay` on a real terminal: keys, prompts, sizes, colours and characters, what comes while it runs, and how it leaves the terminal.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { appendFileSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { enterWord, WORD } from "../../lib/lines/block_builder.ts";
import { lacks } from "../support/needs.ts";
import { LineRecording } from "../support/line_recording.ts";
import { KEY, Pty } from "../support/pty.ts";
import { requireTk, TK } from "../support/tk.ts";
import { fixtureLog } from "../support/trackexec.ts";

let dir: string;
let prof: string;

const APP = [
  "def work(n):",
  "    total = 0",
  "    for i in range(n):",
  "        total += i",
  "    return total",
  "",
  "work(3)",
  "",
].join("\n");

/** Words of one call of `work`: enter, its lines, leave. */
function call(recording: LineRecording, source: string, pid: number, tid: number, start: number, done = true) {
  const stream = recording.stream({ pid, tid, stream: `${pid}-${tid}.0`, name: tid === pid ? "MainThread" : "worker" });
  stream.define(0, { source, firstLine: 1, name: "<module>" });
  stream.define(1, { source, firstLine: 1, name: "work" });
  let time = start;
  const add = (word: number) => stream.add(word, (time += 1_000_000));
  for (const word of [enterWord(0), 1, 7, enterWord(1), 2, 3, 4, 3, 4, 3, 4, 3, 5, WORD.returned, WORD.returned])
    add(word);
  if (done) stream.flush(time);
  return { stream, add, flush: () => stream.flush(time) };
}

function header(recording: LineRecording): void {
  recording.out.value({
    Recording: { version: 1, started_unix_ns: "1700000000000000000", root_pid: 41, command: ["python3", "app.py"] },
  });
  recording.out.raw("\n");
  recording.event("Fork", { timestamp: 1000, parent_pid: 1, child_pid: 41, parent_pgid: 1 });
  recording.event("ExecFull", {
    timestamp: 2000,
    pid: 41,
    ppid: 1,
    pgid: 41,
    filename: "/usr/bin/python3",
    args: ["python3", "app.py"],
  });
}

beforeAll(() => {
  requireTk();
  dir = mkdtempSync(join(tmpdir(), "tk-replay-"));
  prof = join(dir, "out.prof");
  const recording = new LineRecording();
  header(recording);
  const source = recording.source("/srv/app/app.py", APP);
  call(recording, source, 41, 41, 1_000_000);
  call(recording, source, 41, 42, 3_000_000);
  recording.event("Exit", { timestamp: 90_000_000, pid: 41, ppid: 1, pgid: 41, exit_code: 0 });
  recording.event("End", { timestamp: 91_000_000, events: 5, processes: 1, lost: 0, exit_code: 0 });
  writeFileSync(prof, recording.bytes());
});

afterAll(() => rmSync(dir, { recursive: true, force: true }));

const UTF8 = { LANG: "C.UTF-8", LC_ALL: "C.UTF-8", TZ: "UTC" };

interface Started {
  readonly pty: Pty;
  /** Sends keys and waits for what should be on the screen then. */
  readonly see: (keys: string, wanted: RegExp) => Promise<string>;
}

async function started(
  words: readonly string[],
  options: { env?: Record<string, string>; cols?: number; rows?: number; first?: RegExp } = {},
): Promise<Started> {
  const pty = new Pty({
    command: [TK, "replay", ...words],
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
  await see("", options.first ?? /location/);
  return { pty, see };
}

describe("a recording of lines and processes", () => {
  test.skipIf(lacks("terminal"))("keys, prompts and panels", async () => {
    const { pty, see } = await started([prof]);
    try {
      const first = await see("", /heat|%/);
      expect(first).toContain("time: 2023-11-14 22:13:20.003000 [START OF TRACE]  +0.003000s");
      expect(first).toContain("location: /srv/app/app.py:1 in <module>");
      expect(first).toContain("in: python process 41, MainThread (1 of 2)");
      await see("n", /app\.py:7 in <module>/);
      await see("s", /stack \(2\): app\.py:7 > work:2/);
      await see("n", /app\.py:3 in work/);
      await see("b4\r", /\[ breakpoint at app\.py:4 \]/);
      await see("c", /app\.py:4 in work/);
      // Both threads run on: the second hit from here is the other's.
      await see(" c 2\r", /\+0\.010000s[^]*\[ met in another thread: worker \(2 of 2\) \]/);
      await see("C", /\+0\.010000s[^]*MainThread \(1 of 2\)/);
      await see("N", /app\.py:3 in work/);
      // To the caller, but a breakpoint on the way holds.
      await see("E", /app\.py:4 in work/);
      await see("E", /app\.py:7 in <module>/);
      await see("j+5ms\r", /\+0\.009000s/);
      await see("b app.py:99\r", /Invalid breakpoint position: line 99 not found/);
      await see("jx\r", /Invalid command: 'j x' -- press <h> for help/);
      await see("L", /Breakpoints\n▶ 1 {2}\/srv\/app\/app\.py:4 {2}6 times {2}total \+= i/);
      await see("\x1b[3~", /\(none\)/);
      await see("T", /\*1 {2}python process 41, MainThread .*11 lines/);
      await see("\x1b[B\r", /in: python process 41, thread 42, worker \(2 of 2\)/);
      expect(pty.screen()).toContain("+0.009000s");
      await see("h", /MOVING/);
      await see("h", /location/);
      await see("/total\r", /match 2 of 3: total/);
      await see("\t", /python3 app\.py/);
      await see("\t", /thread 42, worker/);
    } finally {
      await pty.close();
    }
  });

  test.skipIf(lacks("terminal"))("completion and history at the prompt", async () => {
    const { pty, see } = await started([prof]);
    try {
      await see("fsrv\t", /> f srv\/app\/app\.py/);
      await see("\r", /"q": quit/);
      await see("b7\r", /breakpoint at app\.py:7/);
      await see(" \x1b[A", /> b 7/);
      await see(KEY.ctrlC, /"q": quit/);
    } finally {
      await pty.close();
    }
  });

  test.skipIf(lacks("terminal"))("resizing, down to a few columns and back", async () => {
    const { pty, see } = await started([prof]);
    try {
      for (const [cols, rows] of [
        [20, 5],
        [3, 2],
        [1, 1],
        [120, 40],
      ] as const) {
        pty.resize(cols, rows);
        await see("s", rows > 4 ? (rows > 10 ? /location: / : /app\.py/) : /^/);
      }
      pty.resize(20, 5);
      const small = await see("j start\r", / 1▶│def work/);
      expect(small.split("\n").length).toBeLessThanOrEqual(5);
      expect(small).toContain("app.py:1");
    } finally {
      await pty.close();
    }
  });

  test.skipIf(lacks("terminal"))("without colour there is none, in a locale of bytes only ASCII", async () => {
    const plain = await started([prof], { env: { NO_COLOR: "1", LANG: "C", LC_ALL: "C" } });
    try {
      await plain.see("s", /app\.py:7/);
      // oxlint-disable-next-line no-control-regex
      expect(plain.pty.written()).not.toMatch(/\x1b\[[0-9;]*[1-9][0-9;]*m/);
      // oxlint-disable-next-line no-control-regex
      expect(plain.pty.written()).toMatch(/^[\x00-\x7f]*$/);
      expect(plain.pty.screen()).toContain("7>");
    } finally {
      await plain.pty.close();
    }
    const color = await started([prof]);
    try {
      expect(color.pty.written()).toContain("\x1b[0;30;103m");
    } finally {
      await color.pty.close();
    }
  });

  test.skipIf(lacks("terminal"))("hostile names and sources steer nothing", async () => {
    const recording = new LineRecording();
    header(recording);
    const evil = "\x1b]0;owned\x07\x1b[2J\u202e";
    const source = recording.source(`/srv/${evil}/x.py`, `${evil}\r\n\x9b31m\t${"漢".repeat(200)}\n`);
    const stream = recording.stream({ pid: 41, name: `${evil}thread` });
    stream.define(0, { source, firstLine: 1, name: `${evil}name` });
    for (const [word, time] of [
      [enterWord(0), 1],
      [1, 2],
      [2, 3],
      [WORD.returned, 4],
    ] as const)
      stream.add(word, time * 1e6);
    stream.flush(5e6);
    const file = join(dir, "hostile.prof");
    writeFileSync(file, recording.bytes());
    const { pty, see } = await started([file], { cols: 60 });
    try {
      await see("s", /x\.py:2/);
      await see("WTLh", /MOVING/);
      expect(pty.written()).not.toContain("\x1b]0;");
      expect(pty.written()).not.toContain("\x9b");
      expect(pty.written()).not.toContain("\u202e");
    } finally {
      await pty.close();
    }
  });

  test.skipIf(lacks("terminal"))("a recording that is being written is browsed to its end, and followed", async () => {
    const recording = new LineRecording();
    header(recording);
    const source = recording.source("/srv/app/app.py", APP);
    const first = call(recording, source, 41, 41, 1_000_000, false);
    first.stream.flush(16_000_000);
    const file = join(dir, "growing.prof");
    const head = recording.bytes();
    writeFileSync(file, head);
    const { pty, see } = await started([file]);
    try {
      await see("j end\r", /app\.py:5 in work.*|\+0\.014000s/);
      await see("F", /FOLLOWING/);
      first.add(enterWord(1));
      first.add(2);
      first.add(3);
      first.flush();
      appendFileSync(file, recording.bytes().subarray(head.length));
      await see("", /app\.py:3 in work[^]*FOLLOWING/);
      await see("S", /app\.py:2 in work/);
      expect(pty.screen()).not.toContain("FOLLOWING");
    } finally {
      await pty.close();
    }
  });
});

describe("the terminal", () => {
  async function shell(): Promise<Pty> {
    const pty = new Pty({ env: UTF8 });
    await pty.prompt(0);
    return pty;
  }

  const ways: readonly (readonly [name: string, act: (pty: Pty) => Promise<void>, status: number])[] = [
    ["q", async (pty) => pty.type("q"), 0],
    ["Ctrl-C", async (pty) => pty.type(KEY.ctrlC), 0],
    ["SIGTERM", async (pty) => signal(pty, "TERM"), 143],
    ["SIGHUP", async (pty) => signal(pty, "HUP"), 129],
    ["SIGINT", async (pty) => signal(pty, "INT"), 130],
    ["SIGQUIT", async (pty) => signal(pty, "QUIT"), 131],
  ];

  function signal(pty: Pty, name: string): void {
    Bun.spawnSync(["pkill", `-${name}`, "-x", "tk", "-s", String(pty.pid)]);
  }

  // Under a plain sh: an interactive shell would set the terminal right by itself.
  test.skipIf(lacks("terminal")).each(ways)("is given back as it was after %s", async (_name, act, status) => {
    const before = join(dir, "before");
    const after = join(dir, "after");
    const script = `ulimit -c 0; echo before the replay; stty -a > '${before}'; '${TK}' replay '${prof}'; echo "status $?"; stty -a > '${after}'; echo done`;
    const pty = new Pty({ command: ["sh", "-c", script], env: UTF8 });
    try {
      await pty.waitFor(/location/);
      expect(pty.screen()).not.toContain("before the replay");
      const end = pty.mark();
      await act(pty);
      await pty.waitFor(/done/, end);
      expect(pty.screen()).toContain(`status ${status}`);
      expect(pty.screen()).toContain("before the replay");
      expect(readFileSync(before, "utf8")).toContain(" icanon");
      expect(readFileSync(after, "utf8")).toBe(readFileSync(before, "utf8"));
      expect(pty.written().slice(end)).toContain("\x1b[?25h");
      expect(pty.written().slice(end)).toContain("\x1b[?2004l");
    } finally {
      await pty.close();
    }
  });

  test.skipIf(lacks("terminal"))(
    "Ctrl-Z stops it with the terminal as it was, fg brings the picture back",
    async () => {
      const pty = await shell();
      try {
        let from = pty.mark();
        pty.type(`'${TK}' replay '${prof}'\r`);
        await pty.waitFor(/location/, from);
        from = pty.mark();
        pty.type("ss");
        await pty.waitFor(/work:2/, from);
        expect(await pty.keys(KEY.ctrlZ)).toBe(148);
        await pty.line("echo in between");
        expect(pty.screen()).toContain("in between");
        from = pty.mark();
        pty.type("fg\r");
        await pty.waitFor(/work:2/, from);
        from = pty.mark();
        pty.type("s");
        await pty.waitFor(/work:3/, from);
        expect(await pty.keys("q")).toBe(0);
        expect(pty.screen()).toContain("in between");
      } finally {
        await pty.close();
      }
    },
  );

  test.skipIf(lacks("terminal"))("keys come from the terminal when the recording comes from a pipe", async () => {
    const after = join(dir, "after-pipe");
    const script = `cat '${prof}' | '${TK}' replay -; echo "status $?"; stty -a > '${after}'; echo done`;
    const pty = new Pty({ command: ["sh", "-c", script], env: UTF8 });
    try {
      await pty.waitFor(/location/);
      let from = pty.mark();
      pty.type("ss");
      await pty.waitFor(/work:2/, from);
      from = pty.mark();
      pty.type("q");
      await pty.waitFor(/status 0[^]*done/, from);
      expect(readFileSync(after, "utf8")).toMatch(/[^-]icanon/);
    } finally {
      await pty.close();
    }
  });

  test.skipIf(lacks("terminal"))("one without a cursor is refused in a sentence", async () => {
    const pty = new Pty({ command: [TK, "replay", prof], env: { ...UTF8, TERM: "dumb" } });
    await pty.waitFor(/TERM=dumb/);
    expect(pty.written()).not.toContain("\x1b");
    await pty.close();
  });

  test.skipIf(lacks("terminal"))("when it hangs up, replay ends", async () => {
    const pty = new Pty({ command: [TK, "replay", prof], env: UTF8 });
    await pty.waitFor(/location/);
    await pty.close();
    expect(Bun.spawnSync(["pgrep", "-x", "tk", "-s", String(pty.pid)]).stdout.toString()).toBe("");
  });
});

describe("a log directory of the older tracer", () => {
  test.skipIf(lacks("terminal"))("is replayed with its approximate times", async () => {
    const { pty, see } = await started([fixtureLog("ledger")]);
    try {
      expect(pty.screen()).toContain("approx. time: 2026-11-20 09:55:13.929884 [START OF TRACE]  +0.000000s");
      expect(pty.screen()).toContain("location: /srv/app/inventory/report.py:19");
      await see("bstore.py:13\rc", /location: \/srv\/app\/inventory\/store\.py:13/);
      await see("j09:55:14.311441\r", /report\.py:6/);
    } finally {
      await pty.close();
    }
  });
});

test.skipIf(lacks("terminal"))("a log directory that grows is followed", async () => {
  const log = join(dir, "log");
  cpSync(fixtureLog("ledger"), log, { recursive: true });
  const index = readFileSync(join(log, "log_index"));
  // 20 of its 39 blocks, and a half.
  writeFileSync(join(log, "log_index"), index.subarray(0, 205));
  const { pty, see } = await started([log]);
  try {
    await see("j end\r", /END OF TRACE/);
    expect(pty.screen()).not.toContain("report.py:29");
    await see("F", /FOLLOWING/);
    writeFileSync(join(log, "log_index"), index);
    await see("", /location: \/srv\/app\/inventory\/report\.py:29/);
    await see("j start\r", /START OF TRACE/);
    expect(pty.screen()).not.toContain("FOLLOWING");
  } finally {
    await pty.close();
  }
});

test.skipIf(lacks("terminal"))("what cannot be replayed is said before the screen is taken", async () => {
  writeFileSync(join(dir, "text"), "hello\n");
  for (const [file, wanted] of [
    ["/nowhere.prof", /there is no such file/],
    [fixtureLog("nothing"), /nothing to replay/],
    [join(dir, "text"), /not a recording|nothing to replay|no recording/i],
  ] as const) {
    const pty = new Pty({ command: [TK, "replay", file], env: UTF8 });
    await pty.waitFor(wanted);
    expect(pty.written()).not.toContain("\x1b[?1049h");
    await pty.close();
  }
});
