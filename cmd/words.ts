// The words the user typed, brought into the one shape that the parser understands. Pure.
//
//   tk help record          →  tk record --help
//   tk record make -j4      →  tk record -- make -j4        (options end at the first operand)
//   tk sort -oFILE          →  tk sort -o FILE
//   tk record -qo FILE make →  tk record -q -o FILE -- make
//   tk diff a b -- c d      →  tk diff --base a --base b -- c d

/** Verbs that run a command: everything from the command's name on is the command's. */
const WRAPPERS: ReadonlySet<string> = new Set(["record"]);

/** Options that take a value in the next word, for finding where a wrapper's own options end. */
const VALUED: ReadonlySet<string> = new Set([
  "-o",
  "--output",
  "-b",
  "--bpftrace-path",
  "--backend",
  "--mode",
  "--until",
  "--report",
  "--lines-engine",
  "--spool",
  "--spool-runs",
  "--spool-size",
]);

/** Short options whose value may be glued to them, by verb. */
const GLUED: Readonly<Record<string, string>> = {
  record: "ob",
  sort: "io",
  ingest: "iop",
  render: "dio",
  analyse: "io",
  analyze: "io",
  repl: "cfo",
  diff: "o",
};

/** Short options without a value, which may stand before another in one word. */
const SWITCHES = "qr";

/** `-qoFILE` as `-q -o FILE`; a word that is no such bundle as it is. */
function unbundle(word: string, valued: string): string[] {
  let at = 1;
  while (at < word.length && SWITCHES.includes(word[at]!)) at++;
  const switches = word
    .slice(1, at)
    .split("")
    .map((letter) => `-${letter}`);
  if (at === word.length) return switches;
  if (!valued.includes(word[at]!)) return [word];
  const value = word.slice(word[at + 1] === "=" ? at + 2 : at + 1);
  return [...switches, `-${word[at]}`, ...(at + 1 < word.length ? [value] : [])];
}

/** Options of `tk diff` that take a value in the next word. */
const DIFF_VALUED: ReadonlySet<string> = new Set(
  "--base --fail-over --least --format --num-items -o --output --width --color".split(" "),
);

/** `tk diff a b -- c d` as `tk diff --base a --base b -- c d`: the parser does not tell where `--` stood. */
function namedBase(words: readonly string[]): string[] {
  const out: string[] = [];
  const border = words.indexOf("--");
  for (let i = 0; i < border; i++) {
    const word = words[i]!;
    if (word.startsWith("-") && word !== "-") {
      out.push(word);
      if (DIFF_VALUED.has(word) && i + 1 < border) out.push(words[++i]!);
    } else out.push("--base", word);
  }
  // The border is no end of options: `-- c d --fail-over 10%` is what people write.
  return [...out, ...words.slice(border + 1)];
}

/** `verbs`: those there are. Help for another is a mistake, which the parser finds in its name. */
export function normaliseWords(words: readonly string[], verbs: readonly string[]): string[] {
  const [verb, ...rest] = words;
  if (verb === undefined) return ["--help"];
  if (verb === "help") {
    if (rest.length === 0) return ["--help"];
    return verbs.includes(rest[0]!) ? [...rest, "--help"] : rest.slice(0, 1);
  }
  if (!verb.startsWith("-") && !verbs.includes(verb)) return [verb];
  if (verb === "diff" && rest.includes("--")) return [verb, ...namedBase(rest)];
  const out = [verb];
  for (let i = 0; i < rest.length; i++) {
    const word = rest[i]!;
    if (word === "--") return [...out, ...rest.slice(i)];
    if (WRAPPERS.has(verb) && !word.startsWith("-")) return [...out, "--", ...rest.slice(i)];
    const single = /^-[a-z]/.test(word) ? unbundle(word, GLUED[verb] ?? "") : [word];
    out.push(...single);
    if (VALUED.has(single.at(-1)!) && i + 1 < rest.length) out.push(rest[++i]!);
  }
  return out;
}
