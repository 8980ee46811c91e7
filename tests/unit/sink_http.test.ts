// The sinks that speak HTTP, against real servers on the loopback device: what is sent, what every kind of answer leads to,
// and that no secret reaches another host or a message.
import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { connect, createServer as createTcpServer, type AddressInfo } from "node:net";
import { VERSION } from "../../lib/base/version.ts";
import type { Settings } from "../../lib/config/settings.ts";
import { BASIC, Bench, jwt, type NamedSink } from "../support/sinks.ts";

const bench = new Bench();
afterAll(() => bench.close());
beforeEach(() => (bench.told.length = 0));

const REPORT = { _OPERATION: "exec", _ACTION_ID: "0123456789abcdef", n: 1 };
const NO_CACHE: Partial<Settings> = {
  reportCache: { use: false, location: "", lockTimeoutMs: 1000 },
  forceOutputOnReportingFails: false,
};

function post(uri: string, fields: NamedSink["fields"] = {}, more: Partial<NamedSink> = {}): Record<string, NamedSink> {
  return { p: { sink: "post", fields: { uri, timeout: 5000, ...fields }, ...more } };
}

/** Publishes one report to a fresh set without a cache; whether it was delivered. */
async function sendOne(named: Record<string, NamedSink>, more: Partial<Settings> = {}): Promise<boolean> {
  const set = bench.open(named, { ...NO_CACHE, ...more });
  const delivery = await set.publish("report", "exec", REPORT);
  await set.close();
  return delivery.delivered.length === 1;
}

function answer(response: ServerResponse, status: number, headers: Readonly<Record<string, string>> = {}): void {
  response.writeHead(status, headers);
  response.end("some text");
}

describe("a request", () => {
  test("is a POST of the array, with the headers of the original, which win over the user's", async () => {
    const { received, origin } = await bench.collector();
    const headers = { "X-Team": "blue", "X-Chalk-Operation": "mine", "Content-Length": "1" };
    expect(await sendOne(post(`${origin}/in?key=1`, { headers }))).toBe(true);
    const [one] = received;
    expect(one!.method).toBe("POST");
    expect(one!.url).toBe("/in?key=1");
    expect(one!.body).toBe('[{"_OPERATION":"exec","_ACTION_ID":"0123456789abcdef","n":1}]');
    expect(one!.headers).toMatchObject({
      "content-type": "application/json",
      "content-length": String(one!.body.length),
      "x-content-length": String(one!.body.length),
      "x-chalk-version": VERSION,
      "x-chalk-operation": "exec",
      "x-chalk-action-id": "0123456789abcdef",
      "x-chalk-attempt": "1",
      "x-chalk-digest-sha256": createHash("sha256").update(one!.body).digest("hex"),
      "x-team": "blue",
    });
  });

  test("content_type, basic authentication, a name and password in the address, a token", async () => {
    const { received, origin } = await bench.collector();
    const auth = new Map([
      ["login", BASIC],
      ["pass", jwt(60)],
    ]);
    await sendOne(post(origin, { content_type: "text/x" }, { auth: "login" }), { authConfigs: auth });
    await sendOne(post(origin.replace("//", "//bob:p%20w@")));
    await sendOne(post(origin, { headers: { Authorization: "mine" } }, { auth: "pass" }), { authConfigs: auth });
    expect(received[0]!.headers["content-type"]).toBe("text/x");
    expect(received.map(({ headers }) => headers.authorization)).toEqual([
      `Basic ${Buffer.from("ann:s3cret-password").toString("base64")}`,
      `Basic ${Buffer.from("bob:p w").toString("base64")}`,
      `Bearer ${auth.get("pass")!.token}`,
    ]);
  });

  test("an expired token is not sent", async () => {
    const { received, origin } = await bench.collector();
    const authConfigs = new Map([["pass", jwt(-60)]]);
    expect(await sendOne(post(origin, {}, { auth: "pass" }), { authConfigs })).toBe(false);
    expect(received).toEqual([]);
    expect(bench.warnings()[0]).toContain("the token of auth_config 'pass' has expired");
  });

  test("a report in other scripts, and one of a megabyte, arrive as they are", async () => {
    const { received, origin } = await bench.collector();
    const set = bench.open(post(origin, { timeout: 3000 }), NO_CACHE);
    const big = { text: "日本語 \u202e \u0000 ü".repeat(60_000) };
    await set.publish("report", "exec", big);
    await set.close();
    expect(JSON.parse(received[0]!.body)).toEqual([big]);
    expect(received[0]!.headers["x-content-length"]).toBe(String(Buffer.byteLength(received[0]!.body)));
  });
});

