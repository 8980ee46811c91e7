// Commands that move: through the tree, through time, to marks, and back.
import { err } from "neverthrow";
import { ABSENT } from "../../model/ids.ts";
import { filterOf } from "../book.ts";
import { FIELDS } from "../../query/fields.ts";
import type { Context, ReplCommand } from "../command.ts";
import { eventLine, kindOf, moment, processLine } from "../describe.ts";
import { lines, tables } from "../output.ts";
import { lifeOf, neighbour, positionOf, rankOf } from "../places.ts";
import { goTo, type Position, type Session } from "../session.ts";
import { done, fail, type Ran, takeCount, tooMany } from "./_shared.ts";

/** Says where one is now. */
function arrived(context: Context, session: Session): Ran {
  const { book } = context;
  const { row, life, time } = session.position;
  const text =
    row >= 0
      ? eventLine(book, row)
      : life !== ABSENT
        ? processLine(book, life)
        : `${moment(time)}: before the first event`;
  return done({ session, output: lines("position", [text]) });
}

function entered(context: Context, life: number): Ran {
  const session = goTo(context.session, { life });
  const text = life === ABSENT ? "all processes" : processLine(context.book, life);
  return done({ session, output: lines("position", [text]) });
}

export const cd: ReplCommand = {
  id: "cd",
  summary: "enter a process: views are of it and what is below it",
  group: "Moving",
  usage: "cd [PROCESS|..|/]",
  doc: "A process is a handle, a pid, or a program's name when there is only one. Without a word: everything, as root.",
  examples: [
    { line: "cd p2", what: "into p2" },
    { line: "cd ..", what: "to the process that created it" },
  ],
  arguments: ["process"],
  *run(context) {
    yield;
    const { words, book, session } = context;
    const extra = tooMany(words, 1, cd.usage);
    if (extra !== undefined) return extra;
    const word = words[0]?.text;
    if (word === undefined || word === "/" || word === "~") return entered(context, ABSENT);
    if (word === "..")
      return entered(
        context,
        session.position.life === ABSENT ? ABSENT : book.processes.parent[session.position.life]!,
      );
    if (word === "-") return runBack(context, 1);
    const life = lifeOf(word, book, session);
    return life.isErr() ? err(life.error) : entered(context, life.value);
  },
};

export const up: ReplCommand = {
  id: "up",
  summary: "leave the current process for its creator",
  group: "Moving",
  usage: "up [N]",
  doc: "N levels up.",
  examples: [{ line: "up", what: "one level" }],
  arguments: ["words"],
  *run(context) {
    yield;
    const { count, rest } = takeCount(context.words, 1);
    const extra = tooMany(rest, 0, up.usage);
    if (extra !== undefined) return extra;
    let { life } = context.session.position;
    for (let i = 0; i < count && life !== ABSENT; i++) life = context.book.processes.parent[life]!;
    return entered(context, life);
  },
};

export const root: ReplCommand = {
  id: "root",
  summary: "leave the current process for everything",
  group: "Moving",
  usage: "root",
  doc: "Filters stay; pop takes those away.",
  examples: [{ line: "root", what: "out of every process" }],
  arguments: [],
  *run(context) {
    yield;
    return tooMany(context.words, 0, root.usage) ?? entered(context, ABSENT);
  },
};

/** The kinds that `next` and `prev` may be limited to. */
const STEP_KINDS = FIELDS.events.find((field) => field.name === "kind")?.values ?? [];

function* walk(context: Context, step: 1 | -1, usage: string): Generator<void, Ran> {
  const { book, session } = context;
  const { count, rest } = takeCount(context.words, 1);
  const extra = tooMany(rest, 1, usage);
  if (extra !== undefined) return extra;
  let wanted: Uint8Array | undefined;
  const kind = rest[0]?.text;
  if (kind !== undefined) {
    const condition = book.condition(`kind == "${kind.replaceAll('"', "")}"`, "events");
    if (condition.isErr()) return err(condition.error);
    wanted = yield* book.matching(condition.value);
  }
  const row = neighbour(session, book, step, count, wanted);
  if (row === ABSENT)
    return fail(
      step === 1 ? "that was the last event" : "that was the first event",
      kind === undefined ? undefined : `of kind ${kind}`,
    );
  return arrived(context, goTo(session, { row, time: book.recording.events.ts[row]! }));
}

