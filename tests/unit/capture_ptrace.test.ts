// The parts of the tracer that can be looked at without a tracee: its filter, its patience, its words.
import { describe, expect, test } from "bun:test";
import { EarlyBirds } from "../../lib/capture/ptrace/early_birds.ts";
import { limits } from "../../lib/capture/ptrace/limits.ts";
import { ptrace } from "../../lib/capture/ptrace/backend.ts";
import { CALL, seccompFilter } from "../../lib/capture/ptrace/seccomp_filter.ts";
import { Tasks } from "../../lib/capture/ptrace/tasks.ts";
import { rfc3339 } from "../../lib/capture/header.ts";
import { summaryLine } from "../../lib/capture/summary.ts";
import { CaptureError, type CaptureReason } from "../../lib/capture/capture_error.ts";

const ALLOW = 0x7fff0000;
const TRACE = 0x7ff00000;

/** What the kernel would answer: the four instructions that the filter is made of. */
function run(program: Uint8Array, arch: number, nr: number): number {
  const view = new DataView(program.buffer);
  let accumulator = 0;
  for (let at = 0; at < program.length / 8; at++) {
    const code = view.getUint16(8 * at, true);
    const k = view.getUint32(8 * at + 4, true);
    if (code === 0x20) accumulator = k === 4 ? arch : nr;
    else if (code === 0x15) at += accumulator === k ? view.getUint8(8 * at + 2) : view.getUint8(8 * at + 3);
    else if (code === 0x06) return k;
    else throw new Error(`instruction ${code}`);
  }
  throw new Error("the filter has no end");
}

test("the filter stops at four calls of every architecture and at nothing else", () => {
  const filter = seccompFilter();
  const tables: readonly (readonly [arch: number, calls: Readonly<Record<number, number>>])[] =
    process.arch === "x64"
      ? [
          [
            0xc000003e,
            {
              59: CALL.execve,
              322: CALL.execveat,
              109: CALL.setpgid,
              112: CALL.setsid,
              [0x40000000 + 520]: CALL.execve,
              [0x40000000 + 545]: CALL.execveat,
              [0x40000000 + 109]: CALL.setpgid,
              [0x40000000 + 112]: CALL.setsid,
            },
          ],
          [0x40000003, { 11: CALL.execve, 358: CALL.execveat, 57: CALL.setpgid, 66: CALL.setsid }],
        ]
      : [
          [0xc00000b7, { 221: CALL.execve, 281: CALL.execveat, 154: CALL.setpgid, 157: CALL.setsid }],
          [0x40000028, { 11: CALL.execve, 387: CALL.execveat, 57: CALL.setpgid, 66: CALL.setsid }],
        ];
  for (const [arch, calls] of tables)
    for (let nr = 0; nr < 600; nr++)
      for (const n of [nr, 0x40000000 + nr])
        expect([arch, n, run(filter, arch, n)]).toEqual([arch, n, calls[n] === undefined ? ALLOW : TRACE | calls[n]]);
  expect(run(filter, 0x12345678, 59)).toBe(ALLOW);
});

describe("children that come before their parent's word", () => {
  const ms = 1e6;

  test("wait until it comes", () => {
    const early = new EarlyBirds();
    expect(early.holding).toBe(false);
    early.hold(5, 77, 0);
    expect([early.holding, early.release(5), early.holding]).toEqual([true, 77, false]);
    expect(early.release(5)).toBeUndefined();
  });

  test("are given up after a while", () => {
    const early = new EarlyBirds();
    early.hold(5, 77, 0);
    const nobody = () => false;
    expect(early.overdue(49 * ms, nobody)).toEqual([]);
    expect(early.overdue(51 * ms, nobody)).toEqual([{ tid: 5, tgid: 5, ppid: 0, killedParent: 0, status: 77 }]);
    expect([early.holding, early.isLate(5, 0)]).toEqual([false, false]);
  });

  test("a parent's word that comes late is known to be late, once, from this parent, and while it lives", () => {
    const late = () => {
      const early = new EarlyBirds();
      // A real process, so that /proc knows its parent: this one's.
      early.hold(process.pid, 77, 0);
      early.lookAround();
      early.overdue(51 * ms, (pid) => pid === process.ppid);
      return early;
    };
    const early = late();
    expect([early.isLate(process.pid, process.ppid), early.isLate(process.pid, process.ppid)]).toEqual([true, false]);
    expect(late().isLate(process.pid, process.ppid + 1)).toBe(false);
    const ended = late();
    ended.forget(process.ppid);
    expect(ended.isLate(process.pid, process.ppid)).toBe(false);
  });

  test("that have ended are not taken for a later life of their pid", () => {
    const early = new EarlyBirds();
    early.ended(5, 9, 0);
    expect(early.hasEnded(5, 10 * ms)).toBe(true);
    expect(early.hasEnded(5, 6000 * ms)).toBe(false);
    early.hold(5, 77, 20 * ms);
    expect(early.hasEnded(5, 30 * ms)).toBe(false);
  });

  test("that ended unseen and unannounced are not made up", () => {
    const early = new EarlyBirds();
    early.ended(5, 9, 0);
    expect(early.rest()).toEqual([]);
  });
});

