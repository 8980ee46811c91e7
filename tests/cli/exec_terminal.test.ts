// `tk exec` on a terminal, as a person uses it: the report between the program's lines, Ctrl-C, Ctrl-Z and fg, hang-up.
import { afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ExecBench, noTkIn, operations, waitUntil } from "../support/exec.ts";
import { KEY, Pty } from "../support/pty.ts";
import { requireTk, TK } from "../support/tk.ts";
import { lacks } from "../support/needs.ts";

setDefaultTimeout(60_000);
beforeAll(requireTk);

let open: Pty[] = [];
afterEach(async () => {
  for (const pty of open) await pty.close();
  open = [];
});

async function shell(bench: ExecBench): Promise<Pty> {
  const pty = new Pty({ cwd: bench.home, env: { HOME: bench.home, TK } });
  open.push(pty);
  await pty.prompt(0);
  return pty;
}

const noReporter = (bench: ExecBench) => noTkIn(bench.home);
const WAIT = "while [ ! -e go ]; do sleep 0.02; done";

describe.skipIf(lacks("terminal"))("where the report is shown", () => {
  test("between the program's lines, pretty, on standard output", async () => {
    const bench = new ExecBench();
    const pty = await shell(bench);
    const from = pty.mark();
    pty.type(`$TK exec -- sh -c 'echo first; ${WAIT}; echo last'${KEY.enter}`);
    await pty.waitFor(/first\r\n\[\r\n {2}\{\r\n {4}"_OPERATION": "exec",[^]*\r\n\]\r\n/, from);
    bench.file("go", "");
    expect(await pty.prompt(from)).toBe(0);
    await bench.count(1);
  });

  test("on standard error when standard output goes elsewhere", async () => {
    const bench = new ExecBench();
    const pty = await shell(bench);
    const from = pty.mark();
    pty.type(`$TK exec -- sh -c 'echo data; ${WAIT}' | tr a-z A-Z${KEY.enter}`);
    await pty.waitFor(/"_OPERATION": "exec",[^]*\r\n\]\r\n/, from);
    bench.file("go", "");
    await pty.prompt(from);
    expect(pty.written().slice(from)).toContain("DATA");
    expect(pty.written().slice(from)).not.toContain('"_operation"');
  });

  test.each(["--skip-summary-report", "--disable-report=terminal_other_op", "-o out.json"])(
    "nowhere with %s",
    async (flag) => {
      const bench = new ExecBench();
      const pty = await shell(bench);
      const from = pty.mark();
      expect(await pty.line(`$TK exec ${flag} -- sh -c 'echo only'`)).toBe(0);
      await bench.count(1);
      await noReporter(bench);
      expect(pty.written().slice(from)).not.toContain("_OPERATION");
    },
  );
});

for (const mode of ["--no-as-parent", "--as-parent"]) {
  describe.skipIf(lacks("terminal"))(mode, () => {
    test("Ctrl-C ends the program, and the last heartbeat is still sent", async () => {
      const bench = new ExecBench();
      const pty = await shell(bench);
      const from = pty.mark();
      pty.type(`$TK exec ${mode} --heartbeat --heartbeat-rate=20s --skip-summary-report -- sleep 60${KEY.enter}`);
      await bench.count(1);
      expect(await pty.keys(KEY.ctrlC)).toBe(130);
      await waitUntil(() => (bench.reports().length === 2 ? true : undefined));
      expect(operations(bench.reports())).toEqual(["exec", "heartbeat"]);
      await noReporter(bench);
      expect(pty.written().slice(from)).not.toContain("bug in tk");
    });

    test("a program that handles Ctrl-C gets it once and goes on", async () => {
      const bench = new ExecBench();
      const pty = await shell(bench);
      const script = `trap "echo got >>got" INT; echo ready >ready; ${WAIT}; echo end`;
      const from = pty.mark();
      pty.type(`$TK exec ${mode} --skip-summary-report -- bash -c '${script}'${KEY.enter}`);
      await waitUntil(() => (existsSync(join(bench.home, "ready")) ? true : undefined));
      pty.type(KEY.ctrlC);
      await waitUntil(() => (existsSync(join(bench.home, "got")) ? true : undefined));
      bench.file("go", "");
      expect(await pty.prompt(from)).toBe(0);
      expect(readFileSync(join(bench.home, "got"), "utf8")).toBe("got\n");
    });

    test("Ctrl-Z stops, fg goes on, and the terminal is the program's", async () => {
      const bench = new ExecBench();
      const pty = await shell(bench);
      const script = 'echo ready; read line; echo "read $line"; exit 3';
      let from = pty.mark();
      pty.type(`$TK exec ${mode} --skip-summary-report -- bash -c '${script}'${KEY.enter}`);
      await pty.waitFor(/\rready\r\n/, from);
      expect(await pty.keys(KEY.ctrlZ)).toBe(148);
      expect(await pty.line("jobs")).toBe(0);
      from = pty.mark();
      pty.type(`fg${KEY.enter}`);
      await pty.waitFor(/exec .*\r\n/, from);
      expect(await pty.line("words")).toBe(3);
      expect(pty.written().slice(from)).toContain("read words");
    });

    test("twice stopped and continued in the background", async () => {
      const bench = new ExecBench();
      const pty = await shell(bench);
      pty.type(`$TK exec ${mode} --skip-summary-report -- bash -c '${WAIT}; echo end; exit 4'${KEY.enter}`);
      await bench.count(1);
      for (let i = 0; i < 2; i++) {
        expect(await pty.keys(KEY.ctrlZ)).toBe(148);
        const from = pty.mark();
        if (i === 0) {
          pty.type(`fg${KEY.enter}`);
          await pty.waitFor(/exec .*\r\n/, from);
          await Bun.sleep(200);
        } else expect(await pty.line("bg")).toBe(0);
      }
      bench.file("go", "");
      expect(await pty.line("wait %1; echo status $?")).toBe(0);
      expect(pty.written()).toContain("status 4");
    });

    test("a hang-up ends the program; the reporter delivers and is gone as well", async () => {
      const bench = new ExecBench();
      const pty = await shell(bench);
      pty.type(`exec $TK exec ${mode} --heartbeat --skip-summary-report -- sleep 60${KEY.enter}`);
      await bench.count(1);
      await pty.close();
      open = open.filter((other) => other !== pty);
      await noReporter(bench);
      expect(bench.reports().length).toBeGreaterThanOrEqual(1);
    });
  });
}
