// Sinks, authentications and subscriptions of a configuration, checked against the table of sink fields.
import { nearest } from "../base/nearest.ts";
import { AttributeReader, listed } from "./attribute_reader.ts";
import { suggestion } from "./diagnostic.ts";
import type { FieldValue } from "./field_value.ts";
import { AUTH_TYPES, FILTERS, findSinkType, SINK_TYPES, type SinkField, type SinkType } from "./sink_fields.ts";
import {
  type AuthConfig,
  type CustomReport,
  DEFAULT_SINK_CONFIGS,
  type SinkConfig,
  type Subscription,
} from "./settings.ts";

/** Fields that every sink configuration has. */
const COMMON: ReadonlySet<string> = new Set(["sink", "enabled", "priority", "filters", "auth", "on_write_msg"]);

export function readAuthConfigs(root: AttributeReader): Map<string, AuthConfig> {
  const configs = new Map<string, AuthConfig>();
  for (const name of root.tree.objects(["auth_config"])) {
    if (root.problems.isFull) break;
    const at = root.in("auth_config", name);
    const types = Object.keys(AUTH_TYPES);
    const auth = at.choice("auth", types, undefined);
    if (auth === undefined) {
      if (at.stored("auth") === undefined)
        at.refuse("auth", `auth_config '${name}' does not say its 'auth', expected ${listed(types)}`);
      continue;
    }
    const needed = AUTH_TYPES[auth]!;
    for (const [field] of root.tree.fields(["auth_config", name]))
      if (field !== "auth" && !needed.includes(field))
        at.refuse(field, `auth '${auth}' does not use '${field}', expected ${listed(needed)}`);
    for (const field of needed)
      if (at.stored(field) === undefined)
        at.refuse(field, `auth_config '${name}' is missing the required field '${field}'`);
    configs.set(name, {
      name,
      auth: auth === "basic" ? "basic" : "jwt",
      username: at.string("username", ""),
      password: at.string("password", ""),
      token: at.string("token", ""),
    });
  }
  return configs;
}

export function readSinkConfigs(
  root: AttributeReader,
  auths: ReadonlyMap<string, AuthConfig>,
): Map<string, SinkConfig> {
  const configs = new Map(DEFAULT_SINK_CONFIGS);
  for (const name of root.tree.objects(["sink_config"])) {
    if (root.problems.isFull) break;
    const config = readSinkConfig(root.in("sink_config", name), name, auths);
    configs.set(name, config);
  }
  return configs;
}

function readSinkConfig(at: AttributeReader, name: string, auths: ReadonlyMap<string, AuthConfig>): SinkConfig {
  const builtIn = DEFAULT_SINK_CONFIGS.get(name);
  const sink = at.string("sink", builtIn?.sink ?? "");
  const type = sink === "" ? undefined : findSinkType(sink);
  if (sink !== "" && type === undefined) {
    const ids = SINK_TYPES.map((s) => s.id);
    at.refuse("sink", `no such sink '${sink}', expected ${listed(ids)}${suggestion(nearest(sink, ids))}`);
  }
  const filters = at.strings("filters", builtIn?.filters ?? []);
  at.eachOf("filters", filters, FILTERS);
  const auth = at.string("auth", "");
  if (auth !== "" && !auths.has(auth))
    at.refuse("auth", `no auth_config '${auth}'${suggestion(nearest(auth, [...auths.keys()]))}`);
  const enabled = at.bool("enabled", builtIn?.enabled ?? true);
  const inherited = builtIn?.sink === sink ? builtIn.fields : {};
  const spot = at.tree.sectionSpot(["sink_config", name]);
  return {
    name,
    sink,
    enabled,
    priority: at.int("priority", builtIn?.priority ?? 0, 0),
    filters,
    auth: auth === "" ? undefined : auth,
    onWriteMessage: at.string("on_write_msg", "") || undefined,
    fields: type === undefined ? {} : { ...inherited, ...readFields(at, name, type, enabled, inherited) },
    normalize: readNormalize(at, name, sink),
    place: spot?.source.place(spot.at),
  };
}

function readFields(
  at: AttributeReader,
  name: string,
  type: SinkType,
  enabled: boolean,
  inherited: SinkConfig["fields"],
): Record<string, FieldValue> {
  const fields: Record<string, FieldValue> = {};
  const known = new Map(type.fields.map((f) => [f.name, f]));
  for (const id of at.tree.fields(["sink_config", name]).keys()) {
    if (COMMON.has(id)) continue;
    const field = known.get(id);
    if (field === undefined)
      at.refuse(
        id,
        `the sink '${type.id}' does not use the field '${id}'${type.fields.length === 0 ? ", it has none" : `, expected ${listed([...known.keys()])}`}${suggestion(nearest(id, [...known.keys()]))}`,
      );
    else {
      const value = readField(at, field);
      if (value !== undefined) fields[id] = value;
    }
  }
  for (const field of type.fields) {
    const value = fields[field.name] ?? inherited[field.name];
    if (!field.required || !enabled) continue;
    if (at.stored(field.name) === undefined && value === undefined)
      at.refuse("sink", `sink_config '${name}' is missing the required field '${field.name}' of the sink '${type.id}'`);
    else if (value === "") at.warn(field.name, `'${field.name}' is empty: '${name}' cannot send anything`);
  }
  const { max, truncation_amount: drop } = fields;
  if (typeof max === "number" && typeof drop === "number" && drop >= max)
    at.refuse("truncation_amount", `'truncation_amount' is ${drop} bytes, expected less than max, which is ${max}`);
  return fields;
}

function readField(at: AttributeReader, field: SinkField): FieldValue | undefined {
  const value = at.plain(field.name);
  if (field.choices !== undefined && typeof value === "string") return at.choice(field.name, field.choices, undefined);
  if (typeof value === "number" && field.least !== undefined && value < field.least) {
    at.refuse(field.name, `'${field.name}' is ${value}, expected ${field.least} or more`);
    return undefined;
  }
  return value;
}

function readNormalize(at: AttributeReader, name: string, sink: string): Map<string, (value: string) => string> {
  const functions = new Map<string, (value: string) => string>();
  const keys = at.tree.objects(["sink_config", name, "normalize"]);
  for (const key of keys) {
    const callback = at.in("normalize", key).value("callback");
    if (typeof callback !== "object" || !("call" in callback)) continue;
    if (sink !== "dns")
      at.warn("sink", `only the sink 'dns' uses 'normalize', '${name}' is ${sink === "" ? "none" : `'${sink}'`}`);
    functions.set(key, (text) => {
      const result = callback.call([text]);
      return typeof result === "string" ? result : "";
    });
  }
  return functions;
}

/** Who gets what: highest priority first, then as subscribed; disabled ones get nothing. */
export function orderSubscriptions(
  subscriptions: readonly Subscription[],
  configs: ReadonlyMap<string, SinkConfig>,
  reports: readonly CustomReport[],
): Subscription[] {
  const all = [...subscriptions];
  for (const report of reports)
    if (report.enabled)
      for (const config of report.sinkConfigs)
        if (!all.some((s) => s.topic === report.name && s.config === config)) all.push({ topic: report.name, config });
  const priority = (s: Subscription) => configs.get(s.config)?.priority ?? 0;
  return all
    .filter((s) => configs.get(s.config)?.enabled === true && configs.get(s.config)?.sink !== "")
    .sort((a, b) => priority(b) - priority(a));
}
