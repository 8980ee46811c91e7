// The process tree as text: one line a process, one more for each further program it became. Fits the width it is given,
// however deep or wide the tree is; prints nothing that steers a terminal.
//
//     PID    WALL     CPU          COMMAND
//      10   4.56s   8.10s          make -j4
//      11   1.20s   1.18s  exit 1  ├─ sh -c 'cc -c a.c'
//           +11ms                  │  → cc -c a.c
import { count, cutEnd, displayWidth, padEnd, padStart, printable, wrap } from "../base/text.ts";
import { drawnEnd, ENDED, exitStatusOf, processesOf, type Processes, rootPidsOf } from "../derive/processes.ts";
import { deriveTree, type ProcessTree } from "../derive/tree.ts";
import { eventAt } from "../model/event_at.ts";
import { ABSENT } from "../model/ids.ts";
import { isCutOff, type Recording } from "../model/recording.ts";
import { type ExitStatus, UNKNOWN_STATUS } from "../model/status.ts";
import { formatDuration } from "../model/time.ts";
import { caveats, Commands, commandText, failureText, noEndText, recordedCommand, withoutFolders } from "./commands.ts";
import { paint, type Paint } from "./paint.ts";
import type { DocumentRenderer, RenderOptions, TextSink } from "./renderer.ts";

const DEFAULT_LIMIT = 10_000;
/** Columns that a command is never narrower than; other columns give way first, the pid last. */
const LEAST_COMMAND = 16;
/** Levels drawn when there is no width to keep. */
const MOST_LEVELS = 40;
/** Looking at an exit's line costs; this many are looked at to find out whether CPU times were recorded at all. */
const CPU_SAMPLE = 200;

interface Glyphs {
  readonly branch: string;
  readonly last: string;
  readonly pass: string;
  readonly blank: string;
  readonly became: string;
  readonly cut: string;
  readonly cause: string;
}

const UNICODE: Glyphs = {
  branch: "├─ ",
  last: "└─ ",
  pass: "│  ",
  blank: "   ",
  became: "→ ",
  cut: "…",
  cause: "  ← ",
};
const ASCII: Glyphs = {
  branch: "|- ",
  last: "`- ",
  pass: "|  ",
  blank: "   ",
  became: "-> ",
  cut: "...",
  cause: "  <- ",
};

/** The columns left of the tree; 0 wide when left out. */
interface Layout {
  readonly pid: number;
  readonly wall: number;
  readonly cpu: number;
  readonly status: number;
  /** Where the tree begins. */
  readonly left: number;
  /** Levels that are drawn; what is deeper says its depth. */
  readonly levels: number;
}

function statusText(recording: Recording, p: Processes, life: number): string {
  if (p.ended[life] === ENDED.unseen) return noEndText(recording);
  if (p.ended[life] === ENDED.replaced) return "end lost";
  return failureText(exitStatusOf(p, life));
}

function layOut(
  recording: Recording,
  p: Processes,
  tree: ProcessTree,
  drawn: number,
  options: RenderOptions,
  hasCpu: boolean,
): Layout {
  let pid = 3;
  let status = 0;
  for (let at = 0; at < drawn; at++) {
    const life = tree.preorder[at]!;
    pid = Math.max(pid, String(p.pid[life]!).length);
    status = Math.max(status, statusText(recording, p, life).length);
  }
  const gap = 2;
  const columns = { pid: pid + gap, wall: 7 + gap, cpu: hasCpu ? 6 + gap : 0, status: status > 0 ? status + gap : 0 };
  const left = () => columns.pid + columns.wall + columns.cpu + columns.status;
  for (const name of ["cpu", "wall", "status"] as const) {
    if (left() + LEAST_COMMAND > options.width) columns[name] = 0;
  }
  const room = options.width - left() - LEAST_COMMAND;
  const levels = Math.max(0, Math.min(MOST_LEVELS, Math.floor(room / 3)));
  return { ...columns, left: left(), levels };
}

class Drawing {
  private readonly p: Processes;
  private readonly tree: ProcessTree;
  private readonly commands: Commands;
  private readonly recording: Recording;
  private readonly options: RenderOptions;
  private readonly layout: Layout;
  private readonly glyphs: Glyphs;
  private readonly paint: Paint;
  /** By level: whether the life drawn there last has a sibling to come. */
  private readonly more: Uint8Array;

