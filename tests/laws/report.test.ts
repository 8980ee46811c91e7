// What holds for every key, template and fact, and the document that is made of them.
import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { document, TARGET } from "../../scripts/docs_keys.ts";
import { FOREIGN, MARK_KEYS } from "../../lib/report/foreign_keys.ts";
import { FACT_NAMES, collectFacts } from "../../lib/report/facts/collect.ts";
import { parseStat } from "../../lib/report/facts/process.ts";
import { knownKeys, reportKeys, STRUCTURE_KEYS } from "../../lib/report/registry.ts";
import { BUILT_IN_TEMPLATES } from "../../lib/report/template.ts";
import { buildReport, reportText } from "../../lib/report/build.ts";
import { MarkFile } from "../../lib/mark/file.ts";
import { findMark } from "../../lib/mark/find_mark.ts";
import { readJson } from "../../lib/mark/mark_json.ts";
import { temporaryFolder } from "../support/programs.ts";
import { context, everything, GONE, recordedProc, template } from "../support/reports.ts";

test("names are unique, well formed and in one list only", () => {
  const ids = reportKeys.map((key) => key.id);
  const all = [...ids, ...STRUCTURE_KEYS, ...MARK_KEYS, ...FOREIGN.flatMap((family) => family.keys)];
  expect(all.length).toBe(new Set(all).size);
  for (const id of ids) expect(id).toMatch(/^_[A-Z][A-Z0-9_]+$/);
  expect(knownKeys().size).toBe(all.length);
});

test("every key says what it is", () => {
  for (const key of reportKeys) {
    expect(key.doc).toMatch(/\.$/);
    expect(key.doc.length).toBeGreaterThan(5);
    expect(key.source.length).toBeGreaterThan(1);
    expect(key.source).not.toEndWith(".");
    expect(key.type).toMatch(/^(string|int|float|bool|list\[.+\]|dict\[.+\])$/);
    expect(key.since).toMatch(/^\d+\.\d+\.\d+$/);
    for (const fact of key.facts) expect(FACT_NAMES).toContain(fact);
    if (key.id.startsWith("_PROCESS_")) expect(key.level).toBe("artifact");
    if (/_(BYTES|NS)$/.test(key.id)) expect(key.unit).toBeDefined();
  }
});

test("built-in templates name keys that exist", () => {
  for (const t of BUILT_IN_TEMPLATES.values()) for (const id of t.locked) expect(knownKeys().has(id)).toBe(true);
  const source = readFileSync("lib/report/template.ts", "utf8");
  for (const [id] of source.matchAll(/\b_[A-Z][A-Z0-9_]{3,}\b/g))
    if (!["_OPERATION"].includes(id)) expect(knownKeys().has(id)).toBe(true);
});

/** Does the value have the type that the key claims? */
function hasType(value: unknown, type: string): boolean {
  const inner = /^(list|dict)\[(.+)\]$/.exec(type);
  if (inner === null) {
    if (type === "int") return Number.isSafeInteger(value);
    if (type === "float") return typeof value === "number";
    if (type === "bool") return typeof value === "boolean";
    return type === "string" ? typeof value === "string" : true;
  }
  if (inner[1] === "list") {
    const of = inner[2]!;
    if (!Array.isArray(value)) return false;
    return value.every((v) => (of.startsWith("list") ? Array.isArray(v) : v === null || hasType(v, of)));
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const of = inner[2]!.replace(/^string, /, "");
  return Object.values(value).every((v) =>
    of.startsWith("[") || of.startsWith("list")
      ? Array.isArray(v)
      : of === "dict"
        ? typeof v === "object"
        : hasType(v, of),
  );
}

test("every value has the type that its key claims", () => {
  const facts = everything(process.pid);
  const c = context({
    facts,
    previous: facts,
    operation: "heartbeat",
    heartbeatCount: 1,
    errors: ["e"],
    waitStatus: 256,
  });
  let seen = 0;
  for (const key of reportKeys) {
    const value = key.compute(c);
    if (value === undefined) continue;
    seen++;
    if (!hasType(value, key.type))
      throw new Error(`${key.id} is not ${key.type}: ${JSON.stringify(value).slice(0, 200)}`);
  }
  expect(seen).toBeGreaterThan(70);
});

test("a key uses no more facts than it names", () => {
  const facts = everything(process.pid);
  const allowed = ["pid", "unixMs", "monotonicNs", "life", "stat"];
  for (const key of reportKeys) {
    const watched = new Proxy(facts, {
      get(target, name) {
        if (typeof name === "string" && !allowed.includes(name)) expect(key.facts.map(String)).toContain(name);
        return Reflect.get(target, name) as unknown;
      },
    });
    key.compute(context({ facts: watched, artifact: undefined }));
  }
});

test("every template makes a report of nothing and of everything, on one line", () => {
  const facts = everything(process.pid);
  for (const name of BUILT_IN_TEMPLATES.keys())
    for (const f of [GONE, facts]) {
      const text = reportText(buildReport(context({ facts: f }), template(name)));
      expect(text).not.toContain("\n");
      expect(JSON.parse(text)).toBeArrayOfSize(1);
    }
});

test("bytes of any kind under /proc never throw", () => {
  const root = recordedProc({});
  const names = "stat status cmdline comm environ mountinfo cgroup limits io oom_score oom_score_adj".split(" ");
  const nets = "tcp tcp6 udp udp6 route ipv6_route dev if_inet6 arp".split(" ").map((n) => `net/${n}`);
  const seed = recordedProc(Object.fromEntries([...names, ...nets].map((n) => [`9/${n}`, ""])));
  expect(root).not.toBe(seed);
  const line = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.string({ unit: "binary", maxLength: 200 }).map((s) => new TextEncoder().encode(s)),
    fc
      .array(fc.constantFrom(" ", "\n", ":", "0", "FF", "0100007F:0050", "-", "(", ")", "lo", "/", ",", "\t", "Z"), {
        maxLength: 60,
      })
      .map((parts) => new TextEncoder().encode(parts.join(""))),
  );
  fc.assert(
    fc.property(line, fc.boolean(), (bytes, alive) => {
      for (const n of [...names, ...nets]) writeFileSync(join(seed, "9", n), bytes);
      if (alive)
        writeFileSync(join(seed, "9/stat"), `9 (x) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 5 ${"0 ".repeat(30)}`);
      const facts = collectFacts({ pid: 9, facts: new Set(FACT_NAMES), procRoot: seed });
      JSON.parse(reportText(buildReport(context({ facts }), template("report_all"))));
      parseStat(bytes);
    }),
    { numRuns: 150 },
  );
});

test("files of any kind never throw when a mark is looked for", () => {
  const path = join(temporaryFolder(), "file");
  const pieces = fc.constantFrom(
    "\x7fELF\x02\x01\x01",
    "#!/bin/sh\n",
    "PK\x05\x06",
    "PK\x01\x02",
    "PK\x03\x04",
    '{ "MAGIC" : "dadfedabbadabbed"',
    ', "A" : ',
    "}",
    "[",
    '"',
    "\\",
    "\0\0\0\0\0\0\0\0",
    "\xff\xff",
    "chalk.json",
    "1e9",
    "\ud800",
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 40 }), fc.constantFrom("file", "a.jar", "x.pyc"), (parts, name) => {
      writeFileSync(path, Buffer.from(parts.join(""), "latin1"));
      const file = MarkFile.open(path)!;
      findMark(file, name);
      file.close();
      readJson(parts.join(""), 0);
    }),
    { numRuns: 500 },
  );
});

test("the document is what the tables say", () => {
  expect(readFileSync(TARGET, "utf8")).toBe(document());
});
