// Keys of a live process against independent witnesses: ps, ss, stat, readlink, ip and the shell, and the program itself.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, readlinkSync, realpathSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { collectFacts, FACT_NAMES } from "../../lib/report/facts/collect.ts";
import { temporaryFolder } from "../support/programs.ts";
import { everything, fullReport, LiveProgram } from "../support/reports.ts";

/** Sockets of every kind, a name with parentheses, odd words, a umask, limits, descriptors; it says what it has made. */
const PROGRAM = `
import ctypes, json, os, resource, socket, sys, threading, time
ctypes.CDLL(None).prctl(15, b"od) (d name", 0, 0, 0)
os.umask(0o027)
resource.setrlimit(resource.RLIMIT_NOFILE, (77, 88))
tcp = socket.socket(); tcp.bind(("127.0.0.1", 0)); tcp.listen(3)
a = socket.create_connection(tcp.getsockname()); b, _ = tcp.accept()
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); udp.bind(("127.0.0.1", 0))
six = None
try:
    t6 = socket.socket(socket.AF_INET6); t6.bind(("::1", 0)); t6.listen(1)
    u6 = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM); u6.bind(("::1", 0))
    six = [t6.getsockname()[1], u6.getsockname()[1]]
except OSError:
    pass
f = open("a file", "w+"); f.write("x" * 10); f.flush()
threading.Thread(target=lambda: time.sleep(100), daemon=True).start()
child = os.fork()
if child == 0:
    time.sleep(100)
ino = lambda s: os.fstat(s.fileno()).st_ino
end = time.process_time() + 0.2
while time.process_time() < end: pass
print(json.dumps(dict(listen=tcp.getsockname()[1], connected=a.getsockname()[1], listen_ino=ino(tcp), udp=udp.getsockname()[1],
    udp_ino=ino(udp), six=six, file=f.fileno(), child=child)), flush=True)
sys.stdin.read()
os.kill(child, 9)
`;

interface Made {
  listen: number;
  connected: number;
  listen_ino: number;
  udp: number;
  udp_ino: number;
  six: [number, number] | null;
  file: number;
  child: number;
}

let python: string;
let program: LiveProgram;
let made: Made;
let folder: string;
let host: Record<string, unknown>;
let artifact: Record<string, unknown>;

/** Whether the witness is there; says so when it is not. */
function has(...tools: readonly string[]): boolean {
  const missing = tools.filter((tool) => Bun.which(tool) === null);
  if (missing.length > 0) console.log(`skipped: needs ${missing.join(", ")} (apt-get install procps iproute2)`);
  return missing.length === 0;
}

const WORDS = ["plain", "", "two words", "new\nline", "é"];

const run = (command: string, ...args: string[]) => {
  const done = spawnSync(command, args, { encoding: "utf8" });
  if (done.error) throw new Error(`${command} is needed by these tests: ${done.error.message}`);
  return done.stdout.trim();
};
const ps = (field: string) => run("ps", "-o", `${field}=`, "-p", String(program.pid));

beforeAll(async () => {
  folder = join(temporaryFolder(), "a folder");
  mkdirSync(folder);
  // A shim in the way would be another program with another environment.
  python = run("python3", "-c", "import sys; print(sys.executable)");
  program = new LiveProgram(python, ["-c", PROGRAM, ...WORDS], {
    cwd: folder,
    env: { PATH: process.env["PATH"]!, USER: "u" },
  });
  made = JSON.parse(await program.ready) as Made;
  ({ host, artifact } = fullReport({ facts: everything(program.pid) }));
});

afterAll(async () => {
  if (made !== undefined) process.kill(made.child, "SIGKILL");
  await program?.stop();
});

