// The contract of a command of the shell. A command is a constant: what it is called, how it is used, examples that work, and a function from the
// session and its words to a reply. It touches no file and no terminal: what has to be done out there is an act in the reply.
import type { Result } from "neverthrow";
import type { Entry } from "../base/registry.ts";
import type { Book } from "./book.ts";
import type { Word } from "./line.ts";
import type { Output } from "./output.ts";
import type { Session } from "./session.ts";

/** What a word of a command is, for completion. */
export type ArgumentKind =
  | "process"
  | "event"
  | "place"
  | "mark"
  | "filter"
  | "condition"
  | "query"
  | "command"
  | "file"
  | "words"
  | "table"
  | readonly string[];

export type Act =
  | { readonly kind: "quit" }
  | { readonly kind: "clear" }
  /** Runs this tk once more on what is in force: `tk render -d tree`. */
  | { readonly kind: "tk"; readonly words: readonly string[] }
  | { readonly kind: "diff"; readonly files: readonly string[] }
  /** Keeps the named filters for the next sessions. */
  | { readonly kind: "save-filters" }
  | { readonly kind: "source"; readonly file: string }
  | { readonly kind: "shell"; readonly line: string }
  | { readonly kind: "history"; readonly part: string };

export interface Reply {
  readonly output?: Output;
  readonly session?: Session;
  readonly act?: Act;
  /** One line for people beside the output, on stderr of a script. */
  readonly note?: string;
}

/** What was wrong with a command, and lines that show where. */
export interface CommandError {
  readonly message: string;
  readonly details?: readonly string[];
  readonly hint?: string;
}

export interface Context {
  readonly book: Book;
  readonly session: Session;
  /** Words after the command's name. */
  readonly words: readonly Word[];
  /** The text after the command's name, as typed. */
  readonly text: string;
  readonly unicode: boolean;
  /** Columns for drawings. */
  readonly width: number;
}

export interface Example {
  readonly line: string;
  readonly what: string;
}

export const GROUPS = ["Looking", "Moving", "Filtering", "Elsewhere", "The shell"] as const;

export interface ReplCommand extends Entry {
  readonly group: (typeof GROUPS)[number];
  /** `show [PROCESS|EVENT]`. */
  readonly usage: string;
  /** Sentences after the summary. */
  readonly doc: string;
  readonly examples: readonly Example[];
  /** By position; the last stands for all that follow. */
  readonly arguments: readonly ArgumentKind[];
  /** Its text is the language's: `|` may be a stage, `>` a comparison. */
  readonly speaksQuery?: boolean;
  /** Pauses every few milliseconds: between two steps the loop looks for Ctrl-C. */
  run(context: Context): Generator<void, Result<Reply, CommandError>>;
}
