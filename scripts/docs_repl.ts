// Refills the list of commands in docs/repl.md from the registry: bun scripts/docs_repl.ts. A test compares the two.
import { readFileSync, writeFileSync } from "node:fs";
import { GROUPS } from "../lib/repl/command.ts";
import { commands } from "../lib/repl/registry.ts";

const cell = (text: string) => text.replaceAll("|", "\\|");

/** The tables of docs/repl.md, a group each. */
export function commandTables(): string {
  return GROUPS.map((group) => {
    const rows = commands.entries
      .filter((c) => c.group === group)
      .map((c) => `| \`${cell(c.usage)}\` | ${cell(c.summary)} |`);
    return [`**${group}**`, "", "| command | what it does |", "| --- | --- |", ...rows].join("\n");
  }).join("\n\n");
}

const BEGIN = "## Commands\n\n";
const END = "\n\n`help COMMAND`";

export function refilled(doc: string): string {
  const from = doc.indexOf(BEGIN) + BEGIN.length;
  return doc.slice(0, from) + commandTables() + doc.slice(doc.indexOf(END, from));
}

if (import.meta.main) {
  const path = `${import.meta.dir}/../docs/repl.md`;
  writeFileSync(path, refilled(readFileSync(path, "utf8")));
}