export const next: ReplCommand = {
  id: "next",
  summary: "the next event that remains",
  group: "Moving",
  usage: "next [N] [KIND]",
  doc: "N events on; of one kind (fork, exec, exit, ...) when that is named.",
  examples: [
    { line: "next", what: "one event on" },
    { line: "next 2 exec", what: "the second exec from here" },
  ],
  arguments: [STEP_KINDS],
  run: (context) => walk(context, 1, next.usage),
};

export const prev: ReplCommand = {
  id: "prev",
  aliases: ["previous"],
  summary: "the event before that remains",
  group: "Moving",
  usage: "prev [N] [KIND]",
  doc: "N events back; of one kind when that is named.",
  examples: [{ line: "prev", what: "one event back" }],
  arguments: [STEP_KINDS],
  run: (context) => walk(context, -1, prev.usage),
};

export const goto: ReplCommand = {
  id: "goto",
  aliases: ["g"],
  summary: "go to a moment, an event, the start of a process, a mark",
  group: "Moving",
  usage: "goto +2s|-10ms|1.5s|12:00:01|p12|event 400|e400|start|end|MARK",
  doc: "With a sign: from here. Without: since the recording began. A time of day is in your time zone.",
  examples: [
    { line: "goto +10ms", what: "ten milliseconds on" },
    { line: "goto event 4", what: "an event by its number" },
    { line: "goto p2", what: "where p2 begins" },
  ],
  arguments: ["place"],
  *run(context) {
    yield;
    const words = context.words.map((w) => w.text);
    if (words.length === 0) return fail("expected a place to go to", `usage: ${goto.usage}`);
    const to = positionOf(words, context.book, context.session);
    return to.isErr() ? err(to.error) : arrived(context, goTo(context.session, to.value));
  },
};

export const find: ReplCommand = {
  id: "find",
  summary: "the next event or process of which a condition is true",
  group: "Moving",
  usage: "find [TABLE where] CONDITION",
  doc: "Looks forward from the current moment. Without words: the same once more.",
  examples: [
    { line: "find kind == exit and failed", what: "the next failure" },
    { line: "find exe == sh", what: "the next process that ran sh" },
  ],
  arguments: ["condition"],
  speaksQuery: true,
  *run(context) {
    const { book, session } = context;
    const sought = context.text.trim() === "" ? session.sought : context.text.trim();
    if (sought === "") return fail("expected a condition", "such as find kind == exit and failed");
    const { table, condition: text } = filterOf(sought);
    const condition = book.condition(text, table);
    if (condition.isErr()) return err(condition.error);
    const mask = yield* book.matching(condition.value);
    const { processes: p } = book;
    const { ts } = book.recording.events;
    const now: Session = { ...session, sought };
    if (condition.value.table === "procs" || condition.value.table === "lines" || condition.value.table === "reports") {
      const { lives } = book.scope(session);
      const of = condition.value.table === "procs" ? undefined : book.world.numbers(condition.value.table, "proc");
      const good = new Set<number>();
      mask.forEach((is, at) => {
        const life = of === undefined ? at : Number(of[at]);
        if (is === 1 && life >= 0 && (lives === undefined || lives[life] === 1)) good.add(life);
      });
      const rank = rankOf(session.position.row, book);
      const seen = new Set<number>();
      for (let i = 0; i < p.order.length; i++) {
        const row = p.order[i]!;
        const life = p.owner[row]!;
        if (life < 0 || seen.has(life)) continue;
        seen.add(life);
        if (i <= rank || !good.has(life)) continue;
        const moved = goTo(now, { row, time: ts[row]! });
        return done({ session: moved, output: lines("position", [`${moment(ts[row]!)}  ${processLine(book, life)}`]) });
      }
      return fail(
        good.size === 0 ? "there is none" : "there is none after this moment",
        good.size === 0 ? undefined : "goto start, then find",
      );
    }
    let wanted = mask;
    if (condition.value.table === "images") {
      wanted = new Uint8Array(ts.length);
      mask.forEach((is, i) => (wanted[p.imageRow[i]!]! |= is));
    }
    const row = neighbour(session, book, 1, 1, wanted);
    if (row === ABSENT)
      return fail(
        mask.includes(1) ? "there is none after this moment" : "there is none",
        mask.includes(1) ? "goto start, then find" : undefined,
      );
    return arrived(context, goTo(now, { row, time: ts[row]! }));
  },
};

