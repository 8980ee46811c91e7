// This tk once more, as a child, on what remains: `render`, `analyse` and `replay` from inside the shell. It is given the file itself while nothing
// is filtered and the file is what was read; else a temporary recording (of the user alone) with the events that remain.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDestination } from "../host/destination.ts";
import { ownWordsBefore } from "../host/proc.ts";
import type { Turn } from "../pipeline/turn.ts";
import type { Book } from "../repl/book.ts";
import type { Session } from "../repl/session.ts";
import { ending, type Lender } from "./outlet.ts";

export interface GivenFile {
  readonly path: string;
  /** What is in it, of the recording's rows; undefined: all. */
  readonly rows: Int32Array | undefined;
  /** Takes a temporary one away. */
  release(): void;
}

/** `file`: what was named and is still the same. */
export async function giveFile(book: Book, session: Session, file: string | undefined, turn: Turn): Promise<GivenFile> {
  const rows = book.recordingRows(session);
  if (rows === undefined && file !== undefined) return { path: file, rows, release: () => {} };
  const directory = mkdtempSync(join(tmpdir(), "tk-repl-"));
  const release = () => rmSync(directory, { recursive: true, force: true });
  const path = join(directory, "part.prof");
  try {
    const destination = openDestination(path);
    try {
      let n = 0;
      for (const piece of linesOf(book, rows ?? book.asRecording(() => true))) {
        destination.out.bytes(piece);
        if (++n % 16 === 0) await turn();
      }
      destination.commit();
    } finally {
      destination.abandon();
    }
  } catch (error) {
    release();
    throw error;
  }
  return { path, rows, release };
}

/**
 * The options of `tk replay` that begin at the position at hand. Handles of what is given are its own; a moment that is none of an event is
 * given as one where the recording counts from its beginning.
 */
export function placeWords({ recording }: Book, { position }: Session, { rows }: Pick<GivenFile, "rows">): string[] {
  const { row, time } = position;
  const given = rows === undefined || row < 0 ? row : rows.indexOf(row);
  if (given >= 0 && (recording.events.ts[row] === time || recording.header === undefined)) return ["--at", `e${given}`];
  return time > 0 && recording.header !== undefined ? ["--at", `${Math.round(time)}ns`] : [];
}

const BATCH = 1 << 18;

/** The recording's own lines of these rows, byte for byte, many at a time. */
export function* linesOf(book: Book, rows: Int32Array): Generator<Uint8Array, void> {
  const { events, text } = book.recording;
  let batch = new Uint8Array(BATCH);
  let used = 0;
  for (const row of rows) {
    const line = text.read(events.at[row]!, events.len[row]!);
    // The file was cut since it was read.
    if (line.length === 0) continue;
    if (used + line.length + 1 > batch.length) {
      if (used > 0) yield batch.subarray(0, used);
      batch = new Uint8Array(Math.max(BATCH, line.length + 1));
      used = 0;
    }
    batch.set(line, used);
    used += line.length;
    batch[used++] = 10;
  }
  if (used > 0) yield batch.subarray(0, used);
}

/** The program and its words up to the user's: under a runtime that is not compiled in, its script too. */
export function ownCommand(): string[] {
  const before = ownWordsBefore(process.argv.length - 2);
  return [process.execPath, ...(before ?? []).slice(1)];
}

/** With the terminal as it is: for a player. Its status. */
export async function runHere(words: readonly string[], lender: Lender | undefined): Promise<number> {
  const [program, ...own] = ownCommand();
  lender?.leave();
  try {
    return await ending(spawn(program!, [...own, ...words], { stdio: "inherit" }));
  } finally {
    lender?.enter();
  }
}

/** What it writes; `ended` gets its status. */
export async function* runFor(
  words: readonly string[],
  ended: (status: number) => void,
): AsyncGenerator<Uint8Array, void> {
  const [program, ...own] = ownCommand();
  const child = spawn(program!, [...own, ...words], { stdio: ["ignore", "pipe", "inherit"] });
  const end = ending(child);
  try {
    for await (const chunk of child.stdout) yield chunk as Uint8Array;
    ended(await end);
  } finally {
    child.kill();
  }
}

/** A command of the system's shell, with the terminal. */
export async function runShell(line: string, lender: Lender | undefined): Promise<number> {
  lender?.leave();
  try {
    return await ending(spawn(process.env["SHELL"] ?? "/bin/sh", ["-c", line], { stdio: "inherit" }));
  } finally {
    lender?.enter();
  }
}
