// The events in the order in which they happened, as JSON lines. The sorter does the work, in bounded memory: this only names it.
import type { LineRenderer } from "./renderer.ts";

export const multiplexed: LineRenderer = {
  id: "multiplexed",
  aliases: ["sequential"],
  summary: "The events in order as JSON lines",
  shape: "lines",
  group: "none",
};