  constructor(
    recording: Recording,
    p: Processes,
    tree: ProcessTree,
    commands: Commands,
    options: RenderOptions,
    layout: Layout,
  ) {
    this.recording = recording;
    this.p = p;
    this.tree = tree;
    this.commands = commands;
    this.options = options;
    this.layout = layout;
    this.glyphs = options.unicode ? UNICODE : ASCII;
    this.paint = paint(options.color);
    this.more = new Uint8Array(layout.levels + 2);
  }

  head(): string {
    const { layout } = this;
    const cells = [padStart("PID", layout.pid - 2)];
    if (layout.wall > 0) cells.push(padStart("WALL", layout.wall - 2));
    if (layout.cpu > 0) cells.push(padStart("CPU", layout.cpu - 2));
    if (layout.status > 0) cells.push(padEnd("", layout.status - 2));
    return this.paint.dim(cells.join("  ") + "  COMMAND") + "\n";
  }

  /** The lines of one life; lives must come in depth-first order. */
  life(life: number): string {
    const { p, tree, layout, glyphs } = this;
    const depth = tree.depth[life]!;
    const above = p.parent[life]!;
    const isLast = above === ABSENT || tree.child[tree.childAt[above + 1]! - 1] === life;
    if (depth <= layout.levels) this.more[depth] = isLast ? 0 : 1;

    let trunk = "";
    for (let level = 1; level < Math.min(depth, layout.levels + 1); level++) {
      trunk += this.more[level] === 1 ? glyphs.pass : glyphs.blank;
    }
    const deep = depth > layout.levels;
    const own = depth === 0 ? "" : deep ? `[${depth}] ` : isLast ? glyphs.last : glyphs.branch;
    const under = depth === 0 ? "" : deep ? " ".repeat(own.length) : isLast ? glyphs.blank : glyphs.pass;

    const first = p.imageAt[life]!;
    const after = p.imageAt[life + 1]!;
    const open = p.ended[life] !== ENDED.exit;
    // Without an exit the time is what was seen of it.
    const wall = (open ? ">" : "") + formatDuration(drawnEnd(p, life) - p.start[life]!);
    const status = statusText(this.recording, p, life);
    const failed = failureText(exitStatusOf(p, life)) !== "";
    let out = this.line(
      String(p.pid[life]!),
      wall,
      this.cpuText(life),
      failed ? this.paint.bad(status) : open ? this.paint.odd(status) : status,
      status.length,
      trunk + own,
      first < after ? this.commands.ofExec(p.imageRow[first]!) : this.commands.withoutExec(life),
      this.causeText(life),
    );
    const hasChildren = tree.childAt[life + 1]! > tree.childAt[life]!;
    for (let i = first + 1; i < after; i++) {
      const stem = !deep && hasChildren && depth < layout.levels ? glyphs.pass : "";
      const since = "+" + formatDuration(p.imageStart[i]! - p.start[life]!);
      out += this.line(
        "",
        since,
        "",
        "",
        0,
        trunk + under + stem + glyphs.became,
        this.commands.ofExec(p.imageRow[i]!),
      );
    }
    return out;
  }

  private line(
    pid: string,
    wall: string,
    cpu: string,
    status: string,
    statusWidth: number,
    lead: string,
    command: string,
    cause = "",
  ): string {
    const { layout, options, paint: on } = this;
    let text = padStart(pid, layout.pid - 2) + "  ";
    if (layout.wall > 0) text += padStart(wall, layout.wall - 2) + "  ";
    if (layout.cpu > 0) text += padStart(cpu, layout.cpu - 2) + "  ";
    if (layout.status > 0) text += status + " ".repeat(layout.status - statusWidth);
    // A cause is short; where there is no room for it beside some of the command, the command is more use.
    const beside = options.width - layout.left - lead.length - displayWidth(cause);
    const suffix = options.full || beside >= LEAST_COMMAND ? cause : "";
    const room = Math.max(1, options.width - layout.left - lead.length - displayWidth(suffix));
    const fits = options.full || displayWidth(command) <= room;
    const shown = fits ? command : cutEnd(withoutFolders(command, this.glyphs.cut), room, this.glyphs.cut);
    const styled = shown.startsWith("(") ? on.dim(shown) : shown;
    return text + on.dim(lead) + styled + (suffix === "" ? "" : on.dim(suffix)) + "\n";
  }

