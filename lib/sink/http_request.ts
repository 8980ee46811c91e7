// One HTTP request over node:http(s), with a time limit for all of it and certificates always checked. It follows nothing,
// tries nothing twice and keeps no connection: what a status means is http_delivery.ts's business. Errors never quote the
// address, a header or the server's text, since any of them may hold a secret.
import { request as plainRequest, type IncomingHttpHeaders, type IncomingMessage } from "node:http";
import { request as tlsRequest } from "node:https";
import { errorCode } from "../host/out.ts";

export interface HttpRequest {
  readonly url: URL;
  readonly method: "POST" | "PUT";
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** 0: no limit. */
  readonly timeoutMs: number;
  /** PEM; undefined: the certificates that come with tk. */
  readonly certificates: string | undefined;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
}

/** The answer did not come; the message is a clause for people. */
export class HttpFailure extends Error {
  override readonly name = "HttpFailure";
}

/** What is read of an answer's body: only so that the server can finish it. */
const BODY_LIMIT = 64 << 10;
const BODY_WAIT_MS = 1000;

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "the connection was refused",
  ECONNRESET: "the connection was closed",
  EPIPE: "the connection was closed",
  ENOTFOUND: "the host's name is not known",
  EAI_AGAIN: "the host's name cannot be looked up",
  EHOSTUNREACH: "the host cannot be reached",
  ENETUNREACH: "the network cannot be reached",
  ETIMEDOUT: "no answer",
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another host",
  CERT_HAS_EXPIRED: "its certificate has expired",
  DEPTH_ZERO_SELF_SIGNED_CERT: "its certificate is self-signed and not trusted",
  SELF_SIGNED_CERT_IN_CHAIN: "its certificate is not trusted",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "its certificate is not trusted",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "its certificate is not trusted",
};

/** Rejects with HttpFailure. */
export function sendRequest(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
  return new Promise((done, fail) => {
    if (signal.aborted) {
      fail(new HttpFailure("tk ends"));
      return;
    }
    const { url, method, body, timeoutMs, certificates } = request;
    const headers = { ...request.headers, "Content-Length": String(body.length), Connection: "close" };
    const options = { method, headers, ...(certificates === undefined ? {} : { ca: certificates }) };
    let over = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const giveUp = () => finish(() => fail(new HttpFailure("tk ends")));
    const finish = (settle: () => void) => {
      if (over) return;
      over = true;
      clearTimeout(timer);
      signal.removeEventListener("abort", giveUp);
      settle();
      // Frees the connection, so that a server which does not stop cannot keep tk from ending.
      sent.destroy();
    };
    const answered = (answer: IncomingMessage) => {
      const result = { status: answer.statusCode ?? 0, headers: answer.headers };
      const end = () => finish(() => done(result));
      clearTimeout(timer);
      timer = setTimeout(end, BODY_WAIT_MS);
      let size = 0;
      answer.on("data", (chunk: Uint8Array) => {
        size += chunk.length;
        if (size > BODY_LIMIT) end();
      });
      answer.on("end", end);
      answer.on("error", end);
      answer.on("close", end);
    };
    const sent =
      url.protocol === "https:" ? tlsRequest(url.href, options, answered) : plainRequest(url.href, options, answered);
    sent.on("error", (error) => finish(() => fail(new HttpFailure(words(error)))));
    signal.addEventListener("abort", giveUp);
    if (timeoutMs > 0)
      timer = setTimeout(() => finish(() => fail(new HttpFailure(`no answer within ${timeoutMs} ms`))), timeoutMs);
    sent.end(body);
  });
}

function words(error: unknown): string {
  const code = errorCode(error);
  return WORDS[code] ?? (/^[A-Z_0-9]+$/.test(code) ? `the request failed (${code})` : "the request failed");
}
