// A file, a pipe or stdin to a Recording whose columns are in memory and whose text is in memory only while it is small.
import { Effect, type Scope } from "effect";
import { EventDecoder } from "../format/decode.ts";
import { Problems } from "../model/problem.ts";
import type { Recording, TextStore } from "../model/recording.ts";
import type { OutputError } from "../host/out.ts";
import { decodeRecording, finishRecording, MemoryText } from "./decode_recording.ts";
import { indexedRecording, keepIndex, type Keepable } from "./index_cache.ts";
import { eachChunk, openSource, type Source, type SourceError } from "./source.ts";
import { fileText, TextCollector } from "./_text_store.ts";

export { decodeRecording };

export interface ReadOptions {
  /** Text of up to this many bytes is held in memory; larger stays in the file, or goes to a temporary one. */
  readonly textInMemory?: number;
  /** The caller is going to ask `indexStepsOf` afterwards. */
  readonly keepIndex?: boolean;
}

/** Recordings whose columns can be kept for the next time. */
const keepable = new WeakMap<Recording, Keepable>();

/** Keeps the columns of a large recording, step by step (see `keepIndex`); no steps when there is nothing to keep. */
export function indexStepsOf(recording: Recording): Generator<void, void> | undefined {
  const plain = keepable.get(recording);
  return plain === undefined ? undefined : keepIndex(recording, plain);
}

const TEXT_IN_MEMORY = 32 * 1024 * 1024;

/** An event line of tk has about this many bytes. */
const USUAL_LINE = 110;

/** The most rows that are made room for at once; memory that is not written to costs nothing. */
const MOST_ROWS_AT_FIRST = 1 << 25;

/** Rows to make room for in a recording of so many bytes. */
export function expectedRows(bytes: number): number {
  return Math.min(Math.ceil(bytes / USUAL_LINE), MOST_ROWS_AT_FIRST);
}

/** Reads the recording at `path`; `-` is stdin. Its text can be read until the scope closes. */
export const readRecording = (
  path: string,
  options: ReadOptions = {},
): Effect.Effect<Recording, SourceError | OutputError, Scope.Scope> =>
  Effect.gen(function* () {
    const problems = new Problems();
    const source = yield* openSource(path, problems);
    return yield* readSource(source, problems, options);
  });

/** The same for a source that is open. `problems` is what it was opened with. */
export const readSource = (
  source: Source,
  problems: Problems,
  options: ReadOptions = {},
): Effect.Effect<Recording, SourceError | OutputError, Scope.Scope> =>
  Effect.gen(function* () {
    const limit = options.textInMemory ?? TEXT_IN_MEMORY;
    const { plain } = source;
    const kept = plain && indexedRecording(plain.fd, plain.size, source.name, fileText(plain.fd, plain.size), problems);
    if (kept !== undefined) return kept;
    if (plain !== undefined) {
      // Found out only on the way: raw lines among the event lines. Then all of it is read again, through the transcoder.
      const trial = new Problems();
      const capacity = expectedRows(plain.size);
      const large = plain.size > limit;
      const [decoder, text] = yield* pass(source, trial, large ? fileText(plain.fd, plain.size) : limit, capacity);
      if (!decoder.sawRaw || source.transcodedChunks === undefined) {
        problems.takeOver(trial);
        const recording = finishRecording(decoder, text, source.name, problems);
        if (large && options.keepIndex === true) keepable.set(recording, plain);
        return recording;
      }
    }
    const again = source.transcodedChunks;
    const [decoder, text] = yield* pass(again ? { ...source, chunks: again } : source, problems, limit, 1024);
    return finishRecording(decoder, text, source.name, problems);
  });

/** One pass over the source. Its text is collected, unless it is `where` already. */
const pass = (
  source: Source,
  problems: Problems,
  where: TextStore | number,
  capacity: number,
): Effect.Effect<[EventDecoder, TextStore], SourceError | OutputError, Scope.Scope> =>
  Effect.gen(function* () {
    const decoder = new EventDecoder(source.name, problems, { capacity });
    if (typeof where !== "number") {
      yield* eachChunk(source, (chunk) => decoder.push(chunk));
      decoder.finish();
      return [decoder, where];
    }
    const collector = yield* Effect.acquireRelease(
      Effect.sync(() => new TextCollector(where, source.plain?.size)),
      (c) => Effect.sync(() => c.close()),
    );
    yield* eachChunk(source, (chunk) => {
      collector.append(chunk);
      decoder.push(chunk);
    });
    decoder.finish();
    const bytes = collector.inMemory();
    return [decoder, bytes === undefined ? collector.spooled() : new MemoryText(bytes)];
  });
