// A Gantt chart in Mermaid's language, in proctrace's shape: a section for each process that execs more than once, the
// others under `section other`; times are whole milliseconds since the first event. All processes of the recording are
// candidates; when there are too many the longest are drawn and the rest is counted. Whatever a command's words hold, they
// stay visible and cannot become Mermaid syntax: `_mermaid_text.ts`.
import { count, cutMiddle, displayWidth, thousands } from "../base/text.ts";
import {
  drawnEnd,
  ENDED,
  exitStatusOf,
  imageEnd,
  processesOf,
  type Processes,
  rootPidsOf,
} from "../derive/processes.ts";
import { deriveTree } from "../derive/tree.ts";
import { ABSENT } from "../model/ids.ts";
import { isCutOff, type Recording } from "../model/recording.ts";
import { formatDuration, NS_PER_MS } from "../model/time.ts";
import { caveats, Commands, failureText, noEndText, withoutFolders } from "./commands.ts";
import { mermaidText } from "./_mermaid_text.ts";
import type { DocumentRenderer, RenderOptions, TextSink } from "./renderer.ts";

const DEFAULT_LIMIT = 500;
/** Mermaid refuses longer text unless its `maxTextSize` is raised. */
const MAX_TEXT = 50_000;
/** Kept free for the head and the remainder. */
const RESERVED = 1_000;
/**
 * Mermaid writes a label into its bar, else right of it, else left of it, and clips what leaves the chart, the program's
 * name first. A chart as wide as a page has room for about this many letters from edge to edge.
 */
const CHART_LETTERS = 160;
/** Labels up to this width are written whole, as those of proctrace's README are; longer ones as far as they can be seen. */
const WHOLE_LABEL = 150;
/** No label is cut to less: half a chart, which every short bar has on one of its sides. */
const LEAST_LABEL = 80;
const LONGEST_NAME = 60;
/** What a section's line takes at most beside its name: the words around it and a pid. */
const SECTION_FRAME = 60;

/** One bar: image `image` of `life`, or what it ran before its first exec (`image` ABSENT). */
interface Tasks {
  readonly length: number;
  readonly life: Int32Array;
  readonly image: Int32Array;
  readonly start: Float64Array;
  readonly end: Float64Array;
}

/**
 * What a life did before its first exec is drawn when it would be seen: a tenth of its life, a hundredth of the chart. The
 * command itself was not its own program then but the recorder's.
 */
function worthDrawing(before: number, whole: number, chart: number): boolean {
  return before >= NS_PER_MS && before * 10 >= whole && before * 100 >= chart;
}

/** `roots`: pids of the recorded commands. */
function listTasks(p: Processes, roots: readonly number[]): Tasks {
  const most = p.length + p.imageRow.length;
  const life = new Int32Array(most);
  const image = new Int32Array(most);
  const start = new Float64Array(most);
  const end = new Float64Array(most);
  let n = 0;
  const add = (l: number, i: number, from: number, to: number) => {
    life[n] = l;
    image[n] = i;
    start[n] = from;
    end[n++] = to;
  };
  for (let l = 0; l < p.length; l++) {
    const first = p.imageAt[l]!;
    const after = p.imageAt[l + 1]!;
    const last = drawnEnd(p, l);
    const begun = first < after ? p.imageStart[first]! : last;
    const before = begun - p.start[l]!;
    const recorded = p.parent[l] === ABSENT && roots.includes(p.pid[l]!);
    if (first === after || (!recorded && worthDrawing(before, last - p.start[l]!, p.lastTime - p.firstTime)))
      add(l, ABSENT, p.start[l]!, begun);
    for (let i = first; i < after; i++) add(l, i, p.imageStart[i]!, imageEnd(p, l, i));
  }
  return { length: n, life, image, start, end };
}

/** Indices of the tasks, longest first; the earlier of equals first. */
function longestFirst(tasks: Tasks): Uint32Array {
  const index = new Uint32Array(tasks.length);
  for (let i = 0; i < index.length; i++) index[i] = i;
  return index.sort((a, b) => tasks.end[b]! - tasks.start[b]! - (tasks.end[a]! - tasks.start[a]!) || a - b);
}

class Chart {
  private readonly p: Processes;
  private readonly commands: Commands;
  private readonly options: RenderOptions;
  private readonly tasks: Tasks;
  private readonly noEnd: string;

  constructor(recording: Recording, p: Processes, commands: Commands, options: RenderOptions, tasks: Tasks) {
    this.noEnd = noEndText(recording);
    this.p = p;
    this.commands = commands;
    this.options = options;
    this.tasks = tasks;
  }

  /** Whether the life has a section of its own. */
  hasSection(life: number): boolean {
    return this.p.imageAt[life + 1]! - this.p.imageAt[life]! > 1;
  }

  sectionName(life: number): string {
    return cutMiddle(this.commands.programOf(this.p.imageRow[this.p.imageAt[life]!]!), LONGEST_NAME, "...");
  }

  /** The lines that open the sections of `lives`. Mermaid joins sections of one name, so those carry their pid. */
  sections(lives: Iterable<number>): Map<number, string> {
    const names = new Map<number, string>();
    const uses = new Map<string, number>();
    for (const life of lives) {
      if (!this.hasSection(life)) continue;
      const name = this.sectionName(life);
      names.set(life, name);
      uses.set(name, (uses.get(name) ?? 0) + 1);
    }
    const taken = new Set<string>();
    for (const [life, name] of names) {
      let unique = uses.get(name) === 1 ? name : `${name} (pid ${this.p.pid[life]})`;
      for (let n = 2; taken.has(unique); n++) unique = `${name} (pid ${this.p.pid[life]}, ${n})`;
      taken.add(unique);
      names.set(life, `    section ${mermaidText(unique, this.options.unicode)} execs\n`);
    }
    return names;
  }

