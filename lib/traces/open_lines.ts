// Executed lines from whatever holds them, as the same tracks: a recording (with its process events), a log directory of the older
// tracer, or the directory of raw streams that a recorder is still filling.
import { Data, Effect, type Scope } from "effect";
import { readdirSync, statSync } from "node:fs";
import type { OutputError } from "../host/out.ts";
import type { CostedTraces } from "../lines/line_track.ts";
import type { Problems } from "../model/problem.ts";
import type { Recording } from "../model/recording.ts";
import { readSource } from "../pipeline/read.ts";
import { openSource, type SourceError } from "../pipeline/source.ts";
import { isTrackexecLog, TrackexecLines } from "../trackexec/trackexec_lines.ts";
import { RecordingLines } from "./recording_lines.ts";
import { openSpool } from "./spool_lines.ts";

/** A directory that holds no executed lines. */
export class NoLinesError extends Data.TaggedError("NoLinesError")<{
  readonly name: string;
  readonly inside: readonly string[];
}> {
  override get message(): string {
    return `Cannot read '${this.name}': it is a directory without executed lines, expected a log (log_index) or a spool of streams (*.meta)`;
  }

  get hint(): string | undefined {
    const names = this.inside.map((name) => `${this.name.replace(/\/+$/, "")}/${name}`);
    return names.length > 0 ? `there are some inside it, such as ${names.join(", ")}` : undefined;
  }
}

export interface OpenLines {
  readonly traces: CostedTraces;
  /** The process events beside them; undefined of directories. */
  readonly recording: Recording | undefined;
}

/** `path` as the user named it; `-` is stdin. What can be read of it can be until the scope closes. */
export const openLines = (
  path: string,
  problems: Problems,
): Effect.Effect<OpenLines, SourceError | OutputError | NoLinesError, Scope.Scope> =>
  Effect.gen(function* () {
    if (isDirectory(path)) return { traces: yield* openDirectory(path, problems), recording: undefined };
    const source = yield* openSource(path, problems);
    const recording = yield* readSource(source, problems);
    return { traces: new RecordingLines(recording, problems, source.plain), recording };
  });

export function isDirectory(path: string): boolean {
  try {
    return path !== "-" && statSync(path).isDirectory();
  } catch {
    return false; // Whoever opens it says why it cannot be had.
  }
}

export const openDirectory = (dir: string, problems: Problems): Effect.Effect<CostedTraces, NoLinesError> =>
  Effect.suspend((): Effect.Effect<CostedTraces, NoLinesError> => {
    if (isTrackexecLog(dir)) return Effect.succeed(new TrackexecLines(dir, problems));
    const spool = openSpool(dir, problems);
    if (spool !== undefined) return Effect.succeed(spool);
    return Effect.fail(new NoLinesError({ name: dir, inside: logsInside(dir) }));
  });

/** Folders right inside that hold lines: the user named the run instead of one of its processes. */
function logsInside(dir: string): string[] {
  try {
    return readdirSync(dir)
      .slice(0, 1000)
      .filter((name) => isTrackexecLog(`${dir}/${name}`))
      .sort()
      .slice(0, 3);
  } catch {
    return [];
  }
}
