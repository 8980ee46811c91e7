// Process lives as both strace and `tk record` tell them, in one shape that can be compared although the pids differ.
// The order among siblings is left out: it is the scheduler's choice.
import { type Line, argsOf, bytesOf, number } from "./tk.ts";

/** The kernel refuses longer words (E2BIG), and of a refused one tk keeps as much as the kernel would have taken. */
export const LONGEST_WORD = 131072;

export interface BadExec {
  /** Undefined when the pointer led nowhere. */
  readonly file: string | undefined;
  readonly args: string | undefined;
  readonly errno: number;
}

export interface Life {
  readonly pid: number;
  /** Each successful exec: its words, as JSON of latin1 strings, so that every byte counts. */
  readonly execs: string[];
  readonly bad: BadExec[];
  /** `exited 3`, `killed 9`; undefined while unknown. */
  end: string | undefined;
  /** New groups, by relation to the process that was moved: `own` or `other`. */
  readonly groups: string[];
  sessions: number;
  readonly children: Life[];
}

export function newLife(pid: number): Life {
  return { pid, execs: [], bad: [], end: undefined, groups: [], sessions: 0, children: [] };
}

/** Words as a string of which no byte is lost. */
export function wordsText(words: readonly Buffer[]): string {
  return JSON.stringify(words.map((w) => w.toString("latin1")));
}

/** The words of a failed exec. */
export function refusedWordsText(words: readonly Buffer[]): string {
  return wordsText(words.map((w) => w.subarray(0, LONGEST_WORD)));
}

/** The lives that one recording tells; `order` also proves that no event speaks of a dead or unborn process. */
export function livesOfRecording(lines: readonly Line[]): Life {
  const live = new Map<number, Life>();
  const killed = new Map<number, Life>();
  let root: Life | undefined;
  const rootPid = lines[0]?.tag === "Recording" ? number(lines[0], "root_pid") : undefined;
  const find = (pid: number, line: Line): Life => {
    const known = live.get(pid);
    if (known) return known;
    throw new Error(`event of a process that does not live: ${line.tag} ${JSON.stringify(line.f).slice(0, 300)}`);
  };
  let seq = -1;
  for (const line of lines) {
    if (line.tag === "Recording") continue;
    if (number(line, "seq") !== seq + 1) throw new Error(`seq ${number(line, "seq")} after ${seq}`);
    seq = number(line, "seq");
    switch (line.tag) {
      case "Fork": {
        const pid = number(line, "child_pid");
        if (root === undefined) {
          if (pid !== rootPid) throw new Error(`the first process is ${pid}, not the root ${rootPid}`);
          root = newLife(pid);
          live.set(pid, root);
          break;
        }
        // A parent that was killed inside fork may have ended before anybody heard of its child.
        const parentPid = number(line, "parent_pid");
        const parent = live.get(parentPid) ?? killed.get(parentPid) ?? find(parentPid, line);
        if (live.has(pid)) throw new Error(`pid ${pid} was born twice`);
        const child = newLife(pid);
        live.set(pid, child);
        parent.children.push(child);
        break;
      }
      case "ExecFull":
        find(number(line, "pid"), line).execs.push(wordsText(argsOf(line) ?? []));
        break;
      case "BadExec": {
        const args = argsOf(line);
        find(number(line, "pid"), line).bad.push({
          file: bytesOf(line, "filename")?.toString("latin1"),
          args: args && refusedWordsText(args),
          errno: number(line, "errno"),
        });
        break;
      }
      case "Exit": {
        const life = find(number(line, "pid"), line);
        const signal = line.f.signal;
        life.end = typeof signal === "number" ? `killed ${signal}` : `exited ${number(line, "exit_code")}`;
        live.delete(life.pid);
        if (life.end.startsWith("killed")) killed.set(life.pid, life);
        break;
      }
      case "SetPGID":
        find(number(line, "pid"), line).groups.push(number(line, "pgid") === number(line, "pid") ? "own" : "other");
        break;
      case "SetSID": {
        const life = find(number(line, "pid"), line);
        life.sessions++;
        if (number(line, "sid") !== life.pid) throw new Error(`sid ${number(line, "sid")} of process ${life.pid}`);
        break;
      }
      case "End":
        break;
      default:
        throw new Error(`unexpected ${line.tag}`);
    }
  }
  if (root === undefined) throw new Error("an empty recording");
  if (live.size > 0) throw new Error(`never ended: ${[...live.keys()].join(" ")}`);
  return root;
}

export interface Counts {
  processes: number;
  execs: number;
  bad: number;
  ends: number;
  setpgid: number;
  setsid: number;
}

export function everyLife(root: Life): Life[] {
  const all: Life[] = [root];
  for (let i = 0; i < all.length; i++) all.push(...all[i]!.children);
  return all;
}

export function counts(root: Life): Counts {
  const c: Counts = { processes: 0, execs: 0, bad: 0, ends: 0, setpgid: 0, setsid: 0 };
  for (const life of everyLife(root)) {
    c.processes++;
    c.execs += life.execs.length;
    c.bad += life.bad.length;
    if (life.end !== undefined) c.ends++;
    c.setpgid += life.groups.length;
    c.setsid += life.sessions;
  }
  return c;
}

export type Detail = "complete" | "events";

// The kernel never reads more of a name; strace does not either.
const PATH_MAX = 4096;
const EFAULT = 14;

function badText(bad: BadExec): string {
  // What a pointer that leads nowhere points to is nobody's to know.
  if (bad.errno === EFAULT) return "EFAULT";
  return `${bad.errno} ${JSON.stringify(short((bad.file ?? "?").slice(0, PATH_MAX - 1)))} ${short(bad.args ?? "?")}`;
}

function own(life: Life, detail: Detail): string {
  const parts = [`exec ${life.execs.map(short).join(" then ")}`, `end ${life.end}`];
  if (detail === "complete") {
    parts.push(
      `bad ${life.bad.map(badText).join(", ")}`,
      `groups ${life.groups.join(" ")}`,
      `sessions ${life.sessions}`,
    );
  }
  return parts.join("; ");
}

/** Long texts by their length and hash, so that a difference stays readable. */
function short(text: string): string {
  return text.length <= 400 ? text : `${text.slice(0, 60)}...${text.length}:${Bun.hash(text)}`;
}

/** One line per process, children indented below and in an order that does not depend on time. */
export function treeText(root: Life, detail: Detail): string[] {
  const below = root.children.map((c) => treeText(c, detail));
  below.sort((a, b) => {
    const x = a.join("\n");
    const y = b.join("\n");
    return x < y ? -1 : x > y ? 1 : 0;
  });
  return [own(root, detail), ...below.flat().map((line) => `  ${line}`)];
}