export const mark: ReplCommand = {
  id: "mark",
  summary: "give the current position a name to come back to",
  group: "Moving",
  usage: "mark NAME",
  doc: "goto NAME returns to it.",
  examples: [{ line: "mark before", what: "remember this place" }],
  arguments: ["mark"],
  *run(context) {
    yield;
    const { words, session } = context;
    const name = words[0]?.text;
    if (name === undefined || words.length > 1 || !/^[A-Za-z][\w-]{0,30}$/.test(name) || /^[pe]\d+$/.test(name))
      return fail("expected one name for the mark: letters, digits, - and _", "such as mark before");
    const marks = new Map(session.marks).set(name, session.position);
    return done({
      session: { ...session, marks },
      output: lines("mark", [`${name}: ${placeText(context, session.position)}`]),
    });
  },
};

function placeText({ book }: Context, position: Position): string {
  const parts = [position.row >= 0 ? eventLine(book, position.row) : moment(position.time)];
  if (position.life !== ABSENT) parts.push(`in p${position.life} ${book.programOf(position.life)}`);
  return parts.join("  ");
}

export const marks: ReplCommand = {
  id: "marks",
  summary: "the marks that were set",
  group: "Moving",
  usage: "marks",
  doc: "Marks are of this session.",
  examples: [{ line: "marks", what: "all of them" }],
  arguments: [],
  *run(context) {
    yield;
    const { book, session } = context;
    const rows = [...session.marks].map(([name, at]) => [
      name,
      at.time,
      at.row < 0 ? undefined : `e${at.row}`,
      at.life === ABSENT ? undefined : `p${at.life}`,
      at.row < 0 ? undefined : kindOf(book, at.row),
    ]);
    const columns = [
      { id: "name", title: "NAME", kind: "text" },
      { id: "ts_ns", title: "TIME", kind: "time" },
      { id: "event", title: "EVENT", kind: "text" },
      { id: "process", title: "IN", kind: "text" },
      { id: "kind", title: "KIND", kind: "text" },
    ] as const;
    return (
      tooMany(context.words, 0, marks.usage) ??
      done({
        output: tables({ tables: [{ id: "marks", title: "", columns, rows, empty: "no marks: mark NAME sets one" }] }),
      })
    );
  },
};

function runBack(context: Context, count: number): Ran {
  const { session } = context;
  if (session.trail.length === 0) return fail("there is nothing to go back to");
  const at = Math.max(0, session.trail.length - count);
  return arrived(context, { ...session, position: session.trail[at]!, trail: session.trail.slice(0, at) });
}

export const back: ReplCommand = {
  id: "back",
  summary: "where you were before",
  group: "Moving",
  usage: "back [N]",
  doc: "N moves back.",
  examples: [{ line: "back", what: "undo the last move" }],
  arguments: ["words"],
  *run(context) {
    yield;
    const { count, rest } = takeCount(context.words, 1);
    return tooMany(rest, 0, back.usage) ?? runBack(context, count);
  },
};
