// Whether a process that runs Python or a shell can be reached by the recorders, from what it was started with; if not, why. What is
// not known to stand in the way is not claimed. Pure.
import { bashEnvOf, hasElement, type Places, valueOf } from "./environment.ts";

export interface StartFacts {
  /** Base name of the file that it runs, links followed. */
  readonly program: string;
  readonly words: readonly string[];
  readonly environment: readonly Uint8Array[];
  readonly realUid: number;
  readonly effectiveUid: number;
}

export interface Reach {
  readonly kind: "python" | "bash" | "other shell";
  /** Why its lines are not recorded; undefined when nothing is known to prevent it. */
  readonly why: string | undefined;
}

const PYTHON = /^python(\d[\d.]*)?[a-z]*$|^pypy[\d.]*$/;
const OTHER_SHELL = /^(dash|ash|mksh|ksh|ksh93|posh|yash)$/;

/** Whether it is worth asking more about a program of this name. */
export function isInterpreter(program: string): boolean {
  return (
    PYTHON.test(program) || program === "bash" || program === "rbash" || OTHER_SHELL.test(program) || program === "sh"
  );
}

/** Undefined for what runs no lines that could be recorded. */
export function reachOf(facts: StartFacts, places: Places, owner: number): Reach | undefined {
  const { program, words } = facts;
  if (PYTHON.test(program)) {
    const flags = pythonFlags(words);
    if (flags === undefined) return undefined;
    return {
      kind: "python",
      why: pythonRefusal(flags, program) ?? environmentRefusal(facts, places, owner, "PYTHONPATH"),
    };
  }
  if (OTHER_SHELL.test(program) || program === "sh") return { kind: "other shell", why: otherShell(program, words) };
  if (program !== "bash" && program !== "rbash") return undefined;
  const options = bashOptions(words);
  if (options === undefined) return undefined;
  return { kind: "bash", why: bashRefusal(options, facts) ?? environmentRefusal(facts, places, owner, "BASH_ENV") };
}

function otherShell(program: string, words: readonly string[]): string {
  const called = baseName(words[0] ?? program);
  const shell = called === program ? program : `${called} (${program})`;
  return `${shell} is not Bash, which alone of the shells is recorded`;
}

const baseName = (path: string): string => path.replace(/^.*\//, "").replace(/^-/, "");

/** Letters of its options; undefined when it only prints its version. */
function pythonFlags(words: readonly string[]): string | undefined {
  let flags = "";
  for (let i = 1; i < words.length; i++) {
    const word = words[i]!;
    if (word === "--version" || word === "--help" || word.startsWith("--help-")) return undefined;
    if (word.startsWith("--")) {
      if (word === "--check-hash-based-pycs") i++;
      continue;
    }
    if (!/^-./.test(word)) break;
    for (let at = 1; at < word.length; at++) {
      const letter = word[at]!;
      if (letter === "c" || letter === "m") return flags;
      if (letter === "V" || letter === "h" || letter === "?") return undefined;
      flags += letter;
      if (letter === "W" || letter === "X" || letter === "Q") {
        // Its value is the rest of the word, or the next one.
        if (at === word.length - 1) i++;
        break;
      }
    }
  }
  return flags;
}

function pythonRefusal(flags: string, program: string): string | undefined {
  if (program.startsWith("pypy")) return "PyPy is not recorded, only CPython";
  if (flags.includes("I")) return "python -I ignores the environment";
  if (flags.includes("E")) return "python -E ignores the environment";
  if (flags.includes("S")) return "python -S loads no site modules";
  return undefined;
}

interface BashOptions {
  readonly calledAs: string;
  readonly letters: string;
  readonly posix: boolean;
}

function bashOptions(words: readonly string[]): BashOptions | undefined {
  let letters = "";
  let posix = false;
  for (let i = 1; i < words.length; i++) {
    const word = words[i]!;
    if (word === "--version" || word === "--help") return undefined;
    if (word === "--posix") posix = true;
    else if (word === "--rcfile" || word === "--init-file") i++;
    else if (word === "--" || word === "-") break;
    else if (/^[-+][a-zA-Z]/.test(word)) {
      if (word.startsWith("-")) letters += word.slice(1);
      if (/^[-+][a-zA-Z]*[oO]$/.test(word)) {
        if (word.startsWith("-") && words[i + 1] === "posix") posix = true;
        i++;
      }
    } else if (!word.startsWith("--")) break;
  }
  // Without a script and without -c it is a shell to be typed into, or reads its script from a pipe.
  return { calledAs: baseName(words[0] ?? "bash"), letters, posix };
}

function bashRefusal({ calledAs, letters, posix }: BashOptions, facts: StartFacts): string | undefined {
  if (calledAs === "sh") return "Bash called as sh reads no BASH_ENV";
  if (posix || valueOf(facts.environment, "POSIXLY_CORRECT") !== undefined)
    return "Bash in POSIX mode reads no BASH_ENV";
  if (letters.includes("p")) return "bash -p ignores the environment";
  const options = valueOf(facts.environment, "SHELLOPTS");
  if (letters.includes("v") || (options !== undefined && /(^|:)verbose(:|$)/.test(new TextDecoder().decode(options))))
    return "bash -v prints every line it reads";
  if (letters.includes("i")) return "an interactive Bash is left as it is";
  return undefined;
}

function environmentRefusal(facts: StartFacts, places: Places, owner: number, variable: string): string | undefined {
  const { environment, realUid, effectiveUid } = facts;
  if (realUid !== effectiveUid) return "it runs with another user's rights (set-user-ID)";
  if (effectiveUid !== owner && effectiveUid !== 0)
    return `it runs as another user (uid ${effectiveUid}), who may not write into this recording`;
  if (valueOf(environment, "TK_LINES_DIR") === undefined) return "its environment was emptied, or replaced by another";
  const value = valueOf(environment, variable);
  const isOurs =
    variable === "PYTHONPATH"
      ? hasElement(value, places.python)
      : new TextDecoder().decode(value) === bashEnvOf(places);
  return isOurs ? undefined : `${variable} was overwritten on the way`;
}
