// Executed lines: the hot points, the threads that ran them, and the lines that started processes.
import { ABSENT } from "../../model/ids.ts";
import type { LineCost } from "../../lines/line_totals.ts";
import type { LineTrack } from "../../lines/line_track.ts";
import type { Analysis } from "../analysis.ts";
import { type LineFacts, shortenPlace } from "../line_facts.ts";
import { type Section, type SectionOptions, tableOf } from "../section.ts";
import type { Column, Table } from "../table.ts";

const NO_LINES = "no executed lines in this recording (tk record --lines records them)";

const hotColumns: readonly Column[] = [
  { id: "cumulated_ns", title: "CUMULATED", kind: "duration" },
  { id: "average_ns", title: "AVERAGE", kind: "duration", yields: 3 },
  { id: "self_ns", title: "SELF", kind: "duration", yields: 1 },
  { id: "count", title: "COUNT", kind: "count" },
  { id: "every_level_ns", title: "EVERY LEVEL", kind: "duration", machineOnly: true },
  { id: "file_id", title: "FILE", kind: "number", format: String, yields: 2 },
  { id: "path", title: "PATH", kind: "text", machineOnly: true },
  { id: "line", title: "LINE", kind: "number", machineOnly: true },
  { id: "place", title: "PLACE", kind: "text", shorten: shortenPlace, cut: "middle" },
  { id: "source", title: "SOURCE", kind: "text" },
];

function hotTable({ lines }: Analysis, options: SectionOptions): Table {
  const about = { id: "lines", title: "Hot points of the executed lines", empty: NO_LINES };
  if (lines === undefined) return { ...about, columns: hotColumns, rows: [] };
  const { costs } = lines;
  const items = Array.from({ length: costs.length }, (_, i) => i);
  const at = (i: number): LineCost => costs.at(i);
  return tableOf(
    about,
    hotColumns,
    items,
    {
      cumulated_ns: (i) => at(i).cumulated,
      average_ns: (i) => (at(i).count > 0 ? Math.round(at(i).cumulated / at(i).count) : undefined),
      self_ns: (i) => at(i).self,
      count: (i) => at(i).count,
      every_level_ns: (i) => at(i).everyLevel,
      file_id: (i) => (at(i).file < 0 ? undefined : at(i).file),
      path: (i) => lines.path(at(i).file),
      line: (i) => (at(i).file < 0 ? undefined : at(i).line),
      place: (i) => lines.place(at(i).file, at(i).line),
      source: (i) => lines.source(at(i).file, at(i).line),
    },
    options,
    "cumulated_ns",
    ["line", "lines"],
  );
}

export const lines: Section = {
  id: "lines",
  summary: "Executed lines: what each cost, callees included and alone",
  brief: true,
  needsLines: true,
  columns: hotColumns,
  table: hotTable,
};

const threadColumns: readonly Column[] = [
  { id: "busy_ns", title: "BUSY", kind: "duration" },
  { id: "idle_ns", title: "IDLE", kind: "duration" },
  { id: "count", title: "LINES", kind: "count" },
  { id: "from_ns", title: "FROM", kind: "time", yields: 2 },
  { id: "to_ns", title: "TO", kind: "time", machineOnly: true },
  { id: "pid", title: "PID", kind: "number", format: String },
  { id: "tid", title: "TID", kind: "number", format: String, yields: 1 },
  { id: "kind", title: "KIND", kind: "text", cut: "never", yields: 3 },
  { id: "thread", title: "THREAD", kind: "text" },
];

/** Time of a thread in which it ran something, and in which its event loop waited. */
function timesOf(lines: LineFacts, track: LineTrack): { readonly busy: number; readonly idle: number } {
  const costs = lines.costsOfTrack(track.index);
  let busy = 0;
  let idle = 0;
  for (let i = 0; i < costs.length; i++) {
    const { file, self } = costs.at(i);
    if (file < 0) idle += self;
    else busy += self;
  }
  return { busy, idle };
}

