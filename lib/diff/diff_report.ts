// A comparison as a report: the headline, what everybody must know, and one table of the differences, the largest first.
import { count } from "../base/text.ts";
import type { Cell, Column, Report, Table } from "../analyse/table.ts";
import { ABSENT } from "../model/ids.ts";
import { formatDuration } from "../model/time.ts";
import { caveats, Commands, withoutFolders } from "../render/commands.ts";
import type { Comparison, Difference } from "./compare.ts";

export interface DiffReportOptions {
  readonly unicode: boolean;
  /** Nothing shortened: for programs. */
  readonly full: boolean;
  readonly limit: number;
  /** What the groups are called. */
  readonly base: string;
  readonly fresh: string;
}

const COLUMNS: readonly Column[] = [
  { id: "what", title: "WHAT", kind: "text", cut: "never" },
  { id: "times", title: "TIMES", kind: "count", yields: 3 },
  { id: "own_change_ns", title: "OWN", kind: "duration", format: signed },
  { id: "change_ns", title: "CHANGE", kind: "duration", format: signed, yields: 1 },
  { id: "base_ns", title: "BEFORE", kind: "duration", yields: 2 },
  { id: "fresh_ns", title: "AFTER", kind: "duration", yields: 2 },
  { id: "change_percent", title: "%", kind: "percent", format: signedPercent, yields: 3 },
  { id: "noise_ns", title: "NOISE", kind: "duration", yields: 4 },
  { id: "processes", title: "PROCESSES", kind: "count", machineOnly: true },
  { id: "base_handle", title: "A", kind: "text", cut: "never", yields: 5 },
  { id: "fresh_handle", title: "B", kind: "text", cut: "never", yields: 5 },
  { id: "note", title: "NOTE", kind: "text", cut: "never", yields: 6 },
  { id: "command", title: "COMMAND", kind: "text", shorten: withoutFolders },
];

function signed(ns: number): string {
  return ns > 0 ? `+${formatDuration(ns)}` : formatDuration(ns);
}

function signedPercent(percent: number): string {
  return `${percent > 0 ? "+" : ""}${percent.toFixed(1)}%`;
}

/** Differences of one kind of one command: a loop that runs a new command a hundred times is one row. */
interface Told {
  readonly kind: Difference["kind"];
  readonly first: Difference;
  times: number;
  own: number;
  change: number;
  base: number;
  fresh: number;
  processes: number;
}

/** How much it matters: its own time, or all of what is new or gone. */
function weight(t: Told): number {
  return Math.abs(t.kind === "new" || t.kind === "gone" ? t.change : t.own);
}

function gather(differences: readonly Difference[]): Told[] {
  const all = new Map<string, Told>();
  for (const d of differences) {
    // A different end is told of each.
    const status = d.statusBase === undefined ? "" : `${d.place.index}`;
    const key = `${d.kind} ${d.place.key} ${status}`;
    let told = all.get(key);
    if (told === undefined) {
      told = { kind: d.kind, first: d, times: 0, own: 0, change: 0, base: 0, fresh: 0, processes: 0 };
      all.set(key, told);
    }
    told.times++;
    told.own += d.own.change;
    told.change += d.wall.change;
    told.base += d.wall.base.median;
    told.fresh += d.wall.fresh.median;
    told.processes += d.processes;
  }
  return [...all.values()];
}

