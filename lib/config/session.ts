// What one evaluation of configurations has in common: the files, the attributes, the subscriptions, the host, and the limits
// that keep a hostile file from running for ever.
import type { Body, UseStatement } from "./ast.ts";
import { AttributeTree } from "./attribute_tree.ts";
import { type Diagnostics, fault, type Spot, suggestion } from "./diagnostic.ts";
import { nearest } from "../base/nearest.ts";
import type { ConfigHost } from "./host.ts";
import { DEFAULT_SINK_CONFIGS, DEFAULT_SUBSCRIPTIONS, type Subscription, TOPICS } from "./settings.ts";
import type { SourceText } from "./source_text.ts";
import { newUnit, type Unit } from "./unit.ts";
import { isDict, isList, type Value } from "./value.ts";

/** Steps of evaluation: expressions, loop rounds, and one more for every 64 characters or elements handled. */
const MAX_STEPS = 1_000_000;
/** Calls inside of calls. */
export const MAX_CALLS = 150;
/** Characters and elements that one value may have, shared parts counted each time. */
const MAX_SIZE = 1_000_000;
const MAX_COMPONENTS = 100;

export interface DeclaredParameter {
  readonly path: string;
  readonly isVariable: boolean;
  readonly doc: string;
  readonly shortdoc: string;
  readonly sensitive: boolean;
  readonly value: Value | undefined;
  readonly hasDefault: boolean;
  readonly spot: Spot;
}

export class Session {
  readonly problems: Diagnostics;
  readonly host: ConfigHost;
  readonly tree: AttributeTree;
  readonly parameters: DeclaredParameter[] = [];
  subscriptions: Subscription[] = [...DEFAULT_SUBSCRIPTIONS];
  /** `copy_report_template_keys(from, to)`, in order. */
  readonly templateCopies: { readonly from: string; readonly to: string; readonly spot: Spot }[] = [];
  readonly units = new Map<string, Unit>();
  calls = 0;
  private steps = 0;
  private readonly unused = new Set<string>();
  private readonly sizes = new WeakMap<object, number>();

  constructor(problems: Diagnostics, host: ConfigHost) {
    this.problems = problems;
    this.host = host;
    this.tree = new AttributeTree(problems);
  }

  /** Told once, where it is first used. */
  noteUnused(name: string, spot: Spot): void {
    if (this.unused.has(name)) return;
    this.unused.add(name);
    this.problems.info(spot, `tk does not use '${name}'`);
  }

  /** A new allowance, for a callback that is called after the evaluation. */
  restart(): void {
    this.steps = 0;
    this.calls = 0;
  }

  step(spot: Spot, cost = 1): void {
    this.steps += cost;
    if (this.steps > MAX_STEPS)
      throw fault(spot, "the configuration takes too long to evaluate: expected at most a million steps");
  }

  /** A value that was just made: refused when it is too large. */
  made<V extends Value>(value: V, spot: Spot): V {
    const size = this.sizeOf(value);
    if (size > MAX_SIZE) throw fault(spot, "the value is too large, expected at most a million characters or elements");
    this.step(spot, size >> 6);
    return value;
  }

  sizeOf(value: Value): number {
    if (typeof value === "string") return value.length + 1;
    if (typeof value !== "object") return 1;
    const known = this.sizes.get(value);
    if (known !== undefined) return known;
    let size = 1;
    if (isList(value)) for (const item of value) size += this.sizeOf(item);
    else if (isDict(value)) for (const [key, item] of value) size += this.sizeOf(key) + this.sizeOf(item);
    else if ("items" in value) for (const item of value.items) size += this.sizeOf(item);
    this.sizes.set(value, size);
    return size;
  }

  /** The unit of a file, parsed and checked by `check` when it is new. */
  unitOf(source: SourceText, spot: Spot, make: (source: SourceText) => Unit): Unit {
    const known = this.units.get(source.name);
    if (known?.state === "checking")
      throw fault(spot, `'${source.name}' uses itself, directly or through the files that it uses`);
    if (known !== undefined) return known;
    if (this.units.size >= MAX_COMPONENTS) throw fault(spot, `more than ${MAX_COMPONENTS} files are used`);
    return make(source);
  }

  register(source: SourceText, body: Body): Unit {
    const unit = newUnit({ source, body });
    this.units.set(source.name, unit);
    return unit;
  }

  component(statement: UseStatement, by: SourceText): SourceText {
    const found = this.host.component(statement.name, statement.from, by);
    if (typeof found === "string") throw fault({ source: by, at: statement.at }, found);
    return found;
  }

  subscribe(topic: string, config: string, spot: Spot): boolean {
    this.step(spot, this.subscriptions.length >> 3);
    const reports = ["custom_report"];
    if (!TOPICS.some((t) => t === topic) && !this.tree.hasObject(reports, topic)) {
      const near = suggestion(nearest(topic, [...TOPICS, ...this.tree.objects(reports)]));
      this.problems.error(
        spot,
        `unknown topic '${topic}', expected ${TOPICS.join(", ")} or the name of a custom_report${near}`,
      );
      return false;
    }
    const sinks = ["sink_config"];
    if (!DEFAULT_SINK_CONFIGS.has(config) && !this.tree.hasObject(sinks, config)) {
      const near = suggestion(nearest(config, [...this.tree.objects(sinks), ...DEFAULT_SINK_CONFIGS.keys()]));
      this.problems.error(
        spot,
        `unknown sink configuration '${config}', expected one that a sink_config above defines${near}`,
      );
      return false;
    }
    if (this.tree.get(["sink_config", config, "enabled"])?.value === false) {
      this.problems.warn(spot, `the sink configuration '${config}' is disabled and gets nothing`);
      return false;
    }
    if (!this.subscriptions.some((s) => s.topic === topic && s.config === config))
      this.subscriptions.push({ topic, config });
    return true;
  }

  unsubscribe(topic: string, config: string): boolean {
    const before = this.subscriptions.length;
    this.subscriptions = this.subscriptions.filter((s) => s.topic !== topic || s.config !== config);
    return this.subscriptions.length < before;
  }
}