test("identity and state are what ps says", () => {
  if (!has("ps")) return;
  expect(artifact["_PROCESS_PID"]).toBe(program.pid);
  expect(artifact["_PROCESS_PARENT_PID"]).toBe(Number(ps("ppid")));
  expect(artifact["_PROCESS_PGID"]).toBe(Number(ps("pgid")));
  expect(artifact["_TK_SESSION"]).toBe(Number(ps("sid")));
  expect(artifact["_PROCESS_STATE"]).toBe("Sleeping");
  expect(ps("s")).toBe("S");
  expect(artifact["_PROCESS_COMMAND_NAME"]).toBe("od) (d name");
  expect(artifact["_PROCESS_UID"]).toEqual(["ruid", "euid", "suid", "fsuid"].map((f) => Number(ps(f))));
  expect(artifact["_PROCESS_GID"]).toEqual(["rgid", "egid", "sgid", "fsgid"].map((f) => Number(ps(f))));
  expect(artifact["_TK_THREADS"]).toBe(Number(ps("nlwp")));
  expect(artifact["_TK_THREADS"]).toBe(2);
});

test("memory and CPU are what ps says", () => {
  if (!has("ps")) return;
  expect(Number(artifact["_TK_RSS_BYTES"]) / 1024).toBeCloseTo(Number(ps("rss")), -3);
  expect(Number(artifact["_TK_VIRTUAL_BYTES"]) / 1024).toBe(Number(ps("vsz")));
  const cpu = Number(artifact["_PROCESS_UTIME"]) + Number(artifact["_PROCESS_STIME"]);
  expect(cpu).toBeGreaterThanOrEqual(0.19);
  expect(cpu).toBeLessThan(5);
  expect(artifact["_TK_CPU_NS"]).toBeCloseTo(cpu * 1e9, -4);
  const uptime = Number(readFileSync("/proc/uptime", "utf8").split(" ")[0]);
  expect(Math.abs(uptime - Number(artifact["_PROCESS_START_TIME"]) - Number(ps("etimes")))).toBeLessThan(2.5);
});

test("argv, directory and executable are what readlink and the shell say", () => {
  expect((artifact["_PROCESS_ARGV"] as string[]).slice(-WORDS.length)).toEqual(WORDS);
  expect(artifact["_PROCESS_CWD"]).toBe(realpathSync(folder));
  expect(artifact["_PROCESS_CWD"]).toBe(run("readlink", `/proc/${program.pid}/cwd`));
  expect(artifact["_PROCESS_EXE_PATH"]).toBe(run("readlink", `/proc/${program.pid}/exe`));
});

test("umask, limits, descriptors and children are what the program made", () => {
  expect(artifact["_PROCESS_UMASK"]).toBe(27);
  expect((artifact["_TK_LIMITS"] as Record<string, string[]>)["Max open files"]).toEqual(["77", "88"]);
  const fds = artifact["_PROCESS_FD_INFO"] as Record<string, Record<string, unknown>>;
  const names = run("ls", `/proc/${program.pid}/fd`).split("\n");
  expect(Object.keys(fds).sort()).toEqual(names.sort());
  expect(artifact["_TK_FDS"]).toBe(names.length);
  for (const name of names) expect(fds[name]!["path"]).toBe(readlinkSync(`/proc/${program.pid}/fd/${name}`));
  const file = fds[String(made.file)]!;
  expect(file["pos"]).toBe(10);
  expect(Number(file["flags"]) & 3).toBe(2);
  expect(file["ino"]).toBe(Number(run("stat", "-c", "%i", join(folder, "a file"))));
  expect(artifact["_TK_CHILDREN"]).toBe(1);
});

test("mounts, namespaces, cgroup and oom are what the kernel's files say", () => {
  const mounts = artifact["_PROCESS_MOUNT_INFO"] as { mount_point: string; fs_type: string }[];
  expect(mounts.length).toBe(readFileSync(`/proc/${program.pid}/mountinfo`, "utf8").trim().split("\n").length);
  expect(mounts.map((m) => m.mount_point)).toContain("/proc");
  expect(mounts.find((m) => m.mount_point === "/proc")!.fs_type).toBe("proc");
  const namespaces = artifact["_TK_NAMESPACES"] as Record<string, string>;
  for (const name of ["net", "pid", "mnt", "uts"])
    expect(namespaces[name]).toBe(run("readlink", `/proc/${program.pid}/ns/${name}`));
  expect(readFileSync(`/proc/${program.pid}/cgroup`, "utf8")).toContain(artifact["_TK_CGROUP"] as string);
  expect(artifact["_TK_OOM_SCORE_ADJ"]).toBe(Number(run("cat", `/proc/${program.pid}/oom_score_adj`)));
});

