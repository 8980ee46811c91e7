// The attributes of an evaluated configuration as the typed Settings, defaults filled in and names checked.
import { AttributeReader } from "./attribute_reader.ts";
import { type KnownNames, readOutputs, readReports, readTemplates, readUserKeys } from "./report_settings.ts";
import type { Session } from "./session.ts";
import { type ExecSettings, DEFAULT_SETTINGS, LOG_LEVELS, type Settings } from "./settings.ts";
import { orderSubscriptions, readAuthConfigs, readSinkConfigs } from "./sink_settings.ts";

/** Shorter pauses would only measure the reporter itself. */
const LEAST_RATE_MS = 10;

export function toSettings(session: Session, known: KnownNames): Settings {
  const root = new AttributeReader(session.tree, session.problems, []);
  const defaults = DEFAULT_SETTINGS;
  const authConfigs = readAuthConfigs(root);
  const sinkConfigs = readSinkConfigs(root, authConfigs);
  const userKeys = readUserKeys(root, session, known);
  const reportTemplates = readTemplates(root, session, known, userKeys);
  const reports = readReports(root, known, reportTemplates, sinkConfigs);
  const { env, reportCache } = defaults;
  return {
    exec: execSettings(root.in("exec"), defaults.exec),
    outconf: readOutputs(root, known, reportTemplates),
    reportTemplates,
    customReports: reports.custom,
    terminalReport: reports.terminal,
    sinkConfigs,
    authConfigs,
    subscriptions: orderSubscriptions(session.subscriptions, sinkConfigs, reports.custom),
    userKeys,
    env: {
      alwaysShow: root.strings("env_always_show", env.alwaysShow),
      neverShow: root.strings("env_never_show", env.neverShow),
      redact: root.strings("env_redact", env.redact),
      defaultAction: root.choice("env_default_action", ["show", "redact", "ignore"], env.defaultAction),
      scanValues: root.bool("env_vars", env.scanValues),
    },
    network: networkSettings(root.in("network"), defaults.network),
    docker: dockerSettings(root, defaults.docker),
    reportCache: {
      use: root.bool("use_report_cache", reportCache.use),
      location: root.string("report_cache_location", reportCache.location),
      lockTimeoutMs: 1000 * root.int("report_cache_lock_timeout_sec", reportCache.lockTimeoutMs / 1000, 0, 86_400),
    },
    logSearchPath: root.strings("log_search_path", defaults.logSearchPath),
    logLevel: root.choice("log_level", LOG_LEVELS, undefined),
    reportedLogLevel: root.choice("chalk_log_level", LOG_LEVELS, defaults.reportedLogLevel),
    logFormat: root.choice("log_format", ["auto", "json", "plain"], defaults.logFormat),
    color: root.stored("color") === undefined ? undefined : root.bool("color", false),
    skipCommandReport: root.bool("skip_command_report", defaults.skipCommandReport),
    skipCustomReports: root.bool("skip_custom_reports", defaults.skipCustomReports),
    skipSummaryReport: root.bool("skip_summary_report", defaults.skipSummaryReport),
    forceOutputOnReportingFails: root.bool("force_output_on_reporting_fails", defaults.forceOutputOnReportingFails),
    defaultCommand: root.string("default_command", defaults.defaultCommand),
  };
}

