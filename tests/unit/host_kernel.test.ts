// Raw system calls and the memory they are given. The machine code in kernel.ts must be what its source assembles to.
import { describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { secondsAheadOfUtc } from "../../lib/host/clock.ts";
import {
  checkExecutable,
  latin1,
  listDirectory,
  openFile,
  readLink,
  readSmallFile,
} from "../../lib/host/descriptors.ts";
import { ERRNO } from "../../lib/host/errno.ts";
import { MACHINE_CODE, openKernel } from "../../lib/host/kernel.ts";
import { Block } from "../../lib/host/memory.ts";
import { hasBit, ownLastArguments, processName, splitNul, statusField, statusMask } from "../../lib/host/proc.ts";
import { NR } from "../../lib/host/syscalls.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

describe("machine code", () => {
  for (const [arch, triple] of [
    ["x64", "x86_64"],
    ["arm64", "aarch64"],
  ] as const)
    test(`${arch} is its source, assembled`, () => {
      const folder = mkdtempSync(join(tmpdir(), "tk-asm-"));
      const [object, binary] = [join(folder, "o"), join(folder, "bin")];
      const assembled = spawnSync("llvm-mc", [
        `-triple=${triple}`,
        "-filetype=obj",
        `lib/host/machine_code_${arch}.s`,
        "-o",
        object,
      ]);
      if (assembled.error !== undefined) {
        console.log(`not run: llvm-mc (package llvm) is not installed: ${assembled.error.message}`);
        rmSync(folder, { recursive: true });
        return;
      }
      expect(String(assembled.stderr)).toBe("");
      expect(spawnSync("llvm-objcopy", ["-O", "binary", "-j", ".text", object, binary]).status).toBe(0);
      const code = readFileSync(binary);
      rmSync(folder, { recursive: true });
      const used = MACHINE_CODE[arch].length / 2;
      expect<string>(MACHINE_CODE[arch]).toBe(code.subarray(0, used).toString("hex"));
      // Behind the code there is only room up to the cell.
      expect(code.subarray(used).every((b) => b === 0)).toBe(true);
    });
});

describe("system calls", () => {
  const kernel = openKernel();

  test("answer numbers, and errors as -errno", () => {
    expect(kernel.call(NR.getpid)).toBe(process.pid);
    expect(kernel.call(NR.getppid)).toBe(process.ppid);
    expect(kernel.call(NR.kill, 0x3fffffff, 0)).toBe(-ERRNO.ESRCH);
    expect(kernel.call(NR.close, -1)).toBe(-ERRNO.EBADF);
  });

  test("take six words", () => {
    const MAP_ANONYMOUS_PRIVATE = 0x22;
    const at = kernel.call(NR.mmap, 0, 4096, 3, MAP_ANONYMOUS_PRIVATE, -1, 0);
    expect(at).toBeGreaterThan(4096);
    expect(at % 4096).toBe(0);
  });

  test("read what another block's address says", () => {
    const block = new Block(64);
    const text = block.cString("hello");
    const to = block.reserve(16);
    block.setWord(block.reserve(32), 0);
    const vectors = new Block(32);
    vectors.setWord(0, block.at(to));
    vectors.setWord(8, 6);
    vectors.setWord(16, block.at(text));
    vectors.setWord(24, 6);
    expect(kernel.call(NR.process_vm_readv, process.pid, vectors.at(0), 1, vectors.at(16), 1, 0)).toBe(6);
    expect(latin1(block.bytes, to, to + 6)).toBe("hello\0");
  });
});

describe("blocks", () => {
  test("words are 64 bits, two's complement", () => {
    const block = new Block(64);
    const view = new DataView(block.bytes.buffer);
    for (const value of [0, 1, -1, 255, 2 ** 31, 2 ** 32, 2 ** 47 - 8, -(2 ** 31), -4095, 2 ** 53 - 1]) {
      block.setWord(8, value);
      expect(view.getBigInt64(8, true)).toBe(BigInt(value));
    }
    block.setWord(16, 140_737_488_351_232);
    expect(block.word(16)).toBe(140_737_488_351_232);
  });

  test("keep their address while memory is collected around them", () => {
    const block = new Block(4096);
    const before = block.address;
    const litter: unknown[] = [];
    for (let i = 0; i < 50; i++) litter.push(new Uint8Array(1 << 16));
    Bun.gc(true);
    block.cString("still here");
    const vectors = new Block(32);
    const copy = new Block(16);
    vectors.setWord(0, copy.address);
    vectors.setWord(8, 10);
    vectors.setWord(16, before);
    vectors.setWord(24, 10);
    openKernel().call(NR.process_vm_readv, process.pid, vectors.at(0), 1, vectors.at(16), 1, 0);
    expect(latin1(copy.bytes, 0, 10)).toBe("still here");
  });

  test("a vector of strings ends with NULL", () => {
    const block = new Block(256);
    const at = block.cStrings([bytes("a"), bytes(""), Uint8Array.of(0xff)]);
    expect([0, 1, 2].every((i) => block.word(at + 8 * i) !== 0)).toBe(true);
    expect(block.word(at + 24)).toBe(0);
  });
});

describe("files by descriptor", () => {
  test("what is there, what is not, and what may not", () => {
    expect(openFile("/no/such/file", 0)).toBe(-ERRNO.ENOENT);
    expect(readSmallFile("/no/such/file")).toBeUndefined();
    expect(readSmallFile("/etc")).toBeUndefined();
    expect(latin1(readLink("/proc/self/cwd")!)).toBe(process.cwd());
    expect(listDirectory("/proc/self/task")).toContain(String(process.pid));
    expect(listDirectory("/no/such/folder")).toEqual([]);
    expect(checkExecutable(bytes("/bin/sh"))).toBe(0);
    expect(checkExecutable(bytes("/etc/passwd"))).toBe(-ERRNO.EACCES);
    expect(checkExecutable(bytes("/usr"))).toBe(-ERRNO.EACCES);
    expect(checkExecutable(bytes("/etc/passwd/x"))).toBe(-ERRNO.ENOTDIR);
  });

  test("a file longer than the first buffer is read whole", () => {
    const folder = mkdtempSync(join(tmpdir(), "tk-files-"));
    const path = join(folder, "long");
    writeFileSync(path, "x".repeat(200_000) + "end");
    const read = readSmallFile(path)!;
    expect([read.length, latin1(read.subarray(-3))]).toEqual([200_003, "end"]);
    rmSync(folder, { recursive: true });
  });
});

describe("/proc", () => {
  const status = "Name:\tx\nUmask:\t0022\nSigIgn:\t0000000180001000\nNoNewPrivs:\t0\n";

  test("fields and masks", () => {
    expect(statusField(status, "Name")).toBe("x");
    expect(statusField(status, "ame")).toBeUndefined();
    expect(statusField(status, "Missing")).toBeUndefined();
    const mask = statusMask(status, "SigIgn");
    expect([12, 31, 32, 33].map((bit) => hasBit(mask, bit))).toEqual([true, true, true, false]);
    expect(statusMask(status, "Missing")).toEqual({ low: 0, high: 0 });
  });

  test("lists of NUL-terminated words keep empty ones", () => {
    expect(splitNul(bytes("a\0\0b\0")).map((b) => latin1(b))).toEqual(["a", "", "b"]);
    expect(splitNul(bytes(""))).toEqual([]);
    expect(splitNul(bytes("cut")).map((b) => latin1(b))).toEqual(["cut"]);
  });

  test("own arguments, and a name that is gone", () => {
    expect(ownLastArguments(0)).toBeUndefined();
    expect(ownLastArguments(1_000_000)).toBeUndefined();
    expect(processName(0x3fffffff)).toBe("?");
  });
});

test("local time is what date(1) says", () => {
  const now = Math.floor(Date.now() / 1000);
  const said = String(spawnSync("date", ["+%z"]).stdout).trim();
  const seconds = (Number(said.slice(1, 3)) * 60 + Number(said.slice(3, 5))) * 60 * (said[0] === "-" ? -1 : 1);
  expect(secondsAheadOfUtc(now)).toBe(seconds);
});
