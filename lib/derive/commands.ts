// Where the time went, by command: every run of a program (an exec until the next exec or the end) counted under its key.
// Columns by command, one pass over the lives.
//
//   life    fork──exec sh─────────exec cc──────────────exit 1
//   runs    ├──── sh ─────────────┤├──── cc ───────────┤        CPU, memory and failure are the last run's: the kernel
//                                                               tells them once, at the end
//   self         ├─children─┤                                   a run's time less the union of its children's lives
//
// A process that never called exec is a run of a forked copy of its creator's program, which is a command of its own.
import { ABSENT } from "../model/ids.ts";
import { Covered } from "./covered.ts";
import type { ExecKeys } from "./exec_keys.ts";
import { drawnEnd, exitStatusOf, type Processes } from "./processes.ts";
import type { ProcessTree } from "./tree.ts";
import type { Usage } from "./usage.ts";

/**
 * Numbers of commands: the key `k` of an exec is command `k`, forked copies of it that ran no program of their own are
 * command `forked + k`, and copies of an unknown program are `unknown`, the last.
 */
export interface CommandNumbers {
  readonly keys: ExecKeys;
  readonly forked: number;
  readonly unknown: number;
  readonly length: number;
}

export interface CommandTotals {
  readonly numbers: CommandNumbers;
  readonly runs: Int32Array;
  /** Nanoseconds; a run within another of the same command is not counted again. */
  readonly total: Float64Array;
  readonly self: Float64Array;
  /** The longest run. */
  readonly max: Float64Array;
  /** CPU time of its processes without their children, and of how many runs it is known. */
  readonly cpu: Float64Array;
  readonly cpuKnown: Int32Array;
  /** KiB, ABSENT when not known. */
  readonly maxRssKb: Float64Array;
  readonly failures: Int32Array;
  /** Runs that ended with their process, in a way that is known. */
  readonly statusKnown: Int32Array;
  /** Runs whose end was not seen. */
  readonly open: Int32Array;
}

export function numberCommands(keys: ExecKeys): CommandNumbers {
  return { keys, forked: keys.length, unknown: keys.length * 2, length: keys.length * 2 + 1 };
}

/** The command of image `i`, or of a life's time without any exec. */
export function commandOfImage(numbers: CommandNumbers, p: Processes, i: number): number {
  const key = numbers.keys.ofRow[p.imageRow[i]!]!;
  return key === ABSENT ? numbers.unknown : key;
}

export function commandOfFork(numbers: CommandNumbers, tree: ProcessTree, life: number): number {
  const row = tree.inheritedRow[life]!;
  const key = row === ABSENT ? ABSENT : numbers.keys.ofRow[row]!;
  return key === ABSENT ? numbers.unknown : numbers.forked + key;
}

/** What `life` ran at time `t`; before its first exec, that exec's. */
export function commandAt(numbers: CommandNumbers, p: Processes, tree: ProcessTree, life: number, t: number): number {
  const first = p.imageAt[life]!;
  const after = p.imageAt[life + 1]!;
  if (first === after) return commandOfFork(numbers, tree, life);
  return commandOfImage(numbers, p, Math.max(first, imageBefore(p, life, t)));
}

/** Index of the image that ran in `life` at time `t`; one less than the first when none did yet. */
export function imageBefore(p: Processes, life: number, t: number): number {
  let low = p.imageAt[life]!;
  let high = p.imageAt[life + 1]!;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (p.imageStart[middle]! <= t) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

export function deriveCommands(p: Processes, tree: ProcessTree, numbers: CommandNumbers, usage: Usage): CommandTotals {
  const n = numbers.length;
  const totals: CommandTotals = {
    numbers,
    runs: new Int32Array(n),
    total: new Float64Array(n),
    self: new Float64Array(n),
    max: new Float64Array(n),
    cpu: new Float64Array(n),
    cpuKnown: new Int32Array(n),
    maxRssKb: new Float64Array(n).fill(ABSENT),
    failures: new Int32Array(n),
    statusKnown: new Int32Array(n),
    open: new Int32Array(n),
  };
  const covered = new Covered(p, tree);
  // Commands of the runs that lead down to the life at hand, by depth, and how often each is among them.
  const path = new Int32Array(deepest(tree) + 2);
  const onPath = new Int32Array(n);
  let depth = 0;
  for (let at = 0; at < p.length; at++) {
    const life = tree.preorder[at]!;
    const wanted = tree.depth[life]!;
    while (depth > wanted) onPath[path[--depth]!]!--;
    if (wanted > 0) {
      const above = p.parent[life]!;
      if (depth === wanted) onPath[path[--depth]!]!--;
      const command = commandAt(numbers, p, tree, above, p.start[life]!);
      path[depth++] = command;
      onPath[command]!++;
    }
    addLife(totals, p, tree, usage, covered.of(life), onPath, life);
  }
  return totals;
}

function deepest(tree: ProcessTree): number {
  let most = 0;
  for (let life = 0; life < tree.depth.length; life++) if (tree.depth[life]! > most) most = tree.depth[life]!;
  return most;
}

function addLife(
  t: CommandTotals,
  p: Processes,
  tree: ProcessTree,
  usage: Usage,
  covered: Covered,
  onPath: Int32Array,
  life: number,
): void {
  const first = p.imageAt[life]!;
  const after = p.imageAt[life + 1]!;
  const end = drawnEnd(p, life);
  let from = p.start[life]!;
  let command = commandOfFork(t.numbers, tree, life);
  for (let i = first; i < Math.max(after, first + 1); i++) {
    if (i < after) command = commandOfImage(t.numbers, p, i);
    const to = i + 1 < after ? p.imageStart[i + 1]! : end;
    const wall = to - from;
    t.runs[command]!++;
    if (onPath[command] === 0) t.total[command]! += wall;
    t.self[command]! += wall - covered.within(from, to);
    if (wall > t.max[command]!) t.max[command] = wall;
    from = to;
  }
  const cpu = usage.own[life]!;
  if (!Number.isNaN(cpu)) {
    t.cpu[command]! += cpu;
    t.cpuKnown[command]!++;
  }
  if (usage.maxRssKb[life]! > t.maxRssKb[command]!) t.maxRssKb[command] = usage.maxRssKb[life]!;
  if (p.exitRow[life] === ABSENT) {
    t.open[command]!++;
    return;
  }
  const status = exitStatusOf(p, life);
  if (status.how === "unknown") return;
  t.statusKnown[command]!++;
  if (status.how === "signaled" || status.code !== 0) t.failures[command]!++;
}
