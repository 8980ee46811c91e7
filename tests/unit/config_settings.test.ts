// From attributes to settings: defaults, both generations of names, sinks, templates, reports, keys, and what is refused.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "bun:test";
import { Configuration } from "../../lib/config/configuration.ts";
import { parseFallback } from "../../lib/config/fallback.ts";
import type { AttributeSpec, SectionSpec } from "../../lib/config/schema.ts";
import { ROOT } from "../../lib/config/schema_data.ts";
import { DEFAULT_SETTINGS } from "../../lib/config/settings.ts";
import { SourceText } from "../../lib/config/source_text.ts";
import { printSource } from "../../lib/config/value.ts";
import { errorsOf, evaluate, fakeHost, KNOWN } from "../support/config_host.ts";

const fixture = (name: string) => readFileSync(join(import.meta.dir, "../fixtures/c4m", `${name}.c4m`), "utf8");
const first = (text: string) => errorsOf(text)[0]?.split("\n")[0] ?? "no error";

/** Every attribute with a default that one can set, by dotted name. */
function* attributes(spec: SectionSpec, at = ""): Generator<readonly [string, AttributeSpec]> {
  for (const [name, attribute] of Object.entries(spec.attributes)) yield [at + name, attribute];
  for (const [name, section] of Object.entries(spec.sections))
    if (!section.named) yield* attributes(section, `${at}${name}.`);
}

describe("defaults", () => {
  test("nothing said is DEFAULT_SETTINGS", () => {
    expect(evaluate("").settings).toEqual(DEFAULT_SETTINGS);
  });

  test("setting every attribute to its default changes nothing, so both tables agree", () => {
    const lines = [...attributes(ROOT)]
      .filter(([, a]) => a.unused !== true && a.fallback !== undefined)
      // The two are refused together when both are written down.
      .filter(([name]) => name !== "exec.append_command_line_args")
      .map(([name, a]) => `${name}: ${a.fallback}`);
    expect(lines.length).toBeGreaterThan(50);
    expect(evaluate(lines.join("\n")).settings).toEqual(DEFAULT_SETTINGS);
  });

  test("every default is a value of its type", () => {
    for (const [name, a] of attributes(ROOT))
      if (a.fallback !== undefined) expect([name, parseFallback(a.fallback)]).not.toEqual([name, undefined]);
    expect(printSource(parseFallback('["a"]')!)).toBe('["a"]');
  });
});

describe("the guide's files", () => {
  test("heartbeat-config.c4m", () => {
    const { settings, notes } = evaluate(fixture("heartbeat-config"));
    expect(notes).toEqual([]);
    expect(settings.exec.heartbeat).toEqual({ run: true, rateMs: 10_000, rlimitBytes: 0, nice: 5 });
    expect(settings.outconf.heartbeat.reportTemplate).toBe("heartbeat_report");
    expect(settings.outconf.exec.reportTemplate).toBe("report_default");
    const template = settings.reportTemplates.get("heartbeat_report");
    expect([...(template?.keys.keys() ?? [])]).toEqual([
      "_PROCESS_PID",
      "_PROCESS_STATE",
      "_PROCESS_CWD",
      "_OP_TCP_SOCKET_INFO",
      "_TIMESTAMP",
      "_DATETIME",
    ]);
    expect(template?.keys.get("_PROCESS_PID")).toEqual({ use: true, order: undefined, objectStore: undefined });
  });

  test("file-output-config.c4m", () => {
    const { settings } = evaluate(fixture("file-output-config"));
    expect(settings.sinkConfigs.get("exec_file_output")).toMatchObject({
      sink: "file",
      enabled: true,
      fields: { filename: "./exec-reports.log" },
    });
    expect(settings.subscriptions.filter((s) => s.topic === "report")).toEqual([
      { topic: "report", config: "default_out" },
      { topic: "report", config: "exec_file_output" },
    ]);
  });

  test("network-config.c4m and docker-wrap-config.c4m", () => {
    const { settings } = evaluate(fixture("network-config") + fixture("docker-wrap-config"));
    expect(settings.outconf.exec.reportTemplate).toBe("network_focus");
    expect(settings.reportTemplates.get("network_focus")?.keys.size).toBe(8);
    expect(settings.docker.wrapEntrypoint).toBe(true);
  });
});

