// What every key and command of the process player does: the text behind `h`, and of the manual.
import { TESTS } from "./condition_words.ts";

const KEYS: readonly (readonly [string, string])[] = [
  ["n  N", "next (previous) event of this process; what its children and others do is passed over"],
  ["s  S", "next (previous) event of any process"],
  ["c  C", "on (back) to a breakpoint, or to the end (start)"],
  ["R  E", "to the end (the beginning) of this process; when there, of the one above it"],
  ["up down", "choose a process: n, R and enter are about it"],
  ["pageup pagedown", "the same by pages"],
  [".", "choose the process of the event again"],
  ["enter", "to the line of the script that caused this fork or exec; tab comes back"],
  ["e", "draw the last 40 that ended, the last 1000, or none"],
  ["L", "the breakpoints; enter goes on to the chosen one, delete takes it away"],
  ["/  ?", "search forwards (back) in programs and arguments; > and < search on"],
  ["b WHAT", "set a breakpoint, or take it away"],
  ["d  d N", "take all breakpoints away, or the N-th"],
  ["c N", "to the N-th hit from here; c -N back"],
  ["n N  s N", "so many times"],
  ["p PID", "choose a process by its pid"],
  ["j TIME", "to a time: +2s -3m +1h -15d 12:00:16.5 2024-01-27 start end"],
  ["F", "follow a recording that is still being written"],
  ["tab", "to the executed lines, and back"],
  ["h  q", "this help; quit"],
];

export interface HelpLine {
  /** Filled up with blanks; empty for a sentence. */
  readonly keys: string;
  readonly means: string;
}

export function processHelp(): HelpLine[] {
  const width = Math.max(...KEYS.map(([keys]) => keys.length)) + 2;
  const words = [...TESTS].map(
    ([name, { takes, means }]) => [takes === "" ? name : `${name} ${takes}`, means] as const,
  );
  const wordWidth = Math.max(...words.map(([name]) => name.length)) + 4;
  const sentence = (means: string): HelpLine => ({ keys: "", means });
  return [
    ...KEYS.map(([keys, means]) => ({ keys: keys.padEnd(width), means })),
    sentence(""),
    sentence("Where to stop (joined with and, or, not and brackets; =, !=, <, <=, >, >= before a value):"),
    ...words.map(([name, means]) => ({ keys: `  ${name}`.padEnd(wordWidth), means })),
  ];
}
