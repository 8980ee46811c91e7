// tk doctor: what can be recorded here.
import { Effect } from "effect";
import { Command, Flag } from "effect/cli";
import { maybe } from "./flags.ts";

export const doctor = Command.make(
  "doctor",
  {
    format: Flag.Literals("format", ["table", "json"]).pipe(
      Flag.withDescription("A table for people or JSON for programs"),
      Flag.withDefault("table" as const),
    ),
    bpftracePath: Flag.String("bpftrace-path").pipe(
      Flag.withAlias("b"),
      Flag.withMetavar("PATH"),
      Flag.withDescription("The bpftrace to look at"),
      Flag.optional,
    ),
  },
  (c) =>
    Effect.promise(() => import("./doctor_run.ts")).pipe(
      Effect.flatMap((m) => m.run({ format: c.format, bpftracePath: maybe(c.bpftracePath) })),
    ),
).pipe(
  Command.withDescription(
    "Say what can be recorded on this machine, with which backend, and how to get more. Ends with status 0 when something can be recorded, else 1.",
  ),
  Command.withShortDescription("What can be recorded here, and how to get more"),
  Command.withExamples([{ command: "tk doctor" }, { command: "tk doctor --format json | jq .backends" }]),
);
