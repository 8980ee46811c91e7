// The sink `s3`: its signatures are botocore's (tests/programs/sigv4.py recorded them), and what it sends to a store.
import { afterAll, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { encodeSegment, sign } from "../../lib/sink/sigv4.ts";
import recorded from "../fixtures/sink/sigv4.json";
import { Bench, type NamedSink } from "../support/sinks.ts";

const bench = new Bench();
afterAll(() => bench.close());

describe("Signature Version 4", () => {
  for (const one of recorded.cases)
    test(`is what ${recorded.by} makes of ${one.url}`, () => {
      const headers = sign(
        {
          method: "PUT",
          url: new URL(one.url),
          headers: { "content-type": "application/json" },
          body: new TextEncoder().encode(one.body),
          region: one.region,
          service: "s3",
          at: new Date(recorded.at),
        },
        { id: recorded.id, secret: recorded.secret, token: one.token ?? undefined },
      );
      expect(headers).toEqual(one.headers as unknown as Record<string, string>);
    });

  test("a part of a path is encoded as RFC 3986 has it", () => {
    expect(encodeSegment("a b/ü(1)*!'~.json")).toBe("a%20b%2F%C3%BC%281%29%2A%21%27~.json");
  });
});

const SECRET = "hush-secret-access-key";

function s3(uri: string, endpoint: string | undefined, more: NamedSink["fields"] = {}): Record<string, NamedSink> {
  const fields = { uri, uid: "AKIDEXAMPLE", secret: SECRET, region: "eu-west-1", ...more };
  return { s: { sink: "s3", fields: endpoint === undefined ? fields : { ...fields, endpoint } } };
}

describe("objects", () => {
  test("have names of time, chance, extra and the last part of the path; the signature covers what was sent", async () => {
    const { received, origin } = await bench.collector();
    const set = bench.open(s3("s3://bucket/a dir/ü(1).json", origin, { extra: "x y", token: "session" }));
    const before = Date.now();
    expect((await set.publish("report", "exec", { text: "ü" })).delivered).toEqual(["s"]);
    expect((await set.publish("report", "exec", { text: "ü" })).delivered).toEqual(["s"]);
    await set.close();
    const names = received.map(({ url }) => url);
    for (const name of names) {
      expect(name).toMatch(/^\/bucket\/a%20dir\/\d{13}-[0-9A-HJKMNP-TV-Z]{26}-x%20y-%C3%BC%281%29\.json$/);
      const ms = Number(/\/(\d{13})-/.exec(name)![1]);
      expect(ms).toBeGreaterThanOrEqual(before);
      expect(ms).toBeLessThanOrEqual(Date.now());
    }
    expect(new Set(names).size).toBe(2);
    const [one] = received;
    expect(one!.method).toBe("PUT");
    expect(one!.body).toBe('[{"text":"ü"}]');
    expect(one!.headers["x-amz-security-token"]).toBe("session");
    expect(one!.headers["x-amz-content-sha256"]).toBe(createHash("sha256").update(one!.body).digest("hex"));
    const time = String(one!.headers["x-amz-date"]);
    const again = sign(
      {
        method: "PUT",
        url: new URL(origin + one!.url),
        headers: { "content-type": String(one!.headers["content-type"]) },
        body: new TextEncoder().encode(one!.body),
        region: "eu-west-1",
        service: "s3",
        at: new Date(time.replace(/(....)(..)(..T..)(..)(..)Z/, "$1-$2-$3:$4:$5Z")),
      },
      { id: "AKIDEXAMPLE", secret: SECRET, token: "session" },
    );
    expect(one!.headers.authorization).toBe(again.authorization);
  });

  test("at the top of a bucket; with an endpoint that has a path", async () => {
    const { received, origin } = await bench.collector();
    const set = bench.open(s3("s3://bucket", `${origin}/store`));
    await set.publish("report", "exec", {});
    await set.close();
    expect(received[0]!.url).toMatch(/^\/store\/bucket\/\d{13}-[0-9A-Z]{26}$/);
  });

  test("a store that refuses: kept, told without the secret, and not asked again at once", async () => {
    const { received, origin } = await bench.collector((_, r) => {
      r.writeHead(403);
      r.end(`<Error><StringToSign>${SECRET}</StringToSign></Error>`);
    });
    const set = bench.open(s3("s3://bucket/r", origin));
    expect((await set.publish("report", "exec", {})).kept).toEqual(["s"]);
    expect((await set.publish("report", "exec", {})).kept).toEqual(["s"]);
    await set.close();
    expect(received).toHaveLength(1);
    expect(bench.warnings()[0]).toContain(`sink 's': s3://bucket at ${new URL(origin).host}: the server answered 403`);
    expect(bench.told.join("\n")).not.toContain(SECRET);
  });

  test("what cannot be right is told by the field's name", async () => {
    for (const [named, expected] of [
      [s3("https://bucket/r", undefined), "uri is not a place in S3"],
      [s3("s3://bucket/r", "localhost:9000"), "endpoint is not an address"],
      [s3("s3://bucket/r", undefined, { uid: "a\nb" }), "has characters that are not allowed"],
    ] as const) {
      bench.told.length = 0;
      const set = bench.open(named);
      await set.publish("report", "exec", {});
      await set.close();
      expect(bench.warnings()[0]).toContain(expected);
    }
  });
});
