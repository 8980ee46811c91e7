// The columns of numbers, by table: each from the columns of the recording and of its process lives in one loop.
import type { Analysis } from "../analyse/analysis.ts";
import { ENDED, type Processes } from "../derive/processes.ts";
import type { EventTable } from "../model/event_table.ts";
import { KIND } from "../model/event.ts";
import { ABSENT } from "../model/ids.ts";
import { Bug } from "../base/assert.ts";

type Column = Float64Array | Int32Array | Uint8Array;

const places = (n: number): Int32Array => {
  const column = new Int32Array(n);
  for (let i = 0; i < n; i++) column[i] = i;
  return column;
};

/** Lengths of the ranges `[at[i], at[i + 1])`. */
const widths = (at: Int32Array, n: number): Int32Array => {
  const column = new Int32Array(n);
  for (let i = 0; i < n; i++) column[i] = at[i + 1]! - at[i]!;
  return column;
};

const isFailure = ({ code, signal }: EventTable, row: number) => signal[row] !== 0 || code[row]! > 0;

export function processNumbers(analysis: Analysis, name: string): Column {
  const { processes: p, tree } = analysis;
  const { events, length: n } = p;
  const exits = (of: (row: number) => number): Int32Array => {
    const column = new Int32Array(n).fill(ABSENT);
    for (let life = 0; life < n; life++) if (p.exitRow[life]! >= 0) column[life] = of(p.exitRow[life]!);
    return column;
  };
  switch (name) {
    case "id":
      return places(n);
    case "pid":
      return p.pid;
    case "parent":
      return p.parent;
    case "ppid": {
      const column = new Int32Array(n).fill(ABSENT);
      for (let life = 0; life < n; life++) {
        const above = p.parent[life]!;
        const fork = p.forkRow[life]!;
        column[life] = above >= 0 ? p.pid[above]! : fork >= 0 ? events.ppid[fork]! : ABSENT;
      }
      return column;
    }
    case "start":
      return p.start;
    case "end":
      return p.end;
    case "wall": {
      const column = new Float64Array(n);
      for (let life = 0; life < n; life++) column[life] = p.end[life]! - p.start[life]!;
      return column;
    }
    case "cpu":
      return analysis.usage.own;
    case "rss":
      return analysis.usage.maxRssKb.map((kb) => (kb === ABSENT ? NaN : kb * 1024));
    case "exit":
      return exits((row) => (events.signal[row] === 0 ? events.code[row]! : ABSENT));
    case "signal":
      return exits((row) => (events.signal[row] === 0 ? ABSENT : events.signal[row]! & 0x7f));
    case "core":
      return Uint8Array.from(
        exits((row) => events.signal[row]! >>> 7),
        (x) => (x > 0 ? 1 : 0),
      );
    case "failed":
      return Uint8Array.from(
        exits((row) => (isFailure(events, row) ? 1 : 0)),
        (x) => (x > 0 ? 1 : 0),
      );
    case "ended":
      return p.ended.map((how) => (how === ENDED.exit ? 1 : 0));
    case "execs":
      return widths(p.imageAt, n);
    case "probes":
      return widths(p.failedAt, n);
    case "children":
      return widths(tree.childAt, n);
    case "descendants":
      return tree.size.map((size) => size - 1);
    case "depth":
      return tree.depth;
    case "critical": {
      const { path } = analysis;
      const column = new Float64Array(n);
      for (let i = 0; i < path.length; i++)
        if (path.life[i]! >= 0) column[path.life[i]!]! += path.to[i]! - path.from[i]!;
      return column;
    }
  }
  throw new Bug(`no column procs.${name}`);
}

export function eventNumbers(events: EventTable, p: Processes, name: string): Column {
  const { kind, length: n } = events;
  switch (name) {
    case "id":
      return places(n);
    case "ts":
      return events.ts;
    case "seq":
      return events.seq.subarray(0, n).map((seq) => (seq === ABSENT ? NaN : seq));
    case "pid":
      return events.pid;
    case "ppid":
      return events.ppid;
    case "pgid":
      return events.pgid;
    case "sid":
      return events.sid;
    case "proc":
      return p.owner;
    case "errno": {
      const column = new Int32Array(n).fill(ABSENT);
      for (let row = 0; row < n; row++) if (kind[row] === KIND.exec_failed) column[row] = events.code[row]!;
      return column;
    }
    case "failed": {
      const column = new Uint8Array(n);
      for (let row = 0; row < n; row++)
        if (kind[row] === KIND.exec_failed || (kind[row] === KIND.exit && isFailure(events, row))) column[row] = 1;
      return column;
    }
  }
  throw new Bug(`no column events.${name}`);
}

export function imageNumbers(p: Processes, life: Int32Array, name: string): Column {
  const n = p.imageRow.length;
  switch (name) {
    case "id":
      return p.imageRow;
    case "proc":
      return life;
    case "pid":
      return life.map((of) => p.pid[of]!);
    case "nth":
      return life.map((of, i) => i - p.imageAt[of]! + 1);
    case "start":
      return p.imageStart;
    case "end":
    case "wall": {
      const column = new Float64Array(n);
      for (let i = 0; i < n; i++) {
        const of = life[i]!;
        const end = i + 1 < p.imageAt[of + 1]! ? p.imageStart[i + 1]! : p.end[of]!;
        column[i] = name === "end" ? end : end - p.imageStart[i]!;
      }
      return column;
    }
    case "last":
      return Uint8Array.from(life, (of, i) => (i + 1 === p.imageAt[of + 1] ? 1 : 0));
  }
  throw new Bug(`no column images.${name}`);
}
