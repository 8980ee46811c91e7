// The contract of a renderer. Line renderers only order the recording's own lines, so the sorter does their work
// in bounded memory; document renderers look at the whole recording, trace renderers at its executed lines.
import type { Entry } from "../base/registry.ts";
import type { CostedTraces } from "../lines/line_track.ts";
import type { Recording } from "../model/recording.ts";

export interface RenderOptions {
  /** Columns of the terminal, Infinity when the output is not one. */
  readonly width: number;
  readonly color: boolean;
  /** Non-ASCII line drawing allowed (a UTF-8 locale). */
  readonly unicode: boolean;
  /**
   * At most this many processes (or tasks) are drawn; the remainder is stated. Undefined leaves it to the renderer,
   * Infinity draws all.
   */
  readonly limit: number | undefined;
  /** Long forms: Nix store paths unshortened, arguments uncut. */
  readonly full: boolean;
  /** Executed lines: an object a line instead of text. */
  readonly ndjson?: boolean;
  /** Which line of a script started a process; missing of recordings without executed lines. */
  readonly causeOf?: ((life: number) => CauseText | undefined) | undefined;
}

/** The line that started a process. */
export interface CauseText {
  /** `/srv/build.sh:12` */
  readonly place: string;
  /** False when another thread could have been it. */
  readonly sure: boolean;
}

export interface TextSink {
  text(s: string): void;
}

export interface LineRenderer extends Entry {
  readonly shape: "lines";
  readonly group: "none" | "process";
}

export interface DocumentRenderer extends Entry {
  readonly shape: "document";
  render(recording: Recording, options: RenderOptions, out: TextSink): void;
}

/** Looks at executed lines, which a recording or a directory may hold. Yields now and then, so that others may do something. */
export interface TraceRenderer extends Entry {
  readonly shape: "traces";
  render(traces: CostedTraces, options: RenderOptions, out: TextSink): Generator<void>;
}

export type Renderer = LineRenderer | DocumentRenderer | TraceRenderer;