  /** Letters that can be seen in or beside a bar. */
  private room(i: number): number {
    const whole = Math.max(1, this.p.lastTime - this.p.firstTime);
    const left = (this.tasks.start[i]! - this.p.firstTime) / whole;
    const right = (this.p.lastTime - this.tasks.end[i]!) / whole;
    return Math.max(LEAST_LABEL, Math.floor(CHART_LETTERS * Math.max(left, right, 1 - left - right)));
  }

  /** The line of a task. */
  task(i: number): string {
    const { p, tasks } = this;
    const life = tasks.life[i]!;
    const image = tasks.image[i]!;
    const isLast = image === ABSENT ? p.imageAt[life] === p.imageAt[life + 1] : image + 1 === p.imageAt[life + 1];
    let label =
      image !== ABSENT
        ? this.commands.ofExec(p.imageRow[image]!)
        : isLast
          ? this.commands.withoutExec(life)
          : this.commands.inherited(life);
    if (!this.options.full && displayWidth(label) > WHOLE_LABEL) {
      const mark = this.options.unicode ? "…" : "...";
      label = cutMiddle(withoutFolders(label, mark), this.room(i), mark);
    }
    const failure = isLast ? failureText(exitStatusOf(p, life)) : "";
    const open = isLast && p.ended[life] === ENDED.unseen;
    if (failure !== "") label += ` (${failure})`;
    else if (open) label += ` (${this.noEnd})`;
    const from = Math.floor((tasks.start[i]! - p.firstTime) / NS_PER_MS);
    const took = Math.max(1, Math.floor((tasks.end[i]! - tasks.start[i]!) / NS_PER_MS));
    return `    ${mermaidText(label, this.options.unicode)} :${failure !== "" ? "crit" : "active"}, ${from}, ${took}ms\n`;
  }
}

function render(recording: Recording, options: RenderOptions, out: TextSink): void {
  const p = processesOf(recording);
  const tree = deriveTree(p);
  const tasks = listTasks(p, rootPidsOf(recording));
  const chart = new Chart(recording, p, new Commands(recording, p, tree, options), options, tasks);

  // Which tasks: all, or the longest that fit the limit and, unless a limit was asked for, Mermaid's own.
  const limit = Math.max(0, options.limit ?? DEFAULT_LIMIT);
  const budget = options.limit === undefined ? MAX_TEXT - RESERVED : Infinity;
  const lines = new Map<number, string>();
  const opened = new Set<number>();
  let size = 0;
  const ranked = longestFirst(tasks);
  let drawn = 0;
  for (; drawn < ranked.length && drawn < limit; drawn++) {
    const i = ranked[drawn]!;
    const life = tasks.life[i]!;
    const line = chart.task(i);
    const opens = chart.hasSection(life) && !opened.has(life);
    const opening = opens ? mermaidText(chart.sectionName(life), options.unicode).length + SECTION_FRAME : 0;
    if (size + line.length + opening > budget) break;
    size += line.length + opening;
    opened.add(life);
    lines.set(i, line);
  }

  const notes = caveats(recording);
  const faults = [recording.lost > 0 ? "events were lost" : "", isCutOff(recording) ? "cut off" : ""];
  const title = faults.filter((x) => x !== "").join(", ");
  const left = tasks.length - drawn;
  const longest = left > 0 ? ranked[drawn]! : 0;
  const remainder =
    left === 0
      ? ""
      : `${count(left, "more task")}, each at most ${formatDuration(tasks.end[longest]! - tasks.start[longest]!)}`;
  let text = `gantt\n    title Process Trace${title === "" ? "" : ` (${title})`}\n    dateFormat x\n    axisFormat %S.%L\n    todayMarker off\n`;
  for (const note of notes) text += `    %% ${note}\n`;
  if (remainder !== "") {
    text += `    %% ${remainder}, not drawn (${thousands(drawn)} of ${thousands(tasks.length)} are); tk render --limit N draws more, --limit 0 all\n`;
  }
  if (size > MAX_TEXT - RESERVED) {
    text += `    %% longer than the 50000 characters that Mermaid accepts by default: raise its maxTextSize\n`;
  }
  if (p.length === 0) text += "    %% the recording has no processes\n";
  out.text(text + "\n");

  const sections = chart.sections([...opened].sort((a, b) => a - b));
  const others: number[] = [];
  let section = ABSENT;
  for (let i = 0; i < tasks.length; i++) {
    const line = lines.get(i);
    if (line === undefined) continue;
    const life = tasks.life[i]!;
    const opening = sections.get(life);
    if (opening === undefined) {
      others.push(i);
      continue;
    }
    out.text(section === life ? line : opening + line);
    section = life;
  }
  if (others.length === 0 && left === 0) return;
  out.text("    section other\n");
  for (const i of others) out.text(lines.get(i)!);
  if (left > 0) {
    const whole = Math.max(1, Math.floor((p.lastTime - p.firstTime) / NS_PER_MS));
    out.text(`    ... and ${remainder} (not drawn) :done, 0, ${whole}ms\n`);
  }
}

export const mermaid: DocumentRenderer = {
  id: "mermaid",
  summary: "A Gantt chart that Mermaid draws, one bar per program run",
  shape: "document",
  render,
};
