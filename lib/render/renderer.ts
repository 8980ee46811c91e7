// The contract of a renderer. Line renderers only order the recording's own lines, so the sorter does their work
// in bounded memory; document renderers look at the whole recording.
import type { Entry } from "../base/registry.ts";
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

export type Renderer = LineRenderer | DocumentRenderer;
