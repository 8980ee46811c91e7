// The events of each process together, a blank line between processes, each line as it was recorded.
// lib/pipeline/by_process.ts does the work and says in which order: this only names it.
import type { LineRenderer } from "./renderer.ts";

export const byProcess: LineRenderer = {
  id: "by-process",
  summary: "Each process's events together as JSON lines, a blank line between processes",
  shape: "lines",
  group: "process",
};
