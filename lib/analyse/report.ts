// A recording to a report: the headline, what the reader must know first, and the sections that were asked for.
import { count, cutEnd } from "../base/text.ts";
import { exitStatusOf } from "../derive/processes.ts";
import { ABSENT } from "../model/ids.ts";
import { type ExitStatus, UNKNOWN_STATUS } from "../model/status.ts";
import { formatDuration } from "../model/time.ts";
import { caveats, commandText, failureText } from "../render/commands.ts";
import type { Analysis } from "./analysis.ts";
import type { LineFacts } from "./line_facts.ts";
import type { Section } from "./section.ts";
import type { Column, Fact, Report, Table } from "./table.ts";

export interface ReportOptions {
  readonly sections: readonly Section[];
  /** Rows of each table. */
  readonly limit: number;
  /** For the section that has it; the others keep their own order. */
  readonly sort: Column | undefined;
  /** The sections were named: they are shown even when they have nothing to say. */
  readonly asked?: boolean;
}

/** Yields between its steps, so that the caller may do something else; returns the report. */
export function* makeReport(analysis: Analysis, options: ReportOptions): Generator<void, Report> {
  const overview = overviewOf(analysis);
  yield;
  const tables: Table[] = [];
  for (const section of options.sections) {
    if (section.needsLines === true && analysis.lines === undefined && options.asked !== true) continue;
    const sort = options.sort !== undefined && section.columns.includes(options.sort) ? options.sort : undefined;
    tables.push(section.table(analysis, { limit: options.limit, sort }));
    yield;
  }
  return {
    headline: headline(analysis, overview),
    facts: facts(analysis, overview),
    notes: notes(analysis),
    tables,
  };
}

interface Overview {
  readonly wall: number;
  /** Sum of what is known; undefined when nothing is. */
  readonly cpu: number | undefined;
  readonly failures: number | undefined;
  /** Processes running on average; undefined when no time passed. */
  readonly parallelism: number | undefined;
  readonly status: ExitStatus;
}

function overviewOf(analysis: Analysis): Overview {
  const { processes: p, usage, wall } = analysis;
  let cpu = 0;
  let failures = 0;
  let known = 0;
  for (let life = 0; life < p.length; life++) {
    if (!Number.isNaN(usage.own[life]!)) cpu += usage.own[life]!;
    const status = exitStatusOf(p, life);
    if (status.how === "unknown") continue;
    known++;
    if (status.how === "signaled" || status.code !== 0) failures++;
  }
  return {
    wall,
    cpu: usage.known > 0 ? cpu : undefined,
    failures: known > 0 ? failures : undefined,
    parallelism: wall > 0 ? analysis.concurrency.leafSum / wall : undefined,
    status: outcome(analysis),
  };
}

/** How the recorded command ended: as its exit says, or as the recording's end does. */
function outcome({ recording, processes: p, root, rootPids }: Analysis): ExitStatus {
  if (root !== ABSENT && exitStatusOf(p, root).how !== "unknown") return exitStatusOf(p, root);
  const { end } = recording;
  if (rootPids.length > 1 || end === undefined) return UNKNOWN_STATUS;
  if (end.signal !== undefined && end.signal > 0) return { how: "signaled", signal: end.signal, coreDumped: false };
  return end.exit_code === undefined ? UNKNOWN_STATUS : { how: "exited", code: end.exit_code };
}

const LONGEST_COMMAND = 200;

function commandOf(analysis: Analysis): string | undefined {
  const { recording, options, rootPids } = analysis;
  if (rootPids.length > 1) return undefined;
  const words = recording.header?.command ?? [];
  if (words.length > 0) return commandText({ words, joined: false }, options);
  if (analysis.root === ABSENT) return undefined;
  // Foreign recordings begin with a fork of somebody who is not in them: it is what was forked that was recorded.
  const { processes: p, tree } = analysis;
  let life = analysis.root;
  while (p.imageAt[life] === p.imageAt[life + 1] && 1 === tree.childAt[life + 1]! - tree.childAt[life]!)
    life = tree.child[tree.childAt[life]!]!;
  return analysis.lifeText(life, p.start[life]!);
}

