// Commands that draw: the tree, one level of it, the Gantt chart, hot commands, the critical path, the recording as a whole.
import { Analysis } from "../../analyse/analysis.ts";
import { makeReport } from "../../analyse/report.ts";
import { shortenPlace } from "../../analyse/line_facts.ts";
import { sectionsOf } from "../../analyse/registry.ts";
import type { Report } from "../../analyse/table.ts";
import { count, printable, thousands } from "../../base/text.ts";
import { deriveCriticalPath, DOING } from "../../derive/critical_path.ts";
import { drawnEnd } from "../../derive/processes.ts";
import { ABSENT } from "../../model/ids.ts";
import { formatDuration } from "../../model/time.ts";
import { caveats, recordedCommand, commandText, withoutFolders } from "../../render/commands.ts";
import { placeOf, type Starters } from "../../query/line_table.ts";
import type { Book } from "../book.ts";
import type { Context, ReplCommand } from "../command.ts";
import { endOf, moment, processLine } from "../describe.ts";
import { lines, type Output, tables } from "../output.ts";
import { lifeOf } from "../places.ts";
import { subRecording } from "../sub_recording.ts";
import { timelineLines } from "../timeline_view.ts";
import { treeLines } from "../tree_view.ts";
import { done, fail, type Ran, takeCount, tooMany } from "./_shared.ts";
import { runText } from "./views.ts";

const TREE_LIMIT = 200;

function treeOutput(book: Book, context: Context, life: number, depth: number, limit: number): Output {
  const { session } = context;
  const { lives } = book.scope({ ...session, position: { ...session.position, life: ABSENT } });
  const under = book.scope(session).lives;
  const shown = life === ABSENT ? under : lives;
  const options = { life, lives: shown, depth, limit, here: hereOf(context) };
  return {
    text: (view) => treeLines(book, options, view),
    report: () => treeReport(book, life, shown),
  };
}

function treeReport(book: Book, life: number, shown: Uint8Array | undefined): Report {
  const { tree, processes: p } = book;
  const { starters } = book.world;
  const from = life === ABSENT ? 0 : tree.position[life]!;
  const all = tree.preorder.subarray(from, life === ABSENT ? p.length : from + tree.size[life]!);
  const rows = [...all]
    .filter((at) => shown === undefined || shown[at] === 1)
    .map((at) => [
      `p${at}`,
      p.pid[at]!,
      p.parent[at] === ABSENT ? undefined : `p${p.parent[at]}`,
      tree.depth[at]!,
      Number.isNaN(p.end[at]!) ? undefined : p.end[at]! - p.start[at]!,
      endOf(book, at),
      book.commandOf(at),
      ...(starters === undefined ? [] : [startedBy(starters, at)]),
    ]);
  const columns = [
    { id: "id", title: "ID", kind: "text" },
    { id: "pid", title: "PID", kind: "number" },
    { id: "parent", title: "PARENT", kind: "text" },
    { id: "depth", title: "DEPTH", kind: "count" },
    { id: "wall_ns", title: "WALL", kind: "duration" },
    { id: "status", title: "STATUS", kind: "text" },
    { id: "command", title: "COMMAND", kind: "text" },
    ...(starters === undefined ? [] : ([{ id: "started_by", title: "STARTED BY", kind: "text" }] as const)),
  ] as const;
  return { headline: [], facts: [], notes: [], tables: [{ id: "tree", title: "", columns, rows }] };
}

function startedBy(starters: Starters | undefined, life: number): string | undefined {
  const starter = life < 0 ? undefined : starters?.ofLife(life);
  return starter === undefined ? undefined : placeOf(starter);
}

/** The process at hand: that of the current event. */
function hereOf({ book, session }: Context): number {
  const { row } = session.position;
  return row < 0 ? ABSENT : book.processes.owner[row]!;
}

