// Process lives that a recorder easily gets wrong: parents killed inside fork, storms of threads, 32-bit programs, pid
// namespaces, changed users, programs that may be run but not read. Each must be told whole, with nothing invented.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { type Life, counts, everyLife, livesOfRecording } from "../support/lives.ts";
import { lacks } from "../support/needs.ts";
import { programs, removeTemporaryFolders, temporaryFolder } from "../support/programs.ts";
import {
  type Line,
  type Mode,
  ORDINARY_UID,
  argsOf,
  asOrdinaryUser,
  readRecording,
  recording,
  requireTk,
  run,
  start,
  withTag,
} from "../support/tk.ts";

const MODES: readonly Mode[] = ["events", "complete"];
/** All but the last record programs of tests/programs. */
const records = test.skipIf(lacks("gcc"));
const folder = temporaryFolder();
let count = 0;

beforeAll(requireTk);
afterAll(removeTemporaryFolders);

interface Told {
  readonly lines: Line[];
  readonly root: Life;
  readonly status: number | null;
}

async function record(mode: Mode, command: readonly string[], user: "root" | "ordinary" = "ordinary"): Promise<Told> {
  const out = join(folder, `rec-${count++}`);
  const ran = await run(recording(out, mode, command, "--quiet"), { cwd: programs(), user });
  expect([ran.stdout, ran.stderr]).toEqual(["", ""]);
  const lines = readRecording(out);
  expect(withTag(lines, "Lost")).toHaveLength(0);
  // every process is born once and ends once, and nothing is told of it before or after
  return { lines, root: livesOfRecording(lines), status: ran.status };
}

/** The last exec of each life that had one. */
function words(root: Life): string[] {
  return everyLife(root).flatMap((l) => l.execs);
}

records.each(MODES)(
  "%s: parents killed in the middle of fork, three times",
  async (mode) => {
    for (let round = 0; round < 3; round++) {
      const { root, status } = await record(mode, ["./storms", "killed-forkers"]);
      expect(status).toBe(0);
      const forkers = everyLife(root).filter((l) => l.end === "killed 9");
      expect(forkers.length).toBe(200);
      // a child that its killed parent could not announce is still its parent's, or the root's neighbour by adoption
      for (const life of everyLife(root)) {
        if (life.end === "exited 0" && life !== root) expect(life.execs).toEqual(['["tiny","orphan"]']);
      }
    }
  },
  60_000,
);

records.each(MODES)(
  "%s: whole groups killed while they fork: children that die before anybody has heard of them",
  async (mode) => {
    // On a busy machine the kernel has forgotten more of them by the time the tracer asks.
    const busy = Array.from({ length: 3 }, () => Bun.spawn(["yes"], { stdout: "ignore" }));
    const { lines, root, status } = await record(mode, ["./storms", "killed-groups"]).finally(() => {
      for (const child of busy) child.kill();
    });
    expect(status).toBe(0);
    expect(root.children.length).toBe(200);
    expect(everyLife(root).every((l) => l.end === "killed 9" || l.end === "exited 3" || l === root)).toBe(true);
    expect(withTag(lines, "Fork").filter((l) => l.f.parent_pid === 0)).toHaveLength(0);
  },
  30_000,
);

records.each(MODES)(
  "%s: thousands of threads are no processes; eight threads that fork at once",
  async (mode) => {
    const { root, status } = await record(mode, ["./storms", "threads"]);
    expect(status).toBe(0);
    expect(counts(root)).toMatchObject({ processes: 201, execs: 1, ends: 201 });
    expect(root.children.every((c) => c.end === "exited 1" && c.children.length === 0)).toBe(true);
  },
  30_000,
);

records.each(MODES)(
  "%s: processes killed while their threads come, go and fork",
  async (mode) => {
    const { root, status } = await record(mode, ["./storms", "killed-threads"]);
    expect(status).toBe(0);
    expect(everyLife(root).filter((l) => l.end === "killed 9").length).toBeGreaterThanOrEqual(60);
    expect(root.children.length).toBeGreaterThanOrEqual(60);
  },
  30_000,
);

test.skipIf(lacks("gcc", "32-bit programs")).each(MODES)("%s: a 32-bit program", async (mode) => {
  const { root, status } = await record(mode, ["./i386"]);
  expect(status).toBe(7);
  const words = '["word 32","\xff\xfe"]';
  const complete = mode === "complete";
  expect(root).toMatchObject({ execs: ['["./i386"]'], groups: complete ? ["own"] : [], end: "exited 7" });
  expect(root.children).toMatchObject([
    { execs: [words], end: "exited 0", bad: complete ? [{ file: "./missing-32", args: words, errno: 2 }] : [] },
  ]);
});

