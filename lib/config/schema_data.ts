// Every section and attribute of a configuration: type, default and meaning. Data only; docs/configuration.md is checked against it.
// A default here is what reading the attribute gives; a law test compares it with settings.ts.
import type { AttributeSpec, SectionSpec } from "./schema.ts";
import { UNUSED_ATTRIBUTES, UNUSED_DOCKER_ATTRIBUTES, UNUSED_SECTIONS } from "./schema_unused.ts";

function attribute(type: string, fallback: string | undefined, doc: string): AttributeSpec {
  return { type, fallback, doc };
}

function section(
  doc: string,
  attributes: Readonly<Record<string, AttributeSpec>>,
  sections: Readonly<Record<string, SectionSpec>> = {},
  more: { readonly named?: true; readonly open?: "sink" | "auth" } = {},
): SectionSpec {
  return { named: false, ...more, doc, attributes, sections };
}

const NAMED = { named: true } as const;

const DOC = {
  shortdoc: attribute("string", undefined, "One line about it"),
  doc: attribute("string", undefined, "More about it"),
};

const EXEC = section(
  "How `tk exec` starts a program and reports on it",
  {
    command_name: attribute("string", '""', "The program to run"),
    command_name_from_args: attribute("bool", "true", "Without command_name, the first argument is the program"),
    default_args: attribute("list[string]", "[]", "Arguments passed when none are given"),
    append_command_line_args: attribute("bool", "false", "default_args first, then the command line's arguments"),
    override_ok: attribute("bool", "true", "The command line's arguments may replace default_args"),
    search_path: attribute(
      "list[string]",
      undefined,
      "Directories searched first; those of $PATH and `.` if never set",
    ),
    use_path: attribute("bool", "true", "Search $PATH after search_path"),
    chalk_as_parent: attribute("bool", "false", "tk stays the parent, instead of becoming the program"),
    initial_sleep_time: attribute("Duration", "<<50 ms>>", "Pause between the start and the first look at the process"),
    reporting_probability: attribute("int", "100", "1 to 100 per cent: how often anything is reported at all"),
  },
  {
    heartbeat: section("Reports while the program runs", {
      run: attribute("bool", "false", "Send them (old name: exec.heartbeat)"),
      rate: attribute("Duration", "<<20 sec>>", "Time between two of them (old name: exec.heartbeat_rate)"),
      rlimit: attribute("Size", "<<0 bytes>>", "Address space limit of the reporter; 0 is none"),
      nice: attribute("int", "5", "0 to 19: niceness added to the reporter"),
    }),
    postexec: section(
      "An extra report on files that were used after the start",
      {
        run: attribute("bool", "false", "Send it"),
        fork: attribute("bool", "false", "From a process of its own"),
        nice: attribute("int", "5", "0 to 19: niceness added to that process"),
      },
      {
        access_watch: section("Which files are watched, and how long", {
          prep_tmp_path: attribute(
            "string",
            '"/tmp/prep_postexec.txt"',
            "The list of files, made when the image was built",
          ),
          initial_poll_time: attribute("Duration", "<<5 sec>>", "How long to look"),
          initial_poll_interval: attribute("Duration", "<<10 ms>>", "How often to look"),
          scan_codecs: attribute("list[string]", '["certs"]', "What the preparation looks for"),
          scan_paths: attribute("list[string]", '["/"]', "Where the preparation looks"),
        }),
      },
    ),
    exec_deployment: section("What is left out of a Kubernetes deployment's identity", {
      ignored_env_vars: attribute("list[string]", "[]", "Names of variables"),
      ignored_volume_mounts: attribute("list[string]", "[]", "Names of mounts"),
    }),
  },
);

const OUTCONF = section(
  "What an operation reports: exec, heartbeat, postexec, load, docker, ...",
  {
    report_template: attribute("string", undefined, "Name of a report_template; empty reports nothing"),
    per_chalk_reports: attribute("bool", "false", "One report per artifact instead of one for all"),
    mark_template: { ...attribute("string", undefined, "What a mark contains"), unused: true },
    doc: DOC.doc,
  },
  {},
  NAMED,
);

