// A document as one string, for callers that have no terminal and no file: the library's users and the tests.
import type { Recording } from "../model/recording.ts";
import type { DocumentRenderer, RenderOptions } from "./renderer.ts";

/** What a document is drawn for when nothing is said: a file of UTF-8, as wide as it needs to be. */
const FOR_A_FILE: RenderOptions = { width: Infinity, color: false, unicode: true, limit: undefined, full: false };

export function renderToText(
  renderer: DocumentRenderer,
  recording: Recording,
  options: Partial<RenderOptions> = {},
): string {
  const parts: string[] = [];
  renderer.render(recording, { ...FOR_A_FILE, ...options }, { text: (s) => void parts.push(s) });
  return parts.join("");
}
