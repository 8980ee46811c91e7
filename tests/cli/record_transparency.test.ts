// The traced command cannot tell that it is traced: a probe looks at everything it can see, once plain, once under tk.
// Guards issue 2's "The traced command cannot tell the difference"; what may differ is listed in support/probe.ts.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { contexts, hostileFolder, visibleFacts } from "../support/probe.ts";
import { lacks } from "../support/needs.ts";
import { PLAIN_ENV, programs, removeTemporaryFolders, temporaryFolder } from "../support/programs.ts";
import { type Mode, TK, argsOf, isRoot, readRecording, recording, requireTk, run, withTag } from "../support/tk.ts";

const MODES: readonly Mode[] = ["events", "complete"];
const USERS = isRoot ? (["root", "ordinary"] as const) : (["ordinary"] as const);
const folder = temporaryFolder();
const list = contexts(folder);

beforeAll(requireTk);
afterAll(removeTemporaryFolders);

/** What the probe says when started in a context, and the status that came back to the context's shell. */
async function look(script: string, words: readonly string[], user: "root" | "ordinary", report: string, cwd = folder) {
  rmSync(report, { force: true });
  const ran = await run(["bash", "-c", script, "context", ...words], {
    cwd,
    user,
    limit: 10_000,
    env: { ...PLAIN_ENV, PROGRAMS: programs() },
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
          const out = join(folder, `rec-${user}-${Bun.hash(context.name).toString(36)}`);
          const command = [context.bare ? "probe" : join(programs(), "probe"), report];
          const plain = await look(context.script, command, user, report);
          for (const mode of MODES) {
            rmSync(out, { force: true });
            const traced = await look(context.script, recording(out, mode, command, "--quiet"), user, report);
            expect({ mode, facts: visibleFacts(traced.text, mode) }).toEqual({
              mode,
              facts: visibleFacts(plain.text, mode),
            });
            expect([traced.ran.shell, traced.ran.stdout, traced.ran.stderr]).toEqual([
              plain.ran.shell,
              plain.ran.stdout,
              plain.ran.stderr,
            ]);
            expect(withTag(readRecording(out), "End")).toHaveLength(1);
          }
        },
        30_000,
      );
    }
  });
}

test.skipIf(lacks("gcc"))("the probe itself sees differences: it is not blind", async () => {
  const report = join(folder, "report-blind");
  const command = [join(programs(), "probe"), report];
  const plain = await look('"$@"; exit $?', command, "ordinary", report);
  const other = await look(
    "trap '' USR2; ulimit -Sn 55; umask 7; exec 9</dev/null; export X=1; nice -n 2 \"$@\"; exit $?",
    command,
    "ordinary",
    report,
  );
  const before = new Set(plain.text.split("\n"));
  const fresh = other.text
    .split("\n")
    .filter((line) => !before.has(line))
    .map((line) => line.split(" ").slice(0, 2).join(" "));
  for (const fact of ["sigaction 12", "rlimit 7", "umask 7", "fd 9", "environ X=1", "nice 2"])
    expect(fresh).toContain(fact);
});

test.skipIf(lacks("gcc"))("argv of the command keeps every byte, in the command and in the recording", async () => {
  const report = join(folder, "report-argv");
  const script = `"$@" $'\\xff\\xfe' $'two\\nlines' '' ' ' $'caf\\xc3\\xa9' '--' '-o' 'x'; exit $?`;
  const command = [join(programs(), "probe"), report];
  const plain = await look(script, command, "ordinary", report);
  for (const mode of MODES) {
    const out = join(folder, `rec-argv-${mode}`);
    const traced = await look(script, recording(out, mode, command, "--quiet"), "ordinary", report);
    const words = (text: string) => text.split("\n").filter((l) => l.startsWith("argv ") || l.startsWith("cmdline "));
    expect(words(traced.text)).toEqual(words(plain.text));
    const exec = withTag(readRecording(out), "ExecFull")[0]!;
    expect(
      argsOf(exec)!
        .slice(2)
        .map((b) => b.toString("latin1")),
    ).toEqual(["\xff\xfe", "two\nlines", "", " ", "caf\xc3\xa9", "--", "-o", "x"]);
  }
});

test.skipIf(lacks("gcc"))("a hostile working directory changes nothing and runs nothing", async () => {
  const cwd = hostileFolder();
  const report = join(cwd, "report");
  const command = [join(programs(), "probe"), report];
  const plain = await look('"$@"; exit $?', command, "ordinary", report, cwd);
  for (const mode of MODES) {
    const out = join(cwd, `rec-${mode}`);
    const traced = await look('"$@"; exit $?', recording(out, mode, command, "--quiet"), "ordinary", report, cwd);
    expect(visibleFacts(traced.text, mode)).toEqual(visibleFacts(plain.text, mode));
    expect(traced.ran.stdout + traced.ran.stderr).toBe("");
    expect(existsSync(join(cwd, "EXECUTED"))).toBe(false);
    const exec = withTag(readRecording(out), "ExecFull")[0]!;
    expect(JSON.stringify(exec.f)).not.toContain("HOSTILE");
  }
});

test.skipIf(lacks("gcc"))("without -o: standard output is standard error's, and nothing else has changed", async () => {
  const report = join(folder, "report-stdout");
  const command = [join(programs(), "probe"), report];
  const plain = await look('exec 5</dev/null; "$@" >&2; exit $?', command, "ordinary", report);
  for (const mode of MODES) {
    const words = [TK, "record", "--mode", mode, "--quiet", "--", ...command];
    const traced = await look('exec 5</dev/null; "$@"; exit $?', words, "ordinary", report);
    expect(visibleFacts(traced.text, mode)).toEqual(visibleFacts(plain.text, mode));
  }
});
