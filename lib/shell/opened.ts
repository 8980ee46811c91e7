// The recording behind the shell: being read, read, or still growing. The shell runs before the first event is there; a book is made of what
// has arrived when a command asks for it.
import { Effect, type Scope } from "effect";
import { fstatSync, statSync } from "node:fs";
import { isDerived } from "../derive/processes.ts";
import type { OutputError } from "../host/out.ts";
import type { HeadTraces } from "../lines/line_track.ts";
import { Problems } from "../model/problem.ts";
import type { Recording } from "../model/recording.ts";
import { followRecording, type FollowedRecording } from "../pipeline/follow_recording.ts";
import { indexStepsOf, readSource } from "../pipeline/read.ts";
import { readRecordings } from "../pipeline/read_recordings.ts";
import { openSource, type Source, type SourceError } from "../pipeline/source.ts";
import { Book } from "../repl/book.ts";

export interface OpenOptions {
  /** As the user named them; `-` is standard input. */
  readonly inputs: readonly string[];
  /** The file may grow: look again before every command. */
  readonly follow: boolean;
  /** Standard input is taken as it comes; otherwise it is waited for. */
  readonly stream: boolean;
  readonly unicode: boolean;
  /** The executed lines of a recording, when a query first asks for them. */
  readonly lines: (recording: Recording) => HeadTraces | undefined;
}

interface Stamp {
  readonly size: number;
  readonly ino: number;
  readonly mtimeMs: number;
}

export class Opened {
  /** From 0 to 1; NaN when it cannot be known, undefined when nothing is being read. */
  loading: number | undefined = NaN;
  failure: SourceError | OutputError | undefined;
  /** Sentences that were not told yet. */
  readonly news: string[] = [];
  readonly options: OpenOptions;
  private recording: Recording | undefined;
  private followed: FollowedRecording | undefined;
  private book: Book | undefined;
  private booked = -1;
  private stamp: Stamp | undefined;
  private finish!: () => void;
  /** Resolved when it has been read, or cannot be. */
  readonly settled: Promise<void> = new Promise((resume) => (this.finish = resume));

  constructor(options: OpenOptions) {
    this.options = options;
  }

  /** Several: merged; else the one that was named. */
  get name(): string {
    return this.recording?.name ?? this.options.inputs.join(", ");
  }

  get problems(): Problems | undefined {
    return this.recording?.problems;
  }

  get growing(): boolean {
    return this.followed !== undefined && !this.followed.isOver;
  }

  /** Reads it; never fails: what went wrong is in `failure`. */
  load(): Effect.Effect<void, never, Scope.Scope> {
    return this.read().pipe(
      Effect.catch((error) =>
        Effect.sync(() => {
          this.failure = error;
        }),
      ),
      Effect.ensuring(
        Effect.sync(() => {
          this.loading = undefined;
          this.finish();
        }),
      ),
    );
  }

  private read(): Effect.Effect<void, SourceError | OutputError, Scope.Scope> {
    const { inputs, follow, stream } = this.options;
    const [only] = inputs;
    return Effect.gen({ self: this }, function* () {
      if (inputs.length !== 1 || only === undefined) {
        const { recording, notes } = yield* readRecordings({ inputs });
        this.recording = recording;
        this.news.push(...notes);
        return;
      }
      if (follow || (only === "-" && stream)) {
        this.followed = yield* followRecording(only, { stream });
        this.recording = this.followed.recording;
        return;
      }
      const problems = new Problems();
      const source = yield* openSource(only, problems);
      this.recording = yield* readSource(this.counted(source), problems, { keepIndex: true });
      this.stamp = stampOf(only);
    });
  }

  /** The source, telling how much of it was read. */
  private counted(source: Source): Source {
    const size = source.plain?.size;
    if (size === undefined || size === 0) return source;
    const tell = (read: number) => {
      this.loading = Math.min(1, read / size);
    };
    const count = async function* (chunks: ReturnType<Source["chunks"]>) {
      let read = 0;
      for await (const chunk of chunks) {
        yield chunk;
        tell((read += chunk.length));
      }
    };
    const { transcodedChunks } = source;
    return {
      ...source,
      chunks: () => count(source.chunks()),
      transcodedChunks: transcodedChunks && (() => count(transcodedChunks())),
    };
  }

  /** What there is now; undefined while nothing is. The same book as long as nothing has come. */
  current(): Book | undefined {
    const { followed } = this;
    if (followed !== undefined) {
      followed.refresh();
      this.recording = followed.recording;
      if (followed.note !== undefined && !this.news.includes(followed.note)) this.news.push(followed.note);
    } else this.look();
    const { recording } = this;
    if (recording === undefined) return undefined;
    if (this.book === undefined || this.booked !== recording.events.length) {
      this.booked = recording.events.length;
      const { unicode, lines } = this.options;
      this.book = new Book(recording, unicode, { lines: () => lines(recording) });
    }
    return this.book;
  }

  /** The book as it was last made, without looking for more. */
  get lastBook(): Book | undefined {
    return this.book;
  }

  /** Tells once when the file is not what was read any more. */
  private look(): void {
    const [only] = this.options.inputs;
    const { stamp } = this;
    if (stamp === undefined || only === undefined) return;
    const now = stampOf(only);
    if (now !== undefined && now.size === stamp.size && now.ino === stamp.ino && now.mtimeMs === stamp.mtimeMs) return;
    this.stamp = undefined;
    const what =
      now === undefined
        ? "is not there any more"
        : now.ino !== stamp.ino
          ? "was replaced by another file"
          : now.size < stamp.size
            ? "has become shorter"
            : "was written to";
    this.news.push(
      `'${only}' ${what} since it was read; what is shown is what it was, open it again (or with --follow) to see that`,
    );
  }

  /** Whether the file that was named is still what is shown, so that another program may be given it. */
  get file(): string | undefined {
    const [only] = this.options.inputs;
    if (this.options.inputs.length !== 1 || only === "-" || only === undefined) return undefined;
    this.look();
    return this.stamp === undefined ? undefined : only;
  }

  /** Bytes of the file that was read; 0 when it is none, or is not what it was. */
  get size(): number {
    return this.stamp?.size ?? 0;
  }

  /** Whether some question was about processes, so that they are known. */
  get hasProcesses(): boolean {
    return this.recording !== undefined && isDerived(this.recording);
  }

  /** Keeps the columns of a large recording for the next time, a few milliseconds a step. */
  keepIndex(): Generator<void, void> | undefined {
    return this.recording === undefined || this.followed !== undefined ? undefined : indexStepsOf(this.recording);
  }
}

function stampOf(path: string): Stamp | undefined {
  try {
    const { size, ino, mtimeMs } = path === "-" ? fstatSync(0) : statSync(path);
    return { size, ino, mtimeMs };
  } catch {
    return undefined;
  }
}
