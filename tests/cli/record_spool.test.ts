// `tk record --spool DIR`: recording that is turned on by making a directory, and that never fills it.
import { afterAll, beforeAll, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lacks } from "../support/needs.ts";
import { type Ran, readRecording, requireTk, run, start, TK, withTag } from "../support/tk.ts";

let folder: string;
beforeAll(() => {
  requireTk();
  folder = mkdtempSync(join(tmpdir(), "tk-spool-test-"));
  // For ordinary users, too.
  chmodSync(folder, 0o755);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const spooled = (spool: string, command: readonly string[], ...options: string[]): Promise<Ran> =>
  run([TK, "record", "--spool", spool, ...options, "--", ...command], { cwd: folder });

const runs = (spool: string): string[] => readdirSync(spool).filter((name) => /^\d{6}-\d{6}/.test(name));

/** As it would look a day later. */
function age(path: string): void {
  const then = Date.now() / 1000 - 86_400;
  utimesSync(path, then, then);
}

test("without the directory the command runs as if tk were not there", async () => {
  const spool = join(folder, "absent");
  const ran = await spooled(spool, ["sh", "-c", "echo out; echo err >&2; grep TracerPid /proc/self/status; exit 9"]);
  expect([ran.stdout, ran.stderr, ran.status]).toEqual(["out\nTracerPid:\t0\n", "err\n", 9]);
  expect(existsSync(spool)).toBe(false);
  const missing = await spooled(spool, ["no-such-command"]);
  expect([missing.status, missing.stdout]).toEqual([127, ""]);
});

test("with it each run has its folder, and latest is the newest", async () => {
  const spool = join(folder, "on");
  mkdirSync(spool);
  for (const status of [3, 4]) expect((await spooled(spool, ["sh", "-c", `exit ${status}`], "-q")).status).toBe(status);
  expect(runs(spool)).toHaveLength(2);
  const last = join(spool, "latest", "sh.prof");
  expect(withTag(readRecording(last), "End")[0]!.f.exit_code).toBe(4);
  expect(runs(spool)).toContain(readlinkSync(join(spool, "latest")));
});

test("the oldest go, but not what is being recorded and nothing that is no run", async () => {
  const spool = join(folder, "full");
  mkdirSync(spool);
  const tk = start([TK, "record", "-q", "--spool", spool, "--", "sleep", "3"], { cwd: folder });
  while (!existsSync(join(spool, "latest", "sleep.prof"))) await Bun.sleep(20);
  const [living] = runs(spool);
  for (const name of ["240101-000000", "240101-000000-2", "240102-000000"]) {
    mkdirSync(join(spool, name));
    writeFileSync(join(spool, name, "x.prof"), "x");
    age(join(spool, name));
  }
  mkdirSync(join(spool, "mine"));
  age(join(spool, living!));
  await spooled(spool, ["true"], "-q", "--spool-runs", "2");
  expect(runs(spool)).toHaveLength(2);
  expect(runs(spool)).toContain(living!);
  expect(existsSync(join(spool, "mine"))).toBe(true);
  tk.kill("SIGTERM");
  await tk.done;
});

test("a limit by size", async () => {
  const spool = join(folder, "size");
  mkdirSync(spool);
  for (const name of ["240101-000000", "240102-000000"]) {
    mkdirSync(join(spool, name));
    writeFileSync(join(spool, name, "x.prof"), Buffer.alloc(1 << 20, 1));
    age(join(spool, name));
  }
  await spooled(spool, ["true"], "-q", "--spool-size", "1.5M");
  expect(runs(spool)).toHaveLength(2);
  expect(runs(spool)).toContain("240102-000000");
});

test.skipIf(lacks("an ordinary user"))("a spool that cannot be written: the service runs, unrecorded", async () => {
  const spool = join(folder, "readonly");
  mkdirSync(spool, { mode: 0o555 });
  const ran = await run([TK, "record", "--spool", spool, "--", "echo", "served"], { user: "ordinary" });
  expect([ran.stdout, ran.status]).toEqual(["served\n", 0]);
  expect(ran.stderr).toBe(
    `tk: Cannot record into '${spool}': permission denied; the command runs without being recorded\n`,
  );
});

test("-o and --spool contradict each other", async () => {
  const ran = await spooled(folder, ["true"], "-o", "x");
  expect([ran.status, ran.stderr.split("\n")[0]]).toEqual([
    2,
    "tk: --spool says where the recording goes, and so does -o",
  ]);
});
