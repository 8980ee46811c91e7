// Bytes of a recording from a file, a pipe or stdin, as event lines: opened, looked at, decompressed and transcoded,
// released with the scope. What is wrong with the file as a whole is a SourceError; what is wrong inside is a Problem.
import { Data, Effect, type Scope } from "effect";
import { close, fstatSync, open, readFileSync } from "node:fs";
import { detectCompression, detectFormat, HEAD_SIZE, type Compression, type DetectError } from "../format/detect.ts";
import type { InputFormat, Transcoder } from "../format/format.ts";
import { transcodeMixed } from "../format/proctrace_raw.ts";
import type { Problems } from "../model/problem.ts";
import { errorWords, OutputError } from "../host/out.ts";
import { readAnywhere, readHead, readRegular, type Chunks } from "./_bytes.ts";
import { decompress } from "./_decompress.ts";

export { decompress };

export type SourceReason =
  | { readonly _tag: "NotFound" }
  | { readonly _tag: "NotPermitted" }
  | { readonly _tag: "Directory" }
  | { readonly _tag: "NotARecording"; readonly error: DetectError }
  /** The system's own code, such as EIO. */
  | { readonly _tag: "System"; readonly code: string; readonly doing: "open" | "read" };

export class SourceError extends Data.TaggedError("SourceError")<{
  /** As the user named it, or `stdin`. */
  readonly name: string;
  readonly reason: SourceReason;
}> {
  override get message(): string {
    const name = this.name === "stdin" ? "standard input" : `'${this.name}'`;
    const reason = this.reason;
    switch (reason._tag) {
      case "NotFound":
        return `Cannot open ${name}: there is no such file`;
      case "NotPermitted":
        return `Cannot open ${name}: permission denied`;
      case "Directory":
        return `Cannot read ${name}: it is a directory, expected a recording`;
      case "NotARecording":
        return `Cannot read ${name}: ${describe(reason.error)}`;
      case "System":
        return `Cannot ${reason.doing} ${name}: ${errorWords(reason)}`;
    }
  }

  get hint(): string | undefined {
    if (this.reason._tag === "NotFound" && this.name === "stdin") return undefined;
    if (this.reason._tag !== "NotARecording") return undefined;
    const error = this.reason.error;
    return error._tag === "OtherCompression"
      ? `try ${error.tool} first; tk itself reads gzip and zstd`
      : 'a recording has lines such as {"Fork":{"timestamp":1,"parent_pid":2,"child_pid":3}}';
  }
}

function describe(error: DetectError): string {
  switch (error._tag) {
    case "NoFormat":
      return "it is a binary file, not a recording";
    case "OtherCompression":
      return `it is compressed with ${error.name}`;
    case "Tie":
      return `it could be ${error.formats.join(" or ")}`;
  }
}

export interface Source {
  /** As the user named it, or `stdin`. */
  readonly name: string;
  readonly format: InputFormat;
  readonly compression: Compression;
  /**
   * Set when the input is an uncompressed regular file in the native format: its bytes are its event lines and may be
   * read anywhere. The file may have grown or shrunk since. Closed with the scope.
   */
  readonly plain: { readonly fd: number; readonly size: number } | undefined;
  /** The event lines from the beginning; each chunk is valid until the next is asked for. To be called once. Throws SourceError. */
  chunks(): Chunks;
  /**
   * Of a plain source: the same once more, with backend lines turned into event lines. Its head showed none of them,
   * but there may be some further on; other sources are always looked through for them.
   */
  readonly transcodedChunks: (() => Chunks) | undefined;
}

export interface SourceOptions {
  /** False: the format's own lines are handed on as they are (the sorter orders raw logs without changing them). */
  readonly transcode?: boolean;
  /** True: a pipe's first whole line is enough to know it by; more may not come for hours. */
  readonly eager?: boolean;
}

const hasLine = (bytes: Uint8Array) => bytes.includes(10);

/** Opens the file at `path`; `-` is stdin. */
export const openSource = (
  path: string,
  problems: Problems,
  options: SourceOptions = {},
): Effect.Effect<Source, SourceError, Scope.Scope> => {
  const name = path === "-" ? "stdin" : path;
  return Effect.acquireRelease(openFd(path, name), (fd) => (fd === 0 ? Effect.void : closeFd(fd)), {
    interruptible: true,
  }).pipe(
    Effect.flatMap((fd) =>
      Effect.tryPromise({
        try: () => look(fd, name, problems, options),
        catch: (cause) => sourceError(name, cause, "read"),
      }),
    ),
  );
};

/**
 * Feeds every chunk to `take`, one at a time; can be interrupted between two of them. An OutputError that `take` throws
 * is a failure like the source's own.
 */
