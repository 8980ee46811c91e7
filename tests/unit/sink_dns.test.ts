// The sink `dns`, against a name server of ten lines that remembers what it was asked.
import { afterAll, expect, test } from "bun:test";
import { createSocket } from "node:dgram";
import { Bench, type NamedSink } from "../support/sinks.ts";

const bench = new Bench();
const asked: string[] = [];
const server = createSocket("udp4");
let isSilent = false;
server.on("message", (query, from) => {
  const labels: string[] = [];
  let at = 12;
  for (let n = query[at]!; n > 0; n = query[at]!) {
    labels.push(query.subarray(at + 1, at + 1 + n).toString("latin1"));
    at += n + 1;
  }
  asked.push(`${labels.join(".")} ${query.readUInt16BE(at + 1)}`);
  if (isSilent) return;
  const answer = Buffer.from(query);
  answer.writeUInt16BE(0x8183, 2); // There is no such name.
  server.send(answer, from.port, from.address);
});
await new Promise<void>((done) => server.bind(0, "127.0.0.1", done));
const dns_server = `127.0.0.1:${server.address().port}`;

afterAll(() => {
  server.close();
  bench.close();
});

async function publish(
  fields: NamedSink["fields"],
  report: Parameters<ReturnType<Bench["open"]>["publish"]>[2],
  more: Partial<NamedSink> = {},
) {
  asked.length = 0;
  const set = bench.open({ d: { sink: "dns", fields: { dns_server, dns_timeout: 2000, ...fields }, ...more } });
  const delivery = await set.publish("report", "exec", report);
  await set.close();
  return delivery;
}

test("one look-up per artifact; keys of the host first, in any case; no such name is an answer", async () => {
  const report = { _OPERATION: "exec", _CHALKS: [{ CHALK_ID: "A-1" }, { CHALK_ID: "B-2", _OPERATION: "other" }] };
  const delivery = await publish({ domain_template: "{chalk_id}.{_OPERATION}.{NOT_THERE}.example.test" }, report);
  expect(delivery.delivered).toEqual(["d"]);
  expect(asked).toEqual(["A-1.exec.x.example.test 1", "B-2.exec.x.example.test 1"]);
});

test("values become part of a name and nothing else", async () => {
  const normalize = new Map([["C", (value: string) => `n${value}`]]);
  const fields = { domain_template: "{A}.{B}.{C}.test", missing_key_placeholder: "none", record_type: "AAAA" };
  await publish(fields, { A: "x y/..ü.", B: [1], C: 7 }, { normalize });
  expect(asked).toEqual(["x-y-.-.none.n7.test 28"]);
});

test("require_chalk_mark: nothing is looked up for programs without one", async () => {
  const fields = { domain_template: "{_OPERATION}.test", require_chalk_mark: true };
  expect((await publish(fields, { _OPERATION: "exec", _CHALKS: [{ _PROCESS_PID: 1 }] })).delivered).toEqual(["d"]);
  expect(asked).toEqual([]);
});

test("a silent server, an address that is none, a name that is too long: kept and told", async () => {
  isSilent = true;
  const started = performance.now();
  expect((await publish({ domain_template: "a.test", dns_timeout: 100 }, {})).kept).toEqual(["d"]);
  expect(performance.now() - started).toBeLessThan(2000);
  isSilent = false;
  expect((await publish({ domain_template: "a.test", dns_server: "ns.example" }, {})).kept).toEqual(["d"]);
  expect((await publish({ domain_template: "{A}.test" }, { A: "x".repeat(64) })).kept).toEqual(["d"]);
  const told = bench.warnings().join("\n");
  expect(told).toContain("no answer");
  expect(told).toContain("dns_server is not an address");
  expect(told).toContain("the name is not allowed");
});
