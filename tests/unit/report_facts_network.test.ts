// The network tables as parsed: byte orders, hex and decimal, states, lines that are no rows.
import { expect, test } from "bun:test";
import { DEFAULT_SETTINGS } from "../../lib/config/settings.ts";
import { collectFacts, FACT_NAMES } from "../../lib/report/facts/collect.ts";
import {
  address4,
  parseAddress6,
  parseArp,
  parseDevice,
  parseRoute4,
  parseRoute6,
  parseSocket,
  socketAddress6,
} from "../../lib/report/facts/network.ts";
import { tcpState } from "../../lib/report/keys/network.ts";
import { context, fullReport, recordedProc, template } from "../support/reports.ts";
import { buildReport } from "../../lib/report/build.ts";

const HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";
const socket = (local: string, remote: string, state: string, uid: number, inode: number) =>
  `   0: ${local} ${remote} ${state} 00000000:00000000 00:00000000 00000000  ${uid}        0 ${inode} 1 0000000000000000 100 0 0 10 0\n`;

test("addresses are in the machine's byte order", () => {
  expect(address4("0100007F", true)).toBe("127.0.0.1");
  expect(address4("0100007F", false)).toBe("1.0.0.127");
  expect(address4("0100007")).toBeUndefined();
  expect(socketAddress6("B80D0120000000000000000001000000", true)).toBe("2001:0db8:0000:0000:0000:0000:0000:0001");
  expect(socketAddress6("20010DB8000000000000000000000001", false)).toBe("2001:0db8:0000:0000:0000:0000:0000:0001");
});

test("every state has its name, and no other number has one", () => {
  const names = [
    "ESTABLISHED",
    "SYN_SENT",
    "SYN_RECEIVED",
    "FIN_WAIT1",
    "FIN_WAIT2",
    "TIME_WAIT",
    "CLOSE",
    "CLOSE_WAIT",
    "LAST_ACK",
    "LISTEN",
    "CLOSING",
    "NEW_SYN_RECV",
  ];
  expect(names.map((_, i) => tcpState(i + 1))).toEqual(names);
  expect([0, 13, 99].map(tcpState)).toEqual(["UNKNOWN", "UNKNOWN", "UNKNOWN"]);
});

test("metrics of IPv4 routes are decimal, flags are hex", () => {
  expect(parseRoute4("eth0\t00000000\t010015AC\t0003\t0\t0\t100\t00000000\t1500\t10\t20")).toEqual({
    destination: "0.0.0.0",
    gateway: "172.21.0.1",
    mask: "0.0.0.0",
    device: "eth0",
    numbers: [3, 0, 0, 100, 1500, 10, 20],
  });
  expect(parseRoute4("Iface\tDestination\tGateway")).toBeUndefined();
});

test("IPv6 routes are hex throughout", () => {
  const zero = "0".repeat(32);
  expect(parseRoute6(`${zero} 00 ${zero} 00 ${zero} ffffffff 00000001 00000000 00200200       lo`)).toMatchObject({
    destination: "0000:0000:0000:0000:0000:0000:0000:0000",
    destinationPrefix: 0,
    device: "lo",
    numbers: [2097664, 1, 0, 4294967295],
  });
  expect(parseRoute6("nonsense")).toBeUndefined();
});

test("interface names may hold colons, counters are sixteen", () => {
  const counters = Array.from({ length: 16 }, (_, i) => i).join(" ");
  expect(parseDevice(`eth0:1:${counters}`)).toEqual({
    device: "eth0:1",
    received: [0, 1, 2, 3, 4, 5, 6, 7],
    sent: [8, 9, 10, 11, 12, 13, 14, 15],
  });
  expect(parseDevice("eth0: 1 2 3")).toBeUndefined();
});

test("neighbours and IPv6 addresses", () => {
  expect(parseArp("172.21.0.1       0x1         0x2         46:8f:bc:ef:c5:3c     *        eth0")).toEqual({
    ip: "172.21.0.1",
    hardwareType: 1,
    flags: 2,
    mac: "46:8f:bc:ef:c5:3c",
    mask: "*",
    device: "eth0",
  });
  expect(parseAddress6("00000000000000000000000000000001 01 80 10 80       lo")).toEqual({
    address: "0000:0000:0000:0000:0000:0000:0000:0001",
    device: "lo",
    index: 1,
    prefix: 128,
    scope: 16,
    flags: 128,
  });
});

