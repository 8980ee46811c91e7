// The critical path: what the end of the whole waited for, from the start to the end. The longest segments, in their order.
import { count } from "../../base/text.ts";
import { DOING } from "../../derive/critical_path.ts";
import { withoutFolders } from "../../render/commands.ts";
import type { Analysis } from "../analysis.ts";
import { shortenPlace } from "../line_facts.ts";
import { ordered, type Section, type SectionOptions, tableOf } from "../section.ts";
import type { Column, Table } from "../table.ts";

const DOING_TEXT: Readonly<Record<number, string>> = {
  [DOING.own]: "own",
  [DOING.beside]: "beside",
  [DOING.starting]: "starting",
  [DOING.nothing]: "nothing",
};

const columns: readonly Column[] = [
  { id: "from_ns", title: "FROM", kind: "time" },
  { id: "to_ns", title: "TO", kind: "time", machineOnly: true },
  { id: "duration_ns", title: "TIME", kind: "duration" },
  { id: "wall_percent", title: "OF WALL", kind: "percent", yields: 2 },
  { id: "pid", title: "PID", kind: "number", format: String, yields: 1 },
  { id: "depth", title: "DEPTH", kind: "count", machineOnly: true },
  { id: "doing", title: "DOING", kind: "text", cut: "never", yields: 3 },
  { id: "command", title: "COMMAND", kind: "text", shorten: withoutFolders },
  { id: "started_by", title: "STARTED BY", kind: "text", shorten: shortenPlace, cut: "middle" },
  { id: "started_by_sure", title: "SURE", kind: "text", machineOnly: true },
];

const FROM = columns[0]!;
const DURATION = columns[2]!;

function table(analysis: Analysis, options: SectionOptions): Table {
  const { path, processes: p } = analysis;
  const wall = path.end - path.start;
  const all = Array.from({ length: path.length }, (_, i) => i);
  const time = (i: number) => path.to[i]! - path.from[i]!;
  const causeOf = (i: number) => (path.life[i]! < 0 ? undefined : analysis.lines?.causes.causeOfLife(path.life[i]!));
  const cells: Readonly<Record<string, (i: number) => string | number | undefined>> = {
    from_ns: (i) => path.from[i],
    to_ns: (i) => path.to[i],
    duration_ns: time,
    wall_percent: (i) => percent(time(i), wall),
    pid: (i) => (path.life[i]! < 0 ? undefined : p.pid[path.life[i]!]),
    depth: (i) => path.depth[i],
    doing: (i) => DOING_TEXT[path.doing[i]!],
    command: (i) => (path.life[i]! < 0 ? "(no process)" : analysis.lifeText(path.life[i]!, path.from[i]!)),
    started_by: (i) => analysis.lines?.placeOf(causeOf(i)),
    started_by_sure: (i) => causeOf(i)?.certainty,
  };
  const longest = options.sort ?? DURATION;
  // The longest ones, but told in their order unless asked otherwise.
  const { shown } = ordered(all, longest, cells[longest.id]!, options.limit);
  const sum = shown.reduce((total, i) => total + time(i), 0);
  const made = tableOf(
    { id: "critical-path", title: "Critical path", empty: "no time passed" },
    // Of a recording without lines nobody asks for them.
    analysis.lines === undefined ? columns.filter((c) => !c.id.startsWith("started_by")) : columns,
    shown,
    cells,
    { limit: Infinity, sort: options.sort ?? FROM },
    "from_ns",
    ["segment", "segments"],
  );
  const left = all.length - shown.length;
  if (left === 0) return made;
  return {
    ...made,
    title: `Critical path: the ${count(shown.length, "longest segment")} of ${all.length}, ${(percent(sum, wall) ?? 0).toFixed(0)}% of the wall time`,
    omitted: { count: left, one: "shorter segment", many: "shorter segments" },
  };
}

export function percent(part: number, whole: number): number | undefined {
  return whole > 0 ? Math.round((part / whole) * 1e4) / 100 : undefined;
}

export const criticalPath: Section = {
  id: "critical-path",
  summary: "The chain of processes that the end waited for",
  brief: true,
  columns,
  table,
};
