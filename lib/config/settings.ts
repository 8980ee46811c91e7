// What a configuration comes to: the typed settings that exec, reports, sinks and containers read, and their defaults.
// Plain data; it never reads a file or the environment. Durations are milliseconds, sizes are bytes, names are as in the file.
import type { FieldValue } from "./field_value.ts";
import type { Place } from "./source_text.ts";

/** Everything that can report; also the names of the `outconf` sections. */
export const OPERATIONS = [
  "insert",
  "extract",
  "build",
  "push",
  "pull",
  "exec",
  "heartbeat",
  "postexec",
  "delete",
  "env",
  "load",
  "dump",
  "setup",
  "docker",
] as const;

export type Operation = (typeof OPERATIONS)[number];

export const LOG_LEVELS = ["trace", "verbose", "info", "warn", "error", "none"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface HeartbeatSettings {
  readonly run: boolean;
  /** Pause between two reports; above 0. */
  readonly rateMs: number;
  /** RLIMIT_AS of the reporter; 0 is no limit. */
  readonly rlimitBytes: number;
  /** 0 to 19, added to the reporter's niceness. */
  readonly nice: number;
}

export interface PostexecSettings {
  readonly run: boolean;
  readonly fork: boolean;
  readonly nice: number;
  readonly prepTmpPath: string;
  readonly initialPollTimeMs: number;
  readonly initialPollIntervalMs: number;
  readonly scanCodecs: readonly string[];
  readonly scanPaths: readonly string[];
}

export interface ExecSettings {
  /** Empty: taken from the arguments when `commandNameFromArgs`. */
  readonly commandName: string;
  readonly commandNameFromArgs: boolean;
  readonly defaultArgs: readonly string[];
  readonly appendCommandLineArgs: boolean;
  readonly overrideOk: boolean;
  /** Undefined: never set, so every directory of $PATH and then `.`. */
  readonly searchPath: readonly string[] | undefined;
  readonly usePath: boolean;
  readonly chalkAsParent: boolean;
  readonly initialSleepTimeMs: number;
  /** 1 to 100 per cent. */
  readonly reportingProbability: number;
  readonly heartbeat: HeartbeatSettings;
  readonly postexec: PostexecSettings;
  readonly deployment: { readonly ignoredEnvVars: readonly string[]; readonly ignoredVolumeMounts: readonly string[] };
}

export interface OutputSettings {
  /** A template's name; empty is the template `null`, nothing. */
  readonly reportTemplate: string;
  readonly perChalkReports: boolean;
}

/** What a configuration says about one key of a template; undefined leaves what the built-in template says. */
export interface TemplateKey {
  readonly use: boolean | undefined;
  readonly order: number | undefined;
  readonly objectStore: string | undefined;
}

/** Additions to a built-in template of the same name, or a new template. */
export interface TemplateSettings {
  readonly name: string;
  readonly doc: string;
  readonly keys: ReadonlyMap<string, TemplateKey>;
  /** Templates whose keys are taken where this one does not mention them, nearest first (copy_report_template_keys). */
  readonly copiesFrom: readonly string[];
}

export interface CustomReport {
  readonly name: string;
  readonly enabled: boolean;
  readonly reportTemplate: string;
  /** Names of sink configurations, all of which exist. */
  readonly sinkConfigs: readonly string[];
  /** Operations; `*` alone is all of them. */
  readonly useWhen: readonly string[];
  readonly perChalk: boolean;
}

export interface SinkConfig {
  readonly name: string;
  /** The sink's type (`file`, `post`, ...); empty defines nothing. */
  readonly sink: string;
  readonly enabled: boolean;
  /** Higher first. */
  readonly priority: number;
  readonly filters: readonly string[];
  /** Name of an auth_config that exists. */
  readonly auth: string | undefined;
  /** Told after each successful write. */
  readonly onWriteMessage: string | undefined;
  /** The fields of its sink type (`./sink_fields.ts`), checked and in plain units. */
  readonly fields: Readonly<Record<string, FieldValue>>;
  /** `normalize.KEY.callback` of the dns sink: key to what becomes of its value. */
  readonly normalize: ReadonlyMap<string, (value: string) => string>;
  /** Where it was written; undefined for a built-in one. */
  readonly place: Place | undefined;
}

export interface AuthConfig {
  readonly name: string;
  readonly auth: "basic" | "jwt";
  readonly username: string;
  readonly password: string;
  readonly token: string;
}

export interface Subscription {
  readonly topic: string;
  /** Name of an enabled sink configuration. */
  readonly config: string;
}

/** A key that the configuration itself declares (`keyspec _X_NAME { ... }`). */
export interface UserKey {
  readonly name: string;
  readonly level: "host" | "artifact";
  readonly doc: string;
  /** Its value for one report; `artifact` is a path or empty. Undefined: not known. Throws ConfigFault when its function fails. */
  compute(artifact: string): FieldValue | undefined;
}

export interface EnvSettings {
  readonly alwaysShow: readonly string[];
  readonly neverShow: readonly string[];
  readonly redact: readonly string[];
  readonly defaultAction: "show" | "redact" | "ignore";
  /** Whether environment values are scanned for artifacts. */
  readonly scanValues: boolean;
}

export interface NetworkSettings {
  /** Upper case; `*` is all. */
  readonly tcpSocketStatuses: readonly string[];
  /** Address to number of hops. */
  readonly partialTracerouteIps: Readonly<Record<string, number>>;
  readonly partialTracerouteTimeoutMs: number;
}

export interface DockerSettings {
  /** Path of the docker program; empty is the first of $PATH that is not tk. */
  readonly exe: string;
  readonly wrapEntrypoint: boolean;
  readonly wrapCmd: boolean;
  readonly archBinaryLocationsPath: string;
  readonly downloadArchBinary: boolean;
  readonly downloadArchBinaryUrls: readonly string[];
  readonly labelPrefix: string;
  readonly labelTemplate: string;
  readonly customLabels: Readonly<Record<string, string>>;
  readonly additionalEnvVars: Readonly<Record<string, string>>;
  readonly prepPostexec: boolean;
  readonly updateDockerignore: boolean;
  readonly reportUnwrappedCommands: boolean;
  readonly logLevel: LogLevel;
}

export interface ReportCacheSettings {
  readonly use: boolean;
  /**
   * Empty: `tk/undelivered.jsonl` in `$XDG_STATE_HOME` (`~/.local/state`), since the current directory is anybody's.
   * Relative to the directory in which tk was started; `~` is the home directory.
   */
  readonly location: string;
  readonly lockTimeoutMs: number;
}

/** The report on the terminal, beside the one that the sinks get. */
export interface TerminalReportSettings {
  readonly enabled: boolean;
  /** Empty: the template of the operation's own report. */
  readonly reportTemplate: string;
  readonly sinkConfigs: readonly string[];
  readonly useWhen: readonly string[];
}

export interface Settings {
  readonly exec: ExecSettings;
  readonly outconf: Readonly<Record<Operation, OutputSettings>>;
  /** What the configuration says about templates; the built-in ones are data of lib/report. */
  readonly reportTemplates: ReadonlyMap<string, TemplateSettings>;
  readonly customReports: readonly CustomReport[];
  readonly terminalReport: TerminalReportSettings;
  /** Built-in ones included. */
  readonly sinkConfigs: ReadonlyMap<string, SinkConfig>;
  readonly authConfigs: ReadonlyMap<string, AuthConfig>;
  /** In the order in which a message is delivered: by priority, then as subscribed; unsubscribed ones are gone. */
  readonly subscriptions: readonly Subscription[];
  readonly userKeys: ReadonlyMap<string, UserKey>;
  readonly env: EnvSettings;
  readonly network: NetworkSettings;
  readonly docker: DockerSettings;
  readonly reportCache: ReportCacheSettings;
  /** Where a file sink may go when its own directory cannot be used. */
  readonly logSearchPath: readonly string[];
  /** Undefined: the verb decides (it depends on the terminal). */
  readonly logLevel: LogLevel | undefined;
  /** From which level on messages are reported in `_OP_ERRORS`. */
  readonly reportedLogLevel: LogLevel;
  readonly logFormat: "auto" | "json" | "plain";
  readonly color: boolean | undefined;
  readonly skipCommandReport: boolean;
  readonly skipCustomReports: boolean;
  readonly skipSummaryReport: boolean;
  readonly forceOutputOnReportingFails: boolean;
  /** The verb that is meant when none is named; empty is none. */
  readonly defaultCommand: string;
}

function output(reportTemplate: string): OutputSettings {
  return { reportTemplate, perChalkReports: false };
}

/** Which built-in template each operation uses unless told otherwise. */
export const DEFAULT_OUTCONF: Settings["outconf"] = {
  insert: output("insertion_default"),
  build: output("insertion_default"),
  push: output("insertion_default"),
  load: output("insertion_default"),
  setup: output("insertion_default"),
  extract: output("report_default"),
  pull: output("report_default"),
  exec: output("report_default"),
  postexec: output("report_default"),
  delete: output("report_default"),
  env: output("report_default"),
  dump: output("report_default"),
  heartbeat: output("heartbeat"),
  docker: output("unknown_docker"),
};

/** Topics one may subscribe to, besides the names of custom reports. */
export const TOPICS = ["report", "fail", "audit", "version", "help", "confdump", "virtual", "logs", "con4m"] as const;

function builtIn(name: string, sink: string, more: Partial<SinkConfig> = {}): [string, SinkConfig] {
  return [
    name,
    {
      name,
      sink,
      enabled: true,
      priority: 0,
      filters: [],
      auth: undefined,
      onWriteMessage: undefined,
      fields: {},
      normalize: new Map(),
      place: undefined,
      ...more,
    },
  ];
}

const PRETTY = ["pretty_json", "fix_new_line"];

export const DEFAULT_SINK_CONFIGS: ReadonlyMap<string, SinkConfig> = new Map([
  builtIn("default_out", "file", { fields: { filename: "~/.local/state/tk/reports.log" } }),
  builtIn("console_out", "stdout"),
  builtIn("console_err", "stderr"),
  builtIn("json_console_out", "stdout", { filters: PRETTY }),
  builtIn("json_console_err", "stderr", { filters: PRETTY }),
  builtIn("github_json_group", "stdout", { filters: [...PRETTY, "github_log_group"] }),
  builtIn("gitlab_json_group", "stdout", { filters: [...PRETTY, "gitlab_log_section"] }),
  builtIn("virtual_chalk_log", "file", {
    filters: ["fix_new_line"],
    fields: { filename: "./virtual-chalk.json" },
  }),
]);

export const DEFAULT_SUBSCRIPTIONS: readonly Subscription[] = [
  { topic: "report", config: "default_out" },
  { topic: "audit", config: "default_out" },
  { topic: "version", config: "console_out" },
  { topic: "help", config: "console_out" },
  { topic: "confdump", config: "console_out" },
  { topic: "virtual", config: "virtual_chalk_log" },
];

/** The built-in custom report that shows the command report on the terminal. */
export const TERMINAL_REPORT = "terminal_other_op";

/** What holds when no configuration says anything. */
export const DEFAULT_SETTINGS: Settings = {
  exec: {
    commandName: "",
    commandNameFromArgs: true,
    defaultArgs: [],
    appendCommandLineArgs: false,
    overrideOk: true,
    searchPath: undefined,
    usePath: true,
    chalkAsParent: false,
    initialSleepTimeMs: 50,
    reportingProbability: 100,
    heartbeat: { run: false, rateMs: 20_000, rlimitBytes: 0, nice: 5 },
    postexec: {
      run: false,
      fork: false,
      nice: 5,
      prepTmpPath: "/tmp/prep_postexec.txt",
      initialPollTimeMs: 5000,
      initialPollIntervalMs: 10,
      scanCodecs: ["certs"],
      scanPaths: ["/"],
    },
    deployment: { ignoredEnvVars: [], ignoredVolumeMounts: [] },
  },
  outconf: DEFAULT_OUTCONF,
  reportTemplates: new Map(),
  customReports: [],
  terminalReport: {
    enabled: true,
    reportTemplate: "",
    sinkConfigs: ["json_console_out"],
    useWhen: ["extract", "delete", "exec", "heartbeat", "postexec", "env"],
  },
  sinkConfigs: DEFAULT_SINK_CONFIGS,
  authConfigs: new Map(),
  subscriptions: DEFAULT_SUBSCRIPTIONS,
  userKeys: new Map(),
  env: {
    alwaysShow: ["PATH", "PWD", "XDG_SESSION_TYPE", "USER", "SSH_TTY"],
    neverShow: [],
    redact: ["AWS_SECRET_ACCESS_KEY"],
    defaultAction: "ignore",
    scanValues: true,
  },
  network: {
    tcpSocketStatuses: ["LISTEN", "ESTABLISHED"],
    partialTracerouteIps: {},
    partialTracerouteTimeoutMs: 10,
  },
  docker: {
    exe: "",
    wrapEntrypoint: false,
    wrapCmd: true,
    archBinaryLocationsPath: "~/.local/chalk/bin",
    downloadArchBinary: false,
    downloadArchBinaryUrls: [],
    labelPrefix: "run.crashoverride.",
    labelTemplate: "chalk_labels",
    customLabels: {},
    additionalEnvVars: {},
    prepPostexec: false,
    updateDockerignore: true,
    reportUnwrappedCommands: false,
    logLevel: "error",
  },
  reportCache: { use: true, location: "", lockTimeoutMs: 15_000 },
  logSearchPath: ["/var/log/tk/", "~/.log/tk/"],
  logLevel: undefined,
  reportedLogLevel: "error",
  logFormat: "auto",
  color: undefined,
  skipCommandReport: false,
  skipCustomReports: false,
  skipSummaryReport: false,
  forceOutputOnReportingFails: true,
  defaultCommand: "",
};
