// Templates, outputs, custom reports and keys of a configuration: names must exist, and are told with their place when not.
import { nearest } from "../base/nearest.ts";
import { AttributeReader, listed } from "./attribute_reader.ts";
import { suggestion } from "./diagnostic.ts";
import type { FieldValue } from "./field_value.ts";
import type { Session } from "./session.ts";
import {
  type CustomReport,
  DEFAULT_OUTCONF,
  DEFAULT_SETTINGS,
  type Operation,
  OPERATIONS,
  type OutputSettings,
  type Settings,
  type SinkConfig,
  type TemplateKey,
  type TemplateSettings,
  TERMINAL_REPORT,
  type UserKey,
} from "./settings.ts";
import { toFieldValue, type Value } from "./value.ts";

/** What exists outside of configurations; from lib/report. */
export interface KnownNames {
  readonly keys: ReadonlySet<string>;
  readonly templates: ReadonlySet<string>;
  /** Keys that a built-in template always has. */
  readonly lockedKeys?: ReadonlyMap<string, ReadonlySet<string>>;
}

const KINDS = ["ChalkTimeHost", "ChalkTimeArtifact", "RunTimeArtifact", "RunTimeHost"] as const;

export function readUserKeys(root: AttributeReader, session: Session, known: KnownNames): Map<string, UserKey> {
  const keys = new Map<string, UserKey>();
  for (const name of root.tree.objects(["keyspec"])) {
    const at = root.in("keyspec", name);
    if (!/^_?X_[A-Za-z0-9_]+$/.test(name)) {
      if (!known.keys.has(name))
        at.refuse("kind", `the name of a keyspec is '${name}', expected one that begins with X_ or _X_`);
      continue;
    }
    const kind = at.value("kind");
    if (typeof kind !== "bigint" || kind < 0n || kind > 3n) {
      at.refuse("kind", `keyspec '${name}' has no kind, expected ${listed(KINDS)}`);
      continue;
    }
    const value = at.value("value");
    const callback = at.value("callback");
    if (value !== undefined && callback !== undefined)
      at.refuse("callback", `keyspec '${name}' has both a value and a callback, expected one of them`);
    keys.set(name, {
      name,
      level: kind === 0n || kind === 3n ? "host" : "artifact",
      doc: at.string("doc", at.string("shortdoc", "")),
      compute: (artifact) => computeKey(value, callback, artifact, session),
    });
  }
  return keys;
}

function computeKey(
  value: Value | undefined,
  callback: Value | undefined,
  artifact: string,
  session: Session,
): FieldValue | undefined {
  if (typeof callback !== "object" || !("call" in callback))
    return value === undefined ? undefined : toFieldValue(value);
  session.restart();
  const result = callback.call([artifact]);
  return result === undefined ? undefined : toFieldValue(result);
}

export function readTemplates(
  root: AttributeReader,
  session: Session,
  known: KnownNames,
  userKeys: ReadonlyMap<string, UserKey>,
): Map<string, TemplateSettings> {
  const templates = new Map<string, TemplateSettings>();
  const copies = new Map<string, string[]>();
  for (const { from, to } of session.templateCopies) {
    const known = copies.get(to);
    if (known === undefined) copies.set(to, [from]);
    else known.push(from);
  }
  const names = new Set([...root.tree.objects(["report_template"]), ...copies.keys()]);
  for (const name of names) {
    if (root.problems.isFull) break;
    const at = root.in("report_template", name);
    templates.set(name, {
      name,
      doc: at.string("doc", at.string("shortdoc", "")),
      keys: readKeys(root, name, known, userKeys),
      copiesFrom: [...new Set(copies.get(name))],
    });
  }
  for (const { from, spot } of session.templateCopies)
    if (!known.templates.has(from) && !templates.has(from))
      session.problems.error(spot, unknownTemplate(from, known, templates));
  return templates;
}

function readKeys(
  root: AttributeReader,
  template: string,
  known: KnownNames,
  userKeys: ReadonlyMap<string, UserKey>,
): Map<string, TemplateKey> {
  const keys = new Map<string, TemplateKey>();
  const path = ["report_template", template, "key"];
  for (const key of root.tree.objects(path)) {
    if (root.problems.isFull) break;
    const at = root.in(...path, key);
    const [first] = root.tree.fields([...path, key]).keys();
    if (!known.keys.has(key) && !userKeys.has(key) && !/^_?X_\w+$/.test(key)) {
      const near = suggestion(nearest(key, [...known.keys, ...userKeys.keys()]));
      at.refuse(first ?? "use", `report template '${template}' contains a key '${key}', which does not exist${near}`);
    }
    const stored = at.stored("use");
    if (stored?.value === false && known.lockedKeys?.get(template)?.has(key) === true)
      at.warn("use", `the template '${template}' always has '${key}'`);
    const order = at.value("order");
    // `key.X { }` alone switches it on; a mere order leaves what the template says.
    const use = stored === undefined ? (order === undefined ? true : undefined) : stored.value === true;
    keys.set(key, {
      use,
      order: typeof order === "bigint" ? Number(order) : undefined,
      objectStore: at.string("object_store", "") || undefined,
    });
  }
  return keys;
}