export function diffReport(comparison: Comparison, options: DiffReportOptions): Report {
  const { aligned, base, total } = comparison;
  const commands = aligned.sides.map(
    ({ recording, processes, tree }) => new Commands(recording, processes, tree, options),
  );
  const sorted = gather(comparison.differences).sort(
    (a, b) => weight(b) - weight(a) || a.first.place.index - b.first.place.index,
  );
  const rows = sorted.slice(0, options.limit).map((d) => rowOf(d));
  const table: Table = {
    id: "differences",
    title: "",
    columns: COLUMNS,
    rows,
    omitted: { count: sorted.length - rows.length, one: "smaller difference", many: "smaller differences" },
    empty: "no difference is larger than the noise",
  };
  return { headline: headline(), facts: facts(), notes: notes(), tables: [table] };

  function rowOf(told: Told): Cell[] {
    const { first: d, times } = told;
    const side = d.place.lives.findIndex((life, s) => life !== ABSENT && (d.kind === "gone" || s >= base));
    const at = side < 0 ? d.place.lives.findIndex((life) => life !== ABSENT) : side;
    const { processes: p } = aligned.sides[at]!;
    const life = d.place.lives[at]!;
    const last = p.imageAt[life + 1]! - 1;
    const command = last < p.imageAt[life]! ? commands[at]!.withoutExec(life) : commands[at]!.ofExec(p.imageRow[last]!);
    return [
      d.kind,
      times,
      d.kind === "new" || d.kind === "gone" ? undefined : Math.round(told.own),
      Math.round(told.change),
      known(told.base),
      known(told.fresh),
      percentOf(told.change, told.base),
      times === 1 ? known(d.wall.noise) : undefined,
      told.processes,
      handle(d.place.lives.subarray(0, base)),
      handle(d.place.lives.subarray(base)),
      noteOf(d),
      command,
    ];
  }

  function headline(): string[] {
    const change = percentOf(total.change, total.base.median);
    const over = `${signed(total.change)}${change === undefined ? "" : `, ${signedPercent(change)}`}`;
    return [
      `${options.base} ${formatDuration(total.base.median)} -> ${options.fresh} ${formatDuration(total.fresh.median)} (${over})`,
      `${count(comparison.processes.base, "process", "processes")} -> ${count(comparison.processes.fresh, "process", "processes")}, ${kinds()}`,
    ];
  }

  function kinds(): string {
    const parts = (["new", "gone", "slower", "faster", "status"] as const).map((kind) => {
      const n = comparison.differences.filter((d) => d.kind === kind).length;
      return n === 0 ? "" : kind === "status" ? `${n} ended differently` : `${n} ${kind}`;
    });
    return [...parts.filter((p) => p !== ""), `${comparison.alike} alike`].join(", ");
  }

  function facts() {
    return [
      { id: "base", value: options.base },
      { id: "fresh", value: options.fresh },
      { id: "base_recordings", value: base },
      { id: "fresh_recordings", value: aligned.sides.length - base },
      { id: "base_ns", value: total.base.median },
      { id: "fresh_ns", value: total.fresh.median },
      { id: "change_ns", value: total.change },
      { id: "change_percent", value: percentOf(total.change, total.base.median) },
      { id: "noise_ns", value: known(total.noise) },
      { id: "exceeds_noise", value: Number.isNaN(total.noise) ? undefined : Math.abs(total.change) > total.noise },
      { id: "alike", value: comparison.alike },
    ];
  }

  function notes(): string[] {
    const out = new Set<string>();
    for (const { recording } of aligned.sides)
      for (const sentence of caveats(recording)) out.add(`${recording.name}: ${sentence}`);
    if (Number.isNaN(total.noise))
      out.add(
        "one recording a side: how much runs differ by themselves is not known; more recordings of each tell (tk diff a1 a2 -- b1 b2)",
      );
    else if (Math.abs(total.change) <= total.noise)
      out.add(`the whole changed by no more than its runs differ among themselves (${formatDuration(total.noise)})`);
    return [...out];
  }
}

function known(value: number): number | undefined {
  return Number.isNaN(value) ? undefined : Math.round(value);
}

function percentOf(change: number, base: number): number | undefined {
  return base > 0 ? Math.round((change / base) * 1e4) / 100 : undefined;
}

/** With one recording in the group: which process it is there. */
function handle(lives: Int32Array): string | undefined {
  return lives.length === 1 && lives[0] !== ABSENT ? `p${lives[0]}` : undefined;
}

function noteOf(d: Difference): string | undefined {
  if (d.statusBase !== undefined || d.statusFresh !== undefined) return `exit ${d.statusBase} -> ${d.statusFresh}`;
  if ((d.kind === "new" || d.kind === "gone") && d.processes > 1) return `${d.processes} processes`;
  return d.place.changed ? "words changed" : undefined;
}