records.each(MODES)("%s: a program that its user may run but not read", async (mode) => {
  const { root, status } = await record(mode, ["sh", "-c", "./unreadable a '' 'b c'; exit 3"]);
  expect(status).toBe(3);
  expect(words(root)[1]).toBe('["./unreadable","a","","b c"]');
});

test.skipIf(lacks("gcc", "user namespaces")).each(MODES)(
  "%s: inside a pid namespace of its own, pids are those outside",
  async (mode) => {
    const { lines, root, status } = await record(mode, ["unshare", "-Urpf", "sh", "-c", "./tiny inside; exit 7"]);
    expect(status).toBe(7);
    expect(root.children).toMatchObject([{ end: "exited 7", children: [{ execs: ['["./tiny","inside"]'] }] }]);
    for (const line of withTag(lines, "Fork")) expect(Number(line.f.child_pid)).toBeGreaterThan(2);
  },
);

test.skipIf(lacks("gcc", "root")).each(MODES)(
  "%s: root that becomes an ordinary user goes on being recorded",
  async (mode) => {
    const command = asOrdinaryUser(["sh", "-c", `./tiny as $(id -u); exit 5`]);
    const { root, status } = await record(mode, command, "root");
    expect(status).toBe(5);
    expect(words(root)).toContain(`["./tiny","as","${ORDINARY_UID}"]`);
  },
);

test.skipIf(lacks("gcc", "root")).each(MODES)(
  "%s: set-user-ID programs keep their power when root records",
  async (mode) => {
    // su is set-user-ID root: as the ordinary user under root's tk it may still become root without a password? No: but it
    // sees itself as root, which is what the bit is for.
    const report = join(folder, `suid-${mode}`);
    const suid = join(folder, `suid-probe-${mode}`);
    const made = await run(["sh", "-c", `cp ${programs()}/probe ${suid} && chmod 4755 ${suid}`]);
    expect(made.status).toBe(0);
    const { status } = await record(mode, asOrdinaryUser([suid, report]), "root");
    expect(status).toBe(5);
    const ids = /^uids .*$/m.exec(await Bun.file(report).text())?.[0];
    expect(ids).toStartWith(`uids ${ORDINARY_UID} 0 0`);
  },
);

records.each(MODES)("%s: one process that becomes another program a hundred times", async (mode) => {
  const script = 'n=$1; [ "$n" = 0 ] && exit 11; exec sh -c "$0" "$0" $((n - 1))';
  const { root, status } = await record(mode, ["sh", "-c", script, script, "100"]);
  expect(status).toBe(11);
  expect(everyLife(root).length).toBe(1);
  expect(root.execs.length).toBe(101);
});

records.each(MODES)("%s: words and environment of a megabyte and a half", async (mode) => {
  const script = `x=$(head -c 120000 /dev/zero | tr '\\0' x); export A=$x B=$x C=$x D=$x E=$x; exec ./tiny $x $x $x $x $x $x $x "end"`;
  const { lines } = await record(mode, ["bash", "-c", script]);
  const last = withTag(lines, "ExecFull").at(-1)!;
  const args = argsOf(last)!;
  expect(args.map((a) => a.length)).toEqual([6, ...Array<number>(7).fill(120_000), 3]);
  expect(args.slice(1, 8).every((a) => a.every((b) => b === 0x78))).toBe(true);
  expect(String(last.f.filename)).toEndWith("/tiny");
});

records.each(MODES)("%s: tk is stopped and continued from outside", async (mode) => {
  const out = join(folder, `rec-${count++}`);
  const running = start(
    recording(out, mode, ["sh", "-c", "for i in 1 2 3 4 5 6; do sleep 0.05; done; exit 13"], "--quiet"),
  );
  await Bun.sleep(100);
  process.kill(running.pid, "SIGSTOP");
  await Bun.sleep(200);
  process.kill(running.pid, "SIGCONT");
  expect((await running.done).status).toBe(13);
  const root = livesOfRecording(readRecording(out));
  expect(everyLife(root).map((l) => l.end)).toEqual(["exited 13", ...Array<string>(6).fill("exited 0")]);
});
