// What may go wrong around the shell: a recording that changes or never ends, terminals of all kinds, signals, a history and a pager that do
// not work. Driven at a pseudo-terminal.
import { afterAll, beforeAll, expect, test } from "bun:test";
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { displayWidth } from "../../lib/base/text.ts";
import { lacks } from "../support/needs.ts";
import { KEY, Pty } from "../support/pty.ts";
import { requireTk, TK } from "../support/tk.ts";
import { timelineText } from "../support/timeline.ts";

const BUILD = `
  recording root=10 make
  0ms 10 exec make
  1ms 10 fork 11
  3ms 11 exec cc -c a.c
  30ms 11 exit 0
  100ms 10 exit 2
  101ms end 2`;

let dir = "";
let file = "";

beforeAll(() => {
  requireTk();
  dir = mkdtempSync(join(tmpdir(), "tk-repl-"));
  file = join(dir, "build.prof");
  writeFileSync(file, timelineText(BUILD));
});

afterAll(() => rmSync(dir, { recursive: true, force: true }));

interface Opening {
  readonly words?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cols?: number;
  readonly rows?: number;
}

const ENV = () => ({ NO_COLOR: "1", LC_ALL: "C.UTF-8", PAGER: "cat", XDG_STATE_HOME: join(dir, "state") });

async function inShell<T>(o: Opening, use: (pty: Pty) => Promise<T>): Promise<T> {
  const pty = new Pty({
    command: [TK, "repl", ...(o.words ?? [file])],
    cwd: dir,
    cols: o.cols ?? 80,
    rows: o.rows ?? 24,
    env: { ...ENV(), ...o.env },
  });
  try {
    await pty.waitFor(/tk[^\n]*> /);
    return await use(pty);
  } finally {
    await pty.close();
  }
}

/** Types a line and waits for an answer that is not its echo. */
async function ask(pty: Pty, line: string, answer: RegExp): Promise<void> {
  const from = pty.mark();
  pty.type(`${line}\r`);
  await pty.waitFor(/\r\n/, from);
  await pty.waitFor(answer, from + pty.written().slice(from).indexOf("\r\n"));
}

test.skipIf(lacks("terminal"))("Ctrl-C drops the line, stops a command, and never the shell", () =>
  inShell({}, async (pty) => {
    pty.type("procs where nons");
    pty.type(KEY.ctrlC);
    await pty.waitFor(/\^C/);
    await ask(pty, "procs | count", /2\r\n/);
    const from = pty.mark();
    pty.type("shell sleep 30\r");
    await pty.waitFor(/2004l/, from);
    await Bun.sleep(150);
    pty.type(KEY.ctrlC);
    await pty.waitFor(/tk> /, pty.mark() - 1);
    await ask(pty, "events | count", /7\r\n/);
    process.kill(pty.pid, "SIGINT");
    await ask(pty, "images | count", /2\r\n/);
  }),
);

test.skipIf(lacks("terminal"))(
  "a recording that was cut or replaced is told once, and what was read is shown",
  async () => {
    const mine = join(dir, "mine.prof");
    writeFileSync(mine, timelineText(BUILD));
    await inShell({ words: [mine] }, async (pty) => {
      await ask(pty, "procs | count", /2\r\n/);
      truncateSync(mine, 20);
      await ask(pty, "procs | count", /has become shorter[^]*2\r\n/);
      await ask(pty, "tree", /cc -c a\.c/);
      const from = pty.mark();
      await ask(pty, "procs | count", /2\r\n/);
      expect(pty.written().slice(from)).not.toContain("shorter");
    });
    writeFileSync(mine, timelineText(BUILD));
    await inShell({ words: [mine] }, async (pty) => {
      await ask(pty, "procs | count", /2\r\n/);
      writeFileSync(`${mine}.new`, timelineText("0ms 1 exec x"));
      renameSync(`${mine}.new`, mine);
      await ask(pty, "render", /was replaced[^]*cc -c a\.c/);
    });
  },
);

