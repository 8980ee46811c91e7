// A body to a web server until it has it: three attempts with a growing pause, at most three redirects, and what each
// status means. The user's headers and the authorization only ever go to the host that the user named.
import { HttpFailure, sendRequest, type HttpAnswer } from "./http_request.ts";
import { SinkError } from "./sink.ts";

export interface HttpDelivery {
  readonly url: URL;
  readonly method: "POST" | "PUT";
  /** For every host that is asked. */
  readonly headers: Readonly<Record<string, string>>;
  /** For the host of `url` alone. */
  readonly secretHeaders: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly timeoutMs: number;
  readonly allowsHttp: boolean;
  readonly certificates: string | undefined;
  readonly redirects: number;
  /** Whether an answer is what was wanted. */
  isGood(answer: HttpAnswer): boolean;
}

const ATTEMPTS = 3;
const FIRST_PAUSE_MS = 100;
/** A server that asks for more is left alone; the next delivery comes later. */
const LONGEST_PAUSE_MS = 1000;

export const isSuccess = ({ status }: HttpAnswer): boolean => status >= 200 && status <= 299;

/** The answer that was wanted. Throws SinkError. */
export async function deliver(delivery: HttpDelivery, signal: AbortSignal): Promise<HttpAnswer> {
  for (let attempt = 1; ; attempt++) {
    let failure: SinkError;
    try {
      const answer = await follow(delivery, attempt, signal);
      if (delivery.isGood(answer)) return answer;
      failure = judge(answer);
    } catch (error) {
      if (!(error instanceof HttpFailure)) throw error;
      failure = new SinkError("failed", error.message);
    }
    if (failure.kind !== "failed" || attempt === ATTEMPTS || failure.retryAfterMs > LONGEST_PAUSE_MS || signal.aborted)
      throw failure;
    await pause(Math.max(FIRST_PAUSE_MS * 2 ** (attempt - 1), failure.retryAfterMs), signal);
  }
}

/** These repeat the request; 303 and the rest would have turned it into a GET that delivers nothing. */
const REPEATING: ReadonlySet<number> = new Set([301, 302, 307, 308]);

async function follow(delivery: HttpDelivery, attempt: number, signal: AbortSignal): Promise<HttpAnswer> {
  const { method, body, timeoutMs, certificates, redirects } = delivery;
  let url = delivery.url;
  for (let hop = 0; ; hop++) {
    const secret = url.origin === delivery.url.origin ? delivery.secretHeaders : {};
    const headers = { ...secret, ...delivery.headers, "x-chalk-attempt": String(attempt) };
    const answer = await sendRequest({ url: bare(url), method, headers, body, timeoutMs, certificates }, signal);
    if (redirects === 0 || !REPEATING.has(answer.status) || answer.headers.location === undefined) return answer;
    if (hop === redirects) throw new SinkError("refused", `it redirects more than ${redirects} times`);
    url = nextUrl(url, answer.headers.location, delivery.allowsHttp);
  }
}

/** Names and passwords in an address are sent as a header, not by the client. */
function bare(url: URL): URL {
  if (url.username === "" && url.password === "") return url;
  const copy = new URL(url);
  copy.username = "";
  copy.password = "";
  return copy;
}

/** Throws SinkError for a place that must not be gone to. */
export function nextUrl(from: URL, location: string, allowsHttp: boolean): URL {
  const to = URL.canParse(location, from) ? new URL(location, from) : undefined;
  if (to === undefined || (to.protocol !== "https:" && to.protocol !== "http:"))
    throw new SinkError("refused", "it redirects to something that is not an http address");
  if (to.protocol === "http:" && (from.protocol === "https:" || !allowsHttp))
    throw new SinkError("refused", "it redirects from https:// to http://");
  return to;
}

/** The receiver will not take this message, whoever sends it. */
const UNFIT: ReadonlySet<number> = new Set([400, 413, 414, 415, 422, 431]);
/** The receiver says 4xx and means later. */
const LATER: ReadonlySet<number> = new Set([408, 425, 429]);

export function judge({ status, headers }: HttpAnswer): SinkError {
  const what = `the server answered ${status}`;
  if (status >= 500 || LATER.has(status)) return new SinkError("failed", what, retryAfter(headers["retry-after"]));
  return new SinkError(UNFIT.has(status) ? "unfit" : "refused", what);
}

/** Milliseconds; 0 when it does not say. Seconds or a date. */
function retryAfter(header: string | undefined): number {
  if (header === undefined) return 0;
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(ms) && ms > 0 ? ms : 0;
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    const over = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", over);
      done();
    };
    const timer = setTimeout(over, ms);
    signal.addEventListener("abort", over);
  });
}