const REPORT_TEMPLATE = section(
  "Which keys a report has; naming an existing one adds to it",
  DOC,
  {
    key: section(
      "One key of the report",
      {
        use: attribute("bool", "true", "Whether the report has it"),
        order: attribute("int", undefined, "Its place in the report; smaller comes first"),
        object_store: attribute("string", '""', "Where a large value is stored instead"),
      },
      {},
      NAMED,
    ),
    default_object_store: section("Where large values are stored", {
      enabled: attribute("bool", "false", "Whether they are"),
      object_store: attribute("string", '""', "Name of an object_store_config"),
      threshold: attribute("Size", undefined, "From which size on"),
    }),
  },
  NAMED,
);

const CUSTOM_REPORT = section(
  "A second report of the same data, for sinks of its own",
  {
    enabled: attribute("bool", "true", "Whether it is sent"),
    report_template: attribute("string", undefined, "Name of a report_template; required"),
    sink_configs: attribute("list[string]", undefined, "Names of sink_configs; required"),
    use_when: attribute("list[string]", '["*"]', 'Operations; "*" alone is all of them'),
    per_chalk: attribute("bool", "false", "One report per artifact"),
    doc: DOC.doc,
  },
  {},
  NAMED,
);

const SINK_CONFIG = section(
  "A place where reports go; the other fields depend on `sink`",
  {
    sink: attribute("string", '""', "stdout, stderr, file, rotating_log, post, presign, s3 or dns"),
    enabled: attribute("bool", "true", "false: it cannot be subscribed"),
    priority: attribute("int", "0", "0 or more: who gets a report first"),
    filters: attribute("list[string]", "[]", "What a report goes through on its way"),
    auth: attribute("string", '""', "Name of an auth_config"),
    on_write_msg: attribute("string", '""', "Told after each successful write"),
  },
  {
    normalize: section(
      "What becomes of a key's value in a dns name",
      { callback: attribute("func (string) -> string", undefined, "Gets the value, gives the text") },
      {},
      NAMED,
    ),
  },
  { named: true, open: "sink" },
);

const KEYSPEC = section(
  "A report key of one's own; its name begins with X_ or _X_",
  {
    kind: attribute(
      "int",
      undefined,
      "RunTimeHost or RunTimeArtifact (ChalkTimeHost and ChalkTimeArtifact are accepted)",
    ),
    type: attribute("typespec", undefined, "The type of its value"),
    value: attribute("`v", undefined, "Its value"),
    callback: attribute("func (string) -> `v", undefined, "Gives its value, at each report; gets the artifact's path"),
    ...DOC,
    required_in_chalk_mark: { ...attribute("bool", "false", "For marks"), unused: true },
    required_in_self_mark: { ...attribute("bool", "false", "For marks"), unused: true },
    never_early: { ...attribute("bool", "false", "For marks"), unused: true },
    standard: { ...attribute("bool", "false", "For chalk itself"), unused: true },
    system: { ...attribute("bool", "false", "For chalk itself"), unused: true },
    conf_as_system: { ...attribute("bool", "false", "For chalk itself"), unused: true },
    codec: { ...attribute("bool", "false", "For chalk itself"), unused: true },
    since: { ...attribute("string", undefined, "Since which version"), unused: true },
    normalized_order: { ...attribute("int", undefined, "For marks"), unused: true },
    only_object_store: { ...attribute("bool", "false", "Only in an object store"), unused: true },
    apply_substitutions: { ...attribute("bool", "false", "For marks"), unused: true },
    canonicalize: { ...attribute("func (`x) -> `y", undefined, "For marks"), unused: true },
  },
  {},
  NAMED,
);

const NETWORK = section("What reports say about the network", {
  tcp_socket_statuses: attribute(
    "list[string]",
    '["LISTEN", "ESTABLISHED"]',
    'States of sockets that are reported; "*" is all',
  ),
  partial_traceroute_ips: attribute("dict[string, int]", "{}", "Addresses to trace, and how many hops"),
  partial_traceroute_timeout_ms: attribute("int", "10", "Milliseconds to wait for a hop"),
});

