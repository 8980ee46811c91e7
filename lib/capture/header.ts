// What the first line of a recording says about the run: who, where, when, what, and what cannot be known.
import { isUtf8 } from "../base/json_bytes.ts";
import type { RecordingHeader } from "../model/recording.ts";
import { FORMAT_VERSION } from "../format/recording_writer.ts";
import { secondsAheadOfUtc, type Clock } from "../host/clock.ts";
import { readLink, readSmallFile } from "../host/descriptors.ts";
import { openKernel } from "../host/kernel.ts";
import { NR } from "../host/syscalls.ts";

export interface HeaderFacts {
  readonly generator: string;
  readonly backend: string;
  readonly mode?: string;
  readonly rootPid: number;
  readonly argv: readonly Uint8Array[];
  readonly limits: readonly string[];
  readonly clock: Clock;
}

const decoder = new TextDecoder();

export function makeHeader(facts: HeaderFacts): RecordingHeader {
  const startedMs = Number(facts.clock.startedUnixNs / 1_000_000n);
  const cwd = readLink("/proc/self/cwd");
  return {
    version: FORMAT_VERSION,
    generator: facts.generator,
    backend: facts.backend,
    ...(facts.mode === undefined ? {} : { mode: facts.mode }),
    started_at: rfc3339(new Date(startedMs)),
    started_unix_ns: String(facts.clock.startedUnixNs),
    root_pid: facts.rootPid,
    command: facts.argv.map((word) => decoder.decode(word)),
    ...exactWords(facts.argv),
    cwd: decoder.decode(cwd ?? new Uint8Array()),
    hostname: firstLine("/proc/sys/kernel/hostname"),
    os: "linux",
    arch: process.arch === "arm64" ? "aarch64" : "x86_64",
    kernel: firstLine("/proc/sys/kernel/osrelease"),
    user: userName(openKernel().call(NR.getuid)),
    limits: facts.limits,
  };
}

/** The bytes of those words that are not UTF-8. */
function exactWords(argv: readonly Uint8Array[]): { command_b64?: (string | null)[] } {
  if (argv.every((word) => isUtf8(word))) return {};
  return { command_b64: argv.map((word) => (isUtf8(word) ? null : Buffer.from(word).toString("base64"))) };
}

/** Local time with its offset, milliseconds; years 0 to 9999. */
export function rfc3339(when: Date, secondsAhead = secondsAheadOfUtc(Math.floor(when.getTime() / 1000))): string {
  const minutes = Math.trunc(secondsAhead / 60);
  const two = (n: number) => String(Math.floor(n)).padStart(2, "0");
  const offset = `${minutes < 0 ? "-" : "+"}${two(Math.abs(minutes) / 60)}:${two(Math.abs(minutes) % 60)}`;
  return new Date(when.getTime() + minutes * 60_000).toISOString().replace("Z", offset);
}

function firstLine(path: string): string {
  return decoder.decode(readSmallFile(path) ?? new Uint8Array()).split("\n")[0] ?? "";
}

/** From /etc/passwd; the number where the name is kept elsewhere. */
function userName(uid: number): string {
  for (const line of decoder.decode(readSmallFile("/etc/passwd") ?? new Uint8Array()).split("\n")) {
    const fields = line.split(":");
    if (fields[2] === String(uid)) return fields[0]!;
  }
  return String(uid);
}
