// With which thread the line player begins. Bash executes the subshell of `for i in $(seq 9)` before the line itself, and a child may be
// recorded sooner than its parent: a player that begins there shows a command's inside instead of the script.
import type { LineTrack } from "../lines/line_track.ts";
import type { Processes } from "../derive/processes.ts";
import { ABSENT } from "../model/ids.ts";

/** Of `tracks`, in order of their beginnings, the first; or the one of the outermost process above it that has any. */
export function firstTrack(tracks: readonly LineTrack[], processes: Processes | undefined): LineTrack | undefined {
  let [first] = tracks;
  if (first === undefined || processes === undefined) return first;
  const { length, pid, start, end, parent } = processes;
  let life: number = ABSENT;
  for (let p = 0; p < length; p++)
    if (pid[p] === first.pid && start[p]! <= first.startOf(0) && (life === ABSENT || start[p]! >= start[life]!))
      life = p;
  while (life !== ABSENT) {
    life = parent[life]!;
    if (life === ABSENT) break;
    const above = tracks.find((t) => {
      const began = t.startOf(0);
      // A pid that was used again is another process.
      return t.pid === pid[life] && began >= start[life]! && !(began > end[life]!);
    });
    first = above ?? first;
  }
  return first;
}
