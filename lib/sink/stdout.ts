// The sink `stdout`: each report to tk's standard output, which is the program's, in one write(2) where it fits a pipe.
import { openConsole } from "./console.ts";
import type { Sink } from "./sink.ts";

export const stdout: Sink = {
  id: "stdout",
  summary: "Writes each report to standard output",
  keepsUndelivered: false,
  longestRestMs: 30_000,
  console: "stdout",
  open: ({ world }) => Promise.resolve(openConsole(world.stdout, "standard output")),
};
