// Facts that are written down twice because loading the other place would cost start-up time, and the lists of the registries.
import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { SECTIONS } from "../../cmd/analyse.ts";
import { DISPLAY_MODES } from "../../cmd/render.ts";
import { DISPLAY_MODES as OFFERED } from "../../lib/repl/commands/elsewhere.ts";
import { treeFor, VERBS } from "../../cmd/root.ts";
import { sections } from "../../lib/analyse/registry.ts";
import { VERSION } from "../../lib/base/version.ts";
import { backends } from "../../lib/capture/registry.ts";
import { formats } from "../../lib/format/registry.ts";
import { renderers } from "../../lib/render/registry.ts";
import pkg from "../../package.json";

test("the version is package.json's", () => {
  expect(VERSION).toBe(pkg.version);
});

test("render's display modes are the renderers' ids and aliases", () => {
  expect([...DISPLAY_MODES].map(String).sort()).toEqual(renderers.names().sort());
  expect([...OFFERED]).toEqual([...DISPLAY_MODES]);
});

test("analyse's sections are those of the report", () => {
  expect([...SECTIONS].map(String).sort()).toEqual(sections.names().sort());
});

const registries = [formats, renderers, backends, sections] as const;

test("registries are sorted by id, and each entry says what it is", () => {
  for (const registry of registries) {
    const ids = registry.entries.map((e) => e.id);
    expect(ids).toEqual([...ids].sort());
    for (const entry of registry.entries) {
      expect(entry.id).toMatch(/^[a-z][a-z0-9-]*$/);
      expect(entry.summary.length).toBeGreaterThan(10);
      expect(entry.summary).not.toEndWith(".");
    }
  }
});

test("every file of a registry's folder that exports an entry stands in the registry", () => {
  for (const [folder, names] of [
    ["lib/render", renderers.names()],
    ["lib/format", formats.names()],
  ] as const)
    for (const file of readdirSync(folder).filter((f) => f.endsWith(".ts"))) {
      const id = /\bid: "([a-z0-9-]+)",\n\s+summary:/.exec(readFileSync(`${folder}/${file}`, "utf8"))?.[1];
      if (id !== undefined) expect(names).toContain(id);
    }
});

test("every verb has a description and examples in its help", async () => {
  const verbs = (await treeFor(undefined)).subcommands.flatMap((group) => group.commands);
  expect(verbs.flatMap(({ name, alias }) => (alias === undefined ? [name] : [name, alias]))).toEqual([...VERBS]);
  expect(verbs.length).toBeGreaterThan(4);
  for (const verb of verbs) {
    const file = readFileSync(`cmd/${verb.name}.ts`, "utf8");
    expect(file).toContain("Command.withExamples");
    expect(file).toContain("Command.withShortDescription");
  }
});
