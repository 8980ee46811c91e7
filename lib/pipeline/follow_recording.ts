// A recording that is still being written: read once up to its present end, then only what has come since, into the same table. A file
// that was replaced or has become shorter is told and not read any further. For the replay, the player for pipes and the prompt.
//
// Only whole lines count. A last line without its newline waits, unless it is a whole event already (foreign recordings may end so): then it is
// taken as if its newline had come, and the real one is passed over when it comes.
import { Effect, type Scope } from "effect";
import { fstatSync, readSync, statSync } from "node:fs";
import { EventDecoder } from "../format/decode.ts";
import { errorWords, type OutputError } from "../host/out.ts";
import { Spool } from "../host/spool.ts";
import { KIND } from "../model/event.ts";
import { Problems } from "../model/problem.ts";
import type { Recording, TextStore } from "../model/recording.ts";
import type { GrowingRecording } from "../replay/growing.ts";
import { joinExecs, unjoinExecs } from "../stage/join_exec.ts";
import { finishRecording } from "./decode_recording.ts";
import { expectedRows, readSource, type ReadOptions } from "./read.ts";
import { attempt } from "./sort_recording.ts";
import { eachChunk, openSource, type Source, type SourceError } from "./source.ts";
import { fileText } from "./_text_store.ts";

export interface FollowedRecording extends GrowingRecording {
  /** A file whose bytes are the recording's text, as far as it was read; undefined where nothing more can come (compressed files). */
  readonly file: { readonly fd: number } | undefined;
}

export interface FollowOptions extends ReadOptions {
  /** What comes through a pipe is taken as it comes; otherwise it is waited for to its end. */
  readonly stream?: boolean;
}

/** At most this much is read at a time, so that whoever asks is not kept. */
const MOST_AT_ONCE = 8 << 20;

/** A last line longer than this waits for its newline. */
const MOST_TAIL = 1 << 20;

const NEWLINE = new Uint8Array([10]);
const decoder = new TextDecoder();

/** Opens the recording at `path` (`-` is stdin) and reads what there is. It can be asked for more until the scope closes. */
export const followRecording = (
  path: string,
  options: FollowOptions = {},
): Effect.Effect<FollowedRecording, SourceError | OutputError, Scope.Scope> =>
  Effect.gen(function* () {
    const problems = new Problems();
    const source = yield* openSource(path, problems, { eager: options.stream === true });
    const { plain } = source;
    if (plain === undefined) {
      if (options.stream === true && !isRegular(path)) return yield* followStream(source, problems);
      return finished(yield* readSource(source, problems, options), undefined);
    }
    const trial = new Problems();
    const file = new FollowedFile(path, source.name, plain, trial);
    yield* eachChunk(source, (chunk) => file.take(chunk));
    file.taken();
    if (file.sawRaw && source.transcodedChunks !== undefined) {
      // A backend's own lines among the events: read through the transcoder, as a whole.
      const again = { ...source, plain: undefined, chunks: source.transcodedChunks, transcodedChunks: undefined };
      return finished(yield* readSource(again, problems, options), undefined);
    }
    problems.takeOver(trial);
    file.first(problems);
    return file;
  });

function isRegular(path: string): boolean {
  try {
    return (path === "-" ? fstatSync(0) : statSync(path)).isFile();
  } catch {
    return false;
  }
}

/** A recording that cannot grow any more, or not so that we could see it. */
function finished(recording: Recording, note: string | undefined): FollowedRecording {
  return { recording, file: undefined, isOver: true, note, refresh: () => false };
}

/** The rows of a table as a recording, made anew when there are more. */
class Rows {
  readonly decoder: EventDecoder;
  private readonly name: string;
  private readonly problems: Problems;
  /** Rows that were an `Exec` on their own before they were joined with their words. */
  private readonly wholes: number[] = [];
  private hasParts = false;
  private looked = 0;

  constructor(name: string, problems: Problems, bytes = 0) {
    this.name = name;
    this.problems = problems;
    this.decoder = new EventDecoder(name, problems, { capacity: expectedRows(bytes) });
  }

  get length(): number {
    return this.decoder.table.length;
  }

  private lookForParts(): void {
    const { kind, length } = this.decoder.table;
    for (let row = this.looked; row < length; row++) {
      if (kind[row] === KIND.exec_part) this.wholes.push(row);
      if (kind[row] === KIND.exec_part || kind[row] === KIND.exec_args || kind[row] === KIND.exec_filename)
        this.hasParts = true;
    }
    this.looked = length;
  }

  /** With what is wrong in it told. */
  first(text: TextStore, problems: Problems): Recording {
    this.lookForParts();
    this.decoder.settle();
    return finishRecording(this.decoder, text, this.name, problems);
  }

  again(text: TextStore): Recording {
    const { table, header, end, lost } = this.decoder;
    this.lookForParts();
    this.decoder.settle();
    if (this.hasParts) {
      unjoinExecs(table, this.wholes);
      // What belongs to nothing yet may do so in a moment.
      joinExecs(table, () => {});
    }
    return { name: this.name, header, end, events: table, text, problems: this.problems, lost };
  }
}