function unknownTemplate(name: string, known: KnownNames, templates: ReadonlyMap<string, TemplateSettings>): string {
  const names = [...known.templates, ...templates.keys()];
  return `no report template '${name}'${suggestion(nearest(name, names))}`;
}

export function readOutputs(
  root: AttributeReader,
  known: KnownNames,
  templates: ReadonlyMap<string, TemplateSettings>,
): Settings["outconf"] {
  const outputs: Record<Operation, OutputSettings> = { ...DEFAULT_OUTCONF };
  for (const name of root.tree.objects(["outconf"])) {
    if (root.problems.isFull) break;
    const at = root.in("outconf", name);
    const operation = OPERATIONS.find((o) => o === name);
    if (operation === undefined) {
      at.refuse(
        "report_template",
        `no operation '${name}', expected ${listed(OPERATIONS)}${suggestion(nearest(name, OPERATIONS))}`,
      );
      continue;
    }
    const template = at.string("report_template", DEFAULT_OUTCONF[operation].reportTemplate);
    if (template !== "" && !known.templates.has(template) && !templates.has(template))
      at.refuse("report_template", unknownTemplate(template, known, templates));
    outputs[operation] = { reportTemplate: template, perChalkReports: at.bool("per_chalk_reports", false) };
  }
  return outputs;
}

/** Custom reports that chalk ships; one of them is tk's report on the terminal, the others have no counterpart. */
const SHIPPED: ReadonlySet<string> = new Set([
  TERMINAL_REPORT,
  "terminal_chalk_time",
  "github_group_chalk_time",
  "gitlab_group_chalk_time",
  "audit",
  "chalk_usage_stats",
]);

export interface Reports {
  readonly custom: readonly CustomReport[];
  readonly terminal: Settings["terminalReport"];
}

export function readReports(
  root: AttributeReader,
  known: KnownNames,
  templates: ReadonlyMap<string, TemplateSettings>,
  sinks: ReadonlyMap<string, SinkConfig>,
): Reports {
  const custom: CustomReport[] = [];
  let { terminalReport: terminal } = DEFAULT_SETTINGS;
  for (const name of root.tree.objects(["custom_report"])) {
    if (root.problems.isFull) break;
    const at = root.in("custom_report", name);
    const shipped = SHIPPED.has(name);
    const report: CustomReport = {
      name,
      enabled: at.bool("enabled", true),
      reportTemplate: at.string("report_template", ""),
      sinkConfigs: at.strings("sink_configs", shipped ? terminal.sinkConfigs : []),
      useWhen: at.strings("use_when", shipped ? terminal.useWhen : ["*"]),
      perChalk: at.bool("per_chalk", false),
    };
    checkReport(at, report, shipped, known, templates, sinks);
    if (name === TERMINAL_REPORT) terminal = { ...report, sinkConfigs: [...report.sinkConfigs] };
    else if (!shipped) custom.push(report);
  }
  const { enabled, reportTemplate, sinkConfigs, useWhen } = terminal;
  return {
    custom,
    terminal: { enabled: enabled && !root.bool("skip_summary_report", false), reportTemplate, sinkConfigs, useWhen },
  };
}

function checkReport(
  at: AttributeReader,
  report: CustomReport,
  shipped: boolean,
  known: KnownNames,
  templates: ReadonlyMap<string, TemplateSettings>,
  sinks: ReadonlyMap<string, SinkConfig>,
): void {
  const { name, reportTemplate, useWhen } = report;
  if (reportTemplate !== "" && !known.templates.has(reportTemplate) && !templates.has(reportTemplate))
    at.refuse(
      "report_template",
      `${unknownTemplate(reportTemplate, known, templates)}, in the custom report '${name}'`,
    );
  if (!shipped && report.enabled) {
    if (reportTemplate === "") at.refuse("report_template", `custom report '${name}' is missing its 'report_template'`);
    if (at.stored("sink_configs") === undefined)
      at.refuse("sink_configs", `custom report '${name}' is missing its 'sink_configs'`);
  }
  for (const sink of report.sinkConfigs)
    if (!sinks.has(sink))
      at.refuse(
        "sink_configs",
        `custom report '${name}' names the sink_config '${sink}', which does not exist${suggestion(nearest(sink, [...sinks.keys()]))}`,
      );
  if (useWhen.includes("*")) {
    if (useWhen.length > 1) at.refuse("use_when", `'*' in 'use_when' of '${name}' stands for all, expected it alone`);
  } else at.eachOf("use_when", useWhen, OPERATIONS);
}
