// From the raw lines of tk's bpftrace script to native events: puts an exec's pieces together and writes each event with
// RecordingWriter. The live recorder and the reader of raw logs share it, so both say the same.
// The bytes may come from a stranger's log: pieces without their exec are forgotten after a while, sizes are bounded.
import { KIND } from "../model/event.ts";
import { ABSENT } from "../model/ids.ts";
import { decodeWaitStatus } from "../model/status.ts";
import type { RawFields } from "./_raw_line.ts";
import { PIECE } from "./_raw_line.ts";
import type { RecordingWriter } from "./recording_writer.ts";

export { LineSplitter } from "./_lines.ts";
export { isRawLine, makeRawFields, PIECE, readRawLine } from "./_raw_line.ts";
export type { RawFields } from "./_raw_line.ts";

/** What was executed, as bytes. */
export interface RawExec {
  /** Undefined when no piece of it came. */
  readonly filename: Uint8Array | undefined;
  readonly words: readonly Uint8Array[];
  /** Words or ends of words are missing: the script's limit, or lines that were lost. */
  readonly truncated: boolean;
}

const NO_BYTES = new Uint8Array(0);
/** Execs that are awaited at once: at most one per thread that is between its first line and its last. */
const MOST_OPEN = 4096;
/** No kernel lets argv be longer than this; a log that says otherwise is not one. */
const MOST_BYTES = 8 << 20;
const MOST_WORDS = 1 << 16;

/** A text that grows by pieces at given places. */
class Text {
  bytes = NO_BYTES;
  length = 0;
  /** Bytes that came, to tell whether a piece is missing. */
  filled = 0;

  put(piece: Uint8Array, at: number): void {
    const end = at + piece.length;
    if (end > MOST_BYTES) return;
    if (end > this.bytes.length) {
      const grown = new Uint8Array(Math.max(end, this.bytes.length * 2));
      grown.set(this.bytes.subarray(0, this.length));
      this.bytes = grown;
    }
    this.bytes.set(piece, at);
    this.length = Math.max(this.length, end);
    this.filled += piece.length;
  }

  /** Up to the first NUL. */
  word(): Uint8Array {
    const end = this.bytes.indexOf(0);
    return this.bytes.subarray(0, end < 0 || end > this.length ? this.length : end);
  }
}

interface Open {
  readonly filename: Text;
  readonly words: Text;
  readonly byIndex: Text[];
}

export class RawExecs {
  /** By pid and time; in the order in which they began. */
  private readonly open = new Map<string, Open>();
  /** Execs that were given up because their last line never came. */
  forgotten = 0;

  /** Takes the hex of the line `b[.., to)` that `f` was read from; false when it is not hex. */
  piece(b: Uint8Array, f: RawFields, to: number): boolean {
    const bytes = readHex(b, f.hexAt, to);
    if (bytes === undefined || f.at < 0) return false;
    const key = `${f.pid} ${f.ts}`;
    let one = this.open.get(key);
    if (one === undefined) {
      if (this.open.size >= MOST_OPEN) this.forgetOldest();
      one = { filename: new Text(), words: new Text(), byIndex: [] };
      this.open.set(key, one);
    }
    if (f.piece === PIECE.filename) one.filename.put(bytes, f.at);
    else if (f.piece === PIECE.words) one.words.put(bytes, f.at);
    else if (f.index <= one.byIndex.length && f.index < MOST_WORDS && f.index >= 0)
      (one.byIndex[f.index] ??= new Text()).put(bytes, f.at);
    return true;
  }

  /** The exec whose head is `f`; undefined when none of its pieces came. */
  take(f: RawFields): RawExec | undefined {
    const key = `${f.pid} ${f.ts}`;
    const one = this.open.get(key);
    if (one === undefined) return undefined;
    this.open.delete(key);
    const filename = one.filename.length > 0 ? one.filename.word() : undefined;
    if (one.byIndex.length > 0)
      return { filename, words: one.byIndex.map((text) => text.word()), truncated: f.more === 1 };
    const all = one.words.bytes.subarray(0, one.words.length);
    const length = f.argvBytes === ABSENT ? all.length : f.argvBytes;
    return {
      filename,
      words: splitWords(all),
      truncated: f.more === 1 || all.length < length || one.words.filled < all.length || unread(all),
    };
  }

