// Where an HTTP sink sends and what it says about itself, from the fields of its configuration: checked once, when the sink
// is opened. What is wrong is told by the field's name, never with its value.
import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import type { AuthConfig } from "../config/settings.ts";
import { errorWords } from "../host/out.ts";
import { resolveName } from "./file_name.ts";
import { SinkError, type OpenRequest, type SinkWorld } from "./sink.ts";

export interface HttpTarget {
  readonly url: URL;
  /** The user's: only for the host that the user named. */
  readonly headers: Readonly<Record<string, string>>;
  readonly contentType: string;
  readonly auth: AuthConfig | undefined;
  readonly timeoutMs: number;
  readonly allowsHttp: boolean;
  readonly certificates: string | undefined;
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** What may stand in a header: no controls, and nothing that is more than a byte. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
/** Belong to the connection, not to the user. */
const OURS: ReadonlySet<string> = new Set(["content-length", "transfer-encoding", "connection", "host", "expect"]);

/** Throws SinkError. */
export function httpTarget(request: OpenRequest): HttpTarget {
  const { fields, world } = request;
  const url = httpUrl("uri", fields.text("uri") ?? "");
  const allowsHttp = !fields.flag("disallow_http", false);
  if (url.protocol === "http:" && !allowsHttp)
    throw new SinkError("refused", "uri is http://, and disallow_http is set");
  const pinned = fields.text("pinned_cert_file");
  if (url.protocol === "http:" && pinned !== undefined)
    throw new SinkError(
      "refused",
      "uri is http://, which has no certificate that pinned_cert_file could be compared with",
    );
  const headers: Record<string, string> = {};
  for (const [name, value] of fields.entries("headers")) {
    if (!TOKEN.test(name)) throw new SinkError("refused", "headers has a name that is none");
    if (!VALUE.test(value))
      throw new SinkError("refused", `headers: the value of ${name} has characters that are not allowed`);
    if (!OURS.has(name.toLowerCase())) headers[name.toLowerCase()] = value;
  }
  const contentType = fields.text("content_type") ?? headers["content-type"] ?? "application/json";
  if (!VALUE.test(contentType)) throw new SinkError("refused", "content_type has characters that are not allowed");
  delete headers["content-type"];
  return {
    url,
    headers,
    contentType,
    auth: request.auth ?? authOf(url),
    timeoutMs: fields.number("timeout", 1000),
    allowsHttp,
    certificates:
      url.protocol === "https:" || pinned !== undefined
        ? certificates(pinned, fields.flag("prefer_bundled_certs", false), world)
        : undefined,
  };
}

/** Throws SinkError when it is no address of a web server. */
export function httpUrl(field: string, text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== "http:" && url.protocol !== "https:"))
    throw new SinkError("refused", `${field} is not an address, expected one that begins with https:// or http://`);
  return url;
}

/** `https://user:password@host/` says the same as basic authentication. */
function authOf(url: URL): AuthConfig | undefined {
  if (url.username === "" && url.password === "") return undefined;
  const username = decodeURIComponent(url.username);
  return { name: "uri", auth: "basic", username, password: decodeURIComponent(url.password), token: "" };
}

/** The system's, where the distributions have them; an administrator adds the company's own there. */
const SYSTEM_CERTIFICATES = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/ssl/cert.pem",
];

export function certificates(
  pinned: string | undefined,
  prefersBundled: boolean,
  world: SinkWorld,
): string | undefined {
  if (pinned !== undefined) {
    const path = resolveName(pinned, world);
    try {
      const text = readFileSync(path, "latin1");
      if (text.includes("-----BEGIN CERTIFICATE-----")) return text;
    } catch (error) {
      throw new SinkError("failed", `pinned_cert_file '${path}' cannot be read: ${errorWords(error)}`);
    }
    throw new SinkError("failed", `pinned_cert_file '${path}' has no certificate, expected a PEM file`);
  }
  if (prefersBundled) return undefined;
  const named = world.environment.SSL_CERT_FILE;
  for (const path of named === undefined || named === "" ? SYSTEM_CERTIFICATES : [named, ...SYSTEM_CERTIFICATES]) {
    try {
      const text = readFileSync(path, "latin1");
      if (text.includes("-----BEGIN CERTIFICATE-----")) return text;
    } catch {
      continue; // Another distribution's place.
    }
  }
  return undefined;
}

/** The value of `Authorization`; throws SinkError when the token has expired. */
export function authorization(auth: AuthConfig | undefined): string | undefined {
  if (auth === undefined) return undefined;
  if (auth.auth === "basic") return `Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString("base64")}`;
  const expires = expiry(auth.token);
  if (expires !== undefined && expires * 1000 <= Date.now())
    throw new SinkError("refused", `the token of auth_config '${auth.name}' has expired`);
  if (!TOKEN_TEXT.test(auth.token))
    throw new SinkError("refused", `the token of auth_config '${auth.name}' has characters that are not allowed`);
  return `Bearer ${auth.token}`;
}

const TOKEN_TEXT = /^[\x21-\x7e]+$/;

/** Seconds since 1970; undefined when the token does not say. */
function expiry(token: string): number | undefined {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8"));
    if (typeof claims === "object" && claims !== null && "exp" in claims && typeof claims.exp === "number")
      return claims.exp;
  } catch {
    return undefined; // Not every token can be looked into.
  }
  return undefined;
}