test.skipIf(lacks("terminal"))(
  "--follow: events that arrive are there at the next command, and the prompt says so",
  async () => {
    const mine = join(dir, "grows.prof");
    const lines = timelineText(BUILD).trimEnd().split("\n");
    writeFileSync(mine, lines.slice(0, 4).join("\n") + "\n");
    await inShell({ words: ["--follow", mine] }, async (pty) => {
      await pty.waitFor(/tk live> /);
      await ask(pty, "events | count", /4\r\n/);
      appendFileSync(mine, lines.slice(4).join("\n") + "\n");
      await ask(pty, "events | count", /7\r\n[^]*tk> /);
    });
  },
);

test.skipIf(lacks("terminal"))(
  "standard input that never ends: what has come is shown, keys come from the terminal",
  async () => {
    const pty = new Pty({ cwd: dir, env: ENV() });
    try {
      await pty.waitFor(/\]> $/);
      const from = pty.mark();
      pty.type(`(cat ${file}; exec sleep 60) | ${TK} repl -\r`);
      await pty.waitFor(/tk live> /, from);
      await ask(pty, "procs where exe == cc | select argv", /cc -c a\.c/);
      const left = pty.mark();
      pty.type(KEY.ctrlD);
      await pty.waitFor(/2004l/, left);
      // The shell waits for the whole pipeline: tk itself must be gone by then.
      for (let i = 0; i < 40 && Bun.spawnSync(["pgrep", "-f", `${TK} repl -$`]).exitCode === 0; i++)
        await Bun.sleep(50);
      expect(Bun.spawnSync(["pgrep", "-f", `${TK} repl -$`]).exitCode).toBe(1);
      pty.type(KEY.ctrlC);
      await pty.waitFor(/\]> $/, from);
    } finally {
      await pty.close();
    }
  },
);

test.skipIf(lacks("terminal"))("the history is kept in a file of the user's alone, and found again", async () => {
  const state = join(dir, "kept");
  await inShell({ env: { XDG_STATE_HOME: state } }, async (pty) => {
    await ask(pty, "procs | count", /2\r\n/);
    await ask(pty, " events | count", /7\r\n/);
  });
  const path = join(state, "tk", "history");
  expect(readFileSync(path, "utf8")).toBe("procs | count\n");
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(statSync(join(state, "tk")).mode & 0o777).toBe(0o700);
  await inShell({ env: { XDG_STATE_HOME: state } }, async (pty) => {
    const from = pty.mark();
    pty.type("\x1b[A");
    await pty.waitFor(/procs \| count/, from);
    pty.type(KEY.ctrlC);
    pty.type("\x12");
    pty.type("coun");
    await pty.waitFor(/search: coun/, from);
    await ask(pty, "", /2\r\n/);
  });
});

test.skipIf(lacks("terminal"))("a history that cannot be written is told once", async () => {
  const state = join(dir, "closed");
  mkdirSync(state);
  writeFileSync(join(state, "tk"), "a file where a folder should be");
  chmodSync(state, 0o500);
  await inShell({ env: { XDG_STATE_HOME: state } }, async (pty) => {
    await ask(pty, "procs | count", /cannot write[^]*2\r\n/);
    const from = pty.mark();
    await ask(pty, "procs | count", /2\r\n/);
    expect(pty.written().slice(from)).not.toContain("cannot write");
  });
  chmodSync(state, 0o700);
});

test.skipIf(lacks("terminal"))("twenty columns: nothing is wider, everything can be typed", () =>
  inShell({ cols: 20, rows: 30 }, async (pty) => {
    await ask(pty, "cd p1", /cc -c a\.c/);
    await ask(pty, 'procs where wall > 1ms and exe == "cc" | select id', /p1\r\n/);
    await ask(pty, "timeline", /█/);
    await ask(pty, "tree", /p1/);
    await ask(pty, "help", /quit/);
    await Bun.sleep(50);
    for (const line of pty.screen(true).split("\n")) expect(displayWidth(line)).toBeLessThanOrEqual(20);
  }),
);

