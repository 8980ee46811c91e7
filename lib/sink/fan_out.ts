// The sinks of a configuration together: who gets what is published on a topic, in which order, and what is left to do with
// a report that nobody took. A sink that fails changes nothing for the others, and nothing here ever throws.
import { jsonText, type JsonObject } from "../base/json_value.ts";
import { printable } from "../base/text.ts";
import { TERMINAL_REPORT, type LogLevel, type Settings, type SinkConfig } from "../config/settings.ts";
import { defaultCacheName, resolveName } from "./file_name.ts";
import { applyFilters } from "./filters.ts";
import { lineBytes, writePipe } from "./file_write.ts";
import { Lane, type Item, type Outcome } from "./lane.ts";
import { sinks } from "./registry.ts";
import { ReportCache } from "./report_cache.ts";
import { Fields, type Delivery, type Sink, type SinkOptions, type SinkSet } from "./sink.ts";
import { Turns } from "./turns.ts";

const CACHE_BYTES = 4 << 20;
const FIRST_REST_MS = 10_000;
const CLOSE_MS = 5000;
/** What deliveries get to notice that they were given up, and to keep their report. */
const GIVE_UP_MS = 3000;
const WIDTH = 80;

type SinkSettings = Pick<
  Settings,
  | "sinkConfigs"
  | "authConfigs"
  | "subscriptions"
  | "customReports"
  | "terminalReport"
  | "reportCache"
  | "forceOutputOnReportingFails"
  | "logLevel"
>;

interface Subscriber {
  readonly lane: Lane;
  readonly keeps: boolean;
}

export function openSinks(settings: SinkSettings, unsafe: SinkOptions): SinkSet {
  // Names of files and texts of configurations are anybody's.
  const options = { ...unsafe, tell: (level: LogLevel, message: string) => unsafe.tell(level, printable(message)) };
  const cache = settings.reportCache.use ? openCache(settings, options) : undefined;
  const lanes = new Map<string, Subscriber>();
  const consoles = new Map<string, Turns>();

  const subscriber = (config: SinkConfig): Subscriber | undefined => {
    const known = lanes.get(config.name);
    if (known !== undefined) return known;
    const found = sinks.find(config.sink);
    if (found.isErr()) {
      options.tell("warn", `sink '${config.name}': there is no sink type '${config.sink}'`);
      return undefined;
    }
    const sink = found.value;
    const lane = makeLane(sink, config, settings, options, cache, turnsOf(consoles, sink));
    const made = { lane, keeps: sink.keepsUndelivered };
    lanes.set(config.name, made);
    return made;
  };

  const topics = new Map<string, Subscriber[]>();
  for (const [topic, names] of subscriptionsOf(settings)) {
    const found = names
      .map((name) => settings.sinkConfigs.get(name))
      .filter((config) => config !== undefined && config.enabled && config.sink !== "")
      .map((config) => subscriber(config!))
      .filter((one) => one !== undefined);
    if (found.length > 0) topics.set(topic, found);
  }
  return new OpenSinks(topics, [...lanes.values()], cache, settings, options);
}

function openCache(settings: SinkSettings, options: SinkOptions): ReportCache {
  const { location, lockTimeoutMs } = settings.reportCache;
  const path = location === "" ? defaultCacheName(options) : resolveName(location, options);
  return new ReportCache({ path, lockTimeoutMs, maxBytes: CACHE_BYTES, tell: options.tell });
}

function turnsOf(consoles: Map<string, Turns>, sink: Sink): Turns {
  if (sink.console === undefined) return new Turns();
  const turns = consoles.get(sink.console) ?? new Turns();
  consoles.set(sink.console, turns);
  return turns;
}

/** Topic to names of configurations, each once, in the order of delivery. Custom reports have topics of their own. */
function subscriptionsOf(settings: SinkSettings): Map<string, readonly string[]> {
  const topics = new Map<string, Set<string>>();
  const add = (topic: string, config: string) => {
    const names = topics.get(topic) ?? new Set();
    topics.set(topic, names.add(config));
  };
  for (const { topic, config } of settings.subscriptions) add(topic, config);
  for (const report of settings.customReports) for (const name of report.sinkConfigs) add(report.name, name);
  for (const name of settings.terminalReport.sinkConfigs) add(TERMINAL_REPORT, name);
  const priority = (name: string) => settings.sinkConfigs.get(name)?.priority ?? 0;
  // Stable: ties stay in the order in which they were subscribed.
  return new Map([...topics].map(([topic, names]) => [topic, [...names].sort((a, b) => priority(b) - priority(a))]));
}

