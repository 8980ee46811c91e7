// Job control under `tk record`: each scenario is typed into a shell in a terminal twice, once with the plain command
// and once with `$R command`, where R is `tk record ... --`; both screens must say the same.
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { visibleFacts } from "../support/probe.ts";
import { lacks } from "../support/needs.ts";
import { PLAIN_ENV, programs, removeTemporaryFolders, temporaryFolder } from "../support/programs.ts";
import { KEY, Pty } from "../support/pty.ts";
import { type Mode, asOrdinaryUser, readRecording, recording, requireTk, withTag } from "../support/tk.ts";

const folder = temporaryFolder();
const open: Pty[] = [];
let count = 0;

beforeAll(requireTk);
afterAll(removeTemporaryFolders);
afterEach(async () => {
  for (const pty of open.splice(0)) await pty.close();
});

type Variant = "plain" | Mode;

/** `cwd`: one for each shell, since both variants run at the same time and edit the same names. */
async function shell(variant: Variant, cwd = temporaryFolder()): Promise<Pty> {
  const out = join(folder, `rec-${count++}`);
  const prefix = variant === "plain" ? "" : recording(out, variant, [], "--quiet").join(" ");
  const pty = new Pty({
    command: asOrdinaryUser(["bash", "--norc", "--noprofile", "-i"]),
    // `$R` stands in bash's job messages in both variants alike
    env: { R: prefix, PROGRAMS: programs(), LESSHISTFILE: "-", HOME: folder },
    cwd,
  });
  open.push(pty);
  await pty.prompt(0);
  return pty;
}

/** The screen without what differs from run to run: pids. */
function seen(pty: Pty): string[] {
  return pty
    .screen(true)
    .replaceAll(/^(\[\d+\]\+?) \d+$/gm, "$1 PID")
    .split("\n");
}

/** Waits until a program says that it runs: it writes this word. */
const READY = /ready\r?\n/;
/** Not bash, which ignores SIGQUIT until it has become sleep. */
const SLEEP = `$R sh -c 'echo ready; exec sleep 100'`;

interface Scenario {
  readonly name: string;
  /** What the person does; the numbers are `$?` at each prompt. */
  run(pty: Pty): Promise<number[]>;
}

async function startAndWait(pty: Pty, line: string, wanted = READY): Promise<number> {
  const from = pty.mark();
  pty.type(`${line}${KEY.enter}`);
  // the typed line itself holds the word too: wait for it at the start of a line
  await pty.waitFor(new RegExp(`[\\r\\n]${wanted.source}`), from);
  return from;
}

