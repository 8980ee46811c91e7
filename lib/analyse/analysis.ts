// Everything that the sections need to know of one recording, derived once each and only when asked for. Holds no text
// but what commands are called.
import {
  commandAt,
  type CommandNumbers,
  type CommandTotals,
  deriveCommands,
  numberCommands,
} from "../derive/commands.ts";
import { type Concurrency, deriveConcurrency } from "../derive/concurrency.ts";
import { type CriticalPath, deriveCriticalPath } from "../derive/critical_path.ts";
import { type CommandBy, deriveExecKeys, type Watch } from "../derive/exec_keys.ts";
import { deriveProbes, type Probes } from "../derive/probes.ts";
import { drawnEnd, ENDED, processesOf, type Processes, rootPidsOf } from "../derive/processes.ts";
import { deriveTree, type ProcessTree } from "../derive/tree.ts";
import { deriveUsage, type Usage } from "../derive/usage.ts";
import { deriveLittleWork, type LittleWork } from "../derive/wrappers.ts";
import type { CostedTraces } from "../lines/line_track.ts";
import { filenameOf } from "../model/event_at.ts";
import { ABSENT } from "../model/ids.ts";
import type { Recording } from "../model/recording.ts";
import { Commands } from "../render/commands.ts";
import { LineFacts } from "./line_facts.ts";
import { printable } from "../base/text.ts";

export interface AnalysisOptions {
  /** What makes two runs the same command. */
  readonly by: CommandBy;
  readonly unicode: boolean;
  /** Nothing shortened: for programs. */
  readonly full: boolean;
  /** The recording's executed lines, when it has any. */
  readonly lines?: CostedTraces | undefined;
  /** Told what is being worked on, now and then. */
  readonly watch?: (stage: string, done: number, total: number) => void;
}

/** Parts of the time that the picture of parallelism is made of. */
export const BUCKETS = 60;

export class Analysis {
  readonly recording: Recording;
  readonly options: AnalysisOptions;
  readonly processes: Processes;
  /** Pids of the recorded commands. */
  readonly rootPids: readonly number[];
  /** Undefined when no line was recorded. */
  readonly lines: LineFacts | undefined;
  private readonly numbered = new Map<CommandBy, CommandNumbers>();
  private readonly totalled = new Map<CommandBy, CommandTotals>();
  private readonly onPathOf = new Map<CommandBy, Float64Array>();
  private held: {
    tree?: ProcessTree;
    commands?: Commands;
    root?: number;
    usage?: Usage;
    path?: CriticalPath;
    concurrency?: Concurrency;
    probes?: Probes;
    little?: LittleWork;
  } = {};

  constructor(recording: Recording, options: AnalysisOptions) {
    this.recording = recording;
    this.options = options;
    options.watch?.("processes", 0, 0);
    this.processes = processesOf(recording);
    this.rootPids = rootPidsOf(recording);
    const { lines, unicode } = options;
    this.lines = lines === undefined ? undefined : new LineFacts(lines, this.processes, unicode);
  }

  get tree(): ProcessTree {
    return (this.held.tree ??= deriveTree(this.processes));
  }

  get commands(): Commands {
    return (this.held.commands ??= new Commands(this.recording, this.processes, this.tree, this.options));
  }

  /** The life of the recorded command; ABSENT when there is none, or more than one. */
  get root(): number {
    return (this.held.root ??= this.findRoot());
  }

  private findRoot(): number {
    const { processes: p, tree, rootPids } = this;
    if (rootPids.length === 1) for (const life of tree.roots) if (p.pid[life] === rootPids[0]) return life;
    return rootPids.length <= 1 && tree.roots.length === 1 ? tree.roots[0]! : ABSENT;
  }

  private watchFor(stage: string): Watch | undefined {
    const { watch } = this.options;
    return watch && ((done, total) => watch(stage, done, total));
  }