describe("what is refused before anything is sent", () => {
  const cases: readonly (readonly [string, Record<string, NamedSink>, string])[] = [
    ["no address", post("collector.example/secret-path"), "uri is not an address"],
    ["another protocol", post("ftp://host/secret-path"), "uri is not an address"],
    [
      "http with disallow_http",
      post("http://127.0.0.1:9/secret-path", { disallow_http: true }),
      "disallow_http is set",
    ],
    ["http with a pinned certificate", post("http://127.0.0.1:9", { pinned_cert_file: "x.pem" }), "has no certificate"],
    ["a pinned file that is not there", post("https://127.0.0.1:9", { pinned_cert_file: "x.pem" }), "no such file"],
    ["a header that would be two", post("http://127.0.0.1:9", { headers: { A: "secret\r\nB: c" } }), "the value of A"],
    [
      "a header's name that is none",
      post("http://127.0.0.1:9", { headers: { "a b": "secret" } }),
      "a name that is none",
    ],
  ];
  for (const [what, named, expected] of cases)
    test(what, async () => {
      expect(await sendOne(named)).toBe(false);
      expect(bench.warnings()[0]).toContain(expected);
      expect(bench.told.join("\n")).not.toContain("secret");
    });

  test("disallow_http: false allows http", async () => {
    const { received, origin } = await bench.collector();
    expect(await sendOne(post(origin, { disallow_http: false }))).toBe(true);
    expect(received).toHaveLength(1);
  });
});

