// Parallelism: how much of the time how many processes were running, the times when only one did, and the course of it.
import { count } from "../../base/text.ts";
import { ABSENT } from "../../model/ids.ts";
import { formatDuration } from "../../model/time.ts";
import { withoutFolders } from "../../render/commands.ts";
import type { Analysis } from "../analysis.ts";
import { type Section, type SectionOptions, tableOf } from "../section.ts";
import type { Column, Table } from "../table.ts";
import { percent } from "./critical_path.ts";

const BLOCKS = "▁▂▃▄▅▆▇█";
const LETTERS = ".:-=+*%@";

/** One character a value, from the lowest mark at 0 to the highest at `most`; a blank where there is nothing at all. */
export function sparkline(values: ArrayLike<number>, most: number, unicode: boolean): string {
  const marks = unicode ? BLOCKS : LETTERS;
  let out = "";
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (!(value > 1e-9)) out += " ";
    else out += marks[Math.min(marks.length - 1, Math.max(0, Math.ceil((value / most) * marks.length) - 1))]!;
  }
  return out;
}

const histogramColumns: readonly Column[] = [
  { id: "running", title: "RUNNING", kind: "count" },
  { id: "time_ns", title: "TIME", kind: "duration" },
  { id: "wall_percent", title: "OF WALL", kind: "percent" },
];

function histogram(analysis: Analysis, options: SectionOptions): Table {
  const c = analysis.concurrency;
  const wall = c.end - c.start;
  const used: number[] = [];
  for (let n = 0; n < c.leafTime.length; n++) if (c.leafTime[n]! > 0) used.push(n);
  const lead: string[] = [];
  if (wall > 0) {
    const most = Math.max(1, ...c.bucketLeaves);
    const picture = sparkline(c.bucketLeaves, most, analysis.options.unicode);
    lead.push(`${picture}| ${most.toFixed(1)} at the highest`);
  }
  return tableOf(
    { id: "parallelism", title: parallelismTitle(analysis), lead, empty: "no time passed" },
    histogramColumns,
    used,
    {
      running: (n) => n,
      time_ns: (n) => c.leafTime[n],
      wall_percent: (n) => percent(c.leafTime[n]!, wall),
    },
    // From few to many, which is how one reads it.
    options.sort === undefined ? { ...options, sort: { ...histogramColumns[0]!, kind: "time" } } : options,
    "running",
    ["number", "numbers"],
  );
}

function parallelismTitle(analysis: Analysis): string {
  const c = analysis.concurrency;
  const wall = c.end - c.start;
  if (wall <= 0) return "Parallelism";
  return `Parallelism: ${(c.leafSum / wall).toFixed(2)} running on average, ${c.mostLeaves} at most`;
}

export const parallelism: Section = {
  id: "parallelism",
  summary: "How many processes were running, and for how long",
  brief: true,
  columns: histogramColumns,
  table: histogram,
};

const windowColumns: readonly Column[] = [
  { id: "from_ns", title: "FROM", kind: "time" },
  { id: "to_ns", title: "TO", kind: "time", machineOnly: true },
  { id: "duration_ns", title: "TIME", kind: "duration" },
  { id: "wall_percent", title: "OF WALL", kind: "percent", yields: 1 },
  { id: "pid", title: "PID", kind: "number", format: String, yields: 2 },
  { id: "held_percent", title: "ITS PART", kind: "percent", yields: 3 },
  { id: "command", title: "MOSTLY RUNNING", kind: "text", shorten: withoutFolders },
];

function windows(analysis: Analysis, options: SectionOptions): Table {
  const c = analysis.concurrency;
  const w = c.windows;
  const wall = c.end - c.start;
  const time = (i: number) => w.to[i]! - w.from[i]!;
  const all = Array.from({ length: w.length }, (_, i) => i);
  const sum = all.reduce((total, i) => total + time(i), 0);
  return tableOf(
    {
      id: "serial-windows",
      title: `Serial: ${formatDuration(sum)} in ${count(all.length, "window")} with at most one process running`,
      empty: "there was always more than one process running",
    },
    windowColumns,
    all,
    {
      from_ns: (i) => w.from[i],
      to_ns: (i) => w.to[i],
      duration_ns: time,
      wall_percent: (i) => percent(time(i), wall),
      pid: (i) => (w.life[i] === ABSENT ? undefined : analysis.processes.pid[w.life[i]!]),
      held_percent: (i) => percent(w.held[i]!, time(i)),
      command: (i) => (w.life[i] === ABSENT ? "(no process)" : analysis.lifeText(w.life[i]!, w.to[i]!)),
    },
    options,
    "duration_ns",
    ["window", "windows"],
  );
}

export const serialWindows: Section = {
  id: "serial-windows",
  summary: "The times when at most one process was running",
  group: "parallelism",
  brief: false,
  columns: windowColumns,
  table: windows,
};

const timelineColumns: readonly Column[] = [
  { id: "from_ns", title: "FROM", kind: "time" },
  { id: "to_ns", title: "TO", kind: "time" },
  { id: "running", title: "RUNNING", kind: "number" },
  { id: "alive", title: "ALIVE", kind: "number" },
];

function course(analysis: Analysis, options: SectionOptions): Table {
  const c = analysis.concurrency;
  const n = c.end > c.start ? c.bucketLeaves.length : 0;
  const at = (i: number) => Math.round(c.start + ((c.end - c.start) * i) / n);
  const round = (x: number) => Math.round(x * 1e4) / 1e4;
  return tableOf(
    { id: "timeline", title: "Timeline: averages of equal parts of the time", empty: "no time passed" },
    timelineColumns,
    Array.from({ length: n }, (_, i) => i),
    {
      from_ns: at,
      to_ns: (i) => at(i + 1),
      running: (i) => round(c.bucketLeaves[i]!),
      alive: (i) => round(c.bucketAlive[i]!),
    },
    options,
    "from_ns",
    ["part", "parts"],
  );
}

export const timeline: Section = {
  id: "timeline",
  summary: "Running and living processes in equal parts of the time",
  group: "parallelism",
  brief: false,
  machineOnly: true,
  columns: timelineColumns,
  table: course,
};
