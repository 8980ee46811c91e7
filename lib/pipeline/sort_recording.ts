// `tk sort` and `tk render -d multiplexed`: recordings in, one recording in order out, every line byte for byte as it came.
// Opens, feeds, finishes; how lines are ordered is external_sort.ts's. Header lines come first, blank lines go, lines
// that are no JSON objects are told and left out.
//
// Times of several recordings: each has its own zero, the moment in its header (`started_unix_ns`). `align: "own"` keeps the
// numbers as they are; `align: "wall"` rewrites the digits of `timestamp` so that all of them count from the earliest
// header's moment, and puts that header first.
import { Effect, type Scope } from "effect";
import { transcodeMixed } from "../format/proctrace_raw.ts";
import type { TimeShift } from "../format/shift_time.ts";
import { type Destination, openDestination } from "../host/destination.ts";
import { OutputError } from "../host/out.ts";
import type { Problems } from "../model/problem.ts";
import { alignStarts, noteDifferentStarts, type Opening, openStart, startOfHeader } from "./align.ts";
import { ExternalSort, lineBudget } from "./external_sort.ts";
import type { Chunks } from "./_bytes.ts";
import { openSource, type Source, SourceError } from "./source.ts";
import { makeTurn, type Turn } from "./turn.ts";

export const DEFAULT_MEMORY = 256 << 20;

export interface SortOptions {
  /** As the user named them; `-` is stdin. */
  readonly inputs: readonly string[];
  /** Undefined and `-`: standard output. May be one of the inputs. */
  readonly output?: string | undefined;
  /** Bytes of memory for the whole process; more goes through temporary files. 256 MiB when undefined. */
  readonly memory?: number | undefined;
  readonly align?: "own" | "wall" | undefined;
  /** Where bad lines are told. */
  readonly problems: Problems;
  /** Directory for temporary files; $TMPDIR when undefined. */
  readonly temporary?: string | undefined;
}

export interface SortResult {
  readonly lines: number;
  readonly bytes: number;
  /** Bytes that went through temporary files, and in how many runs; 0 when the memory sufficed. */
  readonly spilled: number;
  readonly runs: number;
  /** The reader of the output left before the end. */
  readonly closed: boolean;
  /** What the user should know, as sentences. */
  readonly notes: readonly string[];
}

export const sortRecording = (options: SortOptions): Effect.Effect<SortResult, SourceError | OutputError> =>
  Effect.scoped(
    openOutput(options.output).pipe(
      Effect.flatMap((destination) =>
        sortInto(options, destination).pipe(
          Effect.flatMap((sorted) =>
            attempt(() => destination.commit()).pipe(Effect.map(() => ({ ...sorted, closed: destination.out.closed }))),
          ),
        ),
      ),
    ),
  );

/** The same into a destination that is open; committing it is left to the caller. */
export const sortInto = (
  options: Omit<SortOptions, "output">,
  destination: Destination,
): Effect.Effect<SortResult, SourceError | OutputError, Scope.Scope> =>
  Effect.gen(function* () {
    const { problems } = options;
    const notes: string[] = [];
    const feeding: Feeding = { name: "", start: undefined };
    const sort = yield* Effect.acquireRelease(
      attempt(() => makeSort(options, destination, feeding)),
      (s) => Effect.sync(() => s.close()),
    );
    const feed = (source: Source, chunks: Chunks, shift?: TimeShift) =>
      work((turn) => feedLines(source, chunks, problems, sort, feeding, turn, shift));
    if (options.align === "wall") {
      const openings: Opening[] = [];
      for (const path of options.inputs) {
        const source = yield* openSource(path, problems, { transcode: false });
        openings.push(yield* work(() => openStart(source)));
      }
      for (const { source, chunks, shift } of alignStarts(openings, notes)) yield* feed(source, chunks(), shift);
    } else {
      const starts: { name: string; start: bigint | undefined }[] = [];
      for (const path of options.inputs) {
        const open = openSource(path, problems, { transcode: false });
        yield* Effect.scoped(open.pipe(Effect.flatMap((source) => feed(source, source.chunks()))));
        starts.push({ name: feeding.name, start: feeding.start });
      }
      noteDifferentStarts(starts, notes);
    }
    yield* work((turn) =>
      sort.finish(() => {
        if (destination.out.size > 0) destination.setAside();
        return destination.out;
      }, turn),
    );
    const { size, closed } = destination.out;
    return { lines: sort.lines, bytes: size, spilled: sort.spilled, runs: sort.runCount, closed, notes };
  });

/** A file that is not committed when the scope ends is left as it was. */
export const openOutput = (path: string | undefined) =>
  Effect.acquireRelease(
    attempt(() => openDestination(path)),
    (destination) => Effect.sync(() => destination.abandon()),
  );

/** Failures of the world stay failures, everything else is a fault of ours. */
function expected(cause: unknown): SourceError | OutputError {
  if (cause instanceof SourceError || cause instanceof OutputError) return cause;
  throw cause;
}

export const attempt = <A>(f: () => A) => Effect.try({ try: f, catch: expected });

/** Work in turns, which ends with the fiber. The signal is for whoever waits for something else meanwhile. */
export const work = <A>(f: (turn: Turn, signal: AbortSignal) => Promise<A>) =>
  Effect.tryPromise({ try: (signal) => f(makeTurn(signal), signal), catch: expected });

/** The input whose lines are being taken. */
interface Feeding {
  name: string;
  /** Start of its first header. */
  start: bigint | undefined;
}

function makeSort(options: Omit<SortOptions, "output">, destination: Destination, feeding: Feeding): ExternalSort {
  const { written, out } = destination;
  const { problems } = options;
  return new ExternalSort(
    {
      budget: lineBudget(options.memory ?? DEFAULT_MEMORY),
      temporary: options.temporary,
      mainRun: written === undefined ? undefined : { out, file: { text: written, users: 0 } },
    },
    {
      broken(line, cut) {
        if (cut)
          problems.add({
            code: "cut",
            source: feeding.name,
            line,
            message: "the last line is cut off, expected a whole event; left out",
          });
        else
          problems.add({
            code: "not-json",
            source: feeding.name,
            line,
            message: 'not a JSON object, expected an event such as {"Fork":{...}}; left out',
          });
      },
      tooLong(line) {
        problems.add({ code: "too-long", source: feeding.name, line, message: "the line is too long to be read" });
      },
      header(b, from, to) {
        feeding.start ??= startOfHeader(b.subarray(from, to));
      },
    },
  );
}

async function feedLines(
  source: Source,
  chunks: Chunks,
  problems: Problems,
  sort: ExternalSort,
  feeding: Feeding,
  turn: Turn,
  shift?: TimeShift,
): Promise<void> {
  const { name } = source;
  feeding.name = name;
  feeding.start = undefined;
  sort.beginInput(source.format.transcode?.(name, problems), () => transcodeMixed(name, problems));
  for await (const chunk of chunks) {
    sort.feed(shift === undefined ? chunk : shift.push(chunk));
    await turn();
  }
  if (shift !== undefined) sort.feed(shift.end());
  sort.endInput();
}
