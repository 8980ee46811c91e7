// Waste: what a build could do without, with an estimate of what it cost. The kinds overlap (a wrapper is often short, too), so
// they must not be added up; what is not on the critical path made nobody wait.
import type { Totals } from "../../derive/wrappers.ts";
import { withoutFolders } from "../../render/commands.ts";
import type { Analysis } from "../analysis.ts";
import { type Section, type SectionOptions, tableOf } from "../section.ts";
import type { Column, Table } from "../table.ts";

interface Kind {
  readonly id: string;
  readonly count: number | undefined;
  readonly time: number | undefined;
  readonly critical: number | undefined;
  readonly text: string;
}

const columns: readonly Column[] = [
  { id: "kind", title: "KIND", kind: "text", cut: "never" },
  { id: "count", title: "COUNT", kind: "count" },
  { id: "time_ns", title: "TIME", kind: "duration" },
  { id: "critical_ns", title: "ON PATH", kind: "duration", yields: 2 },
  { id: "meaning", title: "WHAT", kind: "text", yields: 1 },
];

const sum = (values: ArrayLike<number>) => {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i]!;
  return total;
};

function kinds(analysis: Analysis): Kind[] {
  const { wrappers, short } = analysis.littleWork;
  const { probes } = analysis;
  const repeated = repeats(analysis);
  const recorded = probes.count > 0 || analysis.processes.length === 0 || analysis.recording.header?.mode !== "events";
  const only = <T>(value: T) => (recorded ? value : undefined);
  return [
    {
      id: "wrappers",
      count: sum(wrappers.count),
      time: sum(wrappers.time),
      critical: sum(wrappers.critical),
      text: "shells (sh -c) that only ran one program; the time is the shell's own",
    },
    {
      id: "short",
      count: sum(short.count),
      time: sum(short.time),
      critical: sum(short.critical),
      text: "processes that ended within 2ms: mostly the cost of starting one",
    },
    {
      id: "repeated",
      count: repeated.reduce((n, r) => n + r.runs - 1, 0),
      time: repeated.reduce((n, r) => n + r.wasted, 0),
      critical: repeated.reduce((n, r) => n + r.critical, 0),
      text: "runs of a command line that had been run before; the time is their own",
    },
    {
      id: "probes",
      count: only(probes.count),
      time: only(probes.time),
      critical: only(probes.critical),
      text: recorded ? "failed execs: searches along PATH" : "failed execs (not recorded in this mode)",
    },
  ];
}

function table(analysis: Analysis, options: SectionOptions): Table {
  return tableOf(
    { id: "waste", title: "Waste (kinds overlap)", empty: "nothing was found that could have been left out" },
    columns,
    // Programs get every kind, people those that occur and those that are not known.
    kinds(analysis).filter((k) => analysis.options.full || k.count !== 0),
    {
      kind: (k) => k.id,
      count: (k) => k.count,
      time_ns: (k) => k.time,
      critical_ns: (k) => k.critical,
      meaning: (k) => k.text,
    },
    options,
    "time_ns",
    ["kind", "kinds"],
  );
}

export const waste: Section = {
  id: "waste",
  summary: "Wrapper shells, short processes, repeated commands, failed execs: what they cost",
  brief: true,
  columns,
  table,
};

const littleColumns = (title: string): readonly Column[] => [
  { id: "time_ns", title: "TIME", kind: "duration" },
  { id: "critical_ns", title: "ON PATH", kind: "duration", yields: 1 },
  { id: "count", title: "COUNT", kind: "count" },
  { id: "command", title, kind: "text", cut: "middle" },
];

function littleTable(id: string, title: string, totalsOf: (analysis: Analysis) => Totals, own: readonly Column[]) {
  return (analysis: Analysis, options: SectionOptions): Table => {
    const totals = totalsOf(analysis);
    const used: number[] = [];
    for (let c = 0; c < totals.count.length; c++) if (totals.count[c]! > 0) used.push(c);
    return tableOf(
      { id, title, empty: "none" },
      own,
      used,
      {
        time_ns: (c) => totals.time[c],
        critical_ns: (c) => totals.critical[c],
        count: (c) => totals.count[c],
        command: (c) => analysis.commandText("program", c),
      },
      options,
      "time_ns",
      ["program", "programs"],
    );
  };
}

const wrapperColumns = littleColumns("RAN");

export const wrappers: Section = {
  id: "wrappers",
  summary: "Shells that only ran one program, by that program",
  group: "waste",
  brief: false,
  columns: wrapperColumns,
  table: littleTable(
    "wrappers",
    "Wrappers: shells that only ran one program",
    (a) => a.littleWork.wrappers,
    wrapperColumns,
  ),
};

const shortColumns = littleColumns("PROGRAM");

export const short: Section = {
  id: "short",
  summary: "Processes that ended within 2 ms, by program",
  group: "waste",
  brief: false,
  columns: shortColumns,
  table: littleTable("short", "Short: processes that ended within 2ms", (a) => a.littleWork.short, shortColumns),
};

interface Repeat {
  readonly command: number;
  readonly runs: number;
  readonly total: number;
  readonly wasted: number;
  readonly critical: number;
}

/** Command lines that ran more than once; all runs but one are counted as wasted, at their average own time. */
function repeats(analysis: Analysis): Repeat[] {
  const totals = analysis.totals("argv");
  const critical = analysis.critical("argv");
  const out: Repeat[] = [];
  // Only what was run with exec: a forked copy has no command line of its own.
  for (let command = 0; command < totals.numbers.forked; command++) {
    const runs = totals.runs[command]!;
    if (runs < 2) continue;
    const part = (runs - 1) / runs;
    out.push({
      command,
      runs,
      total: totals.total[command]!,
      wasted: Math.round(totals.self[command]! * part),
      critical: Math.round(critical[command]! * part),
    });
  }
  return out;
}

const repeatColumns: readonly Column[] = [
  { id: "time_ns", title: "TIME", kind: "duration" },
  { id: "critical_ns", title: "ON PATH", kind: "duration", yields: 1 },
  { id: "total_ns", title: "TOTAL", kind: "duration", yields: 2 },
  { id: "runs", title: "RUNS", kind: "count" },
  { id: "command", title: "COMMAND", kind: "text", shorten: withoutFolders },
];

export const repeated: Section = {
  id: "repeated",
  summary: "Command lines that were run more than once",
  group: "waste",
  brief: false,
  columns: repeatColumns,
  table: (analysis, options) =>
    tableOf(
      { id: "repeated", title: "Repeated: command lines that were run more than once", empty: "none" },
      repeatColumns,
      repeats(analysis),
      {
        time_ns: (r) => r.wasted,
        critical_ns: (r) => r.critical,
        total_ns: (r) => r.total,
        runs: (r) => r.runs,
        command: (r) => analysis.commandText("argv", r.command),
      },
      options,
      "time_ns",
      ["command line", "command lines"],
    ),
};
