// /proc/PID as parsed: odd names, cut files, processes that end in the middle, pids that are used again.
import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { collectFacts, FACT_NAMES, withEarlier } from "../../lib/report/facts/collect.ts";
import { parseMount, parseStat } from "../../lib/report/facts/process.ts";
import { fullReport, recordedProc } from "../support/reports.ts";

const text = (s: string) => new TextEncoder().encode(s);

const STAT =
  "4711 (a) b (c\n) S 1 4711 4700 34816 4711 4194304 100 200 3 4 150 250 7 8 20 0 3 0 18431257 1000000 200 18446744073709551615 " +
  "1 1 0 0 0 0 0 4096 0 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 0\n";

test("parseStat takes the name between the first and the last parenthesis", () => {
  const stat = parseStat(text(STAT))!;
  expect(new TextDecoder().decode(stat.comm)).toBe("a) b (c\n");
  expect(stat).toMatchObject({ pid: 4711, state: "S", ppid: 1, pgrp: 4711, session: 4700, ttyNr: 34816, tpgid: 4711 });
  expect(stat).toMatchObject({ utime: 150, stime: 250, cutime: 7, cstime: 8, priority: 20, nice: 0, threads: 3 });
  expect(stat.startTime).toBe(18431257);
  expect(stat.waitStatus).toBeUndefined();
});

test("parseStat gives nothing for what is cut or no stat line", () => {
  for (let n = 0; n < 60; n++) expect(parseStat(text(STAT.slice(0, n)))).toBeUndefined();
  expect(parseStat(text("no parentheses at all"))).toBeUndefined();
  expect(parseStat(text("1 )x( S 1 1"))).toBeUndefined();
  expect(parseStat(new Uint8Array())).toBeUndefined();
});

test("a zombie's wait status is known", () => {
  const zombie = STAT.replace(") S ", ") Z ").replace(/ 0\n$/, " 768\n");
  expect(parseStat(text(zombie))!.waitStatus).toBe(768);
});

test("parseMount decodes octal escapes and keeps optional fields", () => {
  const line = "36 35 98:0 /a\\040b /mnt\\011x\\134y rw,noatime shared:1 master:2 - ext3 /dev/root rw,errors=continue";
  expect(parseMount(line)).toEqual({
    mountId: 36,
    parentId: 35,
    major: 98,
    minor: 0,
    root: "/a b",
    mountPoint: "/mnt\tx\\y",
    options: ["rw", "noatime"],
    tags: ["shared:1", "master:2"],
    fsType: "ext3",
    source: "/dev/root",
    superOptions: ["rw", "errors=continue"],
  });
  expect(parseMount("36 35 98:0 / /mnt rw no dash here")).toBeUndefined();
  expect(parseMount("")).toBeUndefined();
});

const TREE = {
  "4711/stat": STAT,
  "4711/status":
    "Name:\ta\nUmask:\t0027\nState:\tS (sleeping)\nUid:\t1000\t1001\t1002\t1003\nGid:\t5\t6\t7\t8\nFDSize:\t256\nGroups:\t \n" +
    "VmHWM:\t   20480 kB\nVmRSS:\t   10240 kB\nCapEff:\t0000000000003000\nCapPrm:\t0000000000000000\nNoNewPrivs:\t1\n" +
    "Seccomp:\t2\nSeccomp_filters:\t3\nvoluntary_ctxt_switches:\t5\nnonvoluntary_ctxt_switches:\t6\n",
  "4711/cmdline": Uint8Array.of(0x61, 0, 0xff, 0x62, 0, 0),
  "4711/comm": "a) b (c\n\n",
  "4711/cwd": { link: "/some where" },
  "4711/exe": { link: Buffer.from([0x2f, 0x78, 0xfe]) },
  "4711/fd/0": { link: "/dev/null" },
  "4711/fd/10": { link: "socket:[99]" },
  "4711/fdinfo/0": "pos:\t18446744073709551615\nflags:\t0100002\nmnt_id:\t24\nino:\t3\n",
  "4711/fdinfo/10": "pos:\t0\nflags:\t02\nmnt_id:\t9\ntfd:        5 events: 1\ntfd:        6 events: 4\n",
  "4711/io":
    "rchar: 100\nwchar: 200\nsyscr: 1\nsyscw: 2\nread_bytes: 4096\nwrite_bytes: 8192\ncancelled_write_bytes: 0\n",
  "4711/limits":
    "Limit                     Soft Limit           Hard Limit           Units     \n" +
    "Max cpu time              unlimited            unlimited            seconds   \n" +
    "Max open files            1024                 4096                 files     \n",
  "4711/cgroup": "12:memory:/box\n3:cpu,cpuacct:/box\n0::/sys.slice/x\n",
  "4711/oom_score": "667\n",
  "4711/oom_score_adj": "-5\n",
  "4711/task/4711/children": "12 13 ",
  "4711/task/4712/children": "14 ",
  "4711/ns/net": { link: "net:[4026531840]" },
  "4711/environ": "PATH=/bin\0SECRET=x\0",
};

