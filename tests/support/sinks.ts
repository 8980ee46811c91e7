// Sinks on a bench: a folder of their own, what they told, and settings with just the sink configurations that a test names.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FieldValue } from "../../lib/config/field_value.ts";
import { DEFAULT_SETTINGS, type AuthConfig, type Settings, type SinkConfig } from "../../lib/config/settings.ts";
import { openSinks } from "../../lib/sink/fan_out.ts";
import type { SinkOptions, SinkSet } from "../../lib/sink/sink.ts";

export interface NamedSink extends Partial<Omit<SinkConfig, "name" | "fields">> {
  readonly sink: string;
  readonly fields?: Readonly<Record<string, FieldValue>>;
}

export function sinkConfig(name: string, one: NamedSink): SinkConfig {
  return {
    name,
    enabled: true,
    priority: 0,
    filters: [],
    auth: undefined,
    onWriteMessage: undefined,
    normalize: new Map(),
    place: undefined,
    fields: {},
    ...one,
  };
}

/** All of them subscribed to `report`, in this order. */
export function sinkSettings(named: Readonly<Record<string, NamedSink>>, more: Partial<Settings> = {}): Settings {
  return {
    ...DEFAULT_SETTINGS,
    sinkConfigs: new Map(Object.entries(named).map(([name, one]) => [name, sinkConfig(name, one)])),
    subscriptions: Object.keys(named).map((config) => ({ topic: "report", config })),
    terminalReport: { ...DEFAULT_SETTINGS.terminalReport, sinkConfigs: [] },
    ...more,
  };
}

export class Bench {
  readonly folder = mkdtempSync(join(tmpdir(), "tk-sink-"));
  readonly told: string[] = [];
  private readonly servers: Server[] = [];

  /** The report cache of every set that is opened here. */
  readonly cachePath = join(this.folder, "state/tk/undelivered.jsonl");

  open(
    named: Readonly<Record<string, NamedSink>>,
    more: Partial<Settings> = {},
    options: Partial<SinkOptions> = {},
  ): SinkSet {
    return openSinks(sinkSettings(named, more), {
      directory: this.folder,
      environment: {
        HOME: join(this.folder, "home"),
        XDG_STATE_HOME: join(this.folder, "state"),
        TMPDIR: join(this.folder, "tmp"),
      },
      logSearchPath: [],
      stdout: 1,
      stderr: 2,
      tell: (level, message) => this.told.push(`${level}: ${message}`),
      ...options,
    });
  }

  /** What was told at these levels; never trace. */
  warnings(): string[] {
    return this.told.filter((line) => /^(warn|error):/.test(line));
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  text(name: string): string {
    return readFileSync(this.path(name), "utf8");
  }

  /** Lines of the report cache as objects; none when there is no file. */
  kept(): Record<string, unknown>[] {
    try {
      return lines(readFileSync(this.cachePath, "utf8")).map((line) => JSON.parse(line) as Record<string, unknown>);
    } catch {
      return [];
    }
  }

  async collector(
    answer: (request: Received, response: ServerResponse) => void = (_, r) => r.end(),
  ): Promise<Collector> {
    const received: Received[] = [];
    const server = createServer((request, response) => {
      const chunks: Uint8Array[] = [];
      request.on("data", (chunk: Uint8Array) => chunks.push(chunk));
      request.on("end", () => {
        const one = {
          method: request.method ?? "",
          url: request.url ?? "",
          headers: request.headers,
          body: Buffer.concat(chunks).toString("utf8"),
        };
        received.push(one);
        answer(one, response);
      });
    });
    this.servers.push(server);
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    return { received, origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
  }

  track(server: Server): void {
    this.servers.push(server);
  }

  close(): void {
    for (const server of this.servers) {
      server.closeAllConnections();
      server.close();
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Collector {
  readonly received: Received[];
  readonly origin: string;
}

export function lines(text: string): string[] {
  return text.split("\n").filter((line) => line !== "");
}

export const BASIC: AuthConfig = {
  name: "login",
  auth: "basic",
  username: "ann",
  password: "s3cret-password",
  token: "",
};

/** A token whose time is over `seconds` from now. */
export function jwt(seconds: number): AuthConfig {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const token = `${part({ alg: "none" })}.${part({ exp: Math.floor(Date.now() / 1000) + seconds })}.c2ln`;
  return { name: "pass", auth: "jwt", username: "", password: "", token };
}
