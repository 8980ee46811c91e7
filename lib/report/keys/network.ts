// The program's network namespace: sockets, routes, interfaces, neighbours. Tables that are empty are absent.
import { emptyObject, type Json } from "../../base/json_value.ts";
import type { FactName, Socket } from "../facts/facts.ts";
import type { ReportContext, ReportKey } from "../key.ts";

const SINCE = "0.1.0";

/** Numbers of include/net/tcp_states.h. */
const TCP_STATES = [
  "UNKNOWN",
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

export function tcpState(state: number): string {
  return TCP_STATES[state] ?? "UNKNOWN";
}

function row(s: Socket, state: string): Json {
  return [s.localAddress, s.localPort, s.remoteAddress, s.remotePort, state, s.uid, s.inode];
}

function tcpRows(sockets: readonly Socket[] | undefined, c: ReportContext): Json | undefined {
  const wanted = c.settings.network.tcpSocketStatuses.map((name) => name.toUpperCase());
  const all = wanted.includes("*");
  return sockets?.flatMap((s) => {
    const state = tcpState(s.state);
    return all || wanted.includes(state) ? [row(s, state)] : [];
  });
}

function udpRows(sockets: readonly Socket[] | undefined): Json | undefined {
  return sockets?.map((s) => row(s, "UNCONN"));
}

function key(
  id: string,
  type: string,
  fact: FactName,
  doc: string,
  source: string,
  compute: (c: ReportContext) => Json | undefined,
  more: Partial<ReportKey> = {},
): ReportKey {
  return { id, level: "host", type, since: SINCE, doc, source, on: false, facts: [fact], compute, ...more };
}

const NAMESPACE = "of the program's network namespace; the original reads its own";
const COLUMNS = "`[local_ip, local_port, remote_ip, remote_port, state, uid, inode]`";

export const networkKeys: readonly ReportKey[] = [
  key(
    "_OP_TCP_SOCKET_INFO",
    "list[list]",
    "tcp",
    `TCP sockets over IPv4, ${COLUMNS}; only the states in \`network.tcp_socket_statuses\`.`,
    "/proc/PID/net/tcp",
    (c) => tcpRows(c.facts.tcp, c),
    { differs: NAMESPACE },
  ),
  key(
    "_OP_UDP_SOCKET_INFO",
    "list[list]",
    "udp",
    `UDP sockets over IPv4, ${COLUMNS}; the state is always \`UNCONN\`.`,
    "/proc/PID/net/udp",
    (c) => udpRows(c.facts.udp),
    { differs: NAMESPACE },
  ),
  key(
    "_TK_TCP6_SOCKET_INFO",
    "list[list]",
    "tcp6",
    `TCP sockets over IPv6, ${COLUMNS}; states as \`_OP_TCP_SOCKET_INFO\`, addresses as eight groups of four hex digits.`,
    "/proc/PID/net/tcp6",
    (c) => tcpRows(c.facts.tcp6, c),
  ),
  key(
    "_TK_UDP6_SOCKET_INFO",
    "list[list]",
    "udp6",
    `UDP sockets over IPv6, ${COLUMNS}; the state is always \`UNCONN\`.`,
    "/proc/PID/net/udp6",
    (c) => udpRows(c.facts.udp6),
  ),
  key(
    "_OP_IPV4_ROUTES",
    "list[list]",
    "routes4",
    "`[destination, gateway, mask, interface, flags, refcount, use, metric, mtu, window, irtt]`.",
    "/proc/PID/net/route",
    (c) => c.facts.routes4?.map((r) => [r.destination, r.gateway, r.mask, r.device, ...r.numbers]),
    { differs: `refcount, use, metric, mtu, window and irtt are decimal, as the kernel writes them; ${NAMESPACE}` },
  ),
  key(
    "_OP_IPV6_ROUTES",
    "list[list]",
    "routes6",
    "`[destination, dest_prefix_len, source, source_prefix_len, gateway, interface, flags, refcount, use, metric]`.",
    "/proc/PID/net/ipv6_route",
    (c) =>
      c.facts.routes6?.map((r) => [
        r.destination,
        r.destinationPrefix,
        r.source,
        r.sourcePrefix,
        r.gateway,
        r.device,
        ...r.numbers,
      ]),
    { differs: NAMESPACE },
  ),
  key(
    "_OP_IPV4_INTERFACES",
    "dict[string, [list, list]]",
    "devices",
    "Traffic counters of each interface, `[rx, tx]`: bytes, packets, errors, drops, fifo, then frame, compressed, multicast (rx) " +
      "or collisions, carrier, compressed (tx).",
    "/proc/PID/net/dev",
    (c) => {
      const all = emptyObject<Json>();
      for (const d of c.facts.devices ?? []) all[d.device] = [d.received, d.sent];
      return all;
    },
    { differs: NAMESPACE },
  ),
  key(
    "_OP_IPV6_INTERFACES",
    "dict[string, list]",
    "addresses6",
    "`[address, interface_index, prefix_len, scope, flags]` of each interface; of several addresses the last " +
      "(`_TK_IPV6_ADDRESSES` has them all).",
    "/proc/PID/net/if_inet6",
    (c) => {
      const all = emptyObject<Json>();
      for (const a of c.facts.addresses6 ?? []) all[a.device] = [a.address, a.index, a.prefix, a.scope, a.flags];
      return all;
    },
    { differs: NAMESPACE },
  ),
  key(
    "_TK_IPV6_ADDRESSES",
    "list[list]",
    "addresses6",
    "Every IPv6 address: `[interface, address, interface_index, prefix_len, scope, flags]`.",
    "/proc/PID/net/if_inet6",
    (c) => c.facts.addresses6?.map((a) => [a.device, a.address, a.index, a.prefix, a.scope, a.flags]),
  ),
  key(
    "_OP_ARP_TABLE",
    "list[list]",
    "arp",
    "`[ip, hw_type, flags, mac, mask, interface]`.",
    "/proc/PID/net/arp",
    (c) => c.facts.arp?.map((a) => [a.ip, a.hardwareType, a.flags, a.mac, a.mask, a.device]),
    { differs: NAMESPACE },
  ),
];