test.skipIf(lacks("terminal"))("TERM=dumb: a prompt and lines, without a single escape", () =>
  inShell({ env: { TERM: "dumb" } }, async (pty) => {
    await ask(pty, "procs where exe == cc | select argv", /cc -c a\.c/);
    await ask(pty, "prcs", /did you mean procs/);
    await ask(pty, "tree", /p1/);
    // Ctrl-C drops what was typed, rows before it too, and asks again.
    await ask(pty, "procs where", /\.\.\. $/);
    const prompts = () => pty.written().split("tk> ").length;
    const before = prompts();
    pty.type(KEY.ctrlC);
    while (prompts() === before) await Bun.sleep(5);
    await ask(pty, "events | count", /^7\s*$/m);
    expect(pty.written()).not.toContain("\x1b");
  }),
);

test.skipIf(lacks("terminal"))("NO_COLOR: no colours; without it there are", async () => {
  // oxlint-disable-next-line no-control-regex
  const colour = /\x1b\[[\d;]*m/;
  await inShell({}, async (pty) => {
    await ask(pty, "procs where failed", /make/);
    // oxlint-disable-next-line no-control-regex
    expect(pty.written().replace(/\x1b\[0m/g, "")).not.toMatch(colour);
  });
  await inShell({ env: { NO_COLOR: "" } }, async (pty) => {
    await ask(pty, "procs where failed", /make/);
    expect(pty.written()).toMatch(colour);
  });
});

test.skipIf(lacks("terminal"))("a window that changes its size keeps the line", () =>
  inShell({ cols: 60 }, async (pty) => {
    pty.type("procs where wall > 1ms and failed | select id, argv");
    await pty.waitFor(/argv/);
    pty.resize(24, 20);
    await Bun.sleep(150);
    pty.resize(100, 20);
    await Bun.sleep(150);
    expect(pty.screen()).toContain("tk> procs where wall > 1ms and failed | select id, argv");
    await ask(pty, "", /p0 +make/);
  }),
);

test.skipIf(lacks("terminal"))(
  "Ctrl-Z stops it as it stops every program; it goes on where it was, and leaves the terminal as it found it",
  async () => {
    const pty = new Pty({ cwd: dir, env: ENV() });
    try {
      await pty.waitFor(/\]> $/);
      const from = pty.mark();
      pty.type(`${TK} repl ${file}\r`);
      await pty.waitFor(/tk> /, from);
      await pty.keys(KEY.ctrlZ);
      await pty.line("stty -a | grep -c -- ' -icanon'");
      expect(pty.screen()).toMatch(/\n0\n/);
      const back = pty.mark();
      pty.type("fg\r");
      await pty.waitFor(/tk> /, back);
      await ask(pty, "procs | count", /2\r\n/);
      expect(await pty.keys(KEY.ctrlD)).toBe(0);
    } finally {
      await pty.close();
    }
  },
);

test.skipIf(lacks("terminal"))("SIGHUP and SIGTERM end it as such, with the terminal given back", async () => {
  for (const [name, number] of [
    ["HUP", 1],
    ["TERM", 15],
  ] as const) {
    const pty = new Pty({ cwd: dir, env: ENV() });
    try {
      await pty.waitFor(/\]> $/);
      const from = pty.mark();
      pty.type(`${TK} repl ${file}\r`);
      await pty.waitFor(/tk> /, from);
      Bun.spawnSync(["pkill", `-${name}`, "-f", `${TK} repl ${file}`]);
      expect(await pty.prompt(from)).toBe(128 + number);
      expect(await pty.line("stty -a | grep -q -- ' icanon'")).toBe(0);
    } finally {
      await pty.close();
    }
  }
});

