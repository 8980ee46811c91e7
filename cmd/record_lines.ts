// `tk record --lines=SELECTION`: what it means, before anything has run.
import { CollectedLines } from "../lib/collect/lines_feed.ts";
import type { LineFeed } from "../lib/capture/line_feed.ts";
import { currentDirectory } from "../lib/exec/directory.ts";
import { CaptureError } from "../lib/capture/capture_error.ts";

export interface WantedLines {
  /** Packages and paths with commas; empty: everything outside the standard library and site-packages. */
  readonly selection: string;
  readonly engine: "exact" | "fast";
}

export function linesFor({ selection, engine }: WantedLines): LineFeed {
  const items = selection.split(",").map((item) => item.trim());
  if (selection !== "" && items.includes(""))
    throw new CaptureError({
      backend: "lines",
      reason: {
        _tag: "Contradiction",
        what: `--lines is '${selection}', expected packages or paths with a comma between them, such as --lines=mypkg,./src`,
        instead:
          "leave out what is empty; --lines alone records everything outside the standard library and site-packages",
      },
    });
  return new CollectedLines({ selection: items.join(","), engine, directory: currentDirectory() });
}

/** Hands on what was expected to go wrong; anything else is a fault of ours. */
export function expected(error: unknown): CaptureError {
  if (error instanceof CaptureError) return error;
  throw error;
}
