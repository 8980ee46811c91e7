// One sink configuration at work: reports in order, one delivery at a time, a bounded queue, rest with back-off when it
// fails, and the report cache for what it did not take. It tells a failure once and the recovery once, and never throws.
import { performance } from "node:perf_hooks";
import type { LogLevel, SinkConfig } from "../config/settings.ts";
import { CLAIM_COUNT, type Claim, type ReportCache } from "./report_cache.ts";
import { SinkError, type Message, type Outlet, type SinkWorld } from "./sink.ts";
import type { Turns } from "./turns.ts";

export type Outcome = "delivered" | "kept" | "lost";

/** One message for one sink. */
export interface Item {
  readonly topic: string;
  readonly operation: string;
  /** JSON of the report object; undefined for plain text. */
  readonly report: string | undefined;
  readonly text: string;
  readonly level: LogLevel | undefined;
}

interface Waiting {
  readonly item: Item;
  readonly settle: (outcome: Outcome) => void;
}

export interface LaneOptions {
  readonly config: SinkConfig;
  /** Opens the sink, or rejects with SinkError; tried again with every delivery until it works. */
  open(): Promise<Outlet>;
  /** Text through the configuration's filters; undefined when one of them ended it. */
  filter(text: string, item: Item): string | undefined;
  /** Undefined: what it does not take is lost. */
  readonly cache: ReportCache | undefined;
  readonly turns: Turns;
  readonly disableAfter: number;
  readonly firstRestMs: number;
  readonly longestRestMs: number;
  readonly tell: SinkWorld["tell"];
}

/** What waits for a sink that is slow; more goes to the cache, oldest first. */
const QUEUE_COUNT = 32;
const QUEUE_CHARS = 4 << 20;
/** Undelivered heartbeats of one run: older ones say nothing that newer ones do not. */
const HEARTBEATS = 32;

const NO_CLAIM: Claim = { ids: new Set(), messages: [] };

export class Lane {
  readonly name: string;
  private readonly options: LaneOptions;
  private readonly queue: Waiting[] = [];
  private queuedChars = 0;
  private working: Promise<void> | undefined;
  private outlet: Outlet | undefined;
  private readonly aborter = new AbortController();
  private failures = 0;
  private restMs = 0;
  private restUntil = 0;
  private isDown = false;
  private isClosing = false;
  /** Nobody reads any more: what is lost then is missed by nobody. */
  private isGone = false;
  private lost = 0;
  private overflowed = 0;
  private heartbeats: string[] = [];
  /** How many kept reports go along: fewer after a failure, since it may be their size that does not get through. */
  private along = CLAIM_COUNT;

  constructor(options: LaneOptions) {
    this.options = options;
    this.name = options.config.name;
  }

  offer(item: Item): Promise<Outcome> {
    return new Promise((settle) => {
      this.queue.push({ item, settle });
      this.queuedChars += item.text.length;
      if (this.queue.length > QUEUE_COUNT || this.queuedChars > QUEUE_CHARS) this.overflow();
      this.working ??= this.work().finally(() => (this.working = undefined));
    });
  }

  /** Nothing more will be offered: kept reports that do not go along stay for the next tk. */
  finish(): void {
    this.isClosing = true;
  }

  /** Settles when nothing waits and nothing is under way. */
  async idle(): Promise<void> {
    while (this.working !== undefined) await this.working;
  }

  /** Gives up what is under way; what waits goes to the cache. */
  abort(): void {
    this.aborter.abort();
  }

  /** Ends it; tells what was lost. */
  close(): void {
    this.outlet?.close?.();
    const { lost, overflowed } = this;
    if (lost > 0) this.tell(this.isGone ? "verbose" : "warn", `${count(lost, "report was", "reports were")} lost`);
    if (overflowed > 0)
      this.tell("verbose", `${count(overflowed, "report", "reports")} did not wait for it to be ready`);
  }

  private overflow(): void {
    const oldest = this.queue.shift();
    if (oldest === undefined) return;
    this.queuedChars -= oldest.item.text.length;
    if (this.overflowed++ === 0)
      this.tell("warn", "it is slower than its reports come: the oldest do not wait any longer");
    this.keep(oldest.item).then(oldest.settle, () => oldest.settle("lost"));
  }

  private async work(): Promise<void> {
    for (let next = this.queue.shift(); next !== undefined; next = this.queue.shift()) {
      const { item, settle } = next;
      this.queuedChars -= item.text.length;
      try {
        const outcome = await this.options.turns.take(() => this.handle(item));
        settle(outcome);
        if (outcome === "delivered" && item.report !== undefined) await this.catchUp(item);
      } catch (error) {
        // A bug of ours is no reason to leave the program without its other reports.
        settle("lost");
        this.lost++;
        this.tell("error", error instanceof Error ? error.message : String(error));
      }
    }
  }

