// `tk record --report exec,heartbeat=1s`: the words of it, and the reporter that they ask for.
import { err, ok, type Result } from "neverthrow";
import type { ReportFeed } from "../lib/capture/report_feed.ts";
import type { Settings } from "../lib/config/settings.ts";
import { ReporterFeed } from "../lib/exec/feed.ts";
import { settingsText } from "../lib/exec/settings_text.ts";
import { printable } from "../lib/base/text.ts";
import { monotonicNs } from "../lib/host/clock.ts";
import { ConfigError } from "../lib/settings/config_error.ts";
import { readSettings } from "../lib/settings/load_settings.ts";
import { EXIT, say } from "./exit.ts";
import type { ReporterRequest } from "./exec_run.ts";

export interface WantedReports {
  readonly exec: boolean;
  /** Empty: at the configured rate; undefined: no heartbeats. */
  readonly heartbeat: string | undefined;
}

/** A sentence when it cannot be read. */
export function parseReports(text: string): Result<WantedReports, string> {
  let exec = false;
  let heartbeat: string | undefined;
  for (const part of text.split(",")) {
    const m = /^(exec|heartbeat)(?:=(.+))?$/.exec(part.trim());
    if (m === null || (m[1] === "exec" && m[2] !== undefined))
      return err(
        `--report is '${text}', expected exec, heartbeat or heartbeat=TIME, several with commas: exec,heartbeat=1s`,
      );
    if (m[1] === "exec") exec = true;
    else heartbeat = m[2] ?? "";
  }
  return ok({ exec, heartbeat });
}

/** Fails before anything has run, as all of `tk record` does. */
export class ReportsRefused extends Error {
  readonly _tag = "ReportsRefused";
  readonly details: readonly string[];
  readonly hint: string;
  readonly exitStatus: number;

  constructor(
    message: string,
    exitStatus: number,
    details: readonly string[] = [],
    hint = "the command was not started",
  ) {
    super(message);
    this.exitStatus = exitStatus;
    this.details = details;
    this.hint = hint;
  }
}

/** Hands on what was expected to go wrong; anything else is a fault of ours. */
export function expected(error: unknown): ReportsRefused {
  if (error instanceof ReportsRefused) return error;
  throw error;
}

export function feedFor(text: string, argv: readonly Uint8Array[], command: readonly string[]): ReportFeed {
  const parsed = parseReports(text);
  if (parsed.isErr()) throw new ReportsRefused(parsed.error, EXIT.usage);
  const wanted = parsed.value;
  const settings = settingsOf(wanted);
  const request: ReporterRequest = { settings: settingsText(settings), words: undefined, console: undefined };
  const words = process.argv.slice(2);
  return new ReporterFeed({
    settings,
    request,
    run: {
      startedUnixMs: Date.now(),
      startedMonotonicMs: monotonicNs() / 1e6,
      toolPid: process.pid,
      toolPath: process.execPath,
      words,
      positional: command,
      flags: [`--report=${text}`],
    },
    argvSize: argv.reduce((n, word) => n + word.length + 1, 0),
    typedWords: words.length,
    heartbeatOnly: !wanted.exec,
    tell: (message) => say(`tk: ${printable(message)}`),
  });
}

/** The recording is the only place they go: no sink gets them. */
function settingsOf({ heartbeat }: WantedReports): Settings {
  const rate =
    heartbeat === undefined || heartbeat === "" ? [] : [{ path: "exec.heartbeat.rate", value: withUnit(heartbeat) }];
  const overrides = [{ path: "exec.heartbeat.run", value: heartbeat !== undefined }, ...rate];
  const loaded = readSettings({ commandName: "record", overrides });
  if (loaded.isErr()) throw refusedBy(loaded.error);
  const { settings } = loaded.value;
  // Functions cannot be handed over to the reporter; keys made by them are left out.
  return {
    ...settings,
    subscriptions: [],
    customReports: [],
    skipCommandReport: false,
    userKeys: new Map(),
    sinkConfigs: new Map(),
    terminalReport: { ...settings.terminalReport, enabled: false },
  };
}

function refusedBy(error: ConfigError): ReportsRefused {
  return new ReportsRefused(error.message, EXIT.recorderFailed, error.details, error.hint);
}

/** A number alone is seconds. */
export function withUnit(time: string): string {
  return /^\d+$/.test(time) ? `${time} seconds` : time;
}