  /** The line that started the process: the file's name alone, unless everything is asked for. */
  private causeText(life: number): string {
    const cause = this.options.causeOf?.(life);
    if (cause === undefined) return "";
    const place = this.options.full ? cause.place : cause.place.slice(cause.place.lastIndexOf("/") + 1);
    return this.glyphs.cause + printable(place, this.options.unicode) + (cause.sure ? "" : "?");
  }

  private cpuText(life: number): string {
    if (this.layout.cpu === 0) return "";
    const ns = cpuOf(this.recording, this.p, life);
    return ns === undefined ? "" : formatDuration(ns);
  }
}

/** CPU time of a life and the children it waited for, as wait4(2) has it. */
function cpuOf(recording: Recording, p: Processes, life: number): number | undefined {
  const row = p.exitRow[life]!;
  if (row === ABSENT) return undefined;
  const event = eventAt(recording, row);
  if (event.kind !== "exit" || event.utime === undefined || event.stime === undefined) return undefined;
  return event.utime + event.stime;
}

/** How the recorded command ended: as the recording's end says, or its own exit. */
function outcome(recording: Recording, p: Processes): ExitStatus {
  const { end, header } = recording;
  if (end?.signal !== undefined && end.signal > 0) return { how: "signaled", signal: end.signal, coreDumped: false };
  if (end?.exit_code !== undefined) return { how: "exited", code: end.exit_code };
  for (let life = 0; life < p.length; life++) if (p.pid[life] === header?.root_pid) return exitStatusOf(p, life);
  return UNKNOWN_STATUS;
}

/** One line when it fits, else the command and the facts on a line each. */
function summary(recording: Recording, p: Processes, options: RenderOptions): string[] {
  const parts = [p.length === 0 ? "no processes" : count(p.length, "process", "processes")];
  if (p.lastTime > p.firstTime) parts.push(formatDuration(p.lastTime - p.firstTime));
  const recordings = rootPidsOf(recording).length;
  const status = recordings > 1 ? UNKNOWN_STATUS : outcome(recording, p);
  if (status.how === "exited") parts.push(`exit ${status.code}`);
  else if (status.how === "signaled") parts.push(failureText(status));
  if (isCutOff(recording)) parts.push("cut off");
  const facts = parts.join(", ");
  if (recordings > 1) return [`${count(recordings, "recording")}: ${facts}`];
  const argv = recordedCommand(recording);
  if (argv === undefined) return [facts];
  const command = commandText(argv, options);
  const line = `${command}: ${facts}`;
  return displayWidth(line) <= options.width ? [line] : [command, facts];
}

function render(recording: Recording, options: RenderOptions, out: TextSink): void {
  const p = processesOf(recording);
  const tree = deriveTree(p);
  const commands = new Commands(recording, p, tree, options);
  const on = paint(options.color);
  const dots = options.unicode ? UNICODE.cut : ASCII.cut;

  for (const line of summary(recording, p, options)) {
    out.text(on.strong(options.full ? line : cutEnd(line, options.width, dots)) + "\n");
  }
  for (const note of caveats(recording)) {
    for (const line of wrap(`! ${note}`, options.width, "  ")) out.text(on.odd(line) + "\n");
  }
  if (p.length === 0) return;

  const drawn = Math.min(p.length, Math.max(0, options.limit ?? DEFAULT_LIMIT));
  let hasCpu = false;
  for (let at = 0; at < Math.min(drawn, CPU_SAMPLE) && !hasCpu; at++) {
    hasCpu = cpuOf(recording, p, tree.preorder[at]!) !== undefined;
  }
  const drawing = new Drawing(
    recording,
    p,
    tree,
    commands,
    options,
    layOut(recording, p, tree, drawn, options, hasCpu),
  );
  if (drawn > 0) out.text("\n" + drawing.head());
  for (let at = 0; at < drawn; at++) out.text(drawing.life(tree.preorder[at]!));
  if (drawn < p.length) {
    const left = count(p.length - drawn, "more process", "more processes");
    for (const line of wrap(`${dots} and ${left} (--limit N shows more, --limit 0 all)`, options.width, "  ")) {
      out.text(on.odd(line) + "\n");
    }
  }
}

export const tree: DocumentRenderer = {
  id: "tree",
  summary: "The process tree as text with pids, wall times and exit statuses",
  shape: "document",
  render,
};
