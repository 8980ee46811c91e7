// What the replay's shell (shell.ts: prompt, history, switching, following) drives: a player with a picture. The line player and the
// process player are each one. Pure: keys, typed lines and sizes go in, styled lines come out; the terminal is cmd's business.
import type { Ability, StyledLine } from "../terminal/styled.ts";

export interface ViewSize {
  readonly columns: number;
  /** Of the view: what is below it is not its. */
  readonly rows: number;
  /** Of the whole screen. */
  readonly screenRows?: number;
  readonly ability: Ability;
}

/** A moment of a recording, and whose it is where that is known: what one view hands to another. */
export interface Moment {
  /** Nanoseconds since the recording began; of a log directory, which has lines only, its clock's ticks. */
  readonly time: number;
  readonly pid?: number | undefined;
  readonly tid?: number | undefined;
}

/** What the shell has to do after a key; a view has already done its own part. */
export type Reply =
  | { readonly kind: "done" }
  /** The key means nothing here. */
  | { readonly kind: "unknown" }
  | { readonly kind: "quit" }
  /** Opens the prompt: `mark` stands before the line (`> `, `/`), `text` is in it already. What is entered goes to `enter`. */
  | { readonly kind: "prompt"; readonly mark: string; readonly text: string }
  /** Shows the view of that id at this moment. */
  | { readonly kind: "show"; readonly view: string; readonly at: Moment };

export interface View {
  /** `lines`, `processes`. */
  readonly id: string;
  /** A line for the shell's footer: keys of this view that matter now, such as `"n": next`. */
  hints(): readonly string[];
  /** Exactly `size.rows` lines; the shell puts its footer below them. Called after every event: what does not change is cheap. */
  paint(size: ViewSize): readonly StyledLine[];
  /** A key that the shell has no use for itself; `chord` as in lib/terminal/keys.ts. */
  press(chord: string): Reply;
  /** A line from the prompt that was opened with `mark`, as typed. */
  enter(line: string, mark: string): Reply;
  /** What `line` (up to the cursor) may become, as whole lines; none where nothing fits. */
  complete(line: string, mark: string): readonly string[];
  /** The error or note of the last key, for the row above the footer; undefined when there is none. */
  message(): string | undefined;
  /** The present moment; undefined when there is nothing to stand on. */
  moment(): Moment | undefined;
  /** Goes to the moment, or as near as this view has something; false when it has nothing at all. */
  goTo(at: Moment): boolean;
  /** Looks whether more was recorded since; true when there is. */
  refresh(): boolean;
  /** Goes to the last thing that is recorded: what following does after `refresh`. */
  toEnd(): void;
}

export const DONE: Reply = { kind: "done" };
export const UNKNOWN: Reply = { kind: "unknown" };