function recorded() {
  const procRoot = recordedProc(TREE);
  const sysRoot = recordedProc({
    "fs/cgroup/memory/box/memory.limit_in_bytes": "1048576\n",
    "fs/cgroup/sys.slice/x/memory.max": "max\n",
    "fs/cgroup/sys.slice/x/cpu.max": "50000 100000\n",
  });
  return collectFacts({ pid: 4711, facts: new Set(FACT_NAMES), procRoot, sysRoot });
}

test("a recorded process becomes its keys", () => {
  const { artifact } = fullReport({ facts: recorded() });
  expect(artifact).toMatchObject({
    _PROCESS_PID: 4711,
    _PROCESS_PARENT_PID: 1,
    _PROCESS_PGID: 4711,
    _PROCESS_STATE: "Sleeping",
    _PROCESS_START_TIME: 184312.57,
    _PROCESS_UTIME: 1.5,
    _PROCESS_STIME: 2.5,
    _PROCESS_CHILDREN_UTIME: 0.07,
    _PROCESS_CHILDREN_STIME: 0.08,
    _PROCESS_UMASK: 27,
    _PROCESS_UID: [1000, 1001, 1002, 1003],
    _PROCESS_GID: [5, 6, 7, 8],
    _PROCESS_NUM_FD_SIZE: 256,
    _PROCESS_SECCOMP_STATUS: "filter",
    _PROCESS_ARGV: ["a", "\ufffdb", ""],
    _PROCESS_CWD: "/some where",
    _PROCESS_EXE_PATH: "/x\ufffd",
    _PROCESS_COMMAND_NAME: "a) b (c\n",
    _PROCESS_FD_INFO: {
      "0": { pos: "18446744073709551615", flags: 32770, mnt_id: 24, ino: 3, path: "/dev/null" },
      "10": { pos: 0, flags: 2, mnt_id: 9, tfd: "5 events: 1\n6 events: 4", path: "socket:[99]" },
    },
    _TK_STATE: "alive",
    _TK_RSS_BYTES: 10485760,
    _TK_PEAK_RSS_BYTES: 20971520,
    _TK_THREADS: 3,
    _TK_FDS: 2,
    _TK_CHILDREN: 3,
    _TK_CPU_NS: 4e9,
    _TK_IO_READ_BYTES: 4096,
    _TK_IO_WRITTEN_BYTES: 8192,
    _TK_IO_READ_CHARS: 100,
    _TK_IO_WRITTEN_CHARS: 200,
    _TK_CONTEXT_SWITCHES: { voluntary: 5, involuntary: 6 },
    _TK_CAPABILITIES: { permitted: [], effective: ["CAP_NET_ADMIN", "CAP_NET_RAW"] },
    _TK_NO_NEW_PRIVS: true,
    _TK_SECCOMP_FILTERS: 3,
    _TK_NAMESPACES: { net: "net:[4026531840]" },
    _TK_CGROUP: "/sys.slice/x",
    _TK_CGROUP_LIMITS: { "memory.max": "max", "cpu.max": "50000 100000", "memory.limit_in_bytes": "1048576" },
    _TK_LIMITS: { "Max cpu time": ["unlimited", "unlimited"], "Max open files": ["1024", "4096"] },
    _TK_OOM_SCORE: 667,
    _TK_OOM_SCORE_ADJ: -5,
    _TK_PROCESS_ARGV_B64: [null, "/2I=", null],
    _TK_SESSION: 4700,
  });
  // An empty Groups line costs nobody else a key.
  expect(artifact).not.toHaveProperty("_PROCESS_GROUPS");
  expect(artifact["_PROCESS_DETAIL"]).toMatchObject({
    pid: 4711,
    runtime: 184312.57,
    umask: 27,
    groups: [],
    seccomp: "filter",
  });
});

