// Templates: the built-in ones, what a configuration adds, copies, locks, and names that do not exist.
import { expect, test } from "bun:test";
import { DEFAULT_OUTCONF, DEFAULT_SETTINGS } from "../../lib/config/settings.ts";
import { FOREIGN, MARK_KEYS } from "../../lib/report/foreign_keys.ts";
import { keyById, knownKeys, reportKeys } from "../../lib/report/registry.ts";
import { BUILT_IN_TEMPLATES, factsOf, resolveTemplate, templateProblemText } from "../../lib/report/template.ts";
import { template, withTemplate } from "../support/reports.ts";

const ids = (name: string, settings = DEFAULT_SETTINGS) => {
  const t = template(name, settings);
  return [...t.host, ...t.artifact].map((key) => key.id).sort();
};

test("every built-in template resolves, and every operation has one", () => {
  for (const name of BUILT_IN_TEMPLATES.keys()) expect(resolveTemplate(name, DEFAULT_SETTINGS).isOk()).toBe(true);
  for (const { reportTemplate } of Object.values(DEFAULT_OUTCONF))
    expect(BUILT_IN_TEMPLATES.has(reportTemplate)).toBe(true);
  expect(ids("")).toEqual(["_OPERATION"]);
});

test("report_default leaves out what the original leaves out, and the configuration with its secrets", () => {
  const off = `
    _DATE _TIME _TZ_OFFSET _OP_TCP_SOCKET_INFO _OP_UDP_SOCKET_INFO _OP_IPV4_ROUTES _OP_IPV6_ROUTES _OP_IPV4_INTERFACES
    _OP_IPV6_INTERFACES _OP_ARP_TABLE _OP_CPU_INFO _OP_ALL_PS_INFO _PROCESS_DETAIL _OP_EXIT_CODE _CHALK_RUN_TIME
    _SINCE_TIMESTAMP _SINCE_MONOTIME _HEARTBEAT_COUNT _OP_CONFIG
  `
    .trim()
    .split(/\s+/);
  const on = new Set(ids("report_default"));
  for (const id of off) {
    expect(on).not.toContain(id);
    expect(keyById(id)).toBeDefined();
    expect(ids("report_all")).toContain(id);
  }
  const originals = reportKeys.filter((key) => !key.id.startsWith("_TK_") && !off.includes(key.id));
  for (const key of originals) expect(on).toContain(key.id);
  for (const id of ["_OP_ALL_PS_INFO", "_OP_CONFIG"]) expect(ids("report_large")).not.toContain(id);
  expect(template("report_default").shows("_OP_HOST_REPORT_KEYS")).toBe(false);
});

test("report_all is everything but the private part of marks", () => {
  expect(ids("report_all")).toEqual(reportKeys.map((key) => key.id).sort());
  const all = template("report_all");
  for (const id of MARK_KEYS) expect(all.showsMarkKey(id)).toBe(!id.startsWith("$"));
  expect(all.showsMarkKey("X_MINE")).toBe(true);
  expect(all.showsMarkKey("WHATEVER")).toBe(false);
});

test("the guide's heartbeat template is what it says, and the operation", () => {
  const settings = withTemplate("heartbeat_report", {
    _PROCESS_PID: true,
    _PROCESS_STATE: true,
    _PROCESS_CWD: true,
    _OP_TCP_SOCKET_INFO: true,
    _TIMESTAMP: true,
    _DATETIME: true,
  });
  const t = template("heartbeat_report", settings);
  expect(t.host.map((key) => key.id)).toEqual(["_OPERATION", "_TIMESTAMP", "_DATETIME", "_OP_TCP_SOCKET_INFO"]);
  expect(t.artifact.map((key) => key.id)).toEqual(["_PROCESS_CWD", "_PROCESS_PID", "_PROCESS_STATE"]);
  expect([...t.facts].sort()).toEqual(["cwd", "stat", "tcp"]);
});

