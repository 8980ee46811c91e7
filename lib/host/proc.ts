// What /proc says about a process. Reads only; every answer may be missing, since processes end and /proc may be hidden.
import { latin1, listDirectory, readLink, readSmallFile } from "./descriptors.ts";

const encoder = new TextEncoder();

export function readText(path: string): string | undefined {
  const b = readSmallFile(path);
  return b === undefined ? undefined : latin1(b);
}

/** One value of /proc/PID/status, such as `SigIgn` or `PPid`. */
export function statusField(status: string, key: string): string | undefined {
  const at = status.startsWith(key + ":") ? 0 : status.indexOf(`\n${key}:`) + 1;
  if (at === 0 && !status.startsWith(key + ":")) return undefined;
  const end = status.indexOf("\n", at);
  return status.slice(at + key.length + 1, end < 0 ? undefined : end).trim();
}

/** A mask in hexadecimal, as two halves of 32 bits. */
export interface Mask {
  readonly low: number;
  readonly high: number;
}

export function statusMask(status: string, key: string): Mask {
  const hex = (statusField(status, key) ?? "0").padStart(16, "0").slice(-16);
  return { low: Number.parseInt(hex.slice(8), 16) >>> 0, high: Number.parseInt(hex.slice(0, 8), 16) >>> 0 };
}

/** Whether bit `bit` (from 0) is set. */
export function hasBit(mask: Mask, bit: number): boolean {
  return bit < 32 ? ((mask.low >>> bit) & 1) === 1 : ((mask.high >>> (bit - 32)) & 1) === 1;
}

export function statusNumber(status: string, key: string): number | undefined {
  const text = statusField(status, key);
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

/** Soft and hard limit of open files; Infinity for unlimited. */
export function openFilesLimit(pid: number | "self"): { soft: number; hard: number } | undefined {
  const m = /^Max open files\s+(\d+|unlimited)\s+(\d+|unlimited)/m.exec(readText(`/proc/${pid}/limits`) ?? "");
  if (m === null) return undefined;
  const value = (s: string) => (s === "unlimited" ? Infinity : Number(s));
  return { soft: value(m[1]!), hard: value(m[2]!) };
}

/** Splits what /proc keeps NUL-terminated: cmdline and environ. */
export function splitNul(b: Uint8Array): Uint8Array[] {
  const out: Uint8Array[] = [];
  for (let from = 0; from < b.length;) {
    let to = b.indexOf(0, from);
    if (to < 0) to = b.length;
    out.push(b.slice(from, to));
    from = to + 1;
  }
  return out;
}

/** The environment this process was started with, byte for byte; `process.env` may have been changed and decoded. */
export function ownEnvironment(): Uint8Array[] {
  const raw = readSmallFile("/proc/self/environ");
  if (raw !== undefined) return splitNul(raw);
  return Object.entries(process.env).map(([name, value]) => encoder.encode(`${name}=${value ?? ""}`));
}

/** The last `count` words this process was started with, byte for byte; `process.argv` has U+FFFD where they are not UTF-8. */
export function ownLastArguments(count: number): Uint8Array[] | undefined {
  const all = splitNul(readSmallFile("/proc/self/cmdline") ?? new Uint8Array());
  return count > 0 && count < all.length ? all.slice(-count) : undefined;
}

/** What starts this very program again: the words before those that the user typed. */
export function ownPrefix(typedWords: number): Uint8Array[] {
  const all = splitNul(readSmallFile("/proc/self/cmdline") ?? new Uint8Array());
  const prefix = all.slice(0, Math.max(1, all.length - typedWords));
  return prefix.length > 0 && all.length > 0 ? prefix : [encoder.encode("tk")];
}

/** What a process calls itself, for people: without control characters; `?` when it is gone. */
export function processName(pid: number): string {
  const name = readText(`/proc/${pid}/comm`);
  if (name === undefined) return "?";
  // oxlint-disable-next-line no-control-regex
  return name.trimEnd().replace(/[\x00-\x1f\x7f-\x9f]/g, "?");
}

/** Base name of the file a process runs. */
export function executableName(pid: number): string | undefined {
  const link = readLink(`/proc/${pid}/exe`);
  return link === undefined
    ? undefined
    : latin1(link)
        .replace(/ \(deleted\)$/, "")
        .replace(/^.*\//, "");
}

/** Parent of a process as the kernel has it now. */
export function parentOf(pid: number): number | undefined {
  const status = readText(`/proc/${pid}/status`);
  return status === undefined ? undefined : statusNumber(status, "PPid");
}

/** Descriptors of this process from 3 up and what they are. */
export function ownDescriptors(): { fd: number; target: string }[] {
  const out: { fd: number; target: string }[] = [];
  for (const name of listDirectory("/proc/self/fd")) {
    const fd = Number(name);
    if (!(fd >= 3)) continue;
    const link = readLink(`/proc/self/fd/${name}`);
    if (link !== undefined) out.push({ fd, target: latin1(link) });
  }
  return out;
}

/** The words before the last `count`: the program as it was called and, under a runtime, its options and the script. */
export function ownWordsBefore(count: number): string[] | undefined {
  const all = splitNul(readSmallFile("/proc/self/cmdline") ?? new Uint8Array());
  const decoder = new TextDecoder();
  return all.length > count ? all.slice(0, all.length - count).map((word) => decoder.decode(word)) : undefined;
}
