// The chain of what the end of a command waited for, walked back from its end: who, if it had been faster, would have let
// the whole end earlier. Waiting itself is not recorded, so it is inferred from lives alone:
//
//   At every moment of a process that is on the path, look at its children that had ended by then: the path goes through
//   the one that ended last, from its end back to its start, and then on in the process. What lies between is the process's own.
//
//   make  ├──────────────────────────────────────────┤        <- the walk starts here and goes left
//    a      ├───────────────┤
//    b      ├──────┤                                           ended before a: nobody waited for it
//    c                       ├─────────────────────┤
//   path  mmaaaaaaaaaaaaaaaaamcccccccccccccccccccccccm        m: own time of make
//
// The same inside a and c. A child that ended after the moment at hand was not waited for, nor one whose end was not seen (in
// a recording that was cut off, what still ran then counts as ending with it). The rule errs where a process went on working
// and its child ended in the background: the child's time is then charged to the child.
import { Float64List, Int32List } from "../base/columns.ts";
import { drawnEnd, ENDED, type Processes } from "./processes.ts";
import { imageBefore } from "./commands.ts";
import type { ProcessTree } from "./tree.ts";

/** What a process on the path was doing. */
export const DOING = {
  /** Its own work, or a wait for something that is not a process. */
  own: 0,
  /** The same while children of it ran that the path does not go through: it may have waited for something of theirs. */
  beside: 1,
  /** Forked, its program not yet started. */
  starting: 2,
  /** No process of the recording lived. */
  nothing: 3,
} as const;

/** Segments in the order of time; each begins where the one before it ends, and together they are `[start, end)`. */
export interface CriticalPath {
  /** The life it is the path of; ABSENT when it is that of all roots together. */
  readonly root: number;
  readonly start: number;
  readonly end: number;
  readonly length: number;
  /** By segment: the life, ABSENT for `DOING.nothing`. */
  readonly life: Int32Array;
  readonly from: Float64Array;
  readonly to: Float64Array;
  /** One of `DOING`. */
  readonly doing: Uint8Array;
  /** How many processes above it were waiting, the root counted. */
  readonly depth: Int32Array;
}

const NOBODY = -1;

/** The path to the end of `root`, or to the end of all roots when it is ABSENT. `open`: what has no end ended with the recording. */
export function deriveCriticalPath(p: Processes, tree: ProcessTree, root: number, open: boolean): CriticalPath {
  const walk = new Walk(p, tree, open);
  const start = root === NOBODY ? p.firstTime : p.start[root]!;
  let end = p.lastTime;
  if (root !== NOBODY) end = drawnEnd(p, root);
  walk.run(root, start, end);
  return walk.path(root, start, end);
}

/** A process that the walk is inside of. */
interface Frame {
  readonly life: number;
  /** Where its part of the path begins. */
  readonly floor: number;
  /** The moment that the walk has come back to. */
  at: number;
  /** Its children by end, the last first, and how many of them were looked at. */
  readonly children: Int32Array;
  next: number;
  /** Starts of all its children in order, and the latest end of those up to each. */
  readonly starts: Float64Array;
  readonly latest: Float64Array;
}

const NO_LIVES = new Int32Array(0);
const NO_TIMES = new Float64Array(0);

class Walk {
  private readonly p: Processes;
  private readonly tree: ProcessTree;
  private readonly open: boolean;
  private readonly life = new Int32List(256);
  private readonly from = new Float64List(256);
  private readonly to = new Float64List(256);
  private readonly doing = new Int32List(256);
  private readonly depth = new Int32List(256);

  constructor(p: Processes, tree: ProcessTree, open: boolean) {
    this.p = p;
    this.tree = tree;
    this.open = open;
  }

  run(root: number, start: number, end: number): void {
    const { p } = this;
    const stack: Frame[] = [this.frame(root, start, end)];
    while (stack.length > 0) {
      const top = stack[stack.length - 1]!;
      const child = this.lastEnded(top);
      if (child === NOBODY) {
        this.own(top, top.floor, stack.length - 1);
        stack.pop();
        const above = stack[stack.length - 1];
        if (above !== undefined) above.at = top.floor;
        continue;
      }
      const ended = drawnEnd(p, child);
      this.own(top, ended, stack.length - 1);
      stack.push(this.frame(child, Math.max(top.floor, p.start[child]!), ended));
    }
  }