function threadTable({ lines }: Analysis, options: SectionOptions): Table {
  const about = { id: "line-threads", title: "Threads with executed lines", empty: NO_LINES };
  if (lines === undefined) return { ...about, columns: threadColumns, rows: [] };
  const known = new Map<number, ReturnType<typeof timesOf>>();
  const times = (track: LineTrack) => {
    const found = known.get(track.index) ?? timesOf(lines, track);
    known.set(track.index, found);
    return found;
  };
  return tableOf(
    about,
    threadColumns,
    lines.traces.tracks,
    {
      busy_ns: (t) => times(t).busy,
      idle_ns: (t) => times(t).idle,
      count: (t) => t.events,
      from_ns: (t) => (t.blocks > 0 ? t.startOf(0) : undefined),
      to_ns: (t) => (t.blocks > 0 ? t.endOf(t.blocks - 1) : undefined),
      pid: (t) => t.pid,
      tid: (t) => t.tid,
      kind: (t) => t.kind,
      thread: (t) => t.name,
    },
    options,
    "busy_ns",
    ["thread", "threads"],
  );
}

export const lineThreads: Section = {
  id: "line-threads",
  summary: "The threads that executed lines: how long each ran, and waited in its event loop",
  group: "lines",
  brief: false,
  needsLines: true,
  columns: threadColumns,
  table: threadTable,
};

const startColumns: readonly Column[] = [
  { id: "critical_ns", title: "ON PATH", kind: "duration" },
  { id: "total_ns", title: "TOTAL", kind: "duration" },
  { id: "processes", title: "STARTED", kind: "count" },
  { id: "descendants", title: "WITH THEIRS", kind: "count", yields: 3 },
  { id: "sure", title: "SURE", kind: "text", cut: "never", yields: 1 },
  { id: "path", title: "PATH", kind: "text", machineOnly: true },
  { id: "line", title: "LINE", kind: "number", machineOnly: true },
  { id: "place", title: "PLACE", kind: "text", shorten: shortenPlace, cut: "middle" },
  { id: "source", title: "SOURCE", kind: "text" },
];

interface Starter {
  readonly file: number;
  readonly line: number;
  processes: number;
  descendants: number;
  total: number;
  critical: number;
  /** Some of them may have been started by another thread. */
  guessed: boolean;
}

/** By line: the processes it started. What they started in turn counts for it, too, unless a line is known for that. */
function startersOf(analysis: Analysis, lines: LineFacts): Starter[] {
  const { processes: p, tree, path } = analysis;
  const starters = new Map<string, Starter>();
  const of: (Starter | undefined)[] = Array.from({ length: p.length });
  for (const life of tree.preorder) {
    const cause = lines.causes.causeOfLife(life);
    if (cause === undefined) {
      const parent = p.parent[life]!;
      const inherited = parent === ABSENT ? undefined : of[parent];
      of[life] = inherited;
      if (inherited !== undefined) inherited.descendants++;
      continue;
    }
    const key = `${cause.file}:${cause.line}`;
    let starter = starters.get(key);
    if (starter === undefined) {
      const { file, line } = cause;
      starter = { file, line, processes: 0, descendants: 0, total: 0, critical: 0, guessed: false };
      starters.set(key, starter);
    }
    starter.processes++;
    starter.descendants++;
    starter.total += analysis.lifeTime(life);
    starter.guessed ||= cause.certainty === "one of several threads";
    of[life] = starter;
  }
  for (let i = 0; i < path.length; i++) {
    const starter = path.life[i]! < 0 ? undefined : of[path.life[i]!];
    if (starter !== undefined) starter.critical += path.to[i]! - path.from[i]!;
  }
  return [...starters.values()];
}

function startTable(analysis: Analysis, options: SectionOptions): Table {
  const { lines } = analysis;
  const about = {
    id: "started-by",
    title: "Lines that started processes",
    empty: "no process was started by a recorded line",
  };
  if (lines === undefined) return { ...about, empty: NO_LINES, columns: startColumns, rows: [] };
  return tableOf(
    about,
    startColumns,
    startersOf(analysis, lines),
    {
      critical_ns: (s) => s.critical,
      total_ns: (s) => s.total,
      processes: (s) => s.processes,
      descendants: (s) => s.descendants,
      sure: (s) => (s.guessed ? "one of several threads" : "yes"),
      path: (s) => lines.path(s.file),
      line: (s) => s.line,
      place: (s) => lines.place(s.file, s.line),
      source: (s) => lines.source(s.file, s.line),
    },
    options,
    "critical_ns",
    ["line", "lines"],
  );
}

export const startedBy: Section = {
  id: "started-by",
  summary: "The script lines that started processes, and what those cost the whole",
  brief: true,
  needsLines: true,
  columns: startColumns,
  table: startTable,
};
