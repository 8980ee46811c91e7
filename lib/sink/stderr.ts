// The sink `stderr`: each report to tk's standard error, which is the program's, in one write(2) where it fits a pipe.
import { openConsole } from "./console.ts";
import type { Sink } from "./sink.ts";

export const stderr: Sink = {
  id: "stderr",
  summary: "Writes each report to standard error",
  keepsUndelivered: false,
  longestRestMs: 30_000,
  console: "stderr",
  open: ({ world }) => Promise.resolve(openConsole(world.stderr, "standard error")),
};
