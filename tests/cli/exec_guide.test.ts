// The guide that `tk exec` follows, run as one script on a terminal: every code block as it stands there, with `tk` for
// `chalk` and its first block's slip mended (the guide writes `cat EOF > ... FOE`). What is reported is compared key by key
// with /proc while the programs run. The waiting is shortened to a third; TK_GUIDE=full waits as the guide does.
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { chalk, ExecBench, waitUntil, type ReportObject } from "../support/exec.ts";
import { PLAIN_ENV } from "../support/programs.ts";
import { Pty } from "../support/pty.ts";
import { requireTk, TK } from "../support/tk.ts";

const isFull = process.env["TK_GUIDE"] === "full";
setDefaultTimeout(isFull ? 200_000 : 90_000);

const bench = new ExecBench();
const bin = join(bench.home, "bin");
const BLOCKS = readFileSync(join(import.meta.dir, "../fixtures/guide/blocks.sh"), "utf8");

/** Stand-ins for what a test machine need not have, and for time. */
function standIn(name: string, text: string): void {
  writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`);
  chmodSync(join(bin, name), 0o755);
}

function guideScript(): string {
  const mended = BLOCKS.replace("cat EOF > hello.sh", "cat << 'EOF' > hello.sh").replace(/^FOE$/m, "EOF");
  return mended
    .replace(/^chalk /gm, "tk ")
    .replace(/^#--- (block \d+)$/gm, 'echo "=== $1"')
    .concat('\necho "=== end"\n');
}

const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
let udp: { readonly port: number; close(): void };
let terminal: Pty;
let text = "";

beforeAll(async () => {
  requireTk();
  udp = await Bun.udpSocket({ hostname: "127.0.0.1" });
  mkdirSync(bin);
  symlinkSync(TK, join(bin, "tk"));
  if (!isFull) standIn("sleep", 'exec /bin/sleep "$(awk "BEGIN { print $1 * 0.3 }")"');
  standIn("curl", 'echo "curl $*"; exec /bin/sleep 0.5');
  standIn("docker", 'echo "docker $*"');
  bench.file("guide.sh", guideScript());
  terminal = new Pty({
    command: ["bash", "guide.sh"],
    cwd: bench.home,
    env: { ...PLAIN_ENV, HOME: bench.home, PATH: `${bin}:${PLAIN_ENV["PATH"]}` },
    cols: 200,
  });
});

afterAll(async () => {
  await terminal.close();
  listener.stop(true);
  udp.close();
});

const statFields = (pid: number) => {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
};
const statusLine = (pid: number, name: string) =>
  new RegExp(`^${name}:\\s*(.*)$`, "m").exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1] ?? "";
const numbers = (words: string) =>
  words
    .split(/\s+/)
    .filter((w) => w !== "")
    .map(Number);
const SECONDS_PER_TICK = 0.01;

/** What each key of the process must be, from /proc as it is now; times only grow. */
const PROCESS: Readonly<Record<string, (pid: number, value: unknown) => void>> = {
  _PROCESS_PID: (pid, v) => expect(v).toBe(pid),
  _PROCESS_PARENT_PID: (pid, v) => expect(v).toBe(Number(statFields(pid)[1])),
  _PROCESS_PGID: (pid, v) => expect(v).toBe(Number(statFields(pid)[2])),
  _PROCESS_STATE: (pid, v) => expect([v, statFields(pid)[0]]).toEqual(["Sleeping", "S"]),
  _PROCESS_START_TIME: (pid, v) => expect(v).toBeCloseTo(Number(statFields(pid)[19]) * SECONDS_PER_TICK, 6),
  _PROCESS_UTIME: (pid, v) => expect(v).toBeLessThanOrEqual(Number(statFields(pid)[11]) * SECONDS_PER_TICK + 1e-9),
  _PROCESS_STIME: (pid, v) => expect(v).toBeLessThanOrEqual(Number(statFields(pid)[12]) * SECONDS_PER_TICK + 1e-9),
  _PROCESS_CHILDREN_UTIME: (_, v) => expect(v).toBeGreaterThanOrEqual(0),
  _PROCESS_CHILDREN_STIME: (_, v) => expect(v).toBeGreaterThanOrEqual(0),
  _PROCESS_UMASK: (pid, v) => expect(v).toBe(Number(statusLine(pid, "Umask"))),
  _PROCESS_UID: (pid, v) => expect(v).toEqual(numbers(statusLine(pid, "Uid"))),
  _PROCESS_GID: (pid, v) => expect(v).toEqual(numbers(statusLine(pid, "Gid"))),
  _PROCESS_GROUPS: (pid, v) => expect(v).toEqual(numbers(statusLine(pid, "Groups"))),
  _PROCESS_NUM_FD_SIZE: (pid, v) => expect(v).toBe(Number(statusLine(pid, "FDSize"))),
  _PROCESS_SECCOMP_STATUS: (pid, v) => {
    const names = ["disabled", "strict", "filter"];
    expect(v).toBe(names[Number(statusLine(pid, "Seccomp"))] ?? "unknown");
  },
  _PROCESS_ARGV: (pid, v) => {
    const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").slice(0, -1);
    expect(v).toEqual(words);
  },
  _PROCESS_CWD: (pid, v) => expect(v).toBe(readlinkSync(`/proc/${pid}/cwd`)),
  _PROCESS_EXE_PATH: (pid, v) => expect(v).toBe(readlinkSync(`/proc/${pid}/exe`)),
  _PROCESS_COMMAND_NAME: (pid, v) => expect(v).toBe(readFileSync(`/proc/${pid}/comm`, "utf8").trimEnd()),
  _PROCESS_FD_INFO: (pid, v) => {
    const info = v as Readonly<Record<string, Readonly<Record<string, unknown>>>>;
    expect(Object.keys(info).sort()).toEqual(readdirSync(`/proc/${pid}/fd`).sort());
    for (const [fd, facts] of Object.entries(info)) {
      const lines = readFileSync(`/proc/${pid}/fdinfo/${fd}`, "latin1");
      expect(facts["path"]).toBe(readlinkSync(`/proc/${pid}/fd/${fd}`));
      expect(facts["flags"]).toBe(Number.parseInt(/^flags:\s*(\d+)/m.exec(lines)![1]!, 8));
      expect(facts["mnt_id"]).toBe(Number(/^mnt_id:\s*(\d+)/m.exec(lines)![1]));
    }
  },
  _PROCESS_MOUNT_INFO: (pid, v) => {
    // Not those that other tests mount and unmount meanwhile.
    const lines = readFileSync(`/proc/${pid}/mountinfo`, "utf8").trimEnd().split("\n");
    const steady = lines.filter((line) => !line.includes("/tk-test-"));
    const mounts = (v as readonly Readonly<Record<string, unknown>>[]).filter(
      (m) => !String(m["mount_point"]).includes("/tk-test-"),
    );
    expect(mounts.map((m) => m["mount_id"])).toEqual(steady.map((line) => Number(line.split(" ")[0])));
    expect(mounts.map((m) => m["fs_type"])).toEqual(steady.map((line) => line.split(" - ")[1]!.split(" ")[0]));
  },
  _CURRENT_HASH: (pid, v) => {
    const sum = new Bun.CryptoHasher("sha256").update(readFileSync(`/proc/${pid}/exe`)).digest("hex");
    expect(v).toBe(sum);
  },
  _OP_ARTIFACT_PATH: (pid, v) => expect(v).toBe(readlinkSync(`/proc/${pid}/exe`)),
  _OP_ARTIFACT_TYPE: (_, v) => expect(v).toBe("ELF"),
};

const read = (path: string) => readFileSync(path, "utf8").trimEnd();

const HOST: Readonly<Record<string, (report: ReportObject, pid: number) => void>> = {
  _OPERATION: (r) => expect(r["_OPERATION"]).toBe("exec"),
  _TIMESTAMP: (r) => expect(Math.abs(Number(r["_TIMESTAMP"]) - Date.now())).toBeLessThan(20_000),
  _DATETIME: (r) => expect(Date.parse(String(r["_DATETIME"]))).toBe(Number(r["_TIMESTAMP"])),
  _MONOTIME: (r) =>
    expect(Math.abs(Number(r["_MONOTIME"]) / 1000 - Number(read("/proc/uptime").split(" ")[0]))).toBeLessThan(20),
  _CHALKS: (r) => expect(r["_CHALKS"]).toHaveLength(1),
  _ENV: (r) => expect(r["_ENV"]).toEqual({ PATH: `${bin}:${PLAIN_ENV["PATH"]}`, PWD: bench.home }),
  _ACTION_ID: (r) => expect(r["_ACTION_ID"]).toMatch(/^[0-9a-f]{16}$/),
  _EXEC_ID: (r) => expect(r["_EXEC_ID"]).toMatch(/^[0-9a-f]{16}$/),
  _OP_ARGV: (r) => expect(r["_OP_ARGV"]).toEqual([TK, "exec", "--exec-command-name=./hello.sh"]),
  _OP_CMD_FLAGS: (r) => expect(r["_OP_CMD_FLAGS"]).toEqual(["--exec-command-name=./hello.sh"]),
  _OP_ANCESTOR_ARGVS: (r, pid) => {
    const parent = statFields(pid)[1];
    const words = read(`/proc/${parent}/cmdline`).split("\0").slice(0, -1);
    expect((r["_OP_ANCESTOR_ARGVS"] as unknown[])[0]).toEqual(words);
  },
  _OP_EXE_NAME: (r) => expect(r["_OP_EXE_NAME"]).toBe("tk"),
  _OP_EXE_PATH: (r) => expect(r["_OP_EXE_PATH"]).toBe(join(TK, "..")),
  _OP_HOSTNAME: (r) => expect(r["_OP_HOSTNAME"]).toBe(hostname()),
  _OP_PLATFORM: (r) => expect(r["_OP_PLATFORM"]).toMatch(/^GNU\/Linux (x86_64|aarch64)$/),
  _OP_HOST_SYSNAME: (r) => expect(r["_OP_HOST_SYSNAME"]).toBe(read("/proc/sys/kernel/ostype")),
  _OP_HOST_NODENAME: (r) => expect(r["_OP_HOST_NODENAME"]).toBe(read("/proc/sys/kernel/hostname")),
  _OP_HOST_RELEASE: (r) => expect(r["_OP_HOST_RELEASE"]).toBe(read("/proc/sys/kernel/osrelease")),
  _OP_HOST_VERSION: (r) => expect(r["_OP_HOST_VERSION"]).toBe(read("/proc/sys/kernel/version")),
  _OP_HOST_MACHINE: (r) => expect(r["_OP_HOST_MACHINE"]).toMatch(/^(x86_64|aarch64)$/),
  _OP_PUBLIC_IPV4_ADDR: (r) => expect(r["_OP_PUBLIC_IPV4_ADDR"]).toMatch(/^\d+(\.\d+){3}$/),
  _OP_CHALKER_VERSION: (r) => expect(r["_OP_CHALKER_VERSION"]).toMatch(/^\d+\.\d+\.\d+$/),
  _OP_CHALK_COUNT: (r) => expect(r["_OP_CHALK_COUNT"]).toBe(0),
  _OP_UNMARKED_COUNT: (r) => expect(r["_OP_UNMARKED_COUNT"]).toBe(1),
  _UNMARKED: (r, pid) => expect(r["_UNMARKED"]).toEqual([readlinkSync(`/proc/${pid}/exe`)]),
};

/** Keys of tk's own have their own tests (report_live.test.ts). */
const isOwn = (key: string) => key.startsWith("_TK_");

function compare(report: ReportObject): void {
  const seen = chalk(report);
  const pid = Number(seen["_PROCESS_PID"]);
  for (const [key, value] of Object.entries(seen)) {
    if (isOwn(key)) continue;
    expect(Object.keys(PROCESS)).toContain(key);
    PROCESS[key]!(pid, value);
  }
  for (const key of Object.keys(report)) {
    if (isOwn(key)) continue;
    expect(Object.keys(HOST)).toContain(key);
    HOST[key]!(report, pid);
  }
  // And nothing of what the guide names is missing.
  for (const key of "PID COMMAND_NAME EXE_PATH ARGV CWD STATE".split(" "))
    expect(seen).toHaveProperty(`_PROCESS_${key}`);
  for (const key of ["_ENV", "_OP_HOSTNAME", "_OP_PLATFORM", "_TIMESTAMP", "_DATETIME"])
    expect(report).toHaveProperty(key);
}

/** What the terminal showed between two blocks, without carriage returns. */
function shown(block: number): string {
  const next = block === 10 ? "=== end" : `=== block ${block + 1}\n`;
  return text.slice(text.indexOf(`=== block ${block}\n`), text.indexOf(next)).replace(/^.*\n/, "");
}

test("as typed, the guide's first block makes no script: its slip is the guide's, not tk's", () => {
  expect(BLOCKS).toContain("cat EOF > hello.sh");
});

test("blocks 1 and 2: a report between the program's own lines, true key by key", async () => {
  const [report] = await bench.count(1);
  compare(report!);
  expect(chalk(report)["_PROCESS_COMMAND_NAME"]).toBe("hello.sh");
  expect(chalk(report)["_PROCESS_ARGV"]).toEqual(["/bin/bash", "./hello.sh"]);
  await terminal.waitFor(/=== block 3/);
});

test("blocks 3 to 5: heartbeats from the loaded file, true while they beat, and one after the end", async () => {
  const beats = (all: readonly ReportObject[]) => all.filter((r) => r["_OPERATION"] === "heartbeat");
  for (const wanted of isFull ? [1, 2, 3, 4, 5, 6, 7] : [1, 2]) {
    const reports = await waitUntilBeats(wanted);
    const report = beats(reports).at(-1)!;
    const seen = chalk(report);
    const pid = Number(seen["_PROCESS_PID"]);
    expect(Object.keys(seen).sort()).toEqual(["_PROCESS_CWD", "_PROCESS_PID", "_PROCESS_STATE"]);
    for (const key of Object.keys(seen)) PROCESS[key]!(pid, seen[key]);
    const keys = ["_CHALKS", "_DATETIME", "_OPERATION", "_OP_TCP_SOCKET_INFO", "_TIMESTAMP"];
    expect(Object.keys(report).sort()).toEqual(keys);
    const sockets = report["_OP_TCP_SOCKET_INFO"] as readonly (readonly unknown[])[];
    expect(sockets.find((row) => row[1] === listener.port)?.slice(0, 5)).toEqual([
      "127.0.0.1",
      listener.port,
      "0.0.0.0",
      0,
      "LISTEN",
    ]);
  }
  await terminal.waitFor(/=== block 6/, 0, 120_000);
  await waitUntilBeats(isFull ? 8 : 3);
  const exec = bench.reports().filter((r) => r["_OPERATION"] === "exec")[1]!;
  const times = beats(bench.reports()).map((r) => Number(r["_TIMESTAMP"]));
  // Ten seconds apart, and the last one at the program's end, whenever that is.
  for (let i = 1; i < times.length - 1; i++) expect(Math.abs(times[i]! - times[i - 1]! - 10_000)).toBeLessThan(1500);
  expect(Number(exec["_TIMESTAMP"])).toBeLessThan(times[0]!);
  expect(times.length).toBeGreaterThanOrEqual(isFull ? 8 : 3);
});

function waitUntilBeats(n: number): Promise<ReportObject[]> {
  const until = performance.now() + 30_000;
  const look = async (): Promise<ReportObject[]> => {
    for (;;) {
      const reports = bench.reports();
      if (reports.filter((r) => r["_OPERATION"] === "heartbeat").length >= n) return reports;
      if (performance.now() > until) throw new Error(`no heartbeat number ${n}`);
      await Bun.sleep(20);
    }
  };
  return look();
}

test("blocks 6 and 7: a file of one's own besides the default one, and a report about the network", async () => {
  await terminal.waitFor(/=== end/, 0, 60_000);
  await waitUntil(() =>
    ownReports().some((r) => "_OP_IPV4_ROUTES" in r || "_OP_UDP_SOCKET_INFO" in r) ? true : undefined,
  );
  const [first] = ownReports();
  expect(first!["_OPERATION"]).toBe("exec");
  expect(first!["_OP_ARGV"]).toEqual([TK, "exec", "--exec-command-name=ls", "-la"]);
  expect(bench.reports().some((r) => r["_EXEC_ID"] === first!["_EXEC_ID"])).toBe(true);
  const network = ownReports().find((r) => "_OP_UDP_SOCKET_INFO" in r)!;
  const allowed = [
    ..."_OP_TCP_SOCKET_INFO _OP_UDP_SOCKET_INFO _OP_IPV4_ROUTES _OP_IPV6_ROUTES _OP_IPV4_INTERFACES".split(" "),
    ..."_OP_ARP_TABLE _TIMESTAMP _OPERATION _CHALKS".split(" "),
  ];
  for (const key of Object.keys(network)) expect(allowed).toContain(key);
  expect(Object.keys(chalk(network))).toEqual(["_PROCESS_PID"]);
  const ports = (key: string) => (network[key] as readonly (readonly unknown[])[]).map((row) => row[1]);
  expect(ports("_OP_TCP_SOCKET_INFO")).toContain(listener.port);
  expect(ports("_OP_UDP_SOCKET_INFO")).toContain(udp.port);
  const devices = readFileSync("/proc/net/dev", "utf8")
    .split("\n")
    .slice(2)
    .map((line) => line.split(":")[0]!.trim());
  expect(Object.keys(network["_OP_IPV4_INTERFACES"] as object).sort()).toEqual(devices.filter((d) => d !== "").sort());
  if ("_OP_IPV4_ROUTES" in network) {
    const rows = readFileSync("/proc/net/route", "utf8").trimEnd().split("\n").slice(1);
    expect(network["_OP_IPV4_ROUTES"]).toHaveLength(rows.length);
  }
});

function ownReports(): ReportObject[] {
  const path = join(bench.home, "exec-reports.log");
  return existsSync(path) ? bench.reports(path) : [];
}

test("the terminal shows all of it in order, and every command of the guide succeeds", () => {
  text = terminal.written().replaceAll("\r", "");
  expect(shown(2)).toMatch(/^Hello, Chalk!\n\[\n {2}\{\n {4}"_OPERATION": "exec",[^]*\n\]\nGoodbye, Chalk!\n/);
  const running = shown(5);
  expect(running).toMatch(
    /Starting long-running process\.\.\.\nIteration 1\n[^]*"_OPERATION": "heartbeat",[^]*Process complete\./,
  );
  expect(shown(6)).toContain("hello.sh");
  expect(shown(7)).toContain("curl example.com");
  expect(shown(8)).toContain("build -t chalk-demo-container");
  expect(shown(9)).toContain("docker run -d --name chalk-demo chalk-demo-container");
  expect(shown(10)).toContain("docker-wrap-config");
  expect(text).not.toMatch(/^tk: .*(Cannot|bug|wrong|error)/m);
});
