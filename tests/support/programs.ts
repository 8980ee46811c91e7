// Builds what tests/programs holds into a temporary folder that every user may read, once per test run.
// It must not be written to by the commands under test, so that two runs see the same world.
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const SOURCE = join(import.meta.dir, "..", "programs");

/** Environment of the commands under test: fixed, so that PATH look-ups and messages are the same on every machine. */
export const PLAIN_ENV: Readonly<Record<string, string>> = {
  PATH: "/usr/local/bin:/usr/bin:/bin",
  HOME: "/",
  LC_ALL: "C.UTF-8",
  TZ: "UTC",
};

/** One folder for each test run; those of runs that are over are removed, since bun:test runs no exit handlers. */
const RUN = join(tmpdir(), `tk-test-${process.pid}`);

for (const name of readdirSync(tmpdir())) {
  const pid = /^tk-test-(\d+)$/.exec(name)?.[1];
  if (pid !== undefined && !existsSync(`/proc/${pid}`)) rmSync(join(tmpdir(), name), { recursive: true, force: true });
}

const folders: string[] = [];
let built: string | undefined;

/** A new temporary folder. `shared`: every user may write into it. */
export function temporaryFolder(shared = true): string {
  mkdirSync(RUN, { recursive: true });
  chmodSync(RUN, 0o755);
  const folder = mkdtempSync(join(RUN, "f-"));
  chmodSync(folder, shared ? 0o777 : 0o755);
  folders.push(folder);
  return folder;
}

/** For `afterAll`: everything but the programs, which the next test file needs again. */
export function removeTemporaryFolders(): void {
  for (const folder of folders.splice(0)) if (folder !== built) rmSync(folder, { recursive: true, force: true });
}

function compile(source: string, target: string, ...options: string[]): void {
  const done = spawnSync("gcc", ["-O1", "-w", "-o", target, source, ...options], { encoding: "utf8" });
  if (done.error)
    throw new Error(`gcc is needed by these tests (apt-get install gcc libc6-dev): ${done.error.message}`);
  if (done.status !== 0) throw new Error(`gcc ${source}: ${done.stderr}`);
}

/** The folder in which tests/programs/det.sh and the other programs run. */
export function programs(): string {
  if (built !== undefined) return built;
  const folder = temporaryFolder(false);
  const at = (name: string) => join(folder, name);
  compile(join(SOURCE, "tiny.c"), at("tiny"), "-nostdlib", "-static", "-no-pie");
  compile(join(SOURCE, "forks.c"), at("forks"), "-pthread");
  compile(join(SOURCE, "probe.c"), at("probe"));
  compile(join(SOURCE, "signals.c"), at("signals"));
  compile(join(SOURCE, "storms.c"), at("storms"), "-pthread");
  if (process.arch === "x64") compile(join(SOURCE, "i386.s"), at("i386"), "-m32", "-nostdlib", "-static", "-no-pie");
  copyFileSync(at("tiny"), at("unreadable"));
  chmodSync(at("unreadable"), 0o111);
  for (const name of ["det.sh", "det.py", "det.mk"]) copyFileSync(join(SOURCE, name), at(name));
  const file = (name: string | Buffer, mode: number, text: string) => {
    const path = typeof name === "string" ? at(name) : Buffer.concat([Buffer.from(`${folder}/`), name]);
    writeFileSync(path, text);
    chmodSync(path, mode);
  };
  chmodSync(at("det.sh"), 0o755);
  file("with_shebang", 0o755, "#!/bin/sh\nexit $#\n");
  file("shebang_argument", 0o755, "#! /bin/sh -e \t\nfalse\nexit 3\n");
  file("no_shebang", 0o755, "exit $#\n");
  file("plain_file", 0o644, "not a program\n");
  file("garbage", 0o755, "\x7fELF but not really\n");
  file("bad_shebang", 0o755, "#!/no/such/interpreter\n");
  symlinkSync("loop", at("loop"));
  mkdirSync(at("sub"));
  chmodSync(at("sub"), 0o755);
  for (const name of ["a", "b", "c d"]) file(`sub/${name}`, 0o644, "");
  built = folder;
  return folder;
}
