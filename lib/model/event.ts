// The events of one recording: their kinds as columns hold them, and as objects at the edges.
// The format's text is shared/reference event model, told to users in docs/format.md.

/** Kind codes of `EventTable.kind`. `EXEC_PART` and `EXEC_ARGS` are proctrace's two halves before they are joined. */
export const KIND = {
  unknown: 0,
  recording: 1,
  fork: 2,
  exec: 3,
  exec_failed: 4,
  exit: 5,
  setpgid: 6,
  setsid: 7,
  report: 8,
  source: 9,
  line_block: 10,
  lost: 11,
  end: 12,
  exec_part: 13,
  exec_args: 14,
  exec_filename: 15,
} as const;

export type KindName = keyof typeof KIND;

/** The tag of each kind in the file; `unknown` stands for every other tag. */
export const TAG_KIND: ReadonlyMap<string, number> = new Map([
  ["Recording", KIND.recording],
  ["Fork", KIND.fork],
  ["ExecFull", KIND.exec],
  ["BadExec", KIND.exec_failed],
  ["Exit", KIND.exit],
  ["SetPGID", KIND.setpgid],
  ["SetSID", KIND.setsid],
  ["Report", KIND.report],
  ["Source", KIND.source],
  ["LineBlock", KIND.line_block],
  ["Lost", KIND.lost],
  ["End", KIND.end],
  ["Exec", KIND.exec_part],
  ["ExecArgs", KIND.exec_args],
  ["ExecFilename", KIND.exec_filename],
]);

/** One exec's words. `joined` is set when the source had them as one string with the borders lost (proctrace). */
export interface Argv {
  readonly words: readonly string[];
  readonly joined: boolean;
  /** The exact bytes of those words that are not UTF-8, by index. */
  readonly bytes?: ReadonlyMap<number, Uint8Array>;
}