const DOCKER = section(
  "What `tk docker` does with images",
  {
    wrap_entrypoint: attribute("bool", "false", "Put `tk exec` in front of an image's entrypoint"),
    wrap_cmd: attribute("bool", "true", "Also where an image has only a CMD"),
    arch_binary_locations_path: attribute("string", '"~/.local/chalk/bin"', "Where binaries for other platforms are"),
    download_arch_binary: attribute("bool", "false", "Fetch them when they are missing"),
    download_arch_binary_urls: attribute("list[string]", "[]", "Where from"),
    label_prefix: attribute("string", '"run.crashoverride."', "What the labels' names begin with"),
    label_template: attribute("string", '"chalk_labels"', "Which keys become labels"),
    custom_labels: attribute("dict[string, string]", "{}", "Further labels"),
    additional_env_vars: attribute("dict[string, string]", "{}", "Variables that are set in the image"),
    prep_postexec: attribute("bool", "false", "Prepare the image for postexec reports"),
    update_dockerignore: attribute("bool", "true", "Let a .dockerignore pass what tk adds"),
    report_unwrapped_commands: attribute("bool", "false", "Also report sub-commands that are only passed on"),
    ...UNUSED_DOCKER_ATTRIBUTES,
  },
  UNUSED_SECTIONS.docker,
);

export const ROOT: SectionSpec = {
  named: false,
  doc: "",
  attributes: {
    default_command: attribute("string", '""', "The verb that is meant when none is named"),
    config_path: attribute("list[string]", undefined, "Directories in which the configuration file is looked for"),
    config_filename: attribute("string", undefined, "The name it is looked for by"),
    load_external_config: attribute("bool", "true", "Whether it is looked for at all"),
    load_embedded_config: attribute("bool", "true", "Whether what was loaded is used"),
    log_level: attribute(
      "string",
      undefined,
      "trace, verbose, info, warn, error or none; the verb decides if never set",
    ),
    chalk_log_level: attribute("string", '"error"', "From which level on messages are in `_OP_ERRORS`"),
    docker_log_level: attribute("string", '"error"', "The same as log_level, for `tk docker`"),
    log_format: attribute("string", '"auto"', "auto, json or plain"),
    log_search_path: attribute(
      "list[string]",
      '["/var/log/tk/", "~/.log/tk/"]',
      "Where a file sink goes when its own directory cannot be used",
    ),
    color: attribute("bool", undefined, "Colours; those of the terminal if never set"),
    env_always_show: attribute(
      "list[string]",
      '["PATH", "PWD", "XDG_SESSION_TYPE", "USER", "SSH_TTY"]',
      "Variables whose values `_ENV` shows",
    ),
    env_never_show: attribute("list[string]", "[]", "Variables that `_ENV` leaves out"),
    env_redact: attribute("list[string]", '["AWS_SECRET_ACCESS_KEY"]', "Variables whose values `_ENV` hides"),
    env_default_action: attribute("string", '"ignore"', "show, redact or ignore: all other variables"),
    env_vars: attribute("bool", "true", "Look for artifacts in the values of variables"),
    use_report_cache: attribute("bool", "true", "Keep reports that could not be delivered, and deliver them later"),
    report_cache_location: attribute("string", '""', "Where they are kept; tk's own state directory if empty"),
    report_cache_lock_timeout_sec: attribute("int", "15", "How long to wait for another tk that uses it"),
    force_output_on_reporting_fails: attribute("bool", "true", "Show a report that no sink took"),
    skip_command_report: attribute("bool", "false", "No report of the command itself"),
    skip_custom_reports: attribute("bool", "false", "No custom reports"),
    skip_summary_report: attribute("bool", "false", "No report on the terminal"),
    docker_exe: attribute("string", undefined, "The docker program; the first of $PATH that is not tk if never set"),
    ...UNUSED_ATTRIBUTES,
  },
  sections: {
    exec: EXEC,
    outconf: OUTCONF,
    report_template: REPORT_TEMPLATE,
    custom_report: CUSTOM_REPORT,
    sink_config: SINK_CONFIG,
    auth_config: section(
      "How to identify oneself to a server",
      { auth: attribute("string", undefined, "basic (username, password) or jwt (token)") },
      {},
      { named: true, open: "auth" },
    ),
    keyspec: KEYSPEC,
    network: NETWORK,
    docker: DOCKER,
    ...UNUSED_SECTIONS.root,
  },
};

/** Names of older releases. */
export const ALIASES: ReadonlyMap<string, string> = new Map([
  ["exec.heartbeat", "exec.heartbeat.run"],
  ["exec.heartbeat_rate", "exec.heartbeat.rate"],
]);
