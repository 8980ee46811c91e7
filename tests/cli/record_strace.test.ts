// Side by side with `strace -f`: the same script once under each, and every process life must be told the same.
// Guards issue 2's "same forks, execs, argv (byte for byte), failed execs, exits".
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { counts, everyLife, livesOfRecording, treeText } from "../support/lives.ts";
import { lacks } from "../support/needs.ts";
import { programs, removeTemporaryFolders, temporaryFolder } from "../support/programs.ts";
import { livesOfStrace, straceCommand } from "../support/strace.ts";
import { type Mode, argsOf, isRoot, number, readRecording, recording, requireTk, run, withTag } from "../support/tk.ts";

const USERS = isRoot ? (["root", "ordinary"] as const) : (["ordinary"] as const);
const folder = temporaryFolder();

beforeAll(requireTk);
afterAll(removeTemporaryFolders);

/** A file that both users may write, so that neither strace nor tk needs the folder's owner. */
function outputFile(name: string): string {
  const path = join(folder, name);
  writeFileSync(path, "");
  chmodSync(path, 0o666);
  return path;
}

/** Pids and job numbers in bash's messages differ from run to run. */
function withoutPids(text: string): string {
  return text.replaceAll(/ *\b\d{3,}\b/g, " N");
}

for (const user of USERS) {
  describe.skipIf(lacks("gcc", "strace", "python", "make"))(
    `det.sh as ${user === "root" ? "root" : "an ordinary user"}`,
    () => {
      let cwd: string;
      const command = ["./det.sh"];
      const traces = join(folder, `strace-${user}`);
      let witness: ReturnType<typeof livesOfStrace>;
      let plain: Awaited<ReturnType<typeof run>>;

      beforeAll(async () => {
        cwd = programs();
        outputFile(`strace-${user}`);
        plain = await run(command, { cwd, user });
        const ran = await run(straceCommand(traces, command), { cwd, user });
        expect(ran.status).toBe(42);
        witness = livesOfStrace(traces, cwd);
        const c = counts(witness);
        // the script has not shrunk
        expect(c.processes).toBeGreaterThanOrEqual(300);
        expect(c.ends).toBe(c.processes);
        expect(c.bad).toBeGreaterThanOrEqual(40);
        expect(c.setpgid).toBeGreaterThanOrEqual(6);
        expect(c.setsid).toBeGreaterThanOrEqual(5);
      }, 60_000);

      for (const mode of ["events", "complete"] as const satisfies readonly Mode[]) {
        test(`${mode} mode tells the same`, async () => {
          const out = outputFile(`rec-${user}-${mode}`);
          const ran = await run(recording(out, mode, command, "--quiet"), { cwd, user });
          expect(ran.status).toBe(42);
          expect(ran.stdout).toBe(plain.stdout);
          expect(withoutPids(ran.stderr)).toBe(withoutPids(plain.stderr));
          const lines = readRecording(out);
          const told = livesOfRecording(lines);
          expect(treeText(told, mode)).toEqual(treeText(witness, mode));
          if (mode === "complete") expect(counts(told)).toEqual(counts(witness));
          else {
            const { processes, execs, ends } = counts(witness);
            expect(counts(told)).toEqual({ processes, execs, ends, bad: 0, setpgid: 0, setsid: 0 });
          }
          const end = withTag(lines, "End");
          expect(end).toHaveLength(1);
          expect(end[0]!.f).toMatchObject({ processes: everyLife(told).length, lost: 0, exit_code: 42 });
          expect(withTag(lines, "Lost")).toHaveLength(0);
        }, 60_000);
      }
    },
  );
}

test.skipIf(lacks("gcc"))(
  "10,000 processes, 16 at a time: every fork, exec and exit, three runs out of three",
  async () => {
    const tiny = join(programs(), "tiny");
    for (const mode of ["events", "complete", "events"] as const) {
      const out = outputFile("storm");
      const ran = await run(
        recording(out, mode, ["bash", "-c", `seq 10000 | xargs -P16 -n1 ${tiny} storm`], "--quiet"),
        {
          user: "ordinary",
          limit: 110_000,
        },
      );
      expect([ran.status, ran.stdout, ran.stderr]).toEqual([0, "", ""]);
      const lines = readRecording(out);
      const root = livesOfRecording(lines);
      const all = everyLife(root);
      // bash, its child for seq, xargs and what xargs starts
      expect(all.length).toBe(10_003);
      expect(all.every((l) => l.end === "exited 0")).toBe(true);
      expect(withTag(lines, "Fork")).toHaveLength(10_003);
      expect(withTag(lines, "Exit")).toHaveLength(10_003);
      const seen = new Set<number>();
      for (const line of withTag(lines, "ExecFull")) {
        const words = argsOf(line)!;
        if (words[1]?.toString() === "storm") seen.add(Number(words[2]!.toString()));
      }
      expect(seen.size).toBe(10_000);
      expect(number(withTag(lines, "End")[0]!, "lost")).toBe(0);
    }
  },
  120_000,
);

test.skipIf(lacks("gcc"))("events are in the order of the kernel and of the clock", async () => {
  const out = outputFile("order");
  await run(recording(out, "complete", ["./forks", "tree"], "--quiet"), { cwd: programs(), user: "ordinary" });
  let last = -1;
  for (const line of readRecording(out)) {
    if (line.tag === "Recording") continue;
    const at = number(line, "timestamp");
    expect(at).toBeGreaterThanOrEqual(last);
    last = at;
  }
});
