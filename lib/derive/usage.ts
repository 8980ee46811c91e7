// What the kernel told of each process at its end: CPU time and peak memory, as columns by life. Absent stays absent: a
// recording without these fields has no zeros.
//
// wait4(2) counts what a process used together with the children it waited for. Of CPU time the own part is what remains when
// the children's is taken away. Of peak memory the larger of both is told, so that it is the process's own only when it is
// more than any such child's.
import { KIND } from "../model/event.ts";
import { eventAt, type Rows } from "../model/event_at.ts";
import { ABSENT } from "../model/ids.ts";
import type { Processes } from "./processes.ts";
import type { ProcessTree } from "./tree.ts";

export interface Usage {
  /** By life: user and system time, nanoseconds, with the children it waited for; NaN when not known. */
  readonly cpu: Float64Array;
  /** By life: user and system time of its own, NaN when not known. */
  readonly own: Float64Array;
  /** By life: peak memory of its own in KiB, ABSENT when not known. */
  readonly maxRssKb: Float64Array;
  /** Lives whose CPU time is known. */
  readonly known: number;
}

const encoder = new TextEncoder();
const UTIME = encoder.encode('"utime_ns":');
const STIME = encoder.encode('"stime_ns":');
const RSS = encoder.encode('"max_rss_kb":');
const QUOTE = 34;
const BACKSLASH = 92;
const BRACE = 123;

/** The three numbers of one line. */
class ExitNumbers {
  utime = NaN;
  stime = NaN;
  rss = NaN;

  /** False when the line is not in the plain form that tk writes. */
  read(line: Uint8Array): boolean {
    this.utime = this.stime = this.rss = NaN;
    let braces = 0;
    for (let i = 0; i < line.length; i++) {
      const c = line[i]!;
      if (c === BACKSLASH || (c === BRACE && ++braces > 2)) return false;
      if (c !== QUOTE) continue;
      const next = line[i + 1];
      if (next === UTIME[1] && startsWith(line, i, UTIME)) this.utime = number(line, i + UTIME.length);
      else if (next === STIME[1] && startsWith(line, i, STIME)) this.stime = number(line, i + STIME.length);
      else if (next === RSS[1] && startsWith(line, i, RSS)) this.rss = number(line, i + RSS.length);
    }
    return true;
  }
}

function startsWith(line: Uint8Array, at: number, name: Uint8Array): boolean {
  for (let k = 1; k < name.length; k++) if (line[at + k] !== name[k]) return false;
  return true;
}

/** A whole number that ends at a comma or brace; NaN for anything else. */
function number(line: Uint8Array, from: number): number {
  let value = 0;
  let i = from;
  for (; i < line.length; i++) {
    const c = line[i]!;
    if (c < 48 || c > 57) break;
    value = value * 10 + (c - 48);
  }
  const end = line[i];
  return i > from && i - from < 16 && (end === 44 || end === 125) ? value : NaN;
}

/** `borrowed`: a life whose peak memory is not its own (tk's recorder starts the command out of itself), ABSENT for none. */
export function deriveUsage(recording: Rows, p: Processes, tree: ProcessTree, borrowed: number): Usage {
  const { events, text } = recording;
  const cpu = new Float64Array(p.length).fill(NaN);
  const maxRssKb = new Float64Array(p.length).fill(ABSENT);
  const numbers = new ExitNumbers();
  let known = 0;
  for (let row = 0; row < events.length; row++) {
    if (events.kind[row] !== KIND.exit) continue;
    const life = p.owner[row]!;
    if (life < 0 || p.exitRow[life] !== row) continue;
    if (!numbers.read(text.read(events.at[row]!, events.len[row]!))) {
      const event = eventAt(recording, row);
      if (event.kind !== "exit") continue;
      numbers.utime = event.utime ?? NaN;
      numbers.stime = event.stime ?? NaN;
      numbers.rss = event.maxRssKb ?? NaN;
    }
    const sum = numbers.utime + numbers.stime;
    if (!Number.isNaN(sum)) {
      cpu[life] = sum;
      known++;
    }
    if (!Number.isNaN(numbers.rss)) maxRssKb[life] = numbers.rss;
  }
  return { cpu, own: ownTimes(p, tree, cpu), maxRssKb: ownPeaks(p, tree, maxRssKb, borrowed), known };
}

function ownPeaks(p: Processes, tree: ProcessTree, peaks: Float64Array, borrowed: number): Float64Array {
  const own = peaks.slice();
  for (let life = 0; life < p.length; life++) {
    if (peaks[life] === ABSENT) continue;
    for (let c = tree.childAt[life]!; c < tree.childAt[life + 1]! && own[life] !== ABSENT; c++) {
      const child = tree.child[c]!;
      if (peaks[child]! >= peaks[life]! && wasWaitedFor(p, child, life)) own[life] = ABSENT;
    }
  }
  if (borrowed !== ABSENT) own[borrowed] = ABSENT;
  return own;
}

/**
 * A child was waited for by its creator when it ended before it and had not been adopted. A process that used less than
 * those children together has waited for none of them (SIGCHLD ignored, or they were left behind), and keeps all of its own.
 */
function ownTimes(p: Processes, tree: ProcessTree, cpu: Float64Array): Float64Array {
  const own = cpu.slice();
  for (let life = 0; life < p.length; life++) {
    if (Number.isNaN(cpu[life]!)) continue;
    let children = 0;
    for (let c = tree.childAt[life]!; c < tree.childAt[life + 1]!; c++) {
      const child = tree.child[c]!;
      if (!Number.isNaN(cpu[child]!) && wasWaitedFor(p, child, life)) children += cpu[child]!;
    }
    if (children <= cpu[life]!) own[life] = cpu[life]! - children;
  }
  return own;
}

function wasWaitedFor(p: Processes, child: number, parent: number): boolean {
  if (p.exitRow[child] === ABSENT) return false;
  const above = p.events.ppid[p.exitRow[child]!]!;
  return p.end[child]! <= p.end[parent]! && (above === ABSENT || above === p.pid[parent]);
}
