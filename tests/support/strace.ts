// Reads the output of `strace -f -xx -o`: the witness that `tk record` is compared with.
// Knows strace 6.x's lines for process calls only; anything else is an error, so that nothing is compared by accident.
import { closeSync, openSync, readFileSync, readSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import { type Life, newLife, refusedWordsText, wordsText } from "./lives.ts";
import { signalNumber } from "./signals.ts";

export function straceCommand(output: string, command: readonly string[]): string[] {
  return [
    "strace",
    "-f",
    "-y",
    "-xx",
    "-s",
    "10000000",
    "-o",
    output,
    "-e",
    "quiet=attach,personality",
    "-e",
    "trace=fork,vfork,clone,clone3,execve,execveat,setpgid,setsid",
    "--",
    ...command,
  ];
}

const ERRNO: Readonly<Record<string, number>> = {
  EPERM: 1,
  ENOENT: 2,
  ESRCH: 3,
  E2BIG: 7,
  ENOEXEC: 8,
  EBADF: 9,
  EACCES: 13,
  EFAULT: 14,
  ENOTDIR: 20,
  EINVAL: 22,
  ENAMETOOLONG: 36,
  ELOOP: 40,
};

function unhex(text: string): Buffer {
  return Buffer.from(text.replaceAll("\\x", ""), "hex");
}

/** A path as `-y` prints it, escaped or not. */
function decodePath(text: string): string {
  return text.startsWith("\\x") ? unhex(text).toString("latin1") : text;
}

/** The kernel's rule for `#!`: which words the interpreter is given. Undefined when the file is no script. */
function scriptWords(path: string, file: Buffer, cwd: string, words: readonly Buffer[]): Buffer[] | undefined {
  let head: Buffer;
  try {
    const fd = openSync(isAbsolute(path) ? path : join(cwd, path), "r");
    const block = Buffer.alloc(256);
    head = block.subarray(0, readSync(fd, block, 0, 256, 0));
    closeSync(fd);
  } catch {
    return undefined;
  }
  if (head[0] !== 0x23 || head[1] !== 0x21) return undefined;
  const end = head.indexOf(10);
  const line = head
    .subarray(2, end < 0 ? head.length : end)
    .toString("latin1")
    .replace(/^[ \t]+|[ \t]+$/g, "");
  const parts = /^([^ \t]+)(?:[ \t]+(.*))?$/.exec(line);
  if (!parts) return undefined;
  const interpreter = [Buffer.from(parts[1]!, "latin1")];
  if (parts[2] !== undefined) interpreter.push(Buffer.from(parts[2], "latin1"));
  return [...interpreter, file, ...words.slice(1)];
}

interface Exec {
  readonly file: Buffer | undefined;
  readonly words: Buffer[] | undefined;
}

const STRING = /^"((?:\\x[0-9a-f]{2})*)"/;

/** `"file", ["word", ...], 0x... [vars]` with strings in hex; pointers that lead nowhere are bare numbers. */
function parseExec(text: string, at: boolean): Exec & { readonly dir: string; readonly empty: boolean } {
  let rest = text;
  let dir = "";
  if (at) {
    const comma = rest.indexOf(", ");
    dir = rest.slice(0, comma);
    rest = rest.slice(comma + 2);
  }
  let file: Buffer | undefined;
  const quoted = STRING.exec(rest);
  if (quoted) {
    file = unhex(quoted[1]!);
    rest = rest.slice(quoted[0].length); // a name longer than PATH_MAX ends with `"...`
  }
  rest = rest.slice(rest.indexOf(", ") + 2);
  let words: Buffer[] | undefined;
  if (rest.startsWith("[")) {
    const close = rest.indexOf("]");
    const inside = rest.slice(1, close);
    words = [];
    for (const item of inside === "" ? [] : inside.split(", ")) {
      const word = STRING.exec(item);
      if (!word) {
        words = undefined;
        break;
      }
      words.push(unhex(word[1]!));
    }
  } else if (rest.startsWith("NULL")) words = [];
  return { file, words, dir, empty: at && file?.length === 0 };
}

/** The lives that strace tells. `cwd` is where `#!` scripts with relative names are. */
export function livesOfStrace(path: string, cwd: string): Life {
  const tasks = new Map<number, { life: Life; thread: boolean }>();
  const pending = new Map<number, string>();
  // A child's lines may come before its parent's clone returns: its life is made by whoever speaks first.
  const unborn = new Map<number, Life>();
  let root: Life | undefined;
  const text = readFileSync(path, "latin1");
  const raw = text.split("\n").filter((l) => l !== "");
  // First pass: which tids are threads. Their own lines may come before the clone that made them returns.
  const threads = new Map<number, number>();
  const joined: { pid: number; line: string }[] = [];
  for (const whole of raw) {
    const m = /^(\d+) +(.*)$/s.exec(whole);
    if (!m) throw new Error(`not a line of strace -f: ${whole.slice(0, 200)}`);
    const pid = Number(m[1]);
    let line = m[2]!;
    if (line.endsWith("<unfinished ...>")) {
      pending.set(pid, line.slice(0, -"<unfinished ...>".length).trimEnd());
      continue;
    }
    const changed = /^(.*?) *<pid changed to (\d+) \.\.\.>$/s.exec(line);
    if (changed) {
      pending.set(Number(changed[2]), changed[1]!);
      continue;
    }
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/s.exec(line);
    if (resumed) {
      const begin = pending.get(pid);
      if (begin === undefined) throw new Error(`resumed what never began: ${line}`);
      pending.delete(pid);
      line = begin + resumed[1]!;
    }
    const superseded = /^\+\+\+ superseded by execve in pid (\d+) \+\+\+$/.exec(line);
    if (superseded) {
      // the exec of another thread: its beginning belongs to this process from now on
      const begin = pending.get(Number(superseded[1]));
      if (begin !== undefined) {
        pending.delete(Number(superseded[1]));
        pending.set(pid, begin);
      }
      continue;
    }
    joined.push({ pid, line });
    const made = /^(clone3?|fork|vfork)\(.*\) = (\d+)$/s.exec(line);
    if (made && line.includes("CLONE_THREAD")) threads.set(Number(made[2]), pid);
  }
  const processOf = (tid: number): number => {
    let at = tid;
    for (let up = threads.get(at); up !== undefined; up = threads.get(at)) at = up;
    return at;
  };
  const lifeOf = (tid: number): Life => {
    const pid = processOf(tid);
    const known = tasks.get(pid)?.life ?? unborn.get(pid);
    if (known) return known;
    const life = newLife(pid);
    if (root === undefined) {
      root = life;
      tasks.set(pid, { life, thread: false });
    } else unborn.set(pid, life);
    return life;
  };
  for (const { pid, line } of joined) {
    if (line.startsWith("--- ")) continue; // a signal or a stop, not an end
    const life = lifeOf(pid);
    const exited = /^\+\+\+ exited with (\d+) \+\+\+$/.exec(line);
    const killed = /^\+\+\+ killed by (\w+)( \(core dumped\))? \+\+\+$/.exec(line);
    if (exited || killed) {
      if (threads.has(pid)) continue;
      life.end = exited ? `exited ${exited[1]}` : `killed ${signalNumber(killed![1]!)}`;
      continue;
    }
    const call = /^(\w+)\((.*)\) += (-?\d+|\?)(?: (E\w+) .*| (ERESTART\w+).*)?$/s.exec(line);
    if (!call) throw new Error(`a line that this test does not know: ${pid} ${line.slice(0, 300)}`);
    const [, name, args, result, error] = call;
    if (name === "execve" || name === "execveat") {
      const exec = parseExec(args!, name === "execveat");
      if (result === "0") {
        if (exec.words === undefined || exec.file === undefined)
          throw new Error(`an exec without words: ${line.slice(0, 300)}`);
        const words = exec.words.length === 0 ? [Buffer.alloc(0)] : exec.words;
        const byDescriptor = exec.empty ? /^(\d+)<(.*)>$/.exec(exec.dir) : null;
        const script = byDescriptor
          ? scriptWords(decodePath(byDescriptor[2]!), Buffer.from(`/dev/fd/${byDescriptor[1]}`), cwd, words)
          : scriptWords(exec.file.toString("latin1"), exec.file, cwd, words);
        life.execs.push(wordsText(script ?? words));
      } else {
        life.bad.push({
          file: exec.file?.toString("latin1"),
          args: exec.words && refusedWordsText(exec.words),
          errno: ERRNO[error ?? ""] ?? -1,
        });
      }
    } else if (name === "setsid") {
      if (!result!.startsWith("-")) life.sessions++;
    } else if (name === "setpgid") {
      if (result !== "0") continue;
      const [who, group] = args!.split(", ").map(Number);
      const moved = who === 0 ? life : lifeOf(who!);
      moved.groups.push(group === 0 || group === moved.pid ? "own" : "other");
    } else {
      const child = Number(result);
      if (!(child > 0) || threads.has(child)) continue;
      const born = unborn.get(child) ?? newLife(child);
      unborn.delete(child);
      tasks.set(child, { life: born, thread: false });
      life.children.push(born);
    }
  }
  if (root === undefined) throw new Error("strace wrote nothing");
  if (unborn.size > 0) throw new Error(`strace never told of their birth: ${[...unborn.keys()].join(" ")}`);
  return root;
}
