// A few instructions that run before our copy of the loader: they hide LD_PRELOAD, LD_LIBRARY_PATH and the like from it, since
// what an image sets for its own programs must not get into tk. Only the pointer moves on by a letter (`D_PRELOAD=...`); the
// text stays as the kernel put it, so /proc/self/environ, from which the program gets its environment, still has the original.
//
// The code is loader_prologue_x64.s and loader_prologue_arm64.s, assembled with
//   llvm-mc -triple=x86_64 (or aarch64) -filetype=obj FILE -o o && llvm-objcopy -O binary -j .text o bin
// tests/unit/container_portable.test.ts does it again and compares.
import type { ElfFile, Machine } from "./elf.ts";

export const LOADER_PROLOGUE: Readonly<Record<Machine, string>> = {
  x64: "488b0c24488d74cc10488b3e4885ff741666813f4c447509807f025f750348ff064883c608ebe2",
  arm64:
    "e90340f9ea4300914a0d098b4b0140f9cb0100b46c0140399f310171210100546c0540399f110171c10000546c0940399f7d0171610000546b0500914b0100f94a210091f2ffff17",
};

/** A jump from `at` to `to`, whose length depends on the machine. */
function jump(machine: Machine, at: number, to: number): Uint8Array {
  const b = new Uint8Array(machine === "x64" ? 5 : 4);
  const v = new DataView(b.buffer);
  if (machine === "x64") {
    b[0] = 0xe9;
    v.setInt32(1, to - (at + 5), true);
  } else v.setUint32(0, (0x14000000 | (((to - at) >> 2) & 0x03ffffff)) >>> 0, true);
  return b;
}

/** False when the loader has no room for it. */
export function hideLoaderVariables(loader: ElfFile): boolean {
  const code = Buffer.from(LOADER_PROLOGUE[loader.machine], "hex");
  const length = code.length + (loader.machine === "x64" ? 5 : 4);
  return loader.prependEntry(length, (at, entry) =>
    Buffer.concat([code, jump(loader.machine, at + code.length, entry)]),
  );
}