  private async handle(item: Item): Promise<Outcome> {
    const isResting = performance.now() < this.restUntil;
    if (isResting || this.aborter.signal.aborted) return this.keep(item);
    let outlet: Outlet;
    try {
      outlet = this.outlet ??= await this.options.open();
    } catch (error) {
      return this.failed(item, error);
    }
    const { cache } = this.options;
    const claim =
      cache === undefined || item.report === undefined
        ? NO_CLAIM
        : await cache.claim(this.name, item.topic, this.along);
    const count = claim.messages.length;
    const error = await this.send(outlet, item, claim.messages, true);
    await cache?.settle(claim, this.name, error === undefined ? "delivered" : "failed");
    this.adapt(error, count);
    if (error === undefined) return this.succeeded(outlet, count);
    // It may be one of the kept reports that does not fit.
    if (isUnfit(error) && count > 0 && (await this.send(outlet, item, [], true)) === undefined)
      return this.succeeded(outlet, 0);
    return this.failed(item, error);
  }

  /** What is kept for this sink and did not go along, as long as nothing newer waits. */
  private async catchUp(item: Item): Promise<void> {
    const { cache } = this.options;
    if (cache === undefined || this.outlet === undefined) return;
    while (this.queue.length === 0 && !this.isClosing) {
      const claim = await cache.claim(this.name, item.topic, Math.max(1, this.along));
      const count = claim.messages.length;
      if (count === 0) return;
      const error = await this.send(this.outlet, item, claim.messages, false);
      // Only of a report that was sent alone it is known that it is the one that does not fit.
      const outcome = error === undefined ? "delivered" : isUnfit(error) && count === 1 ? "unfit" : "failed";
      await cache.settle(claim, this.name, outcome);
      this.adapt(error, count);
      if (error === undefined) this.tellKept(count);
      else if (!isUnfit(error) || count === 1) return;
    }
  }

  private adapt(error: unknown, count: number): void {
    if (error === undefined) this.along = Math.min(CLAIM_COUNT, Math.max(1, this.along * 4));
    else if (count > 0) this.along = Math.floor(count / 4);
  }

  /** The item, unless it is `current: false`, and kept reports of its topic. Undefined when they have arrived. */
  private async send(outlet: Outlet, item: Item, kept: readonly string[], current: boolean): Promise<unknown> {
    const { topic, operation, report } = item;
    const reports = report === undefined || !current ? kept : [report, ...kept];
    const text = this.options.filter(kept.length === 0 ? item.text : `[${reports.join(",")}]`, item);
    if (text === undefined) return undefined;
    const message: Message = { topic, operation, reports, text };
    try {
      await outlet.write(message, this.aborter.signal);
      return undefined;
    } catch (error) {
      return error;
    }
  }

  private succeeded(outlet: Outlet, kept: number): Outcome {
    this.failures = 0;
    this.restMs = 0;
    if (this.isDown) this.tell("info", `${outlet.place} takes reports again`);
    this.isDown = false;
    this.isGone = false;
    this.heartbeats = [];
    this.tellKept(kept);
    const { onWriteMessage } = this.options.config;
    if (onWriteMessage !== undefined) this.options.tell("info", onWriteMessage.trim());
    return "delivered";
  }

  private tellKept(n: number): void {
    if (n > 0) this.tell("info", `${count(n, "kept report was", "kept reports were")} delivered`);
  }

  private async failed(item: Item, error: unknown): Promise<Outcome> {
    const known = error instanceof SinkError ? error : undefined;
    const retryAfter = known?.retryAfterMs ?? 0;
    if (!this.aborter.signal.aborted) {
      this.failures++;
      if (known?.kind === "refused" || this.failures >= this.options.disableAfter || retryAfter > 0)
        this.rest(retryAfter);
    }
    const outcome = await this.keep(item);
    const why = known?.message ?? (error instanceof Error ? error.message : String(error));
    const { cache } = this.options;
    const then =
      outcome === "lost"
        ? "what it does not take is lost"
        : `what it does not take is kept in '${cache?.path ?? ""}' and sent later`;
    const place = this.outlet === undefined ? "" : `${this.outlet.place}: `;
    this.isGone = known?.kind === "gone";
    this.tell(this.isDown ? "trace" : this.isGone ? "verbose" : "warn", `${place}${why}; ${then}`);
    this.isDown = true;
    return outcome;
  }

  private rest(atLeastMs: number): void {
    this.restMs = Math.min(Math.max(this.restMs * 2, this.options.firstRestMs, atLeastMs), this.options.longestRestMs);
    this.restUntil = performance.now() + this.restMs;
  }

  private async keep(item: Item): Promise<Outcome> {
    const { cache } = this.options;
    const { topic, operation, report } = item;
    const isKept = cache !== undefined && report !== undefined;
    const id = isKept ? await cache.add({ topic, operation, sinks: [this.name], message: report }) : undefined;
    if (id === undefined) {
      this.lost++;
      return "lost";
    }
    if (operation === "heartbeat") await this.keepHeartbeat(id);
    return "kept";
  }

  private async keepHeartbeat(id: string): Promise<void> {
    this.heartbeats.push(id);
    if (this.heartbeats.length < 2 * HEARTBEATS) return;
    const old = new Set(this.heartbeats.splice(0, HEARTBEATS));
    this.tell("verbose", `its ${HEARTBEATS} oldest heartbeats are not kept any longer`);
    await this.options.cache?.forget(old, this.name);
  }

  private tell(level: LogLevel, what: string): void {
    this.options.tell(level, `sink '${this.name}': ${what}`);
  }
}

function isUnfit(error: unknown): boolean {
  return error instanceof SinkError && error.kind === "unfit";
}

function count(n: number, one: string, many: string): string {
  return n === 1 ? `1 ${one}` : `${n} ${many}`;
}
