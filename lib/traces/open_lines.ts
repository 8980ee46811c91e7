// Executed lines of a directory as tracks: a log of the older tracer, or raw streams that a recorder may still be filling. Those of a recording are
// beside its process events (recording_lines.ts).
import { Data, Effect } from "effect";
import { readdirSync, statSync } from "node:fs";
import type { CostedTraces } from "../lines/line_track.ts";
import type { Problems } from "../model/problem.ts";
import { isTrackexecLog, TrackexecLines } from "../trackexec/trackexec_lines.ts";
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

/** What right inside holds lines, or can: the user named the run, or the spool, instead of one of its programs. */
function logsInside(dir: string): string[] {
  const inside = (folder: string) => {
    try {
      return readdirSync(`${dir}/${folder}`)
        .slice(0, 1000)
        .map((name) => folder + name)
        .filter((name) => name.endsWith(".prof") || isTrackexecLog(`${dir}/${name}`))
        .sort()
        .slice(0, 3);
    } catch {
      return [];
    }
  };
  const here = inside("");
  return here.length > 0 ? here : inside("latest/");
}
