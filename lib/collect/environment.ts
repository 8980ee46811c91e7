// What the recorded command finds in its environment so that Python and Bash load their recorders, and what of it a process must
// still have to be reached. Entries are bytes: a value need not be UTF-8. Pure.

export interface Places {
  readonly raw: string;
  readonly python: string;
  readonly bash: string;
}

export interface LineChoice {
  /** Packages and paths with commas; empty: everything outside the standard library and site-packages. */
  readonly selection: string;
  readonly engine: "exact" | "fast";
  /** What relative paths of the selection are relative to. */
  readonly directory: string;
}

type Environment = readonly Uint8Array[];

const encoder = new TextEncoder();
const COLON = 58;

/** The value of a variable, or undefined. */
export function valueOf(environment: Environment, name: string): Uint8Array | undefined {
  const prefix = encoder.encode(`${name}=`);
  const entry = environment.find((e) => prefix.every((byte, i) => e[i] === byte));
  return entry?.subarray(prefix.length);
}

function setValue(environment: Uint8Array[], name: string, value: Uint8Array): void {
  const prefix = encoder.encode(`${name}=`);
  const entry = new Uint8Array(prefix.length + value.length);
  entry.set(prefix);
  entry.set(value, prefix.length);
  const at = environment.findIndex((e) => prefix.every((byte, i) => e[i] === byte));
  if (at < 0) environment.push(entry);
  else environment[at] = entry;
}

/** The user's own PYTHONPATH and BASH_ENV stay in force behind ours. */
export function withRecorders(environment: Environment, places: Places, choice: LineChoice): Uint8Array[] {
  const out = [...environment];
  const text = (value: string) => encoder.encode(value);
  const path = valueOf(environment, "PYTHONPATH");
  setValue(
    out,
    "PYTHONPATH",
    path === undefined || path.length === 0 ? text(places.python) : joined(places.python, path),
  );
  const bashEnv = valueOf(environment, "BASH_ENV");
  if (bashEnv !== undefined && bashEnv.length > 0) setValue(out, "TK_LINES_BASH_ENV", bashEnv);
  setValue(out, "BASH_ENV", text(bashEnvOf(places)));
  setValue(out, "TK_LINES_DIR", text(places.raw));
  setValue(out, "TK_LINES", text(choice.selection));
  setValue(out, "TK_LINES_CWD", text(choice.directory));
  setValue(out, "TK_LINES_ENGINE", text(choice.engine));
  return out;
}

/**
 * Bash expands this value: with -v it becomes another file's name, which is the user's own or none, since Bash would print ours line by line.
 */
export const bashEnvOf = (places: Places): string => `${places.bash}\${-//[!v]/}`;

/** The end of that other name. */
export const VERBOSE = "v";

function joined(first: string, rest: Uint8Array): Uint8Array {
  const head = encoder.encode(first);
  const out = new Uint8Array(head.length + 1 + rest.length);
  out.set(head);
  out[head.length] = COLON;
  out.set(rest, head.length + 1);
  return out;
}

/** Whether the folder is an element of a PYTHONPATH. */
export function hasElement(path: Uint8Array | undefined, folder: string): boolean {
  return path !== undefined && new TextDecoder("latin1").decode(path).split(":").includes(folder);
}
