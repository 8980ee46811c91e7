// The early look: a list of system calls, walked by a child that shares our memory, must find what /proc says about us.
import { describe, expect, test } from "bun:test";
import { readFileSync, readlinkSync } from "node:fs";
import { CLONE_ROOM, cloneOnto, Script } from "../../lib/capture/launch/script.ts";
import { EarlyLook, LookedAt, type LookRequest } from "../../lib/exec/early_look.ts";
import { Watch } from "../../lib/exec/watch.ts";
import { processHandle } from "../../lib/exec/descriptor.ts";
import { openKernel } from "../../lib/host/kernel.ts";
import { Block } from "../../lib/host/memory.ts";
import { NR } from "../../lib/host/syscalls.ts";
import { collectFacts, FACT_NAMES } from "../../lib/report/facts/collect.ts";
import type { FactName } from "../../lib/report/facts/facts.ts";

/** Looks at a process as the reporter's beginning does, and waits for it. */
function look(request: LookRequest): LookedAt {
  const block = new Block(EarlyLook.room(request) * 2 + CLONE_ROOM + (1 << 15));
  const early = new EarlyLook(block, request);
  const script = new Script();
  script.call("close", 0);
  early.addTo(script);
  script.call("exit_group", 0);
  const scriptAt = block.reserve(script.size, 64);
  script.write(block, scriptAt);
  const pid = cloneOnto(block, scriptAt, 0);
  expect(pid).toBeGreaterThan(0);
  const WALL = 0x40000000;
  openKernel().call(NR.wait4, pid, 0, WALL, 0);
  return new LookedAt(request.pid, block.bytes.slice(early.from, scriptAt + script.size), early.layout(scriptAt));
}

/** Without the file systems that other tests mount and unmount meanwhile. */
const steady = (text: string) =>
  text
    .split("\n")
    .filter((line) => !line.includes("/tk-test-"))
    .join("\n");

/** Bytes as text, maps as lists. */
function plain(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_, v: unknown) =>
      v instanceof Uint8Array ? Buffer.from(v).toString("latin1") : v instanceof Map ? [...v] : v,
    ),
    (_, v: unknown) => {
      const isBuffer = typeof v === "object" && v !== null && "type" in v && v.type === "Buffer" && "data" in v;
      return isBuffer ? Buffer.from(v.data as number[]).toString("latin1") : v;
    },
  );
}

const all = new Set<FactName>(FACT_NAMES);
const SHELL = "exec 7</dev/null 9>/dev/null; cd /usr; kill -STOP $$; exec sleep 60";

describe("a living program", () => {
  const child = Bun.spawn(["bash", "-c", SHELL, "word", "", "two\nlines"], { stdin: "ignore", stdout: "ignore" });
  while (!/^State:\tT/m.test(readFileSync(`/proc/${child.pid}/status`, "utf8")));
  const descriptors = [0, 1, 2, 7, 9];
  const looked = look({ pid: child.pid, facts: all, argvSize: 200, descriptors });

  test("is found with the clock of the moment", () => {
    expect(looked.found).toBe(true);
    expect(Math.abs(looked.unixMs - Date.now())).toBeLessThan(10_000);
  });

  test("every file is what /proc has", () => {
    for (const name of ["cmdline", "stat", "comm", "cgroup", "mountinfo", "limits", "oom_score_adj", "net/route"])
      expect([name, steady(Buffer.from(looked.bytes(`${child.pid}/${name}`)!).toString("latin1"))]).toEqual([
        name,
        steady(readFileSync(`/proc/${child.pid}/${name}`, "latin1")),
      ]);
    expect(Buffer.from(looked.link(`${child.pid}/cwd`)!).toString()).toBe("/usr");
    expect(Buffer.from(looked.link(`${child.pid}/exe`)!).toString()).toBe(readlinkSync(`/proc/${child.pid}/exe`));
    expect(
      looked
        .list(`${child.pid}/fd`)!
        .map(Number)
        .sort((a, b) => a - b),
    ).toEqual(descriptors);
  });

  test("facts come out as from /proc itself", () => {
    const names = "cmdline exe cwd comm fds namespaces limits".split(" ") as FactName[];
    const facts = new Set(names);
    const early = collectFacts({ pid: child.pid, facts, files: looked });
    const now = collectFacts({ pid: child.pid, facts });
    for (const name of names) expect([name, plain(early[name])]).toEqual([name, plain(now[name])]);
    expect(early.cmdline!.map((b) => Buffer.from(b).toString())).toEqual([
      "bash",
      "-c",
      SHELL,
      "word",
      "",
      "two\nlines",
    ]);
  });

  test("what is not the program's is read as it is now", () => {
    expect(looked.text("sys/kernel/ostype")).toBe("Linux\n");
    expect(looked.list("sys/kernel")).toContain("ostype");
    expect(looked.bytes(`${child.pid}/environ`)).toBeUndefined();
  });

  test("watching it: not ended, then ended, also without a handle", async () => {
    const handle = processHandle(child.pid);
    expect(handle).toBeGreaterThan(2);
    const watches = [new Watch(child.pid, handle, undefined), new Watch(child.pid, undefined, undefined)];
    for (const watch of watches) {
      expect(watch.ended).toBe(false);
      const began = performance.now();
      watch.wait(30);
      expect(performance.now() - began).toBeGreaterThan(25);
    }
    const other = new Watch(child.pid, undefined, 1);
    expect(other.ended).toBe(true);
    child.kill("SIGKILL");
    await child.exited;
    for (const watch of watches) {
      expect(watch.ended).toBe(true);
      const began = performance.now();
      watch.wait(5000);
      expect(performance.now() - began).toBeLessThan(1000);
    }
    openKernel().call(NR.close, handle!);
  });
});

test("a program that has gone is not invented", () => {
  const pid = Bun.spawnSync(["true"]).pid;
  const looked = look({ pid, facts: all, argvSize: 10, descriptors: [0] });
  expect(looked.found).toBe(false);
  expect(collectFacts({ pid, facts: all, files: looked }).life).toBe("gone");
});

test("a command line longer than expected is cut, not overrun", async () => {
  const long = "x".repeat(20_000);
  const other = Bun.spawn(["bash", "-c", "read _x", long], { stdin: "pipe" });
  while (!readFileSync(`/proc/${other.pid}/cmdline`, "latin1").startsWith("bash"));
  const looked = look({ pid: other.pid, facts: new Set<FactName>(["cmdline", "stat"]), argvSize: 1, descriptors: [] });
  expect(looked.bytes(`${other.pid}/cmdline`)!.length).toBe(8193);
  expect(looked.text(`${other.pid}/stat`)).toContain("(bash)");
  other.kill("SIGKILL");
  await other.exited;
});
