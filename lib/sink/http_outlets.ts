// The bodies of the sinks `post` and `presign`: what is sent where. Loaded only when a configuration has such a sink.
import { createHash } from "node:crypto";
import { VERSION } from "../base/version.ts";
import { deliver, isSuccess, judge, type HttpDelivery } from "./http_delivery.ts";
import type { HttpAnswer } from "./http_request.ts";
import { authorization, httpTarget, httpUrl, type HttpTarget } from "./http_target.ts";
import { SinkError, type Message, type OpenRequest, type Outlet } from "./sink.ts";

const REDIRECTS = 3;
const AGENT = `tk/${VERSION}`;

export function openPost(request: OpenRequest): Outlet {
  const target = httpTarget(request);
  return {
    place: target.url.origin,
    async write(message, signal) {
      const body = new TextEncoder().encode(message.text);
      await deliver({ ...first(target, message, body), method: "POST", body, redirects: REDIRECTS }, signal);
    },
  };
}

/** Asks where to put the report, and puts it there. */
export function openPresign(request: OpenRequest): Outlet {
  const target = httpTarget(request);
  return {
    place: target.url.origin,
    async write(message, signal) {
      const body = new TextEncoder().encode(message.text);
      const asked: HttpDelivery = {
        ...first(target, message, body),
        method: "PUT",
        body: new Uint8Array(0),
        redirects: 0,
        isGood: ({ status }) => status === 302 || status === 307,
      };
      // The report was not in this request: no status says anything about it, and a plain 2xx has taken nothing.
      const answer = await deliver(asked, signal).catch((error: unknown) => {
        if (!(error instanceof SinkError) || error.kind === "failed") throw error;
        const expected = / 2\d\d$/.test(error.message) ? ", expected 302 or 307 with an address" : "";
        throw new SinkError("refused", error.message + expected);
      });
      const url = uploadUrl(answer, target);
      const upload: HttpDelivery = {
        ...asked,
        url,
        headers: forwarded(answer),
        secretHeaders: {},
        body,
        redirects: REDIRECTS,
      };
      try {
        await deliver({ ...upload, isGood: isSuccess }, signal);
      } catch (error) {
        // The address may have been too old: the next one can work, whatever the status.
        throw error instanceof SinkError && error.kind !== "unfit"
          ? new SinkError("failed", `at the address it gave, ${error.message}`, error.retryAfterMs)
          : error;
      }
    },
  };
}

function first(
  target: HttpTarget,
  message: Message,
  body: Uint8Array,
): Omit<HttpDelivery, "method" | "body" | "redirects"> {
  const login = authorization(target.auth);
  const action = actionId(message);
  return {
    url: target.url,
    headers: {
      "content-type": target.contentType,
      "user-agent": AGENT,
      accept: "*/*",
      "x-chalk-version": VERSION,
      "x-chalk-operation": message.operation,
      ...(action === undefined ? {} : { "x-chalk-action-id": action }),
      "x-content-length": String(body.length),
      "x-chalk-digest-sha256": createHash("sha256").update(body).digest("hex"),
    },
    secretHeaders: { ...target.headers, ...(login === undefined ? {} : { authorization: login }) },
    timeoutMs: target.timeoutMs,
    allowsHttp: target.allowsHttp,
    certificates: target.certificates,
    isGood: isSuccess,
  };
}

function actionId(message: Message): string | undefined {
  const report: unknown = JSON.parse(message.reports[0] ?? "null");
  const id = typeof report === "object" && report !== null && "_ACTION_ID" in report ? report._ACTION_ID : undefined;
  return typeof id === "string" && /^[\x21-\x7e]+$/.test(id) ? id : undefined;
}

function uploadUrl(answer: HttpAnswer, target: HttpTarget): URL {
  const location = answer.headers.location;
  if (location === undefined) throw new SinkError("refused", `${judge(answer).message} without an address`);
  const url = URL.canParse(location) ? httpUrl("the address it gave", location) : undefined;
  if (url === undefined) throw new SinkError("refused", "the address it gave is not absolute");
  if (url.protocol === "http:" && (target.url.protocol === "https:" || !target.allowsHttp))
    throw new SinkError("refused", "the address it gave is http://");
  return url;
}

/** What a header of a connection must not be told by somebody else. */
const CONNECTION = /^(content-length|transfer-encoding|connection|host|expect|upgrade|te|trailer|proxy-.*)$/;

/** The headers that the first server wants the second one to see. */
function forwarded(answer: HttpAnswer): Record<string, string> {
  const list = answer.headers["x-forward-headers"];
  const headers: Record<string, string> = { "user-agent": AGENT };
  for (const item of (typeof list === "string" ? list : "").split(",")) {
    const name = item.trim().toLowerCase();
    const value = answer.headers[name];
    if (typeof value === "string" && !CONNECTION.test(name)) headers[name] = value;
  }
  return headers;
}