function execSettings(at: AttributeReader, d: ExecSettings): ExecSettings {
  const heartbeat = at.in("heartbeat");
  const postexec = at.in("postexec");
  const watch = postexec.in("access_watch");
  const deployment = at.in("exec_deployment");
  const appends = at.bool("append_command_line_args", d.appendCommandLineArgs);
  if (appends && at.stored("override_ok")?.value === true)
    at.refuse(
      "override_ok",
      "'append_command_line_args' and 'override_ok' are both true, expected at most one of them",
    );
  return {
    commandName: at.string("command_name", d.commandName),
    commandNameFromArgs: at.bool("command_name_from_args", d.commandNameFromArgs),
    defaultArgs: at.strings("default_args", d.defaultArgs),
    appendCommandLineArgs: appends,
    overrideOk: at.bool("override_ok", d.overrideOk),
    searchPath: at.stored("search_path") === undefined ? undefined : at.strings("search_path", []),
    usePath: at.bool("use_path", d.usePath),
    chalkAsParent: at.bool("chalk_as_parent", d.chalkAsParent),
    initialSleepTimeMs: at.duration("initial_sleep_time", d.initialSleepTimeMs),
    reportingProbability: at.int("reporting_probability", d.reportingProbability, 1, 100),
    heartbeat: {
      run: heartbeat.bool("run", d.heartbeat.run),
      rateMs: heartbeat.duration("rate", d.heartbeat.rateMs, LEAST_RATE_MS),
      rlimitBytes: heartbeat.size("rlimit", d.heartbeat.rlimitBytes),
      nice: heartbeat.int("nice", d.heartbeat.nice, 0, 19),
    },
    postexec: {
      run: postexec.bool("run", d.postexec.run),
      fork: postexec.bool("fork", d.postexec.fork),
      nice: postexec.int("nice", d.postexec.nice, 0, 19),
      prepTmpPath: watch.string("prep_tmp_path", d.postexec.prepTmpPath),
      initialPollTimeMs: watch.duration("initial_poll_time", d.postexec.initialPollTimeMs),
      initialPollIntervalMs: watch.duration("initial_poll_interval", d.postexec.initialPollIntervalMs),
      scanCodecs: watch.strings("scan_codecs", d.postexec.scanCodecs),
      scanPaths: watch.strings("scan_paths", d.postexec.scanPaths),
    },
    deployment: {
      ignoredEnvVars: deployment.strings("ignored_env_vars", d.deployment.ignoredEnvVars),
      ignoredVolumeMounts: deployment.strings("ignored_volume_mounts", d.deployment.ignoredVolumeMounts),
    },
  };
}

function networkSettings(at: AttributeReader, d: Settings["network"]): Settings["network"] {
  const hops = at.dict<number>("partial_traceroute_ips", d.partialTracerouteIps);
  for (const [address, count] of Object.entries(hops))
    if (count < 1 || count > 30) at.refuse("partial_traceroute_ips", `${count} hops to '${address}', expected 1 to 30`);
  return {
    tcpSocketStatuses: at.strings("tcp_socket_statuses", d.tcpSocketStatuses).map((status) => status.toUpperCase()),
    partialTracerouteIps: hops,
    partialTracerouteTimeoutMs: at.int("partial_traceroute_timeout_ms", d.partialTracerouteTimeoutMs, 1, 10_000),
  };
}

function dockerSettings(root: AttributeReader, d: Settings["docker"]): Settings["docker"] {
  const at = root.in("docker");
  return {
    exe: root.string("docker_exe", d.exe),
    wrapEntrypoint: at.bool("wrap_entrypoint", d.wrapEntrypoint),
    wrapCmd: at.bool("wrap_cmd", d.wrapCmd),
    archBinaryLocationsPath: at.string("arch_binary_locations_path", d.archBinaryLocationsPath),
    downloadArchBinary: at.bool("download_arch_binary", d.downloadArchBinary),
    downloadArchBinaryUrls: at.strings("download_arch_binary_urls", d.downloadArchBinaryUrls),
    labelPrefix: at.string("label_prefix", d.labelPrefix),
    labelTemplate: at.string("label_template", d.labelTemplate),
    customLabels: at.dict<string>("custom_labels", d.customLabels),
    additionalEnvVars: at.dict<string>("additional_env_vars", d.additionalEnvVars),
    prepPostexec: at.bool("prep_postexec", d.prepPostexec),
    updateDockerignore: at.bool("update_dockerignore", d.updateDockerignore),
    reportUnwrappedCommands: at.bool("report_unwrapped_commands", d.reportUnwrappedCommands),
    logLevel: root.choice("docker_log_level", LOG_LEVELS, d.logLevel),
  };
}
