// Fills the tables of docs/configuration.md from lib/config: `bun scripts/docs_configuration.ts` (or `--check`, which only compares).
// tests/laws/config.test.ts runs the check, so the document cannot fall behind the code. What stands between
// `<!-- table NAME -->` and `<!-- end -->` is replaced; the rest is written by hand.
import { readFileSync, writeFileSync } from "node:fs";
import { REFUSED_BUILTINS } from "../lib/config/builtins/refused.ts";
import { BUILTINS } from "../lib/config/builtins/registry.ts";
import type { AttributeSpec, SectionSpec } from "../lib/config/schema.ts";
import { ROOT } from "../lib/config/schema_data.ts";
import { UNUSED_ATTRIBUTES, UNUSED_DOCKER_ATTRIBUTES, UNUSED_SECTIONS } from "../lib/config/schema_unused.ts";
import { AUTH_TYPES, FILTERS, SINK_TYPES, type SinkField } from "../lib/config/sink_fields.ts";

export const TARGET = "docs/configuration.md";

const cell = (text: string) => text.replaceAll("|", "\\|");
/** Code that may itself contain a backquote. */
const code = (text: string) => (text.includes("`") ? `\`\` ${text} \`\`` : `\`${text}\``);
const table = (head: readonly string[], rows: readonly (readonly string[])[]) =>
  [head, head.map(() => "---"), ...rows].map((row) => `| ${row.map(cell).join(" | ")} |`).join("\n");

function attributeRow(name: string, a: AttributeSpec): string[] {
  return [`\`${name}\``, code(a.type), a.fallback === undefined ? "" : code(a.fallback), a.doc];
}

function attributeRows(spec: SectionSpec, at: string): string[][] {
  const rows = Object.entries(spec.attributes)
    .filter(([, a]) => a.unused !== true)
    .map(([name, a]) => attributeRow(at + name, a));
  for (const [name, section] of Object.entries(spec.sections))
    if (section.open !== "unused") rows.push(...attributeRows(section, `${at}${name}.${section.named ? "NAME." : ""}`));
  return rows;
}

const ATTRIBUTE_HEAD = ["attribute", "type", "default", "meaning"];

function attributes(): string {
  const top = Object.entries(ROOT.attributes).filter(([, a]) => a.unused !== true);
  const parts = [
    `### At the top level\n\n${table(
      ATTRIBUTE_HEAD,
      top.map(([name, a]) => attributeRow(name, a)),
    )}`,
  ];
  for (const [name, section] of Object.entries(ROOT.sections)) {
    if (section.open === "unused") continue;
    const rows = attributeRows(section, `${name}.${section.named ? "NAME." : ""}`);
    const title = `\`${name}${section.named ? " NAME" : ""} { ... }\``;
    parts.push(`### ${title}\n\n${section.doc}.\n\n${table(ATTRIBUTE_HEAD, rows)}`);
  }
  return parts.join("\n\n");
}

const FIELD_TYPES: Readonly<Record<SinkField["type"], string>> = {
  string: "string",
  bool: "bool",
  int: "int",
  Size: "Size",
  ms: "int (milliseconds) or Duration",
  strings: "list[string]",
  dict: "dict[string, string]",
};

function sinks(): string {
  const rows = SINK_TYPES.flatMap((sink) =>
    sink.fields.length === 0
      ? [[`\`${sink.id}\``, "", "", "", `${sink.doc}; no fields`]]
      : sink.fields.map((f, i) => [
          i === 0 ? `\`${sink.id}\`` : "",
          `\`${f.name}\``,
          FIELD_TYPES[f.type],
          f.required ? "yes" : "",
          f.doc,
        ]),
  );
  const auths = Object.entries(AUTH_TYPES).map(([id, fields]) => `\`${id}\` (${fields.map(code).join(", ")})`);
  return [
    table(["sink", "field", "type", "required", "meaning"], rows),
    `Filters: ${FILTERS.map(code).join(", ")}. Authentications: ${auths.join(", ")}; all fields are required.`,
  ].join("\n\n");
}

function builtins(): string {
  return table(
    ["function", "what it gives"],
    BUILTINS.map((f) => [code(f.name + f.signature), f.doc]),
  );
}

function refused(): string {
  const byReason = new Map<string, string[]>();
  for (const { name, why } of REFUSED_BUILTINS) byReason.set(why, [...(byReason.get(why) ?? []), code(name)]);
  return table(
    ["functions", "why not"],
    [...byReason].map(([why, names]) => [names.join(", "), why]),
  );
}

function unused(): string {
  const names = (...records: readonly object[]) =>
    records
      .flatMap((record) => Object.keys(record))
      .sort()
      .map(code)
      .join(", ");
  return `${names(UNUSED_SECTIONS.root, UNUSED_ATTRIBUTES)}; in \`docker\`: ${names(UNUSED_SECTIONS.docker, UNUSED_DOCKER_ATTRIBUTES)}.`;
}

const TABLES: Readonly<Record<string, () => string>> = { attributes, sinks, builtins, refused, unused };

/** The document with its tables as the code has them now. */
export function filled(document: string): string {
  return document.replace(
    /(<!-- table (\w+) -->\n)[\s\S]*?(<!-- end -->)/g,
    (whole, open: string, name: string, end: string) => {
      const make = TABLES[name];
      return make === undefined ? whole : `${open}\n${make()}\n\n${end}`;
    },
  );
}

if (import.meta.main) {
  const now = readFileSync(TARGET, "utf8");
  const wanted = filled(now);
  if (process.argv[2] !== "--check") writeFileSync(TARGET, wanted);
  else if (now !== wanted) {
    console.error(`${TARGET}: not what the tables say; run: bun scripts/docs_configuration.ts`);
    process.exit(1);
  }
}
