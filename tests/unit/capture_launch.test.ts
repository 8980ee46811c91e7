// Which file a command means, and a child that is held: it must neither run too early nor stay when it is given up.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { candidates, lookUp } from "../../lib/capture/launch/command.ts";
import { learnInherited } from "../../lib/capture/launch/inherited.ts";
import { startHeld, type HeldCommand } from "../../lib/capture/launch/start_held.ts";
import { latin1 } from "../../lib/host/descriptors.ts";
import { ERRNO } from "../../lib/host/errno.ts";
import { openKernel } from "../../lib/host/kernel.ts";
import { Block } from "../../lib/host/memory.ts";
import { NR } from "../../lib/host/syscalls.ts";
import { decodeWaitStatus } from "../../lib/model/status.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const words = (...texts: string[]) => texts.map(bytes);
const folder = mkdtempSync(join(tmpdir(), "tk-launch-"));
const kernel = openKernel();

beforeAll(() => {
  mkdirSync(join(folder, "a"));
  mkdirSync(join(folder, "b"));
  mkdirSync(join(folder, "b", "folder"));
  writeFileSync(join(folder, "a", "data"), "x");
  writeFileSync(join(folder, "b", "data"), "#!/bin/sh\nexit 5\n");
  chmodSync(join(folder, "b", "data"), 0o755);
  writeFileSync(join(folder, "a", "plain"), "x");
  writeFileSync(join(folder, "b", "noshebang"), "exit $#\n");
  chmodSync(join(folder, "b", "noshebang"), 0o755);
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("candidates of a command", () => {
  const texts = (command: string, ...environment: string[]) =>
    candidates(bytes(command), words(...environment)).map((b) => latin1(b));

  test("each directory of PATH, in order; an empty one is the current directory", () => {
    expect(texts("c", "X=1", "PATH=/a:/b/::d")).toEqual(["/a/c", "/b/c", "c", "d/c"]);
    expect(texts("c", "PATH=")).toEqual(["c"]);
    expect(texts("c", "PATH=/a:")).toEqual(["/a/c", "c"]);
  });

  test("a path is itself, nothing is nothing, and without PATH there is a default", () => {
    expect(texts("./c", "PATH=/a")).toEqual(["./c"]);
    expect(texts("", "PATH=/a")).toEqual([]);
    expect(texts("c", "NOTPATH=/a")).toEqual(["/bin/c", "/usr/bin/c"]);
  });

  test("bytes that are not UTF-8 stay as they are", () => {
    const found = candidates(Uint8Array.of(0xff), [Uint8Array.of(...bytes("PATH=/"), 0xfe)]);
    expect(found.map((b) => [...b])).toEqual([[0x2f, 0xfe, 0x2f, 0xff]]);
  });
});

describe("looking a command up", () => {
  const look = (command: string) => lookUp(bytes(command), words(`PATH=${folder}/a:${folder}/b:${folder}/none`));

  test("a refusal is overruled by a later hit, and is told when there is none", () => {
    expect(look("data")).toBe(0);
    expect(look("plain")).toBe(ERRNO.EACCES);
    expect(look("folder")).toBe(ERRNO.EACCES);
    expect(look("absent")).toBe(ERRNO.ENOENT);
    expect(look("")).toBe(ERRNO.ENOENT);
  });

  test("a path tells its own error", () => {
    expect(look(`${folder}/a/data/x`)).toBe(ERRNO.ENOTDIR);
    expect(look(`${folder}/none`)).toBe(ERRNO.ENOENT);
  });
});

describe("a held command", () => {
  const inherited = learnInherited();
  const hold = (argv: readonly Uint8Array[], path = `${folder}/a:${folder}/b:/bin`) =>
    startHeld({ argv, inherited, environment: words(`PATH=${path}`, "LEFT=over", "") });

  function ended(held: HeldCommand) {
    const block = new Block(16);
    expect(kernel.call(NR.wait4, held.pid, block.address, 0x40000000, 0)).toBe(held.pid);
    return decodeWaitStatus(block.i32[0]!);
  }

  test("does not run before it is released", async () => {
    const marker = join(folder, "marker");
    const held = hold(words("sh", "-c", `echo "$LEFT" >${marker}; exit 3`));
    await Bun.sleep(100);
    expect(existsSync(marker)).toBe(false);
    expect(readFileSync(`/proc/${held.pid}/status`, "latin1")).toMatch(/^State:\tS/m);
    held.release();
    expect(ended(held)).toEqual({ how: "exited", code: 3 });
    expect(readFileSync(marker, "utf8")).toBe("over\n");
  });

  test("is gone, without a trace, when it is given up", () => {
    const marker = join(folder, "never");
    const held = hold(words("sh", "-c", `: >${marker}`));
    held.abandon();
    expect(existsSync(marker)).toBe(false);
    expect(kernel.call(NR.kill, held.pid, 0)).toBe(-ERRNO.ESRCH);
  });

  test("leaves no descriptor behind in this process", () => {
    const count = () => readFileSync("/proc/self/limits", "latin1").length > 0 && inheritedCount();
    const inheritedCount = () => learnInherited().descriptors.length;
    const before = count();
    for (let i = 0; i < 20; i++) hold(words("true")).abandon();
    expect(count()).toBe(before);
  });

  test("runs a script without #! by /bin/sh, with its path as the first word", () => {
    const held = hold(words("noshebang", "1", "2", "3"));
    held.release();
    expect(ended(held)).toEqual({ how: "exited", code: 3 });
  });

  test("goes on to the next directory after a refusal", () => {
    const held = hold(words("data"));
    held.release();
    expect(ended(held)).toEqual({ how: "exited", code: 5 });
  });

  test.each([
    ["absent", ERRNO.ENOENT],
    ["plain", ERRNO.EACCES],
    ["folder", ERRNO.EACCES],
  ] as const)("%s: ends with 127 and says why", (command, errno) => {
    const held = hold(words(command));
    held.release();
    expect(ended(held)).toEqual({ how: "exited", code: 127 });
    expect(held.execErrno()).toBe(errno);
  });

  test("arguments that are too long are said to be", () => {
    const held = hold([bytes("true"), new Uint8Array(200_000).fill(97)]);
    held.release();
    expect(ended(held)).toEqual({ how: "exited", code: 127 });
    expect(held.execErrno()).toBe(ERRNO.E2BIG);
  });

  test("gets the descriptor that it is told to as its standard output", () => {
    const pipe = new Block(16);
    kernel.call(NR.pipe2, pipe.address, 0o2000000);
    const [readEnd, writeEnd] = [pipe.i32[0]!, pipe.i32[1]!];
    const held = startHeld({ argv: words("/bin/echo", "through the pipe"), inherited, stdout: writeEnd });
    kernel.call(NR.close, writeEnd);
    held.release();
    expect(ended(held)).toEqual({ how: "exited", code: 0 });
    const block = new Block(64);
    const n = kernel.call(NR.read, readEnd, block.address, 64);
    kernel.call(NR.close, readEnd);
    expect(latin1(block.bytes, 0, n)).toBe("through the pipe\n");
  });
});
