// Failed execs: what was looked for in vain, and in which folders.
import { printable } from "../../base/text.ts";
import type { ProbeTotals } from "../../derive/probes.ts";
import type { Analysis } from "../analysis.ts";
import { type Section, type SectionOptions, tableOf } from "../section.ts";
import type { Column, Table } from "../table.ts";

const nameColumns: readonly Column[] = [
  { id: "time_ns", title: "TIME", kind: "duration" },
  { id: "critical_ns", title: "ON PATH", kind: "duration", yields: 3 },
  { id: "probes", title: "PROBES", kind: "count" },
  { id: "searches", title: "SEARCHES", kind: "count", yields: 4 },
  { id: "found", title: "FOUND", kind: "count", yields: 2 },
  { id: "folders", title: "FOLDERS", kind: "count", yields: 5 },
  { id: "errors", title: "ERRORS", kind: "text", yields: 1 },
  { id: "name", title: "LOOKED FOR", kind: "text", cut: "middle" },
];

/** The answers, the most frequent first. */
function errorsText(totals: ProbeTotals): string | undefined {
  const named = [...totals.errors].filter(([name]) => name !== "").sort((a, b) => b[1] - a[1]);
  return named.length === 0 ? undefined : named.map(([name]) => name).join(" ");
}

/** Why there are none, which is not the same as that nothing failed. */
function whyNone(analysis: Analysis): string {
  return analysis.recording.header?.mode === "events"
    ? "failed execs were not recorded (tk record --mode complete records them)"
    : "no failed execs";
}

function nameTable(analysis: Analysis, options: SectionOptions): Table {
  const { unicode } = analysis.options;
  return tableOf(
    { id: "probes", title: "Failed execs, by what was looked for", empty: whyNone(analysis) },
    nameColumns,
    analysis.probes.byName,
    {
      time_ns: (t) => t.time,
      critical_ns: (t) => t.critical,
      probes: (t) => t.probes,
      searches: (t) => t.searches,
      found: (t) => t.found,
      folders: (t) => t.folders.size,
      errors: errorsText,
      name: (t) => (t.text === "" ? "(not recorded)" : printable(t.text, unicode)),
    },
    options,
    "probes",
    ["name", "names"],
  );
}

export const probes: Section = {
  id: "probes",
  summary: "Failed execs such as searches along PATH, by name, and what they cost",
  brief: false,
  columns: nameColumns,
  table: nameTable,
};

const folderColumns: readonly Column[] = [
  { id: "time_ns", title: "TIME", kind: "duration" },
  { id: "critical_ns", title: "ON PATH", kind: "duration", yields: 2 },
  { id: "probes", title: "PROBES", kind: "count" },
  { id: "errors", title: "ERRORS", kind: "text", yields: 1 },
  { id: "folder", title: "FOLDER", kind: "text", cut: "middle" },
];

function folderTable(analysis: Analysis, options: SectionOptions): Table {
  const { unicode } = analysis.options;
  return tableOf(
    { id: "probe-folders", title: "Failed execs, by folder", empty: whyNone(analysis) },
    folderColumns,
    analysis.probes.byFolder,
    {
      time_ns: (t) => t.time,
      critical_ns: (t) => t.critical,
      probes: (t) => t.probes,
      errors: errorsText,
      folder: (t) => (t.text === "" ? "(not recorded)" : printable(t.text, unicode)),
    },
    options,
    "probes",
    ["folder", "folders"],
  );
}

export const probeFolders: Section = {
  id: "probe-folders",
  summary: "Failed execs by the folder that was looked into",
  group: "probes",
  brief: false,
  columns: folderColumns,
  table: folderTable,
};