describe("both generations of heartbeat names", () => {
  test.each([
    "exec.heartbeat: true\nexec.heartbeat_rate: <<3 seconds>>",
    "exec.heartbeat.run: true\nexec.heartbeat.rate: <<3 sec>>",
    "exec { heartbeat { run: true\nrate = <<3 sec>> } }",
    "exec { heartbeat: true\nheartbeat_rate: <<3 sec>> }",
    "exec { heartbeat.run = true; heartbeat.rate = <<3 sec>> }",
    'exec.heartbeat.run: true\nif exec.heartbeat { exec.heartbeat_rate: Duration("3 sec") }',
  ])("%j", (text) => {
    expect(evaluate(text).settings.exec.heartbeat).toMatchObject({ run: true, rateMs: 3000 });
  });
});

describe("sinks", () => {
  test("fields come in plain units", () => {
    const { settings } = evaluate(
      `
sink_config log { sink: "rotating_log"  filename: "a.log" max: <<10mb>> truncation_amount: <<1 MiB>> }
sink_config web { sink: "post"
  uri: "https://x/" headers: {"A": "b"} timeout: <<2 sec>> priority: 5 filters: ["fix_new_line"]
  auth: "me" on_write_msg: "sent" }
auth_config me { auth: "basic"
 username: "u" password: "p" }
subscribe("report", "log")
subscribe("report", "web")
subscribe("report", "web")
unsubscribe("report", "default_out")`.replace(
        / {1,2}(?=(filename|max|truncation|headers|timeout|priority|filters|on_write|password))/g,
        "\n",
      ),
    );
    expect(settings.sinkConfigs.get("log")?.fields).toEqual({
      filename: "a.log",
      max: 10_000_000,
      truncation_amount: 1_048_576,
    });
    expect(settings.sinkConfigs.get("web")).toMatchObject({
      fields: { uri: "https://x/", headers: { A: "b" }, timeout: 2000 },
      auth: "me",
      onWriteMessage: "sent",
      priority: 5,
    });
    expect(settings.authConfigs.get("me")).toMatchObject({ auth: "basic", username: "u", password: "p" });
    // Highest priority first, then as subscribed; subscribing twice is once.
    expect(settings.subscriptions.filter((s) => s.topic === "report").map((s) => s.config)).toEqual(["web", "log"]);
  });

  test("a field of a built-in one can be changed alone", () => {
    const { settings } = evaluate('sink_config default_out { filename: "/tmp/x" }');
    expect(settings.sinkConfigs.get("default_out")).toMatchObject({ sink: "file", fields: { filename: "/tmp/x" } });
  });

  test("a disabled one is told and gets nothing", () => {
    const { settings, notes } = evaluate('sink_config a { enabled: false\nsink: "stdout" }\nsubscribe("report", "a")');
    expect(notes.map((n) => n.message)).toEqual(["the sink configuration 'a' is disabled and gets nothing"]);
    expect(settings.subscriptions.some((s) => s.config === "a")).toBe(false);
  });

  test.each([
    [
      'sink_config a { sink: "fil" }',
      "test.c4m:1:17: no such sink 'fil', expected stdout, stderr, file, rotating_log, post, presign, s3 or dns; did you mean 'file'?",
    ],
    [
      'sink_config a { sink: "file" }',
      "test.c4m:1:17: sink_config 'a' is missing the required field 'filename' of the sink 'file'",
    ],
    [
      'sink_config a { sink: "stdout"\n filename: "x" }',
      "test.c4m:2:2: the sink 'stdout' does not use the field 'filename', it has none",
    ],
    [
      'sink_config a { sink: "file"\n file_name: "x" }',
      "test.c4m:2:2: the sink 'file' does not use the field 'file_name', expected filename, log_search_path or use_search_path; did you mean 'filename'?",
    ],
    [
      'sink_config a { sink: "file"\n filename: 3 }',
      "test.c4m:2:12: 'sink_config.a.filename' gets int, expected string; $(x) makes a text of anything",
    ],
    [
      'sink_config a { sink: "rotating_log"\nfilename: "x"\nmax: <<1000 bytes>> }',
      "test.c4m:3:1: 'max' is 1000, expected 1024 or more",
    ],
    [
      'sink_config a { filters: ["pretty"] }',
      "test.c4m:1:17: unknown 'pretty' in 'filters', expected pretty_json, fix_new_line, log_level, log_prefix, wrap, github_log_group, gitlab_log_section or add_topic; did you mean 'pretty_json'?",
    ],
    ['sink_config a { sink: "post"\nuri: "https://x"\nauth: "b" }', "test.c4m:3:1: no auth_config 'b'"],
    [
      'auth_config a { auth: "basic"\nusername: "x" }',
      "test.c4m:1:1: auth_config 'a' is missing the required field 'password'",
    ],
    [
      'subscribe("reprot", "console_out")',
      "test.c4m:1:1: unknown topic 'reprot', expected report, fail, audit, version, help, confdump, virtual, logs, con4m or the name of a custom_report; did you mean 'report'?",
    ],
    [
      'subscribe("report", "consol_out")',
      "test.c4m:1:1: unknown sink configuration 'consol_out', expected one that a sink_config above defines; did you mean 'console_out'?",
    ],
  ])("%j is refused", (text, expected) => {
    expect(first(text)).toBe(expected);
  });
});

