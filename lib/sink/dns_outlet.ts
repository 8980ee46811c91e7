// The body of the sink `dns`: makes names of values and looks them up. Loaded only when it is configured.
// Only letters, digits, `-`, `_` and `.` of a value go into a name; everything else becomes `-`.
import { Resolver } from "node:dns/promises";
import { isIP } from "node:net";
import { errorCode } from "../host/out.ts";
import { SinkError, type OpenRequest, type Outlet } from "./sink.ts";

type Values = Readonly<Record<string, unknown>>;

const LONGEST_LABEL = 63;
const LONGEST_NAME = 253;

export function openDns(request: OpenRequest): Outlet {
  const { fields, config } = request;
  const template = fields.text("domain_template") ?? "";
  const timeout = fields.number("dns_timeout", 5000);
  const server = fields.text("dns_server");
  const resolver = new Resolver({ timeout, tries: 1 });
  if (server !== undefined) resolver.setServers([serverAddress(server)]);
  const nameOf = (report: Values, artifact: Values) =>
    makeName(
      template,
      (key) => {
        const value = find(report, key) ?? find(artifact, key);
        if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean") return undefined;
        const normalize = config.normalize.get(key) ?? config.normalize.get(key.toUpperCase());
        return normalize === undefined ? String(value) : normalize(String(value));
      },
      fields.text("missing_key_placeholder") ?? "x",
    );
  return {
    place: server === undefined ? "the system's name server" : `the name server ${server}`,
    async write(message) {
      for (const text of message.reports) {
        const report = JSON.parse(text) as Values;
        const names = artifactsOf(report, fields.flag("require_chalk_mark", false)).map((one) => nameOf(report, one));
        for (const name of names) await lookUp(resolver, name, fields.text("record_type") ?? "A", timeout);
      }
    },
    close: () => resolver.cancel(),
  };
}

/** `[::1]:5353`, `127.0.0.1:5353`, `::1`. */
function serverAddress(text: string): string {
  const parts = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(text);
  const host = isIP(text) > 0 ? text : (parts?.[1] ?? parts?.[2] ?? "");
  if (isIP(host) === 0)
    throw new SinkError("refused", "dns_server is not an address, expected one such as 192.0.2.1:53");
  const port = isIP(text) > 0 ? undefined : parts?.[3];
  const bracketed = isIP(host) === 6 ? `[${host}]` : host;
  return port === undefined ? (isIP(host) === 6 ? host : bracketed) : `${bracketed}:${port}`;
}

/** The elements of `_CHALKS`; one without values when there are none. */
function artifactsOf(report: Values, needsMark: boolean): Values[] {
  const list = report._CHALKS;
  const artifacts = Array.isArray(list)
    ? list.filter((one): one is Values => typeof one === "object" && one !== null)
    : [];
  if (needsMark) return artifacts.filter((one) => "CHALK_ID" in one);
  return artifacts.length === 0 ? [{}] : artifacts;
}

function find(values: Values, key: string): unknown {
  if (Object.hasOwn(values, key)) return values[key];
  const name = Object.keys(values).find((one) => one.toLowerCase() === key.toLowerCase());
  return name === undefined ? undefined : values[name];
}

function makeName(template: string, value: (key: string) => string | undefined, missing: string): string {
  const name = template.replaceAll(/\{([^{}]+)\}/g, (_, key: string) => {
    const text = value(key.trim());
    const safe = (text === undefined || text === "" ? missing : text).replaceAll(/[^A-Za-z0-9_.-]/g, "-");
    return safe.replaceAll(/^\.+|\.+$|\.(?=\.)/g, "") || missing;
  });
  const labels = name.split(".");
  if (name.length > LONGEST_NAME || labels.some((label) => label.length > LONGEST_LABEL || label === ""))
    throw new SinkError(
      "unfit",
      `the name is not allowed: at most ${LONGEST_NAME} characters, ${LONGEST_LABEL} between dots`,
    );
  return name;
}

/** The server has seen the name and has nothing to say to it. */
const ANSWERS: ReadonlySet<string> = new Set(["ENOTFOUND", "ENODATA"]);

async function lookUp(resolver: Resolver, name: string, type: string, timeoutMs: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, fail) => {
    timer = setTimeout(() => fail(new SinkError("failed", `no answer within ${timeoutMs} ms`)), timeoutMs);
  });
  const asked =
    type === "AAAA" ? resolver.resolve6(name) : type === "any" ? resolver.resolveAny(name) : resolver.resolve4(name);
  try {
    await Promise.race([asked, late]);
  } catch (error) {
    if (error instanceof SinkError) throw error;
    const code = errorCode(error).replace("DNS_", "");
    if (ANSWERS.has(code)) return;
    throw new SinkError("failed", code === "ETIMEOUT" ? "no answer" : `the look-up failed (${code})`);
  } finally {
    clearTimeout(timer);
  }
}