const SCENARIOS: readonly Scenario[] = [
  {
    name: "statuses: 0, 3, 143, 137, 139, 127, 126",
    run: async (p) => [
      await p.line("$R true"),
      await p.line("$R bash -c 'exit 3'"),
      await p.line("$R bash -c 'kill -TERM $$'"),
      await p.line("$R bash -c 'kill -KILL $$'"),
      await p.line("ulimit -c 0; $R bash -c 'kill -SEGV $$'"),
      await p.line("$R no-such-command-here 2>/dev/null"),
      await p.line("$R /etc/passwd 2>/dev/null"),
      await p.line("$R / 2>/dev/null"),
    ],
  },
  {
    name: "Ctrl-C",
    run: async (p) => {
      await startAndWait(p, SLEEP);
      return [await p.keys(KEY.ctrlC), await p.line("echo alive")];
    },
  },
  {
    name: "Ctrl-C that the command handles",
    run: async (p) => {
      await startAndWait(p, `$R bash -c 'trap "echo caught; exit 11" INT; echo ready; while :; do sleep 0.05; done'`);
      return [await p.keys(KEY.ctrlC)];
    },
  },
  {
    name: "Ctrl-\\",
    run: async (p) => {
      await p.line("ulimit -c 0");
      await startAndWait(p, SLEEP);
      return [await p.keys(KEY.ctrlBackslash)];
    },
  },
  {
    name: "Ctrl-Z, jobs, fg, Ctrl-Z, bg, fg, Ctrl-C",
    run: async (p) => {
      await startAndWait(p, SLEEP);
      const statuses = [await p.keys(KEY.ctrlZ), await p.line("jobs")];
      let from = p.mark();
      p.type(`fg${KEY.enter}`);
      await p.waitFor(/sleep 100'\r?\n/, from);
      await Bun.sleep(150);
      statuses.push(await p.keys(KEY.ctrlZ), await p.line("bg"), await p.line("jobs"));
      from = p.mark();
      p.type(`fg${KEY.enter}`);
      await p.waitFor(/sleep 100'\r?\n/, from);
      await Bun.sleep(150);
      statuses.push(await p.keys(KEY.ctrlC), await p.line("jobs"));
      return statuses;
    },
  },
  {
    name: "stopped many times, then goes on to its end",
    run: async (p) => {
      await startAndWait(p, `$R bash -c 'echo ready; read x; echo got $x; exit 9'`);
      const statuses: number[] = [];
      for (let i = 0; i < 4; i++) {
        statuses.push(await p.keys(KEY.ctrlZ));
        const from = p.mark();
        p.type(`fg${KEY.enter}`);
        await p.waitFor(/exit 9'\r?\n/, from);
        await Bun.sleep(100);
      }
      statuses.push(await p.keys(`word${KEY.enter}`), await p.line("jobs"));
      return statuses;
    },
  },
  {
    name: "Ctrl-D ends cat after fg",
    run: async (p) => {
      const from = p.mark();
      p.type(`$R cat${KEY.enter}`);
      await p.waitFor(/cat\r?\n/, from);
      await Bun.sleep(300);
      const statuses = [await p.keys(KEY.ctrlZ)];
      const again = p.mark();
      p.type(`fg${KEY.enter}`);
      await p.waitFor(/\$R cat\r?\n/, again);
      await Bun.sleep(150);
      p.type(`text${KEY.enter}`);
      await p.waitFor(/text\r?\ntext/, again);
      statuses.push(await p.keys(KEY.ctrlD));
      return statuses;
    },
  },
  {
    name: "a pipeline of two traced commands",
    run: async (p) => {
      const from = p.mark();
      p.type(`$R bash -c 'echo begun; sleep 100' | ${"$R"} cat${KEY.enter}`);
      await p.waitFor(/[\r\n]begun/, from);
      const statuses = [await p.keys(KEY.ctrlZ)];
      const again = p.mark();
      p.type(`fg${KEY.enter}`);
      await p.waitFor(/cat\r?\n/, again);
      await Bun.sleep(150);
      statuses.push(await p.keys(KEY.ctrlC), await p.line("jobs"));
      return statuses;
    },
  },
  {
    name: "less",
    run: async (p) => {
      const from = p.mark();
      p.type(`seq 500 | $R less${KEY.enter}`);
      await p.waitFor(/(^|\n|\r)20\r?\n/, from);
      p.type("G");
      await p.waitFor(/500/, from);
      const statuses = [await p.keys(KEY.ctrlZ)];
      const again = p.mark();
      p.type(`fg${KEY.enter}`);
      await p.waitFor(/500/, again);
      await Bun.sleep(100);
      statuses.push(await p.keys("q"));
      return statuses;
    },
  },
  {
    name: "vim",
    run: async (p) => {
      const from = p.mark();
      p.type(`TERM=vt100 $R vim -u NONE -n -i NONE edited${KEY.enter}`);
      await p.waitFor(/edited[\s\S]*~/, from);
      p.type("ihello");
      await p.waitFor(/hello/, from);
      p.type(KEY.escape);
      await Bun.sleep(100);
      const statuses = [await p.keys(KEY.ctrlZ)];
      const again = p.mark();
      p.type(`fg${KEY.enter}`);
      await p.waitFor(/hello/, again);
      statuses.push(await p.keys(`:wq${KEY.enter}`));
      statuses.push(await p.line("cat edited"));
      return statuses;
    },
  },
  {
    name: "a nested interactive shell with jobs of its own",
    run: async (p) => {
      const statuses = [await p.line("$R bash --norc --noprofile -i")];
      await startAndWait(p, "bash -c 'echo ready; exec sleep 100'");
      statuses.push(await p.keys(KEY.ctrlZ), await p.line("jobs"));
      const from = p.mark();
      p.type(`fg${KEY.enter}`);
      await p.waitFor(/sleep 100'\r?\n/, from);
      await Bun.sleep(100);
      statuses.push(await p.keys(KEY.ctrlC), await p.line("jobs"), await p.line("exit 4"));
      return statuses;
    },
  },
  {
    name: "suspend in a nested shell",
    run: async (p) => [
      await p.line("$R bash --norc --noprofile -i"),
      await p.line("suspend -f"),
      await p.line("echo outer; jobs"),
      await p.line("fg"),
      await p.line("echo inner"),
      await p.line("exit 6"),
      await p.line("jobs"),
    ],
  },
  {
    name: "stopped by its own SIGSTOP, continued by fg",
    run: async (p) => [
      await p.line(`$R bash -c 'kill -STOP $$; echo on; exit 8'`),
      await p.line("jobs"),
      await p.line("fg"),
      await p.line("jobs"),
    ],
  },
  {
    name: "reading the terminal from the background stops it",
    run: async (p) => {
      const statuses = [await p.line(`$R bash -c 'read line; echo got $line; exit 5' & sleep 0.6`)];
      await Bun.sleep(500);
      statuses.push(await p.line(""), await p.line("jobs"));
      const from = p.mark();
      p.type(`fg${KEY.enter}`);
      await p.waitFor(/exit 5'\r?\n/, from);
      await Bun.sleep(150);
      statuses.push(await p.keys(`hello${KEY.enter}`));
      return statuses;
    },
  },
  {
    name: "writing with tostop from the background stops it",
    run: async (p) => {
      await p.line("stty tostop");
      const statuses = [await p.line(`$R bash -c 'echo written; exit 5' & sleep 0.6`)];
      await Bun.sleep(500);
      statuses.push(await p.line(""), await p.line("jobs"), await p.line("fg"), await p.line("stty -tostop"));
      return statuses;
    },
  },
  {
    name: "in the background until it ends, wait gives its status",
    run: async (p) => [await p.line(`$R bash -c 'sleep 0.2; exit 7' &`), await p.line("wait %1"), await p.line("jobs")],
  },
  {
    name: "kill %1 and kill -STOP, -CONT from the shell",
    run: async (p) => {
      const statuses = [await p.line(`$R sleep 100 &`)];
      await Bun.sleep(300);
      statuses.push(await p.line("kill -STOP %1; sleep 0.3"), await p.line("jobs"));
      statuses.push(await p.line("kill -CONT %1; sleep 0.3"), await p.line("jobs"));
      statuses.push(await p.line("kill %1; sleep 0.3"), await p.line("wait %1"));
      return statuses;
    },
  },
  {
    name: "kill -TSTP %1 stops it, fg continues it",
    run: async (p) => {
      const statuses = [await p.line(`$R sh -c 'sleep 0.6; exit 3' &`)];
      await Bun.sleep(300);
      statuses.push(await p.line("kill -TSTP %1; sleep 0.3"), await p.line("jobs"), await p.line("fg"));
      return statuses;
    },
  },
  {
    name: "the window changes its size",
    run: async (p) => {
      const from = await startAndWait(
        p,
        `$R bash -c 'trap "stty size; exit 0" WINCH; echo ready; while :; do sleep 0.05; done'`,
      );
      p.resize(90, 28);
      await p.waitFor(/28 90/, from);
      return [await p.prompt(from)];
    },
  },
  {
    name: "python's input line, Ctrl-C as KeyboardInterrupt",
    run: async (p) => {
      await startAndWait(p, `$R /usr/bin/python3 -c 'print("ready", flush=True); input()' 2>/dev/null`);
      return [await p.keys(KEY.ctrlC)];
    },
  },
];

describe.skipIf(lacks("terminal", "gcc", "python", "editors")).each(["events", "complete"] as const)(
  "%s mode behaves as no tk",
  (mode) => {
    for (const scenario of SCENARIOS) {
      test(
        scenario.name,
        async () => {
          const play = async (variant: Variant) => {
            const pty = await shell(variant);
            const statuses = await scenario.run(pty);
            return { statuses, screen: seen(pty) };
          };
          const [plain, traced] = await Promise.all([play("plain"), play(mode)]);
          expect(traced).toEqual(plain);
        },
        40_000,
      );
    }
  },
);

test.skipIf(lacks("terminal", "gcc"))(
  "the terminal as the probe sees it: foreground group, modes, size",
  async () => {
    const look = async (variant: Variant) => {
      const report = join(folder, "report");
      rmSync(report, { force: true });
      const pty = await shell(variant, folder);
      const status = await pty.line(`$R $PROGRAMS/probe ${report}`);
      if (!existsSync(report)) throw new Error(pty.screen());
      const text = readFileSync(report, "latin1")
        .replaceAll(/(pgrp same as parent) \d absolute \d+/g, "$1") // a job of its own: the parent is the shell or tk
        .replaceAll(/^sid \d+/gm, "sid")
        .replaceAll(/^status NS[sp]\w+:.*/gm, "")
        .replaceAll(/\/dev\/pts\/\d+/g, "/dev/pts/N")
        .replaceAll(/^tty_nr \d+/gm, "tty_nr")
        .replaceAll(/^(autogroup|proc_environ R=|environ R=).*/gm, "");
      return { status, text };
    };
    const plain = await look("plain");
    for (const mode of ["events", "complete"] as const) {
      const traced = await look(mode);
      expect(visibleFacts(traced.text, mode)).toEqual(visibleFacts(plain.text, mode));
      expect(traced.status).toBe(plain.status);
    }
  },
  30_000,
);

test.skipIf(lacks("terminal"))(
  "the recording of a stopped and continued command is whole",
  async () => {
    const out = join(folder, "whole");
    const pty = new Pty({ cwd: folder, env: { ...PLAIN_ENV, R: recording(out, "events", [], "--quiet").join(" ") } });
    open.push(pty);
    await pty.prompt(0);
    await startAndWait(pty, `$R bash -c 'echo ready; read x; true | cat; exit 2'`);
    await pty.keys(KEY.ctrlZ);
    const from = pty.mark();
    pty.type(`fg${KEY.enter}`);
    await pty.waitFor(/exit 2'\r?\n/, from);
    await Bun.sleep(100);
    expect(await pty.keys(`x${KEY.enter}`)).toBe(2);
    const lines = readRecording(out);
    expect(withTag(lines, "Exit")).toHaveLength(3);
    expect(withTag(lines, "End")[0]!.f.exit_code).toBe(2);
  },
  20_000,
);
