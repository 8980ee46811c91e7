// The commands: how often each ran, how long, and what it used.
import { ABSENT } from "../../model/ids.ts";
import { withoutFolders } from "../../render/commands.ts";
import type { Analysis } from "../analysis.ts";
import { type Section, type SectionOptions, tableOf } from "../section.ts";
import type { Column } from "../table.ts";

const columns: readonly Column[] = [
  { id: "self_ns", title: "SELF", kind: "duration" },
  { id: "total_ns", title: "TOTAL", kind: "duration" },
  { id: "critical_ns", title: "ON PATH", kind: "duration", yields: 3 },
  { id: "cpu_ns", title: "CPU", kind: "duration", yields: 4 },
  { id: "max_ns", title: "MAX", kind: "duration", yields: 5 },
  { id: "max_rss_bytes", title: "MAX RSS", kind: "bytes", yields: 6 },
  { id: "runs", title: "RUNS", kind: "count", yields: 1 },
  { id: "failures", title: "FAILED", kind: "count", yields: 2 },
  { id: "open", title: "NO END", kind: "count", machineOnly: true },
  { id: "command", title: "COMMAND", kind: "text", cut: "middle", shorten: withoutFolders },
];

const WHAT = { program: "program", argv: "command line", exe: "file" } as const;

function table(analysis: Analysis, options: SectionOptions) {
  const { by } = analysis.options;
  const totals = analysis.totals(by);
  const critical = analysis.critical(by);
  const used: number[] = [];
  for (let c = 0; c < totals.numbers.length; c++) if (totals.runs[c]! > 0) used.push(c);
  return tableOf(
    { id: "commands", title: `Commands, by ${WHAT[by]}`, empty: "no processes" },
    columns,
    used,
    {
      self_ns: (c) => totals.self[c],
      total_ns: (c) => totals.total[c],
      critical_ns: (c) => critical[c],
      cpu_ns: (c) => (totals.cpuKnown[c]! > 0 ? totals.cpu[c] : undefined),
      max_ns: (c) => totals.max[c],
      max_rss_bytes: (c) => (totals.maxRssKb[c] === ABSENT ? undefined : totals.maxRssKb[c]! * 1024),
      runs: (c) => totals.runs[c],
      failures: (c) => (totals.statusKnown[c]! > 0 ? totals.failures[c] : undefined),
      open: (c) => totals.open[c],
      command: (c) => analysis.commandText(by, c),
    },
    options,
    "self_ns",
    ["command", "commands"],
  );
}

export const commands: Section = {
  id: "commands",
  summary: "Each command's runs, wall times, CPU, memory and failures",
  brief: true,
  columns,
  table,
};
