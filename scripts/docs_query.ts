// Fills the marked parts of docs/query.md from the registry of fields, and its examples by running them:
// `bun scripts/docs_query.ts [RECORDING]`. Without a recording the examples stay as they are; tests/laws/query.test.ts compares the lists.
import { readFileSync, writeFileSync } from "node:fs";
import { writeText } from "../lib/analyse/text_table.ts";
import { decodeRecording } from "../lib/pipeline/decode_recording.ts";
import {
  compileQuery,
  explainError,
  FIELDS,
  FUNCTIONS,
  runNow,
  STAGES,
  TABLE_SUMMARIES,
  TABLES,
  toTable,
  World,
} from "../lib/query/query.ts";
import { TYPE_UNITS, TYPE_WORDS } from "../lib/query/value_type.ts";

const TARGET = "docs/query.md";

const EXAMPLES = [
  "procs where wall > 10ms | sort -wall | top 6 | select id, pid, exe, wall, cpu, busy = cpu / wall",
  "procs group exe | agg n=count(), total=sum(wall), p95=p95(wall) | sort -total | top 5",
  "any(child.exit != 0)",
  "events where kind in (exec, exit) and under(p1) | select id, ts, kind, exe, exit",
  'images where exe like "cc*" and wall > 12ms | select pid, wall, parent.exe, argv | limit 3',
  "procs where exe in (cc1, as) | agg n=count(), share=sum(cpu)/sum(wall)",
  "wall > 100ms and cpu/wall < 0.1 | count",
];

const MISTAKES = [
  "procs where wal > 10ms",
  "wall > 10",
  "procs where exe ~ /(a/",
  "procs | sort wall | tpo 3",
  "kind == exec",
];

const between = (text: string, name: string, inner: string) => {
  const [open, close] = [`<!-- ${name} -->\n`, `<!-- /${name} -->`];
  const from = text.indexOf(open) + open.length;
  return text.slice(0, from) + inner.trimEnd() + "\n" + text.slice(text.indexOf(close));
};

const table = (heads: readonly string[], rows: readonly (readonly string[])[]) =>
  [heads, heads.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");

const fields = TABLES.map((name) => {
  const rows = FIELDS[name].map((f) => {
    const values = f.values === undefined ? "" : `: ${f.values.join(", ")}`;
    return [`\`${f.name}\``, TYPE_WORDS[f.type].replace(/^an? /, ""), f.nullable ? "null" : "", f.summary + values];
  });
  return `### ${name}: ${TABLE_SUMMARIES[name]}\n\n${table(["field", "type", "may be", "meaning"], rows)}\n`;
}).join("\n");

const units = [...new Set(TABLES.flatMap((name) => FIELDS[name].map((f) => f.type)))]
  .filter((type) => TYPE_UNITS[type] !== "")
  .map((type) => [TYPE_WORDS[type].replace(/^an? /, ""), TYPE_UNITS[type]]);

let text = readFileSync(TARGET, "utf8");
text = between(
  text,
  "stages",
  table(
    ["stage", "meaning"],
    [...STAGES].map(([name, summary]) => [`\`${name}\``, summary]),
  ),
);
text = between(
  text,
  "functions",
  table(
    ["function", "meaning"],
    FUNCTIONS.map((f) => [`\`${f.usage}\``, f.summary]),
  ),
);
text = between(text, "fields", `${fields}\n${table(["type", "unit"], units)}`);
text = between(
  text,
  "mistakes",
  MISTAKES.map((query) => {
    const plan = compileQuery(query, { table: "procs" });
    return plan.isOk() ? "" : "```\n" + explainError(query, plan.error).join("\n") + "\n```\n";
  }).join(""),
);
const path = process.argv[2];
if (path !== undefined) {
  const world = new World(decodeRecording(readFileSync(path)));
  let shown = "";
  for (const query of EXAMPLES) {
    const result = runNow(compileQuery(query, { table: "procs" })._unsafeUnwrap(), world);
    shown += `> ${query}\n`;
    const report = { headline: [], facts: [], notes: [], tables: [toTable(result, 0, 10)] };
    writeText(report, { width: 110, color: false, unicode: true }, (s) => (shown += s));
    shown += "\n";
  }
  text = between(text, "examples", "```\n" + shown.trimEnd() + "\n```");
}
writeFileSync(TARGET, text);
