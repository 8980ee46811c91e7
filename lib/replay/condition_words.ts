// The words of breakpoints, one entry each: what value they take, and the test over rows that comes of it. Tests look at columns; what
// has to be read out of lines (program names, CPU times) is read once, when the condition is bound to a recording.
import { err, ok, type Result } from "neverthrow";
import type { Derived } from "../derive/derived.ts";
import { programOf } from "../derive/exec_keys.ts";
import { subtree } from "../derive/tree.ts";
import { KIND } from "../model/event.ts";
import { argvOf, filenameOf, type Rows } from "../model/event_at.ts";
import { ABSENT } from "../model/ids.ts";
import { signalName } from "../model/status.ts";
import { textMatcher } from "./text_match.ts";

export type Comparison = "=" | "!=" | "<" | "<=" | ">" | ">=";
export type Test = (row: number) => boolean;
export type TestMaker = (derived: Derived) => Test;

interface TestWord {
  /** For help: what may follow the word. */
  readonly takes: string;
  readonly means: string;
  make(operator: Comparison | undefined, value: string | undefined): Result<TestMaker, string>;
}

function compare(operator: Comparison, a: number, b: number): boolean {
  switch (operator) {
    case "=":
      return a === b;
    case "!=":
      return a !== b;
    case "<":
      return a < b;
    case "<=":
      return a <= b;
    case ">":
      return a > b;
    case ">=":
      return a >= b;
  }
}

/** A word that takes nothing. */
const plain = (means: string, make: TestMaker): TestWord => ({
  takes: "",
  means,
  make: (operator, value) =>
    operator === undefined && value === undefined ? ok(make) : err(`takes no value, got ${JSON.stringify(value)}`),
});

const ofKind = (means: string, kind: number): TestWord =>
  plain(means, ({ recording }) => {
    const kinds = recording.events.kind;
    return (row) => kinds[row] === kind;
  });

/** A word that takes a number, with a comparison or for equality. */
const measure = (
  takes: string,
  means: string,
  read: (text: string) => number | undefined,
  expected: string,
  make: (derived: Derived, is: (value: number) => boolean) => Test,
): TestWord => ({
  takes,
  means,
  make(operator, value) {
    const wanted = value === undefined ? undefined : read(value);
    if (wanted === undefined)
      return err(`expected ${expected}${value === undefined ? "" : `, got ${JSON.stringify(value)}`}`);
    const how = operator ?? "=";
    return ok((derived) => make(derived, (x) => compare(how, x, wanted)));
  },
});

const whole = (text: string) => (/^\d{1,9}$/.test(text) ? Number(text) : undefined);

const UNITS: Readonly<Record<string, number>> = { ns: 1, us: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 };

function duration(text: string): number | undefined {
  const m = /^(\d+\.?\d*|\.\d+)(ns|us|ms|s|m|h)$/.exec(text);
  return m === null ? undefined : Number(m[1]) * UNITS[m[2]!]!;
}

function kibibytes(text: string): number | undefined {
  const m = /^(\d+\.?\d*)([kmgt])(?:i?b)?$/i.exec(text);
  return m === null ? undefined : Number(m[1]) * 1024 ** "kmgt".indexOf(m[2]!.toLowerCase());
}

/** Exits with something known of their process; `value` is asked by life. */
function atExits(derived: Derived, value: (life: number) => number, is: (value: number) => boolean): Test {
  const { owner, exitRow } = derived.processes;
  return (row) => {
    const life = owner[row]!;
    if (life < 0 || exitRow[life] !== row) return false;
    const x = value(life);
    return x >= 0 && is(x);
  };
}

/** `*` and `?` stand for anything, as in a shell. */
function pattern(text: string): (name: string) => boolean {
  if (!/[*?]/.test(text)) return (name) => name === text;
  // Backtracking over literal pieces would be exponential on `*a*a*a*`: of each star only the last needs to be tried again.
  return (name) => {
    let i = 0;
    let j = 0;
    let star = -1;
    let mark = 0;
    while (i < name.length) {
      if (j < text.length && text[j] === "*") {
        star = j++;
        mark = i;
      } else if (j < text.length && (text[j] === "?" || text[j] === name[i])) {
        i++;
        j++;
      } else if (star >= 0) {
        j = star + 1;
        i = ++mark;
      } else return false;
    }
    while (text[j] === "*") j++;
    return j === text.length;
  };
}

function runsProgram(recording: Rows, row: number, matches: (name: string) => boolean, path: boolean): boolean {
  const file = filenameOf(recording, row)?.text;
  if (path) return file !== undefined && matches(file);
  return (
    matches(programOf(argvOf(recording, row), () => file)) ||
    (file !== undefined && matches(programOf(undefined, () => file)))
  );
}

/** Execs of one kind, all or those of a program. */
const execs = (means: string, kind: number): TestWord => ({
  takes: "[PROGRAM]",
  means,
  make(operator, value) {
    if (operator !== undefined && operator !== "=" && operator !== "!=")
      return err("takes a program's name, or = or !=");
    const differs = operator === "!=";
    return ok(({ recording, programs }) => {
      const kinds = recording.events.kind;
      if (value === undefined) return (row) => kinds[row] === kind;
      const matches = pattern(value);
      const isPath = value.includes("/");
      if (isPath || kind !== KIND.exec)
        return (row) => kinds[row] === kind && runsProgram(recording, row, matches, isPath) !== differs;
      // One look per program instead of one per exec.
      const known = Uint8Array.from(programs.sampleRow, (sample) =>
        runsProgram(recording, sample, matches, false) ? 1 : 0,
      );
      return (row) => {
        const key = programs.ofRow[row]!;
        return key >= 0 && kinds[row] === kind && (known[key] === 1) !== differs;
      };
    });
  },
});