describe("attempts", () => {
  test("500 twice, then good: three attempts, growing pauses, nothing told", async () => {
    const times: number[] = [];
    const { received, origin } = await bench.collector((_, r) =>
      answer(r, times.push(performance.now()) < 3 ? 500 : 204),
    );
    expect(await sendOne(post(origin))).toBe(true);
    expect(received.map(({ headers }) => headers["x-chalk-attempt"])).toEqual(["1", "2", "3"]);
    expect(times[1]! - times[0]!).toBeGreaterThan(95);
    expect(times[2]! - times[1]!).toBeGreaterThan(195);
    expect(bench.told).toEqual([]);
  });

  test("503 for ever is given up after three; told with the status", async () => {
    const { received, origin } = await bench.collector((_, r) => answer(r, 503));
    expect(await sendOne(post(`${origin}/path?token=hush`))).toBe(false);
    expect(received).toHaveLength(3);
    expect(bench.warnings()).toEqual([
      `warn: sink 'p': ${origin}: the server answered 503; what it does not take is lost`,
      "warn: sink 'p': 1 report was lost",
    ]);
  });

  test("404 is not tried again at once", async () => {
    const { received, origin } = await bench.collector((_, r) => answer(r, 404));
    expect(await sendOne(post(origin))).toBe(false);
    expect(received).toHaveLength(1);
  });

  test("429 is tried again; with a long Retry-After it is left alone", async () => {
    const soon = await bench.collector((_, r) => answer(r, 429));
    await sendOne(post(soon.origin));
    expect(soon.received).toHaveLength(3);
    const later = await bench.collector((_, r) => answer(r, 429, { "retry-after": "120" }));
    const set = bench.open(post(later.origin), NO_CACHE);
    await set.publish("report", "exec", REPORT);
    await set.publish("report", "exec", REPORT);
    await set.close();
    expect(later.received).toHaveLength(1);
  });

  test("a server that hangs is given up in time", async () => {
    const { origin } = await bench.collector(() => undefined);
    const started = performance.now();
    expect(await sendOne(post(origin, { timeout: 100 }))).toBe(false);
    const took = performance.now() - started;
    expect(took).toBeGreaterThan(550);
    expect(took).toBeLessThan(2000);
    expect(bench.warnings()[0]).toContain("no answer within 100 ms");
  });

  test("a host that accepts and says nothing, and one that breaks off", async () => {
    const silent = createTcpServer(() => undefined);
    const rude = createTcpServer((socket) => socket.destroy());
    for (const server of [silent, rude]) await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const at = (server: typeof silent) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    expect(await sendOne(post(at(silent), { timeout: 50 }))).toBe(false);
    expect(await sendOne(post(at(rude)))).toBe(false);
    silent.close();
    rude.close();
    expect(bench.warnings().join("\n")).toContain("the connection was closed");
  });

  test("nobody listens; a name that does not exist", async () => {
    expect(await sendOne(post("http://127.0.0.1:1/"))).toBe(false);
    expect(bench.warnings()[0]).toContain("http://127.0.0.1:1: the connection was refused");
    expect(await sendOne(post("http://nowhere.invalid/", { timeout: 500 }))).toBe(false);
    expect(bench.warnings().at(-2)).toMatch(/the host's name (is not known|cannot be looked up)|no answer within/);
  });

  test("an answer without end holds nothing up", async () => {
    const { origin } = await bench.collector((_, r) => {
      r.writeHead(200);
      const more = setInterval(() => r.write("x".repeat(10_000)), 5);
      r.on("close", () => clearInterval(more));
    });
    const started = performance.now();
    expect(await sendOne(post(origin, { timeout: 0 }))).toBe(true);
    expect(performance.now() - started).toBeLessThan(1500);
  });

  test("closing gives up what hangs, even without a time limit", async () => {
    const { origin } = await bench.collector(() => undefined);
    const set = bench.open(post(origin, { timeout: 0 }));
    const delivery = set.publish("report", "exec", REPORT);
    await new Promise((done) => setTimeout(done, 50));
    const started = performance.now();
    await set.close(200);
    expect(performance.now() - started).toBeLessThan(1000);
    expect((await delivery).kept).toEqual(["p"]);
    expect(bench.kept()).toHaveLength(1);
  });
});

describe("redirects", () => {
  const secrets = { headers: { "X-Api-Key": "hush" } };

  test("on the same host everything is sent again, body included", async () => {
    const { received, origin } = await bench.collector((request, r) =>
      request.url === "/a" ? answer(r, 307, { location: "/b" }) : answer(r, 200),
    );
    expect(
      await sendOne(post(`${origin}/a`, secrets, { auth: "login" }), { authConfigs: new Map([["login", BASIC]]) }),
    ).toBe(true);
    expect(received.map(({ url }) => url)).toEqual(["/a", "/b"]);
    expect(received[1]!.body).toBe(received[0]!.body);
    expect(received[1]!.headers["x-api-key"]).toBe("hush");
    expect(received[1]!.headers.authorization).toStartWith("Basic ");
  });

  test("another host gets the report and no secret; coming back, they are sent again", async () => {
    const home = await bench.collector((request, r) =>
      request.url === "/a" ? answer(r, 302, { location: `${other.origin}/b` }) : answer(r, 200),
    );
    const other = await bench.collector((_, r) => answer(r, 308, { location: `${home.origin}/c` }));
    const named = post(`${home.origin}/a`, secrets, { auth: "login" });
    expect(await sendOne(named, { authConfigs: new Map([["login", BASIC]]) })).toBe(true);
    const [elsewhere] = other.received;
    expect(elsewhere!.method).toBe("POST");
    expect(elsewhere!.body).toContain("_ACTION_ID");
    expect(elsewhere!.headers["x-api-key"]).toBeUndefined();
    expect(elsewhere!.headers.authorization).toBeUndefined();
    expect(JSON.stringify(elsewhere!.headers)).not.toContain("hush");
    expect(home.received[1]!.headers["x-api-key"]).toBe("hush");
  });

  test("three are followed, a fourth is not, and a circle ends", async () => {
    const { received, origin } = await bench.collector((_, r) => answer(r, 307, { location: "/again" }));
    expect(await sendOne(post(origin))).toBe(false);
    expect(received).toHaveLength(4);
    expect(bench.warnings()[0]).toContain("redirects more than 3 times");
  });

  test("303 would deliver nothing, so it is no success", async () => {
    const { received, origin } = await bench.collector((_, r) => answer(r, 303, { location: "/ok" }));
    expect(await sendOne(post(origin))).toBe(false);
    expect(received).toHaveLength(1);
  });

  test("to something that is not http", async () => {
    const { origin } = await bench.collector((_, r) => answer(r, 307, { location: "file:///etc/passwd" }));
    expect(await sendOne(post(origin))).toBe(false);
    expect(bench.warnings()[0]).toContain("not an http address");
  });
});

describe("TLS", () => {
  function certificate(name: string, subject: string): { key: string; cert: string } {
    const key = bench.path(`${name}.key`);
    const cert = bench.path(`${name}.pem`);
    execFileSync(
      "openssl",
      [
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-keyout",
        key,
        "-out",
        cert,
      ].concat(["-days", "2", "-subj", "/CN=tk test", "-addext", `subjectAltName=${subject}`]),
      { stdio: "ignore" },
    );
    return { key, cert };
  }

  async function tls(name: string, subject = "IP:127.0.0.1", answered = 200, location = "") {
    const { key, cert } = certificate(name, subject);
    const received: string[] = [];
    const server = createTlsServer({ key: readFileSync(key), cert: readFileSync(cert) }, (request, response) => {
      received.push(request.url ?? "");
      request.resume();
      request.on("end", () => answer(response, answered, location === "" ? {} : { location }));
    });
    bench.track(server);
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    return { origin: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, cert, received };
  }

  test("a certificate that nobody vouches for is refused", async () => {
    const { origin, received } = await tls("self");
    for (const prefer of [false, true])
      expect(await sendOne(post(origin, { prefer_bundled_certs: prefer }))).toBe(false);
    expect(received).toEqual([]);
    expect(bench.warnings()[0]).toContain("its certificate is self-signed and not trusted");
  });

  test("pinned_cert_file believes that certificate, and none else", async () => {
    const mine = await tls("mine");
    const other = await tls("other");
    expect(await sendOne(post(mine.origin, { pinned_cert_file: mine.cert }))).toBe(true);
    expect(await sendOne(post(other.origin, { pinned_cert_file: mine.cert }))).toBe(false);
    expect(other.received).toEqual([]);
  });

  test("a pinned certificate for another host is refused", async () => {
    const { origin, cert, received } = await tls("elsewhere", "DNS:collector.example");
    expect(await sendOne(post(origin, { pinned_cert_file: cert }))).toBe(false);
    expect(received).toEqual([]);
    expect(bench.warnings()[0]).toContain("its certificate is for another host");
  });

  test("the timeout holds with a pinned certificate", async () => {
    const { cert } = certificate("hang", "IP:127.0.0.1");
    const silent = createTcpServer(() => undefined);
    await new Promise<void>((done) => silent.listen(0, "127.0.0.1", done));
    const uri = `https://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    const started = performance.now();
    expect(await sendOne(post(uri, { pinned_cert_file: cert, timeout: 80 }))).toBe(false);
    expect(performance.now() - started).toBeLessThan(1500);
    silent.close();
  });

  test("SSL_CERT_FILE names the system's certificates", async () => {
    const { origin, cert } = await tls("system");
    const set = bench.open(post(origin), NO_CACHE, { environment: { SSL_CERT_FILE: cert } });
    expect((await set.publish("report", "exec", REPORT)).delivered).toEqual(["p"]);
    await set.close();
  });

  test("a redirect from https to http is not followed", async () => {
    const plain = await bench.collector();
    const { origin, cert } = await tls("down", "IP:127.0.0.1", 307, `${plain.origin}/x`);
    expect(await sendOne(post(origin, { pinned_cert_file: cert }))).toBe(false);
    expect(plain.received).toEqual([]);
    expect(bench.warnings()[0]).toContain("redirects from https:// to http://");
  });

  test("a pinned file without a certificate", async () => {
    writeFileSync(bench.path("empty.pem"), "nothing\n");
    expect(await sendOne(post("https://127.0.0.1:1", { pinned_cert_file: "empty.pem" }))).toBe(false);
    expect(bench.warnings()[0]).toContain("has no certificate, expected a PEM file");
  });
});

describe("presign", () => {
  const presign = (uri: string, fields: NamedSink["fields"] = {}): Record<string, NamedSink> => ({
    p: { sink: "presign", fields: { uri, timeout: 5000, headers: { "X-Api-Key": "hush" }, ...fields } },
  });

  test("asks with an empty PUT, then puts the report there with the forwarded headers only", async () => {
    const store = await bench.collector();
    const signer = await bench.collector((_, r) =>
      answer(r, 307, {
        location: `${store.origin}/o?signature=hush-hush`,
        "x-forward-headers": "X-Meta, x-missing,Host,content-length",
        "x-meta": "kept",
      }),
    );
    expect(await sendOne(presign(`${signer.origin}/sign`), { authConfigs: new Map() })).toBe(true);
    const [asked] = signer.received;
    expect(asked!.method).toBe("PUT");
    expect(asked!.body).toBe("");
    expect(asked!.headers["x-api-key"]).toBe("hush");
    const [put] = store.received;
    expect(put!.method).toBe("PUT");
    expect(put!.url).toBe("/o?signature=hush-hush");
    expect(put!.headers["x-meta"]).toBe("kept");
    expect(put!.headers["x-api-key"]).toBeUndefined();
    expect(put!.headers["content-length"]).toBe(String(put!.body.length));
    expect(asked!.headers["x-content-length"]).toBe(String(put!.body.length));
    expect(asked!.headers["x-chalk-digest-sha256"]).toBe(createHash("sha256").update(put!.body).digest("hex"));
    expect(put!.body).toContain("_ACTION_ID");
  });

  const wrong: readonly (readonly [string, number, string, string])[] = [
    ["no redirect", 200, "", "expected 302 or 307"],
    ["no address", 302, "", "without an address"],
    ["a relative address", 302, "/o", "not absolute"],
    ["an address that is not http", 302, "data:text/plain,x", "is not an address"],
  ];
  for (const [what, status, location, expected] of wrong)
    test(what, async () => {
      const signer = await bench.collector((_, r) => answer(r, status, location === "" ? {} : { location }));
      expect(await sendOne(presign(signer.origin))).toBe(false);
      expect(signer.received).toHaveLength(1);
      expect(bench.warnings()[0]).toContain(expected);
    });

  test("a store that says no is asked for a new address the next time; its address is not told", async () => {
    let first = true;
    const store = await bench.collector((_, r) => {
      answer(r, first ? 403 : 200);
      first = false;
    });
    const signer = await bench.collector((_, r) =>
      answer(r, 302, { location: `${store.origin}/o?signature=hush-hush` }),
    );
    const set = bench.open(presign(signer.origin), NO_CACHE);
    expect((await set.publish("report", "exec", REPORT)).lost).toEqual(["p"]);
    expect((await set.publish("report", "exec", REPORT)).delivered).toEqual(["p"]);
    await set.close();
    expect(bench.told.join("\n")).not.toContain("hush");
  });
});

test("no connection is left open behind a set", async () => {
  const { origin } = await bench.collector();
  await sendOne(post(origin));
  const port = Number(new URL(origin).port);
  const probe = connect(port, "127.0.0.1");
  await new Promise<void>((done) => probe.once("connect", done));
  probe.destroy();
  await new Promise((done) => setTimeout(done, 20));
  const established = readFileSync("/proc/net/tcp", "utf8")
    .split("\n")
    .filter((line) => line.includes(`:${port.toString(16).toUpperCase().padStart(4, "0")} 01 `));
  expect(established).toEqual([]);
});
