// The tables of a network namespace, parsed from /proc/PID/net. Formats: net/ipv4/tcp_ipv4.c, udp.c, fib_trie.c, arp.c and
// net/ipv6/route.c, addrconf.c, net/core/net-procfs.c of the kernel. A line that does not parse is left out.
import { endianness } from "node:os";
import { decimal, hexadecimal, type ProcFiles } from "./proc_files.ts";
import type { Address6, ArpEntry, DeviceCounters, Route4, Route6, Socket } from "./facts.ts";

const LITTLE = endianness() === "LE";

/** IPv4 addresses stand as one hex number in the machine's byte order. */
export function address4(hex: string, little = LITTLE): string | undefined {
  if (!/^[0-9A-Fa-f]{8}$/.test(hex)) return undefined;
  const bytes = [0, 2, 4, 6].map((i) => Number.parseInt(hex.slice(i, i + 2), 16));
  return (little ? bytes.toReversed() : bytes).join(".");
}

/** Eight groups of four lower-case digits, never shortened. */
function groups6(hex: string): string {
  return hex.toLowerCase().match(/.{4}/g)!.join(":");
}

/** Addresses of sockets: four words, each in the machine's byte order. */
export function socketAddress6(hex: string, little = LITTLE): string | undefined {
  if (!/^[0-9A-Fa-f]{32}$/.test(hex)) return undefined;
  if (!little) return groups6(hex);
  return groups6(hex.replace(/.{8}/g, (word) => word.match(/../g)!.toReversed().join("")));
}

/** Addresses of routes and interfaces: plain bytes. */
function plainAddress6(hex: string | undefined): string | undefined {
  return hex !== undefined && /^[0-9A-Fa-f]{32}$/.test(hex) ? groups6(hex) : undefined;
}

export function parseSocket(line: string): Socket | undefined {
  const parts = line.trim().split(/\s+/);
  const ends = [parts[1], parts[2]].map((text) => {
    const [hex = "", portHex] = (text ?? "").split(":");
    return { address: hex.length === 32 ? socketAddress6(hex) : address4(hex), port: hexadecimal(portHex) };
  });
  const [local, remote] = ends;
  const state = hexadecimal(parts[3]);
  const uid = decimal(parts[7]);
  const inode = decimal(parts[9]);
  if (local?.address === undefined || local.port === undefined) return undefined;
  if (remote?.address === undefined || remote.port === undefined) return undefined;
  if (state === undefined || uid === undefined || inode === undefined) return undefined;
  return {
    localAddress: local.address,
    localPort: local.port,
    remoteAddress: remote.address,
    remotePort: remote.port,
    state,
    uid,
    inode,
  };
}

/** `table`: tcp, tcp6, udp or udp6. */
export function readSockets(files: ProcFiles, pid: number, table: string): readonly Socket[] | undefined {
  return files
    .lines(`${pid}/net/${table}`)
    ?.slice(1)
    .flatMap((line) => parseSocket(line) ?? []);
}

/** Numbers behind the flags are decimal here, although the rest of the line is hex. */
export function parseRoute4(line: string): Route4 | undefined {
  const [device, destination, gateway, flags, refcount, use, metric, mask, mtu, window, irtt] = line
    .trim()
    .split(/\s+/);
  const addresses = [destination, gateway, mask].map((hex) => address4(hex ?? ""));
  const numbers = [hexadecimal(flags), ...[refcount, use, metric, mtu, window, irtt].map(decimal)];
  if (device === undefined || addresses.includes(undefined) || numbers.includes(undefined)) return undefined;
  return {
    destination: addresses[0]!,
    gateway: addresses[1]!,
    mask: addresses[2]!,
    device,
    numbers: numbers.map((n) => n!),
  };
}

export function readRoutes4(files: ProcFiles, pid: number): readonly Route4[] | undefined {
  return files
    .lines(`${pid}/net/route`)
    ?.slice(1)
    .flatMap((line) => parseRoute4(line) ?? []);
}

export function parseRoute6(line: string): Route6 | undefined {
  const [destination, destinationPrefix, source, sourcePrefix, gateway, metric, refcount, use, flags, device] = line
    .trim()
    .split(/\s+/);
  const addresses = [destination, source, gateway].map(plainAddress6);
  const numbers = [destinationPrefix, sourcePrefix, flags, refcount, use, metric].map(hexadecimal);
  if (device === undefined || addresses.includes(undefined) || numbers.includes(undefined)) return undefined;
  return {
    destination: addresses[0]!,
    destinationPrefix: numbers[0]!,
    source: addresses[1]!,
    sourcePrefix: numbers[1]!,
    gateway: addresses[2]!,
    device,
    numbers: numbers.slice(2).map((n) => n!),
  };
}

export function readRoutes6(files: ProcFiles, pid: number): readonly Route6[] | undefined {
  return files.lines(`${pid}/net/ipv6_route`)?.flatMap((line) => parseRoute6(line) ?? []);
}

/** The name ends at the last colon: aliases (`eth0:1`) have one of their own. */
export function parseDevice(line: string): DeviceCounters | undefined {
  const [, device, rest] = /^\s*(.+):\s*([\d\s]+)$/.exec(line) ?? [];
  const counters = (rest ?? "").trim().split(/\s+/).map(decimal);
  if (device === undefined || counters.length !== 16 || counters.includes(undefined)) return undefined;
  const numbers = counters.map((n) => n!);
  return { device, received: numbers.slice(0, 8), sent: numbers.slice(8) };
}

export function readDevices(files: ProcFiles, pid: number): readonly DeviceCounters[] | undefined {
  return files
    .lines(`${pid}/net/dev`)
    ?.slice(2)
    .flatMap((line) => parseDevice(line) ?? []);
}

export function parseAddress6(line: string): Address6 | undefined {
  const [hex, index, prefix, scope, flags, device] = line.trim().split(/\s+/);
  const address = plainAddress6(hex);
  const numbers = [index, prefix, scope, flags].map(hexadecimal);
  if (address === undefined || device === undefined || numbers.includes(undefined)) return undefined;
  return { address, device, index: numbers[0]!, prefix: numbers[1]!, scope: numbers[2]!, flags: numbers[3]! };
}

export function readAddresses6(files: ProcFiles, pid: number): readonly Address6[] | undefined {
  return files.lines(`${pid}/net/if_inet6`)?.flatMap((line) => parseAddress6(line) ?? []);
}

export function parseArp(line: string): ArpEntry | undefined {
  const [ip, type, flags, mac, mask, device] = line.trim().split(/\s+/);
  const hardwareType = hexadecimal(type);
  const flagBits = hexadecimal(flags);
  if (ip === undefined || mac === undefined || mask === undefined || device === undefined) return undefined;
  if (hardwareType === undefined || flagBits === undefined) return undefined;
  return { ip, hardwareType, flags: flagBits, mac, mask, device };
}

export function readArp(files: ProcFiles, pid: number): readonly ArpEntry[] | undefined {
  return files
    .lines(`${pid}/net/arp`)
    ?.slice(1)
    .flatMap((line) => parseArp(line) ?? []);
}
