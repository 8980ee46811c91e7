// What a test needs of the machine besides tk itself: compilers, other tracers, root, a terminal. A test that cannot run
// is skipped and the reason is printed, never passed over in silence; CI sets TK_TEST_SKIP_NOTHING, and then it fails.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** How to get what is missing; undefined when it is there. */
type Look = () => string | undefined;

const program =
  (names: readonly string[], packages: string): Look =>
  () => {
    const missing = names.filter((name) => Bun.which(name) === null);
    return missing.length === 0 ? undefined : `no ${missing.join(", ")} here (apt-get install ${packages})`;
  };

const NEEDS = {
  gcc: () => program(["gcc"], "gcc libc6-dev")() ?? cannotLink(),
  bpftrace: program(["bpftrace"], "bpftrace"),
  strace: program(["strace"], "strace"),
  python: program(["python3"], "python3"),
  make: program(["make"], "make"),
  editors: program(["less", "vim"], "less vim"),
  bash: program(["bash"], "bash"),
  zsh: program(["zsh"], "zsh"),
  fish: program(["fish"], "fish"),
  man: program(["man"], "man-db"),
  objcopy: program(["gcc", "objcopy"], "gcc libc6-dev binutils"),
  zip: program(["zip", "python3"], "zip python3"),
  readelf: program(["readelf"], "binutils"),
  "an ordinary user": cannotBeOrdinary,
  root: () => (process.getuid?.() === 0 ? undefined : "not run as root"),
  mount: cannotMount,
  terminal: () => program(["pkill", "bash"], "procps bash")() ?? cannotOpenTerminal(),
  "32-bit programs": () => (process.arch === "x64" ? undefined : "this machine runs no 32-bit x86 programs"),
  "user namespaces": () => cannotUnshare("-Urpf"),
  "a mount namespace": () => cannotUnshare("-m"),
  "a pid namespace": () => cannotUnshare("-pf", "--mount-proc"),
} satisfies Readonly<Record<string, Look>>;

export type Need = keyof typeof NEEDS;

const found = new Map<Need, string | undefined>();
const told = new Set<Need>();

/** For `test.skipIf` and `describe.skipIf`: whether anything is missing. Says what, once for each test run. */
export function lacks(...needs: readonly Need[]): boolean {
  let lacking = false;
  for (const need of needs) {
    if (!found.has(need)) found.set(need, NEEDS[need]());
    const reason = found.get(need);
    if (reason === undefined) continue;
    if (process.env.TK_TEST_SKIP_NOTHING) throw new Error(`these tests need ${need}: ${reason}`);
    lacking = true;
    if (!told.has(need)) console.log(`skipping what needs ${need}: ${reason}`);
    told.add(need);
  }
  return lacking;
}

/** A compiler without the C library's headers and start files cannot build the programs. */
function cannotLink(): string | undefined {
  const options = ["-x", "c", "-o", "/dev/null", "-"];
  const tried = spawnSync("gcc", options, { input: "#include <stdio.h>\nint main(void) { return 0; }\n" });
  return tried.status === 0 ? undefined : "gcc has no C library to build with (apt-get install libc6-dev)";
}

/** Tests of an ordinary user run this checkout's files as one. */
function cannotBeOrdinary(): string | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const words = ["--reuid=4711", "--regid=4711", "--clear-groups", "test", "-r", import.meta.path];
  const tried = spawnSync("setpriv", words, { encoding: "utf8" });
  if (tried.status === 0) return undefined;
  return tried.error === undefined
    ? "ordinary users may not read this checkout"
    : "no setpriv here (apt-get install util-linux)";
}

function cannotMount(): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), "tk-mount-"));
  const tried = spawnSync("mount", ["-t", "tmpfs", "-o", "size=32k", "tmpfs", folder], { encoding: "utf8" });
  if (tried.status === 0) spawnSync("umount", ["-l", folder]);
  rmdirSync(folder);
  if (tried.status === 0) return undefined;
  return tried.error === undefined ? tried.stderr.trim() : "no mount here (apt-get install mount)";
}

function cannotOpenTerminal(): string | undefined {
  try {
    const child = Bun.spawn(["true"], { terminal: { cols: 80, rows: 24 } });
    child.terminal?.close();
    return undefined;
  } catch {
    return "no pseudo-terminal can be opened (is /dev/pts mounted?)";
  }
}

function cannotUnshare(...options: string[]): string | undefined {
  const tried = spawnSync("unshare", [...options, "true"], { encoding: "utf8" });
  if (tried.status === 0) return undefined;
  return tried.error === undefined ? tried.stderr.trim() : "no unshare here (apt-get install util-linux)";
}
