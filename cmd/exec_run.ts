// `tk exec` from words to a running program, without the command tree and without Effect: a program under tk waits for
// what is loaded here.
import { printable } from "../lib/base/text.ts";
import { formatDiagnostic } from "../lib/config/diagnostic.ts";
import { DEFAULT_SINK_CONFIGS, TERMINAL_REPORT, type LogLevel, type Settings } from "../lib/config/settings.ts";
import { currentDirectory } from "../lib/exec/directory.ts";
import { exec, terminalConsole } from "../lib/exec/exec.ts";
import { ExecError } from "../lib/exec/exec_error.ts";
import { isShown } from "../lib/exec/log.ts";
import { settingsText } from "../lib/exec/settings_text.ts";
import { monotonicNs } from "../lib/host/clock.ts";
import { ownLastArguments } from "../lib/host/proc.ts";
import { dieLike } from "../lib/host/signals.ts";
import { ConfigError } from "../lib/settings/config_error.ts";
import { readSettings, type LoadedSettings } from "../lib/settings/load_settings.ts";
import { EXIT, say, tellBug, tellFailure } from "./exit.ts";
import { parseExecWords, type ExecWords } from "./exec_words.ts";

/** What the reporter needs to come to the same settings. */
export interface ReporterRequest {
  /** Undefined: some settings are functions, and the configuration has to be evaluated again. */
  readonly settings: string | undefined;
  readonly words: ExecWords | undefined;
  readonly console: "stdout" | "stderr" | undefined;
}

/** `verb`: index of the word `exec`. */
export async function main(all: readonly string[], verb: number): Promise<void> {
  try {
    await run(all, verb);
  } catch (error) {
    process.exitCode = tell(error);
  }
}

function tell(error: unknown): number {
  if (error instanceof ExecError) return tellFailure(error);
  if (!(error instanceof ConfigError)) return tellBug(error);
  tellFailure(error);
  // 1 could be the program's; this is tk's, and the program has not run.
  return EXIT.recorderFailed;
}

async function run(all: readonly string[], verb: number): Promise<void> {
  const sinceStart = performance.now();
  const startedUnixMs = Math.floor(Date.now() - sinceStart);
  const startedMonotonicMs = monotonicNs() / 1e6 - sinceStart;
  const words = [...all.slice(0, verb), ...all.slice(verb + 1)];
  const parsed = parseExecWords(words);
  if (parsed.isErr()) {
    say(`tk exec: ${printable(parsed.error)}`);
    say("Try 'tk exec --help'.");
    process.exitCode = EXIT.usage;
    return;
  }
  const given = parsed.value;
  if (given.help) return (await import("./main.ts")).main(["exec", "--help"]);
  const console = given.output === undefined && given.format === undefined ? terminalConsole() : undefined;
  const loaded = loadFor(given);
  const settings = settingsFor(loaded.settings, given, console);
  const threshold = settings.logLevel ?? "warn";
  const log = (level: LogLevel, message: string) => {
    if (isShown(level, threshold)) say(`tk: ${printable(message)}`);
  };
  tellRemarks(loaded, threshold, log);
  const exact = ownLastArguments(all.length);
  const bytesOf = (word: number): Uint8Array =>
    exact?.[word < verb ? word : word + 1] ?? new TextEncoder().encode(words[word]);
  const { name } = given;
  const request: ReporterRequest = { settings: settingsText(settings), words: given, console };
  const status = await exec({
    wanted: {
      name: name === undefined ? undefined : bytesOf(name.word).subarray(name.from),
      args: words.slice(given.args).map((_, i) => bytesOf(given.args + i)),
    },
    settings,
    request,
    output:
      given.output === undefined && given.format === undefined
        ? undefined
        : { path: given.output, format: given.format ?? "json" },
    run: {
      words: all,
      positional: words.slice(given.args),
      flags: given.flags,
      configText: loaded.external?.text,
      startedUnixMs,
      startedMonotonicMs,
    },
    tell: log,
  });
  dieLike(status);
}

export function loadFor(given: ExecWords): LoadedSettings {
  const loaded = readSettings({
    commandName: "exec",
    configFile: given.configFile,
    overrides: given.overrides,
    useLoaded: given.useEmbedded,
    useExternal: given.useExternal,
    directory: currentDirectory(),
  });
  if (loaded.isErr()) throw loaded.error;
  return loaded.value;
}

/** With what only the command line and the terminal decide. */
export function settingsFor(settings: Settings, given: ExecWords, console: ReporterRequest["console"]): Settings {
  const known = [...settings.customReports.map((report) => report.name), TERMINAL_REPORT];
  for (const name of [...given.enableReports, ...given.disableReports])
    if (!known.includes(name)) {
      const problem = `There is no custom report '${name}'; there are: ${known.join(", ")}`;
      throw new ExecError({ _tag: "BadSettings", problems: [problem] });
    }
  const enabled = (name: string, otherwise: boolean) =>
    given.disableReports.includes(name) ? false : given.enableReports.includes(name) || otherwise;
  const { terminalReport } = settings;
  const isDefault = terminalReport.sinkConfigs.length === 1 && terminalReport.sinkConfigs[0] === "json_console_out";
  const toErr = isDefault && console === "stderr" && DEFAULT_SINK_CONFIGS.has("json_console_err");
  return {
    ...settings,
    customReports: settings.customReports.map((report) => ({
      ...report,
      enabled: enabled(report.name, report.enabled),
    })),
    terminalReport: {
      ...terminalReport,
      sinkConfigs: toErr ? ["json_console_err"] : terminalReport.sinkConfigs,
      enabled: console !== undefined && enabled(TERMINAL_REPORT, terminalReport.enabled),
    },
  };
}

function tellRemarks(
  loaded: LoadedSettings,
  threshold: LogLevel,
  log: (level: LogLevel, message: string) => void,
): void {
  for (const note of loaded.notes) {
    const level = note.severity === "warning" ? "warn" : note.severity;
    if (isShown(level, threshold)) say(formatDiagnostic(note));
  }
  for (const { level, text } of loaded.messages) {
    if (level === "echo") say(printable(text));
    else log(level, text);
  }
}