describe("templates and reports", () => {
  test("naming a template adds to it; the last word about a key holds; order alone switches nothing on", () => {
    const { settings } = evaluate(`
report_template t { key._PROCESS_PID.use = true }
report_template t { key _PROCESS_PID { use: false } }
report_template t { key _CHALKS { }
 key._DATETIME.order: 3 }`);
    const keys = settings.reportTemplates.get("t")?.keys;
    expect(keys?.get("_PROCESS_PID")?.use).toBe(false);
    expect(keys?.get("_CHALKS")?.use).toBe(true);
    expect(keys?.get("_DATETIME")).toMatchObject({ use: undefined, order: 3 });
  });

  test("custom reports subscribe their sinks to a topic of their own", () => {
    const { settings } = evaluate(`
sink_config s { sink: "stdout" }
custom_report mine { report_template: "heartbeat"
 sink_configs: ["s"]
 use_when: ["heartbeat"] }
copy_report_template_keys("report_all", "t")`);
    expect(settings.customReports).toEqual([
      {
        name: "mine",
        enabled: true,
        reportTemplate: "heartbeat",
        sinkConfigs: ["s"],
        useWhen: ["heartbeat"],
        perChalk: false,
      },
    ]);
    expect(settings.subscriptions.at(-1)).toEqual({ topic: "mine", config: "s" });
    expect(settings.reportTemplates.get("t")?.copiesFrom).toEqual(["report_all"]);
  });

  test("the terminal's report is switched off in both ways", () => {
    expect(evaluate("").settings.terminalReport.enabled).toBe(true);
    expect(evaluate("custom_report.terminal_other_op.enabled: false").settings.terminalReport.enabled).toBe(false);
    expect(evaluate("skip_summary_report: true").settings.terminalReport.enabled).toBe(false);
  });

  test("keys of one's own: a value, or a function of the artifact", () => {
    const { settings } = evaluate(
      `
keyspec _X_A { kind: RunTimeHost
 type: string
 value: env("A") }
keyspec _X_B { kind: RunTimeArtifact
 type: string
 callback: func b }
func b(path) { return "at " + path }
report_template t { key._X_A.use = true }`,
      { env: { A: "a" } },
    );
    expect(settings.userKeys.get("_X_A")).toMatchObject({ level: "host" });
    expect(settings.userKeys.get("_X_A")?.compute("")).toBe("a");
    expect(settings.userKeys.get("_X_B")?.compute("/bin/ls")).toBe("at /bin/ls");
  });

  test.each([
    [
      "report_template t { key._PROCESS_PDI.use = true }",
      "test.c4m:1:21: report template 't' contains a key '_PROCESS_PDI', which does not exist; did you mean '_PROCESS_PID' or '_PROCESS_CWD'?",
    ],
    ['outconf.exec.report_template: "nope"', "test.c4m:1:1: no report template 'nope'"],
    [
      'outconf exce { report_template: "null" }',
      "test.c4m:1:16: no operation 'exce', expected insert, extract, build, push, pull, exec, heartbeat, postexec, delete, env, load, dump, setup or docker; did you mean 'exec'?",
    ],
    ["custom_report r { sink_configs: [] }", "test.c4m:1:1: custom report 'r' is missing its 'report_template'"],
    ['custom_report r { report_template: "null" }', "test.c4m:1:1: custom report 'r' is missing its 'sink_configs'"],
    [
      'custom_report r { report_template: "null"\nsink_configs: ["x"] }',
      "test.c4m:2:1: custom report 'r' names the sink_config 'x', which does not exist",
    ],
    [
      'custom_report r { report_template: "null"\nsink_configs: []\nuse_when: ["*", "exec"] }',
      "test.c4m:3:1: '*' in 'use_when' of 'r' stands for all, expected it alone",
    ],
    [
      "keyspec A { kind: RunTimeHost }",
      "test.c4m:1:13: the name of a keyspec is 'A', expected one that begins with X_ or _X_",
    ],
  ])("%j is refused", (text, expected) => {
    expect(first(text)).toBe(expected);
  });
});