class FollowedFile implements FollowedRecording {
  recording!: Recording;
  isOver = false;
  note: string | undefined;
  readonly file: { readonly fd: number };
  private readonly path: string;
  private readonly name: string;
  private readonly fd: number;
  private readonly rows: Rows;
  /** Bytes of the file that were read. */
  private size = 0;
  /** Where the last line without a newline begins. */
  private tailAt = 0;
  /** That line was taken as whole: its newline, the next byte, has been counted already. */
  private borrowed = false;
  private buffer = new Uint8Array(1 << 16);

  constructor(path: string, name: string, plain: { readonly fd: number; readonly size: number }, problems: Problems) {
    this.path = path;
    this.name = name;
    this.fd = plain.fd;
    this.file = { fd: plain.fd };
    this.rows = new Rows(name, problems, plain.size);
  }

  get sawRaw(): boolean {
    return this.rows.decoder.sawRaw;
  }

  /** The next bytes of the file. */
  take(chunk: Uint8Array): void {
    let bytes = chunk;
    if (this.borrowed && bytes.length > 0) {
      if (bytes[0] !== 10) {
        this.stop("was written over while it was read");
        return;
      }
      bytes = bytes.subarray(1);
      this.borrowed = false;
      this.size++;
    }
    const newline = bytes.lastIndexOf(10);
    if (newline >= 0) this.tailAt = this.size + newline + 1;
    this.size += bytes.length;
    this.rows.decoder.push(bytes);
  }

  /** No more bytes at the moment: is the last line whole? */
  taken(): void {
    const length = this.size - this.tailAt;
    if (this.borrowed || length <= 0 || length > MOST_TAIL) return;
    try {
      JSON.parse(decoder.decode(this.readAt(this.tailAt, length)));
    } catch {
      return;
    }
    this.rows.decoder.push(NEWLINE);
    this.borrowed = true;
    this.tailAt = this.size + 1;
  }

  first(problems: Problems): void {
    this.recording = this.rows.first(this.text(), problems);
    this.isOver = this.note !== undefined || this.rows.decoder.end !== undefined;
  }

  refresh(): boolean {
    if (this.isOver && this.note !== undefined) return false;
    const before = this.rows.length;
    try {
      this.readMore();
    } catch (error) {
      this.stop(`cannot be read any more: ${errorWords(error)}`);
    }
    this.isOver = this.note !== undefined || this.rows.decoder.end !== undefined;
    if (this.rows.length === before) return false;
    this.recording = this.rows.again(this.text());
    return true;
  }

  private readMore(): void {
    const { size } = fstatSync(this.fd);
    if (size < this.size) {
      this.stop("has become shorter: it is being written anew");
      return;
    }
    let left = Math.min(size - this.size, MOST_AT_ONCE);
    while (left > 0 && this.note === undefined) {
      const n = readSync(this.fd, this.buffer, 0, Math.min(left, this.buffer.length), this.size);
      if (n === 0) break;
      left -= n;
      this.take(this.buffer.subarray(0, n));
    }
    if (this.size < size) return;
    this.taken();
    if (this.wasReplaced()) this.stop("was replaced by another file");
  }

  private wasReplaced(): boolean {
    if (this.path === "-") return false;
    const mine = fstatSync(this.fd);
    try {
      const there = statSync(this.path);
      return there.ino !== mine.ino || there.dev !== mine.dev;
    } catch {
      // Removed: what was written so far is still ours, and may go on.
      return false;
    }
  }

  private stop(what: string): void {
    this.note = `'${this.name}' ${what}; open it again to see that`;
    this.isOver = true;
  }

  private text(): TextStore {
    return fileText(this.fd, this.size);
  }

  private readAt(at: number, length: number): Uint8Array {
    const into = new Uint8Array(length);
    return into.subarray(0, readSync(this.fd, into, 0, length, at));
  }
}

/** A pipe: what comes is kept in a temporary file. */
const followStream = (
  source: Source,
  problems: Problems,
): Effect.Effect<FollowedRecording, SourceError | OutputError, Scope.Scope> =>
  Effect.gen(function* () {
    const spool = yield* Effect.acquireRelease(
      attempt(() => new Spool()),
      (s) => Effect.sync(() => s.close()),
    );
    const rows = new Rows(source.name, problems);
    const text = () => {
      spool.out.flush();
      return fileText(spool.fd, spool.out.size);
    };
    let known = 0;
    const followed = {
      recording: rows.first(text(), new Problems()),
      file: { fd: spool.fd },
      isOver: false,
      note: undefined as string | undefined,
      refresh(): boolean {
        if (rows.length === known) return false;
        known = rows.length;
        this.recording = rows.again(text());
        return true;
      },
    };
    const reading = eachChunk(source, (chunk) => {
      spool.out.bytes(chunk);
      rows.decoder.push(chunk);
    }).pipe(
      Effect.catch((error) =>
        Effect.sync(() => {
          followed.note = error.message;
        }),
      ),
      Effect.ensuring(
        Effect.sync(() => {
          rows.decoder.finish();
          followed.isOver = true;
        }),
      ),
    );
    yield* Effect.forkScoped(reading);
    return followed;
  });
