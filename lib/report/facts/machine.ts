// What is known about the machine: names, load, and the address it shows to the world. From /proc as well, but for the
// machine's architecture, which only uname(2) knows, and the address, which the kernel's routing decides.
import { machine } from "node:os";
import { ERRNO } from "../../host/errno.ts";
import { openKernel } from "../../host/kernel.ts";
import { Block } from "../../host/memory.ts";
import { NR } from "../../host/syscalls.ts";
import type { LoadAverage, Uname } from "./facts.ts";
import { decimal, type ProcFiles } from "./proc_files.ts";

export function readUname(files: ProcFiles): Uname | undefined {
  const name = (file: string) => files.text(`sys/kernel/${file}`)?.replace(/\n$/, "");
  const [sysname, nodename, release, version] = ["ostype", "hostname", "osrelease", "version"].map(name);
  if (sysname === undefined || nodename === undefined || release === undefined || version === undefined)
    return undefined;
  return { sysname, nodename, release, version, machine: name("arch") ?? machine() };
}

export function readHostname(files: ProcFiles): string | undefined {
  return files.text("sys/kernel/hostname")?.replace(/\n$/, "");
}

/** `0.20 0.18 0.12 1/80 11206`. */
export function readLoad(files: ProcFiles): LoadAverage | undefined {
  const parts = (files.text("loadavg") ?? "").trim().split(/[\s/]+/);
  const loads = parts.slice(0, 3).map(Number);
  const counts = parts.slice(3, 6).map(decimal);
  if (loads.length < 3 || loads.some((n) => !Number.isFinite(n)) || counts.length < 3 || counts.includes(undefined))
    return undefined;
  return {
    one: loads[0]!,
    five: loads[1]!,
    fifteen: loads[2]!,
    runnable: counts[0]!,
    total: counts[1]!,
    lastPid: counts[2]!,
  };
}

/** Who made the machine, as its firmware says; virtual machines name their provider here. */
export function readVendor(sys: ProcFiles): string | undefined {
  return sys.text("class/dmi/id/sys_vendor")?.trim();
}

/** An address of the world (a public resolver's); it is only looked up in our routes, nothing is sent to it. */
const WORLD = [1, 1, 1, 1];

/** Our own address on the way to the world: a datagram socket is "connected", which sends nothing, and asked for its name. */
export function readPublicAddress(): string | undefined {
  const AF_INET = 2;
  const SOCK_DGRAM_CLOEXEC = 2 | 0o2000000;
  const SIZE = 16;
  const kernel = openKernel();
  const fd = kernel.call(NR.socket, AF_INET, SOCK_DGRAM_CLOEXEC, 0);
  if (fd < 0) return undefined;
  const name = new Block(64);
  const length = 32;
  // struct sockaddr_in: family in the machine's order, port and address in the network's.
  name.bytes.set([AF_INET, 0, 0, 53, ...WORLD]);
  name.u32[length / 4] = SIZE;
  let answer = kernel.call(NR.connect, fd, name.address, SIZE);
  for (let tries = 0; answer === -ERRNO.EINTR && tries < 3; tries++)
    answer = kernel.call(NR.connect, fd, name.address, SIZE);
  if (answer === 0) answer = kernel.call(NR.getsockname, fd, name.address, name.at(length));
  kernel.call(NR.close, fd);
  return answer === 0 ? name.bytes.slice(4, 8).join(".") : undefined;
}
