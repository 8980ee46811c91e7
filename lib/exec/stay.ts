// The reporter's end where nobody would wait for it. In a container the program is pid 1, orphans become its children, and
// most programs never wait for children that they did not make: a reporter that ends would stay as a zombie for as long as
// the program runs. So it turns into a program of one page that sleeps until the program has ended.
import { openKernel } from "../host/kernel.ts";
import { Block } from "../host/memory.ts";
import { IS_ARM64, NR } from "../host/syscalls.ts";
import { memoryFile, writeWhole } from "./descriptor.ts";

/** stay_x64.s and stay_arm64.s, assembled; tests/unit/exec_stay.test.ts does it again and compares. */
export const STAY_CODE = {
  x64: "488b0529000000504889e7be0100000031d24531d241b808000000b80f0100000f0583f8fc74e131ffb8e70000000f050000000001000000",
  arm64:
    "09020010290140f9e90f1ff8e0030091210080d2020080d2030080d2040180d2280980d2010000d41f10003100ffff54000080d2c80b80d2010000d41f2003d50000000001000000",
} as const;

const LOADED_AT = 0x400000;
const HEADER = 64;
const PROGRAM_HEADER = 56;
const CODE_AT = HEADER + PROGRAM_HEADER;
/** Where the descriptor stands, from the code's end. */
const DESCRIPTOR_FROM_END = 8;

/** An ELF file that waits for the process behind `handle` to end, and ends. */
export function stayProgram(handle: number, arch: keyof typeof STAY_CODE = IS_ARM64 ? "arm64" : "x64"): Uint8Array {
  const code = Uint8Array.from(STAY_CODE[arch].match(/../g)!, (pair) => Number.parseInt(pair, 16));
  const size = CODE_AT + code.length;
  const file = new Uint8Array(size);
  const view = new DataView(file.buffer);
  const word = (at: number, value: number) => view.setBigUint64(at, BigInt(value), true);
  // Elf64_Ehdr: 64-bit, little-endian, an executable with one program header.
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 2, true);
  view.setUint16(18, arch === "arm64" ? 183 : 62, true);
  view.setUint32(20, 1, true);
  word(24, LOADED_AT + CODE_AT);
  word(32, HEADER);
  view.setUint16(52, HEADER, true);
  view.setUint16(54, PROGRAM_HEADER, true);
  view.setUint16(56, 1, true);
  // Elf64_Phdr: all of the file, readable and executable.
  view.setUint32(HEADER, 1, true);
  view.setUint32(HEADER + 4, 5, true);
  word(HEADER + 16, LOADED_AT);
  word(HEADER + 24, LOADED_AT);
  word(HEADER + 32, size);
  word(HEADER + 40, size);
  word(HEADER + 48, 0x1000);
  file.set(code, CODE_AT);
  view.setUint32(size - DESCRIPTOR_FROM_END, handle, true);
  return file;
}

/** Comes back only where that cannot be done. */
export function stayUntilEnd(handle: number): void {
  const kernel = openKernel();
  const file = memoryFile();
  if (file < 0 || writeWhole(file, stayProgram(handle)) !== 0) return;
  const F_SETFD = 2;
  kernel.call(NR.fcntl, handle, F_SETFD, 0);
  const block = new Block(512);
  const empty = block.at(block.cString(""));
  const argv = block.at(block.cStrings([new TextEncoder().encode("tk: has reported, stays until the program ends")]));
  const envp = block.at(block.cStrings([]));
  const AT_EMPTY_PATH = 0x1000;
  for (const fd of [0, 1, 2]) kernel.call(NR.close, fd);
  kernel.call(NR.execveat, file, empty, argv, envp, AT_EMPTY_PATH);
  kernel.call(NR.exit_group, 0);
}
