// Commands that hand what remains to somebody else: other verbs of tk, another recording, a script, the system's shell.
import type { ReplCommand } from "../command.ts";
import { done, fail, tooMany } from "./_shared.ts";

const tk = (
  verb: "render" | "analyse" | "replay",
  summary: string,
  usage: string,
  doc: string,
  examples: ReplCommand["examples"],
  aliases?: readonly string[],
): ReplCommand => ({
  id: verb,
  ...(aliases === undefined ? {} : { aliases }),
  summary,
  group: "Elsewhere",
  usage,
  doc,
  examples,
  arguments: ["words"],
  *run(context) {
    yield;
    return done({ act: { kind: "tk", words: [verb, ...context.words.map((w) => w.text)] } });
  },
});

/** What `render -d` takes; a test compares it with the registry, which the first prompt does not wait for. */
export const DISPLAY_MODES = ["multiplexed", "sequential", "by-process", "mermaid", "tree", "lines", "heat"] as const;

export const render = tk(
  "render",
  "tk render on what remains",
  "render [-d MODE] [OPTION]...",
  "Every option of tk render; without any the tree.",
  [{ line: "render -d mermaid > gantt.mmd", what: "a chart of what remains" }],
);

export const analyse = tk(
  "analyse",
  "tk analyse on what remains",
  "analyse [OPTION]...",
  "Every option of tk analyse.",
  [{ line: "analyse --section parallelism", what: "how much ran at once" }],
  ["analyze"],
);

export const replay = tk(
  "replay",
  "tk replay on what remains, from the current position: step through it",
  "replay [OPTION]...",
  "Every option of tk replay; --at and --from say where to begin instead. Leaving it leads back here.",
  [
    { line: "replay", what: "what remains, step by step" },
    { line: "replay --at p2", what: "from the start of a process" },
  ],
);

export const diff: ReplCommand = {
  id: "diff",
  summary: "compare this recording to another: new, gone, slower, faster",
  group: "Elsewhere",
  usage: "diff OTHER...",
  doc: "What is open is the base. Handles in column A are of this recording. Filters do not apply.",
  examples: [{ line: "diff other.prof", what: "what the other run did differently" }],
  arguments: ["file"],
  *run(context) {
    yield;
    const files = context.words.map((w) => w.text);
    if (files.length === 0) return fail("expected the recording to compare to", `usage: ${diff.usage}`);
    return done({ act: { kind: "diff", files } });
  },
};

export const source: ReplCommand = {
  id: "source",
  summary: "run the commands of a file",
  group: "Elsewhere",
  usage: "source FILE",
  doc: "One command a line; # begins a comment. It ends at the first error.",
  examples: [{ line: "source look.tk", what: "commands kept in a file" }],
  arguments: ["file"],
  *run(context) {
    yield;
    const { words } = context;
    const extra = tooMany(words, 1, source.usage);
    if (extra !== undefined) return extra;
    if (words[0] === undefined) return fail("expected a file", `usage: ${source.usage}`);
    return done({ act: { kind: "source", file: words[0].text } });
  },
};

export const shell: ReplCommand = {
  id: "shell",
  aliases: ["!"],
  summary: "run a command of the system's shell",
  group: "Elsewhere",
  usage: "shell COMMAND",
  doc: "`!ls` is the same. To hand output on, write `procs | COMMAND`.",
  examples: [{ line: "shell echo hello", what: "any command" }],
  arguments: ["words"],
  *run(context) {
    yield;
    const line = context.text.trim();
    return line === "" ? fail("expected a command", `usage: ${shell.usage}`) : done({ act: { kind: "shell", line } });
  },
};
