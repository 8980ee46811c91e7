// The words the user typed, brought into the one shape that the parser understands. Pure.
//
//   tk help record          →  tk record --help
//   tk record make -j4      →  tk record -- make -j4        (options end at the first operand)
//   tk sort -oFILE          →  tk sort -o FILE

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
]);

/** Short options whose value may be glued to them, by verb. */
const GLUED: Readonly<Record<string, string>> = {
  record: "ob",
  sort: "io",
  ingest: "iop",
  render: "dio",
  analyse: "io",
  analyze: "io",
};

export function normaliseWords(words: readonly string[]): string[] {
  const [verb, ...rest] = words;
  if (verb === undefined) return ["--help"];
  if (verb === "help") return rest.length > 0 ? [...rest, "--help"] : ["--help"];
  const out = [verb];
  for (let i = 0; i < rest.length; i++) {
    const word = rest[i]!;
    if (word === "--") return [...out, ...rest.slice(i)];
    if (WRAPPERS.has(verb) && !word.startsWith("-")) return [...out, "--", ...rest.slice(i)];
    if (/^-[a-z]./.test(word) && GLUED[verb]?.includes(word[1]!)) {
      out.push(word.slice(0, 2), word[2] === "=" ? word.slice(3) : word.slice(2));
      continue;
    }
    out.push(word);
    if (VALUED.has(word) && i + 1 < rest.length) out.push(rest[++i]!);
  }
  return out;
}