export const tree: ReplCommand = {
  id: "tree",
  summary: "the process tree, of everything or under one process",
  group: "Looking",
  usage: "tree [PROCESS] [N] [-d LEVELS]",
  doc: `Draws what remains and, dimly, what stands above it; at most ${TREE_LIMIT} processes unless N says otherwise (0 draws all).`,
  examples: [
    { line: "tree", what: "from the current process" },
    { line: "tree p0 -d 1", what: "one level below p0" },
  ],
  arguments: ["process", "words"],
  *run(context) {
    yield;
    const words = [...context.words];
    const option = words.findIndex((w) => /^-d\d*$/.test(w.text) || w.text === "--depth");
    let depth = Infinity;
    if (option >= 0) {
      const glued = words[option]!.text.slice(2);
      const value = /^\d+$/.test(glued) ? glued : words[option + 1]?.text;
      if (value === undefined || !/^\d+$/.test(value)) return fail("expected a number of levels after -d");
      depth = Number(value);
      words.splice(option, value === glued ? 1 : 2);
    }
    const { count: limit, rest } = takeCount(words, TREE_LIMIT);
    const extra = tooMany(rest, 1, tree.usage);
    if (extra !== undefined) return extra;
    let { life } = context.session.position;
    if (rest[0] !== undefined) {
      const found = lifeOf(rest[0].text, context.book, context.session);
      if (found.isErr()) return fail(found.error.message, found.error.hint);
      life = found.value;
    }
    return done({ output: treeOutput(context.book, context, life, depth, limit) });
  },
};

export const ls: ReplCommand = {
  id: "ls",
  summary: "the children of the current process",
  group: "Looking",
  usage: "ls [PROCESS]",
  doc: "At the top: the processes without a recorded parent.",
  examples: [
    { line: "ls", what: "children of where you are" },
    { line: "ls p0", what: "children of p0" },
  ],
  arguments: ["process"],
  *run(context) {
    yield;
    const { book, session, words } = context;
    const extra = tooMany(words, 1, ls.usage);
    if (extra !== undefined) return extra;
    let { life } = session.position;
    if (words[0] !== undefined) {
      const found = lifeOf(words[0].text, book, session);
      if (found.isErr()) return fail(found.error.message, found.error.hint);
      life = found.value;
    }
    const { tree: t, processes: p } = book;
    const all = life === ABSENT ? t.roots : t.child.subarray(t.childAt[life]!, t.childAt[life + 1]!);
    const { lives } = book.scope(session);
    const rows = [...all]
      .filter((at) => lives === undefined || lives[at] === 1)
      .map((at) => [
        `p${at}`,
        p.start[at]!,
        Number.isNaN(p.end[at]!) ? undefined : p.end[at]! - p.start[at]!,
        endOf(book, at) || undefined,
        t.size[at]! - 1,
        book.commandOf(at),
      ]);
    const columns = [
      { id: "id", title: "ID", kind: "text", cut: "never" },
      { id: "start_ns", title: "START", kind: "time", yields: 2 },
      { id: "wall_ns", title: "WALL", kind: "duration", yields: 1 },
      { id: "status", title: "STATUS", kind: "text", cut: "never" },
      { id: "below", title: "BELOW", kind: "count", yields: 3 },
      { id: "command", title: "COMMAND", kind: "text", shorten: withoutFolders },
    ] as const;
    const empty =
      life === ABSENT ? "no processes" : `p${life} has no children${lives === undefined ? "" : " that remain"}`;
    return done({ output: tables({ tables: [{ id: "children", title: "", columns, rows, empty }] }) });
  },
};

export const timeline: ReplCommand = {
  id: "timeline",
  summary: "a Gantt chart of the longest processes in the terminal's width",
  group: "Looking",
  usage: "timeline [N]",
  doc: "Over the bars: how many processes ran at each moment. A mark shows the moment at hand. N processes, 30 if omitted, 0 for all.",
  examples: [{ line: "timeline 15", what: "the fifteen longest" }],
  arguments: ["words"],
  *run(context) {
    yield;
    const { book, session } = context;
    const { count: most, rest } = takeCount(context.words, 30);
    const extra = tooMany(rest, 0, timeline.usage);
    if (extra !== undefined) return extra;
    const { processes: p, tree: t } = book;
    const { lives } = book.scope(session);
    const all: number[] = [];
    let from = Infinity;
    let to = -Infinity;
    for (const life of t.preorder) {
      if (lives !== undefined && lives[life] === 0) continue;
      all.push(life);
      from = Math.min(from, p.start[life]!);
      to = Math.max(to, drawnEnd(p, life));
    }
    if (all.length === 0) return done({ output: lines("timeline", ["no processes"]) });
    const wall = (life: number) => drawnEnd(p, life) - p.start[life]!;
    const longest = [...all].sort((a, b) => wall(b) - wall(a)).slice(0, most);
    const chosen = new Set(longest);
    const options = {
      lives: all.filter((life) => chosen.has(life)),
      all,
      from,
      to,
      now: session.position.time,
    };
    const columns = [
      { id: "id", title: "ID", kind: "text" },
      { id: "start_ns", title: "START", kind: "time" },
      { id: "wall_ns", title: "WALL", kind: "duration" },
      { id: "command", title: "COMMAND", kind: "text" },
    ] as const;
    return done({
      output: {
        text: (view) => timelineLines(book, options, view),
        report: () => ({
          headline: [],
          facts: [],
          notes: [],
          tables: [
            {
              id: "timeline",
              title: "",
              columns,
              rows: options.lives.map((life) => [`p${life}`, p.start[life]!, wall(life), book.commandOf(life)]),
            },
          ],
        }),
      },
    });
  },
};

