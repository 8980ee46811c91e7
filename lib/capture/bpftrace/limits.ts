// What a recording by bpftrace cannot know, as sentences for its header and for the docs.
import { MOST_LIVING } from "./tool.ts";
import { FAILED_PIECES, type KernelTypes } from "./script.ts";

/** Bytes of argv that the script reads of one exec. */
export const ARGV_LIMIT = 131_072;

const ALWAYS: readonly string[] = [
  "working directories and CPU times are not recorded; max_rss_kb is the process's own, without its children",
  `at most ${MOST_LIVING} processes can be followed at once, and events that come faster than bpftrace can print are lost and counted`,
  "lines from different CPUs are put into order within half a second, by the kernel's clock",
];

const FAILED = `arguments in more than ${FAILED_PIECES} pieces (a word is at least one, and a long one some per hundred bytes) are cut, and words that were not in memory are empty (args_truncated)`;

const typed = (argvLimit: number): readonly string[] => [
  `argv beyond ${argvLimit} bytes is taken from /proc if the process still runs that program (args_from), and is cut otherwise (args_truncated)`,
  `of a failed exec, ${FAILED}`,
];

const PLAIN: readonly string[] = [
  "this kernel does not tell its types: process groups, sessions and parents are not recorded with execs and exits",
  `arguments are read when the exec begins: ${FAILED}`,
  "exit statuses are those that the process was told to end with, and are missing where that is not known",
];

export function limits(types: KernelTypes, argvLimit: number): string[] {
  return [...(types === "none" ? PLAIN : typed(argvLimit)), ...ALWAYS];
}
