// Contract of the sinks: what delivers one report to one place. An entry says what it is and how it is opened; its fields
// stand in lib/config/sink_fields.ts, which checks configurations with them. A sink knows nothing of the other sinks, of
// queues, back-off or the report cache (lane.ts), and never writes to the log itself: it throws SinkError.
import type { Entry } from "../base/registry.ts";
import type { JsonObject } from "../base/json_value.ts";
import type { FieldValue } from "../config/field_value.ts";
import type { AuthConfig, LogLevel, SinkConfig } from "../config/settings.ts";

/** What sinks see of the world: everything they would otherwise ask the process for. */
export interface SinkWorld {
  /** Absolute: where tk was started; relative file names are meant from there. */
  readonly directory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Where a file sink may go when its own directory cannot be used. */
  readonly logSearchPath: readonly string[];
  /** Descriptors of the consoles. */
  readonly stdout: number;
  readonly stderr: number;
  /** Opens what a report is shown on that would be gone otherwise, for as long as that takes; absent: `stderr`. */
  readonly openLastPlace?: () => { readonly fd: number; readonly close: () => void } | undefined;
  /** For people; one sentence without secrets. */
  readonly tell: (level: LogLevel, message: string) => void;
}

/** One delivery: the report, and behind it those of the report cache that wait for the same sink and topic. */
export interface Message {
  readonly topic: string;
  /** The operation that reports; empty for plain text such as log messages. */
  readonly operation: string;
  /** JSON of each report object, the current one first; empty for plain text. */
  readonly reports: readonly string[];
  /** What the configuration's filters made of them: what is written. May lack its newline. */
  readonly text: string;
}

/** An opened sink. Deliveries come one at a time. */
export interface Outlet {
  /** Where it goes, for messages: without secrets, path and query of an address included. May change with a delivery. */
  readonly place: string;
  /**
   * Delivers all of it or nothing, and is through with it when the promise settles: nothing stays in a buffer.
   * Throws SinkError. `signal` aborts: tk ends.
   */
  write(message: Message, signal: AbortSignal): Promise<void>;
  close?(): void;
}

/** The typed fields of a configuration: checked by lib/config, read by name. */
export class Fields {
  private readonly values: SinkConfig["fields"];

  constructor(values: SinkConfig["fields"]) {
    this.values = values;
  }

  text(name: string): string | undefined {
    const value = this.values[name];
    return typeof value === "string" && value !== "" ? value : undefined;
  }

  number(name: string, fallback: number): number {
    const value = this.values[name];
    return typeof value === "number" ? value : fallback;
  }

  flag(name: string, fallback: boolean): boolean {
    const value = this.values[name];
    return typeof value === "boolean" ? value : fallback;
  }

  texts(name: string): readonly string[] | undefined {
    const value: FieldValue | undefined = this.values[name];
    return Array.isArray(value) ? value.filter((item) => typeof item === "string") : undefined;
  }

  entries(name: string): readonly (readonly [string, string])[] {
    const value: FieldValue | undefined = this.values[name];
    if (typeof value !== "object" || Array.isArray(value)) return [];
    return Object.entries(value).flatMap(([key, text]) => (typeof text === "string" ? [[key, text] as const] : []));
  }
}

export interface OpenRequest {
  readonly config: SinkConfig;
  readonly fields: Fields;
  readonly auth: AuthConfig | undefined;
  readonly world: SinkWorld;
}

export interface Sink extends Entry {
  /** The type as configurations name it; its fields are those of `findSinkType(id)`. */
  readonly id: string;
  /**
   * Whether reports that it did not take are kept and sent later. Not those of a console: it shows what happens now.
   */
  readonly keepsUndelivered: boolean;
  /** The longest pause of a sink that fails, which doubles from failure to failure. */
  readonly longestRestMs: number;
  /** What it writes to besides: configurations with the same console take turns. */
  readonly console?: "stdout" | "stderr";
  /** Loads what it needs. Rejects with SinkError when no delivery could ever work, such as an address that is none. */
  open(request: OpenRequest): Promise<Outlet>;
}

/** A delivery that did not happen. The message is a clause for people, without secrets, such as `permission denied`. */
export class SinkError extends Error {
  readonly _tag = "SinkError";
  override readonly name = "SinkError";
  /**
   * `refused`: the receiver said no to what it got, and will say no again (most of HTTP's 4xx).
   * `unfit`: the same, but because of this very message (too large, malformed).
   * `gone`: whoever read it has had enough, which is nobody's fault and no reason to warn.
   * `failed`: it may work the next time.
   */
  readonly kind: "refused" | "unfit" | "gone" | "failed";
  /** Milliseconds that the receiver asked to be left alone for; 0 when it did not. */
  readonly retryAfterMs: number;

  constructor(kind: SinkError["kind"], message: string, retryAfterMs = 0) {
    super(message);
    this.kind = kind;
    this.retryAfterMs = retryAfterMs;
  }
}

/** What became of one report, by names of sink configurations. */
export interface Delivery {
  readonly delivered: readonly string[];
  /** In the report cache: a later delivery to the same sink and topic brings it. */
  readonly kept: readonly string[];
  /** Neither: it was told. */
  readonly lost: readonly string[];
}

/** All sinks of a configuration; made by `openSinks` (fan_out.ts), which neither opens a file nor waits. */
export interface SinkSet {
  /** Whether a report on this topic would reach anybody: nobody else needs to make it. */
  listens(topic: string): boolean;
  /**
   * Hands the report to every subscriber of the topic, highest priority first. Settles, and never rejects, when each has
   * it, keeps it or has lost it; that may take seconds, so heartbeats do not wait for it: what waits is bounded.
   */
  publish(topic: string, operation: string, report: JsonObject): Promise<Delivery>;
  /** The same for plain text (topics `logs`, `con4m`, `confdump`); it is never kept. */
  publishText(topic: string, level: LogLevel, text: string): Promise<Delivery>;
  /**
   * Waits for what is under way, at most this long (5 s if omitted); the rest goes to the report cache, and what was lost
   * is told. Nothing may be published afterwards.
   */
  close(limitMs?: number): Promise<void>;
}

export interface SinkOptions extends SinkWorld {
  /** Pauses of a sink that fails, for tests. */
  readonly firstRestMs?: number;
}