/** Threads and processes together, but the table that is at hand stays what it was. */
function* hotLines(context: Context, limit: number): Generator<void, Ran> {
  const most = Number.isFinite(limit) ? ` | limit ${limit}` : "";
  const costs = "count = sum(count), self = sum(self), cumulated = sum(cumulated)";
  const ran = yield* runText(context, `lines group file, line, source | agg ${costs} | sort -self${most}`);
  return ran.map((reply) => ({ ...reply, session: context.session }));
}

export const hot: ReplCommand = {
  id: "hot",
  summary: "which commands the time went into",
  group: "Looking",
  usage: "hot [N] [program|argv|exe|lines]",
  doc: "SELF is a command's time without its children's. hot lines: of executed lines, whichever process and thread they ran in; SELF is without what a line called.",
  examples: [
    { line: "hot", what: "the programs" },
    { line: "hot 5 argv", what: "the five hottest command lines" },
    { line: "hot 10 lines", what: "the ten hottest lines of scripts" },
  ],
  arguments: [["program", "argv", "exe", "lines"]],
  *run(context) {
    const { book, session } = context;
    const { count: limit, rest } = takeCount(context.words, 15);
    const extra = tooMany(rest, 1, hot.usage);
    if (extra !== undefined) return extra;
    const by = rest[0]?.text ?? "program";
    if (by === "lines") return yield* hotLines(context, limit);
    if (by !== "program" && by !== "argv" && by !== "exe")
      return fail(`'${by}' is no way to group`, "expected program, argv, exe or lines");
    const rows = book.recordingRows(session);
    const recording = rows === undefined ? book.recording : subRecording(book.recording, rows);
    yield;
    const analysis = new Analysis(recording, { by, unicode: context.unicode, full: false });
    const sections = sectionsOf("commands", true);
    const sort = sections[0]!.columns.find((c) => c.id === "self_ns");
    const steps = makeReport(analysis, { sections, limit, sort });
    for (;;) {
      const step = steps.next();
      if (step.done === true) return done({ output: tables({ tables: step.value.tables }) });
      yield;
    }
  },
};

const DOING_TEXT: Readonly<Record<number, string>> = {
  [DOING.own]: "own",
  [DOING.beside]: "beside",
  [DOING.starting]: "starting",
  [DOING.nothing]: "nothing",
};

const STARTED_BY = [
  { id: "started_by", title: "STARTED BY", kind: "text", shorten: shortenPlace, cut: "middle" },
  { id: "started_by_sure", title: "SURE", kind: "text", machineOnly: true },
] as const;

