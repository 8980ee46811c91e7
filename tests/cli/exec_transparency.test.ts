// The program under `tk exec` cannot tell that tk started it: a probe looks at everything it can see, once plain, once
// where tk became the program, once where tk is its parent. Guards issue 3's "it must run exactly as without tk".
import { beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { lacks } from "../support/needs.ts";
import { contexts, hostileFolder, visibleFacts } from "../support/probe.ts";
import { PLAIN_ENV, programs, temporaryFolder } from "../support/programs.ts";
import { isRoot, requireTk, run, TK } from "../support/tk.ts";

const USERS = isRoot ? (["root", "ordinary"] as const) : (["ordinary"] as const);
const folder = temporaryFolder();
const list = contexts(folder);

/** A configuration that reports into the test's folder only. */
const MODES = [
  { name: "in place", options: ["--heartbeat"] },
  { name: "as parent", options: ["--as-parent"] },
] as const;

beforeAll(requireTk);

function execWords(options: readonly string[], command: readonly string[]): string[] {
  return [TK, "exec", ...options, "--log-level=none", "--", ...command];
}

/** What the probe says when started in a context, and the status that came back to the context's shell. */
async function look(script: string, words: readonly string[], user: "root" | "ordinary", report: string, cwd = folder) {
  rmSync(report, { force: true });
  const ran = await run(["bash", "-c", script, "context", ...words], {
    cwd,
    user,
    limit: 10_000,
    env: { ...PLAIN_ENV, PROGRAMS: programs(), HOME: folder },
  });
  if (!existsSync(report)) throw new Error(`the probe wrote nothing: status ${ran.shell} ${ran.stdout} ${ran.stderr}`);
  return { text: readFileSync(report, "latin1"), ran };
}

for (const user of USERS) {
  describe(`as ${user === "root" ? "root" : "an ordinary user"}`, () => {
    for (const context of list) {
      test.skipIf(lacks("gcc", ...(context.needs ?? [])))(
        context.name,
        async () => {
          const report = join(folder, `report-${user}`); // the same name in every run: it is in argv
          const command = [context.bare ? "probe" : join(programs(), "probe"), report];
          const plain = await look(context.script, command, user, report);
          for (const mode of MODES) {
            const under = await look(context.script, execWords(mode.options, command), user, report);
            expect({ mode: mode.name, facts: visibleFacts(under.text, "events") }).toEqual({
              mode: mode.name,
              facts: visibleFacts(plain.text, "events"),
            });
            expect([under.ran.shell, under.ran.stdout, under.ran.stderr]).toEqual([
              plain.ran.shell,
              plain.ran.stdout,
              plain.ran.stderr,
            ]);
          }
        },
        30_000,
      );
    }
  });
}

test.skipIf(lacks("gcc"))("argv keeps every byte", async () => {
  const report = join(folder, "report-argv");
  const script = `"$@" $'\\xff\\xfe' $'two\\nlines' '' ' ' $'caf\\xc3\\xa9' '--' '-o' '--heartbeat' 'x'; exit $?`;
  const command = [join(programs(), "probe"), report];
  const plain = await look(script, command, "ordinary", report);
  for (const mode of MODES) {
    const under = await look(script, execWords(mode.options, command), "ordinary", report);
    const words = (text: string) => text.split("\n").filter((l) => l.startsWith("argv ") || l.startsWith("cmdline "));
    expect(words(under.text)).toEqual(words(plain.text));
  }
});

test.skipIf(lacks("gcc"))("a hostile working directory changes nothing and runs nothing", async () => {
  const cwd = hostileFolder();
  const report = join(cwd, "report");
  const command = [join(programs(), "probe"), report];
  const plain = await look('"$@"; exit $?', command, "ordinary", report, cwd);
  for (const mode of MODES) {
    const under = await look('"$@"; exit $?', execWords(mode.options, command), "ordinary", report, cwd);
    expect(visibleFacts(under.text, "events")).toEqual(visibleFacts(plain.text, "events"));
    expect(under.ran.stdout + under.ran.stderr).toBe("");
    expect(existsSync(join(cwd, "EXECUTED"))).toBe(false);
  }
});
