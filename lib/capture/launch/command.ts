// Which file a command name means, by the rules of execvp(3). Looks, and changes nothing.
import { checkExecutable, latin1 } from "../../host/descriptors.ts";
import { ERRNO } from "../../host/errno.ts";

/** glibc's path for an environment without PATH. */
const DEFAULT_PATH = "/bin:/usr/bin";
const SLASH = 0x2f;
const COLON = 0x3a;

function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of parts) {
    out.set(p, at);
    at += p.length;
  }
  return out;
}

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (c) => c.charCodeAt(0));
}

function pathOf(environment: readonly Uint8Array[]): Uint8Array {
  for (const entry of environment) if (latin1(entry, 0, 5) === "PATH=") return entry.subarray(5);
  return ascii(DEFAULT_PATH);
}

/** The files that execvp would try, in order. */
export function candidates(command: Uint8Array, environment: readonly Uint8Array[]): Uint8Array[] {
  if (command.length === 0) return [];
  if (command.includes(SLASH)) return [command];
  const path = pathOf(environment);
  const out: Uint8Array[] = [];
  for (let from = 0; from <= path.length;) {
    let to = path.indexOf(COLON, from);
    if (to < 0) to = path.length;
    const directory = path.subarray(from, to);
    // An empty element means the current directory; execvp tries the bare name there.
    if (directory.length === 0) out.push(command);
    else out.push(concat(directory, directory[directory.length - 1] === SLASH ? ascii("") : ascii("/"), command));
    from = to + 1;
  }
  return out;
}

/** 0 when one of the candidates looks as if it could be run; else the errno that execvp would end with. */
export function lookUp(command: Uint8Array, environment: readonly Uint8Array[]): number {
  let refused = 0;
  for (const file of candidates(command, environment)) {
    const answer = checkExecutable(file);
    if (answer === 0) return 0;
    if (command.includes(SLASH)) return -answer;
    if (answer === -ERRNO.EACCES) refused = ERRNO.EACCES;
    else if (!keepsLooking(-answer)) return -answer;
  }
  return refused || ERRNO.ENOENT;
}

/** Errors after which execvp tries the next directory. */
export const KEEPS_LOOKING: readonly number[] = [
  ERRNO.EACCES,
  ERRNO.ENOENT,
  ERRNO.ESTALE,
  ERRNO.ENOTDIR,
  ERRNO.ENODEV,
  ERRNO.ETIMEDOUT,
];

export function keepsLooking(errno: number): boolean {
  return KEEPS_LOOKING.includes(errno);
}
