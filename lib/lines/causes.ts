// Which line of a script caused a process event. Nobody records it, but both are on one time axis: at the moment of a fork the thread that
// forked stood at some line. The rule, in the order in which it is tried:
//
//   exec, exit ...  where the process itself stood, in the program that it was then            own line
//                   else where its parent stood when it forked it (it ran a command)          parent at fork
//   fork            where the parent stood, at the last line of its own before; of a Bash          own line
//                   subshell its first line: Bash notes it only in the child
//
// A parent that has no lines of its own but is itself a fork without an exec is still the same script: then its parent is asked. When several threads
// of a process could have done it, the one that executed a line last is named, and that it was a choice is said.
import { ENDED, type Processes } from "../derive/processes.ts";
import { SKEW_NS } from "../derive/lives.ts";
import { deriveTree, type ProcessTree } from "../derive/tree.ts";
import { KIND } from "../model/event.ts";
import { ABSENT } from "../model/ids.ts";
import type { LineTraces, LineTrack, Stand } from "./line_track.ts";

export type Certainty = "own line" | "parent at fork" | "one of several threads";

/** A place in a track, and the line that stood there. */
export interface Cause {
  readonly track: number;
  readonly block: number;
  /** Executed line of the block to look at: the one that is named or, where that ran in an earlier block, the last before the moment. */
  readonly event: number;
  readonly file: number;
  readonly line: number;
  readonly certainty: Certainty;
}

/** A recorder's clock may be this far behind the kernel's: Bash knows microseconds of the wall clock. */
const CLOCK_NS = 50_000;

/** Children of a subshell that are asked for its first line. */
const MOST_CHILDREN = 4;

/** Forks of forks without an exec that are climbed. */
const MOST_FORKS = 16;

export class Causes {
  private readonly p: Processes;
  private readonly traces: LineTraces;
  private tracksOf = new Map<number, LineTrack[]>();
  private known = 0;
  private readonly ofLife = new Map<number, Cause>();
  private tree: ProcessTree | undefined;

  constructor(p: Processes, traces: LineTraces) {
    this.p = p;
    this.traces = traces;
  }

  /** Of an event row of the recording; undefined when it is not known. */
  causeOf(row: number): Cause | undefined {
    const { p } = this;
    const life = p.owner[row] ?? ABSENT;
    if (life < 0) return undefined;
    const time = p.events.ts[row]!;
    if (p.events.kind[row] === KIND.fork) return this.ofFork(life, time);
    return this.own(life, time, row) ?? marked(this.ofFork(life, p.start[life]!), "parent at fork");
  }

  /** Who started the process: of what it first became or, when it became nothing, of its fork. */
  causeOfLife(life: number): Cause | undefined {
    const known = this.ofLife.get(life);
    if (known !== undefined) return known;
    const { p } = this;
    const first = p.imageAt[life]!;
    const row = first < p.imageAt[life + 1]! ? p.imageRow[first]! : p.forkRow[life]!;
    const cause = row === ABSENT ? undefined : this.causeOf(row);
    // What is not known may be once more has been written.
    if (cause !== undefined) this.ofLife.set(life, cause);
    return cause;
  }

  private ofFork(life: number, time: number): Cause | undefined {
    const { p } = this;
    if (p.forkRow[life] === ABSENT) return undefined;
    const first = this.firstLineOfSubshell(life, 0);
    if (first !== undefined) return first;
    let at = time;
    let child = life;
    for (let i = 0; i < MOST_FORKS; i++) {
      const parent = p.parent[child]!;
      if (parent < 0) return undefined;
      const cause = this.own(parent, at, ABSENT);
      if (cause !== undefined) return i === 0 ? cause : marked(cause, "parent at fork");
      // What has become another program is no longer the script.
      if (p.forkRow[parent] === ABSENT || this.imageBegan(parent, at, ABSENT) !== p.start[parent]) return undefined;
      at = p.start[parent]!;
      child = parent;
    }
    return undefined;
  }

  /** Bash notes a command of a pipeline, a group or a job in the process that runs it, which may be a subshell of the subshell. */
  private firstLineOfSubshell(life: number, level: number): Cause | undefined {
    const { p } = this;
    const first = p.imageAt[life]!;
    const until = first < p.imageAt[life + 1]! ? p.imageStart[first]! : Infinity;
    const tracks = this.tracks(p.pid[life]!);
    for (const track of tracks) {
      if (track.kind !== "bash" || track.blocks === 0 || !this.isWithin(track, life, p.start[life]!)) continue;
      if (track.startOf(0) >= until) continue;
      for (let block = 0; block < track.blocks; block++) {
        if (track.countOf(block) === 0) continue;
        const view = track.load(block);
        if (view.count === 0 || view.time[0]! >= until) return undefined;
        const file = this.traces.codes[view.code[0]!]!.file;
        return { track: track.index, block, event: 0, file, line: view.line[0]!, certainty: "own line" };
      }
    }
    if (until !== Infinity || level === MOST_FORKS) return undefined;
    this.tree ??= deriveTree(p);
    const { child, childAt } = this.tree;
    const most = Math.min(childAt[life + 1]!, childAt[life]! + MOST_CHILDREN);
    for (let i = childAt[life]!; i < most; i++) {
      const cause = this.firstLineOfSubshell(child[i]!, level + 1);
      if (cause !== undefined) return cause;
    }
    return undefined;
  }