function makeLane(
  sink: Sink,
  config: SinkConfig,
  settings: SinkSettings,
  options: SinkOptions,
  cache: ReportCache | undefined,
  turns: Turns,
): Lane {
  const fields = new Fields(config.fields);
  const auth = config.auth === undefined ? undefined : settings.authConfigs.get(config.auth);
  const threshold = settings.logLevel ?? "info";
  return new Lane({
    config,
    open: () => sink.open({ config, fields, auth, world: options }),
    filter: (text, { topic, level }) =>
      applyFilters(text, config.filters, {
        topic,
        level,
        threshold,
        width: WIDTH,
        unixSeconds: Math.floor(Date.now() / 1000),
      }),
    cache: sink.keepsUndelivered ? cache : undefined,
    turns,
    disableAfter: Math.max(1, fields.number("disable_after_errors", 3)),
    firstRestMs: options.firstRestMs ?? FIRST_REST_MS,
    longestRestMs: sink.longestRestMs,
    tell: options.tell,
  });
}

class OpenSinks implements SinkSet {
  private readonly topics: ReadonlyMap<string, readonly Subscriber[]>;
  private readonly all: readonly Subscriber[];
  private readonly cache: ReportCache | undefined;
  private readonly settings: SinkSettings;
  private readonly options: SinkOptions;
  private isClosed = false;
  private hasForced = false;

  constructor(
    topics: ReadonlyMap<string, readonly Subscriber[]>,
    all: readonly Subscriber[],
    cache: ReportCache | undefined,
    settings: SinkSettings,
    options: SinkOptions,
  ) {
    this.topics = topics;
    this.all = all;
    this.cache = cache;
    this.settings = settings;
    this.options = options;
  }

  listens(topic: string): boolean {
    return this.topics.has(topic);
  }

  publish(topic: string, operation: string, report: JsonObject): Promise<Delivery> {
    const json = jsonText(report);
    return this.hand({ topic, operation, report: json, text: `[${json}]`, level: undefined });
  }

  publishText(topic: string, level: LogLevel, text: string): Promise<Delivery> {
    return this.hand({ topic, operation: "", report: undefined, text, level });
  }

  private async hand(item: Item): Promise<Delivery> {
    const subscribers = this.topics.get(item.topic) ?? [];
    const outcomes = await Promise.all(
      subscribers.map(({ lane }) => (this.isClosed ? Promise.resolve<Outcome>("lost") : lane.offer(item))),
    );
    const named = (outcome: Outcome) =>
      subscribers.filter((_, i) => outcomes[i] === outcome).map(({ lane }) => lane.name);
    const delivery = { delivered: named("delivered"), kept: named("kept"), lost: named("lost") };
    const isLost = subscribers.some(({ keeps }, i) => keeps && outcomes[i] === "lost");
    if (isLost && delivery.delivered.length === 0 && delivery.kept.length === 0) await this.force(item);
    return delivery;
  }

  /** A report that would be gone without a trace is shown, the first one of a run: more would bury the program's output. */
  private async force(item: Item): Promise<void> {
    if (!this.settings.forceOutputOnReportingFails || item.report === undefined || this.hasForced) return;
    this.hasForced = true;
    this.options.tell(
      "error",
      "no sink took the report and it cannot be kept, so it is shown here; the next ones are not",
    );
    const place = this.options.openLastPlace?.();
    try {
      const fd = place?.fd ?? this.options.stderr;
      await writePipe(fd, lineBytes(item.text), GIVE_UP_MS, new AbortController().signal);
    } catch {
      // Nobody reads standard error either: it was the last place.
    } finally {
      place?.close();
    }
  }

  async close(limitMs = CLOSE_MS): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    this.cache?.hurry();
    for (const { lane } of this.all) lane.finish();
    const idle = Promise.all(this.all.map(({ lane }) => lane.idle()));
    if (!(await within(idle, limitMs))) {
      for (const { lane } of this.all) lane.abort();
      await within(idle, GIVE_UP_MS);
    }
    for (const { lane } of this.all) lane.close();
    const dropped = this.cache?.dropped ?? 0;
    if (dropped > 1)
      this.options.tell("warn", `${dropped} reports were dropped from the report cache '${this.cache!.path}'`);
  }
}

/** Whether it settled in time. */
async function within(work: Promise<unknown>, limitMs: number): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<false>((done) => {
    timer = setTimeout(() => done(false), limitMs);
  });
  const settled = work.then(
    () => true,
    () => true,
  );
  try {
    return await Promise.race([settled, late]);
  } finally {
    clearTimeout(timer);
  }
}