  get usage(): Usage {
    // The command begins as a copy of the recorder, whose memory the kernel counts as its peak.
    const borrowed = this.recording.header?.backend === "ptrace" ? this.root : ABSENT;
    return (this.held.usage ??= deriveUsage(this.recording, this.processes, this.tree, borrowed));
  }

  get path(): CriticalPath {
    // A recording without a last line does not know who ended after it.
    const open = this.recording.end === undefined;
    return (this.held.path ??= deriveCriticalPath(this.processes, this.tree, this.root, open));
  }

  /** Wall time of the recorded command, or of all there is. */
  get wall(): number {
    return this.path.end - this.path.start;
  }

  get concurrency(): Concurrency {
    return (this.held.concurrency ??= deriveConcurrency(this.processes, this.path.start, this.path.end, BUCKETS));
  }

  get probes(): Probes {
    return (this.held.probes ??= deriveProbes(this.recording, this.processes, this.path));
  }

  get littleWork(): LittleWork {
    return (this.held.little ??= deriveLittleWork(
      this.recording,
      this.processes,
      this.tree,
      this.numbers("program"),
      this.path,
    ));
  }

  numbers(by: CommandBy): CommandNumbers {
    let numbers = this.numbered.get(by);
    if (numbers === undefined) {
      numbers = numberCommands(deriveExecKeys(this.recording, by, this.watchFor("commands")));
      this.numbered.set(by, numbers);
    }
    return numbers;
  }

  totals(by: CommandBy): CommandTotals {
    let totals = this.totalled.get(by);
    if (totals === undefined) {
      totals = deriveCommands(this.processes, this.tree, this.numbers(by), this.usage);
      this.totalled.set(by, totals);
    }
    return totals;
  }

  /** By command: its time on the critical path. */
  critical(by: CommandBy): Float64Array {
    let sums = this.onPathOf.get(by);
    if (sums !== undefined) return sums;
    const numbers = this.numbers(by);
    const { path } = this;
    sums = new Float64Array(numbers.length);
    for (let i = 0; i < path.length; i++) {
      const life = path.life[i]!;
      if (life >= 0)
        sums[commandAt(numbers, this.processes, this.tree, life, path.from[i]!)]! += path.to[i]! - path.from[i]!;
    }
    this.onPathOf.set(by, sums);
    return sums;
  }

  /** What a command of `numbers(by)` is called. */
  commandText(by: CommandBy, command: number): string {
    const { keys, forked, unknown } = this.numbers(by);
    if (command === unknown) return "(?)";
    if (command >= forked) return `(${this.execText(by, keys.sampleRow[command - forked]!)})`;
    return this.execText(by, keys.sampleRow[command]!);
  }

  /** What the exec in `row` ran. */
  execText(by: CommandBy, row: number): string {
    if (by === "argv") return this.commands.ofExec(row);
    if (by === "program") return this.commands.programOf(row);
    const file = filenameOf(this.recording, row)?.text ?? "";
    return file === "" ? "(file not recorded)" : printable(file, this.options.unicode);
  }

  /** The whole command line that `life` ran at time `t`. */
  lifeText(life: number, t: number): string {
    const { processes: p } = this;
    let row = ABSENT;
    for (let i = p.imageAt[life]!; i < p.imageAt[life + 1]! && (row === ABSENT || p.imageStart[i]! <= t); i++)
      row = p.imageRow[i]!;
    return row === ABSENT ? this.commands.withoutExec(life) : this.commands.ofExec(row);
  }

  /** How long it lived, as far as it was seen. */
  lifeTime(life: number): number {
    return drawnEnd(this.processes, life) - this.processes.start[life]!;
  }

  /** Lives whose end was not seen. */
  get endless(): number {
    const { ended, length } = this.processes;
    let n = 0;
    for (let life = 0; life < length; life++) if (ended[life] !== ENDED.exit) n++;
    return n;
  }
}