export const eachChunk = (
  source: Pick<Source, "chunks">,
  take: (chunk: Uint8Array) => void,
): Effect.Effect<void, SourceError | OutputError> =>
  Effect.callback<void, SourceError | OutputError>((resume, signal) => {
    const run = async () => {
      for await (const chunk of source.chunks()) {
        if (signal.aborted) return;
        take(chunk);
      }
    };
    run().then(
      () => resume(Effect.void),
      (cause: unknown) =>
        resume(cause instanceof SourceError || cause instanceof OutputError ? Effect.fail(cause) : Effect.die(cause)),
    );
  });

// Through the thread pool, and interruptible, because opening a named pipe waits for its writer. A descriptor that comes after
// the interruption stays open: the run is ending.
const openFd = (path: string, name: string): Effect.Effect<number, SourceError> =>
  path === "-"
    ? Effect.succeed(0)
    : Effect.callback<number, SourceError>((resume) => {
        open(path, "r", (error, fd) =>
          resume(error ? Effect.fail(sourceError(name, error, "open")) : Effect.succeed(fd)),
        );
      });

const closeFd = (fd: number): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    close(fd, () => resume(Effect.void));
  });

export function sourceError(name: string, cause: unknown, doing: "open" | "read"): SourceError {
  if (cause instanceof SourceError) return cause;
  const code = errorCode(cause);
  if (code === undefined) throw cause;
  if (code === "ENOENT" || code === "ENOTDIR") return new SourceError({ name, reason: { _tag: "NotFound" } });
  if (code === "EACCES" || code === "EPERM") return new SourceError({ name, reason: { _tag: "NotPermitted" } });
  if (code === "EISDIR") return new SourceError({ name, reason: { _tag: "Directory" } });
  return new SourceError({ name, reason: { _tag: "System", code, doing } });
}

function errorCode(cause: unknown): string | undefined {
  if (typeof cause !== "object" || cause === null || !("code" in cause)) return undefined;
  return typeof cause.code === "string" ? cause.code : undefined;
}

async function look(fd: number, name: string, problems: Problems, options: SourceOptions): Promise<Source> {
  const stat = fstatSync(fd);
  if (stat.isDirectory()) throw new SourceError({ name, reason: { _tag: "Directory" } });
  const start = stat.isFile() ? startOf(fd) : undefined;
  let bytes = await readHead(
    start === undefined ? readAnywhere(fd) : readRegular(fd, start),
    HEAD_SIZE,
    guard(name),
    options.eager === true ? hasLine : undefined,
  );
  const compression = detectCompression(bytes.head);
  if (compression.isErr()) throw new SourceError({ name, reason: { _tag: "NotARecording", error: compression.error } });
  if (compression.value !== "none") {
    const inner = decompress(bytes.all(), compression.value, (message) =>
      problems.add({ code: "compressed", source: name, line: 0, message }),
    );
    bytes = await readHead(inner, HEAD_SIZE, guard(name), options.eager === true ? hasLine : undefined);
  }
  if (bytes.head.length === 0)
    problems.add({ code: "empty", source: name, line: 0, message: "the input is empty, expected a recording" });
  const format = detectFormat(bytes.head.length === 0 ? EMPTY_LINE : bytes.head);
  if (format.isErr()) throw new SourceError({ name, reason: { _tag: "NotARecording", error: format.error } });
  const isRegular = start === 0 && compression.value === "none";
  const isPlain = isRegular && (options.transcode === false || format.value.transcode === undefined);
  const transcode = () => (format.value.transcode ?? transcodeMixed)(name, problems);
  return {
    name,
    format: format.value,
    compression: compression.value,
    plain: isPlain ? { fd, size: stat.size } : undefined,
    chunks: () => (isPlain || options.transcode === false ? bytes.all() : transcoded(bytes.all(), transcode())),
    transcodedChunks: isPlain ? () => transcoded(guarded(readRegular(fd, 0), name), transcode()) : undefined,
  };
}

const EMPTY_LINE = new Uint8Array([10]);

const guard = (name: string) => (cause: unknown) => sourceError(name, cause, "read");

async function* guarded(chunks: Chunks, name: string): Chunks {
  try {
    yield* chunks;
  } catch (cause) {
    throw sourceError(name, cause, "read");
  }
}

async function* transcoded(chunks: Chunks, transcoder: Transcoder): Chunks {
  for await (const chunk of chunks) {
    const lines = transcoder.push(chunk);
    if (lines.length > 0) yield lines;
  }
  const rest = transcoder.end();
  if (rest.length > 0) yield rest;
}

/** Where reading begins: a regular file that was handed over as stdin may have been read in part. Undefined when not known. */
function startOf(fd: number): number | undefined {
  if (fd !== 0) return 0;
  try {
    const position = /^pos:\s*(\d+)/m.exec(readFileSync("/proc/self/fdinfo/0", "latin1"))?.[1];
    return position === undefined ? undefined : Number(position);
  } catch {
    return undefined; // No Linux: then it is read like a pipe.
  }
}
