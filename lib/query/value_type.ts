// What values of the language are, and what they are measured in. In memory a number is a double with NaN for "not known",
// a condition is a byte, a text is a number of a pool; durations and times are nanoseconds, sizes bytes.
import type { ColumnKind } from "../analyse/table.ts";
import { signalName } from "../model/status.ts";

/**
 * `number`: without a unit. `id`: a number that only names something (a pid), which nobody adds up. `proc`, `event`: one process life
 * or event, printed as its handle.
 */
export type ValueType =
  | "bool"
  | "text"
  | "number"
  | "count"
  | "id"
  | "duration"
  | "time"
  | "bytes"
  | "errno"
  | "signal"
  | "proc"
  | "event";

/** As the user reads it in messages: `a duration`. */
export const TYPE_WORDS: Readonly<Record<ValueType, string>> = {
  bool: "a condition",
  text: "a text",
  number: "a number",
  count: "a number",
  id: "a number",
  duration: "a duration",
  time: "a moment",
  bytes: "a size",
  errno: "an error of the kernel",
  signal: "a signal",
  proc: "a process",
  event: "an event",
};

/** What it is measured in, for the list of fields; empty without a unit. */
export const TYPE_UNITS: Readonly<Record<ValueType, string>> = {
  bool: "",
  text: "",
  number: "",
  count: "",
  id: "",
  duration: "ns, written 10ms",
  time: "ns since the recording began, written 1.2s",
  bytes: "bytes, written 4M",
  errno: "number or name, written ENOENT",
  signal: "number or name, written SIGKILL or KILL",
  proc: "handle, written p12, or pid",
  event: "handle, written e400",
};

/** How the writers of lib/analyse show it. */
export const COLUMN_KINDS: Readonly<Record<ValueType, ColumnKind>> = {
  bool: "text",
  text: "text",
  number: "number",
  count: "count",
  id: "count",
  duration: "duration",
  time: "time",
  bytes: "bytes",
  errno: "text",
  signal: "text",
  proc: "text",
  event: "text",
};

/** What `id` in JSON and CSV ends in: `wall_ns`. */
export function withUnit(name: string, type: ValueType): string {
  if (type === "duration" || type === "time") return name.endsWith("_ns") ? name : `${name}_ns`;
  return type === "bytes" ? (name.endsWith("_bytes") ? name : `${name}_bytes`) : name;
}

const ERRNOS: readonly (string | undefined)[] = (
  " EPERM ENOENT ESRCH EINTR EIO ENXIO E2BIG ENOEXEC EBADF ECHILD EAGAIN ENOMEM EACCES EFAULT ENOTBLK EBUSY EEXIST EXDEV ENODEV " +
  "ENOTDIR EISDIR EINVAL ENFILE EMFILE ENOTTY ETXTBSY EFBIG ENOSPC ESPIPE EROFS EMLINK EPIPE EDOM ERANGE EDEADLK ENAMETOOLONG " +
  "ENOLCK ENOSYS ENOTEMPTY ELOOP"
).split(" ");

/** Names of Linux's errors that an exec may end with, and their numbers (the same on x86_64 and arm64). */
export const ERRNO_NUMBERS: ReadonlyMap<string, number> = new Map<string, number>([
  ...ERRNOS.flatMap((name, n): [string, number][] => (name ? [[name, n]] : [])),
  ["ELIBBAD", 80],
  ["EUSERS", 87],
  ["ETIMEDOUT", 110],
  ["ESTALE", 116],
  ["EDQUOT", 122],
]);
const ERRNO_NAMES = new Map([...ERRNO_NUMBERS].map(([name, n]) => [n, name]));

export function errnoName(n: number): string {
  return ERRNO_NAMES.get(n) ?? `errno ${n}`;
}

/** `SIGKILL` and `KILL` to 9. */
export const SIGNAL_NUMBERS: ReadonlyMap<string, number> = new Map(
  Array.from({ length: 64 }, (_, i) => i + 1).flatMap((n): [string, number][] => {
    const name = signalName(n);
    return name.startsWith("SIG")
      ? [
          [name, n],
          [name.slice(3), n],
        ]
      : [];
  }),
);
