// Processes that did little themselves: shells that were started (`sh -c ...`) only to run one program, and processes that
// ended almost at once. Both as totals by program, with what they cost.
//
//   sh -c cc   ├─sh──┤exec cc ├──────┤          only an exec: it cost the shell's part
//   sh -c cc   ├─sh───────────────┤             only one child: it cost what the child's life does not cover
//                   ├─cc────────┤
import { argvOf, filenameOf, type Rows } from "../model/event_at.ts";
import { ABSENT } from "../model/ids.ts";
import { commandAt, commandOfImage, type CommandNumbers } from "./commands.ts";
import { type CriticalPath, onPath } from "./critical_path.ts";
import { programOf } from "./exec_keys.ts";
import { drawnEnd, type Processes } from "./processes.ts";
import type { ProcessTree } from "./tree.ts";

/** Shorter processes mostly cost what starting and ending a process costs: 2 ms. */
export const SHORT_NS = 2e6;

const SHELLS: ReadonlySet<string> = new Set(["sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "busybox"]);

/** Options of shells whose value is the next word. */
const TAKES_A_WORD: ReadonlySet<string> = new Set(["--rcfile", "--init-file", "-o", "+o", "-O", "+O"]);

/** Sums by command (numbered by program). */
export interface Totals {
  readonly count: Int32Array;
  /** Nanoseconds. */
  readonly time: Float64Array;
  /** Of these on the critical path. */
  readonly critical: Float64Array;
}

export interface LittleWork {
  /** Wrappers, by the program that they ran. */
  readonly wrappers: Totals;
  /** Processes that ended within `SHORT_NS`, by their last program. */
  readonly short: Totals;
}

/** `numbers`: by program. */
export function deriveLittleWork(
  recording: Rows,
  p: Processes,
  tree: ProcessTree,
  numbers: CommandNumbers,
  path: CriticalPath,
): LittleWork {
  const isShell = new Uint8Array(numbers.length);
  for (let key = 0; key < numbers.keys.length; key++) {
    const row = numbers.keys.sampleRow[key]!;
    const name = programOf(argvOf(recording, row), () => filenameOf(recording, row)?.text);
    // A login shell is called -sh.
    if (SHELLS.has(name.replace(/^-/, ""))) isShell[key] = 1;
  }
  const wrappers = makeTotals(numbers.length);
  const short = makeTotals(numbers.length);
  for (let life = 0; life < p.length; life++) {
    const first = p.imageAt[life]!;
    const after = p.imageAt[life + 1]!;
    if (first === after) continue;
    const start = p.start[life]!;
    const end = drawnEnd(p, life);
    for (let i = first; i < after; i++) {
      if (isShell[commandOfImage(numbers, p, i)] === 0) continue;
      const wrapped = i + 1 < after ? beforeExec(p, tree, life, i) : aroundChild(p, tree, numbers, life, i);
      if (wrapped === undefined || !hasCommandOption(recording, p.imageRow[i]!)) continue;
      add(
        wrappers,
        wrapped.command ?? commandOfImage(numbers, p, i + 1),
        wrapped.time,
        onPath(path, life, wrapped.from, wrapped.to),
      );
    }
    if (p.exitRow[life] !== ABSENT && end - start < SHORT_NS)
      add(short, commandOfImage(numbers, p, after - 1), end - start, onPath(path, life, start, end));
  }
  return { wrappers, short };
}

interface Wrapped {
  readonly from: number;
  readonly to: number;
  readonly time: number;
  /** What it ran; undefined for what it became. */
  readonly command: number | undefined;
}

/** A shell that became another program, having forked nothing. */
function beforeExec(p: Processes, tree: ProcessTree, life: number, i: number): Wrapped | undefined {
  const from = p.imageStart[i]!;
  const to = p.imageStart[i + 1]!;
  for (let c = tree.childAt[life]!; c < tree.childAt[life + 1]!; c++) {
    const born = p.start[tree.child[c]!]!;
    if (born >= from && born < to) return undefined;
  }
  return { from, to, time: to - from, command: undefined };
}

/** A shell that had one child, which ran a program, and ended after it. */
function aroundChild(
  p: Processes,
  tree: ProcessTree,
  numbers: CommandNumbers,
  life: number,
  i: number,
): Wrapped | undefined {
  if (p.exitRow[life] === ABSENT || tree.childAt[life + 1]! - tree.childAt[life]! !== 1) return undefined;
  const child = tree.child[tree.childAt[life]!]!;
  const from = p.imageStart[i]!;
  const to = drawnEnd(p, life);
  const born = p.start[child]!;
  const died = p.end[child]!;
  const ranProgram = p.imageAt[child]! < p.imageAt[child + 1]!;
  if (!ranProgram || born < from || !(died <= to)) return undefined;
  return { from, to, time: to - from - (died - born), command: commandAt(numbers, p, tree, child, died) };
}

/** Whether the words after the shell's name begin with options among which is `-c`. */
function hasCommandOption(recording: Rows, row: number): boolean {
  const argv = argvOf(recording, row);
  if (argv === undefined) return false;
  const words = argv.joined ? (argv.words[0] ?? "").split(" ", 8) : argv.words;
  for (let i = 1; i < words.length; i++) {
    const word = words[i]!;
    if (!/^[-+]./.test(word)) break;
    if (/^-[a-z]*c/.test(word)) return true;
    if (TAKES_A_WORD.has(word)) i++;
  }
  return false;
}

function makeTotals(n: number): Totals {
  return { count: new Int32Array(n), time: new Float64Array(n), critical: new Float64Array(n) };
}

function add(totals: Totals, command: number, time: number, critical: number): void {
  totals.count[command]!++;
  totals.time[command]! += time;
  totals.critical[command]! += critical;
}
