// Which verb the words name, when flags that are good for every verb may stand before it. Imports nothing: it is asked
// before anything is loaded.

/** Flags that take a value in the next word and may stand before the verb. */
const VALUED: ReadonlySet<string> = new Set([
  "-f",
  "--config-file",
  "-l",
  "--log-level",
  "--log-format",
  "--enable-report",
  "--disable-report",
  "--report-cache-file",
]);

/** Index of the verb; the number of words when there is none. */
export function verbAt(words: readonly string[]): number {
  let at = 0;
  while (at < words.length && words[at]!.startsWith("-") && words[at] !== "--") at += VALUED.has(words[at]!) ? 2 : 1;
  return Math.min(at, words.length);
}