export const path: ReplCommand = {
  id: "path",
  summary: "the critical path: what the end of the whole, or of the current process, waited for",
  group: "Looking",
  usage: "path [PROCESS] [N]",
  doc: "The N longest segments (20 if omitted, 0 for all) in the order of time. Filters do not apply: waiting goes through everybody.",
  examples: [
    { line: "path 10", what: "the ten longest waits" },
    { line: "path p2", what: "what the end of p2 waited for" },
  ],
  arguments: ["process"],
  *run(context) {
    yield;
    const { book, session } = context;
    const { count: limit, rest } = takeCount(context.words, 20);
    const extra = tooMany(rest, 1, path.usage);
    if (extra !== undefined) return extra;
    let { life } = session.position;
    if (rest[0] !== undefined) {
      const found = lifeOf(rest[0].text, book, session);
      if (found.isErr()) return fail(found.error.message, found.error.hint);
      life = found.value;
    }
    const { analysis, starters } = book.world;
    const whole =
      life === ABSENT
        ? analysis.path
        : deriveCriticalPath(book.processes, book.tree, life, book.recording.end === undefined);
    const total = whole.end - whole.start;
    const time = (i: number) => whole.to[i]! - whole.from[i]!;
    const order = Array.from({ length: whole.length }, (_, i) => i).sort((a, b) => time(b) - time(a));
    const shown = order.slice(0, limit).sort((a, b) => whole.from[a]! - whole.from[b]!);
    const covered = shown.reduce((sum, i) => sum + time(i), 0);
    const percent = (part: number) => (total > 0 ? Math.round((part / total) * 1e4) / 100 : undefined);
    const columns = [
      { id: "from_ns", title: "FROM", kind: "time", yields: 2 },
      { id: "duration_ns", title: "TIME", kind: "duration" },
      { id: "percent", title: "OF WALL", kind: "percent", yields: 1 },
      { id: "id", title: "ID", kind: "text", cut: "never" },
      { id: "doing", title: "DOING", kind: "text", cut: "never", yields: 3 },
      { id: "command", title: "COMMAND", kind: "text", shorten: withoutFolders },
      ...(starters === undefined ? [] : STARTED_BY),
    ] as const;
    const rows = shown.map((i) => [
      whole.from[i]!,
      time(i),
      percent(time(i)),
      whole.life[i]! < 0 ? undefined : `p${whole.life[i]}`,
      DOING_TEXT[whole.doing[i]!],
      whole.life[i]! < 0 ? "(no process)" : analysis.lifeText(whole.life[i]!, whole.from[i]!),
      ...(starters === undefined
        ? []
        : [startedBy(starters, whole.life[i]!), starters.ofLife(whole.life[i]!)?.certainty]),
    ]);
    const title = `${count(shown.length, "longest segment")} of ${whole.length}: ${formatDuration(covered)} of ${formatDuration(total)}`;
    return done({
      output: tables({ tables: [{ id: "critical-path", title, columns, rows, empty: "no time passed" }] }),
    });
  },
};

export const info: ReplCommand = {
  id: "info",
  summary: "what this recording is, and where you are in it",
  group: "Looking",
  usage: "info",
  doc: "The command, when and where it ran, how it ended, what was lost, what is in force.",
  examples: [{ line: "info", what: "at the beginning" }],
  arguments: [],
  *run(context) {
    yield;
    const { book, session, unicode } = context;
    const extra = tooMany(context.words, 0, info.usage);
    if (extra !== undefined) return extra;
    const { recording, processes: p } = book;
    const { header } = recording;
    const command = recordedCommand(recording);
    const scope = book.scope(session);
    const { position } = session;
    const root = book.tree.roots.length === 1 ? book.tree.roots[0]! : ABSENT;
    const facts: [string, string | undefined][] = [
      ["recording", recording.name],
      ["command", command === undefined ? undefined : commandText(command, { unicode, full: false })],
      ["started", header?.started_at],
      ["in", header?.cwd],
      [
        "on",
        [header?.hostname, header?.os, header?.arch, header?.kernel].filter((t) => t !== undefined).join(" ") ||
          undefined,
      ],
      ["recorded by", [header?.generator, header?.backend].filter((t) => t !== undefined).join(", ") || undefined],
      ["time", formatDuration(p.lastTime - p.firstTime)],
      ["events", thousands(recording.events.length)],
      ["processes", thousands(p.length)],
      ["ended", root === ABSENT ? undefined : endOf(book, root) || "exit 0"],
      ["problems", recording.problems.total > 0 ? thousands(recording.problems.total) : undefined],
      [
        "remaining",
        scope.lives === undefined
          ? undefined
          : `${thousands(scope.liveCount)} processes, ${thousands(scope.rowCount)} events`,
      ],
      ["in process", position.life === ABSENT ? undefined : processLine(book, position.life)],
      ["at", position.row < 0 ? undefined : `e${position.row} ${moment(position.time)}`],
    ];
    const known = facts.filter((f): f is [string, string] => f[1] !== undefined);
    const report: Report = {
      headline: [],
      facts: known.map(([id, value]) => ({ id: id.replaceAll(" ", "_"), value })),
      notes: caveats(recording),
      tables: [],
    };
    return done({
      output: {
        *text(view) {
          for (const sentence of report.notes) yield view.paint.odd(`! ${sentence}`) + "\n";
          for (const [name, value] of known)
            yield `${view.paint.dim(name.padEnd(12))}${printable(value, view.unicode)}\n`;
        },
        report: () => ({
          ...report,
          tables: [
            {
              id: "info",
              title: "",
              columns: [
                { id: "name", title: "NAME", kind: "text" },
                { id: "value", title: "VALUE", kind: "text" },
              ],
              rows: known,
            },
          ],
          facts: [],
        }),
      },
    });
  },
};