function statusWords(status: ExitStatus): string {
  if (status.how === "unknown") return "";
  return status.how === "exited" ? `exit ${status.code}` : failureText(status);
}

function headline(analysis: Analysis, o: Overview): string[] {
  const { processes: p, rootPids, options } = analysis;
  const command = commandOf(analysis);
  const status = statusWords(o.status);
  const trees = p.length === 0 ? "" : count(analysis.tree.roots.length, "tree");
  const title = rootPids.length > 1 ? count(rootPids.length, "recording") : (command ?? trees);
  const name = options.full ? title : cutEnd(title, LONGEST_COMMAND, options.unicode ? "…" : "...");
  if (p.length === 0) return [name === "" ? "no processes" : `${name}: no processes`];
  const parts = [`wall ${formatDuration(o.wall)}`];
  if (o.cpu !== undefined)
    parts.push(`CPU ${formatDuration(o.cpu)}${o.wall > 0 ? ` (${Math.round((o.cpu / o.wall) * 100)}%)` : ""}`);
  parts.push(count(p.length, "process", "processes") + (o.failures ? ` (${o.failures} failed)` : ""));
  if (o.parallelism !== undefined) parts.push(`parallelism ${o.parallelism.toFixed(2)}`);
  return [status === "" ? name : `${name}: ${status}`, parts.join(", ")];
}

function facts(analysis: Analysis, o: Overview): Fact[] {
  const { processes: p, recording } = analysis;
  const c = analysis.concurrency;
  const { status } = o;
  return [
    { id: "command", value: commandOf(analysis) },
    { id: "exit_code", value: status.how === "exited" ? status.code : undefined },
    { id: "signal", value: status.how === "signaled" ? status.signal : undefined },
    { id: "start_ns", value: analysis.path.start },
    { id: "wall_ns", value: o.wall },
    { id: "cpu_ns", value: o.cpu },
    { id: "processes", value: p.length },
    { id: "failures", value: o.failures },
    { id: "without_end", value: analysis.endless },
    { id: "parallelism", value: o.parallelism === undefined ? undefined : Math.round(o.parallelism * 1e4) / 1e4 },
    { id: "most_running", value: c.mostLeaves },
    { id: "most_alive", value: c.mostAlive },
    ...(analysis.lines === undefined ? [] : lineFacts(analysis.lines)),
    { id: "lost_events", value: recording.lost },
    { id: "complete", value: recording.header === undefined ? undefined : recording.end !== undefined },
  ];
}

function lineFacts({ traces, costs }: LineFacts): Fact[] {
  return [
    { id: "line_events", value: costs.events },
    { id: "distinct_lines", value: costs.length },
    { id: "line_threads", value: traces.tracks.length },
  ];
}

function lineNotes({ traces, costs }: LineFacts): string[] {
  const out = [...traces.notes];
  if (traces.tracks.some((track) => track.approximate))
    out.push("times of lines are approximate: not every one was stamped");
  if (costs.unplaced > 0)
    out.push(
      `there are more distinct lines than are counted: ${costs.unplaced} executions of further ones are left out`,
    );
  return out;
}

function notes(analysis: Analysis): string[] {
  const { processes: p, recording, usage, rootPids } = analysis;
  const out = caveats(recording);
  if (analysis.lines !== undefined) out.push(...lineNotes(analysis.lines));
  if (p.length === 0) return out;
  let exits = 0;
  for (let life = 0; life < p.length; life++) if (p.exitRow[life] !== ABSENT) exits++;
  if (exits === 0)
    out.push(
      "no end of any process was recorded: wall times reach to the end of the recording, and statuses are not known",
    );
  else {
    if (usage.known === 0) out.push("CPU times are not in this recording");
    else if (usage.known < exits)
      out.push(`CPU times are known of ${usage.known} of ${exits} processes that ended: sums are of those alone`);
  }
  if (analysis.root === ABSENT)
    out.push(
      rootPids.length > 1
        ? "several recordings together: the wall time is that from the first event to the last"
        : `${count(analysis.tree.roots.length, "process", "processes")} without a recorded parent: the wall time is that from the first event to the last`,
    );
  return out;
}
