// Where the user is in a recording and what is in force: a moment, a process, the stack of filters, marks, the way back. A value: commands
// make the next one, nothing here changes.
import type { TableName } from "../query/fields.ts";
import type { Format } from "./line.ts";

export interface Filter {
  /** Rows of this table are chosen, and with them the processes and events that they are about. */
  readonly table: TableName;
  readonly text: string;
  readonly name?: string;
  /** In the file of other sessions, too. */
  readonly kept?: boolean;
}

/** A place to come back to. */
export interface Position {
  /** Row of the event at hand, -1 before the first. */
  readonly row: number;
  /** Nanoseconds since the recording began. */
  readonly time: number;
  /** The process that views are limited to with everything below it; -1 for all. */
  readonly life: number;
}

export interface Session {
  readonly position: Position;
  readonly filters: readonly Filter[];
  readonly marks: ReadonlyMap<string, Position>;
  /** Earlier positions, the latest last. */
  readonly trail: readonly Position[];
  /** Filters by name. */
  readonly saved: ReadonlyMap<string, Filter>;
  /** What `--format` of tk, or the command `format`, said. */
  readonly format: Format | undefined;
  /** The table that a query without a name of one is about: that of the last view. */
  readonly table: TableName;
  /** What the last `find` looked for, for a `find` without words. */
  readonly sought: string;
}

export const START: Position = { row: -1, time: 0, life: -1 };

const MOST_TRAIL = 100;

export function makeSession(saved: ReadonlyMap<string, Filter> = new Map(), format?: Format): Session {
  return {
    position: START,
    filters: [],
    marks: new Map(),
    trail: [],
    saved,
    format,
    table: "procs",
    sought: "",
  };
}

/** Goes somewhere else and remembers where from. */
export function goTo(session: Session, to: Partial<Position>): Session {
  const position = { ...session.position, ...to };
  const same = (Object.keys(position) as (keyof Position)[]).every((k) => position[k] === session.position[k]);
  if (same) return session;
  return { ...session, position, trail: [...session.trail, session.position].slice(-MOST_TRAIL) };
}

/** One line a filter, for the file that keeps them: `name TAB table TAB text`. */
export function savedLine(filter: Filter): string {
  return `${filter.name ?? ""}\t${filter.table}\t${filter.text.replaceAll(/\s+/g, " ")}`;
}

export function parseSaved(text: string, isTable: (name: string) => name is TableName): Map<string, Filter> {
  const saved = new Map<string, Filter>();
  for (const line of text.split("\n")) {
    const [name, table, ...rest] = line.split("\t");
    const condition = rest.join(" ");
    if (name === undefined || !/^[A-Za-z][\w-]*$/.test(name) || table === undefined || !isTable(table)) continue;
    if (condition !== "") saved.set(name, { name, table, text: condition, kept: true });
  }
  return saved;
}
