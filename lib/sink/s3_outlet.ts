// The body of the sink `s3`: one object per delivery, its name never used before. Loaded only when it is configured.
import { randomBytes } from "node:crypto";
import { VERSION } from "../base/version.ts";
import { deliver, isSuccess } from "./http_delivery.ts";
import { certificates, httpUrl } from "./http_target.ts";
import { encodeSegment, sign, type Credentials } from "./sigv4.ts";
import { SinkError, type OpenRequest, type Outlet } from "./sink.ts";

/** An object may be large and a store far away. */
const TIMEOUT_MS = 10_000;

/** Without letters that look like others; as in the original. */
const BASE32 = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const RANDOM_LENGTH = 26;

interface Bucket {
  readonly name: string;
  /** In front of each object's name, with its slash; empty at the top. */
  readonly folder: string;
  /** The last part of each object's name; may be empty. */
  readonly last: string;
}

export function openS3(request: OpenRequest): Outlet {
  const { fields, world } = request;
  const bucket = parseBucket(fields.text("uri") ?? "");
  const region = fields.text("region") ?? "us-east-1";
  const credentials: Credentials = {
    id: fields.text("uid") ?? "",
    secret: fields.text("secret") ?? "",
    token: fields.text("token"),
  };
  if (/[^\x21-\x7e]/.test(`${credentials.id}${credentials.token ?? ""}${region}`))
    throw new SinkError("refused", "uid, token or region has characters that are not allowed");
  const named = fields.text("endpoint");
  const base = bucketUrl(bucket.name, region, named === undefined ? undefined : httpUrl("endpoint", named));
  const trusted = base.protocol === "https:" ? certificates(undefined, false, world) : undefined;
  return {
    place: `s3://${bucket.name} at ${base.host}`,
    async write(message, signal) {
      const at = new Date();
      const url = objectUrl(base, bucket.folder + objectName(at.getTime(), fields.text("extra"), bucket.last));
      const body = new TextEncoder().encode(message.text);
      const headers = { "content-type": "application/json" };
      const signed = sign({ method: "PUT", url, headers, body, region, service: "s3", at }, credentials);
      // Not signed: what stands between may change it.
      const sent = { ...signed, "user-agent": `tk/${VERSION}` };
      const common = { redirects: 0, secretHeaders: {}, timeoutMs: TIMEOUT_MS, allowsHttp: true, isGood: isSuccess };
      await deliver({ ...common, url, method: "PUT", headers: sent, body, certificates: trusted }, signal);
    },
  };
}

function parseBucket(uri: string): Bucket {
  const parts = /^s3:\/\/([^/?#]+)(?:\/(.*))?$/s.exec(uri);
  if (parts === null) throw new SinkError("refused", "uri is not a place in S3, expected s3://bucket/path");
  const path = parts[2] ?? "";
  const slash = path.lastIndexOf("/") + 1;
  return { name: parts[1]!, folder: path.slice(0, slash), last: path.slice(slash) };
}

/** Names that can be part of a host's name, so that the certificate of the store fits. */
const HOST_PART = /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/;

/** With a slash at its end. Other stores than Amazon's rarely have a host per bucket. */
function bucketUrl(bucket: string, region: string, endpoint: URL | undefined): URL {
  if (endpoint !== undefined) {
    const folder = endpoint.pathname.endsWith("/") ? endpoint.pathname : `${endpoint.pathname}/`;
    return new URL(`${endpoint.origin}${folder}${encodeSegment(bucket)}/`);
  }
  const domain = region.startsWith("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
  if (HOST_PART.test(bucket)) return httpUrl("region", `https://${bucket}.s3.${region}.${domain}/`);
  return httpUrl("region", `https://s3.${region}.${domain}/${encodeSegment(bucket)}/`);
}

function objectUrl(base: URL, name: string): URL {
  const path = name.split("/").map(encodeSegment).join("/");
  return new URL(`${base.origin}${base.pathname}${path}`);
}

function objectName(unixMs: number, extra: string | undefined, last: string): string {
  const random = Array.from(randomBytes(RANDOM_LENGTH), (byte) => BASE32[byte & 31]).join("");
  return [String(unixMs), random, extra ?? "", last].filter((part) => part !== "").join("-");
}