test("threads and processes: an exec ends the other threads, the leader's end is the process's", () => {
  const tasks = new Tasks();
  const leader = tasks.addProcess(10, 1, undefined);
  const thread = tasks.addThread(11, leader.process);
  const child = tasks.addProcess(12, 10, leader.process);
  expect([tasks.alive, tasks.total, leader.process.threads]).toEqual([2, 2, 2]);
  tasks.keepOnly(leader);
  expect([tasks.get(11), tasks.get(12), leader.process.threads]).toEqual([undefined, child, 1]);
  expect(tasks.remove(thread)).toBe(false);
  expect([tasks.remove(leader), leader.process.ended, tasks.alive]).toEqual([true, true, 1]);
  expect([...tasks.living()]).toEqual([child.process]);
});

test("what cannot be known is said, per mode and privilege", () => {
  expect(limits("events", true).join(" ")).toContain("execs that failed");
  expect(limits("complete", true).join(" ")).not.toContain("execs that failed");
  expect(limits("complete", false).join(" ")).toContain("no_new_privs");
  expect(limits("events", false).join(" ")).toContain("set-user-ID");
});

test("preflight finds this machine able, and says how it knows", async () => {
  const checks = await ptrace.preflight();
  expect(checks.map((c) => c.name)).toContain("mode events");
  for (const check of checks) {
    expect(check.found).not.toBe("");
    expect(check.fix === undefined).toBe(check.state === "ok");
  }
});

test("a time with its offset", () => {
  const when = new Date(Date.UTC(2026, 0, 1, 0, 30, 0, 7));
  expect(rfc3339(when, 0)).toBe("2026-01-01T00:30:00.007+00:00");
  expect(rfc3339(when, 19_800)).toBe("2026-01-01T06:00:00.007+05:30");
  expect(rfc3339(when, -12_600)).toBe("2025-12-31T21:00:00.007-03:30");
});

test("the summary is one line that no file name can break", () => {
  const facts = { events: 1234, processes: 1, wallNs: 4.56e9, lost: 0, reason: "", left: 0 };
  expect(summaryLine({ ...facts, path: "out.prof" })).toBe(
    "tk: 1,234 events, 1 process, 4.56s, nothing lost, in out.prof. Next: tk render -d tree out.prof",
  );
  const hostile = summaryLine({ ...facts, lost: 2, reason: "No space left on device", path: "a\n\x1b[31m b'c" });
  // oxlint-disable-next-line no-control-regex
  expect(hostile).not.toMatch(/[\x00-\x1f]/);
  expect(hostile).toContain("2 events LOST (No space left on device)");
  expect(summaryLine({ ...facts, left: 3, path: undefined })).toContain("3 processes still running");
});

test("every reason has a sentence, a hint where there is something to do, and a status", () => {
  const reasons: readonly (readonly [CaptureReason, number])[] = [
    [{ _tag: "Unsupported", what: "no" }, 125],
    [{ _tag: "Contradiction", what: "a and b", instead: "a" }, 2],
    [{ _tag: "CommandMissing", command: "x", searched: true }, 127],
    [{ _tag: "CommandMissing", command: "a | b", searched: true }, 127],
    [{ _tag: "CommandRefused", command: "x", errno: 13 }, 126],
    [{ _tag: "OutputRefused", path: "x", errno: 28 }, 125],
    [{ _tag: "StartFailed", step: "clone", errno: 11 }, 125],
    [{ _tag: "TraceForbidden", why: "no", instead: "yes", errno: 1 }, 125],
  ];
  for (const [reason, status] of reasons) {
    const error = new CaptureError({ backend: "ptrace", reason });
    expect(error.message).not.toEndWith(".");
    expect(error.message).not.toContain("undefined");
    expect([reason._tag, error.exitStatus]).toEqual([reason._tag, status]);
    expect(typeof error.hint).toBe("string");
  }
});
