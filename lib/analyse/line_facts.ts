// The executed lines beside a recording's processes, as the sections need them: costs added up once, places and source lines as text, and who
// started which process.
import { printable } from "../base/text.ts";
import type { Processes } from "../derive/processes.ts";
import { type Cause, type Causes, causesOf } from "../lines/causes.ts";
import { codeOfPlace, LineCosts } from "../lines/line_costs.ts";
import type { CostedTraces } from "../lines/line_track.ts";
import { splitLines, strip } from "../lines/source_text.ts";

/** Nobody reads more of one line. */
const MOST_LINE = 4096;

export class LineFacts {
  readonly traces: CostedTraces;
  private readonly processes: Processes;
  private readonly unicode: boolean;
  private all: LineCosts | undefined;
  private started: Causes | undefined;
  private readonly split = new Map<number, readonly string[]>();

  constructor(traces: CostedTraces, processes: Processes, unicode: boolean) {
    this.traces = traces;
    this.processes = processes;
    this.unicode = unicode;
  }

  get costs(): LineCosts {
    if (this.all === undefined) {
      this.all = new LineCosts();
      this.traces.addCosts(this.all);
    }
    return this.all;
  }

  costsOfTrack(track: number): LineCosts {
    const costs = new LineCosts();
    this.traces.addCosts(costs, track);
    return costs;
  }

  get causes(): Causes {
    return (this.started ??= causesOf(this.processes, this.traces));
  }

  /** `/srv/app.py`; of a function without a file its name. */
  path(file: number): string {
    if (file < 0) return printable(this.traces.codes[codeOfPlace(file)]?.name ?? "(no file)", this.unicode);
    return printable(this.traces.sources[file]?.path ?? "(unknown file)", this.unicode);
  }

  place(file: number, line: number): string {
    return file < 0 ? this.path(file) : `${this.path(file)}:${line}`;
  }

  placeOf(cause: Cause | undefined): string | undefined {
    return cause === undefined ? undefined : this.place(cause.file, cause.line);
  }

  /** The line's text without blanks around it; undefined when it was not kept. */
  source(file: number, line: number): string | undefined {
    if (file < 0) return undefined;
    let lines = this.split.get(file);
    if (lines === undefined) {
      lines = splitLines(this.traces.sources[file]?.text() ?? "");
      this.split.set(file, lines);
    }
    const text = lines[line - 1];
    return text === undefined ? undefined : strip(text.slice(0, MOST_LINE));
  }
}

/** A place for a narrow column: whole last parts of its path. */
export function shortenPlace(place: string, mark: string): string {
  const parts = place.split("/");
  return parts.length > 2 ? `${mark}/${parts.at(-1)}` : place;
}