test("capabilities have the names that the kernel's mask means", () => {
  const status = readFileSync(`/proc/${program.pid}/status`, "utf8");
  const mask = BigInt("0x" + /^CapEff:\s*([0-9a-f]+)/m.exec(status)![1]!);
  const bits = [...mask.toString(2)].filter((c) => c === "1").length;
  const sets = artifact["_TK_CAPABILITIES"] as Record<string, string[]>;
  expect(sets["effective"]!.length).toBe(bits);
  if (mask & (1n << 21n)) expect(sets["effective"]).toContain("CAP_SYS_ADMIN");
});

type SocketRow = [string, number, string, number, string, number, number];

test("sockets are what the program made and what ss shows", () => {
  if (!has("ss")) return;
  const tcp = host["_OP_TCP_SOCKET_INFO"] as SocketRow[];
  const uid = process.getuid!();
  expect(tcp).toContainEqual(["127.0.0.1", made.listen, "0.0.0.0", 0, "LISTEN", uid, made.listen_ino]);
  const link = tcp.find((row) => row[1] === made.connected);
  expect(link?.slice(0, 5)).toEqual(["127.0.0.1", made.connected, "127.0.0.1", made.listen, "ESTABLISHED"]);
  expect(run("ss", "-Htln4")).toContain(`127.0.0.1:${made.listen} `);
  expect(host["_OP_UDP_SOCKET_INFO"]).toContainEqual([
    "127.0.0.1",
    made.udp,
    "0.0.0.0",
    0,
    "UNCONN",
    uid,
    made.udp_ino,
  ]);
  if (made.six !== null) {
    const loopback = "0000:0000:0000:0000:0000:0000:0000:0001";
    const found = (host["_TK_TCP6_SOCKET_INFO"] as SocketRow[]).find((row) => row[1] === made.six![0]);
    expect(found?.[0]).toBe(loopback);
    expect((host["_TK_UDP6_SOCKET_INFO"] as SocketRow[]).find((row) => row[1] === made.six![1])?.[0]).toBe(loopback);
    expect(tcp.some((row) => row[1] === made.six![0])).toBe(false);
  }
});

test("routes, interfaces and addresses are what ip shows", () => {
  if (!has("ip")) return;
  const links = (JSON.parse(run("ip", "-j", "link")) as { ifname: string }[]).map((l) => l.ifname);
  expect(Object.keys(host["_OP_IPV4_INTERFACES"] as object).sort()).toEqual(links.sort());
  const routes = JSON.parse(run("ip", "-j", "-4", "route")) as { dst: string; gateway?: string; dev: string }[];
  const rows = (host["_OP_IPV4_ROUTES"] as (string | number)[][] | undefined) ?? [];
  for (const route of routes) {
    const destination = route.dst === "default" ? "0.0.0.0" : route.dst.split("/")[0];
    expect(rows.map((r) => r.slice(0, 4))).toContainEqual([
      destination,
      route.gateway ?? "0.0.0.0",
      expect.any(String),
      route.dev,
    ]);
  }
  const addresses = (JSON.parse(run("ip", "-j", "-6", "addr")) as { addr_info: unknown[] }[]).flatMap(
    (l) => l.addr_info,
  );
  expect(((host["_TK_IPV6_ADDRESSES"] as unknown[] | undefined) ?? []).length).toBe(addresses.length);
  const world = spawnSync("ip", ["-j", "route", "get", "1.1.1.1"], { encoding: "utf8" });
  if (world.status === 0)
    expect(host["_OP_PUBLIC_IPV4_ADDR"]).toBe((JSON.parse(world.stdout) as { prefsrc: string }[])[0]!.prefsrc);
  else expect(host).not.toHaveProperty("_OP_PUBLIC_IPV4_ADDR");
});