test("a socket line", () => {
  expect(parseSocket(socket("0B00007F:8107", "00000000:0000", "0A", 0, 63015733))).toEqual({
    localAddress: "127.0.0.11",
    localPort: 33031,
    remoteAddress: "0.0.0.0",
    remotePort: 0,
    state: 10,
    uid: 0,
    inode: 63015733,
  });
  expect(parseSocket(HEAD)).toBeUndefined();
});

const V6_ANY = "0".repeat(32);

function recordedNetwork() {
  const states = ["0A", "01", "06", "08"].map((s, i) => socket("0100007F:0050", "0100007F:1F90", s, 1000, i)).join("");
  const procRoot = recordedProc({
    "7/stat": `7 (x) S 1 7 7 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 5 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n`,
    "7/net/tcp": HEAD + states,
    "7/net/tcp6": HEAD + socket(`${V6_ANY}:0016`, `${V6_ANY}:0000`, "0A", 0, 9),
    "7/net/udp": HEAD + socket("00000000:0035", "00000000:0000", "07", 0, 8),
    "7/net/udp6": HEAD,
    "7/net/dev": "Inter-| Receive | Transmit\n face |bytes |bytes\n    lo: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n",
    "7/net/if_inet6":
      "fe800000000000000000000000000001 04 40 20 80 eth0\nfd000000000000000000000000000002 04 40 00 82 eth0\n",
    "7/net/arp": "IP address       HW type     Flags       HW address            Mask     Device\n",
  });
  return collectFacts({ pid: 7, facts: new Set(FACT_NAMES), procRoot });
}

test("only listening and established TCP sockets are shown unless the settings say otherwise", () => {
  const facts = recordedNetwork();
  const { host } = fullReport({ facts });
  expect(host["_OP_TCP_SOCKET_INFO"]).toEqual([
    ["127.0.0.1", 80, "127.0.0.1", 8080, "LISTEN", 1000, 0],
    ["127.0.0.1", 80, "127.0.0.1", 8080, "ESTABLISHED", 1000, 1],
  ]);
  const states = (tcpSocketStatuses: readonly string[]) => {
    const settings = { ...DEFAULT_SETTINGS, network: { ...DEFAULT_SETTINGS.network, tcpSocketStatuses } };
    const rows = buildReport(context({ facts, settings }), template("report_all"))["_OP_TCP_SOCKET_INFO"];
    return (rows as string[][] | undefined)?.map((row) => row[4]);
  };
  expect(states(["*"])).toEqual(["LISTEN", "ESTABLISHED", "TIME_WAIT", "CLOSE_WAIT"]);
  expect(states(["time_wait"])).toEqual(["TIME_WAIT"]);
  expect(states([])).toBeUndefined();
});

test("tables have their documented shape and are absent when empty", () => {
  const { host } = fullReport({ facts: recordedNetwork() });
  expect(host).toMatchObject({
    _TK_TCP6_SOCKET_INFO: [[V6_ANY.match(/.{4}/g)!.join(":"), 22, V6_ANY.match(/.{4}/g)!.join(":"), 0, "LISTEN", 0, 9]],
    _OP_UDP_SOCKET_INFO: [["0.0.0.0", 53, "0.0.0.0", 0, "UNCONN", 0, 8]],
    _OP_IPV4_INTERFACES: {
      lo: [
        [1, 2, 3, 4, 5, 6, 7, 8],
        [9, 10, 11, 12, 13, 14, 15, 16],
      ],
    },
    _OP_IPV6_INTERFACES: { eth0: ["fd00:0000:0000:0000:0000:0000:0000:0002", 4, 64, 0, 130] },
  });
  expect((host["_TK_IPV6_ADDRESSES"] as unknown[]).length).toBe(2);
  for (const key of ["_OP_ARP_TABLE", "_TK_UDP6_SOCKET_INFO", "_OP_IPV4_ROUTES", "_OP_IPV6_ROUTES"])
    expect(host).not.toHaveProperty(key);
});