  /** Pieces that never met the line that ends them. */
  get waiting(): number {
    return this.open.size + this.forgotten;
  }

  private forgetOldest(): void {
    for (const key of this.open.keys()) {
      this.open.delete(key);
      this.forgotten++;
      return;
    }
  }
}

/** A page that could not be read comes as zeros; nobody runs a command of empty words only. */
function unread(words: Uint8Array): boolean {
  return words.length > 1 && words.every((c) => c === 0);
}

/** The words of NUL-ended text; what follows the last NUL is a word that was cut. */
export function splitWords(all: Uint8Array): Uint8Array[] {
  const words: Uint8Array[] = [];
  for (let at = 0; at < all.length;) {
    const end = all.indexOf(0, at);
    if (end < 0) {
      words.push(all.subarray(at));
      break;
    }
    words.push(all.subarray(at, end));
    at = end + 1;
  }
  return words;
}

function digit(c: number): number {
  if (c >= 48 && c <= 57) return c - 48;
  return c >= 97 && c <= 102 ? c - 87 : -1;
}

/** `2f 62 69`, with or without a space at the end; undefined when it is anything else. */
function readHex(b: Uint8Array, from: number, to: number): Uint8Array | undefined {
  const out = new Uint8Array(Math.ceil((to - from) / 3));
  let n = 0;
  for (let at = from; at < to; at += 3) {
    const high = digit(b[at]!);
    const low = at + 1 < to ? digit(b[at + 1]!) : -1;
    if (high < 0 || low < 0 || (at + 2 < to && b[at + 2] !== 32)) return undefined;
    out[n++] = high * 16 + low;
  }
  return out;
}

/** Whether the head line of an exec is of our script: then the exec is written from its pieces, and not as half an exec. */
export function isWholeExec(f: RawFields): boolean {
  return f.kind === KIND.exec_failed
    ? f.ret !== 0
    : f.kind === KIND.exec_part && (f.argvBytes !== ABSENT || f.more !== ABSENT);
}

/** What the live recorder adds to the lines. */
export interface RawExtras {
  /** Names an errno. */
  errorText?(errno: number): string;
  /** Where the words come from when not from the lines. */
  argsFrom?: string;
}

/** Writes the event of a head line at `timestamp`; the kinds of `RawFields.kind` that are no pieces. */
export function writeRawEvent(
  w: RecordingWriter,
  f: RawFields,
  timestamp: number,
  exec: RawExec | undefined,
  extras: RawExtras = {},
): void {
  switch (f.kind) {
    case KIND.fork:
      w.fork(timestamp, f.ppid, f.pid, f.pgid);
      break;
    case KIND.exec_part:
      w.beginExec(timestamp, f.pid, f.ppid, f.pgid, f.sid);
      writeWords(w, exec, extras);
      break;
    case KIND.exec_failed:
      w.beginBadExec(timestamp, f.pid, -f.ret, extras.errorText?.(-f.ret) ?? "");
      writeWords(w, exec, extras);
      break;
    case KIND.exit: {
      const status = f.status === ABSENT ? undefined : decodeWaitStatus(f.status);
      w.exit(
        timestamp,
        f.pid,
        f.ppid,
        f.pgid,
        status?.how === "exited" ? status.code : ABSENT,
        status?.how === "signaled" ? status.signal : 0,
        status?.how === "signaled" && status.coreDumped,
        f.maxRssKb === ABSENT ? undefined : { utime_ns: ABSENT, stime_ns: ABSENT, max_rss_kb: f.maxRssKb },
      );
      break;
    }
    case KIND.setpgid:
      w.setpgid(timestamp, f.pid, f.ppid, f.pgid);
      break;
    case KIND.setsid:
      w.setsid(timestamp, f.pid, f.ppid, f.pgid, f.sid);
      break;
  }
}

function writeWords(w: RecordingWriter, exec: RawExec | undefined, extras: RawExtras): void {
  const filename = exec?.filename ?? exec?.words[0] ?? NO_BYTES;
  w.filename(filename, 0, filename.length);
  w.beginArgs();
  for (const word of exec?.words ?? []) w.arg(word, 0, word.length);
  w.endArgs();
  if (exec === undefined || exec.truncated) w.flag("args_truncated");
  if (extras.argsFrom !== undefined) w.note("args_from", extras.argsFrom);
  w.finish();
}
