// AWS Signature Version 4 for one request, as pure text: no clock, no network. Written from the description at
// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html; the tests compare it with botocore's.
import type { Buffer } from "node:buffer";
import { createHash, createHmac } from "node:crypto";

export interface Credentials {
  readonly id: string;
  readonly secret: string;
  readonly token: string | undefined;
}

export interface ToSign {
  readonly method: string;
  readonly url: URL;
  /** Lower-case names; all are signed, `host` besides. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly region: string;
  readonly service: string;
  readonly at: Date;
}

const ALGORITHM = "AWS4-HMAC-SHA256";

function sha256(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

function hmac(key: string | Uint8Array, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

/** RFC 3986: everything but unreserved characters as bytes of UTF-8. */
export function encodeSegment(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** All headers to send: those given, `x-amz-*` and `authorization`. The path of `url` must be encoded with encodeSegment. */
export function sign(request: ToSign, credentials: Credentials): Record<string, string> {
  const { method, url, body, region, service } = request;
  const time = `${request.at.toISOString().slice(0, 19).replaceAll(/[-:]/g, "")}Z`;
  const day = time.slice(0, 8);
  const digest = sha256(body);
  const headers: Record<string, string> = { ...request.headers, "x-amz-content-sha256": digest, "x-amz-date": time };
  if (credentials.token !== undefined) headers["x-amz-security-token"] = credentials.token;
  const signed: Record<string, string> = { ...headers, host: url.host };
  const names = Object.keys(signed).sort();
  const canonical = [
    method,
    url.pathname,
    url.search.slice(1),
    ...names.map((name) => `${name}:${signed[name]!.trim().replaceAll(/ +/g, " ")}`),
    "",
    names.join(";"),
    digest,
  ].join("\n");
  const scope = `${day}/${region}/${service}/aws4_request`;
  const text = [ALGORITHM, time, scope, sha256(canonical)].join("\n");
  const key = [day, region, service, "aws4_request"].reduce<string | Uint8Array>(
    (k, part) => hmac(k, part),
    `AWS4${credentials.secret}`,
  );
  const signature = hmac(key, text).toString("hex");
  headers.authorization = `${ALGORITHM} Credential=${credentials.id}/${scope}, SignedHeaders=${names.join(";")}, Signature=${signature}`;
  return headers;
}