  private frame(life: number, floor: number, at: number): Frame {
    const { p, tree } = this;
    const all = life === NOBODY ? tree.roots : tree.child.subarray(tree.childAt[life]!, tree.childAt[life + 1]!);
    if (all.length === 0) return { life, floor, at, children: NO_LIVES, next: 0, starts: NO_TIMES, latest: NO_TIMES };
    // Of those that end together, the one that began first covers the most.
    const children = all
      .filter((c) => this.hasEnded(c))
      .sort((a, b) => drawnEnd(p, b) - drawnEnd(p, a) || p.start[a]! - p.start[b]! || a - b);
    const byStart = all.slice().sort((a, b) => p.start[a]! - p.start[b]!);
    const starts = new Float64Array(all.length);
    const latest = new Float64Array(all.length);
    let end = -Infinity;
    for (let i = 0; i < byStart.length; i++) {
      starts[i] = p.start[byStart[i]!]!;
      end = Math.max(end, drawnEnd(p, byStart[i]!));
      latest[i] = end;
    }
    return { life, floor, at, children, next: 0, starts, latest };
  }

  private hasEnded(life: number): boolean {
    return this.p.ended[life] === ENDED.exit || (this.open && this.p.ended[life] === ENDED.unseen);
  }

  /** The child that ended last of those that had ended by now and took any time on this side of the floor. */
  private lastEnded(frame: Frame): number {
    const { p } = this;
    while (frame.next < frame.children.length) {
      const child = frame.children[frame.next++]!;
      const ended = drawnEnd(p, child);
      if (ended <= frame.floor) {
        frame.next = frame.children.length;
        break;
      }
      if (ended <= frame.at && p.start[child]! < ended) return child;
    }
    return NOBODY;
  }

  /** The process's own time from `from` up to where the walk is; a segment for each program it was, latest first. */
  private own(frame: Frame, from: number, depth: number): void {
    const { p } = this;
    const { life } = frame;
    let to = frame.at;
    frame.at = from;
    if (life === NOBODY) {
      this.add(NOBODY, from, to, DOING.nothing, depth);
      return;
    }
    const first = p.imageAt[life]!;
    const images = p.imageAt[life + 1]! - first;
    // The program that ran just before `to`, and back.
    for (let i = imageBefore(p, life, to); i >= first && to > from; i--) {
      const since = p.imageStart[i]!;
      if (since >= to) continue;
      this.add(life, Math.max(from, since), to, this.alone(frame, Math.max(from, since), to), depth);
      to = Math.max(from, since);
    }
    if (to > from) this.add(life, from, to, images > 0 ? DOING.starting : this.alone(frame, from, to), depth);
  }

  /** Own time, and whether children of the process lived between `from` and `to`. */
  private alone({ starts, latest }: Frame, from: number, to: number): number {
    let low = 0;
    let high = starts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (starts[middle]! < to) low = middle + 1;
      else high = middle;
    }
    return low > 0 && latest[low - 1]! > from ? DOING.beside : DOING.own;
  }

  private add(life: number, from: number, to: number, doing: number, depth: number): void {
    if (to <= from) return;
    this.life.push(life);
    this.from.push(from);
    this.to.push(to);
    this.doing.push(doing);
    this.depth.push(depth);
  }

  path(root: number, start: number, end: number): CriticalPath {
    const length = this.life.length;
    return {
      root,
      start,
      end,
      length,
      life: this.life.view().toReversed(),
      from: this.from.view().toReversed(),
      to: this.to.view().toReversed(),
      doing: Uint8Array.from(this.doing.view()).toReversed(),
      depth: this.depth.view().toReversed(),
    };
  }
}

/** How much of `life`'s time from `from` to `to` is on the path as its own. */
export function onPath(path: CriticalPath, life: number, from: number, to: number): number {
  let low = 0;
  let high = path.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (path.to[middle]! > from) high = middle;
    else low = middle + 1;
  }
  let sum = 0;
  for (let i = low; i < path.length && path.from[i]! < to; i++)
    if (path.life[i] === life) sum += Math.min(to, path.to[i]!) - Math.max(from, path.from[i]!);
  return sum;
}