  /** Where the process stood at `time`, in the program that it was just before the event `row`. */
  private own(life: number, time: number, row: number): Cause | undefined {
    const { p } = this;
    const began = this.imageBegan(life, time, row);
    let track: LineTrack | undefined;
    let stand: Stand | undefined;
    let block = 0;
    let candidates = 0;
    for (const other of this.tracks(p.pid[life]!)) {
      if (other.blocks === 0 || other.startOf(0) > time || !this.isWithin(other, life, began)) continue;
      const at = blockAt(other, time);
      const there = standOf(other, at, time);
      // Who waits in an event loop starts nothing.
      if (there === undefined || this.traces.codes[there.code]!.file < 0) continue;
      candidates++;
      if (stand !== undefined && there.since < stand.since) continue;
      track = other;
      stand = there;
      block = at;
    }
    if (track === undefined || stand === undefined) return undefined;
    const code = this.traces.codes[stand.code]!;
    const near = stand.event >= 0 ? { block, event: stand.event } : lastLine(track, block, time);
    return {
      track: track.index,
      block: near?.block ?? block,
      event: near?.event ?? 0,
      file: code.file,
      line: stand.line || code.firstLine,
      certainty: candidates > 1 ? "one of several threads" : "own line",
    };
  }

  /** Since when the process has been the program that it was at `time`; the event `row` itself has not happened. */
  private imageBegan(life: number, time: number, row: number): number {
    const { p } = this;
    let began = p.start[life]!;
    for (let i = p.imageAt[life]!; i < p.imageAt[life + 1]!; i++) {
      if (p.imageRow[i] === row || p.imageStart[i]! > time) break;
      began = p.imageStart[i]!;
    }
    return began;
  }

  /** Whether the track belongs to this life of its pid, and to what it has been since `began`. */
  private isWithin(track: LineTrack, life: number, began: number): boolean {
    const { p } = this;
    const start = track.startOf(0);
    if (start < began - CLOCK_NS) return false;
    return p.ended[life] === ENDED.unseen || start <= p.end[life]! + SKEW_NS;
  }

  private tracks(pid: number): readonly LineTrack[] {
    const { tracks } = this.traces;
    for (; this.known < tracks.length; this.known++) {
      const track = tracks[this.known]!;
      if (track.pid === undefined) continue;
      const list = this.tracksOf.get(track.pid);
      if (list === undefined) this.tracksOf.set(track.pid, [track]);
      else list.push(track);
    }
    return this.tracksOf.get(pid) ?? NONE;
  }
}

const NONE: readonly LineTrack[] = [];

/** Of the lives that a pid had, in the order of their beginnings, the one that executed the track; ABSENT when that was not recorded. */
export function lifeOfTrack(p: Processes, track: LineTrack, lives: readonly number[]): number {
  if (track.blocks === 0) return lives[0] ?? ABSENT;
  const start = track.startOf(0);
  const life = lives.findLast((one) => p.start[one]! - CLOCK_NS <= start);
  if (life === undefined) return ABSENT;
  return p.ended[life] === ENDED.unseen || start <= p.end[life]! + SKEW_NS ? life : ABSENT;
}

/** Which line caused each event, of processes and lines on one time axis; O(log n) an event once its block is decoded. */
export const causesOf = (processes: Processes, traces: LineTraces): Causes => new Causes(processes, traces);

const marked = (cause: Cause | undefined, certainty: Certainty): Cause | undefined =>
  cause === undefined || cause.certainty === "one of several threads" ? cause : { ...cause, certainty };

/** The last block that had begun. */
function blockAt(track: LineTrack, time: number): number {
  let low = 0;
  let high = track.blocks;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (track.startOf(middle) <= time) low = middle + 1;
    else high = middle;
  }
  return Math.max(0, low - 1);
}

function standOf(track: LineTrack, block: number, time: number): Stand | undefined {
  if (track.standAt !== undefined) return track.standAt(block, time);
  const last = lastLine(track, block, time);
  if (last === undefined) return undefined;
  const view = track.load(last.block);
  const { event } = last;
  return {
    code: view.code[event]!,
    line: view.line[event]!,
    event: last.block === block ? event : -1,
    since: last.time,
  };
}

/** The last executed line at or before `time`. */
function lastLine(track: LineTrack, from: number, time: number) {
  for (let block = from; block >= 0; block--) {
    if (track.countOf(block) === 0) continue;
    const view = track.load(block);
    let low = 0;
    let high = view.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (view.time[middle]! <= time) low = middle + 1;
      else high = middle;
    }
    if (low > 0) return { block, event: low - 1, time: view.time[low - 1]! };
  }
  return undefined;
}