test("a tree of nothing gives a snapshot of nothing, and a report with the pid alone", () => {
  const facts = collectFacts({ pid: 5, facts: new Set(FACT_NAMES), procRoot: "/nonexistent", sysRoot: "/nonexistent" });
  expect(facts.life).toBe("gone");
  expect(Object.keys(facts).sort()).toEqual(
    ["life", "monotonicNs", "pid", "publicAddress", "unixMs"].filter((k) => k in facts),
  );
  const { artifact } = fullReport({ facts });
  expect(artifact).toEqual({ _PROCESS_PID: 5, _TK_STATE: "gone" });
});

test("files of rubbish never throw and invent nothing", () => {
  const rubbish = new Uint8Array(3000).map((_, i) => (i * 7919) % 256);
  const tree = Object.fromEntries(
    Object.entries(TREE).map(([path, content]) => [path, typeof content === "string" ? rubbish : content]),
  );
  const nets = ["tcp", "tcp6", "udp", "udp6", "route", "ipv6_route", "dev", "if_inet6", "arp"];
  for (const name of nets) tree[`4711/net/${name}`] = rubbish;
  const procRoot = recordedProc({ ...tree, "4711/stat": STAT, loadavg: rubbish });
  const facts = collectFacts({ pid: 4711, facts: new Set(FACT_NAMES), procRoot });
  const { host, artifact } = fullReport({ facts });
  expect(artifact["_PROCESS_STATE"]).toBe("Sleeping");
  for (const key of ["_OP_TCP_SOCKET_INFO", "_OP_IPV4_ROUTES", "_OP_IPV4_INTERFACES", "_OP_ARP_TABLE", "_OP_CPU_INFO"])
    expect(host).not.toHaveProperty(key);
});

test("another process with the same pid is not the program", () => {
  const procRoot = recordedProc(TREE);
  const facts = collectFacts({ pid: 4711, facts: new Set(FACT_NAMES), procRoot, startTime: 12345 });
  expect(facts.life).toBe("gone");
  expect(facts.stat).toBeUndefined();
  expect(facts.cmdline).toBeUndefined();
});

test("only what was asked for is read", () => {
  const facts = collectFacts({ pid: 4711, facts: new Set(["stat", "io"]), procRoot: recordedProc(TREE) });
  expect(Object.keys(facts).sort()).toEqual(["io", "life", "monotonicNs", "pid", "stat", "unixMs"]);
});

test("what only the earlier snapshot saw stays when the program has ended", () => {
  const procRoot = recordedProc(TREE);
  const all = new Set(FACT_NAMES);
  const early = collectFacts({ pid: 4711, facts: all, procRoot });
  writeFileSync(`${procRoot}/4711/stat`, STAT.replace(") S ", ") Z ").replace(/ 0\n$/, " 9\n"));
  const late = collectFacts({ pid: 4711, facts: new Set(["stat"]), procRoot });
  const { artifact } = fullReport({ facts: withEarlier(late, early) });
  expect(artifact).toMatchObject({ _PROCESS_STATE: "Zombie", _TK_EXIT_SIGNAL: 9, _PROCESS_CWD: "/some where" });
  expect(artifact).not.toHaveProperty("_TK_EXIT_CODE");
  const gone = collectFacts({ pid: 4712, facts: all, procRoot });
  expect(withEarlier(gone, early)).toMatchObject({ life: "gone", stat: early.stat!, pid: 4712 });
});

test("of a living program the numbers are never an earlier snapshot's", () => {
  const procRoot = recordedProc(TREE);
  const early = collectFacts({ pid: 4711, facts: new Set(FACT_NAMES), procRoot });
  const late = collectFacts({ pid: 4711, facts: new Set(["stat"]), procRoot });
  const merged = withEarlier(late, early);
  expect(merged.io).toBeUndefined();
  expect(merged.fds).toBeUndefined();
  expect(merged.cmdline).toEqual(early.cmdline!);
});
