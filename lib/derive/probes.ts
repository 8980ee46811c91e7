// Failed execs: a shell or execvp(3) that looks for a program in one folder of PATH after the other leaves one for each
// folder that has none. Sums by the name that was looked for and by folder.
//
//   11  exec:fail /usr/local/bin/cc─exec:fail /usr/bin/cc─exec /bin/cc        one search for cc: 2 probes, found,
//       ├─────────────── time of the search ─────────────┤                    each probe lasting until the process's
//                                                                            next event
import { KIND } from "../model/event.ts";
import { eventAt, type Rows } from "../model/event_at.ts";
import { ABSENT } from "../model/ids.ts";
import { type CriticalPath, onPath } from "./critical_path.ts";
import { programOf } from "./exec_keys.ts";
import { drawnEnd, type Processes } from "./processes.ts";

export interface ProbeTotals {
  /** The name or the folder; empty when it was not recorded. */
  readonly text: string;
  probes: number;
  /** Runs of probes for one name, one after the other in one process. */
  searches: number;
  /** Searches that ended with a successful exec. */
  found: number;
  /** Nanoseconds. */
  time: number;
  /** Of these on the critical path. */
  critical: number;
  /** Folders that were looked into. */
  readonly folders: Set<string>;
  /** How often each error was the answer. */
  readonly errors: Map<string, number>;
}

export interface Probes {
  readonly count: number;
  readonly time: number;
  readonly critical: number;
  readonly byName: readonly ProbeTotals[];
  readonly byFolder: readonly ProbeTotals[];
}

const NO_NAME = -1;

export function deriveProbes(recording: Rows, p: Processes, path: CriticalPath): Probes {
  const { kind, ts, ppid } = recording.events;
  const names = new TotalsByText();
  const folders = new TotalsByText();
  const sum = { count: 0, time: 0, critical: 0 };
  if (p.failedRow.length === 0) return { ...sum, byName: [], byFolder: [] };
  /** By life: its failed exec whose time still runs, the name and the folder of that. */
  const running = new Int32Array(p.length).fill(ABSENT);
  const nameOf = new Int32Array(p.length).fill(NO_NAME);
  const folderOf = new Int32Array(p.length).fill(NO_NAME);

  const finish = (life: number, until: number, found: boolean) => {
    const row = running[life]!;
    if (row === ABSENT) return;
    running[life] = ABSENT;
    const from = ts[row]!;
    const to = Math.max(from, until);
    const critical = onPath(path, life, from, to);
    sum.time += to - from;
    sum.critical += critical;
    for (const totals of [names.list[nameOf[life]!]!, folders.list[folderOf[life]!]!]) {
      totals.time += to - from;
      totals.critical += critical;
    }
    if (found) names.list[nameOf[life]!]!.found++;
  };

  for (let i = 0; i < p.order.length; i++) {
    const row = p.order[i]!;
    const life = p.owner[row]!;
    if (life < 0) continue;
    // A fork is an event of the one that forks, too.
    if (kind[row] === KIND.fork && ppid[row]! >= 0) {
      const above = p.parent[life]!;
      if (above >= 0) {
        finish(above, ts[row]!, false);
        nameOf[above] = NO_NAME;
      }
    }
    const failed = kind[row] === KIND.exec_failed;
    const before = nameOf[life]!;
    finish(life, ts[row]!, kind[row] === KIND.exec || kind[row] === KIND.exec_part);
    if (!failed) {
      nameOf[life] = NO_NAME;
      continue;
    }
    const event = eventAt(recording, row);
    if (event.kind !== "exec_failed") continue;
    const file = event.filename?.text ?? "";
    const name = names.idOf(file === "" ? programOf(event.argv, () => undefined) : baseName(file));
    const folder = folders.idOf(folderName(file));
    const totals = names.list[name]!;
    totals.probes++;
    if (before !== name) totals.searches++;
    totals.folders.add(folders.list[folder]!.text);
    const error = event.error ?? (event.errno === undefined ? "" : `errno ${event.errno}`);
    for (const each of [totals, folders.list[folder]!]) each.errors.set(error, (each.errors.get(error) ?? 0) + 1);
    folders.list[folder]!.probes++;
    running[life] = row;
    nameOf[life] = name;
    folderOf[life] = folder;
    sum.count++;
  }
  for (let life = 0; life < p.length; life++) finish(life, drawnEnd(p, life), false);
  return { ...sum, byName: names.list, byFolder: folders.list };
}

class TotalsByText {
  readonly list: ProbeTotals[] = [];
  private readonly ids = new Map<string, number>();

  idOf(text: string): number {
    let id = this.ids.get(text);
    if (id === undefined) {
      id =
        this.list.push({
          text,
          probes: 0,
          searches: 0,
          found: 0,
          time: 0,
          critical: 0,
          folders: new Set(),
          errors: new Map(),
        }) - 1;
      this.ids.set(text, id);
    }
    return id;
  }
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** What stands before the last slash: `/` for the root, `.` when there is no slash. */
function folderName(path: string): string {
  const at = path.lastIndexOf("/");
  return at < 0 ? (path === "" ? "" : ".") : at === 0 ? "/" : path.slice(0, at);
}