test("naming a built-in template adds to it", () => {
  const settings = withTemplate("report_default", { _OP_TCP_SOCKET_INFO: true, _ENV: false, _OP_ARP_TABLE: undefined });
  const on = ids("report_default", settings);
  expect(on).toContain("_OP_TCP_SOCKET_INFO");
  expect(on).toContain("_PROCESS_PID");
  expect(on).not.toContain("_ENV");
  // Mentioned without `use`: it stays as the template has it.
  expect(on).not.toContain("_OP_ARP_TABLE");
});

test("a key mentioned without `use` is on in a template that does not have it", () => {
  expect(ids("mine", withTemplate("mine", { _ENV: undefined }))).toEqual(["_ENV", "_OPERATION"]);
  expect(ids("heartbeat", withTemplate("heartbeat", { _ENV: undefined }))).toContain("_ENV");
});

test("the heartbeat template's own keys cannot be switched off", () => {
  const settings = withTemplate("heartbeat", { _TIMESTAMP: false, _OPERATION: false, CHALK_ID: false, _TK_FDS: false });
  const t = template("heartbeat", settings);
  expect(t.shows("_TIMESTAMP")).toBe(true);
  expect(t.showsMarkKey("CHALK_ID")).toBe(true);
  expect(t.shows("_TK_FDS")).toBe(false);
});

test("copies take what is not mentioned, transitively and in any circle", () => {
  let settings = withTemplate("a", { _TIMESTAMP: true, _ENV: false }, ["b"]);
  settings = withTemplate("b", { _ENV: true, _DATE: true }, ["c"], settings);
  settings = withTemplate("c", { _TIME: true, _TIMESTAMP: false }, ["a", "usage"], settings);
  const on = ids("a", settings);
  expect(on).toContain("_TIMESTAMP");
  expect(on).toContain("_DATE");
  expect(on).toContain("_TIME");
  expect(on).toContain("_OP_PLATFORM");
  expect(on).not.toContain("_ENV");
  const broken = withTemplate("a", {}, ["nowhere"]);
  expect(resolveTemplate("a", broken)._unsafeUnwrapErr()).toMatchObject({
    _tag: "UnknownTemplate",
    template: "nowhere",
  });
});

test("names that do not exist are told, with the nearest that do", () => {
  const unknown = resolveTemplate("report_defualt", DEFAULT_SETTINGS)._unsafeUnwrapErr();
  expect(templateProblemText(unknown)).toBe(
    "There is no report template 'report_defualt'; did you mean 'report_default'?",
  );
  const key = resolveTemplate("mine", withTemplate("mine", { _PROCES_PID: true }))._unsafeUnwrapErr();
  expect(templateProblemText(key)).toStartWith(
    "Report template 'mine' contains a key: '_PROCES_PID', which does not exist; did you mean '_PROCESS_PID'",
  );
  for (const name of ["__proto__", "constructor", "toString"])
    expect(resolveTemplate(name, DEFAULT_SETTINGS).isErr()).toBe(true);
});

test("keys of the original that tk never has a value for may be mentioned", () => {
  const names = FOREIGN.flatMap((family) => family.keys);
  expect(names).toContain("_AWS_REGION");
  expect(names).toContain("_NETWORK_PARTIAL_TRACEROUTE_IPS");
  for (const id of [...names, ...MARK_KEYS, "_CHALKS", "_X_MINE", "X_MINE"])
    expect(resolveTemplate("mine", withTemplate("mine", { [id]: true })).isOk()).toBe(true);
  for (const id of [...names, ...MARK_KEYS]) expect(knownKeys().has(id)).toBe(true);
});

test("heartbeats of the default template need little", () => {
  const facts = factsOf(template("heartbeat"));
  expect([...facts].sort()).toEqual(["children", "fdCount", "io", "stat", "status"]);
  expect(factsOf(template("heartbeat"), template("usage")).has("uname")).toBe(true);
});