test.skipIf(lacks("terminal"))(
  "a pager: what is long goes through it, it may be left early, be missing, or be none",
  async () => {
    const long = "shell printf x > /dev/null";
    await inShell({ rows: 8, env: { PAGER: "sed s/^/PAGED:/" } }, async (pty) => {
      await ask(pty, long, /tk> /);
      await ask(pty, "help", /PAGED:[^]*quit/);
      await ask(pty, "procs | count", /\n2\r\n/);
    });
    await inShell({ rows: 8, env: { PAGER: "head -1" } }, async (pty) => {
      await ask(pty, "help", /Looking[^]*tk> /);
      await ask(pty, "procs | count", /\n2\r\n/);
    });
    await inShell({ rows: 8, env: { PAGER: "/no/such/pager" } }, async (pty) => {
      await ask(pty, "help", /is not there[^]*quit/);
      const from = pty.mark();
      await ask(pty, "help", /quit[^]*tk> /);
      expect(pty.written().slice(from)).not.toContain("is not there");
    });
  },
);

test.skipIf(lacks("terminal"))(
  "a paste of several rows is one line to look at, and Tab completes fields, values and files",
  () =>
    inShell({}, async (pty) => {
      const from = pty.mark();
      pty.type("\x1b[200~procs where failed |\ncount\x1b[201~");
      await pty.waitFor(/count/, from);
      expect(pty.written().slice(from)).not.toMatch(/\n1\r\n/);
      await ask(pty, "", /1\r\n/);
      const tab = pty.mark();
      pty.type('procs where exe == "c\t');
      await pty.waitFor(/"cc"/, tab);
      pty.type(KEY.ctrlC);
      pty.type("source bui\t");
      await pty.waitFor(/build\.prof/, tab);
      pty.type(KEY.ctrlC);
      await ask(pty, "procs where ?", /wall +duration/);
    }),
);

test.skipIf(lacks("terminal"))("--live: the prompt is there while the command runs, and leaving asks once", () =>
  inShell({ words: ["--live", "--", "sh", "-c", "echo out; sleep 30; true"] }, async (pty) => {
    await pty.waitFor(/tk live> /);
    await ask(pty, "procs | select argv", /sleep 30/);
    const from = pty.mark();
    pty.type(KEY.ctrlD);
    await pty.waitFor(/still running/, from);
    pty.type(KEY.ctrlD);
    await Bun.sleep(600);
    expect(pty.written().slice(from)).toContain("2004l");
  }),
);

test.skipIf(lacks("terminal"))(
  "what cannot be opened ends the shell with the reason and status 1, once it is known",
  async () => {
    const pty = new Pty({ cwd: dir, env: ENV() });
    try {
      await pty.waitFor(/\]> $/);
      expect(await pty.line(`${TK} repl none.prof`)).toBe(1);
      expect(pty.screen()).toContain("Cannot open 'none.prof': there is no such file");
      expect(await pty.line("stty -a | grep -q -- ' icanon'")).toBe(0);
    } finally {
      await pty.close();
    }
  },
);

test.skipIf(lacks("terminal"))(
  "Ctrl-C stops a query over many events, and a file that was being written is not there",
  async () => {
    const big = join(dir, "big.prof");
    const lines = ['{"ExecFull":{"seq":0,"timestamp":0,"pid":1,"ppid":0,"pgid":1,"filename":"/bin/x","args":["x"]}}'];
    for (let i = 1; i < 200_000; i++)
      lines.push(
        `{"ExecFull":{"seq":${i},"timestamp":${i}000,"pid":1,"ppid":0,"pgid":1,"filename":"/bin/x","args":["x","${(i * 7919) % 200_000}"]}}`,
      );
    writeFileSync(big, lines.join("\n") + "\n");
    await inShell({ words: [big] }, async (pty) => {
      await pty.waitFor(/tk> /);
      const from = pty.mark();
      pty.type("events | sort argv, ts | select ts, argv, file, exe > all.json\r");
      await pty.waitFor(/\r\n/, from);
      await Bun.sleep(100);
      pty.type(KEY.ctrlC);
      await pty.waitFor(/\^C[^]*tk> /, from, 20_000);
      await ask(pty, "events | count", /200000\r\n/);
      expect(existsSync(join(dir, "all.json"))).toBe(false);
    });
  },
);