describe("ranges and choices", () => {
  test.each([
    ["exec.reporting_probability: 0", "'reporting_probability' is 0, expected 1 to 100"],
    ["exec.heartbeat.nice: 20", "'nice' is 20, expected 0 to 19"],
    ["exec.heartbeat.rate: <<0 sec>>", "'rate' is too short, expected at least 10 ms and at most 10 years"],
    [
      'log_level: "warm"',
      "'log_level' is 'warm', expected trace, verbose, info, warn, error or none; did you mean 'warn'?",
    ],
    ['env_default_action: "hide"', "'env_default_action' is 'hide', expected show, redact or ignore"],
    [
      "exec.append_command_line_args: true\nexec.override_ok: true",
      "'append_command_line_args' and 'override_ok' are both true, expected at most one of them",
    ],
  ])("%j", (text, expected) => {
    expect(first(text).replace(/^test.c4m:\d+:\d+: /, "")).toBe(expected);
  });
});

describe("what chalk has and tk does not", () => {
  test("is accepted and told once, where it is first used", () => {
    const { notes } = evaluate(
      "run_sbom_tools: true\nmark_template.a.key.SBOM.use: true\nmark_template b { key.X.use = true }",
    );
    expect(notes.map((n) => `${n.severity} ${n.place?.line} ${n.message}`)).toEqual([
      "info 1 tk does not use 'run_sbom_tools'",
      "info 2 tk does not use 'mark_template'",
    ]);
  });
});

test("a function of a key that fails says where", () => {
  const configuration = new Configuration(fakeHost());
  configuration.add(
    new SourceText("k.c4m", "keyspec _X_A { kind: RunTimeHost\ncallback: func f }\nfunc f(p) { return [p][3] }"),
  );
  const key = configuration.finish(KNOWN)._unsafeUnwrap().settings.userKeys.get("_X_A");
  expect(() => key?.compute("")).toThrow("no element 3, there are 1");
});