test("the host is what uname says", () => {
  expect(host).toMatchObject({
    _OP_HOSTNAME: hostname(),
    _OP_HOST_SYSNAME: run("uname", "-s"),
    _OP_HOST_NODENAME: run("uname", "-n"),
    _OP_HOST_RELEASE: run("uname", "-r"),
    _OP_HOST_VERSION: run("uname", "-v"),
    _OP_HOST_MACHINE: run("uname", "-m"),
    _OP_PLATFORM: `GNU/Linux ${run("uname", "-m")}`,
  });
  const cpu = host["_OP_CPU_INFO"] as { load: Record<string, number>; total_procs: number };
  expect(Object.keys(cpu.load)).toEqual(["1", "5", "15"]);
  const all = host["_OP_ALL_PS_INFO"] as Record<string, { name: string; argv?: string[] }>;
  expect(all[String(program.pid)]).toMatchObject({ name: "od) (d name", num_threads: 2, umask: 27 });
  expect(all["1"]).toBeDefined();
  const ancestors = host["_OP_ANCESTOR_ARGVS"] as string[][];
  expect(ancestors[0]).toEqual(readFileSync(`/proc/${process.ppid}/cmdline`, "utf8").replace(/\0$/, "").split("\0"));
});

test("the environment is the program's", () => {
  expect(host["_ENV"]).toEqual({ PATH: process.env["PATH"], USER: "u" });
});

test("each snapshot is fresh", async () => {
  const before = collectFacts({ pid: program.pid, facts: new Set(FACT_NAMES) });
  process.kill(program.pid, "SIGSTOP");
  await Bun.sleep(20);
  const stopped = collectFacts({ pid: program.pid, facts: new Set(FACT_NAMES) });
  process.kill(program.pid, "SIGCONT");
  expect(fullReport({ facts: before }).artifact["_PROCESS_STATE"]).toBe("Sleeping");
  expect(fullReport({ facts: stopped }).artifact["_PROCESS_STATE"]).toBe("Stopped");
});

test("a zombie still has its name, state and times, and says how it ended", async () => {
  // The shell does not wait for its child before it is told to.
  const parent = new LiveProgram(python, [
    "-c",
    "import os,sys,time\np=os.fork()\nif p==0: os._exit(7)\ntime.sleep(0.1)\nprint(p,flush=True)\nsys.stdin.read()",
  ]);
  try {
    const pid = Number(await parent.ready);
    const { artifact: zombie } = fullReport({ facts: everything(pid) });
    expect(zombie).toMatchObject({
      _PROCESS_STATE: "Zombie",
      _PROCESS_COMMAND_NAME: expect.stringMatching(/^python/),
      _PROCESS_PARENT_PID: parent.pid,
      _TK_STATE: "zombie",
      _TK_EXIT_CODE: 7,
    });
    for (const key of ["_PROCESS_ARGV", "_PROCESS_EXE_PATH", "_PROCESS_CWD", "_TK_FDS"])
      expect(zombie).not.toHaveProperty(key);
  } finally {
    await parent.stop();
  }
});

test("network tables are those of the program's namespace", async () => {
  if (process.getuid!() !== 0) {
    console.log("skipped: a network namespace of its own needs root");
    return;
  }
  const alone = new LiveProgram("unshare", ["-n", "sh", "-c", "echo ready; read x"]);
  try {
    await alone.ready;
    const { host: seen } = fullReport({ facts: everything(alone.pid) });
    expect(Object.keys(seen["_OP_IPV4_INTERFACES"] as object)).toContain("lo");
    expect(Object.keys(seen["_OP_IPV4_INTERFACES"] as object)).not.toContain("eth0");
    expect(seen).not.toHaveProperty("_OP_IPV4_ROUTES");
    expect(seen).not.toHaveProperty("_OP_TCP_SOCKET_INFO");
  } finally {
    await alone.stop();
  }
});

test("a process that keeps dying never breaks a snapshot", () => {
  const shell = spawnSync("sh", ["-c", "for i in 1 2 3 4 5 6 7 8; do sleep 0.01 & echo $!; done"], {
    encoding: "utf8",
  });
  const pids = shell.stdout.trim().split("\n").map(Number);
  for (let round = 0; round < 5; round++)
    for (const pid of pids) {
      const { artifact: seen } = fullReport({ facts: everything(pid) });
      expect(seen["_PROCESS_PID"]).toBe(pid);
    }
});

test("a heartbeat's snapshot is cheap", () => {
  const facts = new Set(["stat", "status", "fdCount", "io", "children"] as const);
  const began = performance.now();
  for (let i = 0; i < 200; i++) collectFacts({ pid: program.pid, facts });
  expect((performance.now() - began) / 200).toBeLessThan(5);
});