function signalNumber(text: string): number | undefined {
  if (/^\d{1,3}$/.test(text)) return Number(text);
  const name = text.toUpperCase().replace(/^(?!SIG)/, "SIG");
  for (let n = 1; n < 65; n++) if (signalName(n) === name) return n;
  return undefined;
}

const signal: TestWord = {
  takes: "[NAME]",
  means: "a process is ended by a signal, or by this one: signal SEGV",
  make(operator, value) {
    if (value === undefined)
      return ok(
        ({ recording: { events } }) =>
          (row) =>
            events.kind[row] === KIND.exit && events.signal[row] !== 0,
      );
    const wanted = signalNumber(value);
    if (wanted === undefined) return err(`expected a signal such as TERM or 15, got ${JSON.stringify(value)}`);
    const how = operator ?? "=";
    return ok(({ recording: { events } }) => (row) => {
      const number = events.signal[row]! & 0x7f;
      return events.kind[row] === KIND.exit && number !== 0 && compare(how, number, wanted);
    });
  },
};

const exit: TestWord = {
  takes: "[CODE]",
  means: "a process ends, or ends with this code: exit != 0",
  make(operator, value) {
    const wanted = value === undefined ? 0 : whole(value);
    if (wanted === undefined) return err(`expected an exit code, got ${JSON.stringify(value)}`);
    if (value === undefined)
      return ok(
        ({ recording: { events } }) =>
          (row) =>
            events.kind[row] === KIND.exit,
      );
    const how = operator ?? "=";
    return ok(({ recording: { events } }) => (row) => {
      if (events.kind[row] !== KIND.exit) return false;
      // As a shell has it in $?.
      const number = events.signal[row]! & 0x7f;
      const code = number !== 0 ? 128 + number : events.code[row]!;
      return code !== ABSENT && compare(how, code, wanted);
    });
  },
};

const text: TestWord = {
  takes: "TEXT",
  means: "an exec, failed or not, whose program or arguments hold this text",
  make(operator, value) {
    if (value === undefined || value === "") return err("expected a text to look for");
    if (operator !== undefined && operator !== "=") return err("takes a text alone");
    return ok(({ recording }) => textMatcher(recording, value));
  },
};

export const TESTS: ReadonlyMap<string, TestWord> = new Map<string, TestWord>([
  ["fork", ofKind("a process is made", KIND.fork)],
  ["exec", execs("a process becomes another program, any or this one: exec cc*, exec /usr/bin/cc", KIND.exec)],
  ["badexec", execs("an exec fails, of any program or this one", KIND.exec_failed)],
  ["exit", exit],
  [
    "failed",
    plain(
      "an exec fails, or a process ends badly: a code other than 0, or a signal",
      ({ recording: { events } }) =>
        (row) =>
          events.kind[row] === KIND.exec_failed ||
          (events.kind[row] === KIND.exit && (events.signal[row] !== 0 || events.code[row]! > 0)),
    ),
  ],
  ["signal", signal],
  [
    "core",
    plain(
      "a process dumps core",
      ({ recording: { events } }) =>
        (row) =>
          events.kind[row] === KIND.exit && (events.signal[row]! & 0x80) !== 0,
    ),
  ],
  [
    "wall",
    measure(
      "> TIME",
      "a process ends that lived so long: wall > 100ms",
      duration,
      "a time such as 100ms or 2s",
      (derived, is) => {
        const { start, end } = derived.processes;
        return atExits(derived, (life) => end[life]! - start[life]!, is);
      },
    ),
  ],
  [
    "cpu",
    measure(
      "> TIME",
      "a process ends that computed so long itself",
      duration,
      "a time such as 100ms or 2s",
      (derived, is) => {
        const { own } = derived.usage;
        return atExits(derived, (life) => own[life]!, is);
      },
    ),
  ],
  [
    "rss",
    measure(
      "> SIZE",
      "a process ends that had so much memory: rss > 100M",
      kibibytes,
      "a size such as 100M",
      (derived, is) => {
        const { maxRssKb } = derived.usage;
        return atExits(derived, (life) => maxRssKb[life]!, is);
      },
    ),
  ],
  [
    "pid",
    measure("PID", "anything that this process does", whole, "a pid", ({ recording: { events } }, is) => {
      const { kind, pid, ppid } = events;
      return (row) => is(pid[row]!) || (kind[row] === KIND.fork && is(ppid[row]!));
    }),
  ],
  [
    "under",
    measure("PID", "anything in the tree of this process", whole, "a pid", (derived, is) => {
      const { processes, tree } = derived;
      const member = new Uint8Array(processes.length);
      for (let life = 0; life < processes.length; life++)
        if (member[life] === 0 && is(processes.pid[life]!)) for (const below of subtree(tree, life)) member[below] = 1;
      return (row) => processes.owner[row]! >= 0 && member[processes.owner[row]!] === 1;
    }),
  ],
  ["text", text],
  ["setpgid", ofKind("a process changes its group", KIND.setpgid)],
  ["setsid", ofKind("a process begins a session", KIND.setsid)],
  ["report", ofKind("a report of tk exec", KIND.report)],
  ["lost", ofKind("events were lost here", KIND.lost)],
]);

export function testNames(): string[] {
  return [...TESTS.keys()];
}
